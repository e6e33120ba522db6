#!/usr/bin/env python3
"""One HTML page of a run, a sweep, a scaling study, or a folder of evaluations: pictures and all in one file.

    analysis/report.py runs/local [--output report.html]

Takes the files of metasieve that are in the folder itself, whatever their names, and writes DIR/report.html: a verdict,
warnings, what was run and where, tables with 95 % intervals, plots, and the commands that run it again. The page needs
no network and no other file. Of a training that has not ended it shows the last checkpoint.

Exit codes: 0 done; 2 usage; 3 there is nothing to report, or it cannot be read or written.
"""
import argparse
import pathlib
import sys

from metasieve_analysis import command_line, files, report_folder, report_page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path)
    parser.add_argument("--output", metavar="F.html", type=pathlib.Path, help="default: DIR/report.html")
    arguments = parser.parse_args()
    output = arguments.output or arguments.folder / "report.html"

    def work():
        text = report_page.page(report_folder.found_in(arguments.folder))
        files.write(output, lambda part: part.write_text(text, encoding="utf-8"))
        print(f"wrote {output}")

    return command_line.run(work)


if __name__ == "__main__":
    sys.exit(main())
