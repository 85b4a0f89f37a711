"""Text, one character after the other: a small GPT and an LSTM of as many parameters, trained from 40 to 2,400 steps.

The texts are source code that ships with Python and the prose of scikit-learn's docstrings. Both models see at most ``CONTEXT``
characters, and both have the choice among three learning rates, which warm up and fall as a cosine. The trained GPTs that a
page reads and lets write are kept beside the results, in half precision (`stored`).
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from nnlib import datasets
from nnlib.attention import GPT, Embedding
from nnlib.backprop import value_and_grad
from nnlib.layers import Layer, Positionwise, Sequential
from nnlib.losses import categorical_cross_entropy
from nnlib.metrics import bits_per_character
from nnlib.mlp import Dense
from nnlib.optimizers import AdamW, clip_norm, decay_mask
from nnlib.rnn import LSTM
from nnlib.schedules import cosine, warm_up
from nnlib.search import grid_search

SPACE: dict[str, Any] = {"text": ["python", "scikit-learn"], "model": ["GPT", "LSTM"], "rate": [0.002, 0.006, 0.02], "steps": [40, 300, 2400]}
CONTEXT, BATCH = 64, 16
REPEATED = [(3, 0), (30, 1)]
TOLERANCE = {"validation": 0.03, "test": 0.03, "parameters": 0}


def make(kind: str, vocabulary: int, seed) -> Layer:
    """A GPT, or an LSTM between an embedding and logits."""
    if kind == "GPT":
        return GPT(vocabulary, d=64, heads=4, layers=2, context=CONTEXT, seed=seed).astype(np.float32)
    rng = np.random.default_rng(seed)
    lstm = LSTM(64, 128, return_sequences=True, seed=rng)
    return Sequential(Embedding(vocabulary, 64, seed=rng), lstm, Positionwise(Dense(128, vocabulary, seed=rng))).astype(np.float32)


def train(setting: dict, seed: int) -> tuple[Layer, datasets.Text]:
    """A trained model and its text."""
    text = datasets.text(setting["text"])
    x, y = datasets.windows(text.train, CONTEXT, stride=1)
    model = make(setting["model"], len(text.vocabulary), seed)
    optimizer = AdamW(setting["rate"], weight_decay=0.01, decay_mask=decay_mask(model))
    rng = np.random.default_rng([seed, 1])
    schedule = warm_up(min(50, setting["steps"] // 5), cosine(0.05))
    for t in range(setting["steps"]):
        optimizer.learning_rate = setting["rate"] * schedule(t, setting["steps"])
        batch = rng.integers(len(x), size=BATCH)
        value_and_grad(model, categorical_cross_entropy, x[batch], y[batch])
        clip_norm(model.grad, 1.0)
        optimizer.step(model.theta, model.grad)
    return model, text


def bits(model: Layer, ids: np.ndarray) -> float:
    """Bits per character of a text, each character told from the 32 to 64 before it."""
    half = CONTEXT // 2
    x, y = datasets.windows(ids, CONTEXT, stride=half)
    blocks = [slice(start, start + 64) for start in range(0, len(x), 64)]
    nats = [categorical_cross_entropy(model(x[block])[:, half:], y[block][:, half:])[0] * len(x[block]) for block in blocks]
    return bits_per_character(sum(nats) / len(x))


def objective(setting, seed):
    """Bits per character on the validation part and on the test part."""
    model, text = train(setting, seed)
    if seed == 0 and (setting["model"], setting["steps"]) == ("GPT", SPACE["steps"][-1]):
        _keep(model, text.vocabulary, _trial(setting))
    return {
        "validation": round(bits(model, text.validation), 4),
        "test": round(bits(model, text.test), 4),
        "parameters": model.theta.size,
    }


def search(memory=None):
    found = grid_search(objective, SPACE, seeds=2, memory=memory)
    for text in SPACE["text"]:
        rows = [i for i, s in enumerate(found.settings) if (s["text"], s["model"], s["steps"]) == (text, "GPT", SPACE["steps"][-1])]
        best = found.settings[min(rows, key=lambda i: found.mean("validation")[i])]
        if not _trial(best).exists():  # the search went on in another place
            objective(best, 0)
        shutil.copy(_trial(best), _weights(text))
    return found


def stored(text: str) -> tuple[GPT, str]:
    """The GPT that was trained longest on a text (seed 0), and its vocabulary."""
    with np.load(_weights(text)) as file:
        vocabulary = str(file["vocabulary"])
        model = GPT(len(vocabulary), d=64, heads=4, layers=2, context=CONTEXT, seed=0)
        for name, view in model.named_parameters().items():
            view[...] = file[name]
    return model, vocabulary


def _keep(model: Layer, vocabulary: str, path: Path) -> None:
    named: dict[str, Any] = {name: view.astype(np.float16) for name, view in model.named_parameters().items()}
    np.savez_compressed(path, vocabulary=np.array(vocabulary), **named)


def _trial(setting: dict) -> Path:
    return Path(tempfile.gettempdir()) / f"nnlib_language_{setting['text']}_{setting['rate']}.npz"


def _weights(text: str) -> Path:
    return Path(__file__).with_name(f"language_{text}.npz")
