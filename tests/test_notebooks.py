"""The chapters as files: executed, in the committed form, readable everywhere. That their outputs are true is nbval's to say."""

import re

import nbformat
import pytest

import notebooks
from nnlib.ledger import STATEMENTS

CHAPTERS = notebooks.chapters()
ON_ONE_PAGE = [path for path in CHAPTERS if re.fullmatch(r"\d\d_\w+", path.stem)]

# What JupyterLab, Colab and GitHub show as raw text, or differently from the site.
UNPORTABLE = {
    "a role, such as {cite}`…`": r"(?<!`)\{[a-z:]+\}`",
    "a directive in a fence": r"^(```+|~~~+|:::+)\s*\{",
    "a fence of colons": r"^:::",
    "a MyST target, (name)=": r"^\([\w-]+\)=\s*$",
    "an inline attribute, {.class}": r"\{[.#][\w-]+\}",
    "a MyST comment or block break": r"^(%|\+\+\+)",
    "a picture that is not computed": r"!\[[^\]]*\]\(",
}


def cells(path, kind):
    return [cell for cell in notebooks.read(path).cells if cell.cell_type == kind]


def unportable(text):
    """Names of what `text` holds that only one program shows; code and formulas are let be."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|^```(?!\s*\{)\w*\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [name for name, pattern in UNPORTABLE.items() if re.search(pattern, text, flags=re.MULTILINE)]


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def test_there_are_chapters():
    assert CHAPTERS


@named(CHAPTERS)
def test_is_in_the_committed_form(path):
    text = path.read_text(encoding="utf-8")
    assert text == notebooks.written(notebooks.clean(notebooks.read(path))), "run `nox -s notebooks`"


@named(CHAPTERS)
def test_was_run_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1)), "run `nox -s notebooks`"


@named(CHAPTERS)
def test_holds_no_error_and_no_warning(path):
    for cell in cells(path, "code"):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", f"{cell.source}\n{output.text}"


@named(CHAPTERS)
def test_markdown_is_portable(path):
    for cell in cells(path, "markdown"):
        assert not unportable(cell.source), cell.source


@named(ON_ONE_PAGE)
def test_takes_up_each_statement_of_its_section(path):
    section = f"S{int(path.stem[:2])}."
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    missing = [name for name in STATEMENTS if name.startswith(section) and f'<a id="{name}"></a>' not in text]
    assert not missing


ANSWER = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", flags=re.DOTALL)


def places_of_right_answers(source):
    """For each question in a cell, the place of its right answer among the others: those that stand together belong to one question."""
    for question in re.split(r"(?<=</details>)\s+(?!<details>)", source):
        answers = ANSWER.findall(question)
        right = [place for place, (_, body) in enumerate(answers) if body.strip().startswith("Right")]
        if len(answers) > 1 and len(right) == 1:
            yield right[0]


@named(CHAPTERS)
def test_the_place_of_an_answer_does_not_tell_that_it_is_right(path):
    places = [place for cell in cells(path, "markdown") for place in places_of_right_answers(cell.source)]
    assert len(places) >= 6
    most = max(places.count(place) for place in places)
    assert most <= 0.6 * len(places), f"of {len(places)} right answers {most} stand in one place"


# --- the rules themselves ---------------------------------------------------------------------------------------------


def an_executed_notebook():
    nb = nbformat.v4.new_notebook(metadata={"widgets": {"state": {}}, "kernelspec": {"name": "mine", "display_name": "Mine"}})
    picture = {"image/png": "iVBOR", "text/plain": "Figure: a curve"}
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "f00"}}
    nb.cells = [
        nbformat.v4.new_markdown_cell("# A title"),
        nbformat.v4.new_code_cell(
            "show()",
            execution_count=1,
            metadata={"execution": {"iopub.execute_input": "2025"}, "tags": ["hide-input"], "collapsed": True},
            outputs=[
                nbformat.v4.new_output("display_data", picture, metadata={"image/png": {"width": 3}}),
                nbformat.v4.new_output("display_data", widget),
                nbformat.v4.new_output("stream", text="3\n"),
            ],
        ),
        nbformat.v4.new_code_cell("show()", execution_count=2),
    ]
    return nb


def test_cleaning_keeps_text_and_drops_what_varies():
    nb = notebooks.clean(an_executed_notebook())
    shown, again = nb.cells[1], nb.cells[2]
    assert [output.get("data") for output in shown.outputs] == [{"text/plain": "Figure: a curve"}, None]
    assert shown.metadata == {"tags": ["hide-input"]}
    assert nb.metadata == notebooks.METADATA
    assert again.id == shown.id + "-2"
    nbformat.validate(nb)


def test_cleaning_twice_changes_nothing():
    once = notebooks.clean(an_executed_notebook())
    assert notebooks.written(notebooks.clean(once)) == notebooks.written(once)


@pytest.mark.parametrize(
    "text",
    [
        "see {cite}`cybenko1989`",
        "```{note}\nhello\n```",
        ":::{tip}\nhello\n:::",
        "(anchor)=\n# Title",
        "text {.subtitle}",
        "% a comment",
        "![a picture](file.png)",
    ],
)
def test_unportable_markdown_is_found(text):
    assert unportable(text)


def test_portable_markdown_is_let_be():
    text = r"""# Title
A formula $\frac{a}{b}$ with `{code}` and a [link](../book/references.md#cybenko1989).

$$a^{(l)} = f(z) \tag{1.1}$$

```python
f"{x}"
```

<details><summary>Answer</summary>

| a | b |
|---|---|
| 1 | 2 |

</details>
"""
    assert not unportable(text)
