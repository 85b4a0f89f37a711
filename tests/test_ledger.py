"""The ledger of claims: what a chapter shows is what is gathered from its committed outputs."""

import json

import pytest

from nnlib import ledger
from nnlib.ledger import Row

ROWS = [
    Row("S1.2", derived="shapes, $W \\in \\mathbb{R}^{m \\times n}$", measured="200 of 200", verdict="holds"),
    Row("S1.3", derived="(1.1)", measured="to $10^{-12}$", verdict="holds if", condition="the **last** layer is affine."),
    Row("S1.5", derived="", measured="+30 points", verdict="does not hold here", condition="A remark."),
]


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A function that writes a notebook whose last cell shows these rows."""

    def written(name, *rows):
        said = []
        monkeypatch.setattr(ledger.page, "say", said.append)
        ledger.show(*rows)
        shown = [{"output_type": "display_data", "data": {"text/markdown": text}, "metadata": {}} for text in ["A sentence.", *said]]
        code = {"cell_type": "code", "source": "", "outputs": [{"output_type": "stream", "text": "3"}, *shown]}
        (tmp_path / name).write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": "# Title"}, code]}))
        return tmp_path / name

    return written


def test_what_is_shown_is_gathered_in_the_order_of_the_article(notebook):
    files = [notebook("a.ipynb", *reversed(ROWS)), notebook("b.ipynb", Row("S1.1", derived="a", measured="0 errors", verdict="holds"))]
    assert ledger.gathered(files)[1:] == ROWS
    assert ledger.gathered(reversed(files))[0].id == "S1.1"


def test_two_rows_of_one_statement_are_refused(notebook):
    with pytest.raises(ValueError, match=r"S1\.2 has two rows, the second in .*b\.ipynb"):
        ledger.gathered([notebook("a.ipynb", *ROWS), notebook("b.ipynb", ROWS[0])])


def test_no_rows_are_refused(tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": []}))
    for files in ([], [tmp_path / "a.ipynb"]):
        with pytest.raises(ValueError, match="found none"):
            ledger.gathered(files)


def test_all_fifty_statements_have_a_row():
    assert len(ledger.STATEMENTS) == 50
    assert [row.id for row in ledger.gathered()] == list(ledger.STATEMENTS)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": "S1.9"}, "no statement 'S1.9'"),
        ({"verdict": "true"}, "got 'true'"),
        ({"measured": "a lot"}, "gives a figure"),
        ({"measured": "better on MNIST-1D"}, "gives a figure"),
        ({"measured": "L2 and GPT-2 differ, by (4.4) and S4.1 of chapter 4"}, "gives a figure"),
        ({"condition": "$P(a | b)$ is known."}, "would end a cell"),
        ({"verdict": "holds if"}, "needs its condition"),
    ],
)
def test_a_row_that_says_too_little_is_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        Row(**{"id": "S1.2", "derived": "shapes", "measured": "3 of 3", "verdict": "holds"} | change)
