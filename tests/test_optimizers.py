"""Each optimizer against the book's equation on plain numbers, in blocks, and when a run goes on."""

import copy
import math
import pickle

import numpy as np
import pytest
from discovery import Stored
from sympy import Integer, N, Rational

from nnlib import optimizers, symbolic
from nnlib.layers import Residual, Sequential
from nnlib.losses import binary_cross_entropy
from nnlib.mlp import MLP, Dense
from nnlib.optimizers import SGD, SGDW, AdaGrad, Adam, AdamW, Optimizer, RMSprop, clip_norm, clip_value, decay_mask
from nnlib.regularizers import BatchNorm, l2

OPTIMIZERS = {
    "sgd": lambda: SGD(0.05),
    "momentum": lambda: SGD(0.05, momentum=0.9),
    "nesterov": lambda: SGD(0.05, momentum=0.9, nesterov=True),
    "sgdw": lambda: SGDW(0.05, weight_decay=0.1),
    "nesterov sgdw": lambda: SGDW(0.05, 0.9, True, weight_decay=0.1),
    "adagrad": lambda: AdaGrad(0.1),
    "rmsprop": lambda: RMSprop(0.01),
    "centered": lambda: RMSprop(0.01, centered=True),
    "adam": lambda: Adam(0.05),
    "adamw": lambda: AdamW(0.05, weight_decay=0.1),
}
every = pytest.mark.parametrize("name", OPTIMIZERS)

# The twins: θ after each gradient, one symbol at a time, with exact fractions for the constants.


def sgdw(theta, gradients, η, λ, μ=0):
    """With the equation of Nesterov's look ahead, which for μ = 0 is that of plain SGD."""
    v = 0
    for g in gradients:
        v = μ * v + g
        theta = theta - η * λ * theta - η * (g + μ * v)
        yield theta


tenth, small = Rational(1, 10), Rational(1, 10**8)
TWINS = {
    "sgd": lambda *run: symbolic.sgd(*run, tenth / 2),
    "momentum": lambda *run: symbolic.sgd(*run, tenth / 2, momentum=9 * tenth),
    "nesterov": lambda *run: symbolic.sgd(*run, tenth / 2, momentum=9 * tenth, nesterov=True),
    "sgdw": lambda *run: sgdw(*run, tenth / 2, tenth),
    "nesterov sgdw": lambda *run: sgdw(*run, tenth / 2, tenth, 9 * tenth),
    "adagrad": lambda *run: symbolic.adagrad(*run, tenth, Rational(1, 10**10)),
    "rmsprop": lambda *run: symbolic.rmsprop(*run, tenth / 10, Rational(99, 100), small),
    "centered": lambda *run: symbolic.rmsprop(*run, tenth / 10, Rational(99, 100), small, centered=True),
    "adam": lambda *run: symbolic.adam(*run, tenth / 2, 9 * tenth, Rational(999, 1000), small),
    "adamw": lambda *run: symbolic.adam(*run, tenth / 2, 9 * tenth, Rational(999, 1000), small, weight_decay=tenth),
}


def run(optimizer, theta, gradients):
    path = []
    for g in gradients:
        optimizer.step(theta, g)
        path.append(theta.copy())
    return np.array(path)


def test_every_optimizer_is_tested(optimizer_class):
    assert optimizer_class in {type(make()) for make in OPTIMIZERS.values()}
    assert optimizer_class.__name__ in optimizers.__all__


@every
def test_steps_equal_those_of_the_twin_in_exact_arithmetic(name):
    gradients = [Rational(3, 2), Rational(-1, 4), Rational(7, 1000), Integer(0), Integer(-20)]
    exact = [float(N(theta, 30)) for theta in TWINS[name](Integer(1), gradients)]
    path = run(OPTIMIZERS[name](), np.array([1.0]), np.array([[float(g)] for g in gradients]))
    np.testing.assert_allclose(path[:, 0], exact, rtol=1e-14)


@every
def test_tiny_gradients_show_where_eps_stands(name):
    """Here ε counts as much as the gradient, so a root around it, or a bias correction of it, would show."""
    gradients = [Rational(3, 10**8), Rational(-1, 10**8), Rational(2, 10**10)]
    exact = [float(N(theta, 30)) for theta in TWINS[name](Integer(0), gradients)]
    path = run(OPTIMIZERS[name](), np.array([0.0]), np.array([[float(g)] for g in gradients]))
    np.testing.assert_allclose(path[:, 0], exact, rtol=1e-12)


@every
@pytest.mark.parametrize("size", [1, 5, 12, 13])
def test_blocks_change_nothing(name, size, monkeypatch, rng):
    theta, gradients = rng.normal(size=size), rng.normal(size=(4, size))
    whole = run(OPTIMIZERS[name](), theta.copy(), gradients)
    monkeypatch.setattr(optimizers, "BLOCK", 4)
    np.testing.assert_array_equal(run(OPTIMIZERS[name](), theta.copy(), gradients), whole)


@every
def test_more_parameters_than_a_block(name, rng):
    """An odd size beyond two blocks: each entry goes its own way, as if it were alone."""
    size = 2 * optimizers.BLOCK + 17
    theta, gradients = rng.normal(size=size), rng.normal(size=(3, size))
    path = run(OPTIMIZERS[name](), theta.copy(), gradients)
    for i in (0, optimizers.BLOCK - 1, optimizers.BLOCK, 2 * optimizers.BLOCK, size - 1):
        np.testing.assert_allclose(path[:, i : i + 1], run(OPTIMIZERS[name](), theta[i : i + 1].copy(), gradients[:, i : i + 1]), rtol=1e-15)


@every
def test_it_goes_downhill(name):
    theta, optimizer = np.array([1.0, -1.0]), OPTIMIZERS[name]()
    for _ in range(300):
        optimizer.step(theta, theta * [1, 3])
    assert np.abs(theta).max() < 0.2


@every
@pytest.mark.parametrize(
    "go_on",
    ["state", copy.deepcopy, lambda optimizer: pickle.loads(pickle.dumps(optimizer))],
    ids=["state", "deepcopy", "pickle"],
)
def test_a_run_goes_on_bit_for_bit(name, go_on, rng):
    start, gradients = rng.normal(size=7), rng.normal(size=(8, 7))
    whole = run(OPTIMIZERS[name](), start.copy(), gradients)
    first, theta = OPTIMIZERS[name](), start.copy()
    run(first, theta, gradients[:4])
    if go_on == "state":
        second, state = OPTIMIZERS[name](), first.state()
        run(first, theta.copy(), gradients[:2])  # what the first does now is not seen by the state
        second.restore(state)
    else:
        second = go_on(first)
    rest = run(second, theta, gradients[4:])
    np.testing.assert_array_equal(rest, whole[4:])
    assert second.t == 8


@every
def test_a_new_optimizer_can_be_put_back_too(name, rng):
    optimizer, gradients = OPTIMIZERS[name](), rng.normal(size=(3, 7))
    new = optimizer.state()
    first = run(optimizer, np.ones(7), gradients)
    optimizer.restore(new)
    np.testing.assert_array_equal(run(optimizer, np.ones(7), gradients), first)
    optimizer.restore(new)
    run(optimizer, np.ones(3), gradients[:, :3])  # without steps behind it, it takes any number of parameters


def test_a_state_has_the_letters_of_the_equation():
    letters = {"momentum": "v", "adagrad": "s", "rmsprop": "s", "centered": "sm", "adam": "mv", "adamw": "mv"}
    for name, expected in letters.items():
        assert list(stepped(name).state()) == ["kind", "learning_rate", "t", *expected]


def stepped(name, size=2, dtype=float):
    optimizer = OPTIMIZERS[name]()
    optimizer.step(np.ones(size, dtype), np.ones(size, dtype))
    return optimizer


def refuses(optimizer, state, message):
    before = pickle.dumps(optimizer)
    with pytest.raises(ValueError, match=message):
        optimizer.restore(state)
    assert pickle.dumps(optimizer) == before


def test_a_state_of_another_kind_is_refused():
    for name, other in (("sgd", "adam"), ("adam", "sgd"), ("adagrad", "rmsprop"), ("momentum", "adam"), ("adam", "adamw")):
        mine, yours = type(OPTIMIZERS[name]()).__name__, type(OPTIMIZERS[other]()).__name__
        refuses(OPTIMIZERS[name](), stepped(other).state(), f"{mine} expects the state of an {mine}, got that of {yours}")
    refuses(SGD(0.1), stepped("momentum").state(), r"SGD has a state named \('kind', 'learning_rate', 't'\), got \('kind', .*, 'v'\)")
    refuses(stepped("momentum"), stepped("sgd").state(), r"SGD has a state named \(.*, 'v'\), got \('kind', 'learning_rate', 't'\)")
    refuses(Adam(), {}, "got that of None")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"learning_rate": -1.0}, "learning_rate must be a finite number ≥ 0, got -1.0"),
        ({"t": -1}, "t must be a whole number ≥ 0, got -1"),
        ({"t": 1.5}, "t must be a whole number ≥ 0, got 1.5"),
        ({"m": np.ones(3)}, "Adam expects 2 numbers of float64, got 3 of float64"),
        ({"v": np.ones(1)}, "Adam expects 2 numbers of float64, got 1 of float64"),
        ({"v": np.ones(2, np.float32)}, "Adam expects 2 numbers of float64, got 2 of float32"),
        ({"m": np.ones((2, 1))}, "Adam expects vectors of floating-point numbers"),
        ({"m": np.ones(2, int)}, "Adam expects vectors of floating-point numbers"),
        ({"v": [1.0, 1.0]}, r"Adam expects vectors of floating-point numbers, got \[1.0, 1.0\]"),
    ],
)
def test_a_state_with_something_wrong_is_refused(wrong, message):
    refuses(stepped("adam"), stepped("adam").state() | wrong, message)


def test_a_state_of_other_vectors_is_refused():
    refuses(stepped("adam"), stepped("adam", size=3).state(), "Adam expects 2 numbers of float64, got 3 of float64")
    refuses(Adam(), stepped("adam").state() | {"v": np.ones(3)}, "Adam expects 2 numbers of float64, got 3 of float64")
    new = Adam()
    new.restore(stepped("adam", size=3, dtype=np.float32).state())
    assert new.state()["m"].dtype == np.float32 and new.t == 1


@every
def test_float32_stays_float32(name):
    optimizer, theta = OPTIMIZERS[name](), np.ones(5, np.float32)
    optimizer.learning_rate = np.float64(0.05)  # as a schedule may leave it
    for _ in range(2):
        optimizer.step(theta, np.ones(5, np.float32))
    assert theta.dtype == np.float32
    vectors = [value for value in optimizer.state().values() if isinstance(value, np.ndarray)]
    assert len(vectors) == len(optimizer.vectors)
    assert all(vector.dtype == np.float32 for vector in vectors)
    assert optimizer.update(np.ones(5, np.float32), *vectors).dtype == np.float32


@every
def test_the_gradient_is_not_written_to(name):
    g = np.ones(5)
    g.setflags(write=False)
    run(OPTIMIZERS[name](), np.ones(5), [g, g])


@every
def test_wrong_sizes_are_refused_and_nothing_changes(name):
    optimizer, theta = OPTIMIZERS[name](), np.ones(3)
    optimizer.step(theta, np.ones(3))
    before, theta_before = pickle.dumps(optimizer), theta.copy()
    for wrong in (np.ones(2), np.ones((3, 1)), np.array(1.0)):
        with pytest.raises(ValueError, match=r"θ and its gradient as vectors of one size, got \(3,\) and \("):
            optimizer.step(theta, wrong)
    with pytest.raises(ValueError, match=r"vectors of one size, got \(3, 1\) and \(3, 1\)"):
        optimizer.step(np.ones((3, 1)), np.ones((3, 1)))
    assert pickle.dumps(optimizer) == before
    np.testing.assert_array_equal(theta, theta_before)


@every
def test_other_kinds_of_numbers_are_refused(name):
    optimizer = OPTIMIZERS[name]()
    for theta, g in ((np.ones(2), np.ones(2, np.float32)), (np.ones(2, int), np.ones(2, int))):
        with pytest.raises(TypeError, match=f"floating-point numbers of one kind, got {theta.dtype} and {g.dtype}"):
            optimizer.step(theta, g)
    assert optimizer.t == 0


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"sgd", "sgdw"}))
def test_another_model_is_refused_and_nothing_changes(name):
    optimizer = OPTIMIZERS[name]()
    optimizer.step(np.ones(3), np.ones(3))
    before, theta = pickle.dumps(optimizer), np.ones(4)
    with pytest.raises(ValueError, match=rf"this {type(optimizer).__name__} works on 3 parameters of float64, got 4 of float64; make a new one"):
        optimizer.step(theta, np.ones(4))
    with pytest.raises(ValueError, match=r"3 parameters of float64, got 3 of float32; make a new one"):
        optimizer.step(np.ones(3, np.float32), np.ones(3, np.float32))
    assert pickle.dumps(optimizer) == before
    np.testing.assert_array_equal(theta, np.ones(4))


@every
@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_a_bad_learning_rate_is_refused_now_and_later(name, bad):
    optimizer = OPTIMIZERS[name]()
    with pytest.raises(ValueError, match=rf"learning_rate must be a finite number ≥ 0, got {bad}"):
        type(optimizer)(bad)
    optimizer.learning_rate, theta = bad, np.ones(2)
    with pytest.raises(ValueError, match="learning_rate must be a finite number ≥ 0"):
        optimizer.step(theta, np.ones(2))
    assert optimizer.t == 0
    np.testing.assert_array_equal(theta, np.ones(2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(0.1, momentum=1.0), r"momentum must be in \[0, 1\), got 1.0"),
        (lambda: SGD(0.1, momentum=-0.1), r"momentum must be in \[0, 1\), got -0.1"),
        (lambda: SGD(0.1, momentum=math.nan), r"momentum must be in \[0, 1\), got nan"),
        (lambda: SGD(0.1, nesterov=True), "nesterov needs momentum > 0, got momentum=0"),
        (lambda: AdaGrad(0.1, eps=0), "eps must be a finite number > 0, got 0"),
        (lambda: RMSprop(0.1, rho=1), r"rho must be in \[0, 1\), got 1"),
        (lambda: RMSprop(0.1, eps=-1e-8), "eps must be a finite number > 0, got -1e-08"),
        (lambda: Adam(beta1=1), r"beta1 must be in \[0, 1\), got 1"),
        (lambda: Adam(beta2=math.nan), r"beta2 must be in \[0, 1\), got nan"),
        (lambda: Adam(eps=math.inf), "eps must be a finite number > 0, got inf"),
        (lambda: AdamW(weight_decay=-1), "weight_decay must be a finite number ≥ 0, got -1"),
        (lambda: SGDW(0.1, weight_decay=math.nan), "weight_decay must be a finite number ≥ 0, got nan"),
        (lambda: AdamW(decay_mask=np.ones(3)), "decay_mask must be a vector of booleans, one for each parameter, got array"),
        (lambda: SGDW(0.1, weight_decay=0.1, decay_mask=[True]), r"decay_mask must be a vector of booleans.*got \[True\]"),
        (lambda: AdamW(decay_mask=np.ones((3, 1), bool)), "decay_mask must be a vector of booleans"),
    ],
)
def test_bad_numbers_are_refused(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_a_learning_rate_of_zero_changes_nothing_and_a_schedule_may_change_it():
    optimizer, theta = SGD(0), np.ones(2)
    optimizer.step(theta, np.ones(2))
    np.testing.assert_array_equal(theta, [1, 1])
    optimizer.learning_rate = 1
    optimizer.step(theta, np.ones(2))
    np.testing.assert_array_equal(theta, [0, 0])


def test_an_optimizer_without_equation_says_so():
    with pytest.raises(TypeError, match="Optimizer defines no update"):
        Optimizer(0.1).step(np.ones(1), np.ones(1))


# --- decay ------------------------------------------------------------------------------------------------------------


def test_defaults_are_those_of_pytorch():
    adam, rmsprop, adagrad = AdamW(), RMSprop(0.01), AdaGrad(0.01)
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.eps, adam.weight_decay) == (1e-3, 0.9, 0.999, 1e-8, 0.01)
    assert adam.decay_mask is None and Adam().weight_decay == 0 and (Adam().learning_rate, SGDW(0.1).weight_decay) == (1e-3, 0.01)
    assert (rmsprop.rho, rmsprop.eps, rmsprop.centered, adagrad.eps) == (0.99, 1e-8, False, 1e-10)
    assert (SGD(0.1).momentum, SGD(0.1).nesterov) == (0, False)


@pytest.mark.parametrize("make", [lambda **decay: SGDW(0.1, **decay), lambda **decay: AdamW(0.1, **decay)], ids=["sgdw", "adamw"])
def test_only_what_the_mask_names_decays(make, rng, monkeypatch):
    monkeypatch.setattr(optimizers, "BLOCK", 4)
    theta, gradients, mask = rng.normal(size=11), rng.normal(size=(3, 11)), rng.random(11) < 0.5
    decays, stays = (run(make(weight_decay=strength), theta.copy(), gradients) for strength in (0.5, 0))
    masked = run(make(weight_decay=0.5, decay_mask=mask), theta.copy(), gradients)
    np.testing.assert_array_equal(masked, np.where(mask, decays, stays))
    assert (decays != stays).all()


def test_a_mask_of_another_model_is_refused_at_the_first_step():
    optimizer, theta = AdamW(decay_mask=np.array([True, False])), np.ones(3)
    with pytest.raises(ValueError, match="decay_mask is for 2 parameters, got 3"):
        optimizer.step(theta, np.ones(3))
    assert optimizer.t == 0
    np.testing.assert_array_equal(theta, np.ones(3))


def test_the_mask_is_a_copy():
    mask = np.array([True])
    optimizer, theta = SGDW(0.5, weight_decay=1.0, decay_mask=mask), np.ones(1)
    mask[0] = False
    optimizer.step(theta, np.zeros(1))
    assert theta == 0.5


def test_weights_decay_but_not_biases_and_norms():
    shared = Dense(2, 2, seed=0)
    model = Sequential(shared, BatchNorm(2), Residual(shared), MLP([2, 1], seed=0))
    names = [name for name, view in model.named_parameters().items() for _ in range(view.size)]
    assert decay_mask(model).tolist() == [name.endswith("W") for name in names]
    assert len(names) == model.theta.size
    assert decay_mask(Sequential()).shape == (0,) and decay_mask(Sequential()).dtype == bool


# --- clipping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", Stored("optimizers").names("clip_norm"))
def test_clipping_is_that_of_pytorch(limit):
    stored = Stored("optimizers")
    norm, value = stored.below(f"clip_norm/{limit}"), stored.below(f"clip_value/{limit}")
    g = norm["before"].copy()
    assert clip_norm(g, float(limit)) == pytest.approx(norm["norm"], rel=1e-14)
    np.testing.assert_allclose(g, norm["after"], rtol=1e-14)
    g = value["before"].copy()
    assert clip_value(g, float(limit)) is None
    np.testing.assert_array_equal(g, value["after"])


def test_clipping_keeps_float32_and_a_short_gradient_as_it_is(rng):
    g = rng.normal(size=5).astype(np.float32)
    before = g.copy()
    assert isinstance(clip_norm(g, 100), float)
    clip_value(g, 100)
    np.testing.assert_array_equal(g, before)
    clip_norm(g, 0.1)
    assert g.dtype == np.float32 and np.linalg.norm(g) == pytest.approx(0.1, rel=1e-4)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e200])
def test_a_norm_that_is_not_finite_leaves_the_gradient_as_it_is(bad):
    g = np.array([1.0, bad])
    assert not math.isfinite(clip_norm(g, 1.0))
    np.testing.assert_array_equal(g, [1.0, bad])


@pytest.mark.parametrize("bad", [0, -1.0, math.nan, math.inf])
def test_a_bad_limit_is_refused(bad):
    g = np.ones(3)
    with pytest.raises(ValueError, match=f"max_norm must be a finite number > 0, got {bad}"):
        clip_norm(g, bad)
    with pytest.raises(ValueError, match=f"max_value must be a finite number > 0, got {bad}"):
        clip_value(g, bad)
    np.testing.assert_array_equal(g, np.ones(3))


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def descend(optimizer, penalty=None):
    """Fifty steps on the logistic regression of tools/torch_reference/optimizers.py."""
    problem = Stored("optimizers").below("problem")
    A, target, theta = problem["A"], problem["target"], problem["start"].copy()
    path = []
    for _ in range(50):
        g = A.T @ binary_cross_entropy(A @ theta, target)[1]()
        optimizer.step(theta, g if penalty is None else g + penalty(theta)[1])
        path.append(theta.copy())
    return np.array(path)


def torch_path(name):
    return Stored("optimizers").below(f"optimizer/{name}")["path"]


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"sgdw", "nesterov sgdw"}))  # PyTorch has no SGDW
def test_fifty_steps_are_those_of_pytorch(name):
    np.testing.assert_allclose(descend(OPTIMIZERS[name]()), torch_path(name), rtol=1e-12, atol=1e-13)


def test_a_mask_is_a_parameter_group_of_pytorch():
    optimizer = AdamW(0.05, weight_decay=0.1, decay_mask=np.array([True, True, False]))
    np.testing.assert_allclose(descend(optimizer), torch_path("masked adamw"), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_the_weight_decay_of_pytorchs_sgd_and_adam_is_the_l2_penalty(name):
    np.testing.assert_allclose(descend(OPTIMIZERS[name](), l2(0.1)), torch_path(f"{name} with l2"), rtol=1e-12, atol=1e-13)


def test_l2_is_weight_decay_for_sgd_without_momentum_only():
    np.testing.assert_allclose(descend(SGD(0.05), l2(0.1)), descend(SGDW(0.05, weight_decay=0.1)), rtol=1e-13)
    for coupled, decoupled in ((SGD(0.05, 0.9), SGDW(0.05, 0.9, weight_decay=0.1)), (Adam(0.05), AdamW(0.05, weight_decay=0.1))):
        assert np.abs(descend(coupled, l2(0.1)) - descend(decoupled))[-1].max() > 0.01
