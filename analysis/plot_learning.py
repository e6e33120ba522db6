#!/usr/bin/env python3
"""How a training went: loss on training and validation tasks, validation accuracy, fairness gaps, gradient norm.

    analysis/plot_learning.py run/results.h5 --output run/learning

The dashed line is the untrained policy, the dotted one a model trained on all rows. Of a run that has not ended give
its checkpoint.h5.
"""
import sys

from metasieve_analysis import learning, read, style


def main():
    parser = style.parser_of(__doc__)
    parser.add_argument("results", metavar="results.h5", help="file of `metasieve train`, or a checkpoint")
    arguments = parser.parse_args()

    def draw():
        results = read(arguments.results)
        if results.type not in ("results", "checkpoint"):
            raise ValueError(f"{arguments.results}: is a file of type {results.type}; must be results or checkpoint")
        yield "", learning.plot(results), learning.table_of(results)

    return style.command(draw, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
