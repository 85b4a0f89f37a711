"""Associative recall (`nnlib.datasets.recall`) with attention alone: one layer, two, two with (narrow) MLPs, and two without 1/√d_k.

Twelve different tokens, then one of them again: which one came after it? A step of training sees 128 new sequences, so there is
no training set to learn by heart. The accuracy is that on 1,000 others, after every sixth part of the steps.
What one run of one layer and one of two look at on the way is kept beside the results (`maps`), and the parameters of the latter (`stored`).
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nnlib import datasets
from nnlib.attention import Embedding, LearnedPositions, MultiHeadAttention, TransformerBlock
from nnlib.backprop import value_and_grad
from nnlib.layers import Layer, Positionwise, Residual, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.regularizers import LayerNorm
from nnlib.search import grid_search

SPACE: dict[str, Any] = {"case": ["one layer", "two layers", "two layers, MLPs", "two layers, unscaled"], "steps": [60, 480]}
DISTINCT, VOCABULARY, D, RATE, BATCH = 12, 24, 48, 0.003, 128
LOOKS = 6
MAPS = Path(__file__).with_name("recall.npz")
REPEATED = [(0, 0), (2, 1)]
TOLERANCE = {f"accuracy_{k}": 3 for k in range(LOOKS + 1)} | {"previous": 0.02, "answer": 0.02}


class _Unscaled(MultiHeadAttention):
    """Attention without the root: softmax(Q Kᵀ) V."""

    def _attend(self, Q, K, V, mask=None):
        root = math.sqrt(Q.shape[-1])
        y, weights, attend = super()._attend(root * Q, K, V, mask)

        def backward(dy):
            dQ, dK, dV = attend(dy)
            return root * dQ, dK, dV

        return y, weights, backward


def make(case: str, seed) -> Sequential:
    """Embedding, positions, one layer of causal attention with one head or two (with an MLP after each, or not), logits."""
    rng = np.random.default_rng(seed)
    kind = _Unscaled if case.endswith("unscaled") else MultiHeadAttention

    def layer():
        if case.endswith("MLPs"):
            return TransformerBlock(D, 1, hidden=D, causal=True, seed=rng)
        return Residual(Sequential(LayerNorm(D), kind(D, 1, causal=True, seed=rng)))

    embedding, positions = Embedding(VOCABULARY, D, seed=rng), LearnedPositions(DISTINCT + 1, D, seed=rng)
    stack = [layer() for _ in range(1 if case == "one layer" else 2)]
    return Sequential(embedding, positions, *stack, LayerNorm(D), Positionwise(Dense(D, VOCABULARY, seed=rng, initializer="lecun")))


def answer_loss(logits: np.ndarray, answer: np.ndarray):
    """Cross-entropy at the last position: the others are asked nothing."""
    target = np.full(logits.shape[:2], -100)
    target[:, -1] = answer
    return categorical_cross_entropy(logits, target, ignore_index=-100)


def train(case: str, steps: int, seed: int, on_step=None, rate: float = RATE) -> Sequential:
    """Train on new sequences at each step; ``on_step(t, model)`` is called before step t = 0, 1, … and after the last."""
    model, optimizer, rng = make(case, seed), Adam(rate), np.random.default_rng([seed, 1])
    for t in range(steps + 1):
        if on_step is not None:
            on_step(t, model)
        if t < steps:
            value_and_grad(model, answer_loss, *datasets.recall(BATCH, distinct=DISTINCT, vocabulary=VOCABULARY, seed=rng))
            optimizer.step(model.theta, model.grad)
    return model


def attention(model: Layer, tokens: np.ndarray) -> np.ndarray:
    """The weights of every layer, shape (layers, batch, time, time)."""
    inputs, found = [tokens, *model.outputs(tokens)], []
    for layer, x in zip(model.layers, inputs, strict=False):
        if isinstance(layer, TransformerBlock):
            found.append(layer.weights(x)[:, 0])
        elif isinstance(layer, Residual):
            norm, heads = layer.layer.layers
            found.append(heads.weights(norm(x))[:, 0])
    return np.stack(found)


def looks(model: Layer, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The mean weight that the first layer gives to the token before, and that the last layer's question gives to the answer."""
    A = attention(model, x)
    before = np.arange(1, DISTINCT)
    place = (x[:, :-1] == y[:, None]).argmax(axis=1)
    return A[0][:, before, before - 1].mean(), A[-1][np.arange(len(x)), -1, place].mean()


def objective(setting, seed):
    """Accuracy in percent on the way, and at the end how much weight lies where an induction head has it."""
    every = setting["steps"] // LOOKS
    x, y = datasets.recall(1000, distinct=DISTINCT, vocabulary=VOCABULARY, seed=np.random.default_rng([seed, 2]))
    found = {}

    def look(t, model):
        if t % every == 0:
            found[f"accuracy_{t // every}"] = round(100 * float((model(x)[:, -1].argmax(axis=-1) == y).mean()), 1)

    model = train(setting["case"], setting["steps"], seed, look)
    previous, answer = looks(model, x, y)
    return found | {"previous": round(float(previous), 4), "answer": round(float(answer), 4)}


def search(memory=None):
    found = grid_search(objective, SPACE, seeds=6, memory=memory)
    _keep_maps()
    return found


def _keep_maps() -> None:
    x, y = datasets.recall(3, distinct=DISTINCT, vocabulary=VOCABULARY, seed=np.random.default_rng([0, 3]))
    kept: dict[str, Any] = {"x": x, "y": y}
    for case in ("one layer", "two layers"):
        seen: dict[str, list] = {"maps": [], "answers": []}

        def look(t, model, seen=seen):
            if t % 80 == 0:
                logits = model(x)[:, -1]
                seen["maps"].append(attention(model, x).astype(np.float16))
                seen["answers"].append(np.exp(logits - logits.max(axis=-1, keepdims=True)).astype(np.float16))

        model = train(case, 480, 0, look)
        kept |= {f"{case}: {name}": np.stack(values) for name, values in seen.items()}
    kept["theta"] = model.theta.astype(np.float16)             # of two layers
    np.savez_compressed(MAPS, **kept)


def maps() -> dict[str, np.ndarray]:
    """Three sequences ``x``, their answers ``y``, and for "one layer" and "two layers" (seed 0), after 0, 80, … 480 steps, what they
    look at, (7, layers, 3, 13, 13), and how likely each answer seems, (7, 3, 24), in units of the likeliest."""
    with np.load(MAPS) as file:
        return dict(file)


def stored() -> Sequential:
    """The trained network of two layers that `maps` shows (seed 0, 480 steps), its parameters rounded to 16 bits."""
    model = make("two layers", 0)
    model.theta = maps()["theta"].astype(float)
    return model


def answers(model: Sequential, tokens: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What a network of two layers answers when the weights A of its first are ``change(A)``, (batch, time, time)."""
    embedding, positions, first, *rest = model.layers
    norm, heads = first.layer.layers
    h = positions(embedding(tokens))
    x = norm(h)
    values = x @ heads.qkv.W[2 * D :].T + heads.qkv.b[2 * D :]                     # one head
    h = h + (change(heads.weights(x)[:, 0]) @ values) @ heads.out.W.T + heads.out.b
    for layer in rest:
        h = layer(h)
    return h[:, -1].argmax(axis=-1)
