"""The VAE against closed forms: losses, bounds of a linear-Gaussian model, golden numbers, a target recovered."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import stats
from systems import BATCH, LATENT, SHAPE, create, dataset, same, train, weights
from tiny import COVARIANCE as TARGET
from tiny import (  # noqa: F401
    affine,
    check_samples,
    float64,
    gaussian_data,
    loss_gradient,
    network,
    play_phase,
    signs,
    train_on_gaussian,
)

from keras_ijae.distributions import likelihoods, posteriors
from keras_ijae.game import Batch
from keras_ijae.models import VAE
from keras_ijae.replicas import Share

mean, total, log = tf.reduce_mean, tf.reduce_sum, tf.math.log
SHIFT = np.log(np.expm1(1 - 1e-5))  # a raw scale of 0 is the scale 1


def vae(encoder, decoder, **arguments):
    return VAE(encoder=encoder, decoder=decoder, **arguments)


def constant(outputs, inputs=1):
    """A network that ignores its inputs."""
    return affine(np.zeros((inputs, len(outputs))), outputs, (inputs,))


def scale_of(raw):
    return 1e-5 + tf.math.softplus(raw + SHIFT)


def raw_of(scale):
    return np.log(np.expm1(np.asarray(scale) - 1e-5)) - SHIFT


# The losses, typed from the papers: nats per example, summed over dimensions ------------------------------------------


def logistic_bins(out, x, s):
    """256 levels, 0 and 255 reaching to infinity; the difference is taken on the side where it does not cancel."""
    upper = (np.where(x > 254.5 / 255, np.inf, x + 0.5 / 255) - out) / s
    lower = (np.where(x < 0.5 / 255, -np.inf, x - 0.5 / 255) - out) / s
    sign = tf.cast(tf.where(lower > 0, -1, 1), lower.dtype)
    return -total(log(sign * (tf.sigmoid(sign * upper) - tf.sigmoid(sign * lower))), 1)


def learned(model):
    return 1e-5 + tf.exp(model.likelihood.log_scale.value)


RECONSTRUCTION = {
    "bernoulli": lambda model, out, x: -total(x * log(tf.sigmoid(out)) + (1 - x) * log(1 - tf.sigmoid(out)), 1),
    "gaussian": lambda model, out, x: total((x - out) ** 2, 1) / 2 + 3 / 2 * np.log(2 * np.pi),
    "laplace": lambda model, out, x: total(tf.abs(x - out), 1) + 3 * np.log(2),
    "learned_gaussian": lambda model, out, x: (
        total((x - out) ** 2, 1) / (2 * learned(model) ** 2) + 3 / 2 * log(2 * np.pi * learned(model) ** 2)
    ),
    "learned_laplace": lambda model, out, x: total(tf.abs(x - out), 1) / learned(model) + 3 * log(2 * learned(model)),
    "discretized_logistic": lambda model, out, x: logistic_bins(out, x, learned(model)),
}


def diagonal(outputs, noise):
    mu, scale = outputs[:, :2], scale_of(outputs[:, 2:])
    return mu + scale * noise, total(mu**2 + scale**2 - 1 - 2 * log(scale), 1) / 2


def full(outputs, noise):
    mu, first, off, last = outputs[:, :2], scale_of(outputs[:, 4]), outputs[:, 3], scale_of(outputs[:, 2])
    z = mu + tf.stack([first * noise[:, 0], off * noise[:, 0] + last * noise[:, 1]], 1)  # L = [[first, 0], [off, last]]
    return z, (first**2 + off**2 + last**2 + total(mu**2, 1) - 2 - 2 * log(first * last)) / 2


POSTERIORS = {"diagonal": (diagonal, 4), "full": (full, 5)}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "likelihood, posterior, kind, beta",
    [
        ("bernoulli", "diagonal", "plain", 1.0),
        ("gaussian", "full", "batch", 1.0),
        ("laplace", "diagonal", "batch", 4.0),
        ("learned_gaussian", "diagonal", "spectral", 0.5),
        ("learned_laplace", "full", "plain", 1.0),
        ("discretized_logistic", "diagonal", "plain", 2.0),
    ],
)
def test_one_step_moves_everything_down_the_negative_bound(likelihood, posterior, kind, beta):
    draw, units = POSTERIORS[posterior]
    encoder, decoder = network(kind, [(3,)], (units,)), network(kind, [(2,)], (3,), seed=10)
    model = vae(encoder, decoder, posterior=posterior, likelihood=likelihood, beta=beta)
    x = np.round(np.random.default_rng(0).uniform(size=(5, 3)) * 255) / 255

    def retyped(phase, noise):
        def loss():
            z, kl = draw(encoder(x, training=True), noise["code"])
            return mean(RECONSTRUCTION[likelihood](model, decoder(z, training=True), x) + beta * kl)

        return {"auto_encoder": loss}

    _, logs = check_one_step(model, x, retyped)
    unit = "nats" if likelihood in ("bernoulli", "discretized_logistic") else "density_nats"
    rec, kl = logs[f"log_likelihood_{unit}_sum"], logs["kl_nats_sum"]
    np.testing.assert_allclose(logs["auto_encoder_loss"], beta * kl - rec, rtol=1e-5)
    np.testing.assert_allclose(logs[f"elbo_{unit}_sum"], rec - kl, rtol=1e-5)
    assert float(logs["beta"]) == beta


# Golden numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "likelihood, rate, optimum, nll",
    [("learned_gaussian", 0.1, 0.0605**0.5, 0.01638258), ("learned_laplace", 0.2, 0.21, 0.13249943)],
)
@pytest.mark.slow
def test_a_learned_scale_comes_to_the_mean_error_and_the_bound_to_its_entropy(likelihood, rate, optimum, nll):
    """Errors .1 -.2 .4 -.05 .3: sigma^2 = .0605 and .01638258 nats per dimension; b = .21 and .13249943; to 1e-8."""
    encoder, decoder = constant([0.0, 0.0], 5), constant(np.zeros(5))
    encoder.trainable = decoder.trainable = False
    model = vae(encoder, decoder, likelihood=likelihood)
    model.compile(keras.optimizers.SGD(rate), jit_compile=False)
    x = np.array([[0.1, -0.2, 0.4, -0.05, 0.3]])
    model.fit(np.repeat(x, 100, 0), batch_size=1, verbose=0)
    np.testing.assert_allclose(model.likelihood.scale(), optimum, rtol=1e-8)
    np.testing.assert_allclose(-model.elbo(x) / 5, [nll], atol=1e-8)


@pytest.mark.usefixtures("float64")
def test_the_kl_in_the_bound_is_the_reference_value():
    """KL(N(1, .5^2) || N(0, 1)) = .8181471806, and 2.9372150392 for a full covariance in three dimensions; to 1e-9."""
    mu, covariance = [0.5, -1.0, 2.0], [[2, 0.3, -0.2], [0.3, 1, 0.1], [-0.2, 0.1, 0.5]]
    cholesky = np.linalg.cholesky(covariance)
    raw = raw_of(np.diag(cholesky))
    triangle = [raw[2], cholesky[2, 1], cholesky[2, 0], raw[0], raw[1], cholesky[1, 0]]
    cases = {"diagonal": (1, [1.0, raw_of(0.5)], 0.8181471806), "full": (3, [*mu, *triangle], 2.9372150392)}
    for posterior, (latent, outputs, kl) in cases.items():
        encoder, decoder = constant(outputs), constant([0.0], latent)
        model = vae(encoder, decoder, posterior=posterior)
        _, found = model.bound_terms(Batch(tf.zeros([2, 1], tf.float64)), {"code": tf.zeros([2, latent], tf.float64)})
        np.testing.assert_allclose(found, [kl, kl], atol=1e-9)


def test_squared_errors_are_a_gaussian_of_variance_one_half():
    likelihood = likelihoods.Gaussian(0.5**0.5)
    model = vae(constant([0.0, 0.0], 3), constant([1.0, 2.0, 3.0]), likelihood=likelihood)
    x = np.array([[0.5, 2.5, 1.0]], "float32")
    np.testing.assert_allclose(-model.elbo(x), [0.25 + 0.25 + 4 + 3 / 2 * np.log(np.pi)], rtol=1e-6)


# A linear-Gaussian model, whose log p(x) is known: x = W z + c + sigma e --------------------------------------------

W = np.array([[1.2, 0.0, 0.5], [-0.4, 0.8, 0.3]])  # z @ W
C, SIGMA = np.array([0.2, -0.1, 0.4]), 0.6
COVARIANCE = W.T @ W + SIGMA**2 * np.eye(3)
POSTERIOR = np.linalg.inv(np.eye(2) + W @ W.T / SIGMA**2)  # of p(z|x), whose mean is this @ W @ (x - C) / sigma^2


def linear_gaussian(posterior, spread=1.0):
    """A VAE with that decoder; the exact posterior, or a diagonal one, `spread` times too wide."""
    slope = (POSTERIOR @ W / SIGMA**2).T
    if posterior == "full":
        cholesky = np.linalg.cholesky(POSTERIOR)
        scale = [raw_of(cholesky[1, 1]), cholesky[1, 0], raw_of(cholesky[0, 0])]
    else:
        scale = raw_of(spread * np.diag(np.linalg.inv(POSTERIOR)) ** -0.5)
    kernel = np.concatenate([slope, np.zeros((3, len(scale)))], 1)
    encoder = affine(kernel, np.concatenate([-C @ slope, scale]), (3,))
    return vae(encoder, affine(W, C, (2,)), posterior=posterior, likelihood=likelihoods.Gaussian(SIGMA))


def data(rows):
    return np.random.default_rng(0).multivariate_normal(C, COVARIANCE, rows)


def log_p(x):
    return stats.multivariate_normal.logpdf(x, C, COVARIANCE)


@pytest.mark.usefixtures("float64")
def test_with_the_exact_posterior_the_bound_is_log_p_of_each_example():
    """Over codes at (+-1, +-1), exact for the quadratic log p(x|z); to 1e-10."""
    model, x = linear_gaussian("full"), data(7)
    bounds = []
    for node in signs(2):
        log_likelihood, kl = model.bound_terms(Batch(tf.constant(x)), {"code": tf.constant(np.tile(node, (7, 1)))})
        bounds.append(log_likelihood - kl)
    np.testing.assert_allclose(np.mean(bounds, 0), log_p(x), atol=1e-10)
    assert np.std(bounds, 0).min() > 0.01  # one code alone is an estimate


@pytest.mark.usefixtures("float64")
def test_with_the_exact_posterior_every_importance_weight_is_log_p():
    model, x = linear_gaussian("full"), data(7)
    for samples in (1, 7):
        np.testing.assert_allclose(model.importance_weighted_bound(x, samples), log_p(x), atol=1e-10)


@pytest.mark.usefixtures("float64")
def test_with_another_posterior_the_bound_is_short_by_the_kl_between_them():
    model, x = linear_gaussian("diagonal", 1.7), data(4)
    bounds = [
        np.subtract(*model.bound_terms(Batch(tf.constant(x)), {"code": tf.constant(np.tile(node, (4, 1)))}))
        for node in signs(2)
    ]
    q = np.diag(1.7**2 / np.diag(np.linalg.inv(POSTERIOR)))
    gap = (np.trace(np.linalg.solve(POSTERIOR, q)) - 2 + np.linalg.slogdet(POSTERIOR)[1] - np.linalg.slogdet(q)[1]) / 2
    assert gap > 0.3
    np.testing.assert_allclose(log_p(x) - np.mean(bounds, 0), gap, atol=1e-9)


@pytest.mark.slow
def test_the_importance_weighted_bound_rises_from_the_elbo_to_log_p():
    model, x = linear_gaussian("diagonal", 1.7), data(300).astype("float32")
    elbo = np.mean([model.elbo(x, seed) for seed in range(5)])
    few, many = (np.mean(model.importance_weighted_bound(x, samples, chunk=100)) for samples in (5, 100))
    assert elbo + 0.2 < few < many < log_p(x).mean() + 0.02
    np.testing.assert_allclose(many, log_p(x).mean(), atol=0.02)


def test_how_many_codes_are_decoded_at_once_does_not_change_the_bound():
    model, x = linear_gaussian("diagonal", 1.7), data(5).astype("float32")
    expected = model.importance_weighted_bound(x, samples=8, chunk=8, seed=3)
    for chunk in (1, 3, 100):
        np.testing.assert_allclose(model.importance_weighted_bound(x, 8, chunk, seed=3), expected, rtol=1e-5)
    np.testing.assert_allclose(model.importance_weighted_bound(x[:2], 8, 3, seed=3), expected[:2], rtol=1e-5)
    assert not np.allclose(model.importance_weighted_bound(x, 8, seed=4), expected, rtol=1e-3)


def test_the_elbo_is_one_number_per_example_and_a_function_of_the_seed():
    model, x = linear_gaussian("full"), data(6).astype("float32")
    assert model.elbo(x).shape == (6,)
    np.testing.assert_array_equal(model.elbo(x, 1), model.elbo(x, 1))
    assert not np.array_equal(model.elbo(x, 1), model.elbo(x, 2))
    np.testing.assert_allclose(model.elbo(x[:2], 1), model.elbo(x, 1)[:2], rtol=1e-6)


# Units, warm-up -----------------------------------------------------------------------------------------------------


def test_evaluate_gives_nats_or_density_nats_and_bits_per_dim_only_where_they_mean_something():
    x = (np.random.default_rng(0).integers(0, 256, (8, 4)) / 255).astype("float32")
    for likelihood, unit, bits in [
        ("bernoulli", "nats", False),
        ("gaussian", "density_nats", False),
        ("laplace", "density_nats", False),
        ("discretized_logistic", "nats", True),
    ]:
        model = vae(network("plain", [(4,)], (4,)), network("plain", [(2,)], (4,)), likelihood=likelihood)
        model.compile(run_eagerly=True)
        found = model.evaluate(x, return_dict=True, verbose=0)
        assert {f"elbo_{unit}_sum", f"log_likelihood_{unit}_sum", "kl_nats_sum", "squared_error_sum"} <= set(found)
        assert ("bits_per_dim" in found) == bits
        elbo = found[f"log_likelihood_{unit}_sum"] - found["kl_nats_sum"]
        np.testing.assert_allclose(found[f"elbo_{unit}_sum"], elbo, rtol=1e-5)
        if bits:
            np.testing.assert_allclose(found["bits_per_dim"], -elbo / (4 * np.log(2)), rtol=1e-5)


def test_bits_per_dim_of_a_wide_logistic_are_the_log_of_its_width_in_levels():
    """Its density at the mean is 1 / 4s."""
    likelihood = likelihoods.DiscretizedLogistic(10.0)
    model = vae(constant([0.0, 0.0], 4), constant(np.full(4, 0.5)), likelihood=likelihood)
    model.compile(run_eagerly=True)
    found = model.evaluate(np.full((3, 4), 100 / 255, "float32"), return_dict=True, verbose=0)["bits_per_dim"]
    np.testing.assert_allclose(found, np.log2(4 * 10 * 255), rtol=1e-4)


def test_beta_grows_linearly_over_the_warm_up_and_can_be_assigned():
    model = vae(constant([0.0, 0.0], 3), constant(np.zeros(3)), beta=2.0, warm_up_steps=4)
    model.compile(run_eagerly=True)

    def beta():
        model.reset_metrics()
        return float(model.train_on_batch(np.zeros((2, 3), "float32"), return_dict=True)["beta"])

    np.testing.assert_allclose([beta() for _ in range(6)], [0, 0.5, 1, 1.5, 2, 2])
    model.beta.assign(0.5)
    np.testing.assert_allclose(beta(), 0.5)


@pytest.mark.parametrize("beta", [-1.0, float("nan"), float("inf"), None])
def test_beta_is_finite_and_not_below_zero(beta):
    with pytest.raises(ValueError, match=f"`beta` must be a finite number >= 0. Received: beta={beta}"):
        vae(network("plain", [(3,)], (4,)), network("plain", [(2,)], (3,)), beta=beta)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_a_mean_kl_below_the_free_bits_has_no_slope_and_one_above_it_counts_whole(beta):
    encoder, decoder = network("plain", [(3,)], (4,)), network("plain", [(2,)], (3,), seed=10)
    x, noise = np.random.default_rng(0).normal(size=(5, 3)), {"code": np.random.default_rng(1).normal(size=(5, 2))}
    plain, free = (vae(encoder, decoder, likelihood="gaussian", beta=beta, **more) for more in ({}, {"free_bits": 0}))
    log_likelihood, kl = plain.bound_terms(Batch(tf.constant(x)), noise)
    of_loss = lambda model: loss_gradient(  # noqa: E731
        model, x, noise, "auto_encoder", "auto_encoder", encoder.trainable_variables
    )
    with_kl = of_loss(plain)
    plain.beta.assign(0.0)
    without = of_loss(plain)
    assert kl.numpy().min() + 0.05 < kl.numpy().mean() < kl.numpy().max() - 0.05  # the mean decides, not rows
    for bits, expected in ((mean(kl) - 0.01, with_kl), (mean(kl) + 0.01, without)):
        free.free_bits.assign(bits)
        loss = play_phase(free, x, noise, "auto_encoder").losses["auto_encoder"]
        np.testing.assert_allclose(loss, beta * max(mean(kl), bits) - mean(log_likelihood), rtol=1e-10)
        for a, b in zip(of_loss(free), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.slow
def test_free_bits_are_of_the_whole_batch_on_several_replicas(two_replicas):
    x = np.concatenate([np.zeros((BATCH // 2, *SHAPE)), np.ones((BATCH // 2, *SHAPE))]).astype("float32")
    model = create("vae")
    model.encoder.trainable_weights[-2].assign(model.encoder.trainable_weights[-2] * 3)
    batch = Batch(tf.constant(x))
    kl = model.bound_terms(batch, model.noise(model.draws(Share(BATCH), 0)))[1].numpy()
    halves, free_bits = [kl[: BATCH // 2].mean(), kl[BATCH // 2 :].mean()], 0.9 * kl.mean()
    assert min(halves) < free_bits < max(halves)

    def stepped():
        model = create("vae", free_bits=float(free_bits))
        model.encoder.trainable_weights[-2].assign(model.encoder.trainable_weights[-2] * 3)
        model.compile({"auto_encoder": keras.optimizers.SGD(0.05)}, jit_compile=False)
        train(model, dataset(x))
        return weights(model)

    alone = stepped()
    with two_replicas.scope():
        together = stepped()
    same(alone, together, 1e-5)


@pytest.mark.parametrize("bits", [-0.1, float("nan"), "4"])
def test_free_bits_are_finite_and_not_below_zero_and_none_of_them_is_no_term(bits):
    nets = network("plain", [(3,)], (4,)), network("plain", [(2,)], (3,))
    with pytest.raises(ValueError, match=f"`free_bits` must be a finite number >= 0. Received: free_bits={bits!r}"):
        vae(*nets, free_bits=bits)
    assert vae(*nets).free_bits is None and float(vae(*nets, free_bits=2.0).free_bits) == 2


def test_a_likelihood_without_a_density_is_refused():
    with pytest.raises(ValueError, match="likelihood"):
        image = (8, 8, 1)
        vae(network("plain", [image], (4,)), network("plain", [(2,)], image), likelihood="cyclic_shift")


@pytest.mark.slow
def test_a_gaussian_is_recovered_by_one_latent_dimension_and_a_learned_scale_in_1500_steps():
    """Every 2-D covariance is w w' + sigma^2 I; the bound then is the entropy of the data."""
    encoder, decoder = affine(np.full((2, 2), 0.1), [0, 0], (2,)), affine([[0.3, 0.1]], [0, 0])
    model = vae(encoder, decoder, likelihood="learned_gaussian")
    train_on_gaussian(model, 5e-3, 1500)
    check_samples(model, mean=0.1, covariance=0.1, observation="draw")
    entropy = np.log(2 * np.pi * np.e) + np.linalg.slogdet(TARGET)[1] / 2
    np.testing.assert_allclose(-model.elbo(gaussian_data()).mean(), entropy, atol=0.05)


def test_what_training_moves_of_likelihood_and_posterior_belongs_to_one_model():
    learned, flow = likelihoods.Gaussian("learned"), posteriors.IAF(LATENT)
    create("vae", likelihood=learned, posterior=flow)
    for given, name in (({"likelihood": learned}, "Gaussian"), ({"posterior": flow}, "IAF")):
        (argument,) = given
        message = (
            rf"Argument `{argument}` must be a new {name}, .* as by {argument}.from_config.*Received: .* a VAE has"
        )
        with pytest.raises(ValueError, match=message):
            create("vae", **given)
    with pytest.raises(ValueError, match="must be a new Gaussian"):
        create("alice", likelihood=learned)
    again = learned.from_config(learned.get_config())
    with pytest.raises(ValueError, match="`beta`"):
        create("vae", likelihood=again, beta=-1.0)
    assert create("vae", likelihood=again).likelihood is again  # no model came of the call before
    fixed = likelihoods.Gaussian(0.3)
    assert create("vae", likelihood=fixed).likelihood is create("vae", likelihood=fixed).likelihood
