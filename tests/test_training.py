"""fit: the same run for the same seed, every example once per epoch, and an honest end."""

import math
import os
import sys

import numpy as np
import pytest

from nnlib import checkpoints, datasets, schedules
from nnlib.backprop import value_and_grad
from nnlib.layers import Sequential
from nnlib.losses import binary_cross_entropy, categorical_cross_entropy, mse
from nnlib.metrics import accuracy
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import SGD, Adam, AdamW, clip_norm, clip_value
from nnlib.regularizers import Dropout, l2
from nnlib.training import History, fit, learning_rate_range


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


def test_what_is_written_down_are_plain_numbers(tmp_path):
    """So that a loss or a metric that gives NumPy's can be saved too, and float32 adds up as float64."""

    def loss(prediction, target):
        value, backward = mse(prediction, target)
        return np.float32(value), backward

    options = {"validation": line(), "metric": lambda p, t: np.float32(0.5), "clip_norm": 1.0, "schedule": lambda t, *_: np.float64(1.0)}
    history = fit(Dense(1, 1, seed=0), loss, line(), SGD(0.1), epochs=2, batch_size=4, seed=0, checkpoint=tmp_path / "run.npz", **options)
    lists = [values for values in vars(history).values() if isinstance(values, list)]
    assert len(lists) == 5 and all(type(value) is float for values in lists for value in values)


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


# --- early stopping ---------------------------------------------------------------------------------------------------


def judge(losses):
    """A validation loss that is the next of these numbers; for training batches and the check at the door it is mse."""
    left = iter(losses)

    def loss(prediction, target):
        value, backward = mse(prediction, target)
        validating = len(target) == 3 and prediction.any()  # at the door, predictions are zeros
        return (next(left) if validating else value), backward

    return loss


def stop_early(losses, patience, epochs=10, on_epoch=None):
    x, y = line(8)
    model, optimizer, seen = Dense(1, 1, seed=0), Adam(0.1), []

    def watch(epoch, model):
        seen.append((model.state(), optimizer.state()))
        return on_epoch(epoch) if on_epoch else None

    options = {"epochs": epochs, "batch_size": 8, "seed": 0, "validation": (x[:3], y[:3]), "patience": patience, "on_epoch": watch}
    history = fit(model, judge(losses), (x, y), optimizer, **options)
    return model, optimizer, history, seen


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([3, 2, 4, 5, 9], 2, 4, 2),
        ([3, 2, 4, 1, 2, 3, 9], 2, 6, 4),
        ([3, 3, 9], 1, 2, 1),  # as good as the best is no better
        ([1, 2, 2, 2, 9], 3, 4, 1),
        ([3, 2, 2.5, 1, 9], 1, 3, 2),
    ],
)
def test_the_run_ends_when_patience_does_and_the_best_is_put_back(losses, patience, epochs, best):
    model, optimizer, history, seen = stop_early(losses, patience)
    assert history.validation_loss == losses[:epochs] and len(seen) == epochs
    assert (history.stopped, history.best_epoch) == ("patience", best)
    assert equal(model.state(), seen[best - 1][0]) and equal(optimizer.state(), seen[best - 1][1])


def test_with_patience_left_the_best_is_put_back_too():
    model, optimizer, history, seen = stop_early([3, 1, 2, 4], 3, epochs=4)
    assert (history.stopped, history.best_epoch) == (None, 2)
    assert equal(model.state(), seen[1][0]) and equal(optimizer.state(), seen[1][1])


def test_without_patience_the_model_ends_where_it_is():
    model, optimizer, history, seen = stop_early([1, 2, 3], None, epochs=3)
    assert (history.stopped, history.best_epoch, optimizer.t) == (None, 1, 3)
    assert equal(model.state(), seen[2][0])


@pytest.mark.parametrize("patience", [None, 1])
def test_on_epoch_can_end_the_run(patience):
    _, _, history, seen = stop_early([3, 2, 1, 0], patience, on_epoch=lambda epoch: epoch == 2)
    assert history.stopped == "on_epoch" and len(seen) == len(history.train_loss) == 2
    assert stop_early([1, 2], 1, on_epoch=lambda epoch: epoch == 2)[2].stopped == "patience"


# --- schedule, clipping, penalty --------------------------------------------------------------------------------------


class Watched(SGD):
    """Writes down the rate and the gradient of each step."""

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []

    def step(self, theta, g):
        self.seen.append((self.learning_rate, g.copy()))
        super().step(theta, g)


@pytest.mark.parametrize("schedule", [schedules.cosine(), schedules.warm_up(4, then=schedules.exponential(0.5))])
def test_each_step_has_the_rate_of_the_schedule_and_afterwards_it_is_the_old_one(schedule):
    optimizer = Watched(0.2)
    history = quick(optimizer=optimizer, schedule=schedule)[1]  # 3 epochs of 3 steps
    rates = [rate for rate, _ in optimizer.seen]
    assert rates == [0.2 * schedule(t, 9) for t in range(9)]
    assert history.learning_rate == rates[2::3]
    assert optimizer.learning_rate == 0.2
    again = Watched(0.2)
    quick(optimizer=again, epochs=2, schedule=schedule), quick(optimizer=again, epochs=2, schedule=schedule)
    assert [rate for rate, _ in again.seen] == 2 * [0.2 * schedule(t, 6) for t in range(6)]


def test_without_a_schedule_the_rate_is_that_of_the_optimizer():
    optimizer = Watched(0.2)

    def slower(epoch, model):
        optimizer.learning_rate /= 2

    assert quick(optimizer=optimizer, on_epoch=slower)[1].learning_rate == [0.2, 0.1, 0.05]
    assert optimizer.learning_rate == 0.025


@pytest.mark.parametrize("validation", [None, line(5)])
def test_a_plateau_is_one_of_the_validation_loss_else_of_the_training_loss(validation):
    seen = []
    history = quick(schedule=lambda t, total, losses: seen.append((t, total, list(losses))) or 1.0, validation=validation)[1]
    losses = history.train_loss if validation is None else history.validation_loss
    assert seen == [(t, 9, losses[: t // 3]) for t in range(9)]
    schedule, optimizer = schedules.on_plateau(0.5, patience=0, threshold=0.99), Watched(0.2)
    quick(optimizer=optimizer, schedule=schedule, validation=validation)
    assert [rate for rate, _ in optimizer.seen][::3] == [0.2, 0.2, 0.1]


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_a_schedule_that_goes_wrong_says_at_which_step(bad):
    optimizer = Watched(0.2)
    with pytest.raises(ValueError, match=f"a schedule gives finite factors ≥ 0, got {bad} at step 4 of 9"):
        quick(optimizer=optimizer, schedule=lambda t, total, losses: bad if t == 4 else 0.0)
    assert (optimizer.learning_rate, optimizer.t) == (0.2, 4)


def test_gradients_are_clipped_and_their_norm_is_written_down():
    free, short, flat, both = Watched(0), Watched(0), Watched(0), Watched(0)  # at rate 0, all see the same gradients
    assert quick(optimizer=free)[1].gradient_norm == []
    history = quick(optimizer=short, clip_norm=0.5)[1]
    assert quick(optimizer=flat, clip_value=0.4)[1].gradient_norm == []
    quick(optimizer=both, clip_norm=0.5, clip_value=0.4)
    norms = [np.linalg.norm(g) for _, g in free.seen]
    np.testing.assert_allclose(history.gradient_norm, np.mean(np.reshape(norms, (3, 3)), axis=1), rtol=1e-14)
    for (_, g), *seen in zip(free.seen, (g for _, g in short.seen), (g for _, g in flat.seen), (g for _, g in both.seen), strict=True):
        by_norm, by_value, by_both = g.copy(), g.copy(), g.copy()
        clip_norm(by_norm, 0.5), clip_value(by_value, 0.4), clip_norm(by_both, 0.5), clip_value(by_both, 0.4)
        np.testing.assert_array_equal(seen, [by_norm, by_value, by_both])


def test_the_penalty_adds_its_gradient_before_it_is_clipped_and_not_its_value():
    free, held, short = Watched(0), Watched(0), Watched(0)
    model, history = quick(optimizer=free)
    penalized = quick(optimizer=held, penalty=l2(3.0))[1]
    quick(optimizer=short, penalty=l2(3.0), clip_norm=0.5)
    assert penalized.train_loss == history.train_loss
    for (_, g), (_, with_penalty), (_, clipped) in zip(free.seen, held.seen, short.seen, strict=True):
        expected = g + 3 * model.theta
        np.testing.assert_array_equal(with_penalty, expected)
        clip_norm(expected, 0.5)
        np.testing.assert_array_equal(clipped, expected)


def test_a_penalty_that_is_not_finite_is_a_divergence():
    with pytest.warns(RuntimeWarning, match=r"diverged at step 1 \(epoch 1\)"):
        history = quick(penalty=lambda theta: (math.inf, np.zeros_like(theta)))[1]
    assert history == History(diverged_at=1)


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
    ):
        history = fit(model, mse, (x, y), optimizer, epochs=20, batch_size=4, seed=0, validation=(x, y), on_epoch=speed_up)
    assert history.diverged_at in (9, 10)
    assert len(history.train_loss) == len(history.validation_loss) == len(kept) == 4
    best_loss, best_theta = min(kept, key=lambda pair: pair[0])
    np.testing.assert_array_equal(model.theta, best_theta)
    assert mse(model(x), y)[0] == best_loss == min(history.validation_loss) < 0.1


@pytest.mark.skipif("mutmut" in sys.modules, reason="mutmut calls fit from a function of its own")
def test_the_warning_names_the_line_that_called_fit():
    with pytest.warns(RuntimeWarning, match="training diverged") as caught:
        quick(optimizer=SGD(1e200))
    assert caught[0].filename == __file__


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


@pytest.mark.parametrize("operation", [lambda one: one / 0, lambda one: np.exp(1e4 * one), lambda one: np.sqrt(-one)], ids=["÷ 0", "overflow", "√−1"])
def test_a_divergence_is_reported_once_and_numpy_is_silent(operation):
    def loss(prediction, target):
        value, backward = mse(prediction, target)
        return value + (operation(np.float64(1)) if prediction.any() else 0), backward  # at the door, predictions are zeros

    with pytest.warns(RuntimeWarning, match="training diverged at step 1") as caught:
        fit(Dense(1, 1, seed=0), loss, line(), SGD(0.1), epochs=3, batch_size=4, seed=0)
    assert len(caught) == 1
    assert rates(loss).diverged_at == pytest.approx(1e-3)


@pytest.mark.parametrize("validation", [None, line(8)], ids=["training loss", "validation loss"])
def test_the_optimizer_is_put_back_with_the_parameters(validation):
    """So that a second run from there, at a rate that is right, is as good as one that never diverged."""
    model, optimizer, kept = Dense(1, 1, seed=0), Adam(0.1), []

    def watch(epoch, model):
        kept.append((model.state(), optimizer.state()))
        if epoch == 3:
            optimizer.learning_rate = 1e200

    with pytest.warns(RuntimeWarning, match="the parameters after epoch 3, the best so far"):
        fit(model, mse, line(8), optimizer, epochs=9, batch_size=8, seed=0, on_epoch=watch, validation=validation)
    state = optimizer.state()
    assert equal(model.state(), kept[2][0])
    # By the training loss, the best state is that at the start of an epoch, after on_epoch; and epoch 4 was still measured at it.
    assert equal(state | {"learning_rate": 0.1}, kept[2][1])
    assert (optimizer.learning_rate, optimizer.t) == (0.1 if validation else 1e200, 3)


# --- checkpoints ------------------------------------------------------------------------------------------------------


class Killed(Exception):
    pass


x40, y40 = line(40)


def long_run(path=None, kill=None, **options):
    """Dropout, momentum, a schedule, clipping and early stopping: all that there is to remember."""
    model = Sequential(MLP([1, 8, 8], "tanh", seed=0), Dropout(0.3, seed=1), Dense(8, 1, seed=2))
    optimizer = AdamW(0.02, weight_decay=0.1)

    def watch(epoch, model):
        if epoch == kill:
            raise Killed

    defaults = {
        "epochs": 25,
        "batch_size": 16,
        "seed": 3,
        "validation": (x40[::3], y40[::3] + 0.3),
        "metric": lambda p, t: np.abs(p - t).mean(),
        "patience": 4,
        "schedule": schedules.warm_up(5, then=schedules.on_plateau(0.5, 1)),
        "penalty": l2(0.01),
        "clip_norm": 1.0,
        "on_epoch": watch,
        "checkpoint": path,
    }
    options = defaults | options
    history = fit(model, mse, (x40, y40), options.pop("optimizer", optimizer), **options)
    return model.state(), optimizer.state(), history


def same_run(one, other):
    (model, optimizer, history), (model_2, optimizer_2, history_2) = one, other
    assert any(isinstance(value, dict) for value in model.values())  # the generator of the dropout
    assert equal(model, model_2) and equal(optimizer, optimizer_2)
    assert history == history_2


@pytest.mark.parametrize("patience", [2, 4, None])
@pytest.mark.parametrize("kill", [1, 2, 5])
def test_a_run_that_was_killed_goes_on_bit_for_bit(kill, patience, tmp_path):
    whole, path = long_run(patience=patience), tmp_path / "run.npz"
    with pytest.raises(Killed):
        long_run(path, kill=kill, patience=patience)
    assert path.exists() == (kill > 1)
    with pytest.raises(Killed):
        long_run(path, kill=kill + 1, patience=patience)  # and once more
    same_run(long_run(path, patience=patience), whole)
    same_run(long_run(path, patience=patience), whole)  # a run that is over stays as it is
    assert os.listdir(tmp_path) == ["run.npz"]


def test_the_run_of_the_tests_stops_early():
    history = long_run()[2]
    assert history.stopped == "patience" and 1 < history.best_epoch < len(history.train_loss) < 25
    assert set(history.learning_rate) == {0.012, 0.02, 0.01}  # warming up, at its height, after the plateau


@pytest.mark.parametrize("validation", [None, (x40, y40)], ids=["training loss", "validation loss"])
def test_the_best_state_outlives_the_kill_too(validation, tmp_path):
    """The run diverges after it was taken up, and goes back to an epoch before."""

    def run(path, kill=None):
        model, optimizer = Dense(1, 1, seed=0), SGD(0.05, 0.5)

        def watch(epoch, model):
            if epoch == kill:
                raise Killed
            optimizer.learning_rate = {3: 3.0, 5: 1e200}.get(epoch, 0.05)

        options = {"epochs": 9, "batch_size": 40, "seed": 0, "validation": validation, "on_epoch": watch, "checkpoint": path}
        history = fit(model, mse, (x40, y40), optimizer, **options)
        return model.theta.copy(), optimizer.state(), history

    with pytest.warns(RuntimeWarning, match="after epoch 3, the best so far"):
        theta, optimizer, history = run(None)
    with pytest.raises(Killed):
        run(tmp_path / "run.npz", kill=5)
    with pytest.warns(RuntimeWarning, match="after epoch 3, the best so far"):
        theta_2, optimizer_2, history_2 = run(tmp_path / "run.npz")
    np.testing.assert_array_equal(theta_2, theta)
    assert equal(optimizer_2, optimizer) and history_2 == history


def test_a_run_may_be_made_longer(tmp_path):
    options = {"patience": None, "schedule": None}
    whole = long_run(epochs=7, **options)
    for epochs in (2, 5, 7):
        again = long_run(tmp_path / "run.npz", epochs=epochs, **options)
    same_run(again, whole)


def test_a_checkpoint_holds_the_parameters_by_name(tmp_path):
    model, optimizer, history = long_run(tmp_path / "run.npz", patience=None, schedule=None)
    state = checkpoints.load(tmp_path / "run.npz")
    assert {"now", "best", "history", "order", "call", "best_loss"} == state.keys()
    np.testing.assert_array_equal(state["now"]["model"]["layers.0.layers.0.W"], model["layers.0.layers.0.W"])
    assert History(**state["history"]) == history and equal(state["now"]["optimizer"], optimizer)


def test_a_run_goes_on_with_the_model_and_the_optimizer_that_it_was_left_with(tmp_path):
    """As in a notebook, where a cell was interrupted and is run again."""
    options = {"batch_size": 4, "seed": 0, "schedule": schedules.step(2, 0.5)}
    whole, whole_optimizer = Dense(1, 1, seed=0), AdamW(0.1)
    fit(whole, mse, line(), whole_optimizer, epochs=6, **options)
    model, optimizer = Dense(1, 1, seed=0), AdamW(0.1)
    for epochs in (3, 6):
        fit(model, mse, line(), optimizer, epochs=epochs, checkpoint=tmp_path / "run.npz", **options)
    assert equal(model.state(), whole.state()) and equal(optimizer.state(), whole_optimizer.state())


class Halved:
    """A schedule that has no name but that of its class."""

    def __call__(self, t, total, losses):
        return 0.5


class Kept(Halved):
    pass


def test_a_schedule_without_a_name_of_its_own_is_known_by_its_class(tmp_path):
    options = {"checkpoint": tmp_path / "run.npz", "epochs": 1}
    quick(schedule=Halved(), **options)
    quick(schedule=Halved(), **options)
    with pytest.raises(ValueError, match="schedule was Halved, is now Kept"):
        quick(schedule=Kept(), **options)


class Wide(Dense):
    """A layer whose repr does not say how large it is."""

    def __repr__(self):
        return "Wide()"


def test_the_sizes_of_the_parameters_belong_to_the_call(tmp_path):
    x, y = line()
    quick(Wide(1, 1, seed=0), checkpoint=tmp_path / "run.npz", epochs=1)
    with pytest.raises(ValueError, match=r"model was Wide\(\) with float64 .*'W': \(1, 1\).* is now .*'W': \(2, 1\)"):
        quick(Wide(1, 2, seed=0), (x, y + np.zeros(2)), checkpoint=tmp_path / "run.npz", epochs=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 8}, "run.npz is the checkpoint of another call of fit: batch_size was 16, is now 8"),
        ({"patience": 5}, "patience was 4, is now 5"),
        ({"clip_norm": 2.0}, "clip_norm was 1.0, is now 2.0"),
        ({"clip_value": 2.0}, "clip_value was None, is now 2.0"),
        ({"seed": 4}, "order of the batches was bit_generator='PCG64', state="),
        ({"seed": np.random.Generator(np.random.MT19937(0))}, "order of the batches was .* is now bit_generator='MT19937'"),
        ({"validation": (x40[::3], y40[::3])}, r"validation was float64 .14, 1. with check sum \d+, float64"),
        ({"validation": (x40[::4], y40[::4])}, r"validation was float64 \(14, 1\) .*, is now float64 \(10, 1\)"),
        ({"schedule": schedules.cosine()}, r"schedule was warm_up\(5, on_plateau\(.*\)\), is now cosine\(0.0\)"),
        ({"schedule": schedules.warm_up(5)}, r"schedule was warm_up\(5, on_plateau\(.*\)\), is now warm_up\(5, constant\(\)\)"),
        ({"penalty": None}, r"penalty was l2\(0.01\), is now None"),
        ({"penalty": l2(0.1)}, r"penalty was l2\(0.01\), is now l2\(0.1\)"),
        ({"metric": None}, "metric was .*<lambda>, is now None"),
        ({"optimizer": AdamW(0.02, weight_decay=0.2)}, "optimizer was AdamW at rate 0.02 with .*weight_decay=0.1.* is now .*weight_decay=0.2"),
        ({"optimizer": AdamW(0.03, weight_decay=0.1)}, "optimizer was AdamW at rate 0.02 .* is now AdamW at rate 0.03"),
        ({"optimizer": AdamW(0.02, weight_decay=0.1, decay_mask=np.ones(97, bool))}, r"mask=None.* is now .*mask=bool \(97,\) with check sum"),
        ({"optimizer": Adam(0.02)}, "optimizer was AdamW .* is now Adam at"),
    ],
)
def test_the_checkpoint_of_another_call_is_refused(options, message, tmp_path):
    with pytest.raises(Killed):
        long_run(tmp_path / "run.npz", kill=3)
    with pytest.raises(ValueError, match=message):
        long_run(tmp_path / "run.npz", **options)


@pytest.mark.parametrize(
    ("model", "loss", "train", "message"),
    [
        (MLP([1, 3, 1], seed=0), mse, line(), r"model was MLP\(Dense\(1, 4\).*, is now MLP\(Dense\(1, 3\)"),
        (MLP([1, 4, 1], "tanh", seed=0), mse, line(), "model was .*ReLU.*, is now .*Tanh"),
        (MLP([1, 4, 1], seed=0).astype("float32"), mse, [part.astype("float32") for part in line()], "float64 .*, is now .* float32"),
        (MLP([1, 4, 1], seed=0), judge([]), line(), "loss was mse, is now judge"),
        (MLP([1, 4, 1], seed=0), mse, line(11), r"train was float64 \(10, 1\).*, is now float64 \(11, 1\)"),
    ],
)
def test_the_checkpoint_of_another_model_or_loss_or_data_is_refused_and_nothing_changes(model, loss, train, message, tmp_path):
    path, optimizer = tmp_path / "run.npz", SGD(0.1)
    quick(MLP([1, 4, 1], seed=0), checkpoint=path, epochs=1)
    before = model.state()
    with pytest.raises(ValueError, match=message):
        fit(model, loss, train, optimizer, epochs=3, batch_size=4, seed=0, checkpoint=path)
    assert equal(model.state(), before) and optimizer.t == 0


def test_another_file_is_no_checkpoint(tmp_path):
    checkpoints.save(tmp_path / "model.npz", Dense(1, 1, seed=0).state())
    with pytest.raises(ValueError, match=r"model.npz is no checkpoint of fit"):
        quick(checkpoint=tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"there is no folder for the checkpoint .*nowhere"):
        quick(checkpoint=tmp_path / "nowhere" / "run.npz")


# --- the range test ---------------------------------------------------------------------------------------------------


def rates(loss=mse, model=None, make=SGD, data=None, **options):
    options = {"low": 1e-3, "high": 1.0, "steps": 7, "batch_size": 4, "seed": 0} | options
    return learning_rate_range(model or Dense(1, 1, seed=0), loss, data or line(), make, **options)


def test_the_range_test_is_the_loop_that_the_book_writes():
    x, y = line(10)
    found, twin, optimizer, order_of = rates(smoothing=0.8), Dense(1, 1, seed=0), SGD(1.0), np.random.default_rng(0)
    np.testing.assert_allclose(found.rates, 10 ** np.linspace(-3, 0, 7), rtol=1e-13)
    batches = [part for _ in range(3) for part in np.split(order_of.permutation(10), [4, 8])]
    smoothed, expected = 0.0, []
    for t, (rate, batch) in enumerate(zip(found.rates, batches, strict=False), start=1):
        value, grad = value_and_grad(twin, mse, x[batch], y[batch])
        optimizer.learning_rate = rate
        optimizer.step(twin.theta, grad)
        smoothed = 0.8 * smoothed + 0.2 * value
        expected.append(smoothed / (1 - 0.8**t))
    np.testing.assert_allclose(found.losses, expected, rtol=1e-12)
    assert found.diverged_at is None


def test_the_range_test_leaves_the_model_as_it_was():
    model = Sequential(Dense(1, 4, seed=0), Dropout(0.5, seed=1), Dense(4, 1, seed=2))
    model.grad[:] = 7
    before, grad = model.state(), model.grad.copy()
    first = rates(model=model)
    assert equal(model.state(), before)
    np.testing.assert_array_equal(model.grad, grad)
    again = rates(model=model)
    np.testing.assert_array_equal(first.losses, again.losses)


@pytest.mark.parametrize(("values", "steps"), [([5, 1, 2, 3.9, 4.1, 1], 4), ([1, 4, 4, 1, 1, 1], 6), ([2, math.nan, 1, 1, 1, 1], 1), ([math.inf] * 6, 0)])
def test_the_range_test_ends_at_four_times_the_least_loss(values, steps):
    left = iter(values)

    def loss(prediction, target):
        value, backward = mse(prediction, target)
        return (next(left) if len(target) < 10 else value), backward

    found = rates(loss, steps=6, smoothing=0.0)
    assert found.losses.tolist() == values[:steps] and len(found.rates) == steps
    whole = np.geomspace(1e-3, 1, 6)
    assert found.diverged_at == (whole[steps] if steps < 6 else None)
    np.testing.assert_array_equal(found.rates, whole[:steps])


def test_smoothing_is_a_mean_of_the_last_ten_or_so():
    found, smooth = rates(steps=50, smoothing=0.0, high=0.01), rates(steps=50, high=0.01)
    assert np.abs(np.diff(smooth.losses)).mean() < np.abs(np.diff(found.losses)).mean() / 3
    np.testing.assert_array_equal(smooth.losses, rates(steps=50, smoothing=0.9, high=0.01).losses)
    assert smooth.losses[0] == pytest.approx(found.losses[0], rel=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0}, "needs rates 0 < low < high and 2 steps or more, got low=0, high=1.0, steps=7"),
        ({"low": 1.0}, "needs rates 0 < low < high and 2 steps or more, got low=1.0, high=1.0, steps=7"),
        ({"low": math.nan}, "needs rates 0 < low < high"),
        ({"high": math.inf}, "needs rates 0 < low < high"),
        ({"steps": 1}, "2 steps or more, got low=0.001, high=1.0, steps=1"),
        ({"steps": 2.5}, "steps must be a whole number ≥ 1, got 2.5"),
        ({"batch_size": 0}, "batch_size must be a whole number ≥ 1, got 0"),
        ({"smoothing": 1}, r"smoothing must be in \[0, 1\), got 1"),
        ({"smoothing": -0.1}, r"smoothing must be in \[0, 1\), got -0.1"),
        ({"seed": None}, "learning_rate_range needs a seed or a numpy.random.Generator"),
        ({"data": (np.ones((0, 1)), np.ones((0, 1)))}, "train needs as many targets as inputs"),
    ],
)
def test_the_range_test_refuses_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        rates(**options)


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
        ({"metric": accuracy}, "^a metric is measured on the validation set, got metric without validation$"),
        ({"patience": 3}, "^early stopping watches the validation loss, got patience without validation$"),
        ({"patience": 0, "validation": line()}, "patience must be a whole number ≥ 1, got 0"),
        ({"clip_norm": 0}, "clip_norm must be a finite number > 0, got 0"),
        ({"clip_norm": math.inf}, "clip_norm must be a finite number > 0, got inf"),
        ({"clip_value": math.nan}, "clip_value must be a finite number > 0, got nan"),
        ({"penalty": lambda theta: (0.0, theta[:1])}, r"a gradient of shape \(2,\), got \(\) and \(1,\)"),
        ({"penalty": lambda theta: (theta, theta)}, r"is a number and a gradient of shape \(2,\), got \(2,\) and \(2,\)"),
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
