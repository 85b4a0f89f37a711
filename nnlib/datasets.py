"""Data: measured, a benchmark (MNIST-1D), tasks made to be learned, and toys for pictures.

All offline, and the same arrays every time. Measured data come as a `Dataset` of three parts, text as a `Text`; what is generated comes
as a `Split`. Classes are (examples,) integers; the targets of a regression are a column, (examples, 1), as a network predicts them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = [
    "Dataset",
    "Split",
    "Text",
    "adding",
    "breast_cancer",
    "circles",
    "copying",
    "diabetes",
    "digits",
    "imbalanced",
    "mnist1d",
    "moons",
    "photographs",
    "recall",
    "spirals",
    "sunspots",
    "text",
    "windows",
    "xor",
]


class Split(NamedTuple):
    """Inputs ``x`` and targets ``y``; the first axis is the examples.

    >>> from nnlib import datasets
    >>> x, y = datasets.xor(4, noise=0.0, seed=0)
    >>> x.shape, y.shape
    ((4, 2), (4,))
    """

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """Three parts of one data set, standardized with the mean and deviation of the training part.

    Attributes
    ----------
    train, validation, test : Split
        To learn from, to choose with, and to touch once.
    mean, std : float, or ndarray of shape (features,)
        What was taken off, and divided by: one number where all features are measured in one unit (pixels), else one for each.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.digits()
    >>> pixels = data.train.x * data.std + data.mean
    >>> pixels.min().round(9), pixels.max().round(9)
    (np.float64(0.0), np.float64(16.0))
    """

    train: Split
    validation: Split
    test: Split
    mean: float | np.ndarray
    std: float | np.ndarray


def digits(split: str = "block", seed: int | None = None) -> Dataset:
    """Handwritten digits: 1,797 images of 8 × 8 pixels, ten classes (Alpaydin and Kaynak, 1998).

    From scikit-learn: the test part of the UCI set "Optical recognition of handwritten digits".

    Parameters
    ----------
    split : {"block", "random"}
        ``"block"`` keeps the order of the file: 1,000 train, the next 200 validate, the last 597 test. Neighbours in the file seem to
        come from the same writers, so most test digits are by other hands than the training digits. ``"random"`` shuffles
        first (by ``seed``), which is easier.
    seed : int, optional
        For ``"random"``, and only there.

    Returns
    -------
    Dataset
        ``x`` of shape (examples, 64), rows of the image one after the other; ``y`` the digit.

    Raises
    ------
    ValueError
        If the split is unknown, or the seed missing or of no use.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.digits()
    >>> data.train.x.shape, data.validation.x.shape, data.test.x.shape
    ((1000, 64), (200, 64), (597, 64))
    """
    if split not in ("block", "random"):
        raise ValueError(f"digits are split by 'block' or 'random', got {split!r}")
    if (split == "random") != (seed is not None):
        raise ValueError(f"digits take a seed for the random split and only there, got split={split!r}, seed={seed}")
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.arange(len(x)) if seed is None else np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order]
    return _standardized(x, y, 1000, 1200)


def mnist1d(validation: int = 500) -> Dataset:
    """MNIST-1D: 5,000 signals of 40 samples, ten classes, made from ten templates (Greydanus, 2020).

    A benchmark, not a measurement: each signal is a template shifted, scaled, sheared and noised. Linear models do badly on it, and
    convolutions well.

    Parameters
    ----------
    validation : int
        How many of the 4,000 training signals are set aside to choose with, from 0 to 3,999. The 1,000 test signals are those of the package (its seed, 42).

    Returns
    -------
    Dataset
        ``x`` of shape (examples, 40), ``y`` from 0 to 9.

    Raises
    ------
    ValueError
        If ``validation`` is out of range.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.mnist1d(validation=500)
    >>> data.train.x.shape, data.validation.x.shape, data.test.x.shape
    ((3500, 40), (500, 40), (1000, 40))
    """
    if not 0 <= validation < 4000:
        raise ValueError(f"validation must be from 0 to 3999 of the 4000 training signals, got {validation}")
    x, y = _mnist1d_arrays()
    return _standardized(x, y, 4000 - validation, 4000)


@lru_cache(maxsize=1)
def _mnist1d_arrays() -> tuple[np.ndarray, np.ndarray]:
    import random

    from mnist1d.data import get_dataset_args, make_dataset

    # The package seeds the two global generators with 42; they are given back as they were.
    before = np.random.get_state(), random.getstate()
    made = make_dataset(get_dataset_args())
    np.random.set_state(before[0])
    random.setstate(before[1])
    return np.concatenate([made["x"], made["x_test"]]), np.concatenate([made["y"], made["y_test"]])


def breast_cancer(*, seed: int) -> Dataset:
    """Breast cancer, Wisconsin (diagnostic): 569 tumours, 30 measures of the nuclei of their cells, two classes (Street et al., 1993).

    Parameters
    ----------
    seed : int
        Shuffles the tumours: three fifths train, one fifth validates, one fifth tests.

    Returns
    -------
    Dataset
        ``x`` of shape (examples, 30), each measure standardized for itself, since their units differ; ``y`` is 0 for a malignant
        tumour (212 of them) and 1 for a benign one, as in scikit-learn.

    Raises
    ------
    ValueError
        If the seed is missing.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.breast_cancer(seed=0)
    >>> data.train.x.shape, data.validation.x.shape, data.test.x.shape
    ((341, 30), (114, 30), (114, 30))
    """
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _shuffled(x, y, seed)


def diabetes(*, seed: int) -> Dataset:
    """Diabetes: 442 patients, ten measures, and how far the disease had gone a year later (Efron et al., 2004).

    Parameters
    ----------
    seed : int
        Shuffles the patients: three fifths train, one fifth validates, one fifth tests.

    Returns
    -------
    Dataset
        ``x`` of shape (examples, 10), each measure (age, sex, body mass index, blood pressure, six of the serum) standardized for
        itself; ``y`` of shape (examples, 1), the progression from 25 to 346 in its own units.

    Raises
    ------
    ValueError
        If the seed is missing.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.diabetes(seed=0)
    >>> data.train.x.shape, data.validation.x.shape, data.test.y.shape
    ((265, 10), (88, 10), (89, 1))
    """
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)  # scikit-learn's scaling would use the test part
    return _shuffled(x, y[:, None], seed)


def sunspots(lags: int = 9, *, root: bool = False) -> Dataset:
    """Yearly sunspot numbers s(t), 1700 to 2008, to be told from the years before: x = (s(t−lags), …, s(t−1)), y = s(t).

    From statsmodels (the yearly means of the World Data Center SILSO, Brussels). Split by time: y up to 1920 trains, 1921–1955
    validates, 1956–2008 tests.

    Parameters
    ----------
    lags : int
        How many years are looked back, from 1 to 220.
    root : bool
        Take √s, which makes the spread in quiet and in active years more alike.

    Returns
    -------
    Dataset
        ``x`` of shape (years, lags), the oldest first, and ``y`` of shape (years, 1), both standardized by the mean and deviation of the
        years up to 1920: s(t) is ``y * std + mean``, squared where the root was taken.

    Raises
    ------
    ValueError
        If ``lags`` is out of range.

    Examples
    --------
    >>> from nnlib import datasets
    >>> data = datasets.sunspots(lags=9)
    >>> data.train.x.shape, data.validation.x.shape, data.test.y.shape
    ((212, 9), (35, 9), (53, 1))
    """
    n_train, n_seen = 1921 - 1700, 1956 - 1700
    _check_whole("sunspots", "lags", lags, 1, n_train - 1)
    from statsmodels.datasets import sunspots as yearly

    s = yearly.load().data["SUNACTIVITY"].to_numpy(float)
    s = np.sqrt(s) if root else s.copy()
    mean, std = float(s[:n_train].mean()), float(s[:n_train].std())
    s = (s - mean) / std
    x, y = np.lib.stride_tricks.sliding_window_view(s[:-1], lags).copy(), s[lags:, None].copy()
    parts = slice(0, n_train - lags), slice(n_train - lags, n_seen - lags), slice(n_seen - lags, None)
    train, validation, test = (Split(x[part], y[part]) for part in parts)
    return Dataset(train, validation, test, mean, std)


def photographs() -> dict[str, np.ndarray]:
    """Two photographs in colour, a temple (``china``) and a flower (``flower``), from scikit-learn.

    Returns
    -------
    dict of ndarray, each of shape (427, 640, 3)
        Red, green and blue from 0 to 1.

    Examples
    --------
    >>> from nnlib import datasets
    >>> {name: image.shape for name, image in datasets.photographs().items()}
    {'china': (427, 640, 3), 'flower': (427, 640, 3)}
    """
    from sklearn.datasets import load_sample_image

    return {name: load_sample_image(f"{name}.jpg") / 255 for name in ("china", "flower")}


def imbalanced(dataset: Dataset, positive_class: int, ratio: int, *, seed: int | np.random.Generator) -> Dataset:
    """One class against the rest, with exactly one positive example to ``ratio`` negative ones.

    Examples are left out, at random, of the side that has too many, in **all three parts**: training, validation and test are draws
    from one population. (An average precision depends on the share of positives, so a test part with more of them would be another
    problem; an AUC does not.)

    Parameters
    ----------
    dataset : Dataset
        With classes as targets.
    positive_class : int
        The class that becomes 1; all others become 0.
    ratio : int
        Negatives for each positive, at least 1.
    seed : int or numpy.random.Generator
        Which examples are kept.

    Returns
    -------
    Dataset
        The kept examples in their old order, standardized as they were.

    Raises
    ------
    ValueError
        If the ratio is below 1, the seed is missing, or a part that has examples has too few of one side.
    TypeError
        If the targets are not integers.

    Examples
    --------
    >>> from nnlib import datasets
    >>> rare = datasets.imbalanced(datasets.digits(), positive_class=8, ratio=100, seed=0)
    >>> rare.train.y.sum(), len(rare.train.y)
    (np.int64(9), 909)
    """
    _check_whole("imbalanced", "ratio", ratio, 1)
    rng = _rng("imbalanced", seed)

    def thinned(name: str, part: Split) -> Split:
        if part.y.dtype.kind not in "iu":
            raise TypeError(f"imbalanced needs classes as targets, got {part.y.dtype}")
        positive, negative = np.flatnonzero(part.y == positive_class), np.flatnonzero(part.y != positive_class)
        n = min(len(positive), len(negative) // ratio)
        if n == 0 and len(part.y):
            raise ValueError(f"1:{ratio} of class {positive_class} cannot be had from {len(positive)} to {len(negative)} in the {name} part")
        kept = np.sort(np.concatenate([rng.choice(positive, n, replace=False), rng.choice(negative, n * ratio, replace=False)]))
        return Split(part.x[kept], (part.y[kept] == positive_class).astype(int))

    train, validation = thinned("training", dataset.train), thinned("validation", dataset.validation)
    return replace(dataset, train=train, validation=validation, test=thinned("test", dataset.test))


@dataclass(frozen=True)
class Text:
    """Characters as numbers, split by position: the first four fifths train, the next tenth validates, the last tests.

    Attributes
    ----------
    train, validation, test : ndarray of integers, shape (characters,)
        Each character as its place in ``vocabulary``.
    vocabulary : str
        Every character of the whole text once, in the order of Unicode.

    Examples
    --------
    >>> from nnlib import datasets
    >>> shakespeare = datasets.Text.of("to be or not to be, that is")
    >>> shakespeare.vocabulary
    ' ,abehinorst'
    >>> shakespeare.decode(shakespeare.train), shakespeare.encode("be")
    ('to be or not to be, t', array([3, 4]))
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    vocabulary: str

    @classmethod
    def of(cls, characters: str) -> Text:
        """Encode and split any text of at least ten characters."""
        if len(characters) < 10:
            raise ValueError(f"a text to split needs at least 10 characters, got {len(characters)}")
        unicode = np.array([ord(character) for character in characters])
        known, ids = np.unique(unicode, return_inverse=True)
        train, validation, test = np.split(ids, [len(ids) * 8 // 10, len(ids) * 9 // 10])
        return cls(train, validation, test, "".join(map(chr, known)))

    def encode(self, characters: str) -> np.ndarray:
        """The place of each character in the vocabulary; an unknown one raises ValueError."""
        unknown = sorted(set(characters) - set(self.vocabulary))
        if unknown:
            raise ValueError(f"the vocabulary of {len(self.vocabulary)} characters has no {unknown}")
        place = {character: i for i, character in enumerate(self.vocabulary)}
        return np.array([place[character] for character in characters], dtype=int)

    def decode(self, ids: np.ndarray) -> str:
        """The characters at these places, as one string; a place outside of the vocabulary raises ValueError."""
        ids = np.asarray(ids, dtype=int)
        if ids.ndim != 1 or (ids.size and not 0 <= ids.min() <= ids.max() < len(self.vocabulary)):
            raise ValueError(f"decode expects a row of numbers from 0 to {len(self.vocabulary) - 1}, got {ids.tolist()}")
        return "".join(self.vocabulary[i] for i in ids)


def text(source: str = "scikit-learn") -> Text:
    """A text to predict character by character.

    Parameters
    ----------
    source : {"scikit-learn", "topics", "python"}
        ``"scikit-learn"``: the paragraphs of prose in the docstrings of that package: 363,000 characters of English about machine learning.
        They depend on nothing but its version, which the lock file pins, so this is the text for figures that must be the same everywhere.
        ``"topics"``: Python's language reference, `pydoc_data.topics`; 465,000 characters in Python 3.11.7. It **changes with every
        version of Python**, and so does every figure made from it.
        ``"python"``: source code, seven modules of the standard library (227,000 characters) that are the same in Python 3.11.7,
        3.12.1 and 3.13.0; a later patch may change them.

    Returns
    -------
    Text

    Raises
    ------
    ValueError
        If the source is unknown.

    Examples
    --------
    >>> from nnlib import datasets
    >>> english = datasets.text()
    >>> english.decode(english.train[:56])
    'Module to give helpful messages to the user that did not'
    """
    sources = {"scikit-learn": _prose_of_scikit_learn, "topics": _topics, "python": _source_code}
    if source not in sources:
        raise ValueError(f"text comes from one of {tuple(sources)}, got {source!r}")
    return Text.of(sources[source]())


def _prose_of_scikit_learn() -> str:
    """Paragraphs of docstrings that are sentences: a capital first, a full stop last, no list, table, example or parameter."""
    import sklearn

    folder = Path(sklearn.__file__).parent
    found: dict[str, None] = {}  # each paragraph once, in the order of the files
    for path in sorted(folder.rglob("*.py"), key=Path.as_posix):
        if {"tests", "externals", "_distributor_init.py"} & set(path.parts):  # the last differs between platforms
            continue
        for docstring in re.findall(r'"""(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL):
            for paragraph in re.split(r"\n\s*\n", docstring):
                paragraph = "\n".join(line.strip() for line in paragraph.strip().split("\n"))
                sentences = re.match(r"[A-Z][a-z]* ", paragraph) and paragraph.endswith(".") and len(paragraph) > 60
                if sentences and not re.search(r">>>|\n[-=]{3}|\n[a-z_]+ ?:|\n- |\w+ : ", paragraph):
                    found[paragraph] = None
    return "\n\n".join(found)


def _topics() -> str:
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def _source_code() -> str:
    import sysconfig

    folder = Path(sysconfig.get_path("stdlib"))
    modules = ("difflib", "graphlib", "heapq", "optparse", "pyclbr", "tracemalloc", "weakref")
    return "\n\n".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in modules)


def windows(ids: np.ndarray, length: int, stride: int | None = None) -> Split:
    """Windows of a text and, for each character in them, the one that comes next: x = ids[i : i+length], y = ids[i+1 : i+length+1].

    Parameters
    ----------
    ids : ndarray of integers, shape (characters,)
        A part of a `Text`.
    length : int
        Characters of a window.
    stride : int, optional
        How far apart windows start; without it ``length``: each character is predicted once. With 1 every window there is.

    Returns
    -------
    Split
        ``x`` and ``y`` of shape (windows, length). They are views of ``ids`` that cannot be written to and cost no memory; mini-batches
        of them are drawn by `nnlib.training.fit`. What does not fill a window at the end is left out.

    Raises
    ------
    ValueError
        If a number is not whole, or the text has not ``length`` + 1 characters.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib import datasets
    >>> x, y = datasets.windows(np.arange(8), length=3)
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [3, 4, 5]], [[1, 2, 3], [4, 5, 6]])
    """
    ids = np.asarray(ids)
    _check_whole("windows", "length", length, 1)
    stride = length if stride is None else stride
    _check_whole("windows", "stride", stride, 1)
    if ids.ndim != 1 or len(ids) <= length or ids.dtype.kind not in "iu":
        raise ValueError(f"windows of {length} need a row of at least {length + 1} integers, got {ids.dtype} of shape {ids.shape}")
    both = np.lib.stride_tricks.sliding_window_view(ids, length + 1)[::stride]
    return Split(both[:, :-1], both[:, 1:])


def adding(n: int, length: int, *, seed: int | np.random.Generator) -> Split:
    """The adding problem: two of ``length`` numbers are marked, and the answer is their sum.

    The modern form: numbers uniform in [0, 1], the sum itself as target (Le, Jaitly and Hinton, 2015), one mark in the first half and
    one in the second (Arjovsky, Shah and Bengio, 2016). To answer 1 always has a mean squared error of 1/6. (Hochreiter and Schmidhuber,
    1997, drew from [−1, 1], put the first mark among the first ten and the second into the first half too, and varied the length.)

    Parameters
    ----------
    n, length : int
        Sequences, and steps in time, at least 2.
    seed : int or numpy.random.Generator

    Returns
    -------
    Split
        ``x`` of shape (n, length, 2), the numbers and their marks (1 or 0); ``y`` of shape (n, 1).

    Raises
    ------
    ValueError
        If a number is out of range, or the seed is missing.

    Examples
    --------
    >>> from nnlib import datasets
    >>> x, y = datasets.adding(1000, length=50, seed=0)
    >>> x.shape, bool(((x[:, :, 0] * x[:, :, 1]).sum(axis=1) == y[:, 0]).all())
    ((1000, 50, 2), True)
    """
    _check_whole("adding", "n", n, 1)
    _check_whole("adding", "length", length, 2)
    rng = _rng("adding", seed)
    numbers, marks, half = rng.uniform(size=(n, length)), np.zeros((n, length)), length // 2
    marks[np.arange(n), rng.integers(0, half, n)] = 1
    marks[np.arange(n), rng.integers(half, length, n)] = 1
    return Split(np.stack([numbers, marks], axis=2), (numbers * marks).sum(axis=1, keepdims=True))


def copying(n: int, length: int, *, delay: int = 0, symbols: int = 8, seed: int | np.random.Generator) -> Split:
    """Read symbols, wait, and say them again (Hochreiter and Schmidhuber, 1997; this form: Arjovsky, Shah and Bengio, 2016).

    Parameters
    ----------
    n, length : int
        Sequences, and symbols to remember.
    delay : int
        Blanks before the signal to speak.
    symbols : int
        Kinds of symbols, at least 2: the tokens 0 … symbols − 1. The blank is ``symbols``, the signal ``symbols`` + 1.
    seed : int or numpy.random.Generator

    Returns
    -------
    Split
        ``x`` of shape (n, 2 length + delay): the symbols, ``delay`` blanks, the signal, and blanks. ``y`` of shape (n, length): the
        symbols, which are the answers at the last ``length`` steps, from the signal on.

    Raises
    ------
    ValueError
        If a number is out of range, or the seed is missing.

    Examples
    --------
    >>> from nnlib import datasets
    >>> x, y = datasets.copying(1, length=3, delay=2, seed=0)
    >>> x.tolist(), y.tolist()
    ([[6, 5, 4, 8, 8, 9, 8, 8]], [[6, 5, 4]])
    """
    for name, value, least in (("n", n, 1), ("length", length, 1), ("delay", delay, 0), ("symbols", symbols, 2)):
        _check_whole("copying", name, value, least)
    blank, signal = symbols, symbols + 1
    y = _rng("copying", seed).integers(0, symbols, size=(n, length))
    x = np.full((n, 2 * length + delay), blank)
    x[:, :length], x[:, length + delay] = y, signal
    return Split(x, y)


def recall(n: int, *, distinct: int = 12, vocabulary: int = 24, seed: int | np.random.Generator) -> Split:
    """Associative recall: ``distinct`` different tokens, then one of them again; answer the token that came after it.

    Two layers of attention solve it, one does not: a token must know what stands before it before it can be found by that. The second of
    such a pair of heads is an induction head, the first a previous-token head (Elhage et al., 2021; Olsson et al., 2022).

    Parameters
    ----------
    n : int
        Sequences.
    distinct, vocabulary : int
        Tokens of a sequence, at least 2, and how many there are to choose from.
    seed : int or numpy.random.Generator

    Returns
    -------
    Split
        ``x`` of shape (n, distinct + 1), tokens from 0 to vocabulary − 1; ``y`` of shape (n,), the answer at the last step. The token
        that is asked for is never the last of the distinct ones, which has no successor.

    Raises
    ------
    ValueError
        If a number is out of range, or the seed is missing.

    Examples
    --------
    >>> from nnlib import datasets
    >>> x, y = datasets.recall(1, distinct=4, vocabulary=10, seed=3)
    >>> x.tolist(), y.tolist()
    ([[9, 6, 0, 2, 6]], [0])
    """
    _check_whole("recall", "n", n, 1)
    _check_whole("recall", "distinct", distinct, 2)
    _check_whole("recall", "vocabulary", vocabulary, distinct)
    rng = _rng("recall", seed)
    tokens = rng.permuted(np.tile(np.arange(vocabulary), (n, 1)), axis=1)[:, :distinct]
    rows, asked = np.arange(n), rng.integers(0, distinct - 1, n)
    return Split(np.column_stack([tokens, tokens[rows, asked]]), tokens[rows, asked + 1])


def _shuffled(x: np.ndarray, y: np.ndarray, seed: int) -> Dataset:
    order = _rng("a random split", seed).permutation(len(x))
    return _standardized(x[order], y[order], len(x) * 3 // 5, len(x) * 4 // 5, per_feature=True)


def _standardized(x: np.ndarray, y: np.ndarray, n_train: int, n_seen: int, per_feature: bool = False) -> Dataset:
    axis = 0 if per_feature else None
    mean, std = x[:n_train].mean(axis), x[:n_train].std(axis)
    x, y = (x - mean) / std, y.copy()  # the caller's own: nobody else sees what is written there
    parts = slice(0, n_train), slice(n_train, n_seen), slice(n_seen, None)
    train, validation, test = (Split(x[part], y[part]) for part in parts)
    return Dataset(train, validation, test, *((mean, std) if per_feature else (float(mean), float(std))))


def _rng(what: str, seed: int | np.random.Generator) -> np.random.Generator:
    if seed is None:
        raise ValueError(f"{what} needs a seed: without one, it could not be made again")
    return np.random.default_rng(seed)


def _check_whole(what: str, name: str, value: int, least: int, most: float = np.inf) -> None:
    if not isinstance(value, (int, np.integer)) or not least <= value <= most:
        bounds = f"≥ {least}" if most == np.inf else f"from {least} to {most}"
        raise ValueError(f"{what} needs a whole number {name} {bounds}, got {value!r}")


def moons(n: int = 200, *, noise: float = 0.1, seed: int) -> Split:
    """Two interleaving half circles in the plane, classes 0 and 1 (scikit-learn's).

    >>> from nnlib import datasets
    >>> datasets.moons(100, noise=0.1, seed=0).x.shape
    (100, 2)
    """
    from sklearn.datasets import make_moons

    _check_toy(n, noise, seed)
    return Split(*make_moons(n, noise=noise, random_state=seed))


def circles(n: int = 200, *, noise: float = 0.05, seed: int) -> Split:
    """A small circle inside a large one, classes 1 and 0 (scikit-learn's): no straight line separates them.

    >>> from nnlib import datasets
    >>> datasets.circles(100, noise=0.05, seed=0).y.sum()
    np.int64(50)
    """
    from sklearn.datasets import make_circles

    _check_toy(n, noise, seed)
    return Split(*make_circles(n, noise=noise, factor=0.5, random_state=seed))


def spirals(n: int = 200, *, noise: float = 0.05, seed: int) -> Split:
    """Two spirals around each other, about one and a third turns, classes 0 and 1.

    >>> from nnlib import datasets
    >>> datasets.spirals(100, noise=0.0, seed=0).x.shape
    (100, 2)
    """
    _check_toy(n, noise, seed)
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 3 * np.pi * radius + np.pi * y
    x = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) + noise * rng.normal(size=(n, 2))
    return Split(x, y)


def xor(n: int = 200, *, noise: float = 0.2, seed: int) -> Split:
    """Clouds around the corners of a square; class 1 where the signs of x₁ and x₂ differ.

    >>> from nnlib import datasets
    >>> x, y = datasets.xor(4, noise=0.0, seed=0)
    >>> x.tolist(), y.tolist()
    ([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    _check_toy(n, noise, seed)
    corner = np.arange(n) % 4
    x = np.column_stack([np.where(corner < 2, -1.0, 1.0), np.where(corner % 2 == 0, -1.0, 1.0)])
    y = (x[:, 0] != x[:, 1]).astype(int)
    return Split(x + noise * np.random.default_rng(seed).normal(size=(n, 2)), y)


def _check_toy(n: int, noise: float, seed: int) -> None:
    if n < 2:
        raise ValueError(f"a toy set needs at least two points, got n={n}")
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise must be a finite number ≥ 0, got {noise}")
    if seed is None:
        raise ValueError("a toy set needs a seed: without one, it could not be made again")
