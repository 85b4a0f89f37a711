"""The project's own files say one thing each, and agree."""

import json
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
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


def test_the_welcome_page_names_all_eight_chapters_and_links_those_that_are_written():
    rows = re.findall(r"^\| (\d) \| (.+?) \|", (ROOT / "book/welcome.md").read_text(), flags=re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 9))
    for number, title in rows:
        chapters = [path.name for path in ROOT.glob(f"notebooks/0{number}_*.ipynb")]
        assert ("to come" in title) == (not chapters)
        assert all(f"(../notebooks/{name})" in title for name in chapters[:1])


def test_ci_calls_the_one_command():
    lines = (ROOT / ".ci/run").read_text().split("\n")
    assert "python3 -m pip install nox" in lines
    assert "exec python3 -m nox -s test" in lines
