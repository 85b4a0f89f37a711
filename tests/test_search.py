"""Searches: the same settings and values wherever they run, killed or not; importance and variance against what is known."""

import itertools
import json
import math
import signal
import subprocess
import sys
import time

import distributed
import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api
import statsmodels.formula.api as formula
from scipy.stats import binom, loguniform, norm, randint, uniform
from sklearn.ensemble import RandomForestRegressor

from nnlib import search
from nnlib.search import Importance, Runs, anova, grid_search, importance, random_search

SPACE = {"rate": loguniform(1e-4, 1), "width": randint(8, 257), "shift": norm(loc=3), "f": ["relu", "tanh", None], "epochs": 15, "flag": [True, False]}


def objective_and_calls(fails_at=math.inf):
    """An objective for one process, and the list of its calls; it dies at one of them."""
    calls = []

    def objective(setting, seed):
        calls.append((dict(setting), seed))
        if len(calls) == fails_at:
            raise RuntimeError("killed")
        return {"score": setting["rate"] * setting["width"] + seed, "loss": -seed / 3}

    return objective, calls


def quiet(objective, n=6, space=SPACE, **given):
    return random_search(objective, space, n, **{"seed": 0, "n_jobs": 1, "progress": False, **given})


def test_a_constant_of_a_grid_may_be_a_word_and_a_bar_is_shown(capsys):
    runs = grid_search(lambda s, seed: s["x"], {"f": "tanh", "x": [1, 2]}, n_jobs=1)
    assert runs.settings == [{"f": "tanh", "x": 1}, {"f": "tanh", "x": 2}]
    assert "2/2" in capsys.readouterr().err


def assert_same(one, other):
    assert (one.settings, one.seeds) == (other.settings, other.seeds)
    assert one.values.keys() == other.values.keys()
    for name, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[name])


# --- settings ---------------------------------------------------------------------------------------------------------


def test_each_setting_is_run_with_each_seed():
    objective, calls = objective_and_calls()
    runs = quiet(objective, 4, seeds=3)
    assert len(runs.settings) == 4 and runs.seeds == [0, 1, 2] and list(runs.values) == ["score", "loss"]
    assert calls == [(setting, seed) for setting in runs.settings for seed in range(3)]
    expected = [[s["rate"] * s["width"] + seed for seed in range(3)] for s in runs.settings]
    np.testing.assert_array_equal(runs.values["score"], expected)
    assert quiet(objective).seeds == [0]


def test_settings_come_from_their_distributions():
    settings = quiet(lambda setting, seed: 0.0, 600).settings
    assert list(settings[0]) == list(SPACE)
    for name in ("rate", "width", "shift"):
        assert scipy.stats.kstest([s[name] for s in settings], SPACE[name].cdf).statistic < (0.08 if name == "width" else 0.06)
    assert {type(s["rate"]) for s in settings} == {float} and {type(s["width"]) for s in settings} == {int}
    for name, kinds in (("f", 3), ("flag", 2)):
        counts = [sum(s[name] is choice for s in settings) for choice in SPACE[name]]
        assert sum(counts) == 600 and min(counts) > 600 / kinds * 0.8
    assert {s["epochs"] for s in settings} == {15}


def test_settings_depend_on_the_seed_alone_and_a_short_search_begins_a_long_one(global_generators_rest):
    one, longer, other = quiet(lambda s, seed: 0.0, 5), quiet(lambda s, seed: 1.0, 9), quiet(lambda s, seed: 0.0, 5, seed=1)
    assert one.settings == longer.settings[:5] != other.settings


def test_the_objective_cannot_change_the_settings():
    def objective(setting, seed):
        setting["rate"] = 7
        return 0.0

    assert all(setting["rate"] <= 1 for setting in quiet(objective).settings)


def test_a_grid_is_every_combination():
    runs = grid_search(lambda s, seed: s["a"] * 100 + s["b"], {"a": np.array([1, 2]), "c": "x", "b": range(3)}, seeds=2, n_jobs=1, progress=False)
    assert runs.settings == [{"a": a, "c": "x", "b": b} for a in (1, 2) for b in (0, 1, 2)]
    assert type(runs.settings[0]["a"]) is int
    assert runs.values["value"].tolist() == [[v, v] for v in (100, 101, 102, 200, 201, 202)]
    with pytest.raises(TypeError, match="a grid needs choices, got the distribution uniform for 'x'"):
        grid_search(lambda s, seed: 0.0, {"x": uniform()})


@pytest.mark.parametrize(
    ("space", "error", "message"),
    [
        ({}, ValueError, "a space is a dictionary from names to distributions, choices or constants, got {}"),
        ([1], ValueError, r"got \[1\]"),
        ({1: [2]}, ValueError, "got {1: "),
        ({"seed": [1]}, ValueError, r"^a space has no 'seed': the seed is the second argument of the objective$"),
        ({"x": []}, ValueError, r"'x' needs at least one choice, and each but once, got \[\]"),
        ({"x": [1, 2, 1]}, ValueError, r"got \[1, 2, 1\]"),
        ({"x": [1, [2]]}, TypeError, r"'x' needs a frozen distribution of scipy.stats, or choices that are .*, got \[2\]"),
        ({"x": uniform}, TypeError, "'x' needs a frozen distribution"),
        ({"x": math.sin}, TypeError, "got <built-in function sin>"),
        ({"x": scipy.stats.rv_histogram(np.histogram([1, 2, 3]))}, TypeError, "'x' needs a frozen distribution"),
    ],
)
def test_what_is_no_space_is_refused(space, error, message):
    with pytest.raises(error, match=message):
        quiet(lambda s, seed: 0.0, space=space)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 0}, "a search needs a whole number n ≥ 1, got 0"),
        ({"n": 2.0}, "n ≥ 1, got 2.0"),
        ({"seeds": 0}, "a search needs a whole number seeds ≥ 1, got 0"),
        ({"seed": None}, "random_search needs a whole number as seed, got None"),
    ],
)
def test_numbers_out_of_range_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        quiet(lambda s, seed: 0.0, **given)


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [None, "0.5", {}, {"a": None}, {"a": np.zeros(1)}, [1.0]])
def test_what_is_no_number_is_refused(returned):
    with pytest.raises(TypeError, match=r"the objective returns a number or a dictionary of numbers, got .* for {'rate': .* with seed 0"):
        quiet(lambda s, seed: returned)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_what_the_objective_raises_comes_through_from_a_worker(backend, tmp_path):
    def objective(setting, seed):
        return 1 / seed

    with joblib.parallel_config(backend), pytest.raises(ZeroDivisionError):
        quiet(objective, 8, seeds=2, n_jobs=2, memory=tmp_path / "m")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda s, seed: {"rate": 1.0}, r"returned the names \('rate',\), of which \['rate'\] are taken"),
        (lambda s, seed: {"seed": 1.0, "a": 2.0}, r"of which \['seed'\] are taken"),
        (lambda s, seed: {"ab"[seed]: 1.0}, r"returned the names \('b',\) for {'rate': .*, and \('a',\) before"),
    ],
)
def test_names_that_cannot_be_are_refused(returned, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        quiet(returned, seeds=2)


def test_numbers_of_every_kind_are_numbers():
    for value in (1, True, np.float32(1), np.int64(1)):
        assert quiet(lambda s, seed, value=value: value).values["value"].tolist() == [[1.0]] * 6


def test_the_best_setting_has_the_best_mean_and_no_failed_run():
    space = {"x": [0, 1, 2, 3]}
    values = [[5.0, 1.0], [4.0, 4.0], [9.0, np.nan], [0.0, -1.0]]
    runs = grid_search(lambda s, seed: {"a": values[s["x"]][seed], "b": 1.0}, space, seeds=2, n_jobs=1, progress=False)
    assert runs.best("a") == {"x": 1} and runs.best("a", lowest=True) == {"x": 3}
    np.testing.assert_array_equal(runs.mean("a"), [3, 4, np.nan, -0.5])
    for name in (None, "c"):
        with pytest.raises(ValueError, match=rf"these runs have the values \('a', 'b'\), got {name!r}"):
            runs.best(name)
    failed = grid_search(lambda s, seed: math.nan, space, n_jobs=1, progress=False)
    with pytest.raises(ValueError, match="none of the 4 settings has a value with every seed"):
        failed.best()
    assert len(failed.mean()) == 4


def test_columns_are_a_table_with_one_row_for_each_run():
    objective, _ = objective_and_calls()
    runs = quiet(objective, 20, seeds=2)
    table = pd.DataFrame(runs.columns())
    assert list(table) == [*SPACE, "seed", "score", "loss"] and len(table) == 40
    np.testing.assert_allclose(table.score, table.rate * table.width + table.seed, rtol=1e-15)
    columns = runs.columns()
    assert [columns[name].dtype.kind for name in table] == list("fifOibiff")
    assert columns["f"].tolist() == [s["f"] for s in runs.settings for _ in range(2)]
    mixed = grid_search(lambda s, seed: 0.0, {"a": ["x", 1], "b": [1, 0.5], "c": ["x", "y"]}, n_jobs=1, progress=False).columns()
    assert [mixed[name].dtype.kind for name in "abc"] == list("OfU")


def test_runs_come_back_from_their_file(tmp_path):
    objective, _ = objective_and_calls()
    runs = quiet(objective, 5, seeds=2)
    runs.save(tmp_path / "runs.jsonl")
    again = Runs.load(tmp_path / "runs.jsonl")
    assert_same(runs, again)
    assert list(again.space) == list(SPACE) and again.space["f"] == SPACE["f"] and again.space["epochs"] == 15
    for name in ("rate", "width", "shift"):
        assert again.space[name].ppf(0.3) == SPACE[name].ppf(0.3)
    assert again.space["shift"].kwds == {"loc": 3}
    # The file is a memory: nothing is run again.
    assert_same(runs, quiet(None, 5, seeds=2, memory=tmp_path / "runs.jsonl"))


def test_numpys_numbers_in_a_space_can_be_written(tmp_path):
    space = {"x": uniform(np.float64(1), np.int64(2)), "y": [np.float64(0.5), np.str_("a")]}
    runs = quiet(lambda s, seed: s["x"], space=space)
    runs.save(tmp_path / "runs")
    assert Runs.load(tmp_path / "runs").settings == runs.settings


# --- where it runs ----------------------------------------------------------------------------------------------------


def slow_one_waits_for_the_quick_ones(path):
    """Run 0 ends only when the three others stand in the file: so each is written as it ends, not at the end of all."""

    def objective(setting, seed):
        deadline = time.monotonic() + 20
        while seed == 0 and path.read_text().count('"values"') < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        return setting["x"] + seed + (time.monotonic() > deadline)

    return objective


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_the_same_in_parallel_and_written_as_it_ends(backend, tmp_path):
    expected = quiet(lambda s, seed: s["x"] + seed, 1, {"x": uniform()}, seeds=4)
    with joblib.parallel_config(backend):
        path = tmp_path / "memory.jsonl"
        assert_same(expected, quiet(slow_one_waits_for_the_quick_ones(path), 1, {"x": uniform()}, seeds=4, n_jobs=2, memory=path))


def test_the_same_on_a_dask_cluster_and_written_as_it_ends(tmp_path):
    expected = quiet(lambda s, seed: s["x"] + seed, 1, {"x": uniform()}, seeds=4)
    path = tmp_path / "memory.jsonl"

    slow = slow_one_waits_for_the_quick_ones(path)

    def objective(setting, seed):
        distributed.get_worker()  # raises where there is none
        return slow(setting, seed)

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        runs = random_search(objective, {"x": uniform()}, 1, seed=0, seeds=4, memory=path, progress=False)
        assert_same(expected, random_search(None, {"x": uniform()}, 1, seed=0, seeds=4, memory=path, progress=False))
    assert_same(expected, runs)


def test_the_bar_counts_what_is_remembered(tmp_path, capsys):
    quiet(lambda s, seed: 0.0, 3, memory=tmp_path / "m")
    assert capsys.readouterr() == ("", "")
    random_search(lambda s, seed: 0.0, SPACE, 5, seed=0, n_jobs=1, memory=tmp_path / "m")
    bar = capsys.readouterr().err
    assert "search: " in bar and "3/5" in bar and "5/5" in bar and "run" in bar


# --- the memory -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails_at", [1, 2, 8])
def test_a_search_that_died_goes_on_and_repeats_nothing(fails_at, tmp_path):
    whole, calls = objective_and_calls()
    expected = quiet(whole, 4, seeds=2)
    dying, died = objective_and_calls(fails_at)
    with pytest.raises(RuntimeError, match="killed"):
        quiet(dying, 4, seeds=2, memory=tmp_path / "m")
    assert len((tmp_path / "m").read_text().splitlines()) == fails_at  # the space, and the runs that had ended
    going_on, rest = objective_and_calls()
    assert_same(expected, quiet(going_on, 4, seeds=2, memory=tmp_path / "m"))
    assert died[:-1] + rest == calls
    assert_same(expected, Runs.load(tmp_path / "m"))
    assert_same(expected, quiet(None, 4, seeds=2, memory=str(tmp_path / "m")))


def test_a_search_that_was_killed_goes_on_and_repeats_nothing(tmp_path):
    """A real process, really killed (SIGKILL), while it runs."""
    path, log = tmp_path / "memory.jsonl", tmp_path / "calls"
    code = f"""
import time
from pathlib import Path
from scipy.stats import uniform
from nnlib.search import random_search

def objective(setting, seed):
    if Path({str(path)!r}).read_text().count("values") == 3:
        time.sleep(60)
    return setting["x"]

random_search(objective, {{"x": uniform()}}, 9, seed=0, n_jobs=1, memory={str(path)!r}, progress=False)
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text().count("values") == 3) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL

    def objective(setting, seed):
        with log.open("a") as file:
            file.write("x")
        return setting["x"]

    runs = quiet(objective, 9, {"x": uniform()}, memory=path)
    assert log.read_text() == "x" * 6
    assert_same(runs, quiet(lambda s, seed: s["x"], 9, {"x": uniform()}))


def test_a_line_that_was_torn_is_run_again(tmp_path):
    space, path = {"x": uniform()}, tmp_path / "m"
    expected = quiet(lambda s, seed: s["x"], 3, space, memory=path)
    whole = path.read_bytes()
    header, *_, last = whole.splitlines(keepends=True)
    for kept in [*range(len(whole) - len(last), len(whole)), *range(len(header) + 1)]:
        path.write_bytes(whole[:kept])
        count = []
        assert_same(expected, quiet(lambda s, seed, count=count: count.append(1) or s["x"], 3, space, memory=path))
        assert path.read_bytes() == whole
        assert len(count) == (1 if kept > len(header) else 3)


def test_a_longer_search_or_more_seeds_go_on_with_it(tmp_path):
    path = tmp_path / "m"
    for n, seeds, new in [(2, 1, 2), (4, 1, 2), (4, 2, 4), (3, 2, 0), (3, 1, 0), (5, 2, 2)]:
        objective, calls = objective_and_calls()
        runs = quiet(objective, n, seeds=seeds, memory=path)
        assert len(calls) == new and runs.values["score"].shape == (n, seeds)
    assert_same(runs, quiet(objective_and_calls()[0], 5, seeds=2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 1}, r"remembers another search: its setting 0 is {'rate': .*}, got {'rate': .*}; is it another seed\?"),
        ({"space": SPACE | {"rate": loguniform(1e-3, 1)}}, r"remembers another search: its space is .*0.0001.*, got .*0.001"),
        ({"space": SPACE | {"epochs": 16}}, "its space is .*15.*, got .*16"),
    ],
)
def test_the_memory_of_another_search_is_refused(given, message, tmp_path):
    quiet(lambda s, seed: 0.0, 2, memory=tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    with pytest.raises(ValueError, match=message):
        quiet(None, **given, memory=tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before


HEADER = b'{"space": {"x": [1, 2]}}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Dear diary", "it begins with b'Dear diary'"),
        (b"Dear\ndiary\n", "line 1 is no JSON"),
        (b"[1]\n", r"line 1 is \[1\]"),
        (b'{"a": 1}\n', "line 1 is {.*a"),
        (HEADER + b"oh no\n", "line 2 is no JSON"),
        (HEADER + b"[2]\n", r"line 2 is \[2\]"),
        (HEADER + b'{"i": 0, "seed": 0, "setting": {"x": 1}}\n', "line 2 is {.*i.*"),
    ],
)
def test_what_is_no_memory_is_refused_and_left_alone(content, message, tmp_path):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ValueError, match="m is no memory of a search: " + message):
        grid_search(lambda s, seed: 0.0, {"x": [1, 2]}, memory=tmp_path / "m", n_jobs=1, progress=False)
    assert (tmp_path / "m").read_bytes() == content


def test_runs_that_are_not_finished_cannot_be_loaded(tmp_path):
    path = tmp_path / "m"
    for content in (b"", HEADER[:-3], HEADER):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="m holds no runs"):
            Runs.load(path)
    runs = [json.dumps({"i": i, "seed": seed, "setting": {"x": i + 1}, "values": {"value": 0.0}}).encode() + b"\n" for i in (0, 1) for seed in (0, 1)]
    path.write_bytes(HEADER + b"".join(runs))
    assert len(Runs.load(path).settings) == 2
    for missing in ([3], [0], [0, 1]):
        path.write_bytes(HEADER + b"".join(line for i, line in enumerate(runs) if i not in missing))
        with pytest.raises(ValueError, match=f"m holds {4 - len(missing)} runs of a search that is not finished"):
            Runs.load(path)


# --- importance -------------------------------------------------------------------------------------------------------


def test_importance_of_ishigamis_function():
    """Sobol indices of sin a + 7 sin² b + 0.1 c⁴ sin a on [−π, π]³ (Ishigami and Homma, 1990): a 0.314, b 0.442, a × c 0.244, others 0.

    The surrogate has an R² of 0.9, and the shares are as far off as that lets one expect.
    """
    space = {name: uniform(-np.pi, 2 * np.pi) for name in "abc"}
    runs = quiet(lambda s, seed: np.sin(s["a"]) + 7 * np.sin(s["b"]) ** 2 + 0.1 * s["c"] ** 4 * np.sin(s["a"]), 1000, space)
    found = importance(runs, seed=0, trees=60)
    assert 0.85 < found.r2 < 0.95
    expected = {("a",): 0.314, ("b",): 0.442, ("c",): 0, ("a", "b"): 0, ("a", "c"): 0.244, ("b", "c"): 0}
    assert list(found.share) == list(expected)
    assert found.share == pytest.approx(expected, abs=0.05)
    assert 0.97 < sum(found.share.values()) < 1.01


def test_importance_of_a_sum_is_that_of_its_terms():
    """Var x = 1/12 for uniform x, 2/3 for −1, 0, 1, so 3·(ln rate − …)/ln 10⁴ … : the units are those of the distribution."""
    space = {"rate": loguniform(1e-4, 1), "f": ["relu", "tanh", "none"], "idle": norm(), "constant": 3, "one": ["choice"]}
    worth = {"relu": 0.5, "tanh": -0.5, "none": 0.0}
    runs = quiet(lambda s, seed: {"y": np.log10(s["rate"]) / 4 * 2 + worth[s["f"]], "loss": 1.0}, 400, space)
    rate, f = 4 / 12, 1 / 6
    found = importance(runs, "y", seed=0, trees=50)
    expected = {("rate",): rate / (rate + f), ("f",): f / (rate + f), ("idle",): 0, ("rate", "f"): 0, ("rate", "idle"): 0, ("f", "idle"): 0}
    assert found.share == pytest.approx(expected, abs=0.03) and found.r2 > 0.97


def brute_force(forest, K):
    """The same decomposition from the forest's values at every combination of levels."""
    grid = np.array(list(itertools.product(*map(range, K))))
    f = forest.predict(grid).reshape(K)
    effects = {}
    for order in range(3):
        for U in itertools.combinations(range(len(K)), order):
            others = tuple(j for j in range(len(K)) if j not in U)
            effects[U] = f.mean(axis=others, keepdims=True) - sum(effects[V] for V in effects if set(V) < set(U))
    return f.var(), {U: (effect**2).mean() for U, effect in effects.items() if U}


def test_the_decomposition_of_a_forest_is_exact(rng):
    K = (2, 5, 7)
    space = {"a": [0, 1], "b": list(range(5)), "c": [*"abcdefg"]}
    noise = rng.normal(size=(2, 5, 7))
    runs = grid_search(lambda s, seed: noise[s["a"], s["b"], ord(s["c"]) - 97] + s["b"] * s["a"], space, n_jobs=1, progress=False)
    forest = RandomForestRegressor(30, random_state=3).fit(list(itertools.product(*map(range, K))), runs.mean())
    V, V_U = brute_force(forest, K)
    found = importance(runs, seed=3, trees=30)
    for U, expected in V_U.items():
        # Var[f] comes from 8,192 points, the rest is exact.
        assert found.share[tuple("abc"[j] for j in U)] == pytest.approx(expected / V, rel=0.01)
    ratio = np.array([found.share[tuple("abc"[j] for j in U)] / expected for U, expected in V_U.items()])
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("kind", "values", "levels"),
    [
        (uniform(2, 4), [2, 2.01, 2.02, 4, 6], [0, 0, 1, 128, 255]),
        (loguniform(1e-4, 1), [1e-4, 1e-2, 1], [0, 128, 255]),
        (randint(0, 4), [0, 1, 2, 3], [32, 96, 160, 224]),
        (binom(2, 0.3), [0, 1, 2], [62, 179, 244]),
        ([3, "x", None], [None, 3, "x"], [2, 0, 1]),
    ],
)
def test_levels_are_equally_likely(kind, values, levels):
    found, K = search._levels(kind, values)
    assert (found.tolist(), K) == (levels, 3 if isinstance(kind, list) else 256)


def test_importance_is_of_the_mean_over_the_seeds_and_the_seed_decides():
    space = {"x": uniform(), "y": uniform()}
    noisy = quiet(lambda s, seed: s["x"] + (seed - 1) * 50 * s["y"], 50, space, seeds=3)
    clean = quiet(lambda s, seed: s["x"], 50, space)
    one, same, other = importance(noisy, seed=0), importance(clean, seed=0, trees=100), importance(noisy, seed=1)
    assert one.share == pytest.approx(same.share, abs=1e-4) and one.r2 == pytest.approx(same.r2, abs=1e-4)  # means are rounded
    assert one.share != other.share


def test_importance_is_the_same_again():
    runs = quiet(lambda s, seed: s["x"] * s["y"], 30, {"x": uniform(), "y": uniform()})
    assert importance(runs, seed=0, trees=20) == importance(runs, seed=0, trees=20)


def test_importance_prints_the_largest_first_beneath_its_r2():
    lines = str(Importance({("a",): 0.1, ("b",): 0.7, ("a", "b"): 0.15}, 0.731)).split("\n")
    assert lines == ["out-of-bag R² of the surrogate: 0.73", "0.700  b", "0.150  a × b", "0.100  a"]


@pytest.mark.parametrize(
    ("n", "value", "given", "message"),
    [
        (9, lambda s, seed: s["x"], {}, "ten settings or more with finite values that differ, got 9, 0 of them NaN or infinite"),
        (10, lambda s, seed: math.inf if s["x"] > 0.5 else math.nan, {}, "got 10, 10 of them"),
        (10, lambda s, seed: 1.0, {}, "got 10, 0 of them"),
        (10, lambda s, seed: s["x"], {"seed": None}, "number as seed, got None"),
        (10, lambda s, seed: s["x"], {"trees": 0}, "number of trees ≥ 1, got 0"),
        (10, lambda s, seed: s["x"], {"trees": 2.0}, "trees ≥ 1, got 2.0"),
    ],
)
def test_what_has_no_importance_is_refused(n, value, given, message):
    with pytest.raises(ValueError, match="importance needs .*" + message):
        importance(quiet(value, n, {"x": uniform()}), **{"seed": 0, **given})


def test_constants_have_no_importance():
    runs = Runs({"x": 1, "y": [2]}, [{"x": 1, "y": 2}] * 10, [0], {"value": np.arange(10.0)[:, None]})
    with pytest.raises(ValueError, match=r"^importance needs a hyperparameter that was varied, got constants alone$"):
        importance(runs, seed=0)


# --- variance ---------------------------------------------------------------------------------------------------------

# Shrout and Fleiss (1979), table 2: four judges rate six targets.
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def test_the_table_of_shrout_and_fleiss():
    target, judge, rest = (anova(RATINGS, ("target", "judge"))[row] for row in ("target", "judge", "rest"))
    assert [row.df for row in (target, judge, rest)] == [5, 3, 15]
    assert [round(row.mean_square, 2) for row in (target, judge, rest)] == [11.24, 32.49, 1.02]
    assert round(target.share, 2) == 0.29  # their ICC(2,1)
    assert target.share_interval == pytest.approx((0.02, 0.76), abs=0.02)  # by the approximation of McGraw and Wong (1996)
    assert round(target.variance / (target.variance + rest.variance), 2) == 0.71  # ICC(3,1)
    target, rest = anova(RATINGS, ("target",)).values()
    assert (target.df, rest.df) == (5, 18) and round(rest.mean_square, 2) == 6.26
    assert round(target.share, 2) == 0.17  # ICC(1)
    assert target.share_interval == pytest.approx((0, 0.72), abs=0.01)  # [−0.13, 0.72] with negative components


def as_table(y):
    index = np.indices(y.shape).reshape(y.ndim, -1)
    return pd.DataFrame({"y": y.ravel(), "A": index[0], "B": index[1]})


@pytest.mark.parametrize(
    ("shape", "names", "terms"),
    [
        ((6, 4), ("A",), "C(A)"),
        ((6, 4), ("A", "B"), "C(A) + C(B)"),
        ((5, 3, 2), ("A", "B"), "C(A) * C(B)"),
    ],
)
def test_the_table_is_that_of_statsmodels(shape, names, terms, rng):
    y = rng.normal(size=shape) + rng.normal(size=(shape[0], *[1] * (len(shape) - 1)))
    expected = statsmodels.api.stats.anova_lm(formula.ols(f"y ~ {terms}", as_table(y)).fit())
    found = anova(y, names)
    assert list(found) == [*names, *(["A × B"] if len(shape) == 3 else []), "rest"]
    rows = list(found.values())
    np.testing.assert_allclose([row.sum_of_squares for row in rows], expected["sum_sq"], rtol=1e-10)
    np.testing.assert_array_equal([row.df for row in rows], expected["df"])
    np.testing.assert_allclose([row.mean_square for row in rows], expected["mean_sq"], rtol=1e-10)
    # Random effects: with repeated cells the factors are tested against the interaction, which statsmodels does not.
    below = [3 if row == "A × B" else 2 for row in found][:-1] if len(shape) == 3 else [-1] * (len(rows) - 1)
    for row, t in zip(rows[:-1], below, strict=True):
        p = scipy.stats.f.sf(row.F, row.df, rows[t].df)
        assert (row.F, row.p) == pytest.approx((row.mean_square / rows[t].mean_square, p), rel=1e-12)
    if len(shape) == 2:
        np.testing.assert_allclose([row.p for row in rows[:-1]], expected["PR(>F)"].iloc[:-1], rtol=1e-9)
    assert math.isnan(rows[-1].F) and math.isnan(rows[-1].p)
    assert sum(row.share for row in rows) == pytest.approx(1) and sum(row.df for row in rows) == y.size - 1


@pytest.mark.parametrize("shape", [(8, 5), (8, 5, 3)])
def test_the_components_are_those_of_a_mixed_model(shape, rng):
    """In balanced data with positive components restricted maximum likelihood gives the same as the analysis of variance."""
    ones = [1] * (len(shape) - 2)
    y = rng.normal(size=shape) + 3 * rng.normal(size=(8, 1, *ones)) + 2 * rng.normal(size=(1, 5, *ones))
    if ones:
        y += 2 * rng.normal(size=(8, 5, 1))
    parts = {"A": "0 + C(A)", "B": "0 + C(B)"} | ({"C": "0 + C(A):C(B)"} if ones else {})  # it sorts them by these names
    model = formula.mixedlm("y ~ 1", as_table(y), groups=np.ones(y.size), vc_formula=parts).fit(reml=True)
    found = anova(y, ("A", "B"))
    components = [row.variance for row in found.values()]
    assert min(components) > 0.1
    np.testing.assert_allclose(components, [*model.vcomp, model.scale], rtol=2e-3)


def test_intervals_that_are_known_exactly(rng):
    y = rng.normal(size=(20, 4)) + 1.5 * rng.normal(size=(20, 1))
    for confidence in (0.95, 0.8):
        low, high = (1 - confidence) / 2, (1 + confidence) / 2
        setting, rest = anova(y, ("setting",), confidence).values()
        # Of the rest by χ², of the share by F.
        assert rest.variance_interval == pytest.approx([rest.sum_of_squares / scipy.stats.chi2.ppf(p, 60) for p in (high, low)], rel=2e-3)
        F = [setting.F / scipy.stats.f.ppf(p, 19, 60) for p in (high, low)]
        assert setting.share_interval == pytest.approx([(value - 1) / (value + 3) for value in F], abs=2e-3)
        assert rest.share_interval == pytest.approx([1 - s for s in setting.share_interval[::-1]], rel=1e-9)
    assert anova(y)["seed"] == anova(y, confidence=0.95)["seed"]


def test_intervals_of_two_factors_hold_the_truth_as_often_as_they_say(rng):
    σ2, held = {"setting": 4.0, "split": 1.0, "setting × split": 0.5, "rest": 1.0}, dict.fromkeys(("setting", "split", "setting × split", "rest"), 0)
    for _ in range(60):
        A, B, AB, rest = (math.sqrt(v) * rng.normal(size=size) for v, size in zip(σ2.values(), [(9, 1, 1), (1, 6, 1), (9, 6, 1), (9, 6, 2)], strict=True))
        for row, effect in anova(A + B + AB + rest, ("setting", "split"), 0.9).items():
            held[row] += effect.share_interval[0] <= σ2[row] / sum(σ2.values()) <= effect.share_interval[1]
    for row, times in held.items():  # 54 of 60, and three standard deviations below
        assert times >= 47, row


def test_negative_components_count_as_zero():
    y = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    rows = anova(y)
    assert (rows["setting"].variance, rows["seed"].variance) == (0, 0) and rows["rest"].share == 1
    assert rows["setting"].F == 0 and rows["setting"].p == 1


def test_without_chance_all_lies_between_settings():
    setting, seed, rest = anova(np.repeat([[1.0], [2.0], [4.0]], 3, axis=1)).values()
    assert setting.share == 1 and math.isinf(setting.F) and setting.p == 0 and math.isnan(seed.F)
    assert setting.share_interval == (1, 1) and rest.variance_interval == (0, 0)


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        (np.zeros(3), ("a", "b"), r"at least two of each, got \(3,\) and \('a', 'b'\)"),
        (np.zeros((3, 1)), ("a", "b"), r"got \(3, 1\)"),
        (np.zeros((1, 3)), ("a",), r"got \(1, 3\) and \('a',\)"),
        (np.zeros((3, 3, 1)), ("a", "b"), r"got \(3, 3, 1\)"),
        (np.zeros((3, 3, 2)), ("a",), r"got \(3, 3, 2\) and \('a',\)"),
        (np.zeros((3, 3)), (), r"got \(3, 3\) and \(\)"),
        (np.zeros((3, 3, 3)), ("a", "b", "c"), r"got \(3, 3, 3\)"),
        (np.zeros((2, 2, 2, 2)), ("a", "b"), r"got \(2, 2, 2, 2\)"),
        (np.array([[1, np.nan], [np.inf, 1]]), ("a", "b"), "finite values that differ, got 2 NaN or infinite"),
        (np.ones((3, 3)), ("a", "b"), "got 0 NaN or infinite, from 1.0 to 1.0"),
    ],
)
def test_what_has_no_variance_to_analyse_is_refused(values, names, message):
    with pytest.raises(ValueError, match="anova expects .*" + message):
        anova(values, names)


@pytest.mark.parametrize("confidence", [0, 1, np.nan])
def test_a_confidence_is_between_0_and_1(confidence):
    with pytest.raises(ValueError, match=rf"anova expects a confidence in \(0, 1\), got {confidence}"):
        anova(RATINGS, confidence=confidence)
