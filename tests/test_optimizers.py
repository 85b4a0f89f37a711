"""Each optimizer against the book's equation on plain numbers, in blocks, and when a run goes on."""

import copy
import math
import pickle

import numpy as np
import pytest
import sympy as sp
from discovery import Stored

from nnlib import optimizers
from nnlib.losses import binary_cross_entropy
from nnlib.optimizers import SGD, AdaGrad, Adam, Optimizer, RMSprop

OPTIMIZERS = {
    "sgd": lambda: SGD(0.05),
    "momentum": lambda: SGD(0.05, momentum=0.9),
    "nesterov": lambda: SGD(0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda: AdaGrad(0.1),
    "rmsprop": lambda: RMSprop(0.01),
    "adam": lambda: Adam(0.05),
}
every = pytest.mark.parametrize("name", OPTIMIZERS)

# The twins: θ after each gradient, one symbol at a time, with exact fractions for the constants.


def sgd(theta, gradients, μ=0, nesterov=False):
    η, v = sp.Rational(1, 20), 0
    for g in gradients:
        v = μ * v + g
        theta -= η * (g + μ * v if nesterov else v)
        yield theta


def adagrad(theta, gradients):
    η, ε, s = sp.Rational(1, 10), sp.Rational(1, 10**10), 0
    for g in gradients:
        s += g**2
        theta -= η * g / (sp.sqrt(s) + ε)
        yield theta


def rmsprop(theta, gradients):
    η, ρ, ε, s = sp.Rational(1, 100), sp.Rational(99, 100), sp.Rational(1, 10**8), 0
    for g in gradients:
        s = ρ * s + (1 - ρ) * g**2
        theta -= η * g / (sp.sqrt(s) + ε)
        yield theta


def adam(theta, gradients):
    η, β1, β2, ε = sp.Rational(1, 20), sp.Rational(9, 10), sp.Rational(999, 1000), sp.Rational(1, 10**8)
    m = v = 0
    for t, g in enumerate(gradients, start=1):
        m = β1 * m + (1 - β1) * g
        v = β2 * v + (1 - β2) * g**2
        theta -= η * (m / (1 - β1**t)) / (sp.sqrt(v / (1 - β2**t)) + ε)
        yield theta


TWINS = {
    "sgd": sgd,
    "momentum": lambda theta, gradients: sgd(theta, gradients, μ=sp.Rational(9, 10)),
    "nesterov": lambda theta, gradients: sgd(theta, gradients, μ=sp.Rational(9, 10), nesterov=True),
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
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
    gradients = [sp.Rational(3, 2), sp.Rational(-1, 4), sp.Rational(7, 1000), 0, sp.Integer(-20)]
    exact = [float(sp.N(theta, 30)) for theta in TWINS[name](sp.Integer(1), gradients)]
    path = run(OPTIMIZERS[name](), np.array([1.0]), np.array([[float(g)] for g in gradients]))
    np.testing.assert_allclose(path[:, 0], exact, rtol=1e-14)


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


def test_a_state_of_another_kind_is_refused():
    states = {}
    for name, make in OPTIMIZERS.items():
        optimizer = make()
        optimizer.step(np.ones(2), np.ones(2))
        states[name] = optimizer.state()
    for name, other in (("sgd", "adam"), ("adam", "sgd"), ("adagrad", "momentum"), ("momentum", "adam")):
        optimizer = OPTIMIZERS[name]()
        before = optimizer.state()
        with pytest.raises(ValueError, match=rf"{type(optimizer).__name__} has a state named \('learning_rate', 't'.*\), got \("):
            optimizer.restore(states[other])
        assert optimizer.state() == before


@every
def test_float32_stays_float32(name):
    optimizer, theta = OPTIMIZERS[name](), np.ones(5, np.float32)
    optimizer.learning_rate = np.float64(0.05)  # as a schedule may leave it
    for _ in range(2):
        optimizer.step(theta, np.ones(5, np.float32))
    assert theta.dtype == np.float32
    vectors = [value for value in optimizer.state().values() if isinstance(value, np.ndarray)]
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


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"sgd"}))
def test_another_model_is_refused_and_nothing_changes(name):
    optimizer = OPTIMIZERS[name]()
    optimizer.step(np.ones(3), np.ones(3))
    before, theta = pickle.dumps(optimizer), np.ones(4)
    with pytest.raises(ValueError, match=rf"this {type(optimizer).__name__} has worked on 3 parameters, got 4; make a new one"):
        optimizer.step(theta, np.ones(4))
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
    ],
)
def test_bad_numbers_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
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


@every
def test_fifty_steps_are_those_of_pytorch(name):
    stored = Stored("optimizers")
    problem, optimizer = stored.below("problem"), OPTIMIZERS[name]()
    A, target, theta = problem["A"], problem["target"], problem["start"].copy()
    path = []
    for _ in range(50):
        optimizer.step(theta, A.T @ binary_cross_entropy(A @ theta, target)[1]())
        path.append(theta.copy())
    np.testing.assert_allclose(path, stored.below(f"optimizer/{name}")["path"], rtol=1e-12, atol=1e-13)
