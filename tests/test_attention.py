"""Attention against PyTorch, SymPy and differences; what is equivariant and what is not; writing with a cache and without."""

import copy
import warnings
from functools import partial

import numpy as np
import pytest
import sympy as sp
from discovery import Stored, compare_with_torch
from hypothesis import given
from hypothesis import strategies as st

from nnlib import symbolic
from nnlib.activations import softmax
from nnlib.attention import (
    GPT,
    Embedding,
    Encoder,
    LearnedPositions,
    MultiHeadAttention,
    PatchEmbedding,
    SwiGLU,
    TransformerBlock,
    VisionTransformer,
    mask_tokens,
    rotate,
    scaled_dot_product_attention,
    sinusoidal,
)
from nnlib.backprop import complex_step_gradient, numerical_gradient, value_and_grad
from nnlib.cnn import GlobalAverage
from nnlib.layers import Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.regularizers import Dropout, LayerNorm

attend = scaled_dot_product_attention
close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-9)
exact = partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-12)

HEADS = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
BLOCK = (
    *("norm1.weight", "norm1.bias", *(f"self_attn.{name}" for name in HEADS)),
    *("norm2.weight", "norm2.bias", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"),
)
STACK = ("W", "P", *(f"layers.{i}.{name}" for i in range(2) for name in BLOCK), "norm.weight", "norm.bias")


@pytest.fixture(scope="module")
def stored():
    return Stored("attention")


def read_only(*arrays):
    for array in arrays:
        array.setflags(write=False)
    return arrays


def qkv(rng, *leading, q=3, k=5, d_k=4, d_v=2):
    return read_only(*(rng.normal(size=(*leading, n, d)) for n, d in ((q, d_k), (k, d_k), (k, d_v))))


# --- the function -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["none", "boolean", "additive", "causal"])
def test_the_function_is_that_of_pytorch(stored, kind):
    this = stored.below(f"function/{kind}")
    mask = stored.below("mask").get(kind)
    Y, A, backward = attend(this["Q"], this["K"], this["V"], mask, causal=kind == "causal")
    close(Y, this["y"])
    close(A.sum(axis=-1), 1)
    for name, gradient in zip("QKV", backward(this["dy"]), strict=True):
        close(gradient, this["d" + name])


@pytest.mark.parametrize("causal", [False, True])
def test_two_queries_and_two_keys_in_symbols(rng, causal):
    Q, K, V = inputs = [symbolic.matrix(name, 2, 1) for name in "QKV"]
    Y, A = symbolic.scaled_dot_product_attention(Q, K, V, causal)
    L = sp.Matrix([Y[0] + 2 * Y[1]])
    values = rng.normal(size=(3, 2, 1))
    expected = sp.lambdify([*Q, *K, *V], [Y, A, *(L.jacobian(list(X)) for X in inputs)])(*values.ravel())
    y, weights, backward = attend(*values, causal=causal)
    for found, value in zip((y, weights, *backward(np.array([[1.0], [2.0]]))), expected, strict=True):
        exact(np.ravel(found), np.ravel(value))


@pytest.mark.parametrize("leading", [(), (2,), (2, 1, 3)])
@pytest.mark.parametrize("kind", ["none", "boolean", "additive", "causal"])
def test_the_way_back_is_that_of_a_complex_step(rng, leading, kind):
    inputs = qkv(rng, *leading)
    mask = {"boolean": np.array([[True, False, True, True, False]]), "additive": rng.normal(size=(3, 5))}.get(kind)
    dY = rng.normal(size=(*leading, 3, 2))
    for i, gradient in enumerate(attend(*inputs, mask, kind == "causal")[2](dY)):
        v = rng.normal(size=inputs[i].shape)
        moved = [x + 1e-30j * v if i == j else x + 0j for j, x in enumerate(inputs)]
        slope = (attend(*moved, mask, kind == "causal")[0] * dY).sum().imag / 1e-30
        assert slope == pytest.approx((gradient * v).sum(), rel=1e-12)


@pytest.mark.parametrize("kind", ["boolean", "additive", "causal"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_query_with_nothing_to_attend_to_gives_zeros(rng, kind, dtype):
    Q, K, V = (x.astype(dtype) for x in qkv(rng, 2, q=4, k=3))
    may = np.tri(4, 3, -1, dtype=bool)                         # the first query has no key, the last one has all
    mask = {"boolean": may, "additive": np.where(may, 0, -np.inf).astype(dtype)}.get(kind)
    with warnings.catch_warnings(action="error"):
        Y, A, backward = attend(Q, K, V, mask, causal=kind == "causal")
        dQ, dK, dV = backward(np.ones_like(Y))
    assert not Y[:, 0].any() and not A[:, 0].any() and not dQ[:, 0].any()
    assert Y.dtype == A.dtype == dQ.dtype == dK.dtype == dV.dtype == dtype
    rest, weights, without = attend(Q[:, 1:], K, V, causal=True)
    tolerance = {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(Y[:, 1:], rest, **tolerance)
    np.testing.assert_allclose(A[:, 1:], weights, **tolerance)
    for gradient, expected in zip((dQ[:, 1:], dK, dV), without(np.ones_like(rest)), strict=True):
        np.testing.assert_allclose(gradient, expected, **tolerance)


def test_causal_queries_are_the_last_ones(rng):
    Q, K, V = qkv(rng, 2, q=5, k=5)
    Y, A, _ = attend(Q, K, V, causal=True)
    assert (A[:, ~np.tri(5, dtype=bool)] == 0).all() and (A[:, np.tri(5, dtype=bool)] > 0).all()
    for q in (1, 2, 5):
        exact(attend(Q[:, -q:], K, V, causal=True)[0], Y[:, -q:])
    # Together with a mask, both count.
    both = attend(Q, K, V, np.arange(5) > 0, causal=True)[1]
    assert not both[:, 0].any() and not both[:, :, 0].any() and (both[:, 4, 1:] > 0).all()


def test_true_may_attend_and_numbers_are_added(rng):
    Q, K, V = qkv(rng, 2, 3)
    may = rng.random((2, 1, 3, 5)) < 0.7
    may[..., 0] = True
    A = attend(Q, K, V, *read_only(may))[1]
    assert ((A > 0) == may).all()
    added = attend(Q, K, V, np.where(may, 0.0, -np.inf))[1]
    np.testing.assert_array_equal(A, added)
    exact(attend(Q, K, V, *read_only(np.array([[[3.0]]])))[1], attend(Q, K, V)[1])     # the same for all keys: no change
    exact(attend(0 * Q, K, V, np.log([1.0, 2, 3, 4, 5]))[1][0, 0, 0], np.arange(1, 6) / 15)


def test_scores_of_any_size(rng):
    Q, K, V = (x.copy() for x in qkv(rng))
    Y, _, backward = attend(1e4 * Q, 1e4 * K, V)
    nearest = (Q @ K.T).argmax(axis=1)
    np.testing.assert_array_equal(Y, V[nearest])
    assert all(np.isfinite(gradient).all() for gradient in backward(np.ones_like(Y)))
    exact(attend(Q, K + 1e4, V)[1], attend(Q, K, V)[1])


def test_scores_keep_their_variance_whatever_the_number_of_features(rng):
    """Without the root, the weights of many features would be almost 0 and 1."""
    for d_k in (4, 64):
        Q, K = rng.normal(size=(4000, 1, d_k)), rng.normal(size=(4000, 2, d_k))
        A = attend(Q, K, np.ones((4000, 2, 1)))[1][:, 0]
        assert np.var(np.log(A[:, 0] / A[:, 1])) == pytest.approx(2, rel=0.1)            # of the difference of two scores


@given(st.lists(st.integers(1, 3), max_size=2), st.tuples(*[st.integers(1, 4)] * 4), st.booleans(), st.sampled_from([np.float32, np.float64]))
def test_any_shape(leading, sizes, causal, dtype):
    q, k, d_k, d_v = sizes
    Q, K, V = (x.astype(dtype) for x in qkv(np.random.default_rng(0), *leading, q=q, k=k, d_k=d_k, d_v=d_v))
    Y, A, backward = attend(Q, K, V, causal=causal)
    gradients = backward(np.ones_like(Y))
    assert Y.shape == (*leading, q, d_v) and A.shape == (*leading, q, k)
    assert [gradient.shape for gradient in gradients] == [Q.shape, K.shape, V.shape]
    assert {Y.dtype, A.dtype, *(gradient.dtype for gradient in gradients)} == {np.dtype(dtype)}
    seen = np.arange(q) >= q - k if causal else np.ones(q, bool)
    np.testing.assert_allclose(A.sum(axis=-1), np.broadcast_to(seen, A.shape[:-1]), rtol=1e-6)
    if k == 1 and not causal:
        np.testing.assert_array_equal(Y, np.broadcast_to(V, Y.shape))
        assert not gradients[0].any() and not gradients[1].any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"Q": np.ones((3, 5))}, ValueError, r"Q \(…, q, d_k\), K \(…, k, d_k\) and V .*, got \(3, 5\), \(5, 4\) and \(5, 2\)"),
        ({"V": np.ones((4, 2))}, ValueError, r"got \(3, 4\), \(5, 4\) and \(4, 2\)"),
        ({"Q": np.ones((2, 3, 4))}, ValueError, r"got \(2, 3, 4\), \(5, 4\) and \(5, 2\)"),
        ({"V": np.ones((1, 5, 2))}, ValueError, r"got \(3, 4\), \(5, 4\) and \(1, 5, 2\)"),
        ({"Q": np.ones(4)}, ValueError, r"got \(4,\), \(5, 4\) and \(5, 2\)"),
        ({"K": np.ones(4)}, ValueError, r"got \(3, 4\), \(4,\) and \(5, 2\)"),
        ({"V": np.ones(5)}, ValueError, r"got \(3, 4\), \(5, 4\) and \(5,\)"),
        ({"Q": np.ones((0, 4))}, ValueError, r"none empty, got \(0, 4\)"),
        ({"K": np.ones((0, 4)), "V": np.ones((0, 2))}, ValueError, r"none empty, got \(3, 4\), \(0, 4\) and \(0, 2\)"),
        ({"Q": np.ones((3, 0)), "K": np.ones((5, 0))}, ValueError, "none empty"),
        ({"V": np.ones((5, 0))}, ValueError, "none empty"),
        ({"Q": [[1.0]]}, TypeError, "floating-point numbers, got list, an array of float64, an array of float64"),
        ({"K": np.ones((5, 4), int)}, TypeError, "got an array of float64, an array of int64, an array of float64"),
        ({"V": np.ones((5, 2), np.float32)}, TypeError, "Q, K and V of one dtype, got float64, float64 and float32"),
        ({"K": np.ones((5, 4), np.float32)}, TypeError, "Q, K and V of one dtype, got float64, float32 and float64"),
        ({"mask": [[True]]}, TypeError, "a mask of truth values .* or of floating-point numbers .*, got list"),
        ({"mask": np.ones((3, 5), int)}, TypeError, "a mask of truth values .*, got an array of int64"),
        ({"mask": np.ones((5, 3), bool)}, ValueError, r"a mask that broadcasts to \(…, q, k\) = \(3, 5\), got \(5, 3\)"),
        ({"mask": np.ones((1, 3, 5), bool)}, ValueError, r"= \(3, 5\), got \(1, 3, 5\)"),
        ({"mask": np.array([0.0, 0, 0, np.nan, np.inf])}, ValueError, "an additive mask below \\+∞ and without NaN, got 2 such entries"),
        ({"mask": np.array([[np.inf]])}, ValueError, "got 1 such entries"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, message):
    inputs = {"Q": np.ones((3, 4)), "K": np.ones((5, 4)), "V": np.ones((5, 2))} | change
    with pytest.raises(error, match=f"^scaled_dot_product_attention expects .*{message}"):
        attend(**inputs)


# --- tokens and positions ---------------------------------------------------------------------------------------------


def test_embedding_is_that_of_pytorch(stored):
    compare_with_torch(Embedding(7, 4, seed=0), stored.below("embedding"), ["W"])


def test_both_ends_of_a_tied_embedding_add_to_one_gradient(rng):
    embedding, tokens = Embedding(5, 3, seed=0), np.array([[1, 1, 4]])
    h, embed = embedding.forward(tokens)
    logits, unembed = embedding.unembed(h)
    exact(logits, h @ embedding.W.T)
    dz = rng.normal(size=logits.shape)
    dh = unembed(dz)
    exact(dh, dz @ embedding.W)
    assert embed(dh) is None

    def loss(W):
        other = copy.deepcopy(embedding)
        other.W = W
        return float((other.unembed(other(tokens))[0] * dz).sum())

    close(embedding.dW, numerical_gradient(loss, embedding.W))


def test_first_vectors_have_length_one():
    for vectors in (Embedding(4000, 16, seed=0).W, LearnedPositions(4000, 16, seed=0).P):
        assert vectors.var() == pytest.approx(1 / 16, rel=0.02) and vectors.mean() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 3)])
def test_tokens_of_any_shape(shape):
    embedding = Embedding(5, 2, seed=0)
    tokens = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8) % 5
    np.testing.assert_array_equal(embedding(tokens), embedding.W[tokens])
    np.testing.assert_array_equal(embedding(np.array([0, 4])), embedding.W[[0, 4]])


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        (np.array([[1, 5]]), ValueError, r"Embedding\(5, 2\) expects tokens from 0 to 4, got 1 to 5"),
        (np.array([[-1, 2]]), ValueError, "got -1 to 2"),
        (np.array([[1.0]]), TypeError, r"Embedding\(5, 2\) expects an array of whole numbers, got an array of float64"),
        (np.array([[True]]), TypeError, "got an array of bool"),
        ([[1]], TypeError, "got list"),
        (np.ones((2, 0), int), ValueError, r"expects at least one token, got an array of shape \(2, 0\)"),
    ],
)
def test_what_is_no_token_is_refused(tokens, error, message):
    with pytest.raises(error, match=message):
        Embedding(5, 2, seed=0)(tokens)


@pytest.mark.parametrize(
    ("h", "error", "message"),
    [
        (np.ones((4, 3)), ValueError, r"Embedding\(5, 2\) expects inputs of shape \(…, 2\), none 0, got \(4, 3\)"),
        (np.ones(2), ValueError, r"got \(2,\)"),
        (np.ones((0, 2)), ValueError, r"got \(0, 2\)"),
        (np.ones((4, 2), np.float32), TypeError, r"Embedding\(5, 2\) has float64 weights and expects float64 inputs, got float32"),
        ([[1.0, 1.0]], TypeError, r"Embedding\(5, 2\) expects floating-point numbers, got list"),
        (np.ones((4, 2), int), TypeError, "expects floating-point numbers, got an array of int64"),
    ],
)
def test_what_cannot_be_unembedded_is_refused(h, error, message):
    with pytest.raises(error, match=message):
        Embedding(5, 2, seed=0).unembed(h)


def test_waves():
    P = sinusoidal(50, 6)
    for t in (0, 1, 49):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert P[t, 2 * i] == pytest.approx(np.sin(angle), abs=1e-13) and P[t, 2 * i + 1] == pytest.approx(np.cos(angle), abs=1e-13)
    assert P.shape == (50, 6)
    with pytest.raises(ValueError, match="sinusoidal turns pairs of features and needs an even number of them, got 3"):
        sinusoidal(4, 3)
    with pytest.raises(ValueError, match="sinusoidal needs a whole number ≥ 1, got length=0"):
        sinusoidal(0, 4)
    with pytest.raises(ValueError, match="got d=0"):
        sinusoidal(4, 0)


def test_rotation_is_a_matrix_at_each_position(rng):
    x, positions = rng.normal(size=(2, 3, 6)), np.array([0, 4, -7])
    y, backward = rotate(*read_only(x), positions)
    dx = backward(*read_only(x.copy()))
    for s, t in enumerate(positions):
        R = np.zeros((6, 6))
        for i in range(3):
            angle = t * 10000 ** (-2 * i / 6)
            R[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        exact(y[:, s], x[:, s] @ R.T)
        exact(dx[:, s], x[:, s] @ R)
    exact(rotate(x.swapaxes(0, 1).copy().swapaxes(0, 1), positions)[0], y)
    exact(rotate(np.repeat(x, 2, axis=-1)[..., ::2], positions)[0], y)


def test_turned_queries_and_keys_see_their_distance_alone(rng):
    q, k = rng.normal(size=(2, 1, 8))
    scores = [rotate(q, np.array([t + s]))[0] @ rotate(k, np.array([s]))[0].T for t, s in ((3, 0), (3, 50), (3, -2))]
    exact(scores, [scores[0]] * 3)
    assert abs(rotate(q, np.array([4]))[0] @ k.T - scores[0]) > 1e-3


def test_rotation_keeps_float32_and_refuses_what_does_not_fit():
    y, backward = rotate(np.ones((3, 4), np.float32), np.arange(3))
    assert y.dtype == backward(y).dtype == np.float32
    with pytest.raises(ValueError, match="rotate turns pairs of features and needs an even number of them, got 3"):
        rotate(np.ones((2, 3)), np.arange(2))
    with pytest.raises(ValueError, match=r"rotate expects x of shape \(…, time, d\) and positions \(time,\), got \(2, 4\) and \(3,\)"):
        rotate(np.ones((2, 4)), np.arange(3))
    with pytest.raises(ValueError, match=r"got \(4,\) and \(\)"):
        rotate(np.ones(4), np.array(0))
    with pytest.raises(TypeError, match="rotate expects floating-point numbers, got an array of int64"):
        rotate(np.ones((3, 4), int), np.arange(3))
    with pytest.raises(TypeError, match="got list"):
        rotate([[1.0, 0.0]], np.arange(1))


def test_learned_positions_are_added_and_get_the_gradient_of_their_places(rng):
    layer, x = LearnedPositions(5, 3, seed=0), rng.normal(size=(2, 4, 3))
    y, backward = layer.forward(x)
    exact(y, x + layer.P[:4])
    dy = rng.normal(size=y.shape)
    exact(backward(dy), dy)
    exact(layer.dP, [*dy.sum(axis=0), np.zeros(3)])
    first, past = layer.extend(x[:, :3])
    second, after = layer.extend(x[:, 3:], past)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), y)
    assert (past, after) == (3, 4)
    assert layer(rng.normal(size=(1, 5, 3))).shape == (1, 5, 3)
    with pytest.raises(ValueError, match=r"LearnedPositions\(5, 3\) has 5 positions, got a sequence of 6"):
        layer(np.ones((2, 6, 3)))
    with pytest.raises(ValueError, match="has 5 positions, got a sequence of 8"):
        layer.extend(x, past=4)


SEQUENCE_LAYERS = [LearnedPositions(5, 4, seed=0), MultiHeadAttention(4, 2, causal=True, seed=0), TransformerBlock(4, 2, causal=True, seed=0)]


@pytest.mark.parametrize("layer", SEQUENCE_LAYERS[:2], ids=repr)
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((2, 4)), ValueError, r"expects inputs of shape \(batch, time, 4\), none 0, got \(2, 4\)"),
        (np.ones((2, 2, 3, 4)), ValueError, r"got \(2, 2, 3, 4\)"),
        (np.ones((2, 3, 5)), ValueError, r"expects inputs of shape \(batch, time, 4\), none 0, got \(2, 3, 5\)"),
        (np.ones((2, 0, 4)), ValueError, r"got \(2, 0, 4\)"),
        (np.ones((0, 3, 4)), ValueError, r"got \(0, 3, 4\)"),
        (np.ones((2, 3, 4), np.float32), TypeError, "has float64 weights and expects float64 inputs, got float32"),
        ([[[1.0] * 4]], TypeError, "expects floating-point numbers, got list"),
    ],
)
def test_what_is_no_sequence_is_refused(layer, x, error, message):
    for call in (layer, layer.forward, layer.extend):
        with pytest.raises(error, match=message) as refused:
            call(x)
        assert str(refused.value).startswith(repr(layer))


# --- heads and blocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "causal"])
def test_heads_are_those_of_pytorch(stored, kind):
    layer, this = MultiHeadAttention(4, 2, causal=kind == "causal", seed=0), stored.below(f"heads/{kind}")
    compare_with_torch(layer, this, HEADS)
    close(layer.weights(this["x"]), this["weights"])


def test_cross_attention_is_that_of_pytorch(stored):
    layer, this = MultiHeadAttention(4, 2, seed=0), stored.below("cross")
    for view, name in zip(layer.named_parameters().values(), HEADS, strict=True):
        view[...] = this[name]
    x, memory, dy = read_only(this["x"], this["memory"], this["dy"])
    y, backward = layer.cross(x, memory, this["may"][:, None, None])
    dx, dmemory = backward(dy)
    close(y, this["y"])
    close(dx, this["dx"])
    close(dmemory, this["dmemory"])
    close(layer.grad, np.concatenate([this["d" + name].ravel() for name in HEADS]))
    backward(dy)
    close(layer.grad, 2 * np.concatenate([this["d" + name].ravel() for name in HEADS]))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rotary", [False, True])
def test_a_sequence_that_attends_to_itself_as_memory(rng, causal, rotary):
    layer = MultiHeadAttention(4, 2, causal=causal, rotary=rotary, seed=0)
    layer.theta = rng.normal(size=layer.theta.shape)
    x, dy = rng.normal(size=(2, 2, 3, 4))
    y, backward = layer.forward(x)
    dx, grad = backward(dy), layer.grad.copy()
    layer.grad[:] = 0
    crossed, back = layer.cross(x, x)
    exact(crossed, y)
    exact(sum(back(dy)), dx)
    exact(layer.grad, grad)
    exact(layer.cross(x[:, -2:], x)[0], y[:, -2:])             # its queries stand at the last places


def test_gradients_of_queries_that_stand_at_the_last_places(rng):
    layer = MultiHeadAttention(4, 2, causal=True, rotary=True, seed=0)
    x, memory, dy = rng.normal(size=(2, 2, 4)), rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 2, 4))
    dx, dmemory = layer.cross(x, memory)[1](dy)
    moved = layer.astype(complex)
    exact(dx, complex_step_gradient(lambda x: (moved.cross(x, memory + 0j)[0] * dy).sum(), x))
    exact(dmemory, complex_step_gradient(lambda memory: (moved.cross(x + 0j, memory)[0] * dy).sum(), memory))


def test_heads_are_the_function_on_parts_of_the_features(rng):
    layer, x = MultiHeadAttention(6, 3, rotary=True, causal=True, seed=0), rng.normal(size=(2, 4, 6))
    layer.theta = rng.normal(size=layer.theta.shape)
    Q, K, V = np.split(x @ layer.qkv.W.T + layer.qkv.b, 3, axis=-1)
    heads = []
    for i in range(3):
        here = slice(2 * i, 2 * i + 2)
        turned = (rotate(part[..., here], np.arange(4))[0] for part in (Q, K))
        Y, A, _ = attend(*turned, V[..., here], causal=True)
        exact(layer.weights(x)[:, i], A)
        heads.append(Y)
    exact(layer(x), np.concatenate(heads, axis=-1) @ layer.out.W.T + layer.out.b)


def test_first_weights_keep_the_variance():
    layer = MultiHeadAttention(64, 4, seed=0)
    images = VisionTransformer((4, 4, 4), 4, 64, 2, 1, 64, seed=0)
    for W in (layer.qkv.W, layer.out.W, images.layers[0].dense.layer.W, images.layers[-1].W):
        assert W.var() == pytest.approx(1 / 64, rel=0.05)


def test_cross_attention_wants_two_sequences_that_fit():
    layer = MultiHeadAttention(4, 2, seed=0)
    x = np.ones((2, 3, 4))
    with pytest.raises(ValueError, match=r"MultiHeadAttention\(4, 2\) expects as many sequences x as memories, got \(2, 3, 4\) and \(1, 5, 4\)"):
        layer.cross(x, np.ones((1, 5, 4)))
    for pair in ((np.ones((2, 3, 5)), x), (x, np.ones((2, 3, 5)))):
        with pytest.raises(ValueError, match=r"^MultiHeadAttention\(4, 2\) expects inputs of shape \(batch, time, 4\), none 0, got \(2, 3, 5\)"):
            layer.cross(*pair)
    with pytest.raises(ValueError, match=r"a mask that broadcasts to \(…, q, k\) = \(2, 2, 3, 3\), got \(2, 3\)"):
        layer.cross(x, x, np.ones((2, 3), bool))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"d": 4, "heads": 3}, "MultiHeadAttention divides d into heads of the same size, got d=4 and heads=3"),
        ({"d": 6, "heads": 2, "rotary": True}, "MultiHeadAttention divides d into heads of the same even size, got d=6 and heads=2"),
        ({"d": 4, "heads": 0}, "MultiHeadAttention needs a whole number ≥ 1, got heads=0"),
        ({"d": 4.0, "heads": 1}, "got d=4.0"),
        ({"d": 4, "heads": 1, "seed": None}, "MultiHeadAttention needs a seed or a numpy.random.Generator"),
    ],
)
def test_heads_that_cannot_be_made_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(**{"seed": 0} | sizes)


def test_block_is_that_of_pytorch(stored):
    compare_with_torch(TransformerBlock(4, 2, hidden=6, seed=0), stored.below("block"), BLOCK)


def test_a_block_is_its_equation(rng):
    block, x = TransformerBlock(4, 2, causal=True, rotary=True, seed=0), rng.normal(size=(2, 3, 4))
    norm, attention = block.layers[0].layer.layers
    h = x + attention(norm(x))
    norm, mlp = block.layers[1].layer.layers
    exact(block(x), h + mlp(norm(h)))
    assert attention.causal and attention.rotary and mlp.layer.layers[0].W.shape == (16, 4)
    assert TransformerBlock(4, 2, hidden=3, seed=0).layers[1].layer.layers[1].layer.layers[0].W.shape == (3, 4)
    with pytest.raises(ValueError, match="whole numbers ≥ 1"):
        TransformerBlock(4, 2, hidden=0, seed=0)


def test_dropout_is_in_both_halves_and_in_training_alone(rng):
    x = rng.normal(size=(2, 3, 4))
    block = TransformerBlock(4, 2, dropout=0.999999, seed=0)
    exact(block.forward(x, training=True)[0], x)               # all that is added is dropped
    exact(block(x), block.forward(x)[0])
    assert np.abs(block(x) - x).max() > 0.1
    assert [type(half.layer.layers[-1]) for half in block.layers] == [Dropout, Dropout]
    with pytest.raises(ValueError, match=r"Dropout expects a probability p in \[0, 1\), got 1"):
        TransformerBlock(4, 2, dropout=1, seed=0)


@pytest.mark.parametrize("rotary", [False, True])
def test_a_sequence_can_be_gone_on_with(rng, rotary):
    x = rng.normal(size=(2, 6, 4))
    options = {"causal": True, "rotary": rotary, "seed": 0}
    for layer in (MultiHeadAttention(4, 2, **options), TransformerBlock(4, 2, **options), TransformerBlock(4, 2, dropout=0.5, **options)):
        y, past = layer(x), None
        for start, stop in ((0, 3), (3, 4), (4, 6)):
            new, past = layer.extend(x[:, start:stop], past)
            exact(new, y[:, start:stop])
        assert past[0].shape == past[1].shape == (2, 2, 6, 2)


def test_only_a_causal_sequence_can_be_gone_on_with():
    for layer in (MultiHeadAttention(4, 2, seed=0), TransformerBlock(4, 2, seed=0)):
        with pytest.raises(ValueError, match=r"MultiHeadAttention\(4, 2\) is not causal: what comes later would change what came before"):
            layer.extend(np.ones((1, 1, 4)))


def test_names_say_what_they_are():
    assert repr(MultiHeadAttention(4, 2, causal=True, rotary=True, seed=0)) == "MultiHeadAttention(4, 2, causal, rotary)"
    assert repr(MultiHeadAttention(4, 2, seed=0)) == "MultiHeadAttention(4, 2)"
    assert repr(Embedding(5, 2, seed=0)) == "Embedding(5, 2)"
    assert repr(LearnedPositions(5, 2, seed=0)) == "LearnedPositions(5, 2)"
    assert repr(PatchEmbedding(2, 3, 5, seed=0)) == "PatchEmbedding(2, 3, 5)"
    assert repr(GPT(7, 4, 2, 3, 6, seed=0)) == "GPT(vocabulary=7, d=4, layers=3, context=6)"
    assert repr(Encoder(7, 4, 2, 3, 6, rotary=True, seed=0)) == "Encoder(vocabulary=7, d=4, layers=3, context=6)"


@pytest.mark.parametrize(
    "layer_kind", [Embedding, LearnedPositions, MultiHeadAttention, TransformerBlock, Encoder, GPT, PatchEmbedding, VisionTransformer]
)
def test_gradients_are_those_of_a_complex_step(rng, layer_kind):
    layer, x = layer_kind.example(rng)
    layer.theta = rng.normal(size=layer.theta.shape)
    y, backward = layer.forward(x)
    dy = rng.normal(size=y.shape)
    dx, moved = backward(dy), layer.astype(complex)
    floating = x.dtype.kind == "f"

    def loss(theta, x):
        moved.theta = theta
        return (moved(x) * dy).sum()

    z = x + 0j if floating else x
    np.testing.assert_allclose(layer.grad, complex_step_gradient(lambda theta: loss(theta, z), layer.theta), rtol=1e-11, atol=1e-11)
    if floating:
        np.testing.assert_allclose(dx, complex_step_gradient(lambda x: loss(layer.theta + 0j, x), x), rtol=1e-11, atol=1e-11)
        if layer.skips_dx:
            assert backward(dy, want_dx=False) is None


def test_swiglu_is_its_equation_in_symbols(rng):
    G, U, R, x = (symbolic.matrix(name, *shape) for name, shape in (("G", (3, 2)), ("U", (3, 2)), ("R", (2, 3)), ("x", (2, 1))))
    gate = (G * x).applyfunc(lambda z: symbolic.activation("silu", z))
    y = R * gate.multiply_elementwise(U * x)
    layer, dy = SwiGLU(2, 3, seed=0), np.array([1.0, 2.0])
    at = {G: layer.W_gate, U: layer.W_up, R: layer.W_out, x: rng.normal(size=(1, 2))}
    found, backward = layer.forward(at[x][None])
    symbolic.check(y, at, found[0])
    L = sp.Matrix([y[0] + 2 * y[1]])
    symbolic.check(L.jacobian(list(x)), at, backward(dy[None, None])[0])
    for W, dW in ((G, layer.dW_gate), (U, layer.dW_up), (R, layer.dW_out)):
        symbolic.check(L.jacobian(list(W)).reshape(*W.shape), at, dW)


def test_swiglu_keeps_the_number_of_parameters():
    assert SwiGLU(6, 16, seed=0).theta.size == 2 * 4 * 6 * 6


# --- equivariance -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["none", "learned", "rotary", "causal"])
def test_permuting_the_positions_permutes_the_output_until_something_tells_them_apart(rng, kind):
    block = TransformerBlock(4, 2, causal=kind == "causal", rotary=kind == "rotary", seed=1)
    model = Sequential(*([LearnedPositions(6, 4, seed=2)] if kind == "learned" else []), block)
    x, order = rng.normal(size=(2, 6, 4)), np.array([3, 0, 5, 1, 4, 2])
    difference = np.abs(model(x[:, order]) - model(x)[:, order]).max()
    assert difference < 1e-12 if kind == "none" else difference > 1e-2


def test_what_comes_later_does_not_change_what_came_before(rng):
    tokens = rng.integers(0, 7, size=(2, 6))
    changed = tokens.copy()
    changed[:, 4:] = (changed[:, 4:] + 1) % 7
    gpt, encoder = (model(7, 4, 2, 2, 6, seed=0) for model in (GPT, Encoder))
    np.testing.assert_array_equal(gpt(tokens)[:, :4], gpt(changed)[:, :4])
    assert (np.abs(encoder(tokens) - encoder(changed)).max(axis=2) > 1e-6).all()


# --- models -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Encoder, GPT])
def test_models_are_those_of_pytorch(stored, model):
    compare_with_torch(model(7, 4, 2, 2, 6, hidden=6, seed=0), stored.below(model.__name__.lower()), STACK)


def test_the_attention_of_each_block(rng):
    model, tokens = GPT(7, 4, 2, 2, 6, seed=0), rng.integers(0, 7, size=(3, 5))
    positions, first, second = model.body.layers
    x = positions(model.embedding(tokens))
    weights = model.weights(tokens)
    assert weights.shape == (2, 3, 2, 5, 5)
    np.testing.assert_array_equal(weights[0], first.weights(x))
    np.testing.assert_array_equal(weights[1], second.weights(first(x)))
    norm, attention = first.layers[0].layer.layers
    np.testing.assert_array_equal(weights[0], attention.weights(norm(x)))
    assert GPT(7, 4, 2, 2, 6, rotary=True, seed=0).weights(tokens).shape == (2, 3, 2, 5, 5)


def test_options_reach_the_blocks():
    model = Encoder(7, 4, 2, 1, 6, hidden=3, rotary=True, dropout=0.25, seed=0)
    (block,) = model.body.layers
    _, attention, dropout = block.layers[0].layer.layers
    assert attention.rotary and not attention.causal and dropout.p == 0.25
    assert block.layers[1].layer.layers[1].layer.layers[0].W.shape == (3, 4)
    model = VisionTransformer((4, 2, 1), 2, 4, 2, 3, 5, hidden=3, dropout=0.25, seed=0)
    block = model.layers[2]
    assert block.layers[0].layer.layers[2].p == 0.25 and block.layers[1].layer.layers[1].layer.layers[0].W.shape == (3, 4)
    assert [type(layer) for layer in model.layers] == [
        PatchEmbedding, LearnedPositions, TransformerBlock, TransformerBlock, TransformerBlock, LayerNorm, GlobalAverage, Dense
    ]  # fmt: skip
    assert model.layers[1].P.shape == (2, 4)


@pytest.mark.parametrize("model", [Encoder, GPT])
def test_models_drop_in_training_alone(model):
    model, tokens = model(7, 4, 2, 1, 5, dropout=0.5, seed=0), np.array([[1, 2, 3]])
    np.testing.assert_array_equal(model.forward(tokens)[0], model(tokens))
    assert (model.forward(tokens, training=True)[0] != model(tokens)).any()


@pytest.mark.parametrize("model", [Encoder(7, 4, 2, 1, 5, seed=0), GPT(7, 4, 2, 1, 5, rotary=True, seed=0)], ids=repr)
def test_sequences_beyond_the_context_are_refused(model):
    assert model(np.zeros((1, 5), int)).shape == (1, 5, 7)
    for tokens in (np.zeros((1, 6), int), np.zeros((1, 0), int), np.zeros(5, int), np.zeros((1, 1, 5), int)):
        for call in (model, model.forward, model.weights):
            with pytest.raises(ValueError, match=r"expects tokens of shape \(batch, time\) with 1 ≤ time ≤ 5, got \("):
                call(tokens)
    with pytest.raises(ValueError, match=r"Embedding\(7, 4\) expects tokens from 0 to 6, got 0 to 7"):
        model(np.array([[0, 7]]))
    with pytest.raises(TypeError, match="expects an array of whole numbers, got an array of float64"):
        model(np.zeros((1, 5)))


@pytest.mark.parametrize(
    ("change", "part"),
    [({"layers": 0}, "GPT"), ({"context": 0}, "GPT"), ({"vocabulary": 0}, "Embedding"), ({"d": -4}, "Embedding"), ({"heads": 0}, "MultiHeadAttention")],
)
def test_models_that_cannot_be_made_are_refused(change, part):
    ((name, n),) = change.items()
    with pytest.raises(ValueError, match=f"^{part} needs a whole number ≥ 1, got {name}={n}"):
        GPT(**{"vocabulary": 7, "d": 4, "heads": 2, "layers": 1, "context": 5, "seed": 0} | change)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: Embedding(2, 2, seed=seed),
        lambda seed: LearnedPositions(2, 2, seed=seed),
        lambda seed: TransformerBlock(2, 1, seed=seed),
        lambda seed: GPT(2, 2, 1, 1, 2, seed=seed),
        lambda seed: VisionTransformer((2, 2, 1), 2, 2, 1, 1, 2, seed=seed),
    ],
    ids=["Embedding", "LearnedPositions", "TransformerBlock", "GPT", "VisionTransformer"],
)
def test_the_seed_decides(make):
    np.testing.assert_array_equal(make(3).theta, make(np.random.default_rng(3)).theta)
    assert (make(3).theta != make(4).theta).any()
    with pytest.raises(ValueError, match=f"{type(make(0)).__name__} needs a seed or a numpy.random.Generator: without one, no run could be repeated"):
        make(None)


# --- writing ----------------------------------------------------------------------------------------------------------


def sharp(rotary=False, vocabulary=7):
    """A model whose choices are clear."""
    model = GPT(vocabulary, 4, 2, 2, 6, rotary=rotary, seed=0)
    model.theta *= 3
    return model


@pytest.mark.parametrize("rotary", [False, True])
def test_the_cache_gives_the_logits_of_the_whole_text(rng, rotary):
    model, tokens = sharp(rotary), rng.integers(0, 7, size=(2, 6))
    logits, past = model(tokens), None
    for start, stop in ((0, 2), (2, 3), (3, 4), (4, 6)):
        new, past = model.extend(tokens[:, start:stop], past)
        exact(new, logits[:, start:stop])
    _, past = model.extend(tokens[:, :2])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        model.extend(tokens[:, 2:3], past[:-1])


@pytest.mark.parametrize("rotary", [False, True])
def test_the_most_likely_text_is_that_of_a_loop_without_a_cache(rotary):
    model, text = sharp(rotary), [3, 1]
    written = model.generate(text, 12, seed=0, temperature=0)
    for _ in range(12):                                        # past the context of 6: the last 6 tokens
        text = [*text, int(model(np.array([text[-6:]]))[0, -1].argmax())]
    assert written.tolist() == text and len(set(text)) > 2


def test_past_the_context_only_the_last_tokens_count():
    model = sharp()
    long, short = ([6, 5, *range(6)], list(range(6)))
    assert model.generate(long, 4, seed=0).tolist() == [6, 5, *model.generate(short, 4, seed=0)]


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, None), (0.5, 7), (2.0, 3)])
def test_tokens_are_drawn_as_often_as_they_are_likely(temperature, top_k):
    model, n = GPT(7, 4, 1, 1, 1, seed=0), 800
    model.norm.gamma, model.norm.beta = np.zeros(4), np.array([2.0, 1, -1, 0])           # the same logits at each step
    z = model(np.array([[2]]))[0, -1]
    if top_k:
        z = np.where(z >= np.sort(z)[-top_k], z, -np.inf)
    p = softmax(z / temperature)
    drawn = np.bincount(model.generate([2], n, 0, temperature=temperature, top_k=top_k)[1:], minlength=7)
    assert (drawn[p == 0] == 0).all()
    assert (np.abs(drawn / n - p) <= 4 * np.sqrt(p * (1 - p) / n)).all()


def test_of_tokens_that_are_alike_the_first_ones_are_kept():
    model = GPT(40, 4, 1, 1, 3, seed=0)
    model.norm.gamma, model.norm.beta = np.zeros(4), np.array([1.0, 0, 0, 0])
    model.embedding.W = np.outer(np.arange(40) >= 20, np.ones(4))                        # logits 0 and 1
    assert set(model.generate([5], 60, seed=0, top_k=3)[1:]) == {20, 21, 22}


def test_the_same_seed_writes_the_same():
    model = sharp()
    before = model.theta.copy()
    once, again, other = (model.generate([0], 20, seed, temperature=3.0) for seed in (1, 1, 2))
    assert once.tolist() == again.tolist() != other.tolist()
    assert once.dtype.kind == "i" and once.shape == (21,) and once[0] == 0
    np.testing.assert_array_equal(model.theta, before)
    np.testing.assert_array_equal(model.generate(np.array([0]), 20, 1, 3.0), once)
    np.testing.assert_array_equal(model.generate([0], 20, 1), model.generate([0], 20, 1, temperature=1.0))
    assert model.astype(np.float32).generate([0], 20, 1).shape == (21,)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"prompt": []}, TypeError, r"Embedding\(7, 4\) expects an array of whole numbers, got an array of float64"),
        ({"prompt": np.array([], int)}, ValueError, "at least one token"),
        ({"prompt": [7, *range(6)]}, ValueError, "expects tokens from 0 to 6, got 0 to 7"),
        ({"prompt": [[1]]}, ValueError, r"generate expects a prompt of shape \(time,\), got \(1, 1\)"),
        ({"prompt": [1.5]}, TypeError, "an array of whole numbers"),
        ({"n": 0}, ValueError, "generate needs a whole number ≥ 1, got n=0"),
        ({"top_k": 0}, ValueError, "generate needs a whole number ≥ 1, got top_k=0"),
        ({"top_k": 8}, ValueError, "generate expects top_k from 1 to 7, got 8"),
        ({"temperature": -0.1}, ValueError, "generate expects a finite temperature ≥ 0, got -0.1"),
        ({"temperature": np.inf}, ValueError, "got inf"),
        ({"temperature": np.nan}, ValueError, "got nan"),
        ({"seed": None}, ValueError, "generate needs a seed or a numpy.random.Generator"),
    ],
)
def test_what_cannot_be_written_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        sharp().generate(**{"prompt": [1], "n": 2, "seed": 0} | change)


# --- learning ---------------------------------------------------------------------------------------------------------


def train(model, loss, batch, steps, rate=1e-2):
    adam = Adam(rate)
    for _ in range(steps):
        value, grad = value_and_grad(model, loss, *batch())
        adam.step(model.theta, grad)
    return value


def test_gpt_learns_what_comes_next(rng):
    """Two interleaved texts: the next token is that before the last, plus one."""
    model = GPT(5, 16, 2, 2, 8, seed=0)

    def text(rows):
        tokens = np.empty((rows, 9), int)
        tokens[:, :2] = rng.integers(0, 5, size=(rows, 2))
        for t in range(2, 9):
            tokens[:, t] = (tokens[:, t - 2] + 1) % 5
        return tokens

    def batch():
        tokens = text(32)
        return tokens[:, :-1], tokens[:, 1:]

    assert train(model, categorical_cross_entropy, batch, 150) < 0.3               # only the second token cannot be known: log(5)/8 = 0.2
    assert model.generate([4, 1], 6, seed=0, temperature=0).tolist() == [4, 1, 0, 2, 1, 3, 2, 4]


def test_an_encoder_learns_to_restore_what_is_hidden(rng):
    """Each text counts up from a random token: a hidden one follows from those on either side."""
    model = Encoder(8, 16, 2, 1, 6, seed=0)                    # 7 tokens, and 7 for a hidden one
    loss = partial(categorical_cross_entropy, ignore_index=-100)

    def text(rows):
        return (rng.integers(0, 7, size=(rows, 1)) + np.arange(6)) % 7

    assert train(model, loss, lambda: mask_tokens(text(32), 7, 7, seed=rng), 120) < 0.2
    hidden = np.array([[7, 4, 5, 6, 0, 1], [2, 3, 4, 7, 6, 0]])
    assert model(hidden)[[0, 1], [0, 3]].argmax(axis=1).tolist() == [3, 5]


# --- hidden tokens ----------------------------------------------------------------------------------------------------


def test_hidden_tokens_follow_the_rule_of_bert(rng):
    tokens = rng.integers(0, 50, size=(400, 40))
    masked, target = mask_tokens(*read_only(tokens), vocabulary=50, mask_token=99, seed=0)
    chosen = target != -100
    assert (chosen.sum(axis=1) == 6).all()                     # 15 % of 40
    np.testing.assert_array_equal(target[chosen], tokens[chosen])
    np.testing.assert_array_equal(masked[~chosen], tokens[~chosen])
    assert chosen.mean(axis=0) == pytest.approx(0.15, abs=0.08)
    seen, n = masked[chosen], chosen.sum()
    assert (seen == 99).sum() / n == pytest.approx(0.8, abs=0.03)
    assert (seen == tokens[chosen]).sum() / n == pytest.approx(0.1 + 0.1 / 50, abs=0.02)
    others = seen[(seen != 99) & (seen != tokens[chosen])]
    assert len(others) / n == pytest.approx(0.1, abs=0.02)
    assert set(others) == set(range(50)) and masked.dtype.kind == target.dtype.kind == "i"


def test_at_least_one_token_is_hidden_and_at_most_all():
    tokens = np.arange(6)[None]
    for rate, count in ((0.15, 1), (0.01, 1), (0.25, 2), (0.5, 3), (1, 6)):
        assert (mask_tokens(tokens, 6, 0, seed=0, rate=rate)[1] != -100).sum() == count
    first, again, other = (mask_tokens(np.zeros((9, 9), int), 6, 1, seed=seed)[1] for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"tokens": np.ones((1, 3))}, TypeError, "mask_tokens expects an array of whole numbers, got an array of float64"),
        ({"tokens": [[1]]}, TypeError, "got list"),
        ({"tokens": np.ones(3, int)}, ValueError, r"mask_tokens expects tokens of shape \(batch, time\), none 0, got \(3,\)"),
        ({"tokens": np.ones((3, 0), int)}, ValueError, r"got \(3, 0\)"),
        ({"vocabulary": 0}, ValueError, "mask_tokens needs a whole number ≥ 1, got vocabulary=0"),
        ({"rate": 0}, ValueError, r"mask_tokens expects a rate in \(0, 1\], got 0"),
        ({"rate": 1.1}, ValueError, "got 1.1"),
        ({"rate": np.nan}, ValueError, "got nan"),
        ({"seed": None}, ValueError, "mask_tokens needs a seed"),
    ],
)
def test_what_cannot_be_hidden_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        mask_tokens(**{"tokens": np.ones((1, 3), int), "vocabulary": 5, "mask_token": 4, "seed": 0} | change)


# --- images -----------------------------------------------------------------------------------------------------------


def test_patches_are_a_convolution_of_pytorch(stored):
    this = stored.below("patches")
    this |= {"W": this["W"].reshape(5, -1), "dW": this["dW"].reshape(5, -1)}
    compare_with_torch(PatchEmbedding(2, 3, 5, seed=0), this, ["W", "b"])


def test_patches_go_row_by_row():
    layer = PatchEmbedding(2, 1, 4, seed=0)
    layer.dense.layer.W = np.eye(4)
    image = np.arange(8 * 4.0).reshape(1, 8, 4, 1)
    patches = layer(image)[0]
    assert patches.shape == (8, 4)
    assert patches[0].tolist() == [0, 1, 4, 5] and patches[1].tolist() == [2, 3, 6, 7] and patches[2].tolist() == [8, 9, 12, 13]


@pytest.mark.parametrize("shape", [(2, 4, 4, 3), (2, 5, 4, 1), (2, 4, 5, 1), (0, 4, 4, 1), (2, 0, 4, 1), (4, 4, 1)])
def test_images_that_patches_do_not_cover_are_refused(shape):
    message = r"PatchEmbedding\(2, 1, 3\) expects images of shape \(batch, height, width, 1\) with sides that 2 divides, got "
    with pytest.raises(ValueError, match=message):
        PatchEmbedding(2, 1, 3, seed=0)(np.ones(shape))
    with pytest.raises(TypeError, match="has float64 weights and expects float64 inputs, got float32"):
        PatchEmbedding(2, 1, 3, seed=0)(np.ones((1, 2, 2, 1), np.float32))
    with pytest.raises(TypeError, match=r"PatchEmbedding\(2, 1, 3\) expects floating-point numbers, got list"):
        PatchEmbedding(2, 1, 3, seed=0)([[[[1.0]]]])


@pytest.mark.parametrize(
    ("image", "patch", "message"),
    [
        ((8, 6, 1), 4, r"VisionTransformer expects a patch that divides the image, got 4 and \(8, 6\)"),
        ((6, 8, 1), 4, r"got 4 and \(6, 8\)"),
        ((0, 8, 1), 4, "VisionTransformer needs a whole number ≥ 1, got height=0"),
        ((8, 0, 1), 4, "got width=0"),
        ((8, 8, 1), 0, "got patch=0"),
        ((8, 8, 0), 4, "PatchEmbedding needs a whole number ≥ 1, got channels=0"),
    ],
)
def test_a_vision_transformer_that_cannot_be_made_is_refused(image, patch, message):
    with pytest.raises(ValueError, match=message):
        VisionTransformer(image, patch, 4, 2, 1, 3, seed=0)
    with pytest.raises(ValueError, match="PatchEmbedding needs a whole number ≥ 1, got d=0"):
        VisionTransformer((8, 8, 1), 4, 0, 2, 1, 3, seed=0)
    with pytest.raises(ValueError, match="got layers=0"):
        VisionTransformer((8, 8, 1), 4, 4, 2, 0, 3, seed=0)
