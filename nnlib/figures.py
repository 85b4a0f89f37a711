"""Matplotlib figures in the one style of the book.

Importing this module sets that style for every figure of the session. Lengths are chosen so that a figure of the usual
width, 640 CSS pixels, can still be read on a telephone, where it is shown at half its size.
"""

import base64
import html
import io
import re
import sys
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from cycler import cycler
from IPython.display import Markdown, display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from nnlib import publishing

__all__ = ["COLORS", "GREY", "INK", "MARKERS", "TINTS", "decision_regions", "figure", "show"]

# Paul Tol's "vibrant" colours, told apart by every kind of colour vision. They are three-digit colours, which `webp`
# keeps exactly; so are the tints that fill a region, and the ink.
COLORS = ["#0077bb", "#ee7733", "#009988", "#cc3311", "#33bbee", "#ee3377"]
TINTS = ["#ccddff", "#ffddcc", "#cceedd", "#ffcccc", "#ddffff", "#ffccee"]
MARKERS = ["o", "s", "^", "D", "v", "P"]
INK = "#222222"
GREY = "#888888"

STYLE: dict[Any, Any] = {
    "figure.dpi": 100,  # a CSS pixel is 1/100 inch, so that a figure of 6.4 by 4 inches is 640 by 400
    "figure.figsize": (6.4, 4.0),
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.labelsize": 13,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "legend.fontsize": 12,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "lines.markersize": 6,
    "image.cmap": "cividis",
}
matplotlib.rcParams.update(STYLE)


class Picture(NamedTuple):
    """An encoded picture, and the size in CSS pixels at which it is shown."""

    data: bytes
    width: int
    height: int


def figure(width=6.4, height=4.0):
    """Return an empty matplotlib figure of `width` by `height` inches, at 100 CSS pixels to the inch.

    It does not belong to pyplot, so nothing displays it by itself and nothing has to be closed.

    Examples
    --------
    >>> ax = figure(height=3.2).subplots()
    >>> ax.set_xlabel("z").get_fontsize()
    13.0
    """
    return Figure(figsize=(width, height))


def decision_regions(ax, predict, x, labels, *, names=None, resolution=240):
    """Draw on `ax` the regions into which a classifier cuts the plane, and the points it is to tell apart.

    A class has a colour and a marker of its own, so that it can be recognized without colour.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Its limits, if they were set, are kept; otherwise they are those of the points with a margin.
    predict : callable
        Takes points of shape (n, 2) to their classes, n integers.
    x : array of shape (n, 2)
        The points.
    labels : array of shape (n,)
        Their classes, 0 to at most 5.
    names : list of str, optional
        The name of each class, for a legend.
    resolution : int
        The number of grid points along each side.

    Examples
    --------
    >>> from nnlib import datasets, figures
    >>> x, y = datasets.xor(40, seed=0)
    >>> fig = figures.figure()
    >>> figures.decision_regions(fig.subplots(), lambda points: (points.prod(axis=1) < 0).astype(int), x, y)
    """
    x, labels = np.asarray(x), np.asarray(labels)
    if x.ndim != 2 or x.shape[1] != 2 or len(x) == 0:
        raise ValueError(f"decision_regions expects points of shape (n, 2), got {x.shape}")
    if labels.shape != x.shape[:1]:
        raise ValueError(f"decision_regions expects {len(x)} labels, one for each point, got shape {labels.shape}")
    if labels.min() < 0 or labels.max() >= len(COLORS):
        span = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"decision_regions expects labels from 0 to {len(COLORS) - 1}, got {span}")

    if ax.get_autoscalex_on():
        margin = 0.08 * np.ptp(x, axis=0)
        ax.set(xlim=(x[:, 0].min() - margin[0], x[:, 0].max() + margin[0]))
        ax.set(ylim=(x[:, 1].min() - margin[1], x[:, 1].max() + margin[1]))
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    across, up = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    grid = np.stack(np.meshgrid(across, up), axis=-1)
    regions = np.asarray(predict(grid.reshape(-1, 2))).reshape(resolution, resolution)

    for k in np.unique(regions):  # class by class: a contour of the class numbers would pass 1 on its way from 0 to 2
        inside = (regions == k).astype(float)
        if inside.all():
            ax.set_facecolor(TINTS[k])
        else:
            ax.contourf(across, up, inside, levels=[0.5, 1.5], colors=[TINTS[k]])
            ax.contour(across, up, inside, levels=[0.5], colors=[GREY], linewidths=1)
    for k in np.unique(labels):
        name = None if names is None else names[k]
        points = x[labels == k]
        ax.plot(*points.T, MARKERS[k], color=COLORS[k], markersize=4.5, markeredgewidth=0, label=name)
    if names is not None:
        ax.legend(loc="upper right")


def show(fig, caption="", *, alt):
    """Display `fig` with a caption: in a notebook as a picture, in the published book as a ``<figure>``.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure.
    caption : str
        Text with ``$…$`` mathematics.
    alt : str
        What a reader who does not see the picture needs to know.

    Examples
    --------
    >>> from nnlib import figures
    >>> figures.show(figures.figure(), alt="")
    Traceback (most recent call last):
        ...
    ValueError: show expects a text alternative, got an empty one
    """
    if not isinstance(fig, Figure):
        raise TypeError(f"show expects a matplotlib Figure, got {type(fig).__name__}")
    if not alt.strip():
        raise ValueError("show expects a text alternative, got an empty one")
    if publishing.folder() is None:
        picture = png(fig)
        data = {"image/png": base64.b64encode(picture.data).decode(), "text/plain": f"Figure: {alt}"}
        size = {"width": picture.width, "height": picture.height}
        display(data, metadata={"image/png": size}, raw=True)
        if caption:
            display(Markdown(caption))
    else:
        display({"text/html": _figure_html(webp(fig, scale=2), caption, alt), "text/plain": f"Figure: {alt}"}, raw=True)


def _figure_html(picture, caption, alt):
    address = publishing.write_picture(picture.data, ".webp")
    text = f"<figcaption>{caption_html(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="nn-figure"><img src="{address}" alt="{html.escape(alt)}" '
        f'width="{picture.width}" height="{picture.height}" loading="lazy" decoding="async">{text}</figure>'
    )


def caption_html(caption):
    r"""Return a caption as HTML, with its ``$…$`` as MathJax is told to find it.

    Examples
    --------
    >>> caption_html("a < b, with $x$")
    'a &lt; b, with <span class="math notranslate nohighlight">\\(x\\)</span>'
    """
    return re.sub(r"\$([^$]+)\$", r'<span class="math notranslate nohighlight">\\(\1\\)</span>', html.escape(caption))


def pixels(fig, scale):
    """Return `fig` drawn on white as an array of shape (height, width, 3), with `scale` pixels to a CSS pixel.

    A figure that belongs to pyplot is closed, or a notebook would display it once more.
    """
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    fig.set_dpi(100 * scale)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def png(fig):
    """Return `fig` as a PNG `Picture`, with two pixels to a CSS pixel."""
    return _encode(fig, pixels(fig, scale=2), format="PNG")


def webp(fig, scale):
    """Return `fig` as a WebP `Picture`.

    A drawing, where most neighbours are equal, is rounded to three-digit colours (16 levels of each primary, an error
    of at most 8 in 255, seen only in the soft edge of a line) and kept without loss: less than half the bytes, crisper
    letters and quicker than any lossy setting. A shaded picture, on which those levels would show, is compressed as a
    photograph is.
    """
    image = pixels(fig, scale)
    if np.mean((image[:, 1:] == image[:, :-1]).all(axis=-1)) > 0.8:
        return _encode(fig, ((image.astype(np.uint16) + 8) // 17 * 17).astype(np.uint8), format="WEBP", lossless=True)
    return _encode(fig, image, format="WEBP", quality=88)


def _encode(fig, image, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, **options)
    width, height = np.rint(fig.get_size_inches() * 100).astype(int)
    return Picture(buffer.getvalue(), int(width), int(height))
