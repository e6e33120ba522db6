#!/usr/bin/env python3
"""The results in files of metasieve as CSV and as LaTeX tables.

    analysis/export_tables.py run/evaluation.h5 run/results.h5 --output tables

writes into the output folder, for each file F.h5, all its tables as they are, F_TABLE.csv, and for a paper F.tex: of an
evaluation the methods of each source with means, 95 % intervals and changes against all rows, and the paired
differences; of a training the validation tasks; of a sweep its points and the best ones; of a scaling study efficiency.
The LaTeX tables need \\usepackage{booktabs}; include one with \\input{tables/evaluation}.
"""
import argparse
import pathlib
import sys

from metasieve_analysis import command_line, files, read, result_tables, tables


def export(contents, folder):
    """Writes the tables of one file. Returns the names."""
    stem, names = contents.path.stem, []
    for name in contents:
        if hasattr(contents[name], "to_csv"):
            names.append(folder / f"{stem}_{name.replace('/', '_')}.csv")
            files.write(names[-1], lambda part: contents[name].to_csv(part, index=False))
    found = [tables.latex(table, f"tab:{stem}:{name}") for name, table in result_tables.of(contents).items()]
    if found:
        names.append(folder / f"{stem}.tex")
        text = "% needs \\usepackage{booktabs}\n" + "\n\n".join(found) + "\n"
        files.write(names[-1], lambda part: part.write_text(text, encoding="utf-8"))
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="F.h5", type=pathlib.Path,
                        help="of `metasieve evaluate`, `train`, `sweep`, `scaling`, `score` or `generate`")
    parser.add_argument("--output", required=True, metavar="DIR", type=pathlib.Path, help="folder to write into")
    arguments = parser.parse_args()
    stems = [path.stem for path in arguments.files]
    for stem in stems:
        if stems.count(stem) > 1:
            parser.error(f"two files are called {stem}: give them one after the other, with an --output each")

    def work():
        opened = [read(path) for path in arguments.files]  # all are looked at before the first is written
        arguments.output.mkdir(parents=True, exist_ok=True)
        for contents in opened:
            names = export(contents, arguments.output)
            print(f"{contents.path}: " + (f"wrote {', '.join(map(str, names))}" if names else "has no tables"))

    return command_line.run(work)


if __name__ == "__main__":
    sys.exit(main())
