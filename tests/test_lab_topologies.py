"""The order of topologies: the lecture's numbers, the inequality behind each arrow, and what turns none round."""

import numpy as np
import pytest

from keras_ijae.lab import distances


@pytest.mark.parametrize("t", [1e-6, -0.3, 2.0])
def test_two_points_are_near_only_for_wasserstein(t):
    found = distances([0], [1], [t], [1])
    assert found.forward_kl == found.reverse_kl == np.inf
    assert found.jensen_shannon == pytest.approx(np.log(2), abs=1e-12) and found.total_variation == pytest.approx(1)
    assert found.wasserstein == pytest.approx(abs(t), rel=1e-12)


def test_equal_distributions_however_they_are_written_are_0_apart():
    found = distances([0, 1, 1], [0.5, 0.2, 0.3], [1, 0], [0.5, 0.5])
    values = found.forward_kl, found.reverse_kl, found.jensen_shannon, found.total_variation, found.wasserstein
    np.testing.assert_allclose(values, 0, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_each_arrow_is_an_inequality(seed):
    """Pinsker; TV between JS and its root; W1 <= diameter TV."""
    rng = np.random.default_rng(seed)
    x, p, q = rng.uniform(0, 3, 8), rng.dirichlet(np.ones(8)), rng.dirichlet(np.full(8, 0.3))
    found = distances(x, p, x, q)
    assert found.forward_kl == pytest.approx(np.sum(p * np.log(p / q)), rel=1e-9)
    assert 2 * found.total_variation**2 <= min(found.forward_kl, found.reverse_kl)
    assert found.total_variation**2 / 2 <= found.jensen_shannon <= np.log(2) * found.total_variation
    assert found.wasserstein <= np.ptp(x) * found.total_variation + 1e-12


def test_no_arrow_turns_round():
    n = 200
    kl_stays = distances([0, 1], [1 - 1 / n, 1 / n], [0, 1], [1 - np.exp(-n) / n, np.exp(-n) / n])
    assert kl_stays.total_variation < 0.01 and kl_stays.jensen_shannon < 0.01 and kl_stays.forward_kl > 0.9
    unbounded = distances([0], [1], [0, n], [1 - 1 / n, 1 / n])
    assert unbounded.total_variation < 0.01 and unbounded.wasserstein == pytest.approx(1)


def test_bad_weights_are_refused_by_name_and_value():
    with pytest.raises(ValueError, match="`b` must be weights >= 0 that sum to 1. Received: .* sum 0.9"):
        distances([0], [1], [0, 1], [0.5, 0.4])
    with pytest.raises(ValueError, match=r"`x` must have shape \(1,\)"):
        distances([0, 1], [1], [0, 1], [0.5, 0.5])
