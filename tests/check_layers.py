#!/usr/bin/env python3
"""Checks that the source tree keeps its layers (README: includes point downwards only).

    check_layers.py [SRC] [--archive libmetasieve_core.a]   includes, cycles, who may use MPI, HDF5, OpenMP, Boost
    check_layers.py --headers build/compile_commands.json   every header compiles alone, but for those that a source
                                                            file of the build has before all else: the build tells
    check_layers.py --self-test                             each kind of violation is caught

Prints one line per violation, `file:line: [rule] what`; exit code 1 if there is any.
"""

import argparse
import concurrent.futures
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folders from the bottom up: a folder may include those before it.
FOLDERS = ["base", "numerics", "inner", "fairness", "tasks", "features", "policy", "meta", "kernels", "methods",
           "parallel", "hdf5", "files", "config", "runtime", "training", "evaluation", "studies", "cli"]
CORE = FOLDERS[:FOLDERS.index("parallel")]  # the mathematics: one library, without MPI and HDF5
ALLOWED = {folder: set(FOLDERS[:i]) for i, folder in enumerate(FOLDERS)}
ALLOWED["parallel"] = {"base"}

# rule, pattern in code without comments and strings, folders where it may stand
RESERVED = [
    ("mpi", re.compile(r"#\s*include\s*<mpi\.h>"), {"parallel"}),
    ("mpi", re.compile(r"\bMPI_\w+"), {"parallel", "hdf5"}),  # hdf5 hands MPI_Comm and MPI_Info on to HDF5,
    ("mpi", re.compile(r"\bMPI_[A-Z][a-z]\w*\s*\("), set(ALLOWED) - {"hdf5"}),  # but calls nothing
    ("hdf5", re.compile(r"#\s*include\s*[<\"](hdf5\.h|H5)"), {"hdf5"}),
    ("openmp", re.compile(r"#\s*pragma\s+omp\b|#\s*include\s*<omp\.h>"), {"parallel"}),
    ("boost", re.compile(r"#\s*include\s*[<\"]boost/|\bboost::"), {"cli", "config"}),
]
LINE_LIMIT = 520
FORBIDDEN_SYMBOL = re.compile(r"\bU ((?:MPI_|H5)\w*)")

COMMENT_OR_TEXT = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<include>^[ \t]*\#[ \t]*include[^\n]*?(?=//|/\*|$))
      | (?P<text>R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])')""",
    re.VERBOSE | re.DOTALL | re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def code_of(text):
    """`text` with comments and string literals blanked out, same line numbers."""
    def blank(match):
        return match[0] if match["include"] else "\n" * match[0].count("\n") or " "
    return COMMENT_OR_TEXT.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_tree(src):
    """Violations of the source tree below `src`, as lines."""
    found = []
    graph = {}
    for path in sorted(p for p in src.rglob("*") if p.suffix in {".hpp", ".cpp", ".h"}):
        name = path.relative_to(src).as_posix()
        text = path.read_text(encoding="utf-8")
        code = code_of(text)
        folder = name.split("/")[0]

        def report(line, rule, what):
            found.append(f"{name}:{line}: [{rule}] {what}")

        if folder not in ALLOWED or "/" not in name:
            report(1, "folder", f"is in no layer; the folders are {', '.join(sorted(ALLOWED))}")
            continue
        graph[name] = []
        for match in INCLUDE.finditer(code):
            target = match[1]
            target_folder = target.split("/")[0] if "/" in target else ""
            line = line_of(code, match.start(1))
            graph[name].append(target)
            if target_folder not in ALLOWED:
                # What CMake generates is in no layer; libraries have a rule of their own.
                if not target.startswith(("generated/", "hdf5", "H5", "boost/")):
                    report(line, "include", f'"{target}": write "folder/file.hpp", and <> for other libraries')
            elif target_folder != folder and target_folder not in ALLOWED[folder]:
                report(line, "layer", f"{folder} may not include {target_folder} ({target})")
        for rule, pattern, home in RESERVED:
            if folder not in home:
                for match in pattern.finditer(code):
                    report(line_of(code, match.start()), rule, f"{match[0].strip()} may not stand in {folder}")
        lines = text.count("\n")
        if lines > LINE_LIMIT:
            report(lines, "length", f"{lines} lines; the limit is {LINE_LIMIT}")
        if path.suffix != ".cpp" and not re.search(r"^#pragma once$", code, re.MULTILINE):
            report(1, "pragma", "header without #pragma once")
    return found + cycles(graph)


def cycles(graph):
    """Include cycles, each reported once, where a depth-first walk closes it."""
    found, done = [], set()

    def walk(name, trail):
        if name in trail:
            found.append(f"{name}:1: [cycle] {' -> '.join(trail[trail.index(name):] + [name])}")
        elif name in graph and name not in done:
            for target in graph[name]:
                walk(target, trail + [name])
            done.add(name)

    for name in graph:
        walk(name, [])
    return found


def check_archive(archive):
    """The mathematics links neither MPI nor HDF5."""
    symbols = subprocess.run(["nm", "--undefined-only", str(archive)], capture_output=True, text=True, check=True)
    names = sorted(set(FORBIDDEN_SYMBOL.findall(symbols.stdout)))
    return [f"{archive}:1: [symbol] needs {name}" for name in names]


def check_headers(database, src, jobs):
    """Every header compiles alone, with the flags of a source file of its folder (or one of its layer).

    A header that a source file includes first, before any other line of code, is left to that file's compilation.
    """
    flags, told_by_the_build = {}, set()
    for entry in json.loads(database.read_text(encoding="utf-8")):
        path = pathlib.Path(entry["directory"], entry["file"])
        if path.is_relative_to(src):
            words = shlex.split(entry["command"])
            for option, length in (("-o", 2), ("-c", 2)):  # -o file.o, -c file.cpp
                at = words.index(option)
                del words[at:at + length]
            flags.setdefault(path.relative_to(src).parts[0], words)
            first = INCLUDE.match(code_of(path.read_text(encoding="utf-8")))
            if first and not {"-include", "-include-pch"} & set(words):
                told_by_the_build.add(first[1])
    for folder in CORE:  # one library, one set of flags
        flags.setdefault(folder, next(flags[other] for other in CORE if other in flags))

    def compile_alone(header):
        name = header.relative_to(src).as_posix()
        command = (flags.get(name.split("/")[0]) or flags["cli"]) + ["-fsyntax-only", "-x", "c++", "-"]
        run = subprocess.run(command, input=f'#include "{name}"\n', capture_output=True, text=True)
        return [] if run.returncode == 0 else [f"{name}:1: [header] does not compile alone\n{run.stderr}"]

    alone = [path for path in sorted(src.rglob("*.hpp")) if path.relative_to(src).as_posix() not in told_by_the_build]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [line for lines in pool.map(compile_alone, alone) for line in lines]


# ---------------------------------------------------------------- self-test

# rule that must be reported, and the one file (with any it needs) that breaks it
BROKEN = [
    ("layer", {"base/a.hpp": '#pragma once\n#include "tasks/task.hpp"\n'}),
    ("layer", {"inner/a.cpp": '#include "parallel/communicator.hpp"\n'}),
    ("layer", {"policy/a.cpp": '#include "meta/meta_gradient.hpp"\n'}),
    ("layer", {"meta/a.cpp": '#include "methods/roh.hpp"\n'}),
    ("layer", {"parallel/a.cpp": '#include "meta/chain.hpp"\n'}),
    ("layer", {"training/a.cpp": '  #  include "cli/options.hpp"  // why\n'}),
    ("include", {"base/a.cpp": '#include "sibling.hpp"\n'}),
    ("folder", {"utils/a.hpp": "#pragma once\n"}),
    ("cycle", {"base/a.hpp": '#pragma once\n#include "base/b.hpp"\n',
               "base/b.hpp": '#pragma once\n#include "base/a.hpp"\n'}),
    ("mpi", {"hdf5/a.cpp": "#include <mpi.h>\n"}),
    ("mpi", {"hdf5/a.cpp": "void f() { MPI_Barrier (c); }\n"}),
    ("mpi", {"meta/a.cpp": "auto c = MPI_COMM_WORLD;\n"}),
    ("hdf5", {"training/a.cpp": "#include <hdf5.h>\n"}),
    ("hdf5", {"parallel/a.cpp": '#include "H5public.h"\n'}),
    ("openmp", {"tasks/a.cpp": "void f() {\n#pragma omp parallel for\n}\n"}),
    ("openmp", {"training/a.cpp": "#include <omp.h>\n"}),
    ("boost", {"hdf5/a.cpp": "#include <boost/format.hpp>\n"}),
    ("length", {"base/a.cpp": "\n" * 521}),
    ("pragma", {"base/a.hpp": "int f();  // #pragma once\n"}),
]
SOUND = {
    "base/a.hpp": "#pragma once\n// MPI_Barrier(comm) and #pragma omp\n/* #include <hdf5.h>\n*/\n",
    "meta/a.cpp": '#include "policy/network.hpp"\n#include "tasks/task.hpp"\nint n = 1\'000\'000;\n',
    "hdf5/a.cpp": '#include "parallel/c.hpp"\n#include <hdf5.h>\nvoid f(MPI_Comm c, MPI_Info i = MPI_INFO_NULL);\n',
    "parallel/a.cpp": "#include <mpi.h>\n#include <omp.h>\nvoid f() {\n#pragma omp parallel\n  MPI_Barrier(c);\n}\n",
    "cli/a.cpp": '#include <boost/program_options.hpp>\nauto s = "MPI_Init(", r = R"(\n#pragma omp\n)";\n',
    "training/a.cpp": '#include "generated/version.hpp"\n' + "\n" * 399,
}


def self_test():
    def rules_of(files, check):
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder)
            for name, text in files.items():
                (src / name).parent.mkdir(exist_ok=True)
                (src / name).write_text(text, encoding="utf-8")
            return [re.search(r"\[(\w+)\]", line)[1] for line in check(src)]

    def archive_of(src):
        subprocess.run(["c++", "-c", "a.cpp", "-o", "a.o"], cwd=src, check=True)
        return check_archive(src / "a.o")

    def headers_of(src):
        command = f"c++ -I{src} -o a.o -c {src}/base/a.cpp"
        database = src / "commands.json"
        database.write_text(json.dumps([{"directory": str(src), "file": "base/a.cpp", "command": command}]))
        return check_headers(database, src, 2)

    needs_both = 'extern "C" int MPI_Init(), H5open();\nint f() { return MPI_Init() + H5open(); }\n'
    mangled = "int MPI_like();\nint f() { return MPI_like(); }\n"  # C++ linkage: neither library has it
    incomplete = {"base/a.cpp": "\n", "meta/b.hpp": "#pragma once\nstd::size_t f();\n"}
    second = incomplete | {"base/a.cpp": '#include <cstddef>\n#include "meta/b.hpp"\n'}
    behind_code = incomplete | {"base/a.cpp": 'namespace std {}\n#include "meta/b.hpp"\n'}
    first = incomplete | {"base/a.cpp": '// fails in the build\n\n#include "meta/b.hpp"\n'}
    cases = [([rule], files, check_tree) for rule, files in BROKEN] + [
        ([], SOUND, check_tree),
        (["symbol", "symbol"], {"a.cpp": needs_both}, archive_of),
        ([], {"a.cpp": mangled}, archive_of),
        (["header"], incomplete, headers_of),
        (["header"], second, headers_of),
        (["header"], behind_code, headers_of),
        ([], first, headers_of),
    ]
    failed = 0
    for expected, files, check in cases:
        seen = rules_of(files, check)
        if seen != expected:
            failed += 1
            print(f"self-test: expected {expected}, saw {seen}, in {files}")
    print(f"self-test: {len(cases) - failed} of {len(cases)} cases as expected")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("src", nargs="?", type=pathlib.Path, default=ROOT / "src")
    parser.add_argument("--archive", type=pathlib.Path, help="libmetasieve_core.a")
    parser.add_argument("--headers", type=pathlib.Path, metavar="JSON", help="compile_commands.json")
    parser.add_argument("--jobs", type=int, default=2, help="compilers at a time with --headers")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return 1 if self_test() else 0
    if options.headers:
        found = check_headers(options.headers, options.src.resolve(), options.jobs)
    else:
        found = check_tree(options.src) + (check_archive(options.archive) if options.archive else [])
    print("\n".join(found) if found else "layers: no violation")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
