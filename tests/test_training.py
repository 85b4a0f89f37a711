"""fit: the same run for the same seed, every example once per epoch, and an honest end."""

import math

import numpy as np
import pytest

from nnlib import datasets
from nnlib.backprop import value_and_grad
from nnlib.layers import Sequential
from nnlib.losses import binary_cross_entropy, categorical_cross_entropy, mse
from nnlib.metrics import accuracy
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import SGD, Adam
from nnlib.training import History, fit


def line(n=10):
    x = np.linspace(-1, 1, n)[:, None]
    return x, 2 * x + 1


def quick(model=None, train=None, optimizer=None, **options):
    model = model or Dense(1, 1, seed=0)
    options = {"epochs": 3, "batch_size": 4, "seed": 0} | options
    return model, fit(model, mse, train or line(), optimizer or SGD(0.1), **options)


def test_it_learns():
    x, y = datasets.moons(200, noise=0.1, seed=0)
    model = MLP([2, 16, 1], "tanh", seed=0)
    history = fit(model, binary_cross_entropy, (x, y[:, None]), Adam(0.05), epochs=40, batch_size=20, seed=0)
    assert history.train_loss[-1] < 0.05 < history.train_loss[0]
    assert accuracy(model(x), y) > 0.97
    model = MLP([2, 16, 2], "relu", seed=0)
    fit(model, categorical_cross_entropy, (x, y), Adam(0.05), epochs=40, batch_size=20, seed=0)
    assert accuracy(model(x), y) > 0.97


def test_the_same_seed_gives_the_same_run():
    (one, first), (same, again), (other, _) = (quick(seed=seed) for seed in (5, np.random.default_rng(5), 6))
    np.testing.assert_array_equal(one.theta, same.theta)
    assert first == again
    assert (one.theta != other.theta).all()


def test_each_epoch_sees_every_example_once_in_a_new_order():
    seen = []

    def watching(prediction, target):
        seen.append(target[:, 0].tolist())
        return mse(prediction, target)

    x, y = line(10)
    model = Dense(1, 1, seed=0)
    fit(model, watching, (x, y), SGD(0.1), epochs=3, batch_size=4, seed=0)
    assert len(seen.pop(0)) == 10  # the look at all targets before the first step
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [[*seen[i], *seen[i + 1], *seen[i + 2]] for i in (0, 3, 6)]
    assert all(sorted(epoch) == y[:, 0].tolist() for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_it_is_the_loop_that_the_book_writes():
    x, y = line(10)
    model, history = quick(optimizer=Adam(0.1))
    twin, optimizer, order_of = Dense(1, 1, seed=0), Adam(0.1), np.random.default_rng(0)
    losses = []
    for _ in range(3):
        order, total = order_of.permutation(10), 0.0
        for batch in (order[:4], order[4:8], order[8:]):
            value, grad = value_and_grad(twin, mse, x[batch], y[batch])
            optimizer.step(twin.theta, grad)
            total += value * len(batch)
        losses.append(total / 10)
    np.testing.assert_array_equal(model.theta, twin.theta)
    np.testing.assert_allclose(history.train_loss, losses, rtol=1e-15)


def test_a_batch_may_be_larger_than_the_data():
    model, history = quick(batch_size=1000, epochs=1)
    twin = Dense(1, 1, seed=0)
    x, y = line()
    assert history.train_loss == [pytest.approx(mse(twin(x), y)[0], rel=1e-14)]
    SGD(0.1).step(twin.theta, value_and_grad(twin, mse, x, y)[1])
    np.testing.assert_allclose(model.theta, twin.theta, rtol=1e-14)


def test_validation_is_measured_after_each_epoch():
    measured = []
    x, y = line(5)

    def watch(epoch, model):
        measured.append((epoch, mse(model(x), y)[0], float(np.abs(model(x) - y).max())))

    _, history = quick(validation=(x, y), metric=lambda p, t: float(np.abs(p - t).max()), on_epoch=watch)
    assert [epoch for epoch, _, _ in measured] == [1, 2, 3]
    assert history.validation_loss == [value for _, value, _ in measured]
    assert history.validation_metric == [value for _, _, value in measured]
    assert history.diverged_at is None and len(history.train_loss) == 3


def test_without_validation_nothing_is_measured():
    assert quick()[1].validation_loss == [] == quick()[1].validation_metric
    assert History() == History([], [], [], [], [], 0, None, None)


def test_float32_stays_float32():
    x, y = (array.astype(np.float32) for array in line())
    model = MLP([1, 4, 1], "tanh", seed=0).astype(np.float32)
    fit(model, mse, (x, y), Adam(0.1), epochs=2, batch_size=4, seed=0, validation=(x, y))
    assert model.theta.dtype == model(x).dtype == np.float32


def test_data_and_global_random_numbers_are_left_alone(global_generators_rest):
    x, y = line()
    x.setflags(write=False), y.setflags(write=False)
    quick(train=(x, y), validation=(x, y))


def test_progress_shows_a_bar(capsys):
    _, history = quick(progress=True, epochs=2)
    shown = capsys.readouterr().err
    assert "epochs: 100%" in shown and f"loss={history.train_loss[-1]:.3g}" in shown
    quick(epochs=2)
    assert capsys.readouterr() == ("", "")


# --- divergence -------------------------------------------------------------------------------------------------------


def test_a_run_that_diverges_says_where_and_keeps_the_best_of_the_validation():
    """Steps too long for a well that gets steeper outwards: some good epochs, then none."""
    x, y = line(8)
    model, optimizer, kept = Dense(1, 1, seed=0), SGD(0.3), []

    def speed_up(epoch, model):
        kept.append((mse(model(x), y)[0], model.theta.copy()))
        if epoch == 4:
            optimizer.learning_rate = 1e120

    with pytest.warns(
        RuntimeWarning,
        match=r"training diverged at step (9|10) \(epoch 5\).*the parameters after epoch 4, the best so far",
    ) as caught:
        history = fit(model, mse, (x, y), optimizer, epochs=20, batch_size=4, seed=0, validation=(x, y), on_epoch=speed_up)
    assert caught[0].filename == __file__
    assert history.diverged_at in (9, 10)
    assert len(history.train_loss) == len(history.validation_loss) == len(kept) == 4
    best_loss, best_theta = min(kept, key=lambda pair: pair[0])
    np.testing.assert_array_equal(model.theta, best_theta)
    assert mse(model(x), y)[0] == best_loss == min(history.validation_loss) < 0.1


def test_the_best_epoch_need_not_be_the_last():
    x, y = line(8)
    model, optimizer, kept = Dense(1, 1, seed=0), SGD(0.3), []
    rates = {2: 5.0, 4: 1e160}

    def faster(epoch, model):
        kept.append(model.theta.copy())
        optimizer.learning_rate = rates.get(epoch, optimizer.learning_rate)

    with pytest.warns(RuntimeWarning, match="the parameters after epoch 2, the best so far, are put back"):
        history = fit(model, mse, (x, y), optimizer, epochs=20, batch_size=8, seed=0, validation=(x, y), on_epoch=faster)
    assert np.argmin(history.validation_loss) == 1
    np.testing.assert_array_equal(model.theta, kept[1])


@pytest.mark.parametrize("validation", [None, line(8)], ids=["training loss", "validation loss"])
@pytest.mark.parametrize("rate", [1e160, 1e200, 1e308])
def test_parameters_of_an_infinite_loss_are_never_kept(validation, rate):
    """The first step is the one that goes wrong, though its own loss, measured before it, was fine."""
    x, y = line(8)
    model = Dense(1, 1, seed=0)
    before = model.theta.copy()
    with pytest.warns(RuntimeWarning, match="the parameters after epoch 0, the best so far, are put back"):
        history = fit(model, mse, (x, y), SGD(rate), epochs=5, batch_size=8, seed=0, validation=validation)
    assert history.diverged_at in (1, 2)
    np.testing.assert_array_equal(model.theta, before)


def test_the_best_of_the_training_loss_is_put_back():
    x, y = line(8)
    model, optimizer, kept = Dense(1, 1, seed=0), SGD(0.3), [Dense(1, 1, seed=0).theta.copy()]

    def faster(epoch, model):
        kept.append(model.theta.copy())
        if epoch == 3:
            optimizer.learning_rate = 1e200

    with pytest.warns(RuntimeWarning, match="the parameters after epoch 3, the best so far"):
        history = fit(model, mse, (x, y), optimizer, epochs=20, batch_size=8, seed=0, on_epoch=faster)
    # Full batches: the loss of epoch 4 is exactly that of the parameters after epoch 3.
    assert history.train_loss[-1] == min(history.train_loss) == pytest.approx(mse(model(x), y)[0], rel=1e-14)
    np.testing.assert_array_equal(model.theta, kept[3])


def test_a_loss_that_is_not_a_number_ends_the_run():
    def broken(prediction, target):
        return math.nan, mse(prediction, target)[1]

    model = Sequential(Dense(1, 1, seed=0))
    with pytest.warns(RuntimeWarning, match=r"diverged at step 1 \(epoch 1\)"):
        history = fit(model, broken, line(), SGD(0.1), epochs=3, batch_size=4, seed=0)
    assert history == History(diverged_at=1)
    np.testing.assert_array_equal(model.theta, Dense(1, 1, seed=0).theta)


# --- at the door ------------------------------------------------------------------------------------------------------

x10, y10 = line()
holes = np.where(np.arange(10)[:, None] < 2, np.nan, x10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"train": (x10[:0], y10[:0])},
            "train needs as many targets as inputs, and at least one, got 0 inputs and 0 targets",
        ),
        (
            {"train": (x10, y10[:9])},
            "train needs as many targets as inputs, and at least one, got 10 inputs and 9 targets",
        ),
        ({"train": (holes, y10)}, "train inputs hold 2 NaN or infinite values"),
        ({"train": (x10, np.where(x10 > 0, np.inf, y10))}, "train targets hold 5 NaN or infinite values"),
        ({"validation": (x10[:0], y10[:0])}, "validation needs as many targets as inputs"),
        ({"validation": (holes, y10)}, "validation inputs hold 2 NaN"),
        ({"epochs": 0}, "epochs must be a whole number ≥ 1, got 0"),
        ({"epochs": -3}, "epochs must be a whole number ≥ 1, got -3"),
        ({"epochs": 2.5}, "epochs must be a whole number ≥ 1, got 2.5"),
        ({"batch_size": 0}, "batch_size must be a whole number ≥ 1, got 0"),
        ({"batch_size": "all"}, "batch_size must be a whole number ≥ 1, got 'all'"),
        ({"seed": None}, "fit needs a seed or a numpy.random.Generator"),
        ({"metric": accuracy}, "a metric is measured on the validation set, got metric without validation"),
    ],
)
def test_bad_input_is_refused_before_anything_has_changed(options, message):
    model = Dense(1, 1, seed=0)
    before = model.theta.copy()
    with pytest.raises(ValueError, match=message):
        quick(model, **options)
    np.testing.assert_array_equal(model.theta, before)


@pytest.mark.parametrize("where", ["train", "validation"])
@pytest.mark.parametrize(
    ("loss", "size", "wrong", "message"),
    [
        (categorical_cross_entropy, 3, 3, "expects labels from 0 to 2, got 0 to 3"),
        (binary_cross_entropy, 1, 2, r"expects targets in \[0, 1\], got 0.0 to 2.0"),
    ],
)
def test_one_wrong_label_is_refused_before_the_first_step(where, loss, size, wrong, message):
    model = MLP([1, size], seed=0)
    before = model.state()
    good = np.zeros(10, int) if size > 1 else np.zeros((10, 1))
    bad = good.copy()
    bad[-1] = wrong
    parts = {"train": (x10, good), "validation": (x10, good)} | {where: (x10, bad)}
    with pytest.raises(ValueError, match=message):
        fit(model, loss, parts["train"], SGD(0.1), epochs=2, batch_size=1, seed=0, validation=parts["validation"])
    assert all((model.state()[name] == value).all() for name, value in before.items())


def test_wrong_shapes_are_refused_by_the_layer_and_the_loss():
    model = Dense(1, 1, seed=0)
    before = model.theta.copy()
    with pytest.raises(ValueError, match=r"Dense\(1, 1\) expects inputs of shape \(batch, 1\)"):
        quick(model, train=(np.ones((4, 2)), np.ones((4, 1))))
    with pytest.raises(ValueError, match=r"mse expects a target of the prediction's shape \(4, 1\), got \(4,\)"):
        quick(model, train=(np.ones((4, 1)), np.ones(4)))
    np.testing.assert_array_equal(model.theta, before)
