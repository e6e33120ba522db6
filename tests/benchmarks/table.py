#!/usr/bin/env python3
"""One table of what benchmarks measured, and the ratios that are goals.

    tests/benchmarks/table.py FOLDER

FOLDER holds Google Benchmark's JSON of each binary, bench_NAME.json, and of peer_pytorch.py, peer.json. Times are the
core's, of which other programs on the machine take nothing; for files they are those of the clock.
"""

import json
import pathlib
import re
import statistics
import sys

TITLES = {"bench_peak": "one core at most", "bench_generate": "generator", "bench_features": "features of a task",
          "bench_network": "policy network, weights, visits", "bench_meta": "a task, stage by stage",
          "bench_inner": "inner fit, adjoint", "bench_iteration": "a meta-iteration",
          "bench_sampler": "sampling of rows", "bench_parallel": "exact sum",
          "bench_files": "files, beside plain write + fsync and read of the same bytes"}
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
FIELDS = {"name", "run_name", "run_type", "run_index", "family_index", "per_family_instance_index", "repetitions",
          "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit", "aggregate_name",
          "aggregate_unit", "label", "error_occurred", "error_message", "items_per_second", "bytes_per_second"}


def time_text(nanoseconds):
    for unit in ("s", "ms", "us"):
        if nanoseconds >= NANOSECONDS[unit]:
            return f"{nanoseconds / NANOSECONDS[unit]:.4g} {unit}"
    return f"{nanoseconds:.4g} ns"


def short_name(run):
    return re.sub(r"/(iterations|repeats|min_time|min_warmup_time):[^/]*|/manual_time|/real_time", "", run["run_name"])


def read_runs(path):
    """Of each benchmark of one binary: name, fastest and median nanoseconds of its repeats, counters of the fastest."""
    repeats = {}
    for run in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]:
        if run["run_type"] == "iteration" and not run.get("error_occurred"):
            repeats.setdefault(short_name(run), []).append(run)
    rows = []
    for name, runs in repeats.items():
        # What is timed by hand, as files are, waits for more than the core.
        by_clock = any(word in runs[0]["run_name"] for word in ("manual_time", "real_time"))
        times = [run["real_time" if by_clock else "cpu_time"] * NANOSECONDS[run["time_unit"]] for run in runs]
        fastest = runs[times.index(min(times))]
        counters = {key: value for key, value in fastest.items() if key not in FIELDS}
        rows.append({"name": name, "fastest": min(times), "median": statistics.median(times), "counters": counters})
    return rows


def counter_text(row, peaks):
    """Counters; beside GFLOP/s the limit, which is the time that the same operations take at the float32 peak."""
    texts = []
    for name, value in row["counters"].items():
        text = f"{value:.4g} {name}" if "/s" in name else f"{name} {value:.4g}"
        if name == "GFLOP/s" and peaks:
            limit = row["fastest"] * value / peaks["float32"]
            text += f" (limit {time_text(limit)}: {row['fastest'] / limit:.2f} times)"
        texts.append(text)
    return ", ".join(texts)


def print_table(measured, peaks):
    names = [name for name in TITLES if name in measured] + sorted(set(measured) - set(TITLES))
    print(f"{'benchmark':52}{'fastest':>12}{'median':>12}  counters")
    for name in names:
        print(f"\n{TITLES.get(name, name)}  [{name}]")
        for row in measured[name]:
            line = f"  {row['name']:50}{time_text(row['fastest']):>12}{time_text(row['median']):>12}  "
            print((line + counter_text(row, None if name == "bench_peak" else peaks)).rstrip())


def goals(measured, peaks, peer):
    """(goal, measured, target, met?) of each ratio; measured None where it was not measured or says nothing."""
    rows = {row["name"]: row for runs in measured.values() for row in runs}

    def milliseconds(name):
        return rows[name]["fastest"] / 1e6 if name in rows else None

    def counter(name, key):
        return rows.get(name, {}).get("counters", {}).get(key)

    iteration = milliseconds("meta_iteration")
    ratio = peer["min_cpu_ms"] / iteration if peer and iteration else None
    yield "meta-iteration: PyTorch's time / ours", ratio, "at least 4.2", ratio and ratio >= 4.2
    times = counter("iteration_and_peak", "times_limit")
    yield "meta-iteration: time / limit of its operations", times, "at most 1.2", times and times <= 1.2
    for size in (500, 600, 3750):
        share = counter(f"network_and_peak/basic/{size}", "of_peak")
        yield f"policy network, forward and back, {size} rows: share of fp32 peak", share, "at least 0.75", \
            share and share >= 0.75
    features = milliseconds("features/full_float32/3400")
    yield "features (full) of 3,400 rows, ms", features, "at most 6", features and features <= 6
    times = counter("features_and_peak/3400", "times_limit")
    yield "features (full) of 3,400 rows: time / limit of their operations", times, "at most 1.6", \
        times and times <= 1.6
    suite = milliseconds("generate/seed_suite/100")
    yield "100-task seed suite, ms", suite, "under 500", suite and suite < 500
    exact = milliseconds("exact_sum_add/3206")
    share = exact / iteration if exact and iteration else None
    yield "exact sum of 16 gradients / meta-iteration", 16 * share if share else None, "under 0.01", \
        share and 16 * share < 0.01
    for size, megabytes in ((240, 64), (960, 257)):
        for what, name in (("write", "suite_write"), ("read from disk", "suite_read/cold"),
                           ("read from the page cache", "suite_read/cached")):
            share = counter(f"{name}/{size}", "of_plain")
            yield f"suite of {megabytes} MB, {what}: share of the plain one's rate", share, "at least 0.8", \
                share and share >= 0.8


def print_goals(measured, peaks, peer):
    print(f"\n{'RATIOS (goals)':72}{'measured':>10}  target")
    for goal, value, target, met in goals(measured, peaks, peer):
        if value is None:
            print(f"{goal:72}{'-':>10}  {target}: not measured in this run")
        else:
            print(f"{goal:72}{value:10.3g}  {target}{'' if met else ': MISSED'}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    measured = {path.stem: rows for path in sorted(folder.glob("bench_*.json")) if (rows := read_runs(path))}
    rates = {row["name"]: row["counters"].get("GFLOP/s") for row in measured.get("bench_peak", [])}
    peaks = {width: rates[f"peak/{width}"] for width in ("float32", "float64")} if "peak/float64" in rates else None
    peer_file = folder / "peer.json"
    peer = json.loads(peer_file.read_text(encoding="utf-8")) if peer_file.exists() else None
    print_table(measured, peaks)
    if peer:
        print(f"\nPyTorch {peer['torch']}, one thread, BLAS {peer['blas']}  [peer_pytorch.py, {peer['best']}]")
        print(f"  {'meta_iteration':50}{peer['min_cpu_ms']:9.4g} ms{peer['median_cpu_ms']:9.4g} ms")
    print_goals(measured, peaks, peer)


if __name__ == "__main__":
    main()
