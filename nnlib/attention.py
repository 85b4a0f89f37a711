"""Attention, and the Transformers built of it: every position looks at every other and takes a weighted mean of what it finds.

    A = softmax(Q Kᵀ / √d_k),    Y = A V

First comes the function, `scaled_dot_product_attention`, then the layer with several heads, the block, and three models of one
stack of blocks: `Encoder` (BERT's kind), `GPT` (the same with a causal mask) and `VisionTransformer` (the same on patches of an
image). Sequences are (batch, time, d), tokens whole numbers (batch, time).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlib.activations import SiLU
from nnlib.cnn import GlobalAverage
from nnlib.layers import Layer, Positionwise, Residual, Sequential
from nnlib.mlp import MLP, Dense
from nnlib.regularizers import Dropout, LayerNorm

__all__ = [
    "GPT",
    "Embedding",
    "Encoder",
    "LearnedPositions",
    "MultiHeadAttention",
    "PatchEmbedding",
    "SwiGLU",
    "TransformerBlock",
    "VisionTransformer",
    "mask_tokens",
    "rotate",
    "scaled_dot_product_attention",
    "sinusoidal",
]


# --- the function -----------------------------------------------------------------------------------------------------


def scaled_dot_product_attention(
    Q: np.ndarray, K: np.ndarray, V: np.ndarray, mask: np.ndarray | None = None, causal: bool = False
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Each query takes the mean of the values, weighted by how well their keys fit: A = softmax(Q Kᵀ/√d_k + mask), Y = A V.

    The entries of Q Kᵀ have the variance d_k where those of Q and K have 1; the root brings it back to 1, where softmax has a
    slope. The way back: ∂L/∂V = Aᵀ ∂L/∂Y, ∂L/∂A = ∂L/∂Y Vᵀ, ∂L/∂S = A ⊙ (∂L/∂A − Σ_j A ∂L/∂A), ∂L/∂Q = ∂L/∂S K/√d_k,
    ∂L/∂K = ∂L/∂Sᵀ Q/√d_k.

    Parameters
    ----------
    Q : ndarray, shape (…, q, d_k)
        Queries.
    K : ndarray, shape (…, k, d_k)
        Keys, with the same leading axes.
    V : ndarray, shape (…, k, d_v)
        Values.
    mask : ndarray, broadcastable to (…, q, k), optional
        Of truth values: True where a query may attend to a key. Of floating-point numbers: added to Q Kᵀ/√d_k, so −∞ forbids.
    causal : bool
        A query sees its own position and those before. The queries are the **last** q of the k positions: query i sees the keys
        j ≤ i + k − q. (PyTorch's ``is_causal`` makes them the first.)

    Returns
    -------
    Y : ndarray, shape (…, q, d_v)
        0 for a query that may attend to nothing, and so are its gradients.
    A : ndarray, shape (…, q, k)
        The weights; each row sums to 1, or is 0 where nothing may be attended to. The way back reads them: do not write into it.
    backward : callable
        ``backward(dY)`` is (∂L/∂Q, ∂L/∂K, ∂L/∂V).

    Raises
    ------
    ValueError
        If the shapes do not fit together, an axis is empty, or an additive mask has a NaN or +∞.
    TypeError
        If something is not an array of floating-point numbers of one dtype, or the mask of neither kind.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import scaled_dot_product_attention
    >>> Q, K = np.array([[0.0], [50.0]]), np.array([[-1.0], [1.0]])
    >>> Y, A, backward = scaled_dot_product_attention(Q, K, V=np.array([[10.0], [20.0]]))
    >>> A.round(6)                             # the first query likes both keys alike, the second one only the last
    array([[0.5, 0.5],
           [0. , 1. ]])
    >>> Y
    array([[15.],
           [20.]])
    >>> dQ, dK, dV = backward(np.ones((2, 1)))
    >>> dV
    array([[0.5],
           [1.5]])
    """
    _check_attention(Q, K, V, mask)
    scale = 1 / math.sqrt(Q.shape[-1])
    S = (scale * Q) @ K.swapaxes(-1, -2)                       # S = Q Kᵀ/√d_k
    if causal:
        q, k = S.shape[-2:]
        S += np.triu(np.full((q, k), -np.inf, S.dtype), k - q + 1)
    if mask is not None and mask.dtype == bool:
        np.copyto(S, -np.inf, where=~mask)
    elif mask is not None:
        S += mask
    largest = S.max(axis=-1, keepdims=True)
    largest[largest == -np.inf] = 0                            # nothing to attend to
    A = np.exp(np.subtract(S, largest, out=S), out=S)          # in place, since S is the largest array here
    total = A @ np.ones((A.shape[-1], 1), A.dtype)             # Σ_j A_ij, as a product: faster than sum() along a short axis
    A /= total + (total == 0)                                  # A = softmax(S), or 0
    Y = np.matmul(A, V, out=np.empty_like(V, shape=(*A.shape[:-1], V.shape[-1])))      # Y = A V, in memory as V is

    def backward(dY):
        dV = A.swapaxes(-1, -2) @ dY                           # ∂L/∂V = Aᵀ ∂L/∂Y
        dS = dY @ V.swapaxes(-1, -2)                           # ∂L/∂A = ∂L/∂Y Vᵀ
        dS -= np.einsum("...d,...d->...", dY, Y)[..., None]    # Σ_j A_ij ∂L/∂A_ij = ∂L/∂Y_i · Y_i
        dS *= A                                                # ∂L/∂S = A ⊙ (∂L/∂A − Σ_j A ∂L/∂A)
        dQ = scale * (dS @ K)                                  # ∂L/∂Q = ∂L/∂S K/√d_k
        dK = scale * (dS.swapaxes(-1, -2) @ Q)                 # ∂L/∂K = ∂L/∂Sᵀ Q/√d_k
        return dQ, dK, dV

    return Y, A, backward


def _check_attention(Q, K, V, mask):
    name = "scaled_dot_product_attention"
    _check_floating(name, Q, K, V)
    if not Q.dtype == K.dtype == V.dtype:
        raise TypeError(f"{name} expects Q, K and V of one dtype, got {Q.dtype}, {K.dtype} and {V.dtype}")
    fit = min(Q.ndim, K.ndim, V.ndim) >= 2 and Q.shape[:-2] == K.shape[:-2] == V.shape[:-2]
    if not fit or Q.shape[-1] != K.shape[-1] or K.shape[-2] != V.shape[-2] or 0 in Q.shape + K.shape + V.shape:
        raise ValueError(f"{name} expects Q (…, q, d_k), K (…, k, d_k) and V (…, k, d_v), none empty, got {Q.shape}, {K.shape} and {V.shape}")
    if mask is None:
        return
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "bf":
        raise TypeError(f"{name} expects a mask of truth values (True: may attend) or of floating-point numbers (added), got {_kind(mask)}")
    shape = (*Q.shape[:-1], K.shape[-2])
    if mask.ndim > len(shape) or any(m not in (1, n) for m, n in zip(mask.shape[::-1], shape[::-1], strict=False)):
        raise ValueError(f"{name} expects a mask that broadcasts to (…, q, k) = {shape}, got {mask.shape}")
    if mask.dtype != bool and not (mask < np.inf).all():
        raise ValueError(f"{name} expects an additive mask below +∞ and without NaN, got {np.count_nonzero(~(mask < np.inf))} such entries")


# --- tokens and positions ---------------------------------------------------------------------------------------------


class Embedding(Layer):
    """A vector for each token: h_t = W[token_t], a row of W.

    Parameters
    ----------
    vocabulary, d : int
        Number of tokens, and the size of their vectors.
    seed : int or numpy.random.Generator
        Where the first vectors come from: W ~ N(0, 1/d), so their length is near 1.

    Attributes
    ----------
    W : ndarray, shape (vocabulary, d)
        The vectors; ``dW`` is their gradient.

    Raises
    ------
    ValueError
        If a size is not positive, there are no tokens, or a token is not in 0 … vocabulary − 1.
    TypeError
        If the tokens are not whole numbers.

    References
    ----------
    Bengio, Ducharme, Vincent and Jauvin (2003), A neural probabilistic language model.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import Embedding
    >>> embedding = Embedding(3, 2, seed=0)
    >>> embedding.W = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> h, backward = embedding.forward(np.array([[2, 0, 2]]))
    >>> h
    array([[[1., 1.],
            [1., 0.],
            [1., 1.]]])
    >>> backward(np.ones((1, 3, 2)))           # tokens have no gradient, their vectors add it up
    >>> embedding.dW
    array([[1., 1.],
           [0., 0.],
           [2., 2.]])
    """

    parameters = ("W",)
    W: np.ndarray
    dW: np.ndarray

    def __init__(self, vocabulary: int, d: int, *, seed: int | np.random.Generator):
        _check_sizes("Embedding", vocabulary=vocabulary, d=d)
        super().__init__(W=_generator("Embedding", seed).normal(0, 1 / math.sqrt(d), (vocabulary, d)))

    def forward(self, tokens, training=False):
        self._check_input(tokens)

        def backward(dh):
            np.add.at(self.dW, tokens, dh)                     # ∂L/∂W_v = Σ ∂L/∂h_t over the places t of token v

        return self.W[tokens], backward

    def unembed(self, h: np.ndarray) -> tuple[np.ndarray, Any]:
        """Logits for each token with the same vectors, "tied": z = h Wᵀ.

        ``backward(dz)`` adds to the same ``dW`` and returns ∂L/∂h.

        References
        ----------
        Press and Wolf (2017), Using the output embedding to improve language models.

        Examples
        --------
        >>> import numpy as np
        >>> from nnlib.attention import Embedding
        >>> embedding = Embedding(5, 2, seed=0)
        >>> logits, backward = embedding.unembed(np.ones((4, 3, 2)))
        >>> logits.shape, backward(np.ones((4, 3, 5))).shape
        ((4, 3, 5), (4, 3, 2))
        """
        rows = _rows(self, h, self.W, "…")

        def backward(dz):
            dz_rows = dz.reshape(len(rows), -1)
            self.dW += dz_rows.T @ rows                        # ∂L/∂W = Σ ∂L/∂z hᵀ
            return (dz_rows @ self.W).reshape(h.shape)         # ∂L/∂h = Wᵀ ∂L/∂z

        return (rows @ self.W.T).reshape(*h.shape[:-1], -1), backward

    def _check_input(self, tokens):
        if not isinstance(tokens, np.ndarray) or tokens.dtype.kind not in "iu":
            raise TypeError(f"{self!r} expects an array of whole numbers, got {_kind(tokens)}")
        if tokens.size == 0:
            raise ValueError(f"{self!r} expects at least one token, got an array of shape {tokens.shape}")
        if tokens.min() < 0 or tokens.max() >= len(self.W):
            raise ValueError(f"{self!r} expects tokens from 0 to {len(self.W) - 1}, got {tokens.min()} to {tokens.max()}")

    def __repr__(self):
        return "Embedding({}, {})".format(*self.W.shape)

    @classmethod
    def example(cls, rng):
        return cls(5, 3, seed=rng), np.array([[0, 4, 4], [2, 0, 1]])


def sinusoidal(length: int, d: int) -> np.ndarray:
    """Positions as waves: P[t, 2i] = sin(ω_i t) and P[t, 2i+1] = cos(ω_i t) with ω_i = 10000^(−2i/d).

    Parameters
    ----------
    length, d : int
        Number of positions and of features; d is even.

    Returns
    -------
    ndarray, shape (length, d)
        To be added to the embedded tokens.

    Raises
    ------
    ValueError
        If a number is not positive, or d odd.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, section 3.5.

    Examples
    --------
    >>> from nnlib.attention import sinusoidal
    >>> sinusoidal(2, 4).round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.01 , 1.   ]])
    """
    _check_sizes("sinusoidal", length=length, d=d)
    angles = np.multiply.outer(np.arange(length), _frequencies("sinusoidal", d))
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, d)


def rotate(x: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, Any]:
    """Rotary positions: each pair of features (x_2i, x_2i+1) turns by the angle ω_i t, with ω_i = 10000^(−2i/d).

    y_2i = x_2i cos ω_i t − x_2i+1 sin ω_i t and y_2i+1 = x_2i sin ω_i t + x_2i+1 cos ω_i t. Of a query at t and a key at s, both
    turned, the inner product depends on t − s alone. The way back turns the other way.

    Parameters
    ----------
    x : ndarray, shape (…, time, d)
        Queries or keys; d is even.
    positions : ndarray, shape (time,)
        t of each.

    Returns
    -------
    y : ndarray
        Of the shape of x.
    backward : callable
        ``backward(dy)`` is ∂L/∂x.

    Raises
    ------
    ValueError
        If d is odd, or the shapes do not fit together.
    TypeError
        If x is not an array of floating-point numbers.

    References
    ----------
    Su et al. (2021), RoFormer: enhanced Transformer with rotary position embedding.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import rotate
    >>> y, backward = rotate(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
    >>> y.round(2)                             # the second is turned by an angle of 1
    array([[1.  , 0.  ],
           [0.54, 0.84]])
    >>> backward(y).round(2)
    array([[1., 0.],
           [1., 0.]])
    """
    _check_floating("rotate", x)
    if x.ndim < 2 or np.shape(positions) != x.shape[-2:-1]:
        raise ValueError(f"rotate expects x of shape (…, time, d) and positions (time,), got {x.shape} and {np.shape(positions)}")
    angles = np.multiply.outer(positions, _frequencies("rotate", x.shape[-1]))
    cos, sin = np.cos(angles).astype(x.real.dtype), np.sin(angles).astype(x.real.dtype)

    def turn(x, sin):
        y = np.empty_like(x)
        y[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
        y[..., 1::2] = x[..., 0::2] * sin + x[..., 1::2] * cos
        return y

    def backward(dy):
        return turn(dy, -sin)

    return turn(x, sin), backward


def _frequencies(name, d):
    if d % 2:
        raise ValueError(f"{name} turns pairs of features and needs an even number of them, got {d}")
    return 10000.0 ** (-np.arange(0, d, 2) / d)


class LearnedPositions(Layer):
    """A learned vector for each position: y_t = x_t + P_t.

    Parameters
    ----------
    length, d : int
        The longest sequence, and its features.
    seed : int or numpy.random.Generator
        Where the first vectors come from: P ~ N(0, 1/d), as long as those of `Embedding`.

    Attributes
    ----------
    P : ndarray, shape (length, d)
        The vectors; ``dP`` is their gradient.

    Raises
    ------
    ValueError
        If a size is not positive, or the input not of shape (batch, time, d) with 1 ≤ time ≤ length.
    TypeError
        If the input has another dtype than P.

    References
    ----------
    Gehring et al. (2017), Convolutional sequence to sequence learning.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import LearnedPositions
    >>> positions = LearnedPositions(3, 1, seed=0)
    >>> positions.P = np.array([[1.0], [2.0], [3.0]])
    >>> positions(np.zeros((1, 2, 1)))
    array([[[1.],
            [2.]]])
    """

    parameters = ("P",)
    P: np.ndarray
    dP: np.ndarray

    def __init__(self, length: int, d: int, *, seed: int | np.random.Generator):
        _check_sizes("LearnedPositions", length=length, d=d)
        super().__init__(P=_generator("LearnedPositions", seed).normal(0, 1 / math.sqrt(d), (length, d)))

    def forward(self, x, training=False):
        y, time = self.extend(x)

        def backward(dy):
            self.dP[:time] += dy.sum(axis=0)                   # ∂L/∂P_t = Σ ∂L/∂y_t
            return dy

        return y, backward

    def extend(self, x: np.ndarray, past: int | None = None) -> tuple[np.ndarray, int]:
        """Go on with a sequence of which ``past`` positions are over; return y and how many then are."""
        _rows(self, x, self.P)
        start = past or 0
        stop = start + x.shape[1]
        if stop > len(self.P):
            raise ValueError(f"{self!r} has {len(self.P)} positions, got a sequence of {stop}")
        return x + self.P[start:stop], stop

    def __repr__(self):
        return "LearnedPositions({}, {})".format(*self.P.shape)

    @classmethod
    def example(cls, rng):
        return cls(5, 3, seed=rng), rng.normal(size=(2, 4, 3))


# --- heads and blocks -------------------------------------------------------------------------------------------------


class MultiHeadAttention(Layer):
    """Self-attention with several heads: Y = [head_1, …, head_h] W_oᵀ + b_o with head_i = attention(X W_qᵀ, X W_kᵀ, X W_vᵀ).

    Each head has d_k = d/h features of its own for its queries, keys and values. The three projections of all heads are one
    product with ``qkv.W``, the rows of W_q, then those of W_k and of W_v, each with the heads one after the other.

    Parameters
    ----------
    d, heads : int
        Features, and into how many heads they are divided.
    causal : bool
        Whether a position sees only itself and those before.
    rotary : bool
        Whether queries and keys are turned by their positions (`rotate`).
    seed : int or numpy.random.Generator
        Where the first weights come from.

    Attributes
    ----------
    qkv, out : Dense
        The projections before and after the heads.

    Raises
    ------
    ValueError
        If the heads do not divide d (for rotary, into even parts), or the input is not of shape (batch, time, d), none 0.
    TypeError
        If the input has another dtype than the weights.

    References
    ----------
    Vaswani et al. (2017), Attention is all you need, section 3.2.2; Su et al. (2021), RoFormer.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import MultiHeadAttention
    >>> attention = MultiHeadAttention(4, 2, causal=True, seed=0)
    >>> x = np.random.default_rng(0).normal(size=(1, 3, 4))
    >>> attention(x).shape
    (1, 3, 4)
    >>> attention.weights(x)[0, 1].round(2)    # the second head: each position looks back
    array([[1.  , 0.  , 0.  ],
           [0.41, 0.59, 0.  ],
           [0.29, 0.11, 0.6 ]])
    """

    skips_dx = True

    def __init__(self, d: int, heads: int, *, causal: bool = False, rotary: bool = False, seed: int | np.random.Generator):
        _check_sizes("MultiHeadAttention", d=d, heads=heads)
        if d % heads or (rotary and d // heads % 2):
            raise ValueError(f"MultiHeadAttention divides d into heads of the same {'even ' * rotary}size, got d={d} and heads={heads}")
        rng = _generator("MultiHeadAttention", seed)
        self.d, self.heads, self.causal, self.rotary = d, heads, causal, rotary
        self.qkv = Dense(d, 3 * d, seed=rng, initializer="lecun")
        self.out = Dense(d, d, seed=rng, initializer="lecun")
        super().__init__()

    def forward(self, x, training=False):
        (Q, K, V), project = self._project(x)
        y, _, attend = self._attend(Q, K, V)

        def backward(dy, want_dx=True):
            dx = project(_merge(*attend(dy)), want_dx)
            return dx.reshape(x.shape) if want_dx else None

        return y, backward

    def weights(self, x: np.ndarray) -> np.ndarray:
        """The weights A of each head, shape (batch, heads, time, time): row i is what position i looks at."""
        return self._attend(*self._project(x)[0])[1]

    def cross(self, x: np.ndarray, memory: np.ndarray, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        """Cross-attention: the queries come from x, the keys and values from another sequence.

        The positions of x count as the last ones of the memory, for ``causal`` and ``rotary``. With ``memory=x`` this is
        self-attention with a mask; add the two gradients.

        Parameters
        ----------
        x : ndarray, shape (batch, q, d)
        memory : ndarray, shape (batch, k, d)
        mask : ndarray, broadcastable to (batch, heads, q, k), optional
            As in `scaled_dot_product_attention`. Padding of the memory is hidden by one of shape (batch, 1, 1, k).

        Returns
        -------
        y : ndarray, shape (batch, q, d)
        backward : callable
            ``backward(dy)`` adds to the gradients of the weights and is (∂L/∂x, ∂L/∂memory).

        Examples
        --------
        >>> import numpy as np
        >>> from nnlib.attention import MultiHeadAttention
        >>> y, backward = MultiHeadAttention(4, 2, seed=0).cross(np.ones((1, 2, 4)), np.ones((1, 5, 4)))
        >>> dx, dmemory = backward(y)
        >>> y.shape, dx.shape, dmemory.shape
        ((1, 2, 4), (1, 2, 4), (1, 5, 4))
        """
        d, W, b = self.d, self.qkv.W, self.qkv.b
        rows, memory_rows = (_rows(self, sequence, self.out.W) for sequence in (x, memory))
        if len(x) != len(memory):
            raise ValueError(f"{self!r} expects as many sequences x as memories, got {x.shape} and {memory.shape}")
        (Q,) = self._split(rows @ W[:d].T + b[:d], len(x))
        K, V = self._split(memory_rows @ W[d:].T + b[d:], len(x))
        y, _, attend = self._attend(Q, K, V, mask)

        def backward(dy):
            dQ, dK, dV = attend(dy)
            dq, dkv = _merge(dQ), _merge(dK, dV)
            self.qkv.dW += np.concatenate([dq.T @ rows, dkv.T @ memory_rows])
            self.qkv.db += np.concatenate([dq.sum(axis=0), dkv.sum(axis=0)])
            return (dq @ W[:d]).reshape(x.shape), (dkv @ W[d:]).reshape(memory.shape)

        return y, backward

    def extend(self, x: np.ndarray, past: tuple[np.ndarray, np.ndarray] | None = None) -> tuple[np.ndarray, Any]:
        """Go on with a sequence: y at the new positions x, given (K, V) of those before; return it and (K, V) of all."""
        if not self.causal:
            raise ValueError(f"{self!r} is not causal: what comes later would change what came before")
        Q, K, V = self._project(x)[0]
        if past is not None:
            K, V = (np.concatenate(both, axis=2) for both in zip(past, (K, V), strict=True))
        return self._attend(Q, K, V)[0], (K, V)

    def _project(self, x):
        """Queries, keys and values of all heads, and the way back to x."""
        qkv, project = self.qkv.forward(_rows(self, x, self.out.W))
        return self._split(qkv, len(x)), project

    def _attend(self, Q, K, V, mask=None):
        """From queries, keys and values to the output: y, the weights, and the way back to ∂L/∂Q, ∂L/∂K, ∂L/∂V."""
        if self.rotary:
            q, k = Q.shape[2], K.shape[2]
            (Q, turn_Q), (K, turn_K) = rotate(Q, np.arange(k - q, k)), rotate(K, np.arange(k))
        heads, weights, attend = scaled_dot_product_attention(Q, K, V, mask, self.causal)
        rows, output = self.out.forward(heads.swapaxes(1, 2).reshape(-1, self.d))        # a view: heads lies in memory as V does

        def backward(dy):
            (dheads,) = self._split(output(dy.reshape(-1, self.d)), len(dy))
            dQ, dK, dV = attend(dheads)
            return (turn_Q(dQ), turn_K(dK), dV) if self.rotary else (dQ, dK, dV)

        return rows.reshape(len(Q), -1, self.d), weights, backward

    def _split(self, rows, batch):
        """Rows (batch · time, n d) as n arrays (batch, heads, time, d_k): views, which matrix products read as they are."""
        n, d_k = rows.shape[1] // self.d, self.d // self.heads
        return rows.reshape(batch, -1, n, self.heads, d_k).transpose(2, 0, 3, 1, 4)

    def __repr__(self):
        return f"MultiHeadAttention({self.d}, {self.heads}{', causal' * self.causal}{', rotary' * self.rotary})"

    @classmethod
    def example(cls, rng):
        return cls(4, 2, causal=True, rotary=True, seed=rng), rng.normal(size=(2, 3, 4))


def _merge(*parts):
    """The way back of `_split`: n arrays (batch, heads, time, d_k) as rows (batch · time, n d)."""
    batch, heads, time, d_k = parts[0].shape
    rows = np.empty((batch, time, len(parts), heads, d_k), parts[0].dtype)
    for i, part in enumerate(parts):
        rows[:, :, i] = part.transpose(0, 2, 1, 3)
    return rows.reshape(batch * time, -1)


class TransformerBlock(Sequential):
    """A pre-norm Transformer block: h = x + attention(LN(x)), y = h + MLP(LN(h)).

    The MLP works on each position by itself, with one hidden layer and GELU.

    Parameters
    ----------
    d, heads : int
        Features, and heads of attention.
    hidden : int, optional
        Width of the hidden layer, by default 4d.
    causal, rotary : bool
        As in `MultiHeadAttention`.
    dropout : float
        The probability with which an entry of what is added to x and h is dropped in training.
    seed : int or numpy.random.Generator
        Where weights and dropout come from.

    Raises
    ------
    ValueError
        If the heads do not divide d, a number is out of range, or the input not of shape (batch, time, d).

    References
    ----------
    Vaswani et al. (2017), Attention is all you need; Xiong et al. (2020), On layer normalization in the Transformer architecture.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import TransformerBlock
    >>> block = TransformerBlock(8, 2, seed=0)
    >>> block(np.zeros((1, 3, 8))).shape, block.theta.size
    ((1, 3, 8), 872)
    """

    def __init__(
        self,
        d: int,
        heads: int,
        *,
        hidden: int | None = None,
        causal: bool = False,
        rotary: bool = False,
        dropout: float = 0.0,
        seed: int | np.random.Generator,
    ):
        rng = _generator("TransformerBlock", seed)
        attention = MultiHeadAttention(d, heads, causal=causal, rotary=rotary, seed=rng)
        mlp = MLP([d, 4 * d if hidden is None else hidden, d], "gelutanh", seed=rng)
        drop = [[Dropout(dropout, seed=rng)] if dropout else [] for _ in range(2)]
        super().__init__(
            Residual(Sequential(LayerNorm(d), attention, *drop[0])),
            Residual(Sequential(LayerNorm(d), Positionwise(mlp), *drop[1])),
        )

    def extend(self, x: np.ndarray, past: Any = None) -> tuple[np.ndarray, Any]:
        """Go on with a sequence: y at the new positions x, given (K, V) of those before; return it and (K, V) of all."""
        norm, attention = self._attention()
        h, now = attention.extend(norm(x), past)
        return self.layers[1](x + h), now

    def weights(self, x: np.ndarray) -> np.ndarray:
        """The weights of its attention, shape (batch, heads, time, time)."""
        norm, attention = self._attention()
        return attention.weights(norm(x))

    def _attention(self):
        return self.layers[0].layer.layers[:2]

    @classmethod
    def example(cls, rng):
        return cls(4, 2, hidden=3, dropout=0.3, seed=rng), rng.normal(size=(2, 3, 4))


class SwiGLU(Layer):
    """The gated feed-forward network of LLaMA, at each position: y = W_out (SiLU(W_gate x) ⊙ W_up x), without biases.

    Parameters
    ----------
    d, hidden : int
        Features, and width between. Three matrices with hidden = 8d/3 have as many entries as the two of an MLP with 4d.
    seed : int or numpy.random.Generator
        Where the first weights come from: N(0, 1/n_in).

    Raises
    ------
    ValueError
        If a size is not positive, or the input not of shape (batch, time, d).
    TypeError
        If the input has another dtype than the weights.

    References
    ----------
    Shazeer (2020), GLU variants improve Transformer; Touvron et al. (2023), LLaMA.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import SwiGLU
    >>> SwiGLU(6, 16, seed=0)(np.zeros((2, 3, 6))).shape
    (2, 3, 6)
    """

    parameters = ("W_gate", "W_up", "W_out")
    W_gate: np.ndarray
    W_up: np.ndarray
    W_out: np.ndarray
    dW_gate: np.ndarray
    dW_up: np.ndarray
    dW_out: np.ndarray

    def __init__(self, d: int, hidden: int, *, seed: int | np.random.Generator):
        _check_sizes("SwiGLU", d=d, hidden=hidden)
        rng = _generator("SwiGLU", seed)
        gate, up, out = (rng.normal(0, 1 / math.sqrt(n_in), (n_out, n_in)) for n_out, n_in in ((hidden, d), (hidden, d), (d, hidden)))
        super().__init__(W_gate=gate, W_up=up, W_out=out)

    def forward(self, x, training=False):
        rows = _rows(self, x, self.W_gate)
        gate, close = SiLU().forward(rows @ self.W_gate.T)
        up = rows @ self.W_up.T
        h = gate * up

        def backward(dy):
            dy_rows = dy.reshape(rows.shape)
            dh = dy_rows @ self.W_out
            dgate, dup = close(dh * up), dh * gate
            self.dW_out += dy_rows.T @ h
            self.dW_gate += dgate.T @ rows
            self.dW_up += dup.T @ rows
            return (dgate @ self.W_gate + dup @ self.W_up).reshape(x.shape)

        return (h @ self.W_out.T).reshape(x.shape), backward

    def __repr__(self):
        return "SwiGLU({1}, {0})".format(*self.W_gate.shape)

    @classmethod
    def example(cls, rng):
        return cls(3, 4, seed=rng), rng.normal(size=(2, 3, 3))


# --- models -----------------------------------------------------------------------------------------------------------


class Encoder(Layer):
    """A bidirectional Transformer, BERT's kind: each position sees all others, and gives logits for the token that stands there.

    h = LN(blocks(W[tokens] + P)), z = h Wᵀ: the embedding W is read at both ends. It is trained to restore tokens that
    `mask_tokens` has hidden.

    Parameters
    ----------
    vocabulary, d, heads, layers : int
        Number of tokens, of features, of heads, and of blocks.
    context : int
        The longest sequence.
    hidden, dropout
        As in `TransformerBlock`.
    rotary : bool
        Positions by rotation in each block, in place of learned vectors.
    seed : int or numpy.random.Generator
        Where weights and dropout come from.

    Raises
    ------
    ValueError
        If a number is out of range, or the tokens are not (batch, time) with 1 ≤ time ≤ context and each in the vocabulary.
    TypeError
        If the tokens are not whole numbers.

    References
    ----------
    Devlin, Chang, Lee and Toutanova (2019), BERT: pre-training of deep bidirectional Transformers for language understanding.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import Encoder
    >>> model = Encoder(vocabulary=10, d=8, heads=2, layers=2, context=5, seed=0)
    >>> tokens = np.array([[1, 2, 3]])
    >>> model(tokens).shape
    (1, 3, 10)
    >>> model.weights(tokens).shape            # (layers, batch, heads, time, time)
    (2, 1, 2, 3, 3)
    """

    causal = False

    def __init__(
        self,
        vocabulary: int,
        d: int,
        heads: int,
        layers: int,
        context: int,
        *,
        hidden: int | None = None,
        rotary: bool = False,
        dropout: float = 0.0,
        seed: int | np.random.Generator,
    ):
        name = type(self).__name__
        _check_sizes(name, layers=layers, context=context)
        rng = _generator(name, seed)
        self.context = context
        self.embedding = Embedding(vocabulary, d, seed=rng)
        positions = () if rotary else (LearnedPositions(context, d, seed=rng),)
        self.body = Sequential(
            *positions,
            *(TransformerBlock(d, heads, hidden=hidden, causal=self.causal, rotary=rotary, dropout=dropout, seed=rng) for _ in range(layers)),
        )
        self.norm = LayerNorm(d)
        super().__init__()

    def forward(self, tokens, training=False):
        self._check_input(tokens)
        x, embed = self.embedding.forward(tokens)
        h, through = self.body.forward(x, training=training)
        y, norm = self.norm.forward(h)
        logits, unembed = self.embedding.unembed(y)

        def backward(dlogits):
            return embed(through(norm(unembed(dlogits))))

        return logits, backward

    def __call__(self, tokens):
        self._check_input(tokens)
        return self.embedding.unembed(self.norm(self.body(self.embedding(tokens))))[0]

    def weights(self, tokens: np.ndarray) -> np.ndarray:
        """The attention of every block, shape (layers, batch, heads, time, time)."""
        self._check_input(tokens)
        x = self.embedding(tokens)
        inputs = [x, *self.body.outputs(x)]
        return np.stack([layer.weights(x) for layer, x in zip(self.body.layers, inputs, strict=False) if isinstance(layer, TransformerBlock)])

    def _check_input(self, tokens):
        if np.ndim(tokens) != 2 or not 1 <= np.shape(tokens)[1] <= self.context:
            raise ValueError(f"{self!r} expects tokens of shape (batch, time) with 1 ≤ time ≤ {self.context}, got {np.shape(tokens)}")

    def __repr__(self):
        layers = sum(isinstance(layer, TransformerBlock) for layer in self.body.layers)
        vocabulary, d = self.embedding.W.shape
        return f"{type(self).__name__}(vocabulary={vocabulary}, d={d}, layers={layers}, context={self.context})"

    @classmethod
    def example(cls, rng):
        model = cls(3, 3, 1, 1, context=3, hidden=2, dropout=0.2, seed=rng)
        model.theta = rng.normal(size=model.theta.shape)       # rows far from constant, where LayerNorm is strongly curved
        return model, np.array([[0, 1, 1], [2, 0, 1]])


class GPT(Encoder):
    """An `Encoder` with a causal mask: each position sees itself and those before, and gives logits for the token that comes next.

    So one text gives as many examples as it has tokens, and text can be written token by token (`generate`).

    References
    ----------
    Radford, Narasimhan, Salimans and Sutskever (2018), Improving language understanding by generative pre-training.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import GPT
    >>> model = GPT(vocabulary=10, d=8, heads=2, layers=1, context=4, seed=0)
    >>> model(np.array([[1, 2, 3]])).shape
    (1, 3, 10)
    >>> model.generate([1, 2, 3], 3, seed=0, temperature=0).shape
    (6,)
    """

    causal = True

    def extend(self, tokens: np.ndarray, past: Any = None) -> tuple[np.ndarray, Any]:
        """Go on with a text: logits at the new tokens, given the keys and values of those before; return them and those of all.

        The logits are those that the whole text would give at these places, without working through it again.

        Examples
        --------
        >>> import numpy as np
        >>> from nnlib.attention import GPT
        >>> model = GPT(vocabulary=10, d=8, heads=2, layers=1, context=4, seed=0)
        >>> _, past = model.extend(np.array([[1, 2]]))
        >>> logits, past = model.extend(np.array([[3]]), past)
        >>> bool(np.allclose(logits, model(np.array([[1, 2, 3]]))[:, 2:]))
        True
        """
        h, now = self.embedding(tokens), []
        for layer, before in zip(self.body.layers, past or [None] * len(self.body.layers), strict=True):
            h, after = layer.extend(h, before)
            now.append(after)
        return self.embedding.unembed(self.norm(h))[0], now

    def generate(self, prompt: Any, n: int, seed: int | np.random.Generator, temperature: float = 1.0, top_k: int | None = None) -> np.ndarray:
        """Write n more tokens, each drawn from softmax(z/τ) of the logits z.

        argmax(z + τ g) with Gumbel noise g is such a draw, and for τ = 0 the most likely token. Keys and values of what was read
        are kept, so a token costs one position. Past the context the model sees the last ``context`` tokens, and since all of
        them have moved to other positions, it reads them anew at each step.

        Parameters
        ----------
        prompt : sequence of int
            One token or more.
        n : int
            How many to write.
        seed : int or numpy.random.Generator
            Where the draws come from.
        temperature : float
            τ ≥ 0.
        top_k : int, optional
            Only the k most likely tokens are drawn.

        Returns
        -------
        ndarray of int, shape (len(prompt) + n,)
            The prompt and what was written.

        Raises
        ------
        ValueError
            If the prompt is empty or has a token out of range, or a number is out of range.
        TypeError
            If the prompt is not of whole numbers.

        References
        ----------
        Fan, Lewis and Dauphin (2018), Hierarchical neural story generation (top-k); Gumbel (1954) for the noise.
        """
        vocabulary = len(self.embedding.W)
        tokens = np.asarray(prompt)
        if tokens.ndim != 1:
            raise ValueError(f"generate expects a prompt of shape (time,), got {tokens.shape}")
        self.embedding._check_input(tokens)
        top_k = vocabulary if top_k is None else top_k
        _check_sizes("generate", n=n, top_k=top_k)
        if top_k > vocabulary:
            raise ValueError(f"generate expects top_k from 1 to {vocabulary}, got {top_k}")
        if not 0 <= temperature < math.inf:
            raise ValueError(f"generate expects a finite temperature ≥ 0, got {temperature}")
        rng = _generator("generate", seed)
        past = None
        for _ in range(n):
            if past is None or len(tokens) > self.context:
                logits, past = self.extend(tokens[None, -self.context :])
            else:
                logits, past = self.extend(tokens[None, -1:], past)
            z = logits[0, -1]
            z[np.argsort(-z, kind="stable")[top_k:]] = -np.inf
            tokens = np.append(tokens, np.argmax(z + temperature * rng.gumbel(size=vocabulary)))
        return tokens


def mask_tokens(
    tokens: np.ndarray, vocabulary: int, mask_token: int, seed: int | np.random.Generator, rate: float = 0.15
) -> tuple[np.ndarray, np.ndarray]:
    """Hide some tokens for an `Encoder` to restore.

    In each sequence the given part of the places is chosen, at least one. Of the chosen ones 80 % get the mask token, 10 % a
    random token, and 10 % stay as they are, so that the model cannot trust what it sees.

    Parameters
    ----------
    tokens : ndarray of int, shape (batch, time)
    vocabulary : int
        Random tokens are from 0 to vocabulary − 1.
    mask_token : int
        The token that says "something was here"; the vocabulary of the model must have it.
    seed : int or numpy.random.Generator
    rate : float
        The part that is chosen, in (0, 1].

    Returns
    -------
    masked : ndarray of int, shape (batch, time)
    target : ndarray of int, shape (batch, time)
        The token at the chosen places, −100 elsewhere: for `nnlib.losses.categorical_cross_entropy` with ``ignore_index=-100``.

    Raises
    ------
    ValueError
        If the shape is wrong or a number out of range.
    TypeError
        If the tokens are not whole numbers.

    References
    ----------
    Devlin, Chang, Lee and Toutanova (2019), BERT, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import mask_tokens
    >>> masked, target = mask_tokens(np.array([[1, 2, 3, 4, 5, 6]]), vocabulary=8, mask_token=7, seed=0, rate=0.3)
    >>> masked
    array([[1, 2, 3, 4, 7, 6]])
    >>> target                                 # 6 was chosen too, and stays as it is
    array([[-100, -100, -100, -100,    5,    6]])
    """
    if not isinstance(tokens, np.ndarray) or tokens.dtype.kind not in "iu":
        raise TypeError(f"mask_tokens expects an array of whole numbers, got {_kind(tokens)}")
    if tokens.ndim != 2 or tokens.size == 0:
        raise ValueError(f"mask_tokens expects tokens of shape (batch, time), none 0, got {tokens.shape}")
    _check_sizes("mask_tokens", vocabulary=vocabulary)
    if not 0 < rate <= 1:
        raise ValueError(f"mask_tokens expects a rate in (0, 1], got {rate}")
    rng = _generator("mask_tokens", seed)
    count = max(1, round(rate * tokens.shape[1]))
    chosen = rng.permuted(np.broadcast_to(np.arange(tokens.shape[1]) < count, tokens.shape), axis=1)
    fate, other = rng.random(tokens.shape), rng.integers(vocabulary, size=tokens.shape)
    seen = np.select([fate < 0.8, fate < 0.9], [mask_token, other], tokens)
    return np.where(chosen, seen, tokens), np.where(chosen, tokens, -100)


class PatchEmbedding(Layer):
    """An image as a sequence: cut into square patches, row by row, each mapped to d features, x_t = W patch_t + b.

    The same as a convolution whose stride is its kernel's size.

    Parameters
    ----------
    patch, channels, d : int
        Side of a patch in pixels, channels of the image, features.
    seed : int or numpy.random.Generator
        Where the first weights come from.

    Raises
    ------
    ValueError
        If a size is not positive, or the input not of shape (batch, height, width, channels) with sides that patches divide.
    TypeError
        If the input has another dtype than the weights.

    References
    ----------
    Dosovitskiy et al. (2021), An image is worth 16x16 words: Transformers for image recognition at scale.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import PatchEmbedding
    >>> PatchEmbedding(patch=2, channels=1, d=5, seed=0)(np.zeros((3, 8, 6, 1))).shape
    (3, 12, 5)
    """

    skips_dx = True

    def __init__(self, patch: int, channels: int, d: int, *, seed: int | np.random.Generator):
        _check_sizes("PatchEmbedding", patch=patch, channels=channels, d=d)
        self.patch, self.channels = patch, channels
        self.dense = Positionwise(Dense(patch * patch * channels, d, seed=seed, initializer="lecun"))
        super().__init__()

    def forward(self, images, training=False):
        x, through = self.dense.forward(self._cut(images))

        def backward(dx, want_dx=True):
            dpatches = through(dx, want_dx)
            if want_dx:
                batch, height, width, channels = images.shape
                p = self.patch
                return dpatches.reshape(batch, height // p, width // p, p, p, channels).swapaxes(2, 3).reshape(images.shape)

        return x, backward

    def _cut(self, images):
        _check_floating(repr(self), images)
        p = self.patch
        if images.ndim != 4 or images.shape[3] != self.channels or images.size == 0 or images.shape[1] % p or images.shape[2] % p:
            raise ValueError(
                f"{self!r} expects images of shape (batch, height, width, {self.channels}) with sides that {p} divides, got {images.shape}"
            )
        batch, height, width, channels = images.shape
        return images.reshape(batch, height // p, p, width // p, p, channels).swapaxes(2, 3).reshape(batch, -1, p * p * channels)

    def __repr__(self):
        return f"PatchEmbedding({self.patch}, {self.channels}, {self.dense.layer.b.size})"

    @classmethod
    def example(cls, rng):
        return cls(2, 2, 3, seed=rng), rng.normal(size=(2, 4, 6, 2))


class VisionTransformer(Sequential):
    """A Transformer that sees an image as a sequence of patches, and gives logits for its class.

    Each patch is one position; positions are learned, each sees all others, and the mean over all of them is classified.

    Parameters
    ----------
    image : tuple of int
        (height, width, channels).
    patch : int
        Side of a patch in pixels, a divisor of height and width.
    d, heads, layers, classes : int
        Number of features, of heads, of blocks, and of classes.
    hidden, dropout
        As in `TransformerBlock`.
    seed : int or numpy.random.Generator
        Where weights and dropout come from.

    Raises
    ------
    ValueError
        If a number is out of range or does not divide, or the input is not of shape (batch, height, width, channels).
    TypeError
        If the input has another dtype than the weights.

    References
    ----------
    Dosovitskiy et al. (2021), An image is worth 16x16 words: Transformers for image recognition at scale.

    Examples
    --------
    >>> import numpy as np
    >>> from nnlib.attention import VisionTransformer
    >>> model = VisionTransformer((8, 8, 1), patch=2, d=16, heads=2, layers=1, classes=10, seed=0)
    >>> model(np.zeros((3, 8, 8, 1))).shape
    (3, 10)
    """

    def __init__(
        self,
        image: tuple[int, int, int],
        patch: int,
        d: int,
        heads: int,
        layers: int,
        classes: int,
        *,
        hidden: int | None = None,
        dropout: float = 0.0,
        seed: int | np.random.Generator,
    ):
        rng = _generator("VisionTransformer", seed)
        height, width, channels = image
        _check_sizes("VisionTransformer", height=height, width=width, patch=patch, layers=layers)
        if height % patch or width % patch:
            raise ValueError(f"VisionTransformer expects a patch that divides the image, got {patch} and {(height, width)}")
        super().__init__(
            PatchEmbedding(patch, channels, d, seed=rng),
            LearnedPositions(height // patch * (width // patch), d, seed=rng),
            *(TransformerBlock(d, heads, hidden=hidden, dropout=dropout, seed=rng) for _ in range(layers)),
            LayerNorm(d),
            GlobalAverage(),
            Dense(d, classes, seed=rng, initializer="lecun"),
        )

    @classmethod
    def example(cls, rng):
        return cls((4, 2, 1), 2, 2, 1, 1, 3, hidden=2, dropout=0.2, seed=rng), rng.normal(size=(2, 4, 2, 1))


# --- checks -----------------------------------------------------------------------------------------------------------


def _rows(layer, x, W, axes="batch, time"):
    """x (axes, d) as rows (…, d), checked against weights of shape (…, d)."""
    d = W.shape[-1]
    _check_floating(repr(layer), x)
    if x.ndim < 2 or (x.ndim != 3 and axes != "…") or x.shape[-1] != d or x.size == 0:
        raise ValueError(f"{layer!r} expects inputs of shape ({axes}, {d}), none 0, got {x.shape}")
    if x.dtype != W.dtype:
        raise TypeError(f"{layer!r} has {W.dtype} weights and expects {W.dtype} inputs, got {x.dtype}")
    return x.reshape(-1, d)


def _check_floating(name, *arrays):
    if not all(isinstance(array, np.ndarray) and array.dtype.kind in "fc" for array in arrays):
        raise TypeError(f"{name} expects floating-point numbers, got {', '.join(_kind(array) for array in arrays)}")


def _check_sizes(name, **sizes):
    for size, n in sizes.items():
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"{name} needs a whole number ≥ 1, got {size}={n!r}")


def _generator(name, seed):
    if seed is None:
        raise ValueError(f"{name} needs a seed or a numpy.random.Generator: without one, no run could be repeated")
    return np.random.default_rng(seed)


def _kind(value):
    """What came, for a message."""
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
