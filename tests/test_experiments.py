"""The stored experiments: each is found, is that of its module, and comes out again where it is repeated."""

import math

import pytest

from nnlib import experiments

NAMES = experiments.names()
REPEATED = [(name, i, seed) for name in NAMES for i, seed in experiments.load(name).REPEATED]


def test_each_experiment_has_results_and_each_result_an_experiment():
    assert sorted(path.stem for path in experiments.FOLDER.glob("*.jsonl")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_is_explained_and_repeated(name):
    module = experiments.load(name)
    assert module.__doc__
    assert module.REPEATED, "no run is repeated"
    assert module.TOLERANCE.keys() == experiments.runs(name).values.keys()
    assert (experiments.FOLDER / f"{name}.jsonl").stat().st_size < 400_000


@pytest.mark.parametrize(("name", "i", "seed"), REPEATED, ids=lambda value: str(value))
def test_comes_out_again(name, i, seed):
    module, found = experiments.load(name), experiments.runs(name)
    again = module.objective(dict(found.settings[i]), found.seeds[seed])
    for key, tolerance in module.TOLERANCE.items():
        stored = found.values[key][i, seed]
        assert (math.isnan(stored) and math.isnan(again[key])) or abs(again[key] - stored) <= tolerance, (key, stored, again[key])


def test_results_of_another_space_are_refused(tmp_path, monkeypatch):
    (tmp_path / "trial.py").write_text(
        "from nnlib.search import grid_search\nSPACE = {'rate': [1, 2]}\n"
        "def objective(setting, seed):\n    return {'square': setting['rate'] ** 2}\n"
        "def search(memory=None):\n    return grid_search(objective, SPACE, memory=memory, n_jobs=1, progress=False)\n"
    )
    monkeypatch.setattr(experiments, "FOLDER", tmp_path)
    monkeypatch.setattr(experiments, "__path__", [str(tmp_path)])
    module = experiments.load("trial")
    module.search().save(tmp_path / "trial.jsonl")
    assert experiments.runs("trial").values["square"].tolist() == [[1.0], [4.0]]
    module.SPACE = {"rate": [1, 3]}
    with pytest.raises(ValueError, match="the results of trial are those of another space"):
        experiments.runs("trial")
