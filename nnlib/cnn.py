"""The convolutional network: one small set of weights for every place of a signal or an image.

    y_i = b + Σ_k W_k x_{i s + k d − p}

with stride s, dilation d and a padding of p. What everybody calls a convolution is a cross-correlation, because the kernel W is not
turned around; the activation f of y = f(W * x + b) is a layer of its own. Sequences are (batch, time, channels), images are
(batch, height, width, channels).

In memory these layers keep the channels first and the batch last, and hand views of that out in the order above. A step of the
window is then a step for the whole batch, so all copies and sums run over long rows. The windows of x become the columns of a
matrix, block by block, so that the matrix product finds them in the processor's cache, and the whole of it is never in memory.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from nnlib import initializers
from nnlib.activations import Activation
from nnlib.layers import Layer, Positionwise, Sequential
from nnlib.regularizers import BatchNorm, Dropout, LayerNorm, RMSNorm

__all__ = [
    "AveragePool1D",
    "AveragePool2D",
    "Conv1D",
    "Conv2D",
    "Flatten",
    "GlobalAverage",
    "GlobalMax",
    "MaxPool1D",
    "MaxPool2D",
    "cross_correlate",
    "output_size",
    "receptive_field",
    "toeplitz",
]

# Entries of one block of columns: it fits into the processor's cache.
BLOCK = 1 << 17


def cross_correlate(x: np.ndarray, W: np.ndarray, b: np.ndarray, stride: Any = 1, padding: Any = "valid", dilation: Any = 1) -> np.ndarray:
    """What `Conv1D` and `Conv2D` compute, as plain as it can be: y_i = b + Σ_k W_k x_{i s + k d − p}, for one place i after the other.

    Parameters
    ----------
    x : ndarray, shape (batch, time, n_in) or (batch, height, width, n_in)
    W : ndarray, shape (n_out, k…, n_in)
        One or two axes k, as many as x has between batch and channels.
    b : ndarray, shape (n_out,)
    stride, padding, dilation
        As in `Conv2D`.

    Returns
    -------
    ndarray, shape (batch, places…, n_out)

    Raises
    ------
    ValueError
        If the shapes do not belong together, or the kernel is larger than the padded input.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import cross_correlate
    >>> x = np.array([[[0.0], [0.0], [1.0], [1.0]]])
    >>> edge = np.array([[[-1.0], [1.0]]])
    >>> cross_correlate(x, edge, np.zeros(1)).ravel()      # the difference to the next
    array([0., 1., 0.])
    """
    n_out, *size, n_in = W.shape
    if x.ndim != W.ndim or x.ndim not in (3, 4) or x.shape[-1] != n_in or x.size == 0 or b.shape != (n_out,):
        raise ValueError(
            "cross_correlate expects x (batch, axes…, n_in), W (n_out, k…, n_in) with one or two axes each, and b (n_out,), "
            f"got {x.shape}, {W.shape} and {b.shape}"
        )
    window = _Window("cross_correlate", len(size), tuple(size), stride, padding, dilation)
    places = window.places(x.shape[1:-1])
    x = np.pad(x, [(0, 0), *window.pads(x.shape[1:-1]), (0, 0)])
    y = np.empty((len(x), *places, n_out), np.result_type(x, W, b))
    for i in np.ndindex(*places):
        seen = [slice(j * s, j * s + (k - 1) * d + 1, d) for j, s, k, d in zip(i, window.stride, size, window.dilation, strict=True)]
        y[:, *i] = x[:, *seen].reshape(len(x), -1) @ W.reshape(n_out, -1).T + b
    return y


def output_size(n: int, kernel_size: int, stride: int = 1, padding: Any = "valid", dilation: int = 1) -> int:
    """How many places a window has along one axis: ⌊(n + p − d (k − 1) − 1) / s⌋ + 1.

    Parameters
    ----------
    n : int
        Size of the input along the axis.
    kernel_size, stride, dilation : int
        k, s and d.
    padding : "valid", "same", int or (before, after)
        p = before + after; an int is both. "same" pads so that the output has ⌈n / s⌉ places.

    Raises
    ------
    ValueError
        If a number is out of range, or the kernel is larger than the padded input.

    Examples
    --------
    >>> from nnlib.cnn import output_size
    >>> output_size(28, 5), output_size(28, 5, padding=2), output_size(28, 5, stride=3, padding="same")
    (24, 28, 10)
    """
    return _Window("output_size", 1, kernel_size, stride, padding, dilation).places((n,))[0]


def toeplitz(kernel: np.ndarray, n: int | tuple[int, int], stride: Any = 1, padding: Any = "valid", dilation: Any = 1) -> np.ndarray:
    """The matrix T of a convolution with one channel: y = T x.

    Each row holds the kernel, moved on by the stride; everything else is 0. For images x and y are flattened row by row, and T is made
    of blocks that are Toeplitz matrices themselves. As y = T x, the way back is ∂L/∂x = Tᵀ ∂L/∂y: for stride 1 a convolution again,
    with the kernel turned around.

    Parameters
    ----------
    kernel : ndarray, shape (k,) or (k, k)
        Numbers or symbols.
    n : int, or a pair for a kernel with two axes
        Size of the input.
    stride, padding, dilation
        As in `Conv1D` and `Conv2D`.

    Returns
    -------
    ndarray, shape (places, entries of x)

    Raises
    ------
    ValueError
        If a number is out of range, or the kernel is larger than the padded input.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import toeplitz
    >>> toeplitz(np.array([1, 2, 3]), 5)
    array([[1, 2, 3, 0, 0],
           [0, 1, 2, 3, 0],
           [0, 0, 1, 2, 3]])
    """
    kernel, sizes = np.asarray(kernel), n if isinstance(n, tuple) else (n,)
    if kernel.ndim not in (1, 2) or kernel.ndim != len(sizes):
        raise ValueError(f"toeplitz expects a kernel with one axis and n, or with two axes and a pair n, got {kernel.shape} and n={n!r}")
    window = _Window("toeplitz", kernel.ndim, kernel.shape, stride, padding, dilation)
    T = np.zeros((math.prod(window.places(sizes)), 1 + math.prod(sizes)), kernel.dtype)
    which = 1 + np.arange(math.prod(sizes)).reshape(1, *sizes, 1)      # the entries of x by number; 0 is padding
    windows, _ = window.over(which, 0)
    for k in np.ndindex(*kernel.shape):
        T[np.arange(len(T)), windows[k].ravel()] = kernel[k]
    return T[:, 1:]


def receptive_field(*layers: Layer) -> tuple[tuple[int, int, int], ...]:
    """What of the input one entry of the output sees, along each axis.

    From the layers before, a window of size k with stride s, dilation d and padding p makes

        size ← size + (k − 1) d · step,   start ← start − p · step,   step ← step · s,

    from 1, 0 and 1: entry i sees ``size`` entries of the input from ``start + i · step`` on; those before 0 are padding.

    Parameters
    ----------
    *layers : Layer
        A `Sequential`, or layers one after the other: convolutions, pooling, and what acts on each place by itself. The count ends
        where all places come together (`Flatten`, `GlobalAverage`, `GlobalMax`). "same" is taken for inputs that the stride divides.

    Returns
    -------
    tuple of (size, step, start)
        One for each axis.

    Raises
    ------
    TypeError
        If a layer is of another kind.
    ValueError
        If there is no convolution or pooling, or they have different numbers of axes.

    References
    ----------
    Araujo, Norris and Sim (2019), Computing receptive fields of convolutional neural networks.

    Examples
    --------
    >>> from nnlib.cnn import Conv1D, MaxPool1D, receptive_field
    >>> receptive_field(Conv1D(1, 8, 3, padding=1, seed=0), MaxPool1D(2), Conv1D(8, 8, 3, padding=1, seed=1))
    ((8, 2, -3),)
    """
    fields: list[tuple[int, int, int]] = []
    for layer in _flat(layers):
        if isinstance(layer, Flatten | GlobalAverage | GlobalMax):
            break
        if isinstance(layer, Activation | BatchNorm | Dropout | LayerNorm | Positionwise | RMSNorm):
            continue
        if not isinstance(layer, _Convolution | _Pool):
            raise TypeError(f"receptive_field knows convolutions, pooling and layers that act on each place by itself, got {layer!r}")
        window = layer.window
        fields = fields or [(1, 1, 0)] * window.axes
        if len(fields) != window.axes:
            raise ValueError(f"receptive_field expects layers with the same number of axes, {len(fields)}, got {layer!r}")
        each = zip(fields, window.reach, window.stride, window.pads(window.stride), strict=True)
        fields = [(size + (r - 1) * step, step * s, start - before * step) for (size, step, start), r, s, (before, _) in each]
    if not fields:
        raise ValueError("receptive_field expects at least one convolution or pooling")
    return tuple(fields)


class _Window:
    """A window of size k along each axis between batch and channels, with stride s, padding p and dilation d."""

    def __init__(self, owner: str, axes: int, size: Any, stride: Any, padding: Any, dilation: Any = 1):
        self.owner, self.axes = owner, axes
        self.size = self._each("kernel_size", size)
        self.stride, self.dilation = self._each("stride", stride), self._each("dilation", dilation)
        self.reach = tuple(d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True))  # first to last entry
        self.padding = padding if isinstance(padding, str) and padding == "same" else self._pairs(padding)

    def _each(self, name, value):
        values = tuple(value) if isinstance(value, tuple | list) else (value,) * self.axes
        if len(values) != self.axes or not all(_is_whole(v, 1) for v in values):
            several = "" if self.axes == 1 else ", or a pair of them"
            raise ValueError(f"{self.owner} expects {name} as a whole number ≥ 1{several}, got {value!r}")
        return values

    def _pairs(self, padding):
        pairs = padding if self.axes == 2 else (padding,)
        if isinstance(padding, str) and padding == "valid":
            pairs = ((0, 0),) * self.axes
        elif _is_whole(padding, 0):
            pairs = ((padding, padding),) * self.axes
        if not (_has_length(pairs, self.axes) and all(_has_length(pair, 2) and all(_is_whole(p, 0) for p in pair) for pair in pairs)):
            form = "(before, after)" if self.axes == 1 else "((top, bottom), (left, right))"
            raise ValueError(f"{self.owner} expects padding 'valid', 'same', a whole number ≥ 0 or {form}, got {padding!r}")
        return tuple(tuple(pair) for pair in pairs)

    def pads(self, sizes):
        """(before, after) for each axis. "same" adds what ⌈n / s⌉ places need, an odd one at the end, as in TensorFlow."""
        if self.padding != "same":
            return self.padding
        missing = [max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in zip(sizes, self.stride, self.reach, strict=True)]
        return tuple((m // 2, m - m // 2) for m in missing)

    def places(self, sizes):
        """The number of windows along each axis."""
        padded = tuple(n + sum(pad) for n, pad in zip(sizes, self.pads(sizes), strict=True))
        if not all(_is_whole(n, 1) for n in sizes) or any(n < r for n, r in zip(padded, self.reach, strict=True)):
            size, dilation, padding, reach, got, n = map(self._bare, (self.size, self.dilation, self.padding, self.reach, padded, tuple(sizes)))
            raise ValueError(
                f"{self.owner} with kernel_size={size}, dilation={dilation} and padding={padding} "
                f"expects at least {reach} entries after padding, got {got} from {n}"
            )
        return tuple((n - r) // s + 1 for n, r, s in zip(padded, self.reach, self.stride, strict=True))

    def over(self, x, value):
        """All windows of x with ``value`` around it, entry [k, c, i, n] at x[n, i s + k d − p, c], without a copy of each.

        The second result makes the same for a gradient: a dx of zeros and its windows, so that what is added to these is added to dx.
        """
        sizes, pads, places = x.shape[1:-1], self.pads(x.shape[1:-1]), self.places(x.shape[1:-1])
        inside = (slice(None), *(slice(before, before + n) for n, (before, _) in zip(sizes, pads, strict=True)))

        def windows(padded):
            channel, *steps, example = padded.strides
            k_steps = [step * d for step, d in zip(steps, self.dilation, strict=True)]
            i_steps = [step * s for step, s in zip(steps, self.stride, strict=True)]
            shape = (*self.size, len(padded), *places, len(x))
            return np.ndarray(shape, padded.dtype, padded, strides=(*k_steps, channel, *i_steps, example))

        def filled(value):
            padded_sizes = (n + sum(pad) for n, pad in zip(sizes, pads, strict=True))
            padded = np.full((x.shape[-1], *padded_sizes, len(x)), value, x.dtype)
            return _turn(padded[inside]), windows(padded)

        if not any(map(any, pads)):
            return windows(np.ascontiguousarray(_turn(x))), lambda: filled(0)
        middle, seen = filled(value)
        middle[...] = x
        return seen, lambda: filled(0)

    def __repr__(self):
        also = {"stride": (self.stride, 1), "padding": (self.padding, (0, 0)), "dilation": (self.dilation, 1)}
        parts = [f"{name}={self._bare(value)!r}" for name, (value, usual) in also.items() if value != (usual,) * self.axes]
        return ", ".join([str(self._bare(self.size)), *parts])

    def _bare(self, values):
        return values[0] if self.axes == 1 and isinstance(values, tuple) else values


class _Convolution(Layer):
    """The code of `Conv1D` and `Conv2D`."""

    parameters = ("W", "b")
    skips_dx = True
    axes: int
    W: np.ndarray
    b: np.ndarray
    dW: np.ndarray
    db: np.ndarray

    def __init__(self, n_in, n_out, kernel_size, *, stride=1, padding="valid", dilation=1, seed, initializer="he"):
        name = type(self).__name__
        if not (_is_whole(n_in, 1) and _is_whole(n_out, 1)):
            raise ValueError(f"{name} needs whole numbers ≥ 1 of channels, got n_in={n_in!r}, n_out={n_out!r}")
        if seed is None:
            raise ValueError(f"{name} needs a seed or a numpy.random.Generator: without one, no run could be repeated")
        self.window = _Window(name, self.axes, kernel_size, stride, padding, dilation)
        shape = n_out, math.prod(self.window.size) * n_in
        W = initializers.get(initializer)(shape, np.random.default_rng(seed))
        if np.shape(W) != shape:
            raise ValueError(f"{name} expects initial weights of shape {shape}, got {np.shape(W)} from {initializer!r}")
        super().__init__(W=W.reshape(n_out, *self.window.size, n_in), b=np.zeros(n_out))

    def forward(self, x, training=False):
        _check_input(self, x, self.W.shape[-1])
        if x.dtype != self.W.dtype:
            raise TypeError(f"{self!r} has {self.W.dtype} weights and expects {self.W.dtype} inputs, got {x.dtype}")
        windows, blank = self.window.over(x, 0)
        (n_out, *k, n_in), places = self.W.shape, windows.shape[self.axes + 1 :]
        z = np.empty((n_out, math.prod(places)), x.dtype)
        W = self.W.reshape(n_out, -1)
        for columns, here in _blocks(windows, self.axes):
            # z = W x + b, where x is a window of the input
            z[:, here] = W @ columns + self.b[:, None]

        def backward(dy, want_dx=True):
            dz, dW = _turn(dy).reshape(z.shape), self.dW.reshape(n_out, -1)
            for columns, here in _blocks(windows, self.axes):
                dW += dz[:, here] @ columns.T                # ∂L/∂W = Σ δ xᵀ
            self.db += dz.sum(axis=1)                        # ∂L/∂b = Σ δ
            if want_dx:
                dx, dwindows = blank()
                # ∂L/∂x_{i s + k d − p} = Σ W_kᵀ δ_i, over all windows i that see it
                for at in np.ndindex(*k):
                    dwindows[at] += (self.W[:, *at].T @ dz).reshape(n_in, *places)
                return dx

        return _turn(z.reshape(n_out, *places)), backward

    def __repr__(self):
        return f"{type(self).__name__}({self.W.shape[-1]}, {len(self.W)}, {self.window})"


class Conv1D(_Convolution):
    """A convolution of sequences: z_t = b + Σ_k W_k x_{t s + k d − p}, at each place t the same weights.

    This is y = f(W * x + b) without f. Like everybody's, it is a cross-correlation: the kernel is not turned around.

    Parameters
    ----------
    n_in, n_out : int
        Number of input and output channels.
    kernel_size : int
        k.
    stride, dilation : int
        s, from window to window, and d, from entry to entry of a window.
    padding : "valid", "same", int or (before, after)
        How many zeros are put around the input: none, so many that there are ⌈time / s⌉ places (TensorFlow's rule, and PyTorch's for
        s = 1: an odd one goes to the end), p on both sides, or two numbers.
    seed : int or numpy.random.Generator
        Where the first weights come from. The bias starts at 0.
    initializer : str or callable
        A name from `nnlib.initializers`, or a function of the shape (n_out, k n_in) and a generator: k n_in inputs come to each output.

    Attributes
    ----------
    W : ndarray, shape (n_out, k, n_in)
        Weights; ``dW`` is their gradient.
    b : ndarray, shape (n_out,)
        Biases; ``db`` is their gradient.

    Raises
    ------
    ValueError
        If a number is out of range, the initializer or the padding unknown, the input not of shape (batch, time, n_in), or the kernel
        larger than the padded input.
    TypeError
        If the input has another dtype than the weights.

    References
    ----------
    Waibel, Hanazawa, Hinton, Shikano and Lang (1989), Phoneme recognition using time-delay neural networks.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import Conv1D
    >>> edge = Conv1D(1, 1, 2, seed=0)
    >>> edge.W = np.array([[[-1.0], [1.0]]])
    >>> x = np.array([[[0.0], [0.0], [1.0], [1.0]]])
    >>> z, backward = edge.forward(x)
    >>> z.ravel()
    array([0., 1., 0.])
    >>> backward(z).ravel()                    # ∂L/∂x = Tᵀ δ
    array([ 0., -1.,  1.,  0.])
    """

    axes = 1

    @classmethod
    def example(cls, rng):
        return cls(2, 3, 3, stride=2, padding=(2, 1), dilation=2, seed=rng), rng.normal(size=(3, 9, 2))


class Conv2D(_Convolution):
    """A convolution of images: z_ij = b + Σ_kl W_kl x_{i s + k d − p, j s + l d − p}, at each place the same weights.

    This is y = f(W * x + b) without f. Like everybody's, it is a cross-correlation: the kernel is not turned around.

    Parameters
    ----------
    n_in, n_out : int
        Number of input and output channels.
    kernel_size, stride, dilation : int or pair of int
        k, s and d; a pair is for height and width.
    padding : "valid", "same", int or ((top, bottom), (left, right))
        As in `Conv1D`; an int is for all four sides.
    seed : int or numpy.random.Generator
        Where the first weights come from. The bias starts at 0.
    initializer : str or callable
        A name from `nnlib.initializers`, or a function of the shape (n_out, k² n_in) and a generator: k² n_in inputs come to each output.

    Attributes
    ----------
    W : ndarray, shape (n_out, k, k, n_in)
        Weights; ``dW`` is their gradient.
    b : ndarray, shape (n_out,)
        Biases; ``db`` is their gradient.

    Raises
    ------
    ValueError
        If a number is out of range, the initializer or the padding unknown, the input not of shape (batch, height, width, n_in), or
        the kernel larger than the padded input.
    TypeError
        If the input has another dtype than the weights.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import Conv2D
    >>> blur = Conv2D(1, 1, 3, padding="same", seed=0)
    >>> blur.W = np.ones((1, 3, 3, 1)) / 9
    >>> point = np.zeros((1, 4, 4, 1))
    >>> point[0, 1, 1] = 9
    >>> blur(point)[0, :, :, 0].round(6)
    array([[1., 1., 1., 0.],
           [1., 1., 1., 0.],
           [1., 1., 1., 0.],
           [0., 0., 0., 0.]])
    """

    axes = 2

    @classmethod
    def example(cls, rng):
        return cls(2, 3, (2, 3), stride=(1, 2), padding="same", seed=rng), rng.normal(size=(2, 5, 4, 2))


class _Pool(Layer):
    """What pools have in common: a window without weights."""

    axes: int

    def __init__(self, kernel_size, *, stride=None, padding="valid"):
        self.window = _Window(type(self).__name__, self.axes, kernel_size, kernel_size if stride is None else stride, padding)
        if any(p >= k for k, pad in zip(self.window.size, self.window.pads(self.window.size), strict=True) for p in pad):
            raise ValueError(f"{self!r} has places that see nothing but padding, which must be less than kernel_size on each side")
        super().__init__()

    def __repr__(self):
        return f"{type(self).__name__}({self.window})"

    @classmethod
    def example(cls, rng):
        return cls(3, stride=2, padding="same"), rng.normal(size=(2, *(6, 5)[: cls.axes], 2))


class _MaxPool(_Pool):
    """The code of `MaxPool1D` and `MaxPool2D`."""

    def forward(self, x, training=False):
        _check_input(self, x, "channels")
        windows, blank = self.window.over(x, -math.inf)
        k = list(np.ndindex(*self.window.size))
        y = functools.reduce(np.maximum, [windows[at] for at in k])

        def backward(dy):
            dx, dwindows = blank()
            left = np.array(_turn(dy), order="C")
            for at in k:
                here = (windows[at] == y) * left             # ∂L/∂y goes to the entry that is the largest,
                dwindows[at] += here
                left -= here                                 # and of several equal ones to the first
            return dx

        return _turn(y), backward


class _AveragePool(_Pool):
    """The code of `AveragePool1D` and `AveragePool2D`."""

    def __init__(self, kernel_size, *, stride=None, padding="valid", count_padding=True):
        super().__init__(kernel_size, stride=stride, padding=padding)
        self.count_padding = count_padding

    def forward(self, x, training=False):
        _check_input(self, x, "channels")
        windows, blank = self.window.over(x, 0)
        k = list(np.ndindex(*self.window.size))
        n: Any = len(k)
        if not self.count_padding:
            inside, _ = self.window.over(np.ones((1, *x.shape[1:-1], 1), x.dtype), 0)
            n = sum(inside[at] for at in k)

        def backward(dy):
            dx, dwindows = blank()
            share = np.ascontiguousarray(_turn(dy)) / n
            for at in k:
                dwindows[at] += share
            return dx

        return _turn(sum(windows[at] for at in k) / n), backward


class MaxPool1D(_MaxPool):
    """The largest entry of each window, channel by channel: y_t = max_k x_{t s + k − p}.

    The gradient goes to the entry that was the largest, of several equal ones to the first, as in PyTorch. Padding is −∞, so it never
    is the largest.

    Parameters
    ----------
    kernel_size : int
        k.
    stride : int, optional
        s; by default k, so that windows do not overlap.
    padding : "valid", "same", int or (before, after)
        As in `Conv1D`, but less than k on each side, so that each window sees something.

    Raises
    ------
    ValueError
        If a number is out of range, the padding unknown, the input not of shape (batch, time, channels), or the window larger than
        the padded input.
    TypeError
        If the input is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import MaxPool1D
    >>> y, backward = MaxPool1D(2).forward(np.array([[[1.0], [3.0], [2.0], [2.0], [9.0]]]))
    >>> y.ravel(), backward(y).ravel()
    (array([3., 2.]), array([0., 3., 2., 0., 0.]))
    """

    axes = 1


class MaxPool2D(_MaxPool):
    """The largest entry of each window of an image, channel by channel: y_ij = max_kl x_{i s + k − p, j s + l − p}.

    The gradient goes to the entry that was the largest, of several equal ones to the first, row by row, as in PyTorch. Padding is −∞,
    so it never is the largest.

    Parameters
    ----------
    kernel_size : int or pair of int
        k; a pair is for height and width.
    stride : int or pair of int, optional
        s; by default k, so that windows do not overlap.
    padding : "valid", "same", int or ((top, bottom), (left, right))
        As in `Conv2D`, but less than k on each side, so that each window sees something.

    Raises
    ------
    ValueError
        If a number is out of range, the padding unknown, the input not of shape (batch, height, width, channels), or the window
        larger than the padded input.
    TypeError
        If the input is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import MaxPool2D
    >>> MaxPool2D(2)(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """

    axes = 2


class AveragePool1D(_AveragePool):
    """The mean of each window, channel by channel: y_t = (1/n) Σ_k x_{t s + k − p}.

    Parameters
    ----------
    kernel_size : int
        k.
    stride : int, optional
        s; by default k, so that windows do not overlap.
    padding : "valid", "same", int or (before, after)
        As in `Conv1D`, but less than k on each side.
    count_padding : bool
        Whether n = k everywhere, so that padding counts as zeros, or n is the number of entries of the input in the window.

    Raises
    ------
    ValueError
        If a number is out of range, the padding unknown, the input not of shape (batch, time, channels), or the window larger than
        the padded input.
    TypeError
        If the input is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import AveragePool1D
    >>> x = np.array([[[2.0], [4.0], [6.0]]])
    >>> AveragePool1D(2, padding=(1, 0))(x).ravel(), AveragePool1D(2, padding=(1, 0), count_padding=False)(x).ravel()
    (array([1., 5.]), array([2., 5.]))
    """

    axes = 1


class AveragePool2D(_AveragePool):
    """The mean of each window of an image, channel by channel: y_ij = (1/n) Σ_kl x_{i s + k − p, j s + l − p}.

    Parameters
    ----------
    kernel_size : int or pair of int
        k; a pair is for height and width.
    stride : int or pair of int, optional
        s; by default k, so that windows do not overlap.
    padding : "valid", "same", int or ((top, bottom), (left, right))
        As in `Conv2D`, but less than k on each side.
    count_padding : bool
        Whether n = k² everywhere, so that padding counts as zeros, or n is the number of entries of the input in the window.

    Raises
    ------
    ValueError
        If a number is out of range, the padding unknown, the input not of shape (batch, height, width, channels), or the window
        larger than the padded input.
    TypeError
        If the input is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import AveragePool2D
    >>> AveragePool2D(2)(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """

    axes = 2


class GlobalAverage(Layer):
    """The mean over all places, channel by channel: y = (1/n) Σ_i x_i.

    Takes (batch, places…, channels) with any number of axes between, and returns (batch, channels).

    Raises
    ------
    ValueError
        If the input has no axis between batch and channels, or one of its axes is 0.
    TypeError
        If the input is not of floating-point numbers.

    References
    ----------
    Lin, Chen and Yan (2014), Network in network.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import GlobalAverage
    >>> GlobalAverage()(np.arange(4.0).reshape(1, 2, 2, 1))
    array([[1.5]])
    """

    def forward(self, x, training=False):
        _check_input(self, x, "channels")
        places = tuple(range(1, x.ndim - 1))

        def backward(dy):
            dx = np.empty_like(x)
            dx[:] = np.expand_dims(dy, places) * dy.size / x.size      # ∂L/∂x_i = (1/n) ∂L/∂y
            return dx

        return x.mean(axis=places), backward

    @classmethod
    def example(cls, rng):
        return cls(), rng.normal(size=(3, 4, 2, 2))


class GlobalMax(Layer):
    """The largest entry over all places, channel by channel: y = max_i x_i.

    Takes (batch, places…, channels) with any number of axes between, and returns (batch, channels). The gradient goes to the entry
    that was the largest, of several equal ones to the first.

    Raises
    ------
    ValueError
        If the input has no axis between batch and channels, or one of its axes is 0.
    TypeError
        If the input is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import GlobalMax
    >>> y, backward = GlobalMax().forward(np.array([[[1.0], [3.0], [3.0]]]))
    >>> y, backward(y).ravel()
    (array([[3.]]), array([0., 3., 0.]))
    """

    def forward(self, x, training=False):
        _check_input(self, x, "channels")
        rows = x.reshape(len(x), -1, x.shape[-1])

        def backward(dy):
            drows = np.zeros_like(rows)
            np.put_along_axis(drows, rows.argmax(axis=1, keepdims=True), dy[:, None], axis=1)
            return drows.reshape(x.shape)

        return rows.max(axis=1), backward

    @classmethod
    def example(cls, rng):
        return cls(), rng.normal(size=(3, 4, 2, 2))


class Flatten(Layer):
    """Everything after the batch as one row: (batch, …) becomes (batch, n).

    Raises
    ------
    ValueError
        If the input has no axis but the batch, or one of its axes is 0.
    TypeError
        If the input is not of floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.cnn import Flatten
    >>> Flatten()(np.zeros((5, 4, 4, 16))).shape
    (5, 256)
    """

    def forward(self, x, training=False):
        _check_input(self, x)

        def backward(dy):
            return dy.reshape(x.shape)

        return x.reshape(len(x), -1), backward

    @classmethod
    def example(cls, rng):
        return cls(), rng.normal(size=(3, 4, 2))


def _flat(layers):
    """Layers one after the other, those inside a Sequential in its place."""
    for layer in layers:
        yield from _flat(layer.layers) if isinstance(layer, Sequential) else (layer,)


def _blocks(windows, axes):
    """Windows as the columns of a matrix, some rows of places at a time, and which columns these are."""
    entries, height, per_row = math.prod(windows.shape[: axes + 1]), windows.shape[axes + 1], math.prod(windows.shape[axes + 2 :])
    rows = max(BLOCK // (entries * per_row), 1)
    for i in range(0, height, rows):
        some = windows[(..., slice(i, i + rows), *[slice(None)] * axes)]
        yield some.reshape(entries, -1), slice(i * per_row, (i + rows) * per_row)


def _check_input(layer, x, *form):
    """An array of floating-point numbers with axes of this form, none of them 0; "…" stands for one or more."""
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fc":
        raise TypeError(f"{layer!r} expects an array of floating-point numbers, got {getattr(x, 'dtype', type(x).__name__)}")
    form = "batch", *{1: ["time"], 2: ["height", "width"]}.get(getattr(layer, "axes", 0), ["…"]), *form
    wrong = x.ndim < len(form) if "…" in form else x.ndim != len(form)
    if wrong or x.size == 0 or (isinstance(form[-1], int) and form[-1] != x.shape[-1]):
        raise ValueError(f"{layer!r} expects inputs of shape ({', '.join(map(str, form))}), all ≥ 1, got {x.shape}")


def _is_whole(value, least):
    return isinstance(value, int | np.integer) and value >= least


def _has_length(value, length):
    return isinstance(value, tuple | list) and len(value) == length


def _turn(x):
    """(batch, …, channels) as (channels, …, batch), and back."""
    return x.swapaxes(0, -1)
