#!/usr/bin/env python3
"""How diverse the tasks of a suite are.

    analysis/plot_suite.py suite.h5 --output suite

writes suite_diversity (histograms of sample sizes, feature dimensions, noise rates, group shares, class shares and
demographic-parity gaps) and suite_correlation (the correlation matrix of the task parameters).
"""
import sys

from metasieve_analysis import read, style, suites


def main():
    parser = style.parser_of(__doc__, meaning="writes F_diversity and F_correlation, each as .png, .svg and .csv")
    parser.add_argument("suite", metavar="suite.h5", help="file of `metasieve generate`")
    arguments = parser.parse_args()

    def draw():
        metadata = read(arguments.suite, "suite").table("metadata")
        yield "_diversity", suites.plot_diversity(metadata), suites.diversity_table(metadata)
        table = suites.correlation_table(metadata)
        yield "_correlation", suites.plot_correlation(metadata), table.reset_index(names="parameter")

    return style.command(draw, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
