"""Annealed importance sampling of each kind of decoder, likelihood and prior, against quadrature over two latents."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats
from systems import quick
from tiny import affine

import keras_ijae as ki
from keras_ijae.distributions import GaussianMixture
from keras_ijae.distributions.likelihoods import DiscretizedLogistic, Gaussian, Laplace
from keras_ijae.evaluation import ais_log_likelihood, bdmc

PIXELS, SCALE = 20, 0.5
W, B = np.random.default_rng(0).normal(size=(2, PIXELS)), np.random.default_rng(1).normal(size=PIXELS) / 2
CODES = np.array([[0.3, -0.8], [1.2, 0.4], [-0.7, -0.2], [-0.1, 0.9]])
MEANS = special.expit(CODES @ W + B)
BITS = (np.random.default_rng(2).random(MEANS.shape) < MEANS).astype("float32")
GREY = (MEANS + np.random.default_rng(3).normal(0, SCALE, MEANS.shape)).astype("float32")
AXIS = np.arange(-5.975, 6, 0.05)  # midpoints of cells, of which none crosses the border of the box
GRID = np.stack(np.meshgrid(AXIS, AXIS), axis=-1).reshape(-1, 2)


def decoder(activation, sizes=(2,)):
    """activation(u W + B) of the latents u side by side."""
    linear = affine(W, B, sizes)
    return keras.Model(linear.input, keras.layers.Activation(activation)(linear.output))


def vae(**arguments):
    return ki.models.VAE(
        encoder=affine(np.zeros((PIXELS, 4)), np.zeros(4), (PIXELS,)), decoder=decoder("linear"), **arguments
    )


def gan(activation="sigmoid", **arguments):
    return ki.models.GAN(
        decoder=decoder(activation), discriminator=affine(np.zeros((PIXELS, 1)), None, (PIXELS,)), **arguments
    )


def svae(activation="sigmoid"):
    """The first latent is the code, the second the noise of the decoder."""
    return ki.models.SVAE(
        encoder=affine(np.zeros((PIXELS + 1, 1)), None, (PIXELS, 1)),
        decoder=decoder(activation, (1, 1)),
        joint_discriminator=affine(np.zeros((PIXELS + 1, 1)), None, (PIXELS, 1)),
    )


def gmm():
    prior = GaussianMixture(2, components=2)
    prior.shares.assign([0.3, 0.7])
    prior.means.assign([[-1.0, 0.0], [1.0, 0.5]])
    prior.triangles.assign([[[0.7, 0.0], [0.3, 0.5]], [[0.4, 0.0], [-0.2, 0.8]]])
    return prior


def log_gmm(u):
    parts = zip(gmm().shares.numpy(), gmm().means.numpy(), gmm().triangles.numpy(), strict=True)
    return special.logsumexp([np.log(s) + stats.multivariate_normal(m, t @ t.T).logpdf(u) for s, m, t in parts], axis=0)


def log_normal(u):
    return stats.norm.logpdf(u).sum(axis=1)


def log_box(u):
    return np.where(np.abs(u).max(axis=1) < 1, np.log(1 / 4), -np.inf)


def bits(outputs, x):
    return x @ outputs.T - np.logaddexp(0, outputs).sum(axis=1)


def density(distribution, activation=special.expit):
    return lambda outputs, x: np.stack([distribution.logpdf(row - activation(outputs)).sum(axis=1) for row in x])


def levels(outputs, x):
    """Of 256 grey levels."""
    level, mean = np.round(255 * x), 255 * special.expit(outputs)
    edges = [np.where(level <= 0, -np.inf, level - 0.5), np.where(level >= 255, np.inf, level + 0.5)]
    lower, upper = (
        np.stack([stats.logistic.cdf(row, mean, 255 * SCALE) for row in np.broadcast_to(edge, x.shape)])
        for edge in edges
    )
    return np.log(upper - lower).sum(axis=-1)


def exact(log_likelihood, x, log_prior):
    """log p(x) by quadrature: the sum over a grid that holds all of the posterior."""
    with np.errstate(divide="ignore"):
        joint = log_likelihood(GRID @ W + B, x.astype("float64")) + log_prior(GRID)
    return special.logsumexp(joint, axis=1) + 2 * np.log(AXIS[1] - AXIS[0])


NORMAL, PLAIN = density(stats.norm(0, SCALE)), density(stats.norm(0, 1), lambda outputs: outputs)
CASES = {
    "logits, the model's Bernoulli": (vae, {}, None, BITS, bits, log_normal),
    "logits, Gaussian": (vae, {}, Gaussian(SCALE), GREY, NORMAL, log_normal),
    "means, the model's Gaussian": (vae, {"likelihood": Gaussian(1.0)}, None, GREY, PLAIN, log_normal),
    "probabilities, Bernoulli": (gan, {}, "bernoulli", BITS, bits, log_normal),
    "probabilities, Gaussian": (gan, {}, Gaussian(SCALE), GREY, NORMAL, log_normal),
    "probabilities, Laplace": (gan, {}, Laplace(SCALE), GREY, density(stats.laplace(0, SCALE)), log_normal),
    "probabilities, levels": (gan, {}, DiscretizedLogistic(SCALE), np.clip(GREY, 0, 1), levels, log_normal),
    "implicit probabilities, Bernoulli": (svae, {}, "bernoulli", BITS, bits, log_normal),
    "implicit, Gaussian": (svae, {"activation": "linear"}, Gaussian(1.0), GREY, PLAIN, log_normal),
    "uniform prior": (gan, {"prior": "uniform"}, "bernoulli", BITS, bits, log_box),
    "mixture prior": (gan, {"prior": gmm()}, "bernoulli", BITS, bits, log_gmm),
}


OFTEN = ["probabilities, Laplace"]


@pytest.mark.parametrize("case", quick(CASES, OFTEN))
def test_estimates_are_near_the_exact_log_likelihood_for_every_decoder_likelihood_and_prior(case):
    build, arguments, likelihood, x, log_likelihood, log_prior = CASES[case]
    found = ais_log_likelihood(build(**arguments), x, steps=400, chains=64, leapfrog_steps=5, likelihood=likelihood)
    errors = found.log_likelihood - exact(log_likelihood, x, log_prior)
    np.testing.assert_allclose(errors, 0, atol=0.15)


@pytest.mark.slow
def test_bounds_of_an_implicit_sigmoid_decoder_meet():
    bounds = bdmc(svae(), n=20, steps=300, chains=16, leapfrog_steps=5, likelihood="bernoulli")
    assert 0 < bounds.gap < 0.1


def test_a_likelihood_of_the_models_own_kind_reads_its_logits_unclipped():
    model = vae()
    model.decoder.set_weights([100 * weight for weight in model.decoder.get_weights()])
    own, given = (ais_log_likelihood(model, BITS, 3, 2, likelihood=name).log_likelihood for name in (None, "bernoulli"))
    np.testing.assert_array_equal(own, given)
    assert own.min() < -200


@pytest.mark.slow
def test_probabilities_of_0_and_1_are_clipped():
    model = gan(ema=None)
    model.decoder.set_weights([np.zeros((2, PIXELS)), np.full(PIXELS, 1000.0)])
    found = ais_log_likelihood(model, np.zeros((1, PIXELS), "float32"), 2, 1, likelihood="bernoulli")
    assert found.mean == pytest.approx(PIXELS * np.log(1e-6), rel=1e-2)


@pytest.mark.parametrize("name", ["mask_aae", "flex_ae"])
def test_a_prior_without_a_density_is_refused(name):
    with pytest.raises(ValueError, match="must have a prior with an exact density.*whose prior is a GeneratedPrior"):
        ais_log_likelihood(ki.create(name, (4,), 2, networks="mlp", width=8), np.zeros((1, 4)), likelihood="gaussian")


def test_a_likelihood_without_a_density_is_refused():
    with pytest.raises(ValueError, match="`likelihood` must have a density. Received: 'cyclic_shift'"):
        ais_log_likelihood(ki.create("gan", (8, 8, 1), 2, width=8), BITS, likelihood="cyclic_shift")


def test_a_likelihood_of_which_no_model_has_learned_the_scale_is_refused():
    model = vae(likelihood="learned_gaussian")
    with pytest.raises(ValueError, match="`likelihood` must have a scale, which nothing has learned here"):
        ais_log_likelihood(model, GREY, 2, 2, likelihood=Gaussian("learned"))
    assert np.isfinite(ais_log_likelihood(model, GREY, 2, 2, likelihood=model.likelihood).mean)


def test_the_name_of_a_learned_scale_is_the_scale_that_the_model_has_learned():
    model = vae(likelihood="learned_gaussian")
    own = ais_log_likelihood(model, GREY, 4, 2)
    model.likelihood.trainable_variables[0].assign_add(tf.ones_like(model.likelihood.trainable_variables[0]))
    learned = ais_log_likelihood(model, GREY, 4, 2)
    named = ais_log_likelihood(model, GREY, 4, 2, likelihood="learned_gaussian")
    np.testing.assert_array_equal(named.log_likelihood, learned.log_likelihood)
    assert np.abs(own.log_likelihood - learned.log_likelihood).min() > 0.1


@pytest.mark.parametrize("name", ["learned_gaussian", "learned_laplace", "discretized_logistic"])
def test_the_name_of_a_scale_that_nothing_has_learned_is_refused(name):
    with pytest.raises(
        ValueError, match=rf"must have a scale.*give a number.*Received: '{name}', for a GAN that has none"
    ):
        ais_log_likelihood(gan(), GREY, 4, 2, likelihood=name)
    with pytest.raises(ValueError, match="for a VAE that has a Bernoulli"):
        bdmc(vae(likelihood="bernoulli"), 2, 4, 2, likelihood=name)
