"""The package as a whole: light to import, arrows that run one way, and every public name explained by an example."""

import ast
import doctest
import graphlib
import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from discovery import MATHEMATICS, MODULES, SHOWING

import nnlib

FOLDER = Path(nnlib.__file__).parent
HEAVY = {
    *("IPython", "PIL", "dask", "distributed", "graphviz", "ipywidgets", "joblib", "matplotlib", "mnist1d", "pandas", "scipy", "sklearn"),
    *("statsmodels", "sympy", "tqdm"),
}


def python(code, *options, **env):
    env = {name: value for name, value in (os.environ | env).items() if value}
    return subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, check=True, cwd=FOLDER.parent, env=env)


def imports(name):
    """Top-level names that a module imports as soon as it is imported, and the modules of nnlib among them."""
    path = FOLDER / name / "__init__.py" if (FOLDER / name).is_dir() else FOLDER / f"{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    outside, inside = set(), set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            outside |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "nnlib":
            inside |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("nnlib."):
            inside.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module.split(".")[0])
    return outside, inside


@pytest.mark.parametrize("names", [[], sorted(set(MATHEMATICS) - {"symbolic"})], ids=["nnlib", "the mathematics"])
def test_nothing_heavier_than_numpy_is_loaded(names):
    statement = ", ".join(["nnlib", *(f"nnlib.{name}" for name in names)])
    loaded = python(f"import {statement}, sys; print(*{{name.split('.')[0] for name in sys.modules}})").stdout.split()
    assert "nnlib" in loaded
    assert not HEAVY & set(loaded)


def test_import_takes_at_most_a_tenth_of_a_second_over_numpy(tmp_path):
    """The sum over all that is imported after NumPy and its random numbers, which `-X importtime` lists in the order in which it ends.

    The least of several runs counts: what else the machine does can only add to it. The first run compiles.
    """
    statement = ", ".join(["nnlib", *(f"nnlib.{name}" for name in MATHEMATICS if name != "symbolic")])
    seconds = []
    for _ in range(6):
        code, compiled = f"import numpy.random\nimport {statement}", {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
        lines = [line.split("|") for line in python(code, "-X", "importtime", **compiled).stderr.splitlines()]
        names = [line[-1].strip() for line in lines]
        after = lines[names.index("numpy.random") + 1 :]
        assert "nnlib" in names[names.index("numpy.random") :]
        seconds.append(sum(int(line[0].removeprefix("import time:")) for line in after) / 1e6)
    assert min(seconds) <= 0.1, f"imports took {seconds} s"


@pytest.mark.parametrize("name", MATHEMATICS)
def test_the_mathematics_imports_no_pictures_and_no_pages(name):
    outside, inside = imports(name)
    assert not inside & SHOWING
    assert not outside & (HEAVY - ({"sympy"} if name == "symbolic" else set()))


def test_arrows_run_one_way():
    order = list(graphlib.TopologicalSorter({name: imports(name)[1] for name in MODULES}).static_order())
    assert order.index("layers") < order.index("mlp") < order.index("training")


# Every module but the one between the book's builder and the two modules that show pictures has readers.
READ = [importlib.import_module(f"nnlib.{name}") for name in MODULES if name != "publishing"]


def is_code(value):
    return inspect.isroutine(value) or inspect.isclass(value)


@pytest.mark.parametrize("module", READ, ids=lambda module: module.__name__)
def test_all_names_what_is_public(module):
    name = module.__name__.removeprefix("nnlib.")
    made_here = {key for key, value in vars(module).items() if is_code(value) and value.__module__ == module.__name__}
    public = {key for key in module.__all__ if is_code(getattr(module, key))}
    if name in MATHEMATICS:
        assert public == {key for key in made_here if not key.startswith("_")}
    assert public <= made_here
    assert len(module.__all__) == len(set(module.__all__))
    assert inspect.getdoc(module)
    assert name not in public, "the module and the function would be known by one name"


PUBLIC = {f"{module.__name__}.{key}": getattr(module, key) for module in READ for key in module.__all__ if is_code(getattr(module, key))}


@pytest.mark.parametrize("thing", PUBLIC.values(), ids=PUBLIC)
def test_every_public_name_is_explained_by_an_example(thing):
    own = thing.__dict__.get("__doc__") if inspect.isclass(thing) else thing.__doc__
    assert own, "no docstring"
    assert doctest.DocTestParser().get_examples(own), "no example in the docstring"
    if inspect.isclass(thing):
        methods = {name: function for name, function in vars(thing).items() if inspect.isroutine(function) and not name.startswith("_")}
        for name, function in methods.items():
            inherited = any(name in vars(base) for base in thing.__mro__[1:])
            assert inherited or name == "example" or inspect.getdoc(function), f"{name} has no docstring"
