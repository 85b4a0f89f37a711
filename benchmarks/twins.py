"""The same networks in PyTorch, with the same weights, written for speed in eager mode."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from nnlib.losses import binary_cross_entropy, categorical_cross_entropy, mse

LAYOUTS = (torch.contiguous_format, torch.channels_last)  # of images in memory: which is faster differs from case to case
LOSSES = {mse: F.mse_loss, binary_cross_entropy: F.binary_cross_entropy_with_logits, categorical_cross_entropy: F.cross_entropy}


def filled(module, *arrays):
    """The module with these parameters, in its own order; one that it has beyond them is 0."""
    with torch.no_grad():
        for i, parameter in enumerate(module.parameters()):
            parameter.data = torch.from_numpy(np.array(arrays[i])) if i < len(arrays) else torch.zeros_like(parameter, dtype=torch.float64)
    return module


def dense(layer):
    n_out, n_in = layer.W.shape
    return filled(nn.Linear(n_in, n_out), layer.W, layer.b)


def convolution(layer):
    n_out, *kernel, n_in = layer.W.shape
    padding = layer.window.padding
    module = nn.Conv2d(n_in, n_out, kernel, padding=padding if padding == "same" else [before for before, _ in padding])
    return filled(module, np.moveaxis(layer.W, -1, 1), layer.b)


class Last(nn.Module):
    """A recurrent network, of which the last state is wanted. PyTorch's second bias stays 0: nnlib has one."""

    def __init__(self, kind, cell):
        super().__init__()
        n_in, n_hidden = cell.W.shape[1], cell.U.shape[1]
        self.net = filled(kind(n_in, n_hidden, batch_first=True), cell.W, cell.U, cell.b)

    def forward(self, x):
        return self.net(x)[0][:, -1]


class Residual(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.inner = twin(layer.layer)

    def forward(self, x):
        return x + self.inner(x)


class Attention(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.heads, self.qkv, self.out = layer.heads, dense(layer.qkv), dense(layer.out)

    def forward(self, x):
        n, time, d = x.shape
        Q, K, V = self.qkv(x).view(n, time, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(Q, K, V).transpose(1, 2).reshape(n, time, d))


def stack(layers):
    """One after the other. PyTorch flattens images channel by channel, so the weights that follow stand in another order."""
    modules, channels, flat = [], 0, False
    for layer in layers.layers:
        module = twin(layer)
        if isinstance(module, nn.Conv2d):
            channels = module.out_channels
        if flat:
            n_out, n_in = layer.W.shape
            filled(module, layer.W.reshape(n_out, -1, channels).swapaxes(1, 2).reshape(n_out, n_in), layer.b)
        flat = isinstance(module, nn.Flatten)
        modules.append(module)
    return nn.Sequential(*modules)


TWINS = {
    **dict.fromkeys(["Sequential", "MLP", "TransformerBlock"], stack),
    "Dense": dense,
    "Conv2D": convolution,
    "MaxPool2D": lambda layer: nn.MaxPool2d(2),
    "Flatten": lambda layer: nn.Flatten(),
    "ReLU": lambda layer: nn.ReLU(),
    "GELUTanh": lambda layer: nn.GELU("tanh"),
    "RNN": lambda layer: Last(nn.RNN, layer.cell),
    "LSTM": lambda layer: Last(nn.LSTM, layer.cell),
    "LayerNorm": lambda layer: filled(nn.LayerNorm(len(layer.gamma), layer.eps), layer.gamma, layer.beta),
    "Residual": Residual,
    "MultiHeadAttention": Attention,
    "Positionwise": lambda layer: twin(layer.layer),
}


def twin(layer):
    """The PyTorch module that computes what an nnlib layer computes, with copies of its parameters, in float64."""
    return TWINS[type(layer).__name__](layer)


def places(model):
    """For each parameter of the twin, where its entries stand in θ: what is in a twin of the model whose θ counts 1, 2, 3, …

    An entry that nnlib does not have is at place 0, so that the result is 1 more than an index.
    """
    counting = model.astype("float64")
    counting.theta[:] = 1 + np.arange(counting.theta.size)
    return [parameter.detach().numpy().astype(int) for parameter in twin(counting).parameters()]


def batch(x, target):
    """Images have their channels last in nnlib and first in PyTorch."""
    x = np.moveaxis(x, -1, 1) if x.ndim == 4 else x
    return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(target)


def run(case, dtype, layout=torch.contiguous_format):
    """What PyTorch repeats in the race: a training step with its fused Adam, or inference in inference mode."""
    model, x, target = case.build(dtype)
    module = twin(model).to(getattr(torch, dtype))
    x, target = batch(x, target)
    if x.ndim == 4:
        module, x = module.to(memory_format=layout), x.to(memory_format=layout)

    if case.loss is None:

        def infer():
            with torch.inference_mode():
                return module(x)

        return infer

    optimizer, loss = torch.optim.Adam(module.parameters(), fused=True), LOSSES[case.loss]

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(module(x), target).backward()
        optimizer.step()

    return step
