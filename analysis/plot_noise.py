#!/usr/bin/env python3
"""Noise reduction against noise rate: how much of the label noise each method keeps out of its selection.

    analysis/plot_noise.py evaluation.h5 --output noise

Noise reduction is 1 - (share of wrong labels among the selected rows) / (share among all training rows).
"""
import sys

from metasieve_analysis import noise, read, style


def main():
    parser = style.parser_of(__doc__)
    parser.add_argument("evaluation", metavar="E.h5", help="file of `metasieve evaluate`")
    arguments = parser.parse_args()

    def draw():
        table = noise.table_of(read(arguments.evaluation, "evaluation"))
        yield "", noise.plot(table), table

    return style.command(draw, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
