"""Bounds with any posterior and prior: below the exact log p(x) of linear models, and lowered by the moves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import special, stats
from systems import BATCH, create, dataset, images, quick
from tiny import affine, float64, network  # noqa: F401

import keras_ijae as ki
from keras_ijae import random
from keras_ijae.distributions import (
    IAF,
    MAF,
    DiagonalGaussian,
    FullGaussian,
    GaussianMixture,
    LearnedMixture,
    PlanarFlow,
    Posterior,
    Prior,
    RealNVP,
    ResampledPrior,
    Sphere,
    StandardNormal,
    Uniform,
    VampPrior,
    likelihoods,
)
from keras_ijae.evaluation import ais_log_likelihood
from keras_ijae.game import Batch
from keras_ijae.game import data as game_data
from keras_ijae.models import VAE
from keras_ijae.models.bounds import code_and_kl
from keras_ijae.replicas import Share

W = np.array([[1.2, 0.0, 0.5], [-0.4, 0.8, 0.3]])  # x = z @ W + C + SIGMA e
C, SIGMA = np.array([0.2, -0.1, 0.4]), 0.6
SHARES = special.softmax([0.4, -0.4])
MEANS, SCALES = np.array([[-1.0, 0.5], [1.5, 0.0]]), np.array([[0.6, 1.0], [0.8, 0.5]])


def raw_of(scale):
    return np.log(np.expm1(np.asarray(scale) - 1e-5)) - np.log(np.expm1(1 - 1e-5))


def mixture():
    prior = LearnedMixture(2, 2)
    prior.logits.assign([0.4, -0.4]), prior.means.assign(MEANS), prior.raw_scales.assign(raw_of(SCALES))
    return prior


def fitted():
    """A mixture with full covariances, of codes in two slanted clusters."""
    noise = np.random.default_rng(3).normal(size=(500, 2)) @ [[0.9, 0.0], [0.4, 0.8]]
    prior = GaussianMixture(2, 2)
    prior.fit(noise + np.repeat(MEANS, [300, 200], axis=0))
    return prior


@keras.saving.register_keras_serializable("tests")
class Hierarchy(Prior):
    """z = y + e / 2, y ~ N(0, 3/4): N(0, I), whose density is bounded by one y ~ N(z / 2, 1/2) for each z."""

    density_noise_dim = 2

    def sample(self, n, seed):
        return random.normal((n, self.latent_dim), seed)

    def log_prob(self, z, noise):
        y = z / 2 + 0.5**0.5 * tf.cast(noise, z.dtype)
        return log_normal(z, y, 0.5) + log_normal(y, 0.0, 0.75**0.5) - log_normal(y, z / 2, 0.5**0.5)


def log_normal(at, mean, deviation):
    log_deviation = tf.math.log(tf.cast(deviation, at.dtype)) + np.log(2 * np.pi) / 2
    return -tf.reduce_sum(((at - mean) / deviation) ** 2 / 2 + log_deviation, axis=1)


def linear(prior="normal", posterior="diagonal", **arguments):
    """A linear-Gaussian decoder, and an encoder not far from its posterior."""
    units = ki.distributions.posteriors.get(posterior, 2).units
    kernel, bias = np.zeros((3, units)), np.random.default_rng(4).normal(scale=0.3, size=units)
    kernel[:, :2], bias[:4] = 0.8 * np.linalg.pinv(W), [-0.1, 0.1, *raw_of([0.6, 0.7])]
    return VAE(
        encoder=affine(kernel, bias, (3,)),
        decoder=affine(W, C, (2,)),
        likelihood=likelihoods.Gaussian(SIGMA),
        prior=prior,
        posterior=posterior,
        **arguments,
    )


def exact(x, prior):
    """log p(x) of the linear decoder and a mixture of Gaussians, or N(0, I)."""
    shares, means, covariances = [1.0], [np.zeros(2)], [np.eye(2)]
    if isinstance(prior, LearnedMixture):
        shares, means, covariances = SHARES, MEANS, [np.diag(scale**2) for scale in SCALES]
    elif isinstance(prior, GaussianMixture):
        shares, means, triangles = (w.numpy().astype("float64") for w in (prior.shares, prior.means, prior.triangles))
        covariances = triangles @ triangles.swapaxes(1, 2)
    parts = [
        stats.multivariate_normal.pdf(x, mean @ W + C, W.T @ covariance @ W + SIGMA**2 * np.eye(3))
        for mean, covariance in zip(means, covariances, strict=True)
    ]
    return np.log(shares @ np.array(parts))


def by_quadrature(prior, x):
    """log p(x) of the linear decoder and any prior."""
    grid = np.linspace(-8, 8, 161)
    z = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    mass = np.exp(log_resampled(prior, z) if isinstance(prior, ResampledPrior) else prior.log_prob(z)) * 0.1**2
    np.testing.assert_allclose(mass.sum(), 1, atol=0.01)
    return np.log([np.exp(-((row - z @ W - C) ** 2).sum(1) / (2 * SIGMA**2)) @ mass for row in x]) - 3 * np.log(
        SIGMA * np.sqrt(2 * np.pi)
    )


def log_resampled(prior, z):
    """log p(z) on a grid of cells of 0.1^2, typed from the paper: with the exact Z, which the prior estimates."""
    log_pi = stats.norm.logpdf(z).sum(1)
    a = special.expit(prior.acceptance(z).numpy()[:, 0])
    normaliser = a @ np.exp(log_pi) * 0.1**2
    alpha = (1 - normaliser) ** (prior.truncation - 1)
    return log_pi + np.log((1 - alpha) * a / normaliser + alpha)


def moved(model):
    """The model, what it has to learn in its prior and posterior away from its start."""
    rng = np.random.default_rng(7)
    for weight in (*model.prior.trainable_variables, *model.posterior_family.trainable_variables):
        weight.assign(weight + 0.15 * rng.normal(size=weight.shape))
    return model


def data(rows=200):
    rng = np.random.default_rng(0)
    return (rng.normal(size=(rows, 2)) @ W + C + SIGMA * rng.normal(size=(rows, 3))).astype("float32")


CASES = {
    "a mixture": (mixture, "diagonal"),
    "a fitted mixture": (fitted, "diagonal"),
    "a fitted mixture and a flow": (fitted, PlanarFlow(2, depth=3)),
    "a flow": (lambda: "normal", PlanarFlow(2, depth=3)),
    "a mixture and a flow": (mixture, PlanarFlow(2, depth=3)),
    "a bound of the prior": (lambda: Hierarchy(2), "full"),
}


@pytest.mark.parametrize("case", quick(CASES, ["a flow", "a bound of the prior"]))
def test_the_bounds_rise_from_the_elbo_to_the_exact_log_likelihood(case):
    prior, posterior = CASES[case]
    model, x = linear(prior(), posterior), data()
    elbo = np.mean([model.elbo(x, seed) for seed in range(5)])
    few, many = (np.mean(model.importance_weighted_bound(x, samples, chunk=50)) for samples in (5, 100))
    truth = exact(x, model.prior).mean()
    assert elbo + 0.05 < few < many < truth + 0.03
    np.testing.assert_allclose(many, truth, atol=0.08)
    chunked = model.importance_weighted_bound(x[:3], samples=5, chunk=2)
    np.testing.assert_allclose(chunked, model.importance_weighted_bound(x, samples=5, chunk=5)[:3], rtol=1e-5)


def test_bounds_of_many_rows_are_those_of_their_parts(monkeypatch):
    model, x = linear(), data(11)
    whole = model.elbo(x), model.importance_weighted_bound(x, 5, 2), model.posterior(x).mean()
    monkeypatch.setattr(game_data, "ROWS", 4)
    parts = model.elbo(x), model.importance_weighted_bound(x, 5, 2), model.posterior(x).mean()
    for left, right in zip(whole, parts, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


PRIORS = {
    "normal": lambda: StandardNormal(2),
    "mixture": mixture,
    "fitted": fitted,
    "realnvp": lambda: RealNVP(2, depth=4, width=8, seed=1),
    "maf": lambda: MAF(2, depth=2, width=8, seed=1),
    "vamp": lambda: VampPrior(2, 4),
    "resampled": lambda: ResampledPrior(2, truncation=5),
}
POSTERIORS = {
    "diagonal": lambda: DiagonalGaussian(2),
    "full": lambda: FullGaussian(2),
    "planar": lambda: PlanarFlow(2, depth=3),
    "iaf": lambda: IAF(2, depth=2, width=8, context=2, seed=1),
}
PAIRS = [f"{prior} and {posterior}" for prior in PRIORS for posterior in POSTERIORS]
PAIRS.remove("vamp and planar")  # which is refused: a planar flow has no density for given codes


@pytest.mark.parametrize("pair", quick(PAIRS, ["realnvp and diagonal", "resampled and iaf"]))
def test_bounds_rise_to_the_integral_over_codes_for_every_prior_and_posterior(pair):
    prior, posterior = (named() for named in (PRIORS[pair.split()[0]], POSTERIORS[pair.split()[2]]))
    model, x = moved(linear(prior, posterior)), data(100)
    truth = by_quadrature(model.prior, x).mean()
    elbo = np.mean([model.elbo(x, seed) for seed in range(5)])
    few, many = (np.mean(model.importance_weighted_bound(x, samples, chunk=100)) for samples in (5, 100))
    assert elbo + 0.03 < few < many < truth + 0.03
    np.testing.assert_allclose(many, truth, atol=0.12)


def test_the_integral_over_codes_is_the_exact_log_likelihood_of_a_fitted_mixture():
    prior, x = fitted(), data(20)
    np.testing.assert_allclose(by_quadrature(prior, x), exact(x, prior), atol=1e-3)


@pytest.mark.parametrize("counts", [{"samples": 0}, {"chunk": 0}, {"samples": 2.5}])
def test_the_importance_weighted_bound_needs_whole_numbers_from_one(counts):
    with pytest.raises(ValueError, match=f"`{next(iter(counts))}` must be an integer >= 1"):
        linear().importance_weighted_bound(data(3), **counts)


@keras.saving.register_keras_serializable("tests")
class Wide(StandardNormal):
    """N(0, 9 I), built on N(0, I)."""

    def log_prob(self, z):
        return super().log_prob(z / 3) - self.latent_dim * np.log(3)


def test_a_prior_built_on_the_standard_normal_with_another_density_has_its_own_kl():
    posterior, params = DiagonalGaussian(2), np.zeros((20_000, 4), "float32")
    noise = random.normal((20_000, 2), 0)
    _, kl = code_and_kl(posterior, Wide(2), params, noise)
    np.testing.assert_allclose(np.mean(kl), 2 * (np.log(3) + 1 / 18 - 1 / 2), atol=0.02)
    np.testing.assert_allclose(code_and_kl(posterior, StandardNormal(2), params, noise)[1], 0, atol=1e-6)


class WidePosterior(DiagonalGaussian):
    """N(mean, 9 scale²), built on N(mean, scale²)."""

    def sample_and_log_prob(self, params, noise):
        mean, scale = self._mean_and_scale(params)
        log_q = stats.norm.logpdf(noise).sum(1) - tf.reduce_sum(tf.math.log(3 * scale), axis=1)
        return mean + 3 * scale * noise, tf.cast(log_q, tf.float32)


def test_a_posterior_built_on_another_with_other_codes_has_no_closed_forms_of_its():
    posterior, params, noise = WidePosterior(2), np.zeros((20_000, 4), "float32"), random.normal((20_000, 2), 0)
    assert not posterior.has_kl and not posterior.has_log_prob
    assert DiagonalGaussian.has_kl and FullGaussian.has_log_prob and IAF.has_log_prob
    _, kl = code_and_kl(posterior, StandardNormal(2), params, noise)
    np.testing.assert_allclose(np.mean(kl), 2 * (4 - np.log(3)), atol=0.1)


def test_a_posterior_has_the_closed_forms_that_it_defines_unless_it_says_otherwise():
    class WithKL(WidePosterior):
        def kl(self, params):
            return 7 * tf.ones(tf.shape(params)[0])

    class Without(WithKL):
        has_kl = False

    params, noise = np.zeros((4, 4), "float32"), random.normal((4, 2), 0)
    assert (WithKL.has_kl, WithKL.has_log_prob, Without.has_kl) == (True, False, False)
    np.testing.assert_array_equal(code_and_kl(WithKL(2), StandardNormal(2), params, noise)[1], 7)
    assert not np.any(code_and_kl(Without(2), StandardNormal(2), params, noise)[1] == 7)


@pytest.mark.parametrize("likelihood", ["bernoulli", "discretized_logistic"])
def test_data_outside_of_the_range_of_a_likelihood_have_no_bounds(likelihood):
    model, x = create("vae", (3,), likelihood=likelihood), 20 * data(3)
    scores = [model.elbo, model.importance_weighted_bound, lambda x: ais_log_likelihood(model, x, 2, 2)]
    for score in [*scores, lambda x: ki.evaluation.evaluate(model, x, ["elbo"])]:
        with pytest.raises(ValueError, match=r"`x` must be in \[0, 1\] under a .*Received: range"):
            score(x)


@pytest.mark.slow
def test_annealed_importance_sampling_takes_a_learned_mixture():
    model, x = linear(mixture()), data(5)
    found = ais_log_likelihood(model, np.repeat(x, 10, 0), steps=200, chains=8, batch_size=50).log_likelihood
    np.testing.assert_allclose(found.reshape(5, 10).mean(1), exact(x, model.prior), atol=0.2)
    with pytest.raises(ValueError, match=r"prior with an exact density on R\^latent_dim.*Hierarchy"):
        ais_log_likelihood(linear(Hierarchy(2)), x)


@pytest.mark.slow
def test_annealed_importance_sampling_begins_at_the_average_of_a_prior():
    def with_prior_moved(ema):
        model = linear(mixture(), ema=ema)
        model.prior.means.assign(model.prior.means + 5.0)  # of which the average knows nothing
        return ais_log_likelihood(model, data(5), steps=50, chains=4).log_likelihood

    untouched = ais_log_likelihood(linear(mixture()), data(5), steps=50, chains=4).log_likelihood
    np.testing.assert_allclose(with_prior_moved(0.9), untouched, atol=1e-3)
    assert np.abs(with_prior_moved(None) - untouched).max() > 0.5


def test_one_component_at_the_standard_normal_gives_the_plain_vaes_terms_in_expectation():
    prior, x = LearnedMixture(2, 1), data(1)
    prior.means.assign(np.zeros((1, 2)))
    noise = {"code": random.normal((40_000, 2), 0)}
    plain, learned = (model.bound_terms(Batch(tf.repeat(x, 40_000, 0)), noise) for model in (linear(), linear(prior)))
    np.testing.assert_array_equal(plain[0], learned[0])  # the same codes
    np.testing.assert_allclose(tf.reduce_mean(learned[1]), tf.reduce_mean(plain[1]), atol=0.02)
    assert np.ptp(plain[1]) < 1e-5 < np.std(learned[1])  # a closed form, and an estimate of it


# One step against finite differences, the densities typed from the papers -------------------------------------------


def log_mixture(prior, z):
    """log sum_k softmax(logits)_k N(z; means_k, scales_k^2)."""
    logits, means, raw = (tf.convert_to_tensor(w) for w in (prior.logits, prior.means, prior.raw_scales))
    scales = 1e-5 + tf.math.softplus(raw + np.log(np.expm1(1 - 1e-5)))
    parts = [
        tf.exp(logits[k]) / tf.reduce_sum(tf.exp(logits)) * tf.exp(log_normal(z, means[k], scales[k])) for k in range(3)
    ]
    return tf.math.log(tf.add_n(parts))


@keras.saving.register_keras_serializable("tests")
class Sheared(Posterior):
    """A Gaussian with a learned correlation, alike for all x: a posterior with a weight of its own."""

    def __init__(self, latent_dim, **options):
        super().__init__(latent_dim, **options)
        self.shear = self.add_weight((), "zeros", autocast=False, name="shear")

    @property
    def units(self):
        return 2

    def sample_and_log_prob(self, params, noise):
        shear = tf.cast(self.shear, noise.dtype)
        z = tf.cast(params, noise.dtype) + tf.stack([noise[:, 0], noise[:, 1] + shear * noise[:, 0]], 1)
        return z, log_normal(noise, 0.0, 1.0)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_one_step_moves_networks_prior_and_posterior_down_the_negative_bound(beta):
    encoder, decoder = network("plain", [(3,)], (2,)), network("plain", [(2,)], (3,), seed=10)
    prior, posterior = LearnedMixture(2, 3), Sheared(2)
    model = VAE(encoder=encoder, decoder=decoder, prior=prior, posterior=posterior, likelihood="gaussian", beta=beta)
    assert model.moves[0].networks == ("encoder", "decoder", "posterior_family", "prior")
    x = np.random.default_rng(0).uniform(size=(5, 3))

    def retyped(phase, noise):
        def loss():
            e, shear = noise["code"], tf.convert_to_tensor(posterior.shear)
            z = encoder(x, training=True) + tf.stack([e[:, 0], e[:, 1] + shear * e[:, 0]], 1)
            kl = log_normal(e, 0.0, 1.0) - log_mixture(prior, z)
            return tf.reduce_mean(beta * kl - log_normal(x, decoder(z, training=True), 1.0))

        return {"auto_encoder": loss}

    _, logs = check_one_step(model, x, retyped)
    kl, rec = logs["kl_nats_sum"], logs["log_likelihood_density_nats_sum"]
    np.testing.assert_allclose(logs["auto_encoder_loss"], beta * kl - rec, rtol=1e-5)


@pytest.mark.parametrize("name", ["ijae", "ali"])
def test_other_systems_move_a_posteriors_weights_with_the_encoder(name):
    model = create(name, posterior=Sheared(2))
    assert next(move.networks for move in model.moves if move.name == "encoder") == ("encoder", "posterior_family")
    model.compile(run_eagerly=True)
    model.fit(dataset(images(BATCH)), verbose=0)
    assert float(model.posterior_family.shear.numpy()) != 0
    average = next(average for weight, average in model.averages if weight is model.posterior_family.shear)
    assert float(average.numpy()) != 0


@pytest.mark.parametrize("prior", ["normal", "frozen"])
def test_lambda_ijae_lowers_the_same_kl_as_the_vae(prior):
    prior = LearnedMixture(2, trainable=False) if prior == "frozen" else prior
    model, x = create("ijae", posterior="diagonal", prior=prior, lam=1.0), images(BATCH)
    rows = Batch(tf.constant(x))
    noise = model.noise(model.draws(Share(BATCH), "test"))
    vae = VAE(encoder=model.encoder, decoder=model.decoder, prior=model.prior, likelihood="gaussian")
    played = model.losses(rows, noise, "players", model.forward(rows, noise, "players"))
    _, kl = vae.bound_terms(rows, {"code": noise["code"]}, training=True)
    np.testing.assert_allclose(played.logs["kl_estimate_sum"], tf.reduce_mean(kl), rtol=1e-5)


def test_joint_games_with_densities_have_the_bounds_of_a_vae_and_others_say_what_they_lack():
    model, x = create("ali", likelihood="gaussian"), images(BATCH)
    vae = VAE(encoder=model.encoder, decoder=model.decoder, likelihood="gaussian")
    assert model.has_bounds and vae.has_bounds
    np.testing.assert_array_equal(model.elbo(x), vae.elbo(x))
    np.testing.assert_array_equal(model.importance_weighted_bound(x, 3), vae.importance_weighted_bound(x, 3))
    for lacking in ({}, {"likelihood": "gaussian", "prior": "uniform"}):
        model = create("ali", **lacking)
        assert not model.has_bounds
        with pytest.raises(
            ValueError, match="This ALI has no bounds of log p.x., which need densities: create it with"
        ):
            model.elbo(x)


def test_a_conditional_vae_takes_a_flow_and_labels_and_refuses_one_learned_prior_for_all_labels():
    model, x = create("nf_vae", classes=3), images(6)
    labels = [0, 1, 2, 0, 1, -1]
    bounds = model.elbo(x, labels=labels), model.importance_weighted_bound(x, 20, labels=labels)
    assert bounds[0].shape == bounds[1].shape == (6,) and bounds[0].mean() < bounds[1].mean()
    assert np.abs(model.elbo(x, labels=[1] * 6) - bounds[0]).max() > 1e-4
    with pytest.raises(
        ValueError,
        match="`classes` is not taken by VAE: its prior, LearnedMixture, is one density.*learned. Pass another",
    ):
        create("gmm_vae", classes=3)


# What does not fit --------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class Boxed(Posterior):
    """Codes in (0, 1)^latent_dim."""

    support = (0, 1)

    @property
    def units(self):
        return self.latent_dim

    def sample_and_log_prob(self, params, noise):
        z = tf.sigmoid(params + noise)
        return z, log_normal(noise, 0.0, 1.0) - tf.reduce_sum(tf.math.log(z * (1 - z)), axis=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            lambda: {"prior": "uniform"},
            r"`prior` must have a density wherever.*FullGaussian are, R.*Uniform, \(-1, 1\)",
        ),
        (
            lambda: {"prior": Sphere(2)},
            "Pass 'normal', 'mixture' or another `Prior`.*Received: Sphere, the set 'sphere'",
        ),
        (
            lambda: {"prior": Uniform(2, 0, 0.5), "posterior": Boxed(2)},
            r"Boxed are, \(0, 1\).*Uniform, \(0, 0.5\)",
        ),
        (
            lambda: {"prior": ki.distributions.GeneratedPrior(affine(np.eye(2), sizes=(2,)), 2, 2)},
            "`prior` must have a density.*GeneratedPrior, without",
        ),
        (lambda: {"posterior": PlanarFlow(3)}, "`posterior` must have latent_dim=2. Received: latent_dim=3"),
        (lambda: {"prior": LearnedMixture(3)}, r"`prior` must have event shape \(2,\)"),
    ],
    ids=range(6),
)
def test_a_prior_without_a_density_where_codes_are_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        create("vae", **arguments())


def test_a_posterior_on_a_box_takes_a_prior_on_it():
    x = images(BATCH)
    assert np.isfinite(create("vae", prior=Uniform(2, 0, 1), posterior=Boxed(2)).elbo(x)).all()
    assert np.isfinite(create("vae", posterior=Boxed(2)).elbo(x)).all()  # N(0, I) has a density there too


def test_noise_of_any_size_makes_a_code_and_an_estimated_prior_is_trained_and_evaluated():
    class Wide(Boxed):
        def __init__(self, latent_dim, **options):
            super().__init__(latent_dim, **options)
            self.noise_dim = 2 * latent_dim

        def sample_and_log_prob(self, params, noise):
            return super().sample_and_log_prob(params, noise[:, : self.latent_dim])

    model, x = create("vae", posterior=Wide(2), prior=Hierarchy(2)), images(BATCH)
    assert {name: draw.shape[1] for name, draw in model.noise(model.draws(Share(3))).items()} == {"code": 4, "prior": 2}
    model.compile(run_eagerly=True)
    history = model.fit(dataset(x), validation_data=dataset(x), verbose=0).history
    assert np.isfinite([*history["kl_nats_sum"], *history["val_kl_nats_sum"]]).all()
    assert model.encode(x).shape == model.encode(x, seed=1).shape and not np.allclose(
        model.encode(x), model.encode(x, 1)
    )
    other = create("ijae", posterior="diagonal", prior=Hierarchy(2))
    assert other.noise(other.draws(Share(3)))["prior"].shape == (3, 2)


@pytest.mark.parametrize("name", quick(["gan", "wae_mmd", "aae", "ijae", "ali"], ["ijae"]))
def test_a_prior_that_nothing_would_move_is_refused_and_a_frozen_one_taken(name):
    with pytest.raises(ValueError, match=r"`prior` has weights to learn.*such as VAE.*trainable=False.*LearnedMixture"):
        create(name, prior="mixture")
    model = create(name, prior=LearnedMixture(2, trainable=False))
    model.compile(run_eagerly=True)
    before = model.prior.get_weights()
    model.fit(dataset(images(BATCH)), verbose=0)
    for one, other in zip(before, model.prior.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
