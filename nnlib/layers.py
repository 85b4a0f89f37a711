"""The one contract: a layer gives its value and the way back.

    y, backward = layer.forward(x, training=...)
    dx = backward(dy)

``forward`` computes y = F(x; θ). ``backward`` takes dy = ∂L/∂y, **adds** ∂L/∂θ to the layer's gradients, and returns
dx = ∂L/∂x. What persists lives on the layer: its parameters (``W``, with the gradient ``dW`` beside it), buffers and generators.
What belongs to one call lives in the closure ``backward``, so a layer that is used twice is right. Where x are whole numbers
(the tokens of an embedding) there is no ∂L/∂x, and dx is None.

A model keeps all its parameters in one contiguous vector ``theta`` and their gradients in another, ``grad``. The parameters
of each layer are views of these two, so an optimizer is an equation on vectors.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Layer", "Positionwise", "Residual", "Sequential"]

Backward = Callable[[np.ndarray], np.ndarray]

BLOCK = 2048  # examples that go through a `Sequential` together in inference


class Layer:
    """A differentiable function with parameters θ: y = F(x; θ).

    A subclass names its parameters in ``parameters`` and hands their initial values to ``Layer.__init__``; a composite sets its
    inner layers as attributes first. It implements ``forward``, and ``example``, which the tests use to find and check it.

    Attributes
    ----------
    theta : ndarray, shape (P,)
        All parameters of this layer and the layers inside it. Writing into it changes the model.
        A layer that holds another one which is tied into a second place of the same model, and stands there first, has no
        vector of its own; the model has.
    grad : ndarray, shape (P,)
        ∂L/∂θ, to which every ``backward`` adds. `nnlib.backprop.value_and_grad` sets it to zero first.
    skips_dx : bool
        Whether its way back can be called as ``backward(dy, want_dx=False)``, which adds ∂L/∂θ and leaves ∂L/∂x out: for a layer
        that comes first, whose input is data.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.layers import Layer
    >>> class Scale(Layer):
    ...     parameters = ("s",)
    ...     def forward(self, x, training=False):
    ...         def backward(dy):
    ...             self.ds += (dy * x).sum()
    ...             return dy * self.s
    ...         return x * self.s, backward
    >>> scale = Scale(s=np.array(2.0))
    >>> y, backward = scale.forward(np.array([[1.0, 3.0]]))
    >>> backward(np.ones((1, 2)))
    array([[2., 2.]])
    >>> scale.grad
    array([4.])
    """

    parameters: tuple[str, ...] = ()
    buffers: tuple[str, ...] = ()
    skips_dx: bool = False
    theta: np.ndarray
    grad: np.ndarray

    def __init__(self, **values: np.ndarray):
        if set(values) != {*self.parameters, *self.buffers}:
            raise TypeError(f"{type(self).__name__} declares {(*self.parameters, *self.buffers)}, got values for {tuple(values)}")
        self.__dict__.update({name: np.array(value) for name, value in values.items()})
        self._pack()

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Backward]:
        """Return y = F(x; θ) and the function that maps ∂L/∂y to ∂L/∂x and adds ∂L/∂θ to ``grad``."""
        raise TypeError(f"{type(self).__name__} defines no forward(x, training=False)")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Plain inference: y = F(x; θ), keeping no way back."""
        return self.forward(x)[0]

    def _back(self, way_back, dy, want_dx):
        """Walk a way back of this layer, without ∂L/∂x where nobody wants it and the layer can leave it out."""
        return way_back(dy, want_dx=want_dx) if self.skips_dx else way_back(dy)

    # --- one vector θ -------------------------------------------------------------------------------------------------

    def children(self) -> Iterator[tuple[str, Layer]]:
        """The layers directly inside this one, with their names: ``layers.0``."""
        for name, value in vars(self).items():
            if name == "_root":
                continue
            yield from ((name + suffix, layer) for suffix, layer in _layers_in(value))

    def named_layers(self, prefix: str = "") -> dict[str, Layer]:
        """This layer and all inside it by dotted name, each once, in the order in which they stand in θ."""
        found = {prefix: self}
        for name, child in self.children():
            for path, layer in child.named_layers(f"{prefix}{name}.").items():
                if not any(layer is other for other in found.values()):
                    found[path] = layer
        return found

    def named_parameters(self) -> dict[str, np.ndarray]:
        """Views of the parameters by dotted name, in the order in which they stand in θ.

        >>> from nnlib.mlp import MLP
        >>> {name: view.shape for name, view in MLP([2, 3, 1], seed=0).named_parameters().items()}
        {'layers.0.W': (3, 2), 'layers.0.b': (3,), 'layers.2.W': (1, 3), 'layers.2.b': (1,)}
        """
        return {path + name: getattr(layer, name) for path, layer in self.named_layers().items() for name in layer.parameters}

    def _pack(self) -> None:
        """Lay the parameters of this tree into one vector, and make each a view of it."""
        tree = list(self.named_layers().values())
        for layer in tree:
            root = layer.__dict__.get("_root", layer)
            if layer.__dict__.get("theta", np.empty(0)).size and not any(root is other for other in tree):
                raise ValueError(f"{layer!r} already lives in the θ of another model; give copy.deepcopy(layer) instead")
        values = list(self.named_parameters().values())
        dtype = np.result_type(*values) if values else np.dtype(float)
        if dtype.kind not in "fc":
            raise TypeError(f"parameters must be floating point, got {dtype}")
        size = sum(value.size for value in values)
        self._place(np.empty(size, dtype), np.zeros(size, dtype), 0, set())
        for layer in tree:
            layer.__dict__["_root"] = self

    def _place(self, theta: np.ndarray, grad: np.ndarray, start: int, placed: set[int]) -> int:
        """Move this layer's values to ``theta[start:stop]``, a tied layer only once; return ``stop``."""
        stop = start
        if id(self) in placed:
            return stop
        placed.add(id(self))
        for name in self.parameters:
            value = self.__dict__[name]
            here = slice(stop, stop + value.size)
            theta[here] = value.ravel()
            self.__dict__[name], self.__dict__["d" + name] = theta[here].reshape(value.shape), grad[here].reshape(value.shape)
            stop += value.size
        for _, child in self.children():
            stop = child._place(theta, grad, stop, placed)
        whole = stop - start == sum(view.size for view in self.named_parameters().values())
        if whole:
            self.__dict__["theta"], self.__dict__["grad"] = theta[start:stop], grad[start:stop]
        else:
            self.__dict__.pop("theta", None), self.__dict__.pop("grad", None)
        return stop

    def __getattr__(self, name: str) -> Any:
        if name in ("theta", "grad") and "_root" in self.__dict__:
            raise AttributeError(f"{type(self).__name__} shares parameters with another layer of its model, whose {name} has them all")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Write ``layer.W = value`` into θ itself, so that the view and the vector never come apart."""
        if isinstance(value, list) and any(isinstance(item, Layer) for item in value):
            raise TypeError(f"{type(self).__name__}.{name}: give layers in a tuple, got a list")
        if "_root" not in self.__dict__:
            self.__dict__[name] = value
        elif name in ("theta", "grad", *self.parameters, *self.buffers, *("d" + p for p in self.parameters)):
            array = getattr(self, name)
            if value is not array:
                if np.shape(value) != array.shape:
                    raise ValueError(f"{type(self).__name__}.{name} has shape {array.shape}, got {np.shape(value)}")
                array[...] = value
        elif _layers_in(value) or _layers_in(self.__dict__.get(name)):
            raise TypeError(f"the layers of a model are fixed, because they share one θ; build a new {type(self).__name__}")
        else:
            self.__dict__[name] = value

    # --- copies and states --------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        derived = {"theta", "grad", "_root", *("d" + name for name in self.parameters)}
        return {name: value for name, value in self.__dict__.items() if name not in derived}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copied view is an array of its own: tie it to a θ again.
        self.__dict__.update(state)
        self._pack()

    def astype(self, dtype: Any) -> Layer:
        """A copy whose parameters and buffers have another dtype.

        >>> from nnlib.mlp import Dense
        >>> Dense(2, 3, seed=0).astype("float32").theta.dtype
        dtype('float32')
        """
        other = copy.deepcopy(self)
        for layer in other.named_layers().values():
            for name in (*layer.parameters, *layer.buffers):
                layer.__dict__[name] = layer.__dict__[name].astype(dtype)
        other._pack()
        return other

    def _persistent(self) -> dict[str, Any]:
        """All that lasts from call to call, by name: parameters, buffers, generators."""
        found: dict[str, Any] = {}
        for path, layer in self.named_layers().items():
            found |= {path + name: layer.__dict__[name] for name in (*layer.parameters, *layer.buffers)}
            found |= {path + name: value for name, value in vars(layer).items() if isinstance(value, np.random.Generator)}
        return found

    def state(self) -> dict[str, Any]:
        """Copy all that persists: parameters, buffers, and the states of the random generators."""
        return {
            name: copy.deepcopy(value.bit_generator.state) if isinstance(value, np.random.Generator) else value.copy()
            for name, value in self._persistent().items()
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back. Other names or shapes are refused before anything has changed.

        >>> from nnlib.mlp import Dense
        >>> dense = Dense(2, 3, seed=0)
        >>> before = dense.state()
        >>> dense.theta[:] = 0
        >>> dense.restore(before)
        >>> bool((dense.W == before["W"]).all())
        True
        """
        mine = self._persistent()
        if mine.keys() != state.keys():
            raise ValueError(f"{type(self).__name__} has a state named {sorted(mine)}, got {sorted(state)}")
        for name, value in mine.items():
            if isinstance(value, np.random.Generator):
                kind = type(value.bit_generator).__name__
                if not isinstance(state[name], dict) or state[name].get("bit_generator") != kind:
                    raise ValueError(f"{name} is the state of a {kind} generator, got {state[name]!r}")
            elif np.shape(state[name]) != value.shape:
                raise ValueError(f"{name} has shape {value.shape}, got {np.shape(state[name])}")
        for name, value in mine.items():
            if isinstance(value, np.random.Generator):
                value.bit_generator.state = copy.deepcopy(state[name])
            else:
                value[...] = state[name]

    def __repr__(self) -> str:
        inside = ", ".join(repr(child) for _, child in self.children())
        return f"{type(self).__name__}({inside})"


def _layers_in(value: Any) -> list[tuple[str, Layer]]:
    """The layers that an attribute holds, itself or the items of a tuple, with what is added to its name."""
    if isinstance(value, Layer):
        return [("", value)]
    if isinstance(value, tuple):
        return [(f".{i}", item) for i, item in enumerate(value) if isinstance(item, Layer)]
    return []


class Sequential(Layer):
    """Layers one after the other: y = F_n(… F_2(F_1(x))).

    The way back walks the ways back of the layers in reverse: this is the chain rule.

    Parameters
    ----------
    *layers : Layer
        Each must take what the one before it returns.

    Raises
    ------
    TypeError
        If something else than a layer is given.
    ValueError
        If a layer already lives in another model.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.activations import ReLU
    >>> from nnlib.layers import Sequential
    >>> from nnlib.mlp import Dense
    >>> model = Sequential(Dense(2, 3, seed=0), ReLU(), Dense(3, 1, seed=1))
    >>> model
    Sequential(Dense(2, 3), ReLU(), Dense(3, 1))
    >>> model(np.zeros((4, 2))).shape, model.theta.shape
    ((4, 1), (13,))
    """

    skips_dx = True

    def __init__(self, *layers: Layer):
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"{type(self).__name__} expects layers, got {layer!r}")
        self.layers = layers
        super().__init__()

    def forward(self, x, training=False):
        ways_back = []
        for layer in self.layers:
            x, way_back = layer.forward(x, training=training)
            ways_back.append(way_back)

        def backward(dy, want_dx=True):
            for i in reversed(range(len(ways_back))):
                dy = self.layers[i]._back(ways_back[i], dy, want_dx=want_dx or i > 0)
            return dy if want_dx else None

        return x, backward

    def __call__(self, x):
        # A block of examples after the other, so that what a layer returns is still in the cache when the next one reads it.
        if isinstance(x, np.ndarray) and x.ndim > 0 and len(x) > BLOCK:
            return np.concatenate([self(x[start : start + BLOCK]) for start in range(0, len(x), BLOCK)])
        for layer in self.layers:
            x = layer(x)
        return x

    def outputs(self, x: np.ndarray) -> list[np.ndarray]:
        """The output of every layer in turn, for looking inside: [F_1(x), F_2(F_1(x)), …]."""
        found = []
        for layer in self.layers:
            x = layer(x)
            found.append(x)
        return found

    @classmethod
    def example(cls, rng):
        from nnlib.activations import Tanh
        from nnlib.mlp import Dense

        shared = Dense(3, 3, seed=rng)
        return cls(shared, Tanh(), shared), rng.normal(size=(4, 3))


class Residual(Layer):
    """A layer and a way around it: y = x + F(x).

    Parameters
    ----------
    layer : Layer
        F; its output has the shape of its input.

    Raises
    ------
    ValueError
        If F(x) has another shape than x.

    References
    ----------
    He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.layers import Residual
    >>> from nnlib.activations import ReLU
    >>> Residual(ReLU())(np.array([[-1.0, 2.0]]))
    array([[-1.,  4.]])
    """

    def __init__(self, layer: Layer):
        if not isinstance(layer, Layer):
            raise TypeError(f"Residual expects a layer, got {layer!r}")
        self.layer = layer
        super().__init__()

    def forward(self, x, training=False):
        y, through = self.layer.forward(x, training=training)

        def backward(dy):
            return dy + through(dy)

        return self._sum(x, y), backward

    def __call__(self, x):
        return self._sum(x, self.layer(x))

    def _sum(self, x, y):
        if y.shape != x.shape:
            raise ValueError(f"{self!r} adds its input of shape {x.shape} to an output of shape {y.shape}")
        return x + y

    @classmethod
    def example(cls, rng):
        from nnlib.mlp import MLP

        return cls(MLP([3, 5, 3], activation="tanh", seed=rng)), rng.normal(size=(4, 3))


class Positionwise(Layer):
    """One layer for every position of a sequence: y_t = F(x_t), with the same parameters at each t.

    Parameters
    ----------
    layer : Layer
        F, which takes (rows, n) and returns (rows, m).

    Raises
    ------
    ValueError
        If the input is not of shape (batch, time, n) with batch and time ≥ 1.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need: the "position-wise" feed-forward network.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.layers import Positionwise
    >>> from nnlib.mlp import Dense
    >>> Positionwise(Dense(3, 5, seed=0))(np.zeros((2, 7, 3))).shape
    (2, 7, 5)
    """

    skips_dx = True

    def __init__(self, layer: Layer):
        if not isinstance(layer, Layer):
            raise TypeError(f"Positionwise expects a layer, got {layer!r}")
        self.layer = layer
        super().__init__()

    def forward(self, x, training=False):
        rows, through = self.layer.forward(self._rows(x), training=training)

        def backward(dy, want_dx=True):
            drows = self.layer._back(through, dy.reshape(-1, dy.shape[-1]), want_dx)
            return None if drows is None else drows.reshape(x.shape)

        return rows.reshape(*x.shape[:2], -1), backward

    def __call__(self, x):
        return self.layer(self._rows(x)).reshape(*x.shape[:2], -1)

    def _rows(self, x):
        if not isinstance(x, np.ndarray):
            raise TypeError(f"{self!r} expects an array, got {type(x).__name__}")
        if x.ndim != 3 or x.size == 0:
            raise ValueError(f"{self!r} expects inputs of shape (batch, time, n) with batch and time ≥ 1, got {x.shape}")
        return x.reshape(-1, x.shape[-1])

    @classmethod
    def example(cls, rng):
        from nnlib.mlp import MLP

        return cls(MLP([3, 4, 2], activation="tanh", seed=rng)), rng.normal(size=(4, 5, 3))
