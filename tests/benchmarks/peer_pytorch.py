#!/usr/bin/env python3
"""The meta-iteration of bench_iteration, written in PyTorch: what the same mathematics costs there, on one core.

    tests/benchmarks/peer_pytorch.py [--inputs DIR] [--repeats 30] [--json FILE] [--check]

DIR holds what `METASIEVE_ITERATION=DIR bench_iteration` left there: the inputs, and the gradient, which must agree.
Without it the inputs are random, of the same shapes. Either way the gradient is first held to central differences in
double precision. Needs PyTorch (Debian: python3-torch) and a good BLAS (libopenblas0-pthread), and says which it found;
without PyTorch it is skipped, without such a BLAS refused with exit code 2. --check says that and measures nothing.
"""

import argparse
import ctypes
import glob
import json
import os
import pathlib
import statistics
import sys
import time

import numpy as np

TASKS, ROWS, QUERY, FEATURES = 16, 3749, 1608, 10  # of 5,357 rows 70 % are for training
LAYERS = (FEATURES, 64, 32, 1)
KEEP, TEMPERATURE, STEPS, STEP_SIZE, RIDGE, INTERCEPT_RIDGE = 0.7, 0.2, 5, 0.5, 1e-3, 1e-6
SHARPNESS, GAP_FLOOR, FAIRNESS_WEIGHT = 4.0, 1e-4, 1.0
PARAMETERS = sum((inputs + 1) * outputs for inputs, outputs in zip(LAYERS, LAYERS[1:]))


def core_of(openblas):
    """The processor that this OpenBLAS takes itself to be on."""
    name = ctypes.CDLL(openblas).openblas_get_corename
    name.restype = ctypes.c_char_p
    return name().decode()


def prefer_openblas():
    """Starts this program again so that it loads OpenBLAS, where there is one, with one thread. A processor that it
    does not know it takes for one of 2004, without AVX, and is five times slower: it is told better then."""
    if os.environ.get("PEER_PYTORCH") == "started":
        return
    folders = sorted(glob.glob("/usr/lib/*/openblas-*/"))
    environment = dict(os.environ, PEER_PYTORCH="started", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    environment["LD_LIBRARY_PATH"] = ":".join(folders + [path for path in [os.environ.get("LD_LIBRARY_PATH")] if path])
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").split()
    if folders and "avx2" in flags and core_of(folders[0] + "libblas.so.3") in ("Prescott", "Core2", "Nehalem"):
        environment.setdefault("OPENBLAS_CORETYPE", "SKYLAKEX" if "avx512f" in flags else "HASWELL")
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)


def blas_in_use():
    """Of the libraries that this process has loaded."""
    with open("/proc/self/maps", encoding="ascii") as maps:
        loaded = {os.path.realpath(line.split()[-1]) for line in maps if ".so" in line}
    names = sorted(path for path in loaded if any(word in os.path.basename(path) for word in ("blas", "mkl_", "blis")))
    described = [f"{path} (kernels for {core_of(path)})" if "openblas" in os.path.basename(path) else path
                 for path in names]
    return ", ".join(described) or "none as a library of its own"


def random_inputs():
    """Shapes of the real ones, values from a fixed seed."""
    random = np.random.default_rng(1)
    columns = 15

    def part(rows):
        y = (random.random((TASKS, rows)) < 0.5).astype(np.float32)
        x = random.standard_normal((TASKS, rows, columns)) + 0.5 * y[:, :, None]
        x[:, :, -1] = 1.0
        return x.astype(np.float32), y

    x, y = part(ROWS)
    query, query_y = part(QUERY)
    theta = np.concatenate([np.concatenate([random.standard_normal(i * o) * np.sqrt(2 / i), np.zeros(o)])
                            for i, o in zip(LAYERS, LAYERS[1:])])
    features = random.standard_normal((TASKS, ROWS, FEATURES))
    return {"theta": theta, "gradient": None, "features": features, "x": x, "y": y,
            "query": query, "query_y": query_y, "query_z": (random.random((TASKS, QUERY)) < 0.4).astype(np.float32)}


def read_inputs(folder):
    """policy.f64: theta, gradient. tasks.f32: of each task features, design, y, query design, query y, query group."""
    theta, gradient = np.fromfile(folder / "policy.f64", "<f8").reshape(2, PARAMETERS)
    tasks = np.fromfile(folder / "tasks.f32", "<f4").reshape(TASKS, -1)
    columns, rest = divmod(tasks.shape[1] - ROWS * (FEATURES + 1) - 2 * QUERY, ROWS + QUERY)
    if rest:
        sys.exit(f"{folder}: tasks.f32 is not of {TASKS} tasks of {ROWS} and {QUERY} rows")
    inputs, at = {"theta": theta, "gradient": gradient}, 0
    for name, rows, width in (("features", ROWS, FEATURES), ("x", ROWS, columns), ("y", ROWS, 0),
                              ("query", QUERY, columns), ("query_y", QUERY, 0), ("query_z", QUERY, 0)):
        size = rows * max(width, 1)
        inputs[name] = tasks[:, at:at + size].reshape((TASKS, rows, width) if width else (TASKS, rows))
        at += size
    return inputs


class Iteration:
    """The meta-gradient at `theta`, mean over the tasks, in the forms that an expert might choose."""

    def __init__(self, torch, inputs, dtype):
        self.torch = torch
        put = {name: torch.tensor(np.ascontiguousarray(values), dtype=dtype)
               for name, values in inputs.items() if values is not None and name != "gradient"}
        self.theta = put.pop("theta").requires_grad_()
        put["sign"] = 2 * put["query_y"] - 1
        # (1[z=1]/n1 - 1[z=0]/n0) within each label: the contrast of the groups, which does not change.
        for label in (0, 1):
            cell = (put["query_y"] == label).to(dtype)
            one, zero = cell * put["query_z"], cell * (1 - put["query_z"])
            put[f"contrast{label}"] = one / one.sum(-1, keepdim=True) - zero / zero.sum(-1, keepdim=True)
        self.all = put
        self.each = [{name: values[k] for name, values in put.items()} for k in range(TASKS)]
        self.ridge = torch.full((put["x"].shape[-1],), RIDGE, dtype=dtype)
        self.ridge[-1] = INTERCEPT_RIDGE

    def policy(self, features):
        torch, at, out = self.torch, 0, features.reshape(-1, FEATURES)
        for i, (inputs, outputs) in enumerate(zip(LAYERS, LAYERS[1:])):
            weight = self.theta[at:at + inputs * outputs].view(inputs, outputs)
            at += inputs * outputs
            out = torch.addmm(self.theta[at:at + outputs], out, weight)
            at += outputs
            if i + 2 < len(LAYERS):
                out = torch.relu(out)
        return out.view(features.shape[:-1])

    def weights(self, u):
        """sigmoid((v - q) / T) of mean KEEP. q by Newton without a graph; one more step, with its slope held
        constant, has the value and the derivative of the implicit function."""
        torch = self.torch
        centred = u - u.mean(-1, keepdim=True)
        v = centred / centred.square().mean(-1, keepdim=True).sqrt()

        def excess_and_slope(at, values):
            s = torch.sigmoid((values - at) / TEMPERATURE)
            return s.mean(-1, keepdim=True) - KEEP, s

        with torch.no_grad():
            still = v.detach()
            q = torch.full_like(still[..., :1], -0.5)
            for _ in range(50):
                excess, s = excess_and_slope(q, still)
                slope = (s * (1 - s)).mean(-1, keepdim=True) / TEMPERATURE
                step = (excess / slope).clamp(-0.5, 0.5)
                q += step
                if float(step.abs().max()) < (1e-6 if q.dtype == torch.float32 else 1e-13):
                    break
            _, s = excess_and_slope(q, still)
            slope = (s * (1 - s)).mean(-1, keepdim=True) / TEMPERATURE
        q = q + excess_and_slope(q, v)[0] / slope
        return torch.sigmoid((v - q) / TEMPERATURE)

    def fit(self, x, y, s):
        """The gradient of the inner loss in closed form, step by step in the graph: cheaper than autograd's of it."""
        torch, scale = self.torch, s / s.sum(-1, keepdim=True)
        transposed = x.transpose(-1, -2)
        beta = torch.zeros(x.shape[:-2] + x.shape[-1:], dtype=x.dtype)
        for step in range(STEPS):
            p = torch.sigmoid((x @ beta.unsqueeze(-1)).squeeze(-1)) if step else torch.full_like(y, 0.5)
            residual = scale * (p - y)
            gradient = (transposed @ residual.unsqueeze(-1)).squeeze(-1) + self.ridge * beta
            beta = beta - STEP_SIZE * gradient
        return beta

    def fit_by_autograd(self, x, y, s):
        """The same by torch.autograd.grad with create_graph, as a general library would do it."""
        torch, scale = self.torch, s / s.sum(-1, keepdim=True)
        beta = torch.zeros(x.shape[:-2] + x.shape[-1:], dtype=x.dtype, requires_grad=True)
        for _ in range(STEPS):
            f = (x @ beta.unsqueeze(-1)).squeeze(-1)
            loss = (scale * torch.nn.functional.binary_cross_entropy_with_logits(f, y, reduction="none")).sum()
            loss = loss + 0.5 * (self.ridge * beta.square()).sum()
            beta = beta - STEP_SIZE * torch.autograd.grad(loss, beta, create_graph=True)[0]
        return beta

    def outer(self, task, beta):
        torch = self.torch
        f = (task["query"] @ beta.unsqueeze(-1)).squeeze(-1)
        error = torch.sigmoid(-SHARPNESS * task["sign"] * f).mean(-1)
        decision = torch.sigmoid(SHARPNESS * f)
        gaps = [((task[f"contrast{label}"] * decision).sum(-1).square() + GAP_FLOOR).sqrt() for label in (0, 1)]
        return error + FAIRNESS_WEIGHT * 0.5 * (gaps[0] + gaps[1])

    def loss(self, task, fit):
        return self.outer(task, fit(task["x"], task["y"], self.weights(self.policy(task["features"]))))

    def batched(self, fit=None):
        loss = self.loss(self.all, fit or self.fit).mean()
        return self.torch.autograd.grad(loss, self.theta)[0]

    def batched_by_autograd(self):
        return self.batched(self.fit_by_autograd)

    def task_by_task(self):
        total = self.torch.zeros_like(self.theta)
        for task in self.each:
            total += self.torch.autograd.grad(self.loss(task, self.fit), self.theta)[0]
        return total / TASKS



FORMS = ("batched", "batched_by_autograd", "task_by_task")


def difference(a, b):
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b)) / np.linalg.norm(np.asarray(b)))


def check_differences(torch, inputs):
    """Largest relative error of the derivative along three directions. @return it"""
    exact = Iteration(torch, inputs, torch.float64)
    gradient = exact.batched()
    worst, random = 0.0, np.random.default_rng(2)
    for _ in range(3):
        direction = torch.tensor(random.standard_normal(PARAMETERS))
        direction /= direction.norm()
        values = []
        for sign in (1, -1):
            theta = inputs["theta"] + sign * 1e-6 * direction.numpy()
            moved = Iteration(torch, inputs | {"theta": theta}, torch.float64)
            values.append(float(moved.loss(moved.all, moved.fit).mean().detach()))
        slope = (values[0] - values[1]) / 2e-6
        worst = max(worst, abs(slope - float(gradient @ direction)) / float(gradient.norm()))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=pathlib.Path, help="folder that bench_iteration has filled")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--json", type=pathlib.Path, help="writes the figures here too")
    parser.add_argument("--check", action="store_true", help="says whether the comparison can be made")
    options = parser.parse_args()
    prefer_openblas()
    try:
        import torch
    except ImportError:
        print("peer_pytorch: skipped: no PyTorch (Debian: apt-get install python3-torch libopenblas0-pthread)")
        return 0
    blas = blas_in_use()
    if not any(name in blas for name in ("openblas", "mkl", "blis")):
        print(f"peer_pytorch: the BLAS of PyTorch here is not an optimised one ({blas}), and its times would mean "
              "nothing: install OpenBLAS (Debian: apt-get install libopenblas0-pthread)", file=sys.stderr)
        return 2
    if options.check:
        return 0
    torch.set_num_threads(1)
    torch.manual_seed(1)
    inputs = read_inputs(options.inputs) if options.inputs else random_inputs()

    errors = {"central differences, float64": (check_differences(torch, inputs), 1e-6)}
    exact, peer = Iteration(torch, inputs, torch.float64), Iteration(torch, inputs, torch.float32)
    wanted = exact.batched()
    for form in FORMS:
        errors[f"{form}, float32 against float64"] = (difference(getattr(peer, form)(), wanted), 1e-4)
        if form != "batched":
            errors[f"{form}, float64 against batched"] = (difference(getattr(exact, form)(), wanted), 1e-10)
    if inputs["gradient"] is not None:
        errors["metasieve's gradient, float64"] = (difference(inputs["gradient"], wanted), 1e-4)
    failed = False
    for name, (error, allowed) in errors.items():
        failed |= not error <= allowed
        print(f"relative error {error:.1e}{'' if error <= allowed else f' ABOVE {allowed:.0e}'}: {name}")
    if failed:
        return 1

    seconds, busy = {form: [] for form in FORMS}, {form: [] for form in FORMS}
    for repeat in range(options.repeats + 3):
        for form in FORMS:
            begin, begin_busy = time.perf_counter(), time.process_time()
            getattr(peer, form)()
            if repeat >= 3:  # warm
                seconds[form].append(time.perf_counter() - begin)
                busy[form].append(time.process_time() - begin_busy)
    figures = {form: {"median_ms": 1e3 * statistics.median(seconds[form]), "min_ms": 1e3 * min(seconds[form]),
                      "median_cpu_ms": 1e3 * statistics.median(busy[form]), "min_cpu_ms": 1e3 * min(busy[form])}
               for form in FORMS}
    best = min(figures, key=lambda form: figures[form]["min_cpu_ms"])
    result = {"torch": torch.__version__, "blas": blas, "threads": torch.get_num_threads(),
              "inputs": str(options.inputs), "forms": figures, "best": best, **figures[best]}
    print(torch.__config__.show().strip())
    print(f"PyTorch {torch.__version__}, one thread, BLAS: {blas}")
    for form, figure in figures.items():
        print(f"{form:22} median {figure['median_ms']:7.2f} ms, fastest {figure['min_ms']:7.2f} ms, "
              f"of the core's time {figure['min_cpu_ms']:7.2f} ms")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    else:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
