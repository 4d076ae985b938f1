"""Broken sticks: the KL of Kumaraswamy distributions against quadrature, densities against SciPy, extremes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import special, stats
from systems import BATCH, codes_of_samples, create, images
from tiny import float64, network  # noqa: F401

from keras_ijae import random
from keras_ijae.distributions import DiagonalGaussian, StandardNormal, StickBreaking, Sticks, kumaraswamy_beta_kl
from keras_ijae.distributions.tfp import tfp
from keras_ijae.models import VAE
from keras_ijae.models.bounds import code_and_kl

A, B = np.array([[0.7, 2.0, 1.3], [3.0, 0.4, 1.0]]), np.array([[3.0, 0.8, 1.0], [0.5, 6.0, 2.0]])


def raw_of(value):
    return np.log(np.expm1(np.asarray(value) - 1e-5)) - np.log(np.expm1(1 - 1e-5))


def params(a=A, b=B):
    return raw_of(np.concatenate([a, b], 1))


def log_kumaraswamy(v, a, b):
    return np.log(a * b) + (a - 1) * np.log(v) + (b - 1) * np.log1p(-(v**a))


def by_quadrature(a, b, alpha, beta):
    """By the trapezoidal rule over log t, t = -log u, which goes far to both sides."""
    s = np.linspace(-60, 4.5, 20_000)
    t = np.exp(s)
    log_v = np.log(-np.expm1(-t / b)) / a
    with np.errstate(divide="ignore"):
        log_rest = np.where(t / b < 30, np.log(-np.expm1(log_v)), -t / b - np.log(a))
    q = np.log(a * b) + (a - 1) * log_v - (b - 1) * t / b
    found = q - (alpha - 1) * log_v - (beta - 1) * log_rest + special.betaln(alpha, beta)
    return np.trapezoid(found * np.exp(-t) * t, s)


def test_the_kl_of_one_stick_is_the_golden_value():
    a, b = tf.constant(2.0, tf.float64), tf.constant(3.0, tf.float64)
    np.testing.assert_allclose(kumaraswamy_beta_kl(a, b, 1.0, 5.0, terms=300), 1.3989882, atol=1e-7)
    np.testing.assert_allclose(kumaraswamy_beta_kl(a, b, 1.0, 5.0), 1.3989882, atol=1e-4)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 5.0), (2.5, 0.5)])
def test_the_kl_of_one_stick_is_within_its_stated_error(alpha, beta):
    a, b = np.meshgrid([0.05, 1.0, 5.0, 20.0, 1000.0], [0.02, 0.3, 1.0, 10.0, 50.0])
    exact = np.vectorize(by_quadrature)(a, b, alpha, beta)
    np.testing.assert_allclose(kumaraswamy_beta_kl(a, b, alpha, beta), exact, atol=8e-4 * abs(beta - 1), rtol=1e-6)
    small = a <= 20
    better = kumaraswamy_beta_kl(a, b, alpha, beta, terms=100)
    np.testing.assert_allclose(np.array(better)[small], exact[small], atol=2e-5 * abs(beta - 1), rtol=1e-6)
    in_float32 = kumaraswamy_beta_kl(a.astype("float32"), b.astype("float32"), alpha, beta)
    np.testing.assert_allclose(in_float32, exact, atol=1e-3 * abs(beta - 1), rtol=1e-4)


def test_an_eager_kl_is_no_graph_whose_rounding_depends_on_its_tracing():
    graph = tfp().math.lbeta
    before = graph.experimental_get_tracing_count()
    kumaraswamy_beta_kl(tf.ones([2, 3]), tf.ones([2, 3]), 1.0, 7.0, terms=13)
    assert graph.experimental_get_tracing_count() == before


def test_the_same_distribution_has_a_kl_of_0():
    for alpha, beta in ((1.0, 4.0), (3.0, 1.0), (1.0, 1.0)):  # Beta(1, b) and Beta(a, 1) are Kumaraswamy's
        np.testing.assert_allclose(kumaraswamy_beta_kl([alpha], [beta], alpha, beta, terms=100), [0], atol=2e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 1.0, 0.0, 1.0), "`alpha` must be a finite number > 0"),
        ((1.0, 1.0, 1.0, -1.0), "`beta` must be a finite number > 0"),
        ((1.0, 1.0, 1.0, 1.0, 0), "`terms` must be an integer >= 1"),
        ((-1.0, 1.0, 1.0, 1.0), "`a` must be above 0. Received: a="),
        (([1.0, 2.0], [1.0, 0.0], 1.0, 1.0), "`b` must be above 0. Received: b="),
        ((None, 1.0, 1.0, 1.0), "`a` must be numbers above 0. Received: a=None"),
        ((1.0, "a", 1.0, 1.0), "`b` must be numbers above 0. Received: b of type string"),
        (
            ([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0),
            r"`a` and `b` must have one shape. Received: shapes \(2,\) and \(3,\)",
        ),
    ],
)
def test_what_the_kl_cannot_take_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        kumaraswamy_beta_kl(*arguments)


# The posterior and the prior -----------------------------------------------------------------------------------------


def test_codes_are_the_weights_of_the_papers_sticks_and_noise_zero_gives_the_medians():
    noise = np.array([[0.3, -1.0, 2.0], [0.0, 0.0, 0.0]])
    z, log_q = StickBreaking(4).sample_and_log_prob(params(), noise)
    v = (1 - stats.norm.cdf(noise) ** (1 / B)) ** (1 / A)
    rest = np.cumprod(1 - v, axis=1)
    before = np.concatenate([np.ones((2, 1)), rest[:, :-1]], 1)
    np.testing.assert_allclose(z, np.concatenate([v * before, rest[:, -1:]], 1), rtol=1e-9)
    np.testing.assert_allclose(log_q, (log_kumaraswamy(v, A, B) - np.log(before)).sum(1), rtol=1e-9)
    np.testing.assert_allclose(StickBreaking(4).log_prob(params(), z), log_q, rtol=1e-9)
    np.testing.assert_allclose(1 - (1 - v[1] ** A[1]) ** B[1], 0.5)  # the distribution function at the medians


def test_the_density_is_that_of_the_map_from_noise_to_weights():
    noise = tf.constant([[0.3, -1.0, 2.0], [0.5, -0.5, 0.1]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(noise)
        z, log_q = StickBreaking(4).sample_and_log_prob(params(), noise)
        first = z[:, :3]
    _, log_det = np.linalg.slogdet(tape.batch_jacobian(first, noise))
    np.testing.assert_allclose(log_q, stats.norm.logpdf(noise).sum(1) - log_det, rtol=1e-9)


def test_the_priors_density_is_that_of_beta_sticks():
    v = np.array([[0.2, 0.7, 0.5], [0.01, 0.9, 0.3]])
    rest = np.cumprod(1 - v, axis=1)
    before = np.concatenate([np.ones((2, 1)), rest[:, :-1]], 1)
    z = np.concatenate([v * before, rest[:, -1:]], 1)
    for concentration in (0.5, 5.0):
        expected = (stats.beta.logpdf(v, 1, concentration) - np.log(before)).sum(1)
        np.testing.assert_allclose(Sticks(4, concentration).log_prob(z), expected, rtol=1e-12)


def test_samples_of_the_prior_are_beta_sticks():
    z = Sticks(3, 2.0).sample(20_000, seed=1).numpy().astype("float64")
    np.testing.assert_allclose(z.sum(1), 1, atol=1e-6)
    assert stats.kstest(z[:, 0], stats.beta(1, 2).cdf).statistic < 0.01
    assert stats.kstest(z[:, 1] / (1 - z[:, 0]), stats.beta(1, 2).cdf).statistic < 0.012


def test_the_closed_kl_is_the_mean_of_its_estimate():
    posterior, prior, rows = StickBreaking(4), Sticks(4, 3.0), 100_000
    given = tf.constant(np.repeat(params()[:1], rows, 0).astype("float32"))
    noise = random.normal((rows, 3), 2)
    z, log_q = posterior.sample_and_log_prob(given, noise)
    codes, kl = code_and_kl(posterior, prior, given, noise)
    assert prior.has_kl(posterior) and np.ptp(kl) == 0
    np.testing.assert_array_equal(codes, z)
    np.testing.assert_allclose(np.mean(log_q - prior.log_prob(z)), kl[0], atol=0.03)
    assert not StandardNormal(4).has_kl(posterior) and not prior.has_kl(DiagonalGaussian(4))


def at_extremes(concentration):
    """A function of outputs -> all that is computed from them, and extreme outputs."""
    posterior, prior = StickBreaking(6), Sticks(6, concentration)
    rows = tf.stack([tf.fill([10], value) for value in (-1e4, -20.0, 0.0, 20.0, 1e4)])
    noise = random.normal((10, 5), 0) * tf.constant([[0.0], [9.0]] * 5)

    def all_of(given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            z, log_q = posterior.sample_and_log_prob(given, noise)
            kl, log_p = prior.kl(posterior, given), prior.log_prob(z)
        return z, log_q, kl, log_p, tape.gradient([z, kl], given)

    return all_of, tf.concat([rows, rows * tf.constant([1.0] * 5 + [-1.0] * 5)], 0)


@pytest.mark.parametrize("concentration", [1e-3, 5.0, 1e4])
def test_all_is_finite_at_sticks_of_size_0_and_1(concentration):
    all_of, given = at_extremes(concentration)
    found = all_of(given)
    assert all(np.isfinite(value).all() for value in found)
    assert (found[0] > 0).numpy().all()
    np.testing.assert_allclose(tf.reduce_sum(found[0], 1), 1, atol=1e-5)
    ends = np.eye(6, dtype="float32")  # of the simplex: weights of exactly 0
    assert np.isfinite(StickBreaking(6).log_prob(given[:6], ends)).all()
    prior = Sticks(6, concentration)
    assert np.isfinite(prior.log_prob(ends)).all() and np.isfinite(prior.sample(100, 0)).all()


@pytest.mark.slow
def test_all_is_equal_under_xla():
    all_of, given = at_extremes(5.0)
    for ours, theirs in zip(all_of(given), tf.function(all_of, jit_compile=True)(given), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
    compiled = tf.function(Sticks(3, 2.0).sample, jit_compile=True)
    np.testing.assert_array_equal(compiled(40, 1), Sticks(3, 2.0).sample(90, 1)[:40])


def test_sizes_and_names():
    assert (StickBreaking(4).units, StickBreaking(4).noise_dim, StickBreaking(4).support) == (6, 3, "sticks")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Sticks(3, 2.0)))
    assert (again.latent_dim, again.concentration) == (3, 2.0)
    for build in (StickBreaking, Sticks):
        with pytest.raises(ValueError, match="`latent_dim` must be an integer >= 2. Received: latent_dim=1"):
            build(1)
    with pytest.raises(ValueError, match="`concentration` must be a finite number > 0"):
        Sticks(3, 0.0)


@pytest.mark.parametrize("arguments", [{"prior": "normal"}, {"posterior": "diagonal"}])
def test_sticks_and_other_codes_do_not_go_together(arguments):
    with pytest.raises(ValueError, match="`prior` must have a density wherever codes of .* are.*the set 'sticks'"):
        create("stick_vae", **arguments)


# The system ----------------------------------------------------------------------------------------------------------


def test_a_model_gives_weights_and_its_bounds_are_ordered():
    model, x = create("stick_vae"), images(BATCH)
    assert type(model) is VAE and isinstance(model.posterior_family, StickBreaking)
    for codes in (model.encode(x), model.encode(x, seed=3), codes_of_samples(model, 9, 0)):
        np.testing.assert_allclose(codes.sum(1), 1, atol=1e-6)
        assert (codes > 0).all()
    model = create("stick_vae", prior=Sticks(2, 0.5))
    elbo = np.mean([model.elbo(x, seed) for seed in range(5)], 0)
    assert (elbo.mean() < model.importance_weighted_bound(x, 100).mean()) and np.isfinite(elbo).all()


@pytest.mark.usefixtures("float64")
def test_one_step_moves_the_networks_down_the_negative_bound():
    encoder, decoder = network("plain", [(3,)], (2,)), network("plain", [(2,)], (3,), seed=10)
    model = VAE(encoder=encoder, decoder=decoder, posterior="sticks", prior=Sticks(2, 3.0), likelihood="gaussian")
    x = np.random.default_rng(0).uniform(size=(5, 3))

    def retyped(phase, noise):
        def loss():
            raw = encoder(x, training=True)
            a, b = (1e-5 + tf.math.softplus(raw[:, k] + np.log(np.expm1(1 - 1e-5))) for k in (0, 1))
            u = 0.5 * (1 + tf.math.erf(noise["code"][:, 0] / 2**0.5))
            v = (1 - u ** (1 / b)) ** (1 / a)
            error = tf.reduce_sum((x - decoder(tf.stack([v, 1 - v], 1), training=True)) ** 2, 1)
            return tf.reduce_mean(error / 2 + 1.5 * np.log(2 * np.pi) + kumaraswamy_beta_kl(a, b, 1.0, 3.0))

        return {"auto_encoder": loss}

    _, logs = check_one_step(model, x, retyped)
    kl, rec = logs["kl_nats_sum"], logs["log_likelihood_density_nats_sum"]
    np.testing.assert_allclose(logs["auto_encoder_loss"], kl - rec, rtol=1e-5)
