"""Figures: the style, the encoders, the regions of a classifier, and the two ways a figure is displayed."""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from nnlib import backprop, figures
from nnlib.losses import mse
from nnlib.mlp import MLP
from nnlib.training import History


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def drawing():
    fig = figures.figure()
    ax = fig.subplots()
    ax.plot(np.linspace(-1, 1), np.linspace(-1, 1) ** 2, label="square")
    ax.set(xlabel="$x$", ylabel="y", title="A parabola")
    return fig


def photograph():
    fig = figures.figure()
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.imshow(np.random.default_rng(0).random((40, 64)), interpolation="bicubic", aspect="auto")
    return fig


@pytest.fixture
def displayed(monkeypatch):
    """`figures.show`, which returns what a notebook would be given to display."""
    outputs = []
    monkeypatch.setattr(figures, "display", lambda output, **_: outputs.append(output))

    def show(*arguments, **options):
        outputs.clear()
        figures.show(*arguments, **options)
        return [output if isinstance(output, dict) else output.data for output in outputs]

    return show


def test_text_can_be_read_at_half_size():
    """Shown 328 CSS pixels wide on a telephone, a letter of the usual figure is at least 8.5 pixels high."""
    style = matplotlib.rcParams
    sizes = [style[name] for name in ("font.size", "axes.labelsize", "xtick.labelsize", "legend.fontsize")]
    assert min(sizes) * 100 / 72 * 328 / 640 >= 8.5


def linear(color):
    c = np.asarray(color)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """The ratio of WCAG 2, from 1 to 21."""
    low, high = sorted(np.dot([0.2126, 0.7152, 0.0722], linear(color)) + 0.05 for color in (one, other))
    return high / low


def on_the_light_page(color):
    return np.array(to_rgb(color))


def on_the_dark_page(color):
    """The colour after `filter: invert(0.93) hue-rotate(180deg)`, with which explorers.css shows a drawing there."""
    grey = np.full((3, 3), [0.213, 0.715, 0.072])
    return np.clip((2 * grey - np.eye(3)) @ (0.93 - 0.86 * np.array(to_rgb(color))), 0, 1)


# What is left of a colour, in linear RGB, without one of the three kinds of cones (Machado, Oliveira and Fernandes, 2009).
VISION = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# To OKLab (Ottosson, 2020), where equal distances look equally far: 1 from black to white.
CONES = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]
OPPONENTS = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]]


@pytest.mark.parametrize("page", [on_the_light_page, on_the_dark_page])
class TestColours:
    def test_lines_and_letters_are_seen(self, page):
        """WCAG 2.2: 3 to 1 for what is drawn, 4.5 to 1 for what is written, also in the boxes of a graph."""
        paper = page("white")
        assert [color for color in [*figures.COLORS, figures.GREY] if contrast(page(color), paper) < 3] == []
        written = figures.INK, figures.COLORS[3]
        assert [(ink, fill) for ink in written for fill in ("white", *figures.FILLS.values()) if contrast(page(ink), page(fill)) < 4.5] == []

    @pytest.mark.parametrize("vision", VISION)
    def test_colours_are_told_apart(self, page, vision):
        seen = [np.clip(VISION[vision] @ linear(page(color)), 0, 1) for color in figures.COLORS]
        places = np.array([OPPONENTS @ np.cbrt(CONES @ color) for color in seen])
        distances = np.linalg.norm(places[:, None] - places, axis=-1)[np.triu_indices(len(places), 1)]
        assert distances.min() > 0.08


def test_the_dark_page_is_the_one_of_the_style_sheet():
    style = (Path(__file__).parents[1] / "book/_static/explorers.css").read_text()
    assert "filter: invert(0.93) hue-rotate(180deg);" in style
    assert on_the_dark_page("white") == pytest.approx(0.07)


def test_colours_are_kept_by_the_encoder_and_have_markers():
    for color in [*figures.COLORS, *figures.TINTS, figures.INK, figures.GREY]:
        assert all(round(255 * c) % 17 == 0 for c in to_rgb(color)), color
    assert len(figures.COLORS) == len(figures.TINTS) == len(figures.MARKERS) == len(set(figures.MARKERS))


def test_a_drawing_is_small_crisp_and_the_same_each_time():
    picture = figures.webp(drawing(), scale=2)
    assert picture == figures.webp(drawing(), scale=2)
    assert (picture.width, picture.height) == (640, 400)
    exact = decode(figures.png(drawing()).data)
    assert exact.shape == (800, 1280, 3)
    assert np.abs(decode(picture.data) - exact).max() <= 8
    assert len(picture.data) < 16_000


def test_a_photograph_is_compressed_as_one():
    picture = figures.webp(photograph(), scale=1)
    exact = figures.pixels(photograph(), scale=1).astype(int)
    assert len(picture.data) < exact.size / 10
    assert 0 < np.abs(decode(picture.data) - exact).mean() < 6


def test_a_figure_does_not_depend_on_pyplot():
    code = "import sys, nnlib.figures as f; f.png(f.figure()); assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_of_pyplot_is_closed(displayed):
    import matplotlib.pyplot as plt

    fig = plt.figure()
    displayed(fig, alt="Nothing.")
    assert plt.get_fignums() == []


def test_decision_regions_are_those_of_the_classifier():
    points, labels = np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([0, 2])
    fig = figures.figure()
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-2, 2), ylim=(-1, 1))
    figures.decision_regions(ax, lambda p: np.where(p[:, 0] > 0.5, 2, np.where(p[:, 0] > -0.5, 1, 0)), points, labels)
    image = figures.pixels(fig, scale=1)
    for x, k in [(-1.5, 0), (0, 1), (1.5, 2)]:
        assert tuple(image[50, int((x + 2) * 160)]) == tuple(round(255 * c) for c in to_rgb(figures.TINTS[k]))
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [line.get_marker() for line in drawn] == ["o", "^"]
    assert [line.get_color() for line in drawn] == [figures.COLORS[0], figures.COLORS[2]]


def test_decision_regions_of_one_class_fill_the_plane_and_frame_the_points():
    points = np.array([[0.0, 0.0], [10.0, 5.0]])
    fig = figures.figure()
    ax = fig.subplots()
    figures.decision_regions(ax, lambda p: np.ones(len(p), int), points, np.array([0, 1]), names=["no", "yes"])
    assert ax.get_facecolor()[:3] == to_rgb(figures.TINTS[1])
    assert ax.get_xlim() == pytest.approx((-0.8, 10.8)) and ax.get_ylim() == pytest.approx((-0.4, 5.4))
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["no", "yes"]


@pytest.mark.parametrize(
    ("x", "labels", "message"),
    [
        (np.zeros((3, 3)), np.zeros(3, int), r"points of shape \(n, 2\), got \(3, 3\)"),
        (np.zeros((0, 2)), np.zeros(0, int), r"points of shape \(n, 2\), got \(0, 2\)"),
        (np.zeros((3, 2)), np.zeros(2, int), r"3 labels, one for each point, got shape \(2,\)"),
        (np.zeros((2, 2)), np.array([0, 6]), "labels from 0 to 5, got 0 to 6"),
    ],
)
def test_decision_regions_refuses(x, labels, message):
    with pytest.raises(ValueError, match=message):
        figures.decision_regions(figures.figure().subplots(), lambda p: np.zeros(len(p)), x, labels)


# --- a training run ---------------------------------------------------------------------------------------------------


def lines(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_history_draws_all_there_is():
    record = History(
        train_loss=[2.0, 1.0, 0.5], validation_loss=[1.5, 0.9, 1.0], validation_metric=[0.3, 0.6, 0.5], learning_rate=[0.1, 0.05, 0.001], best_epoch=2
    )
    fig = figures.history(record)
    loss, metric, rate = fig.axes
    assert [ax.get_ylabel() for ax in fig.axes] == ["loss", "metric", "learning rate"]
    assert rate.get_xlabel() == "epoch" and (loss.get_xlabel(), metric.get_xlabel()) == ("", "")
    drawn = lines(loss)
    assert list(drawn) == ["training", "validation", "best: epoch 2"]
    assert drawn["training"].get_xydata().tolist() == [[0.5, 2], [1.5, 1], [2.5, 0.5]]
    assert drawn["validation"].get_xydata().tolist() == [[1, 1.5], [2, 0.9], [3, 1]]
    assert list(drawn["best: epoch 2"].get_xdata()) == [2, 2]
    assert metric.lines[0].get_xydata().tolist() == [[1, 0.3], [2, 0.6], [3, 0.5]]
    assert rate.lines[0].get_xydata().tolist() == [[1, 0.1], [2, 0.05], [3, 0.001]]
    assert len({line.get_color() for line in (*drawn.values(), metric.lines[0], rate.lines[0])}) == 5
    assert [ax.get_yscale() for ax in fig.axes] == ["linear", "linear", "log"]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == list(drawn)
    assert fig.get_size_inches().tolist() == pytest.approx([6.4, 6.2])
    assert figures.png(fig).height == 620


def test_history_draws_losses_alone_and_where_training_diverged():
    fig = figures.history(History(train_loss=[0.5, 25.0], diverged_at=17))
    (ax,) = fig.axes
    drawn = lines(ax)
    assert list(drawn) == ["training", "diverged at step 17"]
    assert list(drawn["diverged at step 17"].get_xdata()) == [2.5, 2.5]
    assert ax.get_yscale() == "log" and ax.get_xlim() == (0, 2.6)
    fig = figures.history(History(diverged_at=3))
    assert list(lines(fig.axes[0])) == ["diverged at step 3"]
    assert figures.png(fig).height == 340


@pytest.mark.parametrize(("values", "scale"), [([1, 20], "linear"), ([1, 20.1], "log"), ([0.0, 100], "linear"), ([-1, 100], "linear")])
def test_history_is_logarithmic_where_values_span_more_than_a_factor_of_twenty(values, scale):
    assert figures.history(History(train_loss=values)).axes[0].get_yscale() == scale
    assert figures.history(History(train_loss=values[:1], validation_loss=values[1:])).axes[0].get_yscale() == scale


def test_few_epochs_are_marked():
    for epochs, marker in ((1, "o"), (12, "o"), (13, "None")):
        assert figures.history(History(train_loss=[1.0] * epochs)).axes[0].lines[0].get_marker() == marker


# --- the computational graph ------------------------------------------------------------------------------------------


def small_graph(step=0, sizes=(2, 3, 1)):
    model = MLP(sizes, "tanh", seed=1)
    model.theta += 0.1 + step
    return backprop.graph(model, mse, np.array([[0.5, -1.0, 2.0][: sizes[0]]]), np.ones((1, sizes[-1])))


def labels(nodes, edges):
    """What stands in the picture, whoever draws it."""
    parts = [f"{name} {figures._number(value)}" if name.startswith("b") else (name, figures._number(value)) for name, (value, _) in nodes.items()]
    parts = [text for part in parts for text in ([part] if isinstance(part, str) else part)]
    parts += [f"∂ {figures._number(gradient)}" for _, gradient in nodes.values()]
    parts += [figures._number(slope) for (tail, _), (slope, _) in edges.items() if not tail.startswith("b")]
    return sorted(parts + [f"∂ {figures._number(gradient)}" for _, gradient in edges.values() if gradient is not None])


DOT = """#!{python}
import io, pathlib, sys
from PIL import Image
pathlib.Path({source!r}).write_text(sys.stdin.buffer.read().decode("utf-8"), encoding="utf-8")
Image.new("RGB", (1280, 600), "#ff0000").save(sys.stdout.buffer, format="PNG")
"""


@pytest.fixture
def fake_dot(tmp_path, monkeypatch):
    """A program `dot` that notes what it is to draw, and draws a red picture of 1280 by 600 pixels."""
    program, source = tmp_path / "dot", tmp_path / "source.gv"
    program.write_text(DOT.format(python=sys.executable, source=str(source)), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return source


@pytest.fixture
def no_dot(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))


def test_graphviz_draws_the_graph_where_it_is_installed(fake_dot):
    nodes, edges = small_graph()
    fig = figures.graph(nodes, edges)
    assert fig.get_size_inches().tolist() == [6.4, 3.0]
    assert {tuple(color) for color in figures.pixels(fig, scale=2).reshape(-1, 3)} == {(255, 0, 0)}
    source = fake_dot.read_text(encoding="utf-8")
    assert sorted(re.findall(r"<FONT[^>]*>([^<]*)</FONT>", source)) == labels(nodes, edges)
    arrows = {tuple(re.findall(r'"?([^\s"]+)"? -> "?([^\s"]+)"?', line)[0]) for line in source.splitlines() if "->" in line}
    assert arrows == set(edges)
    red = re.findall(rf'<FONT COLOR="{figures.COLORS[3]}">([^<]*)</FONT>', source)
    assert len(red) == len(nodes) + 9 and all(text.startswith("∂ ") for text in red)


def test_matplotlib_draws_the_graph_where_graphviz_is_not(no_dot):
    nodes, edges = small_graph()
    fig = figures.graph(nodes, edges)
    (ax,) = fig.axes
    texts = [text for text in ax.texts if text.get_text()]
    assert sorted(text.get_text() for text in texts) == labels(nodes, edges)
    assert {text.get_color() for text in texts if text.get_text().startswith("∂")} == {figures.COLORS[3]}
    assert {text.get_color() for text in texts if not text.get_text().startswith("∂")} == {figures.INK}
    arrows = [text for text in ax.texts if not text.get_text()]
    assert len(arrows) == len(edges)
    assert fig.get_size_inches()[0] == pytest.approx(6.4, abs=0.01)


@pytest.mark.parametrize("sizes", [(2, 3, 1), (3, 2, 2), (1, 1), (2, 3, 3, 1)], ids=str)
def test_nothing_in_the_graph_of_matplotlib_covers_a_label_or_stands_outside(no_dot, sizes):
    fig = figures.graph(*small_graph(sizes=sizes))
    (ax,) = fig.axes
    figures.pixels(fig, scale=1)
    texts = [text for text in ax.texts if text.get_text()]
    places = [text.get_window_extent() for text in texts]
    inside = fig.bbox.padded(1)
    for i, one in enumerate(places):
        assert inside.x0 <= one.x0 and one.x1 <= inside.x1 and inside.y0 <= one.y0 and one.y1 <= inside.y1, texts[i].get_text()
        for j, other in enumerate(places[:i]):
            wide = min(one.x1, other.x1) - max(one.x0, other.x0)
            high = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert wide <= 3 or high <= 3, f"{texts[i].get_text()!r} and {texts[j].get_text()!r}"  # a line of text has 3 pixels to spare


def test_nothing_moves_from_one_training_step_to_the_next(fake_dot, monkeypatch, tmp_path):
    """All that the layout depends on is the same: for dot the sizes of the labels, for matplotlib the places of the texts."""
    sources, places = [], []
    for step in (0, 3, -1e4):
        figures.graph(*small_graph(step))
        sources.append(re.sub(r"(<FONT[^>]*>)[^<]*", r"\1", fake_dot.read_text(encoding="utf-8")))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    for step in (0, 3, -1e4):
        fig = figures.graph(*small_graph(step))
        places.append([text.get_position() for text in fig.axes[0].texts])
    assert sources[0] == sources[1] == sources[2] and places[0] == places[1] == places[2]


@pytest.mark.skipif(shutil.which("dot") is None, reason="the program dot of graphviz is not installed")
def test_the_real_dot_draws_labels_that_fit(capfd):
    for step in (0, 3, -1e4):
        fig = figures.graph(*small_graph(step))
    assert 6 < fig.get_size_inches()[0] < 8
    assert capfd.readouterr().err == ""  # dot warns where a label is larger than its cell


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (1, "1.00"), (-0.125, "−0.12"), (0.01, "0.01"), (0.0099, "1e−2"), (-0.00012, "−1e−4"), (1e-12, "1e−12"),
        (9.99, "9.99"), (10, "10"), (-999, "−999"), (1000, "1e3"), (-2.6e12, "−3e12"),
    ],
)  # fmt: skip
def test_a_number_in_a_box_has_at_most_six_letters(value, text):
    assert figures._number(value) == text and len(text) <= 6


# --- shown ------------------------------------------------------------------------------------------------------------


def test_show_in_a_notebook(displayed):
    picture, caption = displayed(drawing(), "Where $x^2$ is.", alt="A parabola.")
    assert base64.b64decode(picture["image/png"]) == figures.png(drawing()).data
    assert picture["text/plain"] == "Figure: A parabola."
    assert caption == "Where $x^2$ is."


def test_show_in_the_book(publish, displayed):
    (output,) = displayed(drawing(), 'Where $x^2 < 1$ & "so on".', alt='A "parabola" <here>.')
    assert output["text/plain"] == 'Figure: A "parabola" <here>.'
    (file,) = publish.iterdir()
    assert file.read_bytes() == figures.webp(drawing(), scale=2).data
    assert output["text/html"] == (
        f'<figure class="nn-figure"><img src="../_media/{file.name}" alt="A &quot;parabola&quot; &lt;here&gt;." '
        'width="640" height="400" loading="lazy" decoding="async">'
        '<figcaption>Where <span class="math notranslate nohighlight">\\(x^2 &lt; 1\\)</span> &amp; '
        "&quot;so on&quot;.</figcaption></figure>"
    )


def test_show_refuses():
    with pytest.raises(TypeError, match="expects a matplotlib Figure, got Axes"):
        figures.show(figures.figure().subplots(), alt="Axes.")
    with pytest.raises(ValueError, match="expects a text alternative"):
        figures.show(figures.figure(), alt=" ")
