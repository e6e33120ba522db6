#!/usr/bin/env python3
"""How a training scales: efficiency, where the time goes, a model of it, and how many nodes it is worth.

    analysis/scaling.py runs/scaling/scaling.h5 --output runs/scaling [--efficiency 0.8]

Reads a file of `metasieve scaling` and writes into the output folder scaling_efficiency and scaling_phases as PNG, SVG
and CSV. Efficiency is the predicted work that a core does in a second, against that at the fewest cores of its kind.
The model and its parameters are described in metasieve_analysis/scaling_model.py.
"""
import sys

from metasieve_analysis import read, scaling, style


def main():
    parser = style.parser_of(__doc__, "DIR", "folder to write into")
    parser.add_argument("study", metavar="scaling.h5", help="file of `metasieve scaling`")
    parser.add_argument("--efficiency", type=float, default=0.8, metavar="E", help="least that is worth it (0.8)")
    arguments = parser.parse_args()
    if not 0 < arguments.efficiency < 1:
        parser.error(f"--efficiency {arguments.efficiency:g}: must be > 0 and < 1")

    def draw():
        study = scaling.studied(read(arguments.study, "scaling"))
        print("\n".join(scaling.lines_of(study, arguments.efficiency)))
        yield "scaling_efficiency", scaling.plot_efficiency(study.summary, study.parameters), study.summary
        yield "scaling_phases", scaling.plot_phases(study.phases), study.phases

    return style.command(draw, arguments.output, folder=True)


if __name__ == "__main__":
    sys.exit(main())
