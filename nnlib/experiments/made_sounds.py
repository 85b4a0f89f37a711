"""Tone, chirp or noise: networks that hear the bare samples, with backgrounds from −10 to 20 dB.

600 sounds are there to choose the rate with, by the mean over all starts; others, 600 at each level, to report.
"""

from __future__ import annotations

import numpy as np

from nnlib.activations import ReLU
from nnlib.backprop import value_and_grad
from nnlib.cnn import Conv1D, Flatten, GlobalAverage
from nnlib.layers import Layer, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import accuracy
from nnlib.mlp import Dense
from nnlib.optimizers import Adam
from nnlib.schedules import one_cycle
from nnlib.search import grid_search

SPACE = {"network": ["CNN", "MLP", "MLP, 4 × the sounds"], "rate": [0.003, 0.01, 0.03, 0.1]}
SEEDS = 13
RATE_HZ = 8000  # samples a second
SAMPLES, STEPS, BATCH = 384, 450, 48
LEVELS = [-10, -5, 0, 5, 10, 20]  # of the test, in dB
BLOCKS = 5
REPEATED = [(5, 0)]
TOLERANCE = {"chosen by": 0.08} | {f"{snr} dB, {k}": 12 for snr in LEVELS for k in range(BLOCKS)}


def sounds(kinds, n, snr_db, rng, low=400, high=3000):
    """A sound of n samples for each entry of kinds (0 tone, 1 chirp, 2 noise)."""
    kinds = np.asarray(kinds)[:, None]
    start = rng.uniform(low, high, kinds.shape)               # hertz
    glide = rng.uniform(800, 1800, kinds.shape)
    end = np.where(kinds == 1, low + (start - low + glide) % (high - low), start)
    hertz = start + (end - start) * np.linspace(0, 1, n)      # at each moment
    phase = 2 * np.pi * np.cumsum(hertz, axis=1) / RATE_HZ
    waves = np.sqrt(2) * np.sin(phase + rng.uniform(0, 2 * np.pi, kinds.shape))
    clean = np.where(kinds == 2, rng.normal(size=phase.shape), waves)
    level = 10 ** (-np.reshape(snr_db, (-1, 1)) / 20)         # of the background
    noisy = clean + level * rng.normal(size=phase.shape)
    return noisy / np.sqrt(1 + level**2)                      # power 1, all of them


def batch(count, rng, snr_db=None):
    """As many tones as chirps and noises, and what they are; without ``snr_db`` each has a level of its own."""
    kinds = np.arange(count) % 3
    snr = rng.uniform(-10, 20, count) if snr_db is None else snr_db
    return sounds(kinds, SAMPLES, snr, rng)[:, :, None], kinds


def network(name: str, seed: int) -> Layer:
    """A network with first weights."""
    rng = np.random.default_rng(seed)
    if name != "CNN":
        hidden = Dense(SAMPLES, 64, seed=rng)
        return Sequential(Flatten(), hidden, ReLU(), Dense(64, 3, seed=rng))
    return Sequential(
        Conv1D(1, 24, 48, stride=16, seed=rng), ReLU(),
        Conv1D(24, 24, 9, stride=2, seed=rng), ReLU(),
        GlobalAverage(), Dense(24, 3, seed=rng),
    )


def trained(name, rate, seed):
    """Train on fresh sounds in each step: no epochs, and nothing to overfit."""
    rng, schedule = np.random.default_rng(1000 + seed), one_cycle()
    model, optimizer = network(name, seed), Adam(rate)
    steps = 4 * STEPS if "4" in name else STEPS
    for step in range(steps):
        optimizer.learning_rate = rate * schedule(step, steps)
        heard = batch(BATCH, rng)
        _, grad = value_and_grad(model, categorical_cross_entropy, *heard)
        optimizer.step(model.theta, grad)
    return model


def test_sounds():
    """600 sounds at each level: the same for all."""
    return {snr: batch(600, np.random.default_rng(2), snr) for snr in LEVELS}


def objective(setting, seed):
    """One training; the share of right answers for the choice, and how many of 120 in each block of the test at each level."""
    model = trained(setting["network"], setting["rate"], seed)
    x, y = batch(600, np.random.default_rng(1))
    found = {"chosen by": round(accuracy(model(x), y), 4)}
    for snr, (x, y) in test_sounds().items():
        right = np.array_split(model(x).argmax(axis=1) == y, BLOCKS)
        found |= {f"{snr} dB, {k}": int(block.sum()) for k, block in enumerate(right)}
    return found


def search(memory=None):
    """All runs."""
    return grid_search(objective, SPACE, seeds=SEEDS, memory=memory)
