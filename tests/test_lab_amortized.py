"""EM and amortised inference: the identity log p = L + KL, scikit-learn's EM, and what encoders can express."""

import numpy as np
import pytest
import sklearn.mixture
from scipy import stats

from keras_ijae.lab import GaussianMixture, amortised_inference, evidence_bound, expectation_maximisation
from keras_ijae.lab.em import posterior

START = GaussianMixture([0.5, 0.5], [-1.0, 1.0], [1.0, 2.0])


@pytest.fixture(scope="module")
def x():
    """A narrow component inside a wide one."""
    rng = np.random.default_rng(0)
    return np.r_[rng.normal(0, 0.5, 200), rng.normal(1, 3, 200)]


@pytest.fixture(scope="module")
def em(x):
    return expectation_maximisation(x, START, 300)


@pytest.fixture(scope="module")
def encoders(x):
    """By the widths of their hidden layers."""
    return {hidden: amortised_inference(x, START, hidden, steps=1500) for hidden in ((), (16,))}


@pytest.mark.parametrize("components", [1, 2, 4])
def test_log_p_is_the_bound_plus_the_kl_for_any_q(x, components):
    rng = np.random.default_rng(components)
    shapes = rng.dirichlet(np.ones(components)), rng.normal(size=components), rng.uniform(0.2, 3, components)
    model, q = GaussianMixture(*shapes), rng.dirichlet(np.full(components, 0.1), len(x))
    q[0] = np.eye(components)[0]
    bound = evidence_bound(model, x, q)
    density = sum(weight * stats.norm.pdf(x, mean, stddev) for weight, mean, stddev in zip(*shapes, strict=True))
    np.testing.assert_allclose(bound.log_evidence, np.log(density), rtol=1e-10)
    np.testing.assert_allclose(bound.elbo + bound.kl, bound.log_evidence, rtol=0, atol=1e-10)
    first = np.log(shapes[0][0] * stats.norm.pdf(x[0], shapes[1][0], shapes[2][0]))
    np.testing.assert_allclose(bound.elbo[0], first, rtol=1e-10)  # q sure of the first component
    np.testing.assert_allclose(evidence_bound(model, x, posterior(model, x)).kl, 0, atol=1e-12)


def test_em_never_falls_touches_log_p_and_ends_where_scikit_learn_ends(x, em):
    assert np.diff(em.log_evidence).min() > -1e-12 and em.log_evidence[-1] - em.log_evidence[0] > 0.1
    np.testing.assert_allclose(em.elbo, em.log_evidence, atol=1e-12)
    theirs = sklearn.mixture.GaussianMixture(
        2, means_init=[[-1], [1]], weights_init=[0.5, 0.5], precisions_init=[[[1]], [[0.25]]], tol=1e-9, max_iter=2000
    ).fit(x[:, None])
    np.testing.assert_allclose(em.log_evidence[-1], theirs.score(x[:, None]), atol=1e-6)
    np.testing.assert_allclose(em.model.means, theirs.means_[:, 0], atol=1e-2)
    np.testing.assert_allclose(em.model.stddevs, theirs.covariances_[:, 0, 0] ** 0.5, atol=1e-2)
    np.testing.assert_allclose(em.model.weights, theirs.weights_, atol=1e-2)


@pytest.mark.slow
def test_the_trace_of_an_encoder_is_the_bound_of_its_model_and_q(x, encoders):
    for fit in encoders.values():
        bound = evidence_bound(fit.model, x, fit.q)
        np.testing.assert_allclose(fit.elbo[-1], bound.elbo.mean(), atol=1e-10)
        np.testing.assert_allclose(fit.log_evidence[-1], bound.log_evidence.mean(), atol=1e-10)
        np.testing.assert_allclose(fit.encoder(x[:5]), fit.q[:5], atol=1e-12)
        assert len(fit.elbo) == 1501


@pytest.mark.slow
def test_a_flexible_encoder_reaches_em_and_a_linear_one_cannot(em, encoders):
    flexible, linear = encoders[16,], encoders[()]
    np.testing.assert_allclose(flexible.elbo[-1], em.elbo[-1], atol=2e-3)
    np.testing.assert_allclose(flexible.model.stddevs, em.model.stddevs, rtol=0.02)
    assert linear.elbo[-1] < em.elbo[-1] - 0.1
    assert linear.log_evidence[-1] - linear.elbo[-1] > 1e-3


@pytest.mark.slow
def test_a_linear_encoder_is_exact_for_components_of_one_width():
    """The log odds of N(-2, 1) and N(2, 1) are linear in x."""
    rng = np.random.default_rng(0)
    x = np.r_[rng.normal(-2, 1, 300), rng.normal(2, 1, 300)]
    x = np.r_[x, -x]  # so that the fitted widths are equal, too
    fit = amortised_inference(x, GaussianMixture([0.5, 0.5], [-1.0, 1.0], [1.5, 1.5]), learning_rate=0.05)
    assert fit.log_evidence[-1] - fit.elbo[-1] < 1e-5
    np.testing.assert_allclose(fit.q, posterior(fit.model, x), atol=5e-3)
    np.testing.assert_allclose(fit.model.means, [-2, 2], atol=0.15)


@pytest.mark.parametrize("fit", [expectation_maximisation, amortised_inference])
def test_bad_data_and_settings_are_refused_by_name(fit):
    with pytest.raises(ValueError, match="`x` must be finite"):
        fit([0.0, np.nan], START, steps=1)
    with pytest.raises(ValueError, match="`x` must not be all equal. Received: 3 times 2.0"):
        fit([2.0, 2.0, 2.0], START, steps=1)
    with pytest.raises(ValueError, match="`steps` must be an integer >= 1"):
        fit([0.0, 1.0], START, steps=0)
    with pytest.raises(ValueError, match="`start` must be of type GaussianMixture. Received: start=None"):
        fit([0.0, 1.0], None, steps=1)


def test_a_q_that_is_no_probability_and_a_start_without_weight_are_refused():
    with pytest.raises(ValueError, match="`model` must be of type GaussianMixture. Received: model=3"):
        evidence_bound(3, [0.0], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="`q` must have rows of probabilities"):
        evidence_bound(START, [0.0], [[0.5, 0.6]])
    with pytest.raises(ValueError, match="`start` must have weights above 0. Received: .*0.0"):
        amortised_inference([0.0, 1.0], GaussianMixture([1.0, 0.0], [0.0, 1.0], [1.0, 1.0]), steps=1)
