#!/usr/bin/env python3
"""What the swept keys do: effects of each key, heat maps over pairs of keys, parallel coordinates over all of them.

    analysis/plot_sweep.py runs/sweep/sweep.h5 --output runs/sweep/plot [--method meta_hard]

writes plot_effects and, where two or more keys were swept, plot_maps and plot_parallel. Points that are not done are
left out. `metasieve sweep --output runs/sweep --collect` makes sweep.h5.
"""
import sys

from metasieve_analysis import read, style, sweeps


def main():
    parser = style.parser_of(__doc__, meaning="writes F_effects, F_maps and F_parallel, each as .png, .svg and .csv")
    parser.add_argument("sweep", metavar="sweep.h5", help="file of `metasieve sweep --collect`")
    parser.add_argument("--method", help="whose metrics are drawn; default: meta_hard, where it was evaluated")
    arguments = parser.parse_args()
    return style.command(lambda: sweeps.plots(read(arguments.sweep, "sweep"), arguments.method), arguments.output)


if __name__ == "__main__":
    sys.exit(main())
