"""RNN, LSTM and GRU from a given state: all h_t, the final state, and the gradients of input, initial state and parameters."""

import torch
from common import Reference
from torch import nn

reference = Reference()
normal = reference.normal
BATCH, TIME, N_IN, HIDDEN = 3, 5, 2, 4

LAYERS = {
    "rnn_tanh": nn.RNN(N_IN, HIDDEN, batch_first=True),
    "rnn_relu": nn.RNN(N_IN, HIDDEN, nonlinearity="relu", batch_first=True),
    "lstm": nn.LSTM(N_IN, HIDDEN, batch_first=True),
    "gru": nn.GRU(N_IN, HIDDEN, batch_first=True),
}
OURS = {"weight_ih_l0": "W", "weight_hh_l0": "U", "bias_ih_l0": "b", "bias_hh_l0": "b_U"}

for name, layer in LAYERS.items():
    x, state = normal(BATCH, TIME, N_IN), [normal(1, BATCH, HIDDEN) for _ in ("hc" if name == "lstm" else "h")]
    theta = {key: normal(*value.shape) for key, value in layer.named_parameters()}
    hs, final = torch.func.functional_call(layer, theta, (x, tuple(state) if name == "lstm" else state[0]))
    outputs = {"hs": hs, **dict(zip("hc", final if name == "lstm" else [final], strict=False))}
    inputs = {"x": x, **dict(zip(["h_0", "c_0"], state, strict=False)), **{OURS[key]: value for key, value in theta.items()}}
    given = {f"d{key}": normal(*value.shape) for key, value in outputs.items()}
    found = torch.autograd.grad(list(outputs.values()), list(inputs.values()), list(given.values()))
    reference.store(name, **inputs, **outputs, **given, **{f"d{key}": gradient for key, gradient in zip(inputs, found, strict=True)})

reference.write("rnn")
