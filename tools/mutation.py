"""Break nnlib's mathematics on purpose and see which breaks no test notices: `nox -s mutation`, `nox -s mutation -- rnn losses`.

mutmut changes one operator, number, name or argument at a time, in a copy of the project, and runs the tests of the module and the
examples in it that reach the changed function. A survivor that cannot be caught, or need not be, is listed in mutation_survivors.md
with the reason; the others go to _build/mutation/survivors.md, in the same form, with the line where the reason belongs.
"""

import ast
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "_build" / "mutation"
ACCEPTED = ROOT / "tools" / "mutation_survivors.md"
CAUGHT = 0.9  # at least this share of all mutants

CONFIG = """
[tool.mutmut]
source_paths = ["nnlib/"]
only_mutate = ["nnlib/{module}.py"]
do_not_mutate_patterns = ['^__all__', '^class ']
pytest_add_cli_args = ["-p", "no:nbval", "-p", "no:xdist", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}

[tool.pytest.ini_options]
addopts = "--import-mode=importlib --doctest-modules"
pythonpath = ["tests"]
filterwarnings = ["error"]
"""


def mathematics():
    sys.path.insert(0, str(ROOT / "tests"))
    from discovery import MATHEMATICS

    return MATHEMATICS


def prepare(module):
    """A copy of the package and its tests, in which mutmut changes one module; examples for the tests are left as they are."""
    folder = WORK / module
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("nnlib", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "site"))
    file = folder / "nnlib" / f"{module}.py"
    source = file.read_text()
    file.write_text(source.replace("def example(cls, rng):", "def example(cls, rng):  # pragma: no mutate block"))
    tests = [f"test_{module}", "test_doors", *(["test_layers"] if "def forward(" in source else [])]
    found = [f"nnlib/{module}.py", *(f"tests/{name}.py" for name in tests if (ROOT / "tests" / f"{name}.py").exists())]
    (folder / "pyproject.toml").write_text(CONFIG.format(module=module, tests=json.dumps(found)))
    return folder


def mutate(module):
    """The number of mutants, and those that survived as (line of the report, line number)."""
    folder = prepare(module)
    with open(folder / "log", "w") as log:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(os.cpu_count())]
        done = subprocess.run(command, cwd=folder, stdout=log, stderr=log)
    meta = folder / "mutants" / "nnlib" / f"{module}.py.meta"
    codes = json.loads(meta.read_text())["exit_code_by_key"] if meta.exists() else {}
    if done.returncode or None in codes.values():
        sys.exit(f"mutmut could not finish {module}: see {folder / 'log'}")
    # Exit codes: 0, the tests passed; 33, no test reaches the function.
    return len(codes), [describe(folder, module, key) for key, code in codes.items() if code in (0, 33)]


def describe(folder, module, key):
    """One survivor in the form of the lists, `old line` → `new line`, and where it stands."""
    from mutmut.configuration import reset_config
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    with contextlib.chdir(folder):
        reset_config()
        diff = get_diff_for_mutant(key).splitlines()
    old, new = (" ".join(line[1:].strip() for line in diff[2:] if line[0] == sign) for sign in "-+")
    name = re.sub(r"^x_?|__mutmut_\d+$", "", key.split(".", 2)[2]).strip("ǁ").replace("ǁ", ".")
    first = next(line[1:].strip() for line in diff[2:] if line[0] == "-")
    return f"`nnlib/{module}.py` `{name}`: `{old}` → `{new}`", line_number(folder / "nnlib" / f"{module}.py", name, first)


def line_number(file, name, text):
    """Where a line stands first in a function."""
    source = file.read_text()
    body = ast.parse(source).body
    for part in name.split("."):
        node = next(node for node in body if getattr(node, "name", None) == part)
        body = node.body
    lines = source.splitlines()
    return next((i + 1 for i in range(node.lineno - 1, node.end_lineno) if lines[i].strip() == text), node.lineno)


def main(modules):
    accepted = set(re.findall(r"^- (`nnlib/.+?` → `.*?`)(?=: |$)", ACCEPTED.read_text(), flags=re.MULTILINE))
    report, all_mutants, all_survivors = [], 0, 0
    for module in modules or mathematics():
        mutants, survivors = mutate(module)
        new = [(text, line) for text, line in survivors if text not in accepted]
        all_mutants, all_survivors = all_mutants + mutants, all_survivors + len(survivors)
        caught = 1 - len(survivors) / max(mutants, 1)
        print(f"{module:15} {mutants:5} mutants, {caught:6.1%} caught, {len(survivors):4} survive, {len(new):4} of them not listed", flush=True)
        for text, line in new:
            print(f"    {line}: {text}")
        report += [f"- {text}: line {line}" for text, line in new]
        (WORK / "survivors.md").write_text("\n".join(report) + "\n")
    caught = 1 - all_survivors / max(all_mutants, 1)
    print(f"{'all':15} {all_mutants:5} mutants, {caught:6.1%} caught, {all_survivors:4} survive")
    if caught < CAUGHT:
        sys.exit(f"fewer than {CAUGHT:.0%} of the mutants were caught")


if __name__ == "__main__":
    main(sys.argv[1:])
