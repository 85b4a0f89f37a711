"""Race nnlib against PyTorch, both on one thread of one process, in turn: `nox -s bench`.

Before a race both sides must compute the same: the loss and every gradient in float64 agree to 1e-9. In each round both sides
run for about the same time, one after the other, and the ratio of their times is taken; the medians over the rounds are kept. What slows
the machine down for a while then slows both. (pytest-benchmark runs all rounds of one side first, and has no ratios of pairs.)

The memory of a training step is how far the peak of a fresh process's resident set rises over what it held before, in steps with a
large batch; steps with the usual batch have before loaded all that is loaded once.
"""

import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np

from benchmarks.cases import CASES, DTYPES
from nnlib.backprop import value_and_grad

RESULTS = Path(__file__).with_name("speed.json")
ROUNDS, SECONDS = 41, 0.03  # of each race, and for each side in one round
SIDES = ("nnlib", "torch")


def check(case):
    """Fail unless both sides compute the same."""
    import torch

    from benchmarks import twins

    model, x, target = case.build("float64")
    module, (tx, ttarget) = twins.twin(model), twins.batch(x, target)
    np.testing.assert_allclose(model(x), module(tx).detach(), rtol=1e-9, atol=1e-9)
    assert torch.get_num_threads() == 1
    if case.loss is None:
        return
    value, grad = value_and_grad(model, case.loss, x, target)
    loss = twins.LOSSES[case.loss](module(tx), ttarget)
    loss.backward()
    np.testing.assert_allclose(value, loss.item(), rtol=1e-9)
    compared = np.zeros(grad.size, bool)
    for parameter, place in zip(module.parameters(), twins.places(model), strict=True):
        here = place[place > 0] - 1
        np.testing.assert_allclose(grad[here], parameter.grad.numpy()[place > 0], rtol=1e-9, atol=1e-9)
        compared[here] = True
    assert compared.all(), "a gradient was not compared"


def prepare(case, dtype, side):
    """The function that a side repeats, images in the usual layout."""
    if side == "nnlib":
        return case.run(dtype)
    from benchmarks import twins

    return twins.run(case, dtype)


def seconds(run, times):
    """The mean time of a run."""
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def fastest(case, dtype):
    """The runs of both sides; images lie in memory in that layout in which PyTorch is faster."""
    from benchmarks import twins

    runs = [twins.run(case, dtype, layout) for layout in (twins.LAYOUTS if len(case.x) == 4 else twins.LAYOUTS[:1])]
    for run in runs:
        seconds(run, 5)
    return {"nnlib": case.run(dtype), "torch": min(runs, key=lambda run: seconds(run, 20))}


def race(case, dtype):
    """Medians over the rounds, in which each side comes first in turn."""
    runs, times = fastest(case, dtype), {}
    for name, run in runs.items():
        seconds(run, 5)
        times[name] = max(1, round(SECONDS / seconds(run, 5)))
    found = {name: [] for name in runs}
    for turn in range(ROUNDS):
        for name in sorted(runs, reverse=bool(turn % 2)):
            found[name].append(seconds(runs[name], times[name]))
    low, ratio, high = statistics.quantiles([ours / theirs for ours, theirs in zip(*found.values(), strict=True)], n=4)
    milliseconds = {name: 1e3 * statistics.median(times) for name, times in found.items()}
    return {"milliseconds": milliseconds, "ratio": ratio, "quartiles": [low, high]}


def resident():
    """The resident set and its peak, in megabytes. (ru_maxrss would not do: a new process starts from the peak of its parent.)"""
    return {kind: int(kilobytes) * 1024 / 1e6 for kind, kilobytes in re.findall(r"Vm(RSS|HWM):\s+(\d+) kB", Path("/proc/self/status").read_text())}


def peak(name, dtype, side):
    """Megabytes that some training steps with a large batch need; to be called in a fresh process, on Linux."""
    case = next(case for case in CASES if case.name == name)
    seconds(prepare(case, dtype, side), 3)
    large = prepare(case.enlarged(), dtype, side)
    before = resident()["RSS"]
    seconds(large, 3)
    return resident()["HWM"] - before


def memory(case, dtype):
    """The same of both sides, each in a process of its own."""

    def alone(side):
        command = [sys.executable, "-c", f"from benchmarks.run import peak; print(peak({case.name!r}, {dtype!r}, {side!r}))"]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    return {"batch": case.enlarged().x[0], **{side: alone(side) for side in SIDES}}


def machine():
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "date": date.today().isoformat(),
        "processor": cpu[1] if cpu else platform.processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        "torch": version("torch"),
    }


def geometric_mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios)))


def main(wanted):
    """Run the races whose name holds one of the words, by default all; only then the results are written."""
    rows = []
    for case in CASES:
        if wanted and not any(word in case.name for word in wanted):
            continue
        check(case)
        for dtype in DTYPES:
            row = {"case": case.name, "batch": case.x[0], "dtype": dtype, **race(case, dtype)}
            row["megabytes"] = memory(case, dtype) if case.loss else None
            rows.append(row)
            times, sizes = row["milliseconds"], row["megabytes"]
            print(
                f"{case.name:36} {dtype}  nnlib {times['nnlib']:7.3f} ms  PyTorch {times['torch']:7.3f} ms  "
                f"ratio {row['ratio']:.2f} [{row['quartiles'][0]:.2f}, {row['quartiles'][1]:.2f}]"
                + (f"  memory {sizes['nnlib']:.0f} and {sizes['torch']:.0f} MB" if sizes else ""),
                flush=True,
            )
    print(f"geometric mean {geometric_mean([row['ratio'] for row in rows]):.2f}, worst {max(row['ratio'] for row in rows):.2f}")
    if not wanted:
        RESULTS.write_text(json.dumps({"machine": machine(), "rounds": ROUNDS, "rows": rows}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
