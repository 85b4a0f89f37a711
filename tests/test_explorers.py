"""Explorers: their controls, their two lives, and that these show the same."""

import base64
import html
import io
import itertools
import json
import re

import nbclient
import nbformat
import numpy as np
import pytest
from PIL import Image

from nnlib import explorers, figures
from nnlib.explorers import choice, explore, slider, toggle


def power(exponent, shape="line", grid=False):
    fig = figures.figure(3.2, 2)
    ax = fig.subplots()
    x = np.linspace(-1, 1, 21)
    ax.plot(x, x**exponent, {"line": "-", "points": "o"}[shape])
    ax.grid(grid)
    return fig


def words(exponent, shape="line", grid=False):
    return f"At x = 0.5 the power {exponent} is {0.5**exponent:.3f}."


def powers():
    return explore(
        power,
        title="Powers",
        describe=words,
        caption="It is $x^n$.",
        exponent=slider([1, 2, 3], "Exponent", start=2, play=True),
        shape=choice(["line", "points"], "Shape"),
        grid=toggle("Grid", start=True),
    )


def manifest_of(page):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.S).group(1))


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def widgets_in(widget):
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in widgets_in(child))]


class Live:
    """The live view of an explorer, and what a reader sees of it."""

    def __init__(self, explorer):
        self.root = explorers._live(explorer)
        self.inputs = {w.description: w for w in widgets_in(self.root) if getattr(w, "description", "")}

    def image(self):
        (source,) = [w.value for w in widgets_in(self.root) if str(getattr(w, "value", "")).startswith("<img")]
        alt, data = re.search(r'alt="([^"]*)".*base64,([^"]*)"', source).groups()
        return base64.b64decode(data), html.unescape(alt)


# Controls


def test_values_and_their_texts():
    control = slider(np.array([-0.5, 0.1 + 0.2, 1e-4]), "Rate", start=1e-4)
    assert control.texts == ["−0.5", "0.3", "0.0001"]
    assert control.start == 2
    assert all(type(value) is float for value in control.values)


def test_few_short_values_are_side_by_side():
    assert choice(["a", "b", "c", "d"], "Letter").side_by_side
    assert not choice(["a", "b", "c", "d", "e"], "Letter").side_by_side
    assert not choice(["binary cross-entropy", "mean squared error"], "Loss").side_by_side


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: slider([], "n"), ValueError, "the slider 'n' expects at least two values, got 0"),
        (lambda: slider([1], "n"), ValueError, "at least two values, got 1"),
        (lambda: slider([1, 2, 1.0], "n"), ValueError, "values that differ, got 1, 2, 1"),
        (
            lambda: choice(["a", "b"], "n", start="c"),
            ValueError,
            "the choice 'n' expects to start at one of a, b, got 'c'",
        ),
        (lambda: toggle(" "), ValueError, "a toggle expects a label"),
        (lambda: toggle("n", start=2), ValueError, "expects to start at one of off, on, got 2"),
        (lambda: choice([None, "b"], "n"), TypeError, "values that are numbers or words, got None"),
        (lambda: slider([1, float("nan")], "n"), ValueError, "finite"),
    ],
)
def test_a_control_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"title": " ", "exponent": [1, 2]}, ValueError, "expects a title, got ' '"),
        ({}, ValueError, "at least one control"),
        ({"exponent": 3}, TypeError, "expects exponent to be a control or a sequence of values, got 3"),
        ({"exponent": "ab"}, TypeError, "expects exponent to be a control or a sequence of values, got 'ab'"),
        (
            {"exponent": [1, 2], "colour": ["r", "g"]},
            TypeError,
            "draw cannot be called with the controls exponent, colour",
        ),
        ({"shape": ["line", "points"]}, TypeError, "draw cannot be called .* missing a required argument: 'exponent'"),
        (
            {"exponent": [1, 2], "describe": lambda power: "No."},
            TypeError,
            "describe cannot be called with the controls",
        ),
        ({"exponent": [1, 2], "describe": "A power."}, TypeError, "expects describe to be a function, got 'A power.'"),
    ],
)
def test_explore_refuses(options, error, message):
    with pytest.raises(error, match=message):
        explore(power, **({"title": "Powers", "describe": words} | options))


@pytest.mark.parametrize(
    ("draw", "describe", "error", "message"),
    [
        (lambda n: None, lambda n: "A sentence.", TypeError, "draw must return a matplotlib Figure, got NoneType"),
        (lambda n: figures.figure(), lambda n: " ", ValueError, "describe must return a sentence, got ' '"),
        (lambda n: figures.figure(), lambda n: f"{1 / n}", ZeroDivisionError, "division"),
    ],
)
def test_a_state_that_cannot_be_drawn_is_named(draw, describe, error, message):
    explorer = explore(draw, title="Broken", describe=describe, n=[0, 1])
    with pytest.raises(error, match=message) as caught:
        explorer.picture(n=0)
    assert caught.value.__notes__ == ["This happened in the explorer's state {'n': 0}."]


def test_plain_values_make_a_control():
    explorer = explore(power, title="Powers", describe=words, exponent=range(1, 4), shape=("line", "points"))
    assert [control.kind for control in explorer.controls.values()] == ["slider", "choice"]
    assert explorer.start() == {"exponent": 1, "shape": "line"}


def test_too_many_states_are_refused_with_advice():
    message = "'Powers' has 600 states, and the budget is 400: thin 'exponent' from 300 to 200 values"
    with pytest.raises(ValueError, match=message):
        explore(power, title="Powers", describe=words, exponent=range(300), shape=["line", "points"])
    explore(power, title="Powers", describe=words, exponent=range(200), shape=["line", "points"])
    with pytest.raises(ValueError, match="drop a control, or thin several"):
        explore(lambda **_: None, title="Many", describe=lambda **_: "", **{name: [1, 2, 3] for name in "abcdefgh"})


# Live


def test_the_live_view_shows_each_state():
    explorer = powers()
    live = Live(explorer)
    labels = [control.label for control in explorer.controls.values()]
    assert list(live.inputs) == labels
    indices = itertools.product(*(range(len(control.values)) for control in explorer.controls.values()))
    for state, at in zip(explorer.states(), indices, strict=True):
        for label, index in zip(labels, at, strict=True):
            live.inputs[label].value = index
        picture, sentence = explorer.picture(**state)
        assert live.image() == (picture.data, sentence)


def test_the_live_view_starts_at_the_start_and_remembers():
    drawn = []

    def draw(n):
        drawn.append(n)
        return figures.figure(2, 1)

    live = Live(explore(draw, title="Count", describe=lambda n: f"It is {n}.", n=slider([1, 2, 3], "n", start=2)))
    for index in (2, 1, 0, 1):
        live.inputs["n"].value = index
    assert drawn == [2, 3, 1]


def test_the_kinds_of_widget():
    kinds = {w.description: type(w).__name__ for w in Live(powers()).inputs.values()}
    assert kinds == {"Exponent": "SelectionSlider", "Shape": "ToggleButtons", "Grid": "Checkbox"}
    assert any(type(w).__name__ == "Play" for w in widgets_in(Live(powers()).root))


def test_the_notebook_keeps_a_summary_in_words():
    bundle = powers()._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert bundle["text/plain"] == (
        "Explorer: Powers\n"
        "  Exponent: 1 … 3 (3 values), starts at 2\n"
        "  Shape: line, points, starts at line\n"
        "  Grid: off, on, starts at on\n"
        "  At x = 0.5 the power 2 is 0.250."
    )


# Published


def test_both_lives_show_the_same_in_every_state(publish):
    explorer = powers()
    page = explorer._repr_mimebundle_()["text/html"]
    manifest = manifest_of(page)
    assert manifest["controls"] == [
        {"name": "exponent", "values": ["1", "2", "3"]},
        {"name": "shape", "values": ["line", "points"]},
        {"name": "grid", "values": ["off", "on"]},
    ]
    assert len(manifest["states"]) == len(explorer.states()) == 12
    for state, (p, s) in zip(explorer.states(), manifest["states"], strict=True):
        picture, sentence = explorer.picture(**state)
        file = publish / manifest["pictures"][p].removeprefix("../_media/")
        assert np.array_equal(pixels(file.read_bytes()), pixels(picture.data))
        assert manifest["sentences"][s] == sentence
    assert len({manifest["pictures"][p] for p, _ in manifest["states"]}) == 12


def test_the_page_opens_with_the_start(publish):
    explorer = powers()
    page = explorer._repr_mimebundle_()["text/html"]
    picture, sentence = explorer.picture(**explorer.start())
    pattern = r'<img class="nn-picture" src="(.*?)" alt="(.*?)" width="(\d+)" height="(\d+)"'
    source, alt, width, height = re.search(pattern, page).groups()
    assert (publish / source.removeprefix("../_media/")).read_bytes() == picture.data
    assert (html.unescape(alt), width, height) == (sentence, "320", "200")
    assert f'<p class="nn-sentence" aria-live="polite">{sentence}</p>' in page
    assert '<div class="nn-controls" hidden>' in page, "without JavaScript there must be no dead controls"
    assert r'<figcaption>It is <span class="math notranslate nohighlight">\(x^n\)</span>.</figcaption>' in page


def test_a_photograph_is_named_so(publish):
    page = explore(power, title="Powers", describe=words, photo=True, exponent=[1, 2])._repr_mimebundle_()["text/html"]
    assert page.count('class="nn-picture nn-photo"') == 1
    assert "nn-photo" not in powers()._repr_mimebundle_()["text/html"]


def test_every_control_is_a_native_one_with_a_label(publish):
    page = powers()._repr_mimebundle_()["text/html"]
    ids = re.findall(r'<input [^>]*id="([^"]+)"', page)
    assert len(ids) == 2
    for name in ids:
        assert f'<label for="{name}">' in page
    assert 'min="0" max="2" value="1" aria-valuetext="2"' in page
    assert "<legend>Shape</legend>" in page
    assert re.findall(r'<input type="radio"[^>]*>', page)[0].endswith("checked>")
    assert re.search(r'role="switch"[^>]* checked>', page)
    assert page.count('<button type="button" class="nn-play">') == 1
    assert page.count('autocomplete="off"') == 4, "or a browser fills them in after a reload"


def test_many_values_are_a_list(publish):
    explorer = explore(power, title="Powers", describe=words, exponent=choice(range(1, 7), "Exponent", start=3))
    page = explorer._repr_mimebundle_()["text/html"]
    options = re.findall(r"<option( selected)?>(\d)</option>", page)
    assert options == [(" selected" if n == 3 else "", str(n)) for n in range(1, 7)]


def test_equal_pictures_and_sentences_are_shared(publish):
    explorer = explore(
        lambda n, m: power(n % 2 + 1), title="Parity", describe=lambda n, m: f"Remainder {n % 2}.", n=range(6), m=[0, 1]
    )
    manifest = manifest_of(explorer._repr_mimebundle_()["text/html"])
    assert len(list(publish.iterdir())) == len(manifest["pictures"]) == len(manifest["sentences"]) == 2
    assert manifest["states"] == [[n % 2, n % 2] for n in range(6) for _ in range(2)]


def test_text_is_escaped(publish):
    nasty = '</script><script>alert("1")</script><!-- & \' "'
    explorer = explore(
        lambda n: power(1), title=nasty, describe=lambda n: nasty, caption=nasty, n=choice([nasty, "b"], nasty)
    )
    page = explorer._repr_mimebundle_()["text/html"]
    assert page.count("<script") == page.count("</script>") == 1
    manifest = manifest_of(page)
    assert manifest["sentences"] == [nasty]
    assert manifest["controls"][0]["values"] == [nasty, "b"]
    assert html.unescape(re.search(r'alt="(.*?)" width', page)[1]) == nasty


def test_too_many_bytes_are_refused_with_advice(publish, monkeypatch):
    monkeypatch.setattr(explorers, "MAX_BYTES", 12_000)
    message = r"'Powers' have [\d,]+ bytes, and the budget is 12,000: thin 'exponent' from 8 to 4 values, or draw less"
    with pytest.raises(ValueError, match=message):
        explore(power, title="Powers", describe=words, exponent=range(1, 9))._repr_mimebundle_()


def test_figures_of_two_sizes_are_refused(publish):
    explorer = explore(lambda n: figures.figure(n, 2), title="Sizes", describe=lambda n: "A size.", n=[2, 3])
    with pytest.raises(ValueError, match=r"'Sizes' differ in size: \[\(200, 200\), \(300, 200\)\]"):
        explorer._repr_mimebundle_()


SETUP = """
import functools
import numpy as np
from nnlib import figures
from nnlib.explorers import explore

weights = np.arange(4.0)

def value(n):
    return float(weights[n])

@functools.cache
def cached(n):
    return value(n)

def draw(n):
    fig = figures.figure(2, 1)
    fig.subplots().plot([0, value(n)])
    return fig
"""
EXPLORER = "explore(draw, title='Kernel', describe=lambda n: f'It is {value(n)}.', n=range(4))"


@pytest.fixture
def outputs_in_a_kernel(monkeypatch):
    def outputs(source):
        monkeypatch.delenv("PYTEST_CURRENT_TEST")  # at its sight a kernel treats its streams as it never does else
        cells = [nbformat.v4.new_code_cell(SETUP), nbformat.v4.new_code_cell(source)]
        notebook = nbformat.v4.new_notebook(cells=cells)
        nbclient.execute(notebook, kernel_name="python3")
        assert notebook.cells[0].outputs == []
        return notebook.cells[1].outputs

    return outputs


def test_in_a_kernel_nothing_but_the_explorer_lands_in_the_page(publish, outputs_in_a_kernel):
    (output,) = outputs_in_a_kernel(EXPLORER)
    assert set(output.data) == {"text/html", "text/plain"}
    assert manifest_of(output.data["text/html"])["sentences"] == [f"It is {n}.0." for n in range(4)]


def test_what_cannot_be_sent_to_other_processes_is_named(publish, outputs_in_a_kernel):
    with pytest.raises(nbclient.exceptions.CellExecutionError, match=r"a function under functools\.cache cannot be"):
        outputs_in_a_kernel(EXPLORER.replace("value", "cached"))


def test_in_a_live_kernel_there_is_a_widget(outputs_in_a_kernel):
    (output,) = outputs_in_a_kernel(EXPLORER.replace("value", "cached"))
    assert set(output.data) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
