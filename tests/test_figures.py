"""Figures: the style, the encoders, the regions of a classifier, and the two ways a figure is displayed."""

import base64
import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from nnlib import figures


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


def test_colours_are_kept_by_the_encoder_and_seen_on_white():
    def luminance(color):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    for color in [*figures.COLORS, *figures.TINTS, figures.INK, figures.GREY]:
        assert all(round(255 * c) % 17 == 0 for c in to_rgb(color)), color
    assert 1.05 / (luminance(figures.INK) + 0.05) > 12
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
