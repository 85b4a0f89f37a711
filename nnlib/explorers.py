"""Explorers: a figure the reader can move, in a live notebook and in the published book.

`explore` takes a function that draws one state and the values of each control. In a live notebook the controls are
ipywidgets and a state is drawn when it is asked for. When the book is built every state is drawn beforehand, and the
page gets plain HTML controls that choose among the pictures (``book/_static/explorers.js``): no kernel, no network.
"""

import base64
import html
import inspect
import itertools
import json
import math
import numbers
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import NamedTuple

import joblib
import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from nnlib import figures, publishing

__all__ = ["choice", "explore", "slider", "toggle"]

MAX_STATES = 400  # of one explorer
MAX_BYTES = 1_500_000  # of the pictures of one explorer
SCALE = 1.25  # pixels to a CSS pixel: on a telephone, where a picture is shown smaller, about 1.75
STEP = 600  # milliseconds between two values of a slider that plays
FEW = 4  # so many short values are buttons side by side; more are a list to choose from


@dataclass(frozen=True)
class Control:
    """One control: its kind (``"slider"``, ``"choice"`` or ``"toggle"``), what it can be set to, where it starts."""

    kind: str
    values: tuple
    label: str
    start: int  # the index of a value
    play: bool = False

    @property
    def texts(self):
        """What the reader sees in place of each value."""
        return [text(value) for value in self.values]

    @property
    def side_by_side(self):
        """Whether the values of a choice are few and short enough to be buttons."""
        return len(self.values) <= FEW and sum(map(len, self.texts)) <= 32


def slider(values, label, start=None, play=False):
    """Return a control that moves through `values` in their order.

    Parameters
    ----------
    values : sequence of numbers or strings
    label : str
        The name of the control, for the eye and for a screen reader.
    start : optional
        The value it starts at; by default the first.
    play : bool
        Whether a button beside it runs through the values.

    Examples
    --------
    >>> slider([-0.5, 0, 0.5], "Bias b", start=0).texts
    ['−0.5', '0', '0.5']
    """
    return _control("slider", values, label, start, play)


def choice(values, label, start=None):
    """Return a control that picks one of `values`: buttons when they are few and short, otherwise a list.

    Examples
    --------
    >>> choice(["sigmoid", "tanh", "ReLU"], "Activation", start="tanh").start
    1
    """
    return _control("choice", values, label, start)


def toggle(label, start=False):
    """Return a control that is off (``False``) or on (``True``).

    Examples
    --------
    >>> toggle("Show the data", start=True).values
    (False, True)
    """
    return _control("toggle", (False, True), label, start)


def _control(kind, values, label, start, play=False):
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"a {kind} expects a label that names it, got {label!r}")
    values = tuple(value.item() if isinstance(value, np.generic) else value for value in values)
    if len(values) < 2:
        raise ValueError(f"the {kind} {label!r} expects at least two values, got {len(values)}")
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise ValueError(f"the {kind} {label!r} expects finite values, got {values}")
    texts = [text(value) for value in values]
    if len(set(texts)) < len(texts):
        raise ValueError(f"the {kind} {label!r} expects values that differ, got {', '.join(texts)}")
    if start is not None and start not in values:
        raise ValueError(f"the {kind} {label!r} expects to start at one of {', '.join(texts)}, got {start!r}")
    return Control(kind, values, label, 0 if start is None else values.index(start), play)


def text(value):
    """Return a value of a control as the reader sees it.

    Examples
    --------
    >>> text(-0.5), text(0.1 + 0.2), text(1000), text(1e-5), text(True), text("ReLU")
    ('−0.5', '0.3', '1000', '1e−5', 'on', 'ReLU')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, numbers.Real):
        return f"{value:.10g}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")
    raise TypeError(f"a control expects values that are numbers or words, got {value!r}")


class Drawn(NamedTuple):
    """What an explorer shows in one state: a picture, and the sentence that says the same."""

    picture: figures.Picture
    sentence: str


class Explorer:
    """A figure with controls, made by `explore`; a notebook displays it when it is the last value of a cell."""

    _count = itertools.count(1)  # the ids of two explorers on one page must differ

    def __init__(self, draw, title, describe, caption, photo, controls):
        self.draw, self.describe = draw, describe
        self.title, self.caption, self.photo = title, caption, photo
        self.controls = controls
        self.id = f"explorer-{next(self._count)}"

    def states(self):
        """Return every state, a dict from the names of the controls to their values; the last control runs fastest."""
        values = itertools.product(*(control.values for control in self.controls.values()))
        return [dict(zip(self.controls, state, strict=True)) for state in values]

    def start(self):
        """Return the state in which the explorer opens."""
        return {name: control.values[control.start] for name, control in self.controls.items()}

    def picture(self, **state):
        """Draw one state: its picture and its sentence. Both lives show what this returns."""
        return _drawn(self.draw, self.describe, state)

    def summary(self):
        """Return the explorer in words, the same on every machine."""
        lines = [f"Explorer: {self.title}"]
        for control in self.controls.values():
            texts = control.texts
            span = f"{texts[0]} … {texts[-1]} ({len(texts)} values)" if control.kind == "slider" else ", ".join(texts)
            lines.append(f"  {control.label}: {span}, starts at {texts[control.start]}")
        return "\n".join([*lines, f"  {self.describe(**self.start())}"])

    def _repr_mimebundle_(self, **_):
        if publishing.folder() is not None:
            return {"text/html": _published(self), "text/plain": self.summary()}
        view = _live(self)._repr_mimebundle_()
        return {**view, "text/plain": self.summary()}


def explore(draw, *, title, describe, caption="", photo=False, **controls):
    """Return a figure that the reader can move.

    Parameters
    ----------
    draw : callable
        Takes one value for each control, by name, and returns a matplotlib figure (see `nnlib.figures.figure`). All
        figures of an explorer have one size. When the book is built it runs in other processes, on all cores, to which
        what it uses of the notebook is sent; a function under `functools.cache` cannot be.
    title : str
        A few words above the picture.
    describe : callable
        Takes what `draw` takes and returns the sentence that says in words what the picture shows, with its numbers.
        It is written under the picture, and is what a reader who does not see it is told.
    caption : str
        Text with ``$…$`` mathematics, the same in every state.
    photo : bool
        Whether the pictures hold photographs, which the published book does not invert in dark mode.
    **controls
        For each argument of `draw` a `slider`, `choice` or `toggle`, or simply its values: numbers make a slider,
        words a choice. The controls multiply: an explorer has at most 400 states.

    Examples
    --------
    >>> from nnlib import figures
    >>> def line(slope):
    ...     fig = figures.figure()
    ...     fig.subplots().axline((0, 0), slope=slope)
    ...     return fig
    >>> explorer = explore(line, title="A line", describe=lambda slope: f"It rises by {slope} per unit.", slope=[1, 2])
    >>> explorer.states()
    [{'slope': 1}, {'slope': 2}]
    >>> explorer.picture(slope=2).sentence
    'It rises by 2 per unit.'
    """
    if not isinstance(title, str) or not title.strip():
        raise ValueError(f"explore expects a title, got {title!r}")
    if not controls:
        raise ValueError("explore expects at least one control; a figure without any is shown by figures.show")
    controls = {name: _as_control(name, values) for name, values in controls.items()}
    for function, role in ((draw, "draw"), (describe, "describe")):
        if not callable(function):
            raise TypeError(f"explore expects {role} to be a function, got {function!r}")
        try:
            inspect.signature(function).bind(**controls)
        except TypeError as error:
            raise TypeError(f"{role} cannot be called with the controls {', '.join(controls)}: {error}") from None
    states = math.prod(len(control.values) for control in controls.values())
    if states > MAX_STATES:
        advice = _advice(controls.values(), states / MAX_STATES)
        raise ValueError(f"the explorer {title!r} has {states} states, and the budget is {MAX_STATES}: {advice}")
    return Explorer(draw, title, describe, caption, photo, controls)


def _as_control(name, values):
    if isinstance(values, Control):
        return values
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"explore expects {name} to be a control or a sequence of values, got {values!r}")
    values = list(values)
    make = choice if any(isinstance(value, str) for value in values) else slider
    return make(values, name.replace("_", " "))


def _advice(controls, excess):
    """Say how to come within a budget that is exceeded `excess` times."""
    longest = max(controls, key=lambda control: len(control.values))
    keep = int(len(longest.values) / excess)
    if keep < 2:
        return f"drop a control, or thin several (the longest, {longest.label!r}, has {len(longest.values)} values)"
    return f"thin {longest.label!r} from {len(longest.values)} to {keep} values"


def _drawn(draw, describe, state):
    """Draw one state, in whatever process this is."""
    try:
        fig, sentence = draw(**state), describe(**state)
        if not isinstance(fig, Figure):
            raise TypeError(f"draw must return a matplotlib Figure, got {type(fig).__name__}")
        if not isinstance(sentence, str) or not sentence.strip():
            raise ValueError(f"describe must return a sentence, got {sentence!r}")
    except Exception as error:
        error.add_note(f"This happened in the explorer's state {state}.")
        raise
    return Drawn(figures.webp(fig, SCALE), sentence)


# Live ------------------------------------------------------------------------------------------------------------


def _live(explorer):
    """Return the ipywidgets view of an explorer: a state is drawn when it is asked for, and remembered."""
    import ipywidgets  # not at the top: a book being built, with its processes that draw, does without

    image, sentence = ipywidgets.HTML(), ipywidgets.HTML()
    inputs = [_live_input(control) for control in explorer.controls.values()]
    seen = {}

    def update(_=None):
        at = tuple(int(widget.value) for widget, _ in inputs)
        if at not in seen:
            values = (control.values[i] for control, i in zip(explorer.controls.values(), at, strict=True))
            seen[at] = explorer.picture(**dict(zip(explorer.controls, values, strict=True)))
        picture, words = seen[at]
        image.value = (
            f'<img alt="{html.escape(words)}" width="{picture.width}" style="max-width:100%;height:auto" '
            f'src="data:image/webp;base64,{base64.b64encode(picture.data).decode()}">'
        )
        sentence.value = f"<p>{html.escape(words)}</p>"

    for widget, _ in inputs:
        widget.observe(update, "value")
    update()
    title = ipywidgets.HTML(f"<b>{html.escape(explorer.title)}</b>")
    caption = ipywidgets.HTMLMath(html.escape(explorer.caption))
    return ipywidgets.VBox([title, image, *(row for _, row in inputs), sentence, caption])


def _live_input(control):
    """Return the widget of a control, whose value is the index of the value chosen, and the row it stands in."""
    import ipywidgets

    look = {"description": control.label, "style": {"description_width": "11em"}}
    if control.kind == "toggle":
        widget = ipywidgets.Checkbox(bool(control.start), **look)
        return widget, widget
    options = [(label, i) for i, label in enumerate(control.texts)]
    look |= {"options": options, "value": control.start}
    if control.kind == "choice":
        if not control.side_by_side:
            widget = ipywidgets.Dropdown(**look)
        else:
            look["style"]["button_width"] = "auto"
            widget = ipywidgets.ToggleButtons(layout={"width": "auto"}, **look)
        return widget, widget
    widget = ipywidgets.SelectionSlider(layout={"width": "32em"}, **look)
    if not control.play:
        return widget, widget
    play = ipywidgets.Play(min=0, max=len(options) - 1, value=control.start, interval=STEP)
    ipywidgets.jslink((play, "value"), (widget, "index"))
    return widget, ipywidgets.HBox([widget, play])


# Published -------------------------------------------------------------------------------------------------------


def _published(explorer):
    """Draw every state, write the pictures, and return the explorer as HTML."""
    drawn = draw_all(explorer)
    sizes = {(picture.width, picture.height) for picture, _ in drawn}
    if len(sizes) > 1:
        raise ValueError(f"the figures of the explorer {explorer.title!r} differ in size: {sorted(sizes)}")
    pictures = {picture.data: None for picture, _ in drawn}
    total = sum(map(len, pictures))
    if total > MAX_BYTES:
        advice = _advice(explorer.controls.values(), total / MAX_BYTES)
        raise ValueError(
            f"the pictures of the explorer {explorer.title!r} have {total:,} bytes, and the budget is {MAX_BYTES:,}: {advice}, or draw less in each"
        )
    addresses = [publishing.write_picture(data, ".webp") for data in pictures]
    manifest = _manifest(explorer.controls, drawn, list(pictures), addresses)
    return _html(explorer, drawn, manifest)


def draw_all(explorer):
    """Return the `Drawn` of every state, in order, drawn on all cores with a progress bar on the terminal."""
    states, workers = explorer.states(), joblib.cpu_count()
    size = math.ceil(len(states) / (4 * workers))  # few, so that what `draw` closes over travels a few times only
    batches = [states[i : i + size] for i in range(0, len(states), size)]
    drawn = []
    with (
        open(sys.stderr.fileno(), "w", closefd=False) as terminal,  # in a kernel sys.stderr itself is the page
        tqdm(total=len(states), desc=explorer.title, unit="state", file=terminal, disable=None) as bar,
        joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1),
    ):
        tasks = (joblib.delayed(_draw_batch)(explorer.draw, explorer.describe, batch) for batch in batches)
        try:
            for batch in joblib.Parallel(return_as="generator")(tasks):
                drawn += batch
                bar.update(len(batch))
        except BrokenProcessPool as error:
            error.add_note("What draw uses is sent to other processes, which a function under functools.cache cannot be.")
            raise
    return drawn


def _draw_batch(draw, describe, states):
    return [_drawn(draw, describe, state) for state in states]


def _manifest(controls, drawn, pictures, addresses):
    """Return what the page's script needs: for each state the index of its picture and of its sentence."""
    sentences = list(dict.fromkeys(sentence for _, sentence in drawn))
    picture_at = {data: i for i, data in enumerate(pictures)}
    sentence_at = {sentence: i for i, sentence in enumerate(sentences)}
    return {
        "controls": [{"name": name, "values": control.texts} for name, control in controls.items()],
        "pictures": addresses,
        "sentences": sentences,
        "states": [[picture_at[picture.data], sentence_at[sentence]] for picture, sentence in drawn],
    }


def _html(explorer, drawn, manifest):
    opening = explorer.states().index(explorer.start())
    start, source = drawn[opening], manifest["pictures"][manifest["states"][opening][0]]
    data = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"))
    data = data.replace("<", "\\u003c")  # the one letter that could end the script, or begin a comment in it
    sentence, longest = html.escape(start.sentence), html.escape(max(manifest["sentences"], key=len))
    controls = [_html_control(control, f"{explorer.id}-{name}") for name, control in explorer.controls.items()]
    caption = f"<figcaption>{figures.caption_html(explorer.caption)}</figcaption>" if explorer.caption else ""
    size = f'width="{start.picture.width}" height="{start.picture.height}"'
    wait = "" if explorer.id == "explorer-1" else ' loading="lazy"'  # only the first may be in sight when the page opens
    lines = [
        f'<figure class="nn-explorer" id="{explorer.id}" aria-labelledby="{explorer.id}-title">',
        f'<p class="nn-title" id="{explorer.id}-title">{html.escape(explorer.title)}</p>',
        f'<img class="nn-picture{" nn-photo" * explorer.photo}" src="{source}" alt="{sentence}" {size} decoding="sync"{wait}>',
        '<div class="nn-controls" hidden>',
        *controls,
        "</div>",
        f'<div class="nn-readout" data-longest="{longest}">',
        f'<p class="nn-sentence" aria-live="polite">{sentence}</p></div>',
        caption,
        f'<script type="application/json">{data}</script>',
        "</figure>",
    ]
    return "\n".join(filter(None, lines))


def _html_control(control, id):
    label, texts, start = html.escape(control.label), [html.escape(value) for value in control.texts], control.start
    name = f'<label for="{id}">{label}</label>'
    if control.kind == "slider":
        return (
            f'<div class="nn-control nn-slider">{name}'
            f'<input type="range" id="{id}" min="0" max="{len(texts) - 1}" value="{start}" '
            f'aria-valuetext="{texts[start]}" autocomplete="off">'
            f'<output for="{id}" style="min-width:{max(map(len, control.texts))}ch">{texts[start]}</output>'
            f"{_html_play(label) if control.play else ''}</div>"
        )
    if control.kind == "toggle":
        return f'<div class="nn-control nn-toggle">{name}<input type="checkbox" role="switch" id="{id}" autocomplete="off"{" checked" * start}></div>'
    if control.side_by_side:
        buttons = [
            f'<label><input type="radio" name="{id}" autocomplete="off"{" checked" * (i == start)}><span>{value}</span></label>'
            for i, value in enumerate(texts)
        ]
        return f'<fieldset class="nn-control nn-radio"><legend>{label}</legend><div>{"".join(buttons)}</div></fieldset>'
    options = [f"<option{' selected' * (i == start)}>{value}</option>" for i, value in enumerate(texts)]
    return f'<div class="nn-control nn-list">{name}<select id="{id}" autocomplete="off">{"".join(options)}</select></div>'


def _html_play(label):
    return f'<button type="button" class="nn-play"><span>Play</span> <span class="nn-hidden">{label}</span></button>'
