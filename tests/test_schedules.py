"""Each schedule beside PyTorch's, at its ends, and when it is asked for too much."""

import math
from functools import partial

import numpy as np
import pytest
from discovery import Stored

from nnlib import schedules
from nnlib.schedules import constant, cosine, exponential, on_plateau, one_cycle, step, warm_up

STEPS = 40
SCHEDULES = {
    "constant": lambda: constant(),
    "step": lambda: step(7, 0.3),
    "exponential": lambda: exponential(0.9),
    "cosine": lambda: cosine(last=0.1),
    "warm_up": lambda: warm_up(8, then=cosine(last=0.1)),
    "one_cycle": lambda: one_cycle(),
    "short one_cycle": lambda: one_cycle(up=0.01),
    "steep one_cycle": lambda: one_cycle(up=0.6, first=0.25, last=0.01),
    "on_plateau": lambda: on_plateau(),
}
every = pytest.mark.parametrize("name", SCHEDULES)


def factors(schedule, total=STEPS, losses=()):
    return [schedule(t, total, losses) for t in range(total)]


def test_every_schedule_is_tested():
    assert {name.split()[-1] for name in SCHEDULES} == set(schedules.__all__)


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"on_plateau"}))
def test_each_step_is_that_of_pytorch(name):
    np.testing.assert_allclose(factors(SCHEDULES[name]()), Stored("schedules").below(name)["factors"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("settings", Stored("schedules").names("on_plateau"))
def test_each_plateau_is_that_of_pytorch(settings):
    stored = Stored("schedules").below(f"on_plateau/{settings}")
    patience, threshold = settings.split()
    schedule = on_plateau(0.5, int(patience), float(threshold))
    losses = stored["losses"].tolist()
    found = [schedule(0, 1, losses[: epoch + 1]) for epoch in range(len(losses))]
    np.testing.assert_allclose(found, stored["factors"], rtol=1e-12)
    assert len(set(found)) > 2


def test_defaults_are_those_of_pytorch():
    assert factors(on_plateau(), losses=[1.0] * 11)[0] == 1  # the first loss is the best; then ten epochs of patience
    assert factors(on_plateau(), losses=[1.0] * 12)[0] == 0.1
    assert factors(on_plateau(0.5, 0), losses=[1.0, 1 - 1e-4, 1 - 3e-4])[0] == 0.5  # not below 1 − 1e-4: no better
    assert step(1)(2, 3) == pytest.approx(0.01)
    assert factors(one_cycle())[0] == pytest.approx(1 / 25)
    assert factors(one_cycle())[-1] == pytest.approx(1 / 25e4, rel=1e-9)
    assert factors(cosine()) == factors(cosine(last=0))
    assert factors(warm_up(4), 6) == [0.25, 0.5, 0.75, 1, 1, 1]


def test_a_schedule_says_which_it_is():
    named = [constant(), step(7, 0.3), exponential(0.9), warm_up(8, then=cosine(0.1)), one_cycle(0.3, 0.1, 0.0), on_plateau()]
    names = ["constant()", "step(7, 0.3)", "exponential(0.9)", "warm_up(8, cosine(0.1))", "one_cycle(0.3, 0.1, 0.0)", "on_plateau(0.1, 10, 0.0001)"]
    assert [schedule.__qualname__ for schedule in named] == names
    assert warm_up(2, then=partial(max, 0.5)).__qualname__ == "warm_up(2, partial)"


def test_a_plateau_without_losses_is_constant():
    assert on_plateau()(3, 10) == 1


def test_the_second_schedule_of_a_warm_up_sees_the_losses_and_counts_from_0():
    seen = []
    schedule = warm_up(2, then=lambda *asked: seen.append(asked) or 1.0)
    factors(schedule, 5, losses=[7.0])
    assert seen == [(0, 3, [7.0]), (1, 3, [7.0]), (2, 3, [7.0])]
    assert factors(warm_up(1, then=on_plateau(0.5, 0)), 3, losses=[1.0, 1.0]) == [1, 0.5, 0.5]


def test_a_training_shorter_than_the_warm_up_ends_on_the_way_up():
    assert factors(warm_up(4), 2) == [0.25, 0.5]


@pytest.mark.parametrize("total", range(1, 12))
def test_one_cycle_of_any_length(total):
    """Its top may fall on the first step, before it, or between two."""
    found = factors(one_cycle(up=0.25), total)
    assert all(0 <= factor <= 1 for factor in found)
    assert found[-1] == pytest.approx(1 / 25e4, rel=1e-9)
    assert np.sign(np.diff(found)).tolist() == sorted(np.sign(np.diff(found)), reverse=True)  # up, then down


def test_one_cycle_may_start_at_its_top():
    assert factors(one_cycle(up=0), 3)[0] == pytest.approx(0.75, rel=1e-4)  # the top would be one step before the first
    assert factors(one_cycle(up=0.25), 4)[0] == 1


@every
def test_the_same_question_has_the_same_answer(name):
    schedule, losses = SCHEDULES[name](), [2.0] * 30
    assert factors(schedule, losses=losses) == list(reversed([schedule(t, STEPS, losses) for t in reversed(range(STEPS))]))
    assert losses == [2.0] * 30
    assert all(isinstance(factor, float) for factor in factors(schedule))


@every
@pytest.mark.parametrize("t", [-1, 40, 41])
def test_a_step_that_is_none_is_refused(name, t):
    with pytest.raises(ValueError, match=f"a schedule of 40 steps has the steps 0 to 39, got step {t}"):
        SCHEDULES[name]()(t, STEPS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: step(0), "every must be a whole number ≥ 1, got 0"),
        (lambda: step(2.0), "every must be a whole number ≥ 1, got 2.0"),
        (lambda: step(2, gamma=0), "gamma must be a finite number > 0, got 0"),
        (lambda: step(2, gamma=math.inf), "gamma must be a finite number > 0, got inf"),
        (lambda: exponential(-0.5), "gamma must be a finite number > 0, got -0.5"),
        (lambda: exponential(math.nan), "gamma must be a finite number > 0, got nan"),
        (lambda: cosine(last=-0.1), r"last must be in \[0, 1\], got -0.1"),
        (lambda: cosine(last=1.1), r"last must be in \[0, 1\], got 1.1"),
        (lambda: warm_up(0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: one_cycle(up=1), r"up must be in \[0, 1\), got 1"),
        (lambda: one_cycle(up=-0.1), r"up must be in \[0, 1\), got -0.1"),
        (lambda: one_cycle(first=2), r"first must be in \[0, 1\], got 2"),
        (lambda: one_cycle(last=math.nan), r"last must be in \[0, 1\], got nan"),
        (lambda: on_plateau(gamma=0), "gamma must be a finite number > 0, got 0"),
        (lambda: on_plateau(patience=-1), "patience must be a whole number ≥ 0, got -1"),
        (lambda: on_plateau(patience=0.5), "patience must be a whole number ≥ 0, got 0.5"),
        (lambda: on_plateau(threshold=-1), r"threshold must be in \[0, 1\), got -1"),
        (lambda: on_plateau(threshold=1), r"threshold must be in \[0, 1\), got 1"),
    ],
)
def test_bad_numbers_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_numbers_at_the_ends_of_their_ranges_are_taken():
    for make in (lambda: cosine(last=1), lambda: one_cycle(up=0, first=1, last=0), lambda: on_plateau(patience=0, threshold=0), lambda: step(1, 1.5)):
        make()
