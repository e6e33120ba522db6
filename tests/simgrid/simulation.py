"""Runs simulate_training on so many nodes of the simulated cluster."""

import csv
import io
import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PLATFORM = HERE / "fat_tree.xml"
TRAIN = HERE.parents[1] / "configs/train.ini"


def simulate(program, nodes, times, threads=1, steps=2, config=TRAIN, allreduce="ompi", timeout=600, **keys):
    """The CSV row of one run, as numbers; `keys` are the configuration's, with __ for the dot.

    Nothing but what the program says takes simulated time. All ranks are one process and share its memory.
    @raises RuntimeError with what was said if it fails
    """
    words = [word for key, value in keys.items() for word in ("--" + key.replace("__", "."), str(value))]
    with tempfile.TemporaryDirectory(prefix="metasieve.") as folder:
        hosts = pathlib.Path(folder, "hosts")
        hosts.write_text("".join(f"node{i}\n" for i in range(nodes)))
        run = subprocess.run(
            ["smpirun", "-np", str(nodes), "-platform", str(PLATFORM), "-hostfile", str(hosts), "-no-privatize",
             "--cfg=smpi/simulate-computation:no", "--cfg=smpi/host-speed:1Gf", f"--cfg=smpi/allreduce:{allreduce}",
             f"--cfg=smpi/tmpdir:{folder}", "--log=root.thres:error", str(program), str(config), str(times),
             str(threads), str(steps), *words],
            cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    if run.returncode != 0 or len(rows) != 1:
        raise RuntimeError(f"{nodes} nodes: exit code {run.returncode}\n{run.stdout}{run.stderr}")
    return {name: text if name == "hash" else float(text) for name, text in rows[0].items()}
