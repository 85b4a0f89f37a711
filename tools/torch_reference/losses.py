"""Value and gradient of each loss, on small and on large predictions.

The options of a case are stored under the names that nnlib gives them. torch has no focal loss and no pairwise loss: theirs are the
formulas of the papers, through autograd, with −expm1(log p) for 1 − p, which keeps its digits.
"""

import torch
from common import Reference
from torch.nn import functional as F

reference = Reference()
normal, rng = reference.normal, reference.rng

real = normal(6, 2).detach()
shares = torch.tensor(rng.uniform(size=(6, 2)))
binary = torch.tensor(rng.integers(0, 2, size=(6, 2)) * 1.0)
labels = torch.tensor(rng.integers(0, 4, size=6))
in_time = torch.tensor(rng.integers(0, 4, size=(3, 2)))
soft = torch.tensor(rng.dirichlet([1.0] * 4, size=6))
weights = torch.tensor([0.5, 2.0, 0.0, 1.5])
padded = torch.tensor([3, 0, 2, 0, 1, 0])


def cross_entropy(z, y, class_weights=None, label_smoothing=0.0, ignore_index=-100):
    if y.dtype == torch.int64:
        z, y = z.reshape(-1, z.shape[-1]), y.reshape(-1)
    return F.cross_entropy(z, y, weight=class_weights, label_smoothing=float(label_smoothing), ignore_index=int(ignore_index))


def nll(z, y, class_weights=None, ignore_index=-100):
    return F.nll_loss(z, y, weight=class_weights, ignore_index=int(ignore_index))


def hinge(z, y, squared=False):
    violation = torch.clamp(1 - (2 * y - 1) * z, min=0)
    return (violation**2 if squared else violation).mean()


def binary_focal(z, y, gamma=2.0, alpha=None):
    log_p = F.logsigmoid((2 * y - 1) * z)
    alpha_t = 1 if alpha is None else torch.where(y == 1, alpha, 1 - alpha)
    return -(alpha_t * (-torch.expm1(log_p)) ** gamma * log_p).mean()


def categorical_focal(z, y, gamma=2.0, class_weights=None, ignore_index=None):
    kept = torch.full(y.shape, True) if ignore_index is None else y != ignore_index
    log_p = torch.log_softmax(z, -1)[kept].gather(-1, y[kept][:, None])[:, 0]
    w = torch.ones(len(log_p)) if class_weights is None else class_weights[y[kept]]
    return -(w * (-torch.expm1(log_p)) ** gamma * log_p).sum() / w.sum()


def pairwise_auc(z, y, surrogate="logistic"):
    d = z[y == 1][:, None] - z[y == 0]
    return (-F.logsigmoid(d) if surrogate == "logistic" else torch.clamp(1 - d, min=0) ** 2).mean()


CASES = [
    ("mse", F.mse_loss, (6, 2), real, {}),
    ("mae", F.l1_loss, (6, 2), real, {}),
    ("huber", F.huber_loss, (6, 2), real, {}),
    ("huber/delta", F.huber_loss, (6, 2), real, {"delta": torch.tensor(0.3)}),
    ("binary_cross_entropy", F.binary_cross_entropy_with_logits, (6, 2), shares, {}),
    (
        "binary_cross_entropy/weight",
        lambda z, y, positive_weight: F.binary_cross_entropy_with_logits(z, y, pos_weight=positive_weight),
        (6, 2),
        shares,
        {"positive_weight": torch.tensor(7.0)},
    ),
    ("categorical_cross_entropy", cross_entropy, (6, 4), labels, {}),
    ("categorical_cross_entropy/time", cross_entropy, (3, 2, 4), in_time, {}),
    ("categorical_cross_entropy/soft", cross_entropy, (6, 4), soft, {}),
    ("categorical_cross_entropy/weights", cross_entropy, (6, 4), labels, {"class_weights": weights}),
    ("categorical_cross_entropy/smoothing", cross_entropy, (6, 4), labels, {"label_smoothing": torch.tensor(0.1)}),
    ("categorical_cross_entropy/ignored", cross_entropy, (6, 4), padded, {"ignore_index": torch.tensor(0)}),
    (
        "categorical_cross_entropy/soft weights smoothing",
        cross_entropy,
        (6, 4),
        soft,
        {"class_weights": weights, "label_smoothing": torch.tensor(0.3)},
    ),
    (
        "categorical_cross_entropy/weights smoothing ignored",
        cross_entropy,
        (6, 4),
        padded,
        {"class_weights": weights, "label_smoothing": torch.tensor(0.3), "ignore_index": torch.tensor(0)},
    ),
    ("nll", nll, (6, 4), labels, {}),
    ("nll/weights ignored", nll, (6, 4), padded, {"class_weights": weights, "ignore_index": torch.tensor(0)}),
    ("hinge", hinge, (6, 2), binary, {}),
    ("hinge/squared", hinge, (6, 2), binary, {"squared": torch.tensor(True)}),
    ("binary_focal", binary_focal, (6, 2), binary, {}),
    ("binary_focal/alpha", binary_focal, (6, 2), binary, {"gamma": torch.tensor(0.5), "alpha": torch.tensor(0.25)}),
    ("categorical_focal", categorical_focal, (6, 4), labels, {}),
    ("categorical_focal/gamma", categorical_focal, (6, 4), labels, {"gamma": torch.tensor(0.5)}),
    (
        "categorical_focal/weights ignored",
        categorical_focal,
        (6, 4),
        padded,
        {"gamma": torch.tensor(3.0), "class_weights": weights, "ignore_index": torch.tensor(0)},
    ),
    ("pairwise_auc", pairwise_auc, (6, 2), binary, {}),
]
for name, loss, shape, target, options in CASES:
    name = name if "/" in name else name + "/plain"
    for size in (1, 20):
        prediction = (size * normal(*shape)).detach()
        if "nll" in name:
            prediction = torch.log_softmax(prediction, -1)
        prediction.requires_grad_()
        value = loss(prediction, target, **({key: option.item() for key, option in options.items()} if "huber" in name else options))
        (gradient,) = torch.autograd.grad(value, prediction)
        reference.store(f"loss/{name}/{size}", prediction=prediction, target=target, value=value, gradient=gradient)
        reference.store(f"loss/{name}/{size}/options", **options)

prediction = normal(6, 2)
value = pairwise_auc(prediction, binary, "squared_hinge")
(gradient,) = torch.autograd.grad(value, prediction)
reference.store("squared_hinge", prediction=prediction, target=binary, value=value, gradient=gradient)

reference.write("losses")
