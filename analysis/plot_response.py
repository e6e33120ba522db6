#!/usr/bin/env python3
"""How the policy responds to each meta-feature: its mean keep weight as one feature goes from its least to its most.

    analysis/plot_response.py evaluation.h5 --output response
"""
import sys

from metasieve_analysis import read, response, style


def main():
    parser = style.parser_of(__doc__)
    parser.add_argument("evaluation", metavar="E.h5", help="file of `metasieve evaluate`")
    arguments = parser.parse_args()

    def draw():
        table = response.table_of(read(arguments.evaluation, "evaluation"))
        yield "", response.plot(table), table

    return style.command(draw, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
