"""The pages on using the book: what they compute from the project's own files."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

import citation
import licences
import notebooks
import progress
import teaching

ROOT = Path(__file__).parents[1]


def a_notebook(path, *cells):
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": cell} for cell in cells]}))
    return path


def test_a_chapter_says_what_it_needs_and_asks(tmp_path):
    question = "<details><summary>Yes</summary>\n\nRight.\n\n</details>\n<details><summary>No</summary>\n\nWhy?\n\n</details>\n"
    said = "*You need:* [chapter 1](01_definition.ipynb), calm. Every slider works."
    asked = f"## Exercises\n\n### Exercise 1 (paper): one\n\n{question}\n\n### Exercise 2 (code): two"
    found = teaching.chapter(a_notebook(tmp_path / "a.ipynb", "# 3 · Title", said, f"Is it?\n\n{question}\n\nIs it not?\n\n{question}", asked))
    assert found == ("3 · Title", "[chapter 1](01_definition.ipynb), calm", 2, ["Exercise 1 (paper): one", "Exercise 2 (code): two"])


def test_a_chapter_that_does_not_say_it_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expects a title"):
        teaching.chapter(a_notebook(tmp_path / "a.ipynb", "# Title", "It takes an hour."))


@pytest.mark.parametrize("path", notebooks.chapters(), ids=lambda path: path.stem)
def test_every_chapter_says_it(path):
    found = teaching.chapter(path)
    assert found.questions > 0 and len(found.exercises) > 0


def test_links_of_a_chapter_become_those_of_a_page():
    said = "[a](01_definition.ipynb#x) [b](../book/ledger.md) [c](https://example.org) [d](#e)"
    assert teaching.from_the_pages(said) == "[a](../notebooks/01_definition.ipynb#x) [b](ledger.md) [c](https://example.org) [d](#e)"


def test_answers_are_named_by_their_words_and_two_alike_apart():
    html = "<details><summary>Yes</summary><details>\n<summary>No</summary><details><summary>Yes</summary>"
    names = re.findall(r'data-answer="(\w+)"', progress.name_answers(html, Counter()))
    assert len(set(names)) == 3
    assert progress.name_answers("<details><summary>Yes</summary>", Counter()).startswith(f'<details data-answer="{names[0]}">')


def test_the_citation_says_what_the_file_says_and_where_the_site_is_if_that_is_known():
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    here = "\n".join(citation.citation(about, "2026", "https://example.org/"))
    nowhere = "\n".join(citation.citation(about, "2026", None))
    for text in (here, nowhere):
        assert about["title"] in text and about["version"] in text and about["authors"][0]["name"] in text
    assert "  url = {https://example.org/}," in here and "<https://example.org/>" in here
    assert "url" not in nowhere and "<" not in nowhere


def test_a_licence_that_a_file_states_of_what_it_brings_is_read():
    assert licences.tidy("\n * Bootstrap  v5\n * Licensed under MIT\n ") == "Bootstrap  v5 Licensed under MIT"
    banners = [banner for work in licences.from_pypi() for banner in work.banners]
    assert any("Bootstrap" in banner and "MIT" in banner for banner in banners)
    assert any("clipboard.js" in banner and "MIT" in banner for banner in banners)
