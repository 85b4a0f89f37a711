"""The project's own files say one thing each, and agree."""

import json
import re
import tomllib
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import yaml
from discovery import load
from packaging.requirements import Requirement

import nnlib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = (ROOT / "requirements.txt").read_text().splitlines()


def pins(python):
    """Name and version of all that requirements.txt installs on one Python on Linux."""
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    lines = [Requirement(line) for line in PINS if line[0] not in "#-"]
    return {line.name: str(line.specifier) for line in lines if line.marker is None or line.marker.evaluate(machine)}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_range_has_a_pin_within_it(python):
    ranges = [*PROJECT["dependencies"], *chain.from_iterable(PROJECT["optional-dependencies"].values())]
    pinned = pins(python)
    for requirement in map(Requirement, ranges):
        version = pinned[requirement.name]
        assert version.startswith("=="), requirement
        assert requirement.specifier.contains(version.removeprefix("==")), f"{requirement}: run `nox -s lock`"


def test_requirements_pin_everything_and_end_with_the_package():
    assert PINS[-1] == "-e ."
    for line in PINS[:-1]:
        assert re.match(r"#|[\w.-]+==[\w.]+( ;|$)", line), line


def test_torch_is_no_requirement():
    assert not [name for name in pins("3.11") if "torch" in name or "nvidia" in name]


def test_npm_packages_are_pinned_by_their_content_and_name_no_host():
    lock = json.loads((ROOT / "book/_assets/package-lock.json").read_text())
    wanted = json.loads((ROOT / "book/_assets/package.json").read_text())
    packages = {path: package for path, package in lock["packages"].items() if path}
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in package and "resolved" not in package for package in packages.values())


def test_one_version():
    assert nnlib.__version__ == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_chapter_and_every_page_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = {toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])}
    pages = [*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*.ipynb")]
    assert listed == {path.relative_to(ROOT).with_suffix("").as_posix() for path in pages}


def test_the_welcome_page_names_all_nine_chapters_and_links_those_that_are_written():
    rows = re.findall(r"^\| (\d) \| (.+?) \|", (ROOT / "book/welcome.md").read_text(), flags=re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 10))
    for number, title in rows:
        chapters = [path.name for path in ROOT.glob(f"notebooks/0{number}*_*.ipynb")]
        assert ("to come" in title) == (not chapters)
        assert all(f"(../notebooks/{name})" in title for name in chapters)


# --- speed, coverage, mutation --------------------------------------------------------------------------------------


CASES = load(ROOT / "benchmarks" / "cases.py")
SPEED = json.loads((ROOT / "benchmarks" / "speed.json").read_text())


def test_what_was_measured_is_what_the_benchmark_runs():
    measured = [(row["case"], row["batch"], row["dtype"], bool(row["megabytes"])) for row in SPEED["rows"]]
    assert measured == [(case.name, case.x[0], dtype, bool(case.loss)) for case in CASES.CASES for dtype in CASES.DTYPES]
    assert SPEED["machine"]["torch"].startswith(re.search(r'TORCH = "torch==(.+?)"', (ROOT / "noxfile.py").read_text())[1])


@pytest.mark.parametrize("case", CASES.CASES, ids=lambda case: case.name)
def test_a_race_can_be_run(case):
    """nnlib's side, in both precisions, with a small batch: a training step of the loss it names, or inference."""
    assert case.enlarged().x[0] == case.large * case.x[0] == case.enlarged().y[0]
    case = case._replace(x=(2, *case.x[1:]), y=(2, *case.y[1:]))
    for dtype in CASES.DTYPES:
        model, x, target = case.build(dtype)
        assert x.shape == case.x and x.dtype == model.theta.dtype == dtype
        assert model(x).shape == case.y and (case.loss is None or np.isfinite(case.loss(model(x), target)[0]))
        case.run(dtype)()


def test_the_page_on_speed_shows_each_race_as_measured():
    page = (ROOT / "book/speed.md").read_text()
    assert "nox -s bench" in page
    assert re.findall(r"^```{speed} (\w+)$", page, flags=re.MULTILINE) == ["machine", "time", "memory"]
    speed_lines = load(ROOT / "book/_ext/publishing.py").speed_lines
    time, memory = ("\n".join(speed_lines(SPEED, what)) for what in ("time", "memory"))
    for row in SPEED["rows"]:
        start = f"| {row['case']} | {row['batch']} | {row['dtype']} | "
        assert f"{start}{row['milliseconds']['nnlib']:.2f} | {row['milliseconds']['torch']:.2f} | **{row['ratio']:.2f}** |" in time
        assert (f"| {row['megabytes']['nnlib']:.0f} | {row['megabytes']['torch']:.0f} |" in memory) if row["megabytes"] else row["case"] not in memory
    mean = np.prod([row["ratio"] for row in SPEED["rows"]]) ** (1 / len(SPEED["rows"]))
    assert f"The geometric mean of the ratios is **{mean:.2f}**" in time
    assert f"the largest ratio is {max(row['ratio'] for row in SPEED['rows']):.2f} (" in time
    for word in SPEED["machine"].values():
        assert word in speed_lines(SPEED, "machine")[0] or word == "Linux"


@pytest.mark.parametrize("path", sorted((ROOT / "nnlib").rglob("*.py")), ids=lambda path: path.stem)
def test_what_coverage_leaves_out_has_a_reason(path):
    for line in path.read_text().splitlines():
        assert "pragma: no" not in line or re.search(r"# pragma: no (cover|branch): \w{3,} \w+", line), line


def test_every_mutant_that_lives_has_a_reason():
    lines = (ROOT / "tools/mutation_survivors.md").read_text().splitlines()
    for line in (line for line in lines if line.startswith("- ")):
        assert re.match(r"- `nnlib/\w+\.py` `[\w.]+`: `.+` → `.*`: \w.+", line), line


def test_ci_calls_the_one_command():
    lines = (ROOT / ".ci/run").read_text().split("\n")
    assert "python3 -m pip install nox" in lines
    assert "exec python3 -m nox -s test" in lines
