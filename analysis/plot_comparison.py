#!/usr/bin/env python3
"""Accuracy against a fairness gap: all methods of evaluations, with 95 % intervals, a panel a source.

    analysis/plot_comparison.py runs/local/evaluation_suite.h5 runs/local/evaluation_compas.h5 --output comparison

A source is a suite's mixture or a data set. Left is fairer, up is more accurate.
"""
import sys

from metasieve_analysis import comparison, style


def main():
    parser = style.parser_of(__doc__)
    parser.add_argument("evaluations", nargs="+", metavar="E.h5", help="files of `metasieve evaluate`")
    parser.add_argument("--gap", choices=style.GAPS, default="eo_gap")
    parser.add_argument("--only", nargs="+", metavar="SOURCE", help="panels of these sources alone")
    parser.add_argument("--leave-out", nargs="+", metavar="METHOD", default=[], choices=style.METHODS,
                        help="methods not drawn")
    arguments = parser.parse_args()

    def draw():
        panels = comparison.panels_of(arguments.evaluations, arguments.only, arguments.leave_out)
        yield "", comparison.plot(panels, arguments.gap), comparison.table_of(panels)

    return style.command(draw, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
