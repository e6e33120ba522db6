#!/usr/bin/env python3
"""How a training scales on a simulated cluster: weak and strong efficiency against nodes.

    analysis/plot_simulation.py runs/simulation --output simulation

Reads weak.csv and strong.csv of tests/simgrid/run.sh.
"""
import pathlib
import sys

from metasieve_analysis import simulation, style


def main():
    parser = style.parser_of(__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="with weak.csv and strong.csv")
    arguments = parser.parse_args()

    def draw():
        tables = simulation.read(arguments.folder)
        yield "", simulation.plot(tables), simulation.table_of(tables)

    return style.command(draw, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
