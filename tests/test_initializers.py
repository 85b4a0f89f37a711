"""Mean, variance and shape of first values."""

import numpy as np
import pytest

from nnlib import initializers

VARIANCE = {
    "he": lambda n_out, n_in: 2 / n_in,
    "lecun": lambda n_out, n_in: 1 / n_in,
    "orthogonal": lambda n_out, n_in: 1 / max(n_in, n_out),
    "xavier": lambda n_out, n_in: 2 / (n_in + n_out),
    "zeros": lambda n_out, n_in: 0,
}


@pytest.mark.parametrize("shape", [(300, 100), (100, 300)])
def test_mean_and_variance_are_what_the_paper_says(initializer_name, shape, rng):
    W = initializers.get(initializer_name)(shape, rng)
    assert W.shape == shape and W.dtype == np.float64
    variance = VARIANCE[initializer_name](*shape)
    # 30,000 entries: their variance is known to √(2/30000) = 0.8 %, their mean to σ/√30000.
    assert W.var() == pytest.approx(variance, rel=0.04)
    assert abs(W.mean()) <= 5 * np.sqrt(variance / W.size)


def test_the_generator_decides(initializer_name):
    make = initializers.get(initializer_name)
    one, same, other = (make((5, 4), np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert initializer_name == "zeros" or (one != other).all()


def test_names_and_functions():
    public = sorted(set(initializers.__all__) - {"get", "names"})
    assert sorted(initializers.names()) == public == sorted(VARIANCE)
    assert all(initializers.get(name) is getattr(initializers, name) for name in public)
    assert initializers.get(np.ones) is np.ones
    with pytest.raises(ValueError, match="unknown initializer 'glorot'; known are he, lecun, orthogonal, xavier, zeros"):
        initializers.get("glorot")
