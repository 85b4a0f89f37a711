"""The gradient of a loss, ways to check it, and what more the way back of a model can tell.

Reverse mode gives ∂L/∂θ for one number L at the price of one way back, whatever the size of θ. Three other ways to a derivative are
here to be compared with it: central differences (any function, half of the digits), the complex step (analytic functions, all
digits), and forward mode (`jvp`: all outputs along one direction).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnlib.activations import Activation
from nnlib.layers import Layer, Sequential
from nnlib.mlp import Dense

__all__ = [
    "check_gradient",
    "complex_step_gradient",
    "gradient_norms",
    "graph",
    "hessian_vector_product",
    "jacobian",
    "jvp",
    "numerical_gradient",
    "parameter_jacobian",
    "sharpness",
    "value_and_grad",
]

Loss = Callable[..., tuple[float, Callable[..., np.ndarray]]]


def value_and_grad(model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """L(model(x), target) and ∂L/∂θ, by backpropagation, in training mode.

    Gradients add up wherever a way back is called; this is the one function that sets them to zero first.

    Parameters
    ----------
    model : Layer
    loss : callable
        From `nnlib.losses`.
    x, target : ndarray
        A batch and what it should give.

    Returns
    -------
    value : float
    grad : ndarray, shape (P,)
        ``model.grad`` itself; the next call changes it.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import value_and_grad
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import Dense
    >>> model = Dense(1, 1, seed=0)
    >>> model.theta = [3.0, 0.0]               # y = 3 x + 0
    >>> value_and_grad(model, mse, np.array([[1.0]]), np.array([[1.0]]))
    (4.0, array([4., 4.]))
    """
    prediction, backward = model.forward(x, training=True)
    value, way_back = loss(prediction, target)
    model.grad[:] = 0
    model._back(backward, way_back(), want_dx=False)
    return value, model.grad


# --- the same slope by other ways -------------------------------------------------------------------------------------


def numerical_gradient(f: Callable[[np.ndarray], float], at: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences: ∂f/∂x_i ≈ (f(x + h e_i) − f(x − h e_i)) / 2h.

    Parameters
    ----------
    f : callable
        From an array to a number.
    at : ndarray
        x, of any shape; it is not changed.
    h : float
        Half the distance of the two points. The error falls as h² until rounding takes over.

    Returns
    -------
    ndarray
        Of the shape of ``at``.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import numerical_gradient
    >>> numerical_gradient(lambda x: float(x @ x), np.array([1.0, 2.0])).round(6)
    array([2., 4.])
    """
    _check_step("numerical_gradient", h)
    x = np.array(at, dtype=float)
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        here = x[i]
        x[i] = here + h
        above = f(x)
        x[i] = here - h
        slope[i] = (above - f(x)) / (2 * h)
        x[i] = here
    return slope


def complex_step_gradient(f: Callable[[np.ndarray], complex], at: np.ndarray, h: float = 1e-20) -> np.ndarray:
    """The complex step: ∂f/∂x_i = Im f(x + i h e_i) / h + O(h²).

    Nothing is subtracted, so h may be tiny and all digits are right. f must be computed by analytic operations only: +, ·, /, powers,
    exp, tanh, sin, matrix products, and max or a comparison with 0 away from the kink. An absolute value, ``np.var`` or a cast drops
    the imaginary part without a word; therefore one slope is compared with a central difference first.

    Parameters
    ----------
    f : callable
        From a complex array to a complex number. Every layer of nnlib can do it, as ``layer.astype(complex)``; the losses cannot.
    at : ndarray
        x, real, of any shape; it is not changed.
    h : float
        The step.

    Returns
    -------
    ndarray
        Of the shape of ``at``.

    Raises
    ------
    ValueError
        If f is not analytic at x as it is computed.

    References
    ----------
    Squire and Trapp (1998), Using complex variables to estimate derivatives of real functions.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import complex_step_gradient
    >>> complex_step_gradient(lambda x: np.exp(x).sum(), np.array([0.0, 1.0])) - np.exp([0, 1])
    array([0., 0.])
    """
    _check_step("complex_step_gradient", h)
    x = np.array(at, dtype=float)
    v = np.cos(np.arange(x.size)).reshape(x.shape) * np.maximum(np.abs(x), 1)
    _analytic_slope("f", lambda t: f(x + t * v))
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        z = x.astype(complex)
        z[i] += 1j * h
        slope[i] = np.imag(f(z)) / h
    return slope


def jvp(model: Layer, x: np.ndarray, dx: np.ndarray | None = None, dtheta: np.ndarray | None = None) -> np.ndarray:
    """Forward mode: the Jacobian–vector product (∂y/∂x) dx + (∂y/∂θ) dθ, how fast y = model(x) changes along one direction.

    It goes along with a single pass forward, in complex numbers: Im F(x + i h dx; θ + i h dθ) / h. (Two more passes check that the
    model is analytic.) A gradient of P entries takes P such products, where reverse mode takes one way back.

    Parameters
    ----------
    model : Layer
        Of analytic layers, as all of nnlib's are (see `complex_step_gradient`); it is not changed.
    x : ndarray
        A batch.
    dx : ndarray, same shape, optional
        The direction in x; 0 if left out.
    dtheta : ndarray, shape (P,), optional
        The direction in θ; 0 if left out.

    Returns
    -------
    ndarray
        Of the shape of y, in inference mode.

    Raises
    ------
    ValueError
        If a direction has the wrong shape, or the model is not analytic as it is computed.

    References
    ----------
    Wengert (1964), A simple automatic derivative evaluation program.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import jvp
    >>> from nnlib.mlp import Dense
    >>> dense = Dense(2, 1, seed=0)
    >>> dense.W = [[2.0, 3.0]]
    >>> jvp(dense, np.zeros((1, 2)), dx=np.array([[1.0, 0.0]]))
    array([[2.]])
    """
    for name, direction, shape in (("dx", dx, x.shape), ("dtheta", dtheta, model.theta.shape)):
        if direction is not None and np.shape(direction) != shape:
            raise ValueError(f"jvp expects {name} of shape {shape}, got {np.shape(direction)}")
    twin = model.astype(complex)
    theta = twin.theta.copy()

    def y(t):
        if dtheta is not None and theta.size:
            twin.theta = theta + t * np.asarray(dtheta)
        return twin(_complex(x) if dx is None else x + t * np.asarray(dx))

    return _analytic_slope(repr(model), y)


def check_gradient(model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray, h: float = 1e-5) -> float:
    """How far backpropagation is from central differences, over all of θ.

    Random layers (dropout) and running statistics are put back between the evaluations, so each sees the same noise; the
    model is left as it was.

    Returns
    -------
    float
        ``max |backprop − differences| / max |differences|``: some 1e-9 where all is right in float64, and near 1
        where a formula is wrong.

    Raises
    ------
    ValueError
        If the model has no parameters, or they are not float64: differences would drown in rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import check_gradient
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import MLP
    >>> error = check_gradient(MLP([2, 4, 1], "tanh", seed=0), mse, np.ones((3, 2)), np.zeros((3, 1)))
    >>> error < 1e-8
    True
    """
    _check_float64("check_gradient", model)
    with _left_as_it_was(model) as before:

        def loss_at(theta):
            model.restore(before)
            model.theta = theta
            return loss(model.forward(x, training=True)[0], target)[0]

        grad = value_and_grad(model, loss, x, target)[1].copy()
        differences = numerical_gradient(loss_at, model.theta, h)
    return float(np.abs(grad - differences).max() / max(np.abs(differences).max(), 1e-12))


# --- more than one slope ----------------------------------------------------------------------------------------------


def jacobian(model: Layer, x: np.ndarray) -> np.ndarray:
    """∂y/∂x for each example: the way back of one unit vector for each output.

    Parameters
    ----------
    model : Layer
        In inference mode, where each example goes its own way; its ``grad`` is left as it was.
    x : ndarray, shape (batch, …)

    Returns
    -------
    ndarray, shape (batch, outputs…, inputs…)
        For y of shape (batch, m) and x of shape (batch, n): (batch, m, n), with ∂y_k/∂x_i at [:, k, i].

    Raises
    ------
    TypeError
        If x are whole numbers, between which there is no slope.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import jacobian
    >>> from nnlib.mlp import Dense
    >>> dense = Dense(2, 1, seed=0)
    >>> dense.W = [[2.0, 3.0]]
    >>> jacobian(dense, np.zeros((1, 2)))
    array([[[2., 3.]]])
    """
    if x.dtype.kind != "f":
        raise TypeError(f"jacobian expects floating-point inputs, got {x.dtype}")
    with _left_as_it_was(model):
        y, backward = model.forward(x)
        found = np.empty((*y.shape, *x.shape[1:]), y.dtype)
        for k in np.ndindex(y.shape[1:]):
            e = np.zeros_like(y)
            e[:, *k] = 1
            found[:, *k] = backward(e)
    return found


def parameter_jacobian(model: Layer, x: np.ndarray) -> np.ndarray:
    """∂y/∂θ for each example: one way back for each output of each example.

    Parameters
    ----------
    model : Layer
        In inference mode; its ``grad`` is left as it was.
    x : ndarray, shape (batch, …)

    Returns
    -------
    ndarray, shape (batch, outputs…, P)
        For y of shape (batch, m): ∂y_k/∂θ_p at [:, k, p].

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import parameter_jacobian
    >>> from nnlib.mlp import Dense
    >>> parameter_jacobian(Dense(2, 1, seed=0), np.array([[5.0, 7.0]]))      # y = w₁ x₁ + w₂ x₂ + b
    array([[[5., 7., 1.]]])
    """
    rows = []
    with _left_as_it_was(model):
        for n in range(len(x)):
            y, backward = model.forward(x[n : n + 1])
            for k in np.ndindex(y.shape):
                e = np.zeros_like(y)
                e[k] = 1
                model.grad[:] = 0
                model._back(backward, e, want_dx=False)
                rows.append(model.grad.copy())
    return np.array(rows).reshape(len(x), *y.shape[1:], -1)


def hessian_vector_product(
    model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray, v: np.ndarray, h: float = 1e-5
) -> np.ndarray:
    """H v with H = ∂²L/∂θ², without H: H v ≈ (g(θ + r v) − g(θ − r v)) / 2r with g = ∂L/∂θ and r = h / |v|.

    Two gradients instead of P. The relative error is some 1e-9 for a smooth loss of order 1; where a ReLU has its kink inside the
    step, the difference counts the jump of g there, which H does not have.

    Parameters
    ----------
    model, loss, x, target
        As for `value_and_grad`. The model is left as it was, and both gradients see the same noise.
    v : ndarray, shape (P,)
    h : float
        Half the distance of the two points in θ.

    Returns
    -------
    ndarray, shape (P,)

    Raises
    ------
    ValueError
        If v has another shape or is not finite, or the parameters are not float64.

    References
    ----------
    Pearlmutter (1994), Fast exact multiplication by the Hessian, whose exact product this one approaches.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import hessian_vector_product
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import Dense
    >>> x, target = np.array([[3.0]]), np.array([[0.0]])       # L = (3 w + b)²
    >>> hessian_vector_product(Dense(1, 1, seed=0), mse, x, target, np.array([1.0, 0.0])).round(6)
    array([18.,  6.])
    """
    _check_float64("hessian_vector_product", model)
    _check_step("hessian_vector_product", h)
    if np.shape(v) != model.theta.shape or not np.isfinite(v).all():
        raise ValueError(f"hessian_vector_product expects a finite v of shape {model.theta.shape}, got shape {np.shape(v)}")
    length = np.linalg.norm(v)
    if length == 0:
        return np.zeros(model.theta.shape)
    with _left_as_it_was(model) as before:
        theta, r = model.theta.copy(), h / length

        def gradient_at(theta):
            model.restore(before)
            model.theta = theta
            return value_and_grad(model, loss, x, target)[1].copy()

        return (gradient_at(theta + r * v) - gradient_at(theta - r * v)) / (2 * r)


def sharpness(model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray, *, seed: int | np.random.Generator) -> float:
    """λ_max, the largest eigenvalue of the Hessian ∂²L/∂θ², by the Lanczos method on `hessian_vector_product`.

    Gradient descent on a quadratic diverges when its learning rate exceeds 2/λ_max. Kinks: see `hessian_vector_product`.

    Parameters
    ----------
    model, loss, x, target
        As for `value_and_grad`; the model is left as it was.
    seed : int or numpy.random.Generator
        Where the first vector comes from.

    Returns
    -------
    float
        To a relative accuracy of some 1e-6.

    Raises
    ------
    ValueError
        If the model has fewer than two parameters, or they are not float64.

    References
    ----------
    Cohen, Kaur, Li, Kolter and Talwalkar (2021), Gradient descent on neural networks typically occurs at the edge of stability.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import sharpness
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import Dense
    >>> round(sharpness(Dense(1, 1, seed=0), mse, np.array([[3.0]]), np.array([[0.0]]), seed=0), 4)  # of [[18, 6], [6, 2]]
    20.0
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    _check_float64("sharpness", model)
    if model.theta.size < 2:
        raise ValueError("sharpness needs a model with at least 2 parameters, got 1")
    if seed is None:
        raise ValueError("sharpness needs a seed or a numpy.random.Generator: without one, no run could be repeated")
    P = model.theta.size
    H = LinearOperator((P, P), matvec=lambda v: hessian_vector_product(model, loss, x, target, v), dtype=float)
    start = np.random.default_rng(seed).normal(size=P)
    return float(eigsh(H, k=1, which="LA", v0=start, tol=1e-6, return_eigenvectors=False)[0])


def gradient_norms(
    model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray
) -> tuple[dict[str, float], dict[str, float]]:
    """How large the gradient is in each layer: where it vanishes, and where it explodes.

    Parameters
    ----------
    model, loss, x, target
        As for `value_and_grad`; the model is left as it was.

    Returns
    -------
    outputs : dict
        ‖∂L/∂a‖ over the whole batch, for the output a of each layer inside the model through whose way back the gradient
        went, by name and in the order of θ. For a layer that is called more than once, over all its outputs.
    parameters : dict
        ‖∂L/∂W‖ for each parameter, by name.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import gradient_norms
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import MLP
    >>> outputs, parameters = gradient_norms(MLP([2, 4, 1], "tanh", seed=0), mse, np.ones((3, 2)), np.zeros((3, 1)))
    >>> list(outputs)
    ['layers.0', 'layers.1', 'layers.2']
    >>> list(parameters)
    ['layers.0.W', 'layers.0.b', 'layers.2.W', 'layers.2.b']
    """
    squares: dict[str, float] = {}
    inside = {path.rstrip("."): layer for path, layer in model.named_layers().items() if layer is not model}

    def watched(name, forward):
        def forward_watched(*inputs, **options):
            y, backward = forward(*inputs, **options)

            def backward_watched(dy, *want_dx, **options):
                squares[name] = squares.get(name, 0.0) + float(np.vdot(dy, dy))
                return backward(dy, *want_dx, **options)

            return y, backward_watched

        return forward_watched

    with _left_as_it_was(model):
        try:
            for name, layer in inside.items():
                layer.__dict__["forward"] = watched(name, layer.forward)
            value_and_grad(model, loss, x, target)
        finally:
            for layer in inside.values():
                layer.__dict__.pop("forward", None)
        parameters = {
            f"{path}{name}": float(np.linalg.norm(getattr(layer, "d" + name)))
            for path, layer in model.named_layers().items()
            for name in layer.parameters
        }
    return {name: squares[name] ** 0.5 for name in inside if name in squares}, parameters


# --- the computational graph ------------------------------------------------------------------------------------------

Nodes = dict[str, tuple[float, float]]
Edges = dict[tuple[str, str], tuple[float, float | None]]


def graph(model: Layer, loss: Loss, x: np.ndarray, target: np.ndarray) -> tuple[Nodes, Edges]:
    """The computational graph of L(model(x), target) for one example, neuron by neuron, with all values and gradients.

    It is what backpropagation walks along: ∂L/∂tail = Σ ∂head/∂tail · ∂L/∂head over the edges that leave a node, and ∂L/∂w =
    tail · ∂L/∂head for the weight w of an edge. `nnlib.figures.graph` draws it.

    Parameters
    ----------
    model : Layer
        A `Sequential` of `Dense` layers, each followed by at most one activation, or one `Dense` layer. It is left as it was.
    loss : callable
        From `nnlib.losses`.
    x, target : ndarray
        One example: x has shape (1, n).

    Returns
    -------
    nodes : dict
        From the name of a quantity u (x₁, b⁽¹⁾₁, z⁽¹⁾₁, a⁽¹⁾₁, …, L) to (u, ∂L/∂u), from the input to the loss.
    edges : dict
        From (tail, head) to (∂head/∂tail, ∂L/∂w): the first is the weight w itself from an a to a z, and only there is the second
        a number, else None.

    Raises
    ------
    TypeError
        If the model is something else.
    ValueError
        If x is not one example.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.backprop import graph
    >>> from nnlib.losses import mse
    >>> from nnlib.mlp import Dense
    >>> model = Dense(1, 1, seed=0)
    >>> model.theta = [3.0, 0.0]
    >>> nodes, edges = graph(model, mse, np.array([[2.0]]), np.array([[5.0]]))       # L = (3 · 2 + 0 − 5)²
    >>> nodes
    {'x₁': (2.0, 6.0), 'b⁽¹⁾₁': (0.0, 2.0), 'z⁽¹⁾₁': (6.0, 2.0), 'L': (1.0, 1.0)}
    >>> edges
    {('x₁', 'z⁽¹⁾₁'): (3.0, 4.0), ('b⁽¹⁾₁', 'z⁽¹⁾₁'): (1.0, None), ('z⁽¹⁾₁', 'L'): (2.0, None)}
    """
    layers = model.layers if isinstance(model, Sequential) else (model,)
    for before, after in zip((None, *layers), layers, strict=False):
        if not (isinstance(after, Dense) or (isinstance(after, Activation) and isinstance(before, Dense))):
            raise TypeError(f"graph expects a Sequential of Dense layers, each followed by at most one activation, got {model!r}")
    if np.ndim(x) != 2 or len(x) != 1:
        raise ValueError(f"graph expects one example of shape (1, n), got {np.shape(x)}")
    with _left_as_it_was(model):
        values, ways_back = [x], []
        for step in layers:
            y, way_back = step.forward(values[-1])
            values.append(y)
            ways_back.append(way_back)
        L, way_back = loss(values[-1], target)
        gradients = [way_back()]
        for way_back in reversed(ways_back):
            gradients.insert(0, way_back(gradients[0]))

    nodes: Nodes = {}
    edges: Edges = {}
    depth, tails = 0, list[str]()
    for k, (value, gradient) in enumerate(zip(values, gradients, strict=True)):
        layer = layers[k - 1] if k else None
        depth += isinstance(layer, Dense)
        letter = "x" if k == 0 else "z" if isinstance(layer, Dense) else "a"
        heads = [_label(letter, depth, j) for j in range(value.shape[1])]
        if isinstance(layer, Dense):
            for j, head in enumerate(heads):
                b = _label("b", depth, j)
                nodes[b] = float(layer.b[j]), float(gradient[0, j])
                edges |= {(tail, head): (w, nodes[tail][0] * float(gradient[0, j])) for tail, w in zip(tails, layer.W[j].tolist(), strict=True)}
                edges[b, head] = 1.0, None
        elif isinstance(layer, Activation):
            slopes = layer.derivative(values[k - 1])[0].tolist()
            edges |= {(tail, head): (slope, None) for tail, head, slope in zip(tails, heads, slopes, strict=True)}
        nodes |= dict(zip(heads, zip(value[0].tolist(), gradient[0].tolist(), strict=True), strict=True))
        tails = heads
    edges |= {(tail, "L"): (nodes[tail][1], None) for tail in tails}
    nodes["L"] = L, 1.0
    return nodes, edges


def _label(letter: str, depth: int, j: int) -> str:
    """z⁽¹⁾₂ for the second entry (j = 1) of z at depth 1, and x₂ at depth 0."""
    raised = f"⁽{depth}⁾".translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if depth else ""
    return letter + raised + str(j + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


# --- what all of them need --------------------------------------------------------------------------------------------


@contextmanager
def _left_as_it_was(model: Layer) -> Iterator[dict[str, Any]]:
    """Give the model's state, and put it and the gradient back in the end, whatever happens."""
    before, grad_before = model.state(), model.grad.copy()
    try:
        yield before
    finally:
        model.restore(before)
        model.grad = grad_before


def _analytic_slope(name: str, f: Callable[[complex], Any]) -> Any:
    """f′(0) by the complex step, refused where central differences of the same f say something else."""
    tiny, small = 1e-20, 1e-6
    slope = np.imag(f(1j * tiny)) / tiny
    above, below = f(complex(small)), f(complex(-small))
    difference = np.real(above - below) / (2 * small)
    error, size = np.linalg.norm(slope - difference), max(np.linalg.norm(slope), np.linalg.norm(difference))
    rounding = 1e-8 * np.linalg.norm(above)
    if not error <= 1e-4 * size + rounding:
        raise ValueError(
            f"{name} is not analytic here as it is computed: the complex step finds a slope that is {error:.3g} away from "
            f"central differences, of size {size:.3g}"
        )
    return slope


def _check_float64(name: str, model: Layer) -> None:
    """Differences of float32 would drown in rounding."""
    if model.theta.size == 0 or model.theta.dtype != float:
        raise ValueError(f"{name} needs a model with float64 parameters, got {model.theta.size} of {model.theta.dtype}")


def _check_step(name: str, h: float) -> None:
    if not h > 0:
        raise ValueError(f"{name} needs a step h > 0, got {h}")


def _complex(x: np.ndarray) -> np.ndarray:
    """Complex where x are floating-point numbers; tokens stay whole."""
    return x.astype(complex) if x.dtype.kind == "f" else x
