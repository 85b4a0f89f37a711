"""What only a forge reads is right: the workflows, Dependabot's file, the citation; and what finds them wrong does."""

import re

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from test_project import PROJECT, ROOT

import forge

JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())["jobs"]


def test_nothing_is_wrong():
    assert len(forge.workflows()) == 2
    assert forge.problems() == ""


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("matrix.python }}", "matrix.pyhton }}", "pyhton"),
        ("needs: [book,", "needs: [books,", "books"),
        ("runs-on: macos-latest", "runs-on: macos-lastest", "macos-lastest"),
    ],
)
def test_a_mistake_in_a_workflow_is_found(tmp_path, right, wrong, complaint):
    text = (ROOT / ".github" / "workflows" / "book.yml").read_text()
    assert right in text
    workflow = tmp_path / "book.yml"
    workflow.write_text(text.replace(right, wrong))
    assert complaint in forge.lint(workflow)


def test_a_mistake_in_the_other_files_is_found(tmp_path):
    citation = tmp_path / "CITATION.cff"
    citation.write_text(re.sub(r"authors:\n.*\n", "", (ROOT / "CITATION.cff").read_text()))
    assert "'authors' is a required property" in forge.validate("citation-file-format", citation)
    updates = tmp_path / "dependabot.yml"
    updates.write_text((ROOT / ".github" / "dependabot.yml").read_text().replace("monthly", "sometimes"))
    assert "sometimes" in forge.validate("dependabot", updates)


def test_every_supported_python_is_tested_and_the_published_one_is_among_them():
    pythons = JOBS["book"]["strategy"]["matrix"]["python"]
    assert JOBS["package"]["strategy"]["matrix"]["python"] == pythons == ["3.11", "3.12", "3.13"]
    assert all(SpecifierSet(PROJECT["requires-python"]).contains(python) for python in pythons)
    workflow = (ROOT / ".github" / "workflows" / "book.yml").read_text()
    assert re.search(r'PUBLISHED_PYTHON: "(.+?)"', workflow)[1] in pythons


def test_the_sessions_that_workflows_run_exist():
    sessions = set(re.findall(r"^@nox\.session\ndef (\w+)\(", (ROOT / "noxfile.py").read_text(), flags=re.MULTILINE))
    for path in forge.workflows():
        for line in re.findall(r"nox -s ([\w ]+)$", path.read_text(), flags=re.MULTILINE):
            assert set(line.split()) <= sessions, line


def test_dependabot_watches_each_place_that_pins_something():
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    watched = {update["package-ecosystem"]: update["directory"] for update in updates}
    assert watched == {"pip": "/", "npm": "/book/_assets", "github-actions": "/"}
    for directory, file in (("/", "requirements.txt"), ("/book/_assets", "package-lock.json")):
        assert (ROOT / directory.strip("/") / file).exists()


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["title"] == yaml.safe_load((ROOT / "_config.yml").read_text())["title"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]
