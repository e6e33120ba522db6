#!/usr/bin/env python3
"""What each method trades: accuracy against the fairness gap, a curve over the setting of those that have one.

    analysis/plot_frontier.py runs/compare/comparison_aware.h5 --output frontier

Reads files of `metasieve evaluate --frontier`: curves from /frontier, the other methods as points from /summary, with
95 % intervals; one panel per source. The numbers at the ends of a curve are the settings there.
"""
import sys

from metasieve_analysis import comparison, frontier, style


def main():
    parser = style.parser_of(__doc__)
    parser.add_argument("evaluations", nargs="+", metavar="E.h5", help="files of `metasieve evaluate --frontier`")
    parser.add_argument("--gap", choices=style.GAPS, default="eo_gap")
    parser.add_argument("--only", nargs="+", metavar="SOURCE", help="panels of these sources alone")
    arguments = parser.parse_args()

    def draw():
        panels = comparison.chosen(frontier.read_panels(arguments.evaluations, arguments.gap), arguments.only)
        yield "", frontier.plot(panels, arguments.gap), frontier.table_of(panels, arguments.gap)

    return style.command(draw, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
