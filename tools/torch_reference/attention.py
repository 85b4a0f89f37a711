"""Attention with its masks, heads, embedding, patches, a pre-norm block and a small GPT."""

import torch
from common import Reference
from torch import nn

F = nn.functional
reference = Reference()
normal, gradients = reference.normal, reference.gradients


def fill(module):
    """Random parameters, so that none is 0 or 1; by name, to be differentiated."""
    for parameter in module.parameters():
        parameter.data = normal(*parameter.shape).detach() / 2
    return dict(module.named_parameters())


# --- the function, with 3 queries and 5 keys --------------------------------------------------------------------------

may = torch.tensor(reference.rng.random((2, 1, 3, 5)) < 0.6)
may[..., 0] = True  # PyTorch gives NaN where nothing may be attended to
additive = normal(3, 5).detach()
last = torch.ones(3, 5, dtype=torch.bool).tril(2)
for name, mask in {"none": None, "boolean": may, "additive": additive, "causal": last}.items():
    Q, K, V = normal(2, 2, 3, 4), normal(2, 2, 5, 4), normal(2, 2, 5, 6)
    gradients(f"function/{name}", F.scaled_dot_product_attention(Q, K, V, attn_mask=mask), {"Q": Q, "K": K, "V": V})
reference.store("mask", boolean=may, additive=additive)

# --- layers -----------------------------------------------------------------------------------------------------------

later = torch.ones(3, 3, dtype=torch.bool).triu(1)
for name, mask in {"plain": None, "causal": later}.items():
    heads, x = nn.MultiheadAttention(4, 2, batch_first=True), normal(2, 3, 4)
    parameters = fill(heads)
    y, weights = heads(x, x, x, attn_mask=mask, average_attn_weights=False)
    gradients(f"heads/{name}", y, {"x": x, **parameters})
    reference.store(f"heads/{name}", weights=weights)

heads, x, memory, padding = nn.MultiheadAttention(4, 2, batch_first=True), normal(2, 3, 4), normal(2, 5, 4), torch.zeros(2, 5, dtype=torch.bool)
padding[1, 3:] = True
parameters = fill(heads)
gradients("cross", heads(x, memory, memory, key_padding_mask=padding)[0], {"x": x, "memory": memory, **parameters})
reference.store("cross", may=~padding)

tokens = torch.tensor(reference.rng.integers(0, 7, size=(2, 5)))
W = normal(7, 4)
gradients("embedding", F.embedding(tokens, W), {"W": W})
reference.store("embedding", x=tokens)

images, W, b = normal(2, 4, 6, 3), normal(5, 2, 2, 3), normal(5)
patches = F.conv2d(images.permute(0, 3, 1, 2), W.permute(0, 3, 1, 2), b, stride=2)
gradients("patches", patches.permute(0, 2, 3, 1).reshape(2, 6, 5), {"x": images, "W": W, "b": b})


def block(d, heads, hidden):
    return nn.TransformerEncoderLayer(
        d, heads, hidden, dropout=0, activation=lambda z: F.gelu(z, approximate="tanh"), batch_first=True, norm_first=True
    )


layer, x = block(4, 2, 6), normal(2, 3, 4)
parameters = fill(layer)
gradients("block", layer(x), {"x": x, **parameters})

stack = nn.TransformerEncoder(block(4, 2, 6), 2, norm=nn.LayerNorm(4), enable_nested_tensor=False)
tokens, W, P = torch.tensor(reference.rng.integers(0, 7, size=(2, 5))), normal(7, 4), normal(6, 4)
parameters = fill(stack)
for name, mask in {"encoder": None, "gpt": nn.Transformer.generate_square_subsequent_mask(5)}.items():
    logits = F.linear(stack(F.embedding(tokens, W) + P[:5], mask=mask), W)
    gradients(name, logits, {"W": W, "P": P, **parameters})
    reference.store(name, x=tokens)

reference.write("attention")
