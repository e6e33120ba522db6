#!/usr/bin/env python3
"""Checks the structure of the source tree: layers, circles, names, sizes.

    check_layers.py [SRC] [--archive libmetasieve_core.a]   includes point downwards, no circle between units (x.cpp with
                                                            x.hpp), each type name defined once, each .cpp has its
                                                            .hpp, who may use MPI, HDF5, OpenMP, Boost, sizes of files
                                                            and folders, how often stages take a Config or print
    check_layers.py --headers build/compile_commands.json   headers without a source file compile alone, without
                                                            precompiled headers
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

# How often folders other than cli take a whole Config, and print. These numbers only go down.
CONFIG_LIMIT, PRINT_LIMIT = 28, 1

# Folders from the bottom up: a folder may include those before it.
FOLDERS = ["base", "numerics", "inner", "fairness", "tasks", "features", "policy", "meta", "kernels", "methods",
           "parallel", "hdf5", "files", "config", "runtime", "training", "evaluation", "studies", "cli"]
CORE = FOLDERS[:FOLDERS.index("parallel")]  # the mathematics: one library, without MPI and HDF5
ALLOWED = {folder: set(FOLDERS[:i]) for i, folder in enumerate(FOLDERS)}
ALLOWED["parallel"] = {"base"}
ALLOWED["python"] = set(CORE)  # the Python module

# rule, pattern in code without comments and strings, folders where it may stand
RESERVED = [
    ("mpi", re.compile(r"#\s*include\s*<mpi\.h>"), {"parallel"}),
    ("mpi", re.compile(r"\bMPI_\w+"), {"parallel", "hdf5"}),  # hdf5 hands MPI_Comm and MPI_Info on to HDF5,
    ("mpi", re.compile(r"\bMPI_[A-Z][a-z]\w*\s*\("), set(ALLOWED) - {"hdf5"}),  # but calls nothing
    ("hdf5", re.compile(r"#\s*include\s*[<\"](hdf5\.h|H5)"), {"hdf5"}),
    ("openmp", re.compile(r"#\s*pragma\s+omp\b|#\s*include\s*<omp\.h>"), {"base"}),
    ("boost", re.compile(r"#\s*include\s*[<\"]boost/(?!math/)|\bboost::(?!math)"), {"cli"}),
    ("boost_math", re.compile(r"#\s*include\s*[<\"]boost/math/|\bboost::math"), {"evaluation"}),
    ("eigen", re.compile(r"\bEigen::internal\b"), {"numerics"}),
]
# what is counted, pattern, folders that may do so freely, how often the others may: to go down only
COUNTED = [
    ("const Config&", re.compile(r"\bconst (?:metasieve::)?Config&"), {"cli"}, CONFIG_LIMIT),
    ("printf and fputs", re.compile(r"\b(?:std::)?(?:v?f?printf|f?puts|putchar|fputc|fwrite)\s*\("), {"cli"}, PRINT_LIMIT),
]
LINE_LIMIT = 520
FILE_LIMIT = 42  # in a folder
WITHOUT_HEADER = {"cli/main.cpp", "python/module.cpp"}
FORBIDDEN_SYMBOL = re.compile(r"\bU ((?:MPI_|H5)\w*)")

COMMENT_OR_TEXT = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<include>^[ \t]*\#[ \t]*include[^\n]*?(?=//|/\*|$))
      | (?P<text>R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])')""",
    re.VERBOSE | re.DOTALL | re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# The definition of a type at namespace scope, where nothing is indented; not a specialisation.
TYPE = re.compile(r"^(?:template\s*<[^;{]*>\s*)?(?:struct|class|enum(?:\s+class)?)\s+(?:alignas\([^)]*\)\s*)?(\w+)"
                  r"(?:\s+final)?\s*(?::[^;{]*)?\{", re.MULTILINE)


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
    graph, types = {}, {}
    places = {counted: [] for counted, *_ in COUNTED}
    paths = sorted(p for p in src.rglob("*") if p.suffix in {".hpp", ".cpp", ".h"})
    for path in paths:
        name = path.relative_to(src).as_posix()
        text = path.read_text(encoding="utf-8")
        code = code_of(text)
        folder = name.split("/")[0]

        def report(line, rule, what):
            found.append(f"{name}:{line}: [{rule}] {what}")

        if folder not in ALLOWED or "/" not in name:
            report(1, "folder", f"is in no layer; the folders are {', '.join(sorted(ALLOWED))}")
            continue
        uses = graph.setdefault(unit_of(name), {})
        for match in INCLUDE.finditer(code):
            target = match[1]
            target_folder = target.split("/")[0] if "/" in target else ""
            line = line_of(code, match.start(1))
            if unit_of(target) != unit_of(name):
                uses.setdefault(unit_of(target), (name, line))
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
        for counted, pattern, free, _ in COUNTED:
            if folder not in free:
                places[counted] += [(name, line_of(code, match.start())) for match in pattern.finditer(code)]
        for match in TYPE.finditer(code):
            line = line_of(code, match.start(1))
            first = types.setdefault(match[1], f"{name}:{line}")
            if first != f"{name}:{line}":
                report(line, "type", f"{match[1]} is defined in {first} too")
        if path.suffix == ".cpp" and name not in WITHOUT_HEADER and not path.with_suffix(".hpp").exists():
            report(1, "header", "a source file without its header")
        first = INCLUDE.search(code)
        if path.suffix == ".cpp" and name not in WITHOUT_HEADER and (not first or first[1] != unit_of(name) + ".hpp"):
            report(1, "own", "its own header must be the first that it includes, which shows that it compiles alone")
        lines = text.count("\n")
        if lines > LINE_LIMIT:
            report(lines, "length", f"{lines} lines; the limit is {LINE_LIMIT}")
        if path.suffix != ".cpp" and not re.search(r"^#pragma once$", code, re.MULTILINE):
            report(1, "pragma", "header without #pragma once")
    for counted, _, _, limit in COUNTED:
        if len(places[counted]) > limit:
            name, line = places[counted][-1]
            found.append(f"{name}:{line}: [count] {len(places[counted])} times {counted}; the limit is {limit}")
    for folder in sorted(ALLOWED):
        files = sum(path.parent == src / folder for path in paths)
        if files > FILE_LIMIT:
            found.append(f"{folder}:1: [files] {files} files; the limit is {FILE_LIMIT}")
    return found + cycles(graph)


def unit_of(name):
    """x for x.cpp and x.hpp."""
    return name.rsplit(".", 1)[0]


def cycles(graph):
    """Circles between units, each reported once, where a depth-first walk closes it."""
    found, done = [], set()

    def walk(unit, trail):
        if unit in trail:
            circle = trail[trail.index(unit):]
            name, line = graph[circle[-1]][unit]
            found.append(f"{name}:{line}: [cycle] {' -> '.join(circle + [unit])}")
        elif unit in graph and unit not in done:
            for target in graph[unit]:
                walk(target, trail + [unit])
            done.add(unit)

    for unit in graph:
        walk(unit, [])
    return found


def check_archive(archive):
    """The mathematics links neither MPI nor HDF5."""
    symbols = subprocess.run(["nm", "--undefined-only", str(archive)], capture_output=True, text=True, check=True)
    names = sorted(set(FORBIDDEN_SYMBOL.findall(symbols.stdout)))
    return [f"{archive}:1: [symbol] needs {name}" for name in names]


def flags_by_folder(database, src):
    """The compiler command of a source file of each folder, without its file, output and precompiled header."""
    flags = {}
    for entry in json.loads(database.read_text(encoding="utf-8")):
        path = pathlib.Path(entry["directory"], entry["file"])
        if not path.is_relative_to(src):
            continue
        words = [word for word in shlex.split(entry["command"]) if word not in ("-Xclang", "-Winvalid-pch")]
        for option in ("-o", "-c", "-include", "-include-pch"):
            while option in words:
                del words[words.index(option):words.index(option) + 2]
        flags.setdefault(path.relative_to(src).parts[0], words[1:] if words[0].endswith("ccache") else words)
    for folder in CORE:  # one library, one set of flags
        flags.setdefault(folder, next(flags[other] for other in CORE if other in flags))
    return flags


def check_headers(database, src, jobs):
    """Every header that no source file begins with compiles alone, with the flags of a source file of its folder and
    without precompiled headers. The others do if their source files, which begin with them, compile that way."""
    flags = flags_by_folder(database, src)

    def compile_alone(name):
        command = flags.get(name.split("/")[0]) or next(reversed(flags.values()))
        run = subprocess.run(command + ["-fsyntax-only", "-x", "c++", "-"], input=f'#include "{name}"\n',
                             capture_output=True, text=True)
        return [] if run.returncode == 0 else [f"{name}:1: [header] does not compile alone\n{run.stderr}"]

    headers = [path.relative_to(src).as_posix() for path in sorted(src.rglob("*.hpp"))
               if not path.with_suffix(".cpp").exists()]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [line for lines in pool.map(compile_alone, headers) for line in lines]


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
    ("boost_math", {"cli/a.cpp": "#include <boost/math/distributions/students_t.hpp>\n"}),
    ("cycle", {"base/a.hpp": "#pragma once\n", "base/a.cpp": '#include "base/b.hpp"\n',
               "base/b.hpp": '#pragma once\n#include "base/a.hpp"\n', "base/b.cpp": ""}),
    ("eigen", {"policy/a.hpp": "#pragma once\nusing Eigen::internal::pmadd;\n"}),
    ("type", {"base/a.hpp": "#pragma once\nstruct Twice {\n};\n", "meta/a.hpp": "#pragma once\nclass Twice : A {\n};\n"}),
    ("type", {"base/a.hpp": "#pragma once\ntemplate <class T>\nstruct Twice {\n};\n"
                            "namespace b {\nnamespace {\nenum class Twice : char { a };\n}\n}\n"}),
    ("header", {"base/a.cpp": '#include "base/a.hpp"\n'}),
    ("own", {"base/a.hpp": "#pragma once\n", "base/a.cpp": "#include <map>\n"}),
    ("count", {"meta/a.hpp": "#pragma once\n" + "void f(const Config& c);\n" * (CONFIG_LIMIT + 1)}),
    ("count", {"meta/a.hpp": "#pragma once\n" + "std::fprintf(stderr, m);\n" * (PRINT_LIMIT + 1)}),
    ("files", {f"base/a{i}.hpp": "#pragma once\n" for i in range(FILE_LIMIT + 1)}),
    ("length", {"base/a.cpp": "\n" * 521}),
    ("pragma", {"base/a.hpp": "int f();  // #pragma once\n"}),
]
SOUND = {
    "base/a.hpp": "#pragma once\n// MPI_Barrier(comm) and #pragma omp\n/* #include <hdf5.h>\n*/\n",
    "meta/a.cpp": '#include "policy/network.hpp"\n#include "tasks/task.hpp"\nint n = 1\'000\'000;\n',
    "hdf5/a.cpp": '#include "parallel/c.hpp"\n#include <hdf5.h>\nvoid f(MPI_Comm c, MPI_Info i = MPI_INFO_NULL);\n',
    "parallel/a.cpp": "#include <mpi.h>\nvoid f() {\n  MPI_Barrier(c);\n}\n",
    "base/for_each.hpp": "#pragma once\n#include <omp.h>\nvoid f() {\n#pragma omp parallel\n}\n",
    "cli/a.cpp": '#include <boost/program_options.hpp>\nauto s = "MPI_Init(", r = R"(\n#pragma omp\n)";\n',
    "training/a.cpp": '#include "generated/version.hpp"\n' + "\n" * 399,
    "training/b.hpp": "#pragma once\nclass Once;\nstruct Once {\n  struct Inner {\n  };\n};\nvoid f(Once&);\n",
    "training/c.hpp": "#pragma once\nclass Once;\ntemplate <>\nstruct Once<int> {\n};\nstruct Outer {\n  struct Inner {\n"
                      "  };\n};\n// struct Outer {\nauto n = snprintf(t, 1, p);\n",
    "cli/b.hpp": "#pragma once\n" + "std::printf(m);\n" * (PRINT_LIMIT + 1),
}


def self_test():
    def rules_of(files, check, rule):
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder)
            for name, text in files.items():
                (src / name).parent.mkdir(exist_ok=True)
                if name.endswith(".cpp") and "/" in name and rule not in ("header", "own"):
                    header = name[:-3] + "hpp"  # which the case is not about
                    text = f'#include "{header}"\n{text}'
                    if header not in files:
                        (src / header).write_text("#pragma once\n", encoding="utf-8")
                (src / name).write_text(text, encoding="utf-8")
            return [re.search(r"\[(\w+)\]", line)[1] for line in check(src)]

    def archive_of(src):
        subprocess.run(["c++", "-c", "a.cpp", "-o", "a.o"], cwd=src, check=True)
        return check_archive(src / "a.o")

    def headers_of(src):
        (src / "pch.hpp").write_text("#include <cstddef>\n", encoding="utf-8")
        command = f"c++ -I{src} -Winvalid-pch -include {src}/pch.hpp -o a.o -c {src}/base/a.cpp"
        database = src / "commands.json"
        database.write_text(json.dumps([{"directory": str(src), "file": "base/a.cpp", "command": command}]))
        return check_headers(database, src, 2)

    needs_both = 'extern "C" int MPI_Init(), H5open();\nint f() { return MPI_Init() + H5open(); }\n'
    mangled = "int MPI_like();\nint f() { return MPI_like(); }\n"  # C++ linkage: neither library has it
    incomplete = {"base/a.cpp": "\n", "meta/b.hpp": "#pragma once\nstd::size_t f();\n"}
    first = incomplete | {"base/a.cpp": '#include "meta/b.hpp"\n'}
    cases = [([rule], files, check_tree) for rule, files in BROKEN] + [
        ([], SOUND, check_tree),
        (["symbol", "symbol"], {"a.cpp": needs_both}, archive_of),
        ([], {"a.cpp": mangled}, archive_of),
        (["header"], incomplete, headers_of),
        (["header"], first, headers_of),  # what the build precompiles would hide it
        ([], incomplete | {"meta/b.cpp": '#include "meta/b.hpp"\n'}, headers_of),  # whose own compilation shows it
    ]
    failed = 0
    for expected, files, check in cases:
        seen = rules_of(files, check, (expected or [""])[0])
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
