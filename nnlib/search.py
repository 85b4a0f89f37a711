"""Hyperparameter search, and what its runs say: which setting is best, what mattered, and how much of it was chance.

A space is a dictionary: for each hyperparameter a frozen distribution of `scipy.stats`, a list of choices, or a constant. The objective
is a function of one setting and a seed: ``objective({"rate": 0.1, "width": 64}, seed)`` returns a number, or a dictionary of numbers.
"""

from __future__ import annotations

import itertools
import json
import math
import numbers
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Effect", "Importance", "Runs", "anova", "grid_search", "importance", "random_search"]

Setting = dict[str, Any]
Objective = Callable[[Setting, int], float | dict[str, float]]


@dataclass(frozen=True)
class Runs:
    """The finished runs of a search: each setting with each seed.

    Attributes
    ----------
    space : dict
        Where the settings come from.
    settings : list of dict
    seeds : list of int
    values : dict of ndarray, shape (settings, seeds)
        What the objective returned, by name; the name is ``"value"`` where it returned a number.

    Examples
    --------
    >>> from nnlib.search import grid_search
    >>> runs = grid_search(lambda setting, seed: setting["x"] ** 2 + seed, {"x": [-1, 0, 3]}, seeds=2, n_jobs=1, progress=False)
    >>> runs.values["value"].tolist()
    [[1.0, 2.0], [0.0, 1.0], [9.0, 10.0]]
    >>> runs.best(lowest=True)
    {'x': 0}
    """

    space: dict[str, Any]
    settings: list[Setting]
    seeds: list[int]
    values: dict[str, np.ndarray]

    def mean(self, name: str | None = None) -> np.ndarray:
        """The mean over the seeds for each setting; ``name`` may be left out where the objective has but one value."""
        if name is None and len(self.values) == 1:
            (name,) = self.values
        if name not in self.values:
            raise ValueError(f"these runs have the values {tuple(self.values)}, got {name!r}")
        return self.values[name].mean(axis=1)

    def best(self, name: str | None = None, *, lowest: bool = False) -> Setting:
        """The setting of the highest mean over the seeds, or of the lowest. One that gave NaN with any seed is none."""
        mean = self.mean(name)
        if np.isnan(mean).all():
            raise ValueError(f"none of the {len(mean)} settings has a value with every seed")
        return self.settings[int(np.nanargmin(mean) if lowest else np.nanargmax(mean))]

    def columns(self) -> dict[str, np.ndarray]:
        """One row for each run, as columns: the setting, the seed, the values. ``pandas.DataFrame(runs.columns())`` is a table."""
        repeated = [setting for setting in self.settings for _ in self.seeds]
        given = {name: _column([setting[name] for setting in repeated]) for name in self.space}
        return given | {"seed": np.tile(self.seeds, len(self.settings))} | {name: value.reshape(-1) for name, value in self.values.items()}

    def save(self, path: str | os.PathLike) -> None:
        """Write the runs as the memory of a search, in lines of JSON: first the space, then one line for each run."""
        lines = [_header(self.space)]
        for (i, setting), (j, seed) in itertools.product(enumerate(self.settings), enumerate(self.seeds)):
            lines.append(_line(i, seed, setting, {name: float(value[i, j]) for name, value in self.values.items()}))
        Path(path).write_text("".join(lines), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike) -> Runs:
        """Read what was saved, or the memory of a search that is finished; of one that is not, ValueError."""
        header, runs, _ = _read(Path(path))
        if header is None or not runs:
            raise ValueError(f"{path} holds no runs")
        settings = {run["i"]: run["setting"] for run in runs}
        seeds = sorted({run["seed"] for run in runs})
        finished = {(run["i"], run["seed"]): run["values"] for run in runs}
        if len(finished) < len(settings) * len(seeds) or sorted(settings) != list(range(len(settings))):
            raise ValueError(f"{path} holds {len(finished)} runs of a search that is not finished: search again with it as memory, then load it")
        space = {name: _restored(kind) for name, kind in header["space"].items()}
        return cls(space, [settings[i] for i in sorted(settings)], seeds, _gathered(finished, len(settings), seeds))


def random_search(
    objective: Objective,
    space: dict[str, Any],
    n: int,
    *,
    seed: int,
    seeds: int = 1,
    memory: str | os.PathLike | None = None,
    n_jobs: int = -1,
    progress: bool = True,
) -> Runs:
    """Run n settings drawn at random, each with the seeds 0 … seeds − 1, in parallel.

    The settings are drawn here, one after the other, before anything runs: they depend on ``seed`` alone, and those of a shorter
    search are the first of a longer one. Runs go to joblib, so they go where `joblib.parallel_config` says; on a Dask cluster::

        client = dask.distributed.Client(address)
        with joblib.parallel_config("dask"):
            runs = random_search(objective, space, 300, seed=0)

    Parameters
    ----------
    objective : callable
        ``objective(setting, seed)`` returns a number or a dictionary of numbers, always with the same names. It must be the same
        whenever it is called with the same arguments. A failed run may be NaN or infinite.
    space : dict
        By name: a frozen distribution of `scipy.stats`, a list of choices (None, bool, number, string), or one such constant.
    n : int
        Settings to draw, at least 1.
    seed : int
        Draws the settings.
    seeds : int
        How often each setting is run; the objective gets the seeds 0, 1, …: the same for each setting, so settings can be paired.
    memory : path, optional
        A file to which each run is added as it ends. A search that was killed goes on with it: no finished run is repeated. It knows the
        space and the settings, but not the objective: when that changes, begin a new file.
    n_jobs : int
        Runs at once; −1: as many as the machine, or the cluster, has cores.
    progress : bool
        Show a bar.

    Returns
    -------
    Runs

    Raises
    ------
    ValueError
        If a number is out of range, the space is empty, choices are repeated, the memory is that of another search, or the names that the
        objective returns change or are those of hyperparameters.
    TypeError
        If the space holds something else, or the objective returns no number. What the objective raises goes through; the runs that had
        ended are in the memory.

    References
    ----------
    Bergstra and Bengio (2012), Random search for hyper-parameter optimization.

    Examples
    --------
    >>> from scipy.stats import loguniform, randint
    >>> from nnlib.search import random_search
    >>> space = {"rate": loguniform(1e-4, 1), "width": randint(8, 257), "activation": ["relu", "tanh"], "epochs": 15}
    >>> runs = random_search(lambda setting, seed: -abs(setting["rate"] - 0.1), space, 20, seed=0, n_jobs=1, progress=False)
    >>> len(runs.settings), round(runs.best()["rate"], 3), runs.best()["epochs"]
    (20, 0.083, 15)
    """
    space = _checked_space(space)
    _check_count("n", n)
    if not isinstance(seed, (int, np.integer)):
        raise ValueError(f"random_search needs a whole number as seed, got {seed!r}: without one, it could not be repeated")
    rng = np.random.default_rng(seed)
    settings = [{name: _draw(kind, rng) for name, kind in space.items()} for _ in range(n)]
    return _search(objective, space, settings, seeds, memory, n_jobs, progress)


def grid_search(
    objective: Objective,
    space: dict[str, Any],
    *,
    seeds: int = 1,
    memory: str | os.PathLike | None = None,
    n_jobs: int = -1,
    progress: bool = True,
) -> Runs:
    """Run every combination of choices, the last name changing fastest, each with the seeds 0 … seeds − 1.

    Parameters
    ----------
    objective, seeds, memory, n_jobs, progress
        As for `random_search`.
    space : dict
        By name: a list of choices, or a constant.

    Returns
    -------
    Runs

    Raises
    ------
    ValueError, TypeError
        As `random_search`, and TypeError where the space has a distribution.

    Examples
    --------
    >>> from nnlib.search import grid_search
    >>> space = {"rate": [0.1, 1.0], "width": [8, 16]}
    >>> runs = grid_search(lambda setting, seed: setting["rate"] * setting["width"], space, n_jobs=1, progress=False)
    >>> runs.columns()["value"].tolist()
    [0.8, 1.6, 8.0, 16.0]
    """
    space = _checked_space(space)
    for name, kind in space.items():
        if _is_distribution(kind):
            raise TypeError(f"a grid needs choices, got the distribution {kind.dist.name} for {name!r}")
    choices = [kind if isinstance(kind, list) else [kind] for kind in space.values()]
    settings = [dict(zip(space, chosen, strict=True)) for chosen in itertools.product(*choices)]
    return _search(objective, space, settings, seeds, memory, n_jobs, progress)


def _search(objective, space, settings, seeds, memory, n_jobs, progress) -> Runs:
    _check_count("seeds", seeds)
    import joblib
    from tqdm.auto import tqdm

    finished = {} if memory is None else _remembered(Path(memory), space, settings)
    runs = [(i, seed) for i in range(len(settings)) for seed in range(seeds)]
    missing = [run for run in runs if run not in finished]
    tasks = (joblib.delayed(_run)(objective, settings[i], i, seed) for i, seed in missing)
    names = next(iter(finished.values()), None)
    with (
        open(os.devnull if memory is None else memory, "a", encoding="utf-8") as file,
        tqdm(total=len(runs), initial=len(runs) - len(missing), desc="search", unit="run", disable=not progress) as bar,
    ):
        # One run is one task, and each is written when it ends, in whatever order that is.
        for i, seed, returned in joblib.Parallel(n_jobs, return_as="generator_unordered", batch_size=1)(tasks):
            values = _checked_values(returned, settings[i], seed)
            names = names or values
            if values.keys() != names.keys():
                raise ValueError(f"the objective returned the names {tuple(values)} for {settings[i]}, and {tuple(names)} before")
            finished[i, seed] = values
            file.write(_line(i, seed, settings[i], values))
            file.flush()
            bar.update()
    return Runs(space, settings, list(range(seeds)), _gathered(finished, len(settings), range(seeds)))


def _run(objective: Objective, setting: Setting, i: int, seed: int):
    return i, seed, objective(dict(setting), seed)


def _gathered(finished, n, seeds) -> dict[str, np.ndarray]:
    """By name, what the runs returned, one row for each setting and one column for each seed."""
    return {name: np.array([[finished[i, seed][name] for seed in seeds] for i in range(n)]) for name in finished[0, seeds[0]]}


# --- the space --------------------------------------------------------------------------------------------------------


def _is_distribution(kind: Any) -> bool:
    return all(hasattr(kind, name) for name in ("rvs", "ppf", "args"))


def _checked_space(space: dict[str, Any]) -> dict[str, Any]:
    """The space with plain lists and Python's own numbers."""
    if not isinstance(space, dict) or not space or not all(isinstance(name, str) for name in space):
        raise ValueError(f"a space is a dictionary from names to distributions, choices or constants, got {space!r}")
    if "seed" in space:
        raise ValueError("a space has no 'seed': the seed is the second argument of the objective")
    return {name: _checked_kind(name, kind) for name, kind in space.items()}


def _checked_kind(name: str, kind: Any) -> Any:
    import scipy.stats

    if _is_distribution(kind) and hasattr(scipy.stats, str(kind.dist.name)):
        return kind
    several = isinstance(kind, (list, tuple, range, np.ndarray))
    choices = [item.item() if isinstance(item, np.generic) else item for item in (kind if several else [kind])]
    for item in choices:
        if not isinstance(item, (type(None), bool, int, float, str)):
            raise TypeError(f"{name!r} needs a frozen distribution of scipy.stats, or choices that are None, bool, numbers or strings, got {item!r}")
    if not choices or len(set(choices)) < len(choices):
        raise ValueError(f"{name!r} needs at least one choice, and each but once, got {choices}")
    return choices if several else choices[0]


def _draw(kind: Any, rng: np.random.Generator) -> Any:
    if _is_distribution(kind):
        return np.asarray(kind.rvs(random_state=rng)).item()
    return kind[rng.integers(len(kind))] if isinstance(kind, list) else kind


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"a search needs a whole number {name} ≥ 1, got {value!r}")


def _checked_values(returned: Any, setting: Setting, seed: int) -> dict[str, float]:
    values = returned if isinstance(returned, dict) else {"value": returned}
    if not values or not all(isinstance(value, numbers.Real) for value in values.values()):
        raise TypeError(f"the objective returns a number or a dictionary of numbers, got {returned!r} for {setting} with seed {seed}")
    if not values.keys().isdisjoint({*setting, "seed"}):
        raise ValueError(f"the objective returned the names {tuple(values)}, of which {sorted({*setting, 'seed'} & values.keys())} are taken")
    return {name: float(value) for name, value in values.items()}


def _column(items: list) -> np.ndarray:
    """An array of numbers, or of strings; where kinds are mixed, of objects."""
    kinds = {type(item) for item in items}
    return np.array(items, dtype=None if len(kinds) == 1 or kinds == {int, float} else object)


# --- the memory -------------------------------------------------------------------------------------------------------


def _header(space: dict[str, Any]) -> str:
    def described(kind):
        return {"distribution": kind.dist.name, "args": kind.args, "kwds": kind.kwds} if _is_distribution(kind) else kind

    return json.dumps({"space": {name: described(kind) for name, kind in space.items()}}, default=lambda number: number.item()) + "\n"


def _restored(kind: Any) -> Any:
    import scipy.stats

    return getattr(scipy.stats, kind["distribution"])(*kind["args"], **kind["kwds"]) if isinstance(kind, dict) else kind


def _line(i: int, seed: int, setting: Setting, values: dict[str, float]) -> str:
    return json.dumps({"i": i, "seed": seed, "setting": setting, "values": values}) + "\n"


def _read(path: Path) -> tuple[dict | None, list[dict], bytes]:
    """The header and the runs of a memory, and what stands after its last whole line: a search was killed while it wrote that."""
    *lines, torn = path.read_bytes().split(b"\n")
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(json.loads(line))
        except ValueError:
            raise ValueError(f"{path} is no memory of a search: line {number} is no JSON") from None
        if not isinstance(found[-1], dict) or not {"space"} <= found[0].keys() or (number > 1 and not {"i", "seed", "setting", "values"} <= found[-1].keys()):
            raise ValueError(f"{path} is no memory of a search: line {number} is {line.decode()}")
    return (found[0] if found else None), found[1:], torn


def _remembered(path: Path, space: dict[str, Any], settings: list[Setting]) -> dict[tuple[int, int], dict[str, float]]:
    """The finished runs in a memory, which is made where there is none."""
    header = _header(space)
    path.touch()
    found, runs, torn = _read(path)
    if found is None and not header.encode().startswith(torn):
        raise ValueError(f"{path} is no memory of a search: it begins with {torn[:40]!r}")
    if found is not None and found != json.loads(header):
        raise ValueError(f"{path} remembers another search: its space is {found['space']}, got {json.loads(header)['space']}")
    for run in runs:
        if run["i"] < len(settings) and run["setting"] != settings[run["i"]]:
            raise ValueError(f"{path} remembers another search: its setting {run['i']} is {run['setting']}, got {settings[run['i']]}; is it another seed?")
    if found is None:
        path.write_text(header, encoding="utf-8")
    else:
        os.truncate(path, path.stat().st_size - len(torn))
    return {(run["i"], run["seed"]): run["values"] for run in runs}


# --- what mattered ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of a surrogate over the whole space, by functional ANOVA.

    Attributes
    ----------
    share : dict of float
        By names: ``("rate",)`` is what the rate explains alone, ``("rate", "width")`` what the two explain together beyond what each does
        alone. Singles first. What is missing to 1 belongs to three or more.
    r2 : float
        Out-of-bag R² of the surrogate. The shares are those of the surrogate, and no better than it is: print the two together, and see
        how much the shares differ from one half of the runs to the other.

    Examples
    --------
    >>> from nnlib.search import Importance
    >>> print(Importance({("rate",): 0.125, ("width",): 0.75, ("rate", "width"): 0.0625}, r2=0.8))
    out-of-bag R² of the surrogate: 0.80
    0.750  width
    0.125  rate
    0.062  rate × width
    """

    share: dict[tuple[str, ...], float]
    r2: float

    def __str__(self) -> str:
        falling = sorted(self.share, key=self.share.__getitem__, reverse=True)
        rows = [f"{self.share[names]:.3f}  {' × '.join(names)}" for names in falling]
        return "\n".join([f"out-of-bag R² of the surrogate: {self.r2:.2f}", *rows])


def importance(runs: Runs, name: str | None = None, *, seed: int, trees: int = 100) -> Importance:
    """Importance of each hyperparameter and of each pair: functional ANOVA of a random forest.

    f(x) = f₀ + Σᵢ fᵢ(xᵢ) + Σᵢ<ⱼ fᵢⱼ(xᵢ, xⱼ) + …, where f₀ = E[f], fᵢ = E[f | xᵢ] − f₀, fᵢⱼ = E[f | xᵢ, xⱼ] − f₀ − fᵢ − fⱼ, and x is drawn from
    the space, with its own distributions. The share of U is E[f_U²] / Var[f]. The forest sees each hyperparameter in equally likely levels:
    256 of a distribution (so a log-uniform one has them in its logarithm), or the choices. It is constant on boxes of levels, so its
    marginals are exact; Var[f] is taken at 8,192 points of a Halton sequence.

    Hutter, Hoos and Leyton-Brown average the shares of single trees; here it is the forest that is taken apart, whose trees have their
    noise averaged out before, which comes nearer to known Sobol indices.

    Parameters
    ----------
    runs : Runs
        At least ten settings, drawn from the whole space.
    name : str, optional
        Which value to explain; its mean over the seeds is. (With the seeds apart, the forest would see a setting both in the bag and out.)
    seed : int
        Grows the forest.
    trees : int

    Returns
    -------
    Importance

    Raises
    ------
    ValueError
        If there are too few settings, a value is not finite, all are equal, or nothing was varied.

    References
    ----------
    Hutter, Hoos and Leyton-Brown (2014), An efficient approach for assessing hyperparameter importance.

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from nnlib.search import importance, random_search
    >>> space = {"a": uniform(), "b": uniform(), "c": uniform()}
    >>> runs = random_search(lambda x, seed: 3 * x["a"] + x["b"], space, 200, seed=0, n_jobs=1, progress=False)
    >>> found = importance(runs, seed=0, trees=50)
    >>> {names[0]: round(share, 1) for names, share in found.share.items() if len(names) == 1}  # 9 : 1 : 0
    {'a': 0.9, 'b': 0.1, 'c': 0.0}
    """
    y = runs.mean(name)
    if len(y) < 10 or not np.isfinite(y).all() or np.ptp(y) == 0:
        missing = np.count_nonzero(~np.isfinite(y))
        raise ValueError(f"importance needs ten settings or more with finite values that differ, got {len(y)}, {missing} of them NaN or infinite")
    if not isinstance(seed, (int, np.integer)):
        raise ValueError(f"importance needs a whole number as seed, got {seed!r}")
    if not isinstance(trees, (int, np.integer)) or trees < 1:
        raise ValueError(f"importance needs a whole number of trees ≥ 1, got {trees!r}")
    varied = {name: kind for name, kind in runs.space.items() if _is_distribution(kind) or (isinstance(kind, list) and len(kind) > 1)}
    if not varied:
        raise ValueError("importance needs a hyperparameter that was varied, got constants alone")
    from scipy.stats import qmc
    from sklearn.ensemble import RandomForestRegressor

    coded, K = zip(*[_levels(kind, [setting[name] for setting in runs.settings]) for name, kind in varied.items()], strict=True)
    forest = RandomForestRegressor(trees, oob_score=True, random_state=int(seed)).fit(np.column_stack(coded), y)
    V = forest.predict(np.floor(qmc.Halton(len(K), scramble=False).random(8192) * K)).var()
    marginal = _marginals([_boxes(tree.tree_, K) for tree in forest.estimators_], K)

    f0, f, share = marginal(0).mean(), [], dict[tuple[str, ...], float]()
    for i, one in enumerate(varied):
        f.append(marginal(i) - f0)
        share[(one,)] = float((f[i] ** 2).mean() / V)
    for (i, one), (j, other) in itertools.combinations(enumerate(varied), 2):
        f_ij = marginal(i, j) - f0 - f[i][:, None] - f[j]
        share[one, other] = float((f_ij**2).mean() / V)
    return Importance(share, float(forest.oob_score_))


def _levels(kind: Any, drawn: list) -> tuple[np.ndarray, int]:
    """Values as levels 0 … K − 1, all equally likely, and K."""
    if isinstance(kind, list):
        return np.array([kind.index(value) for value in drawn]), len(kind)
    u = kind.cdf(drawn) - (kind.pmf(drawn) / 2 if hasattr(kind.dist, "pmf") else 0)  # a discrete value: the middle of its stretch
    return np.floor(u * 256).clip(0, 255), 256


def _boxes(tree, K: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each leaf its value, and of the levels in its box the first, and the first that comes after."""
    start, stop = np.zeros((tree.node_count, len(K)), int), np.tile(K, (tree.node_count, 1))
    is_leaf = tree.children_left < 0
    for node in np.flatnonzero(~is_leaf):  # a node stands before its children
        left, right, j = tree.children_left[node], tree.children_right[node], tree.feature[node]
        start[left] = start[right] = start[node]
        stop[left] = stop[right] = stop[node]
        stop[left, j] = start[right, j] = math.floor(tree.threshold[node]) + 1  # left is level ≤ threshold
    return tree.value[is_leaf, 0, 0], start[is_leaf], stop[is_leaf]


def _marginals(trees: list, K: tuple[int, ...]) -> Callable[..., np.ndarray]:
    """The function that gives E[f | x_U] of the mean of the trees, an array over the levels of the hyperparameters in U."""
    v, start, stop = (np.concatenate(part) for part in zip(*trees, strict=True))
    v, m = v / len(trees), (stop - start) / K  # m_lj = P(x_j in box l)

    def marginal(*U: int) -> np.ndarray:
        weight = v * np.delete(m, U, axis=1).prod(axis=1)
        a = np.zeros([K[j] + 1 for j in U])
        for corner in itertools.product((0, 1), repeat=len(U)):  # what a box adds begins at its start and ends at its stop
            np.add.at(a, tuple((start, stop)[end][:, j] for end, j in zip(corner, U, strict=True)), (-1) ** sum(corner) * weight)
        for axis in range(len(U)):
            a = a.cumsum(axis)
        return a[(slice(-1),) * len(U)]

    return marginal


# --- how much was chance ----------------------------------------------------------------------------------------------


class Effect(NamedTuple):
    """One row of an analysis of variance with random effects.

    ``variance`` is the component σ² and ``share`` its part of the sum of all components, with their intervals.

    >>> from nnlib.search import anova
    >>> setting = anova([[1.0, 2.0], [5.0, 6.0], [3.0, 4.5]])["setting"]
    >>> setting.df, round(setting.variance, 3)
    (2, 4.0)
    """

    sum_of_squares: float
    df: int
    mean_square: float
    F: float
    p: float
    variance: float
    variance_interval: tuple[float, float]
    share: float
    share_interval: tuple[float, float]


def anova(values: np.ndarray, names: tuple[str, ...] = ("setting", "seed"), confidence: float = 0.95) -> dict[str, Effect]:
    """What share of the variance lies between settings? Analysis of variance of crossed, balanced runs.

    With two names, y_ijk = μ + A_i + B_j + (AB)_ij + ε_ijk; with one, y_ik = μ + A_i + ε_ik. All effects are random and independent. The
    expectations of the mean squares, such as E[MS_A] = b r σ²_A + r σ²_AB + σ², are solved for the components σ² (a negative one counts
    as 0). With one run in each cell, r = 1, (AB) and ε cannot be told apart and are together the rest.

    The share of the first factor is the intraclass correlation, how well one run tells a setting: ICC(2,1) with two names, ICC(1) with one.

    Parameters
    ----------
    values : ndarray, shape ``(a, b)`` or ``(a, b, r)``; with one name ``(a, r)``
        At least two of each. Settings × seeds as in `Runs.values`, with two names if a seed means the same for every setting (it splits
        the data), with one if it is a repetition; settings × splits × seeds. Settings that were *chosen* by these very values (the best
        tenth) are not as they seem: choose by other seeds.
    names : one or two str
        Of the factors. The other rows are ``"rest"`` and, where r > 1, the interaction: ``"setting × split"``.
    confidence : float
        In (0, 1), of the intervals.

    Returns
    -------
    dict of Effect
        The intervals are generalized ones: SS / χ²(df) takes the place of each E[MS], and quantiles are read off the components that follow,
        at 8,191 points of a Halton sequence (there is no chance in it). They assume normal effects. For the rest, and for the share with
        one name, they are the exact χ² and F intervals. Few seeds or splits make wide ones: that is no fault of theirs.

    Raises
    ------
    ValueError
        If the shape is another, a value is not finite, all are equal, or ``confidence`` is out of range.

    References
    ----------
    Shrout and Fleiss (1979), Intraclass correlations: uses in assessing rater reliability.
    Weerahandi (1993), Generalized confidence intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.search import anova
    >>> rng = np.random.default_rng(0)
    >>> accuracy = 0.9 + 0.03 * rng.normal(size=(40, 1)) + 0.01 * rng.normal(size=(40, 3))  # σ² between settings to the rest: 9 to 1
    >>> setting = anova(accuracy, names=("setting",))["setting"]
    >>> round(setting.share, 2), [round(bound, 2) for bound in setting.share_interval]
    (0.84, [0.75, 0.91])
    """
    y = np.asarray(values, dtype=float)
    names = tuple(names)
    if len(names) not in (1, 2) or y.ndim not in ((2,), (2, 3))[len(names) - 1] or min(y.shape) < 2:
        raise ValueError(f"anova expects runs (settings, repetitions) with one name, (settings, seeds) or (settings, splits, seeds) with two, "
                         f"and at least two of each, got {y.shape} and {names}")
    if not np.isfinite(y).all() or np.ptp(y) == 0:
        raise ValueError(f"anova expects finite values that differ, got {np.count_nonzero(~np.isfinite(y))} NaN or infinite, from {y.min()} to {y.max()}")
    if not 0 < confidence < 1:
        raise ValueError(f"anova expects a confidence in (0, 1), got {confidence}")
    from scipy.stats import chi2, f, qmc

    effects, df, C, below = _design(y, len(names))
    SS = np.array([(np.broadcast_to(effect, y.shape) ** 2).sum() for effect in effects])
    MS, solve = SS / df, np.linalg.inv(C).T                    # E[MS] = C σ²
    halton = qmc.Halton(len(MS), scramble=False)
    halton.fast_forward(1)                                     # its first point is 0, where χ² is 0
    draws = SS / chi2.ppf(halton.random(8191), df)             # SS / χ²(df), one row for each point
    σ2, drawn = np.maximum(MS @ solve, 0), np.maximum(draws @ solve, 0)
    share, drawn_share = σ2 / σ2.sum(), drawn / drawn.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        F = MS[:-1] / MS[below]
    p = f.sf(F, df[:-1], df[below])

    between = [list(map(tuple, np.quantile(d, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0).T.tolist())) for d in (drawn, drawn_share)]
    F, p = [*F.tolist(), np.nan], [*p.tolist(), np.nan]        # nothing is below the rest
    rows = [*names, *([" × ".join(names)] if len(MS) == 4 else []), "rest"]
    columns = zip(SS.tolist(), df.tolist(), MS.tolist(), F, p, σ2.tolist(), between[0], share.tolist(), between[1], strict=True)
    return {row: Effect(*values) for row, values in zip(rows, columns, strict=True)}


def _design(y: np.ndarray, factors: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, list[int]]:
    """Of each row of the table: its effects in y, its degrees of freedom, E[MS] = C σ², and below which row its F is tested."""
    mean = y.mean()
    if factors == 1:
        a, r = y.shape
        A = y.mean(axis=1, keepdims=True) - mean
        return [A, y - mean - A], np.array([a - 1, a * (r - 1)]), np.array([[r, 1], [0, 1]]), [1]
    a, b = y.shape[:2]
    A, B = (y.mean(axis=tuple({*range(y.ndim)} - {factor}), keepdims=True) - mean for factor in (0, 1))
    if y.ndim == 2:
        df, C = [a - 1, b - 1, (a - 1) * (b - 1)], [[b, 0, 1], [0, a, 1], [0, 0, 1]]
        return [A, B, y - mean - A - B], np.array(df), np.array(C), [2, 2]
    r, cell = y.shape[2], y.mean(axis=2, keepdims=True)
    df, C = [a - 1, b - 1, (a - 1) * (b - 1), a * b * (r - 1)], [[b * r, 0, r, 1], [0, a * r, r, 1], [0, 0, r, 1], [0, 0, 0, 1]]
    return [A, B, cell - mean - A - B, y - cell], np.array(df), np.array(C), [2, 2, 3]
