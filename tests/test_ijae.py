"""lambda-IJAE against its source: losses, golden gradients, who sees what, a target recovered."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step, gradient
from tiny import (  # noqa: F401
    affine,
    check_a_weight_comes_back,
    check_samples,
    float64,
    gaussian_data,
    inject,
    network,
    play_phase,
    quadratic,
    signs,
    slopes,
    train_on_gaussian,
)

from keras_ijae import random
from keras_ijae.distributions import likelihoods
from keras_ijae.game import Batch
from keras_ijae.models import IJAE

mean, softplus = tf.reduce_mean, tf.math.softplus
IMAGE, CODE = (3, 3, 1), (2,)
JUDGES = ("discriminator", "likelihood_discriminator", "posterior_discriminator")
UNITS = {"diagonal": 4, "full": 5}


def small(players="plain", judges="plain", posterior="implicit", shape=IMAGE, **arguments):
    explicit = posterior in UNITS
    encoder = network(players, [shape, CODE] if posterior == "implicit" else [shape], (UNITS.get(posterior, 2),))
    made = {
        "decoder": network(players, [CODE], shape, seed=10),
        "discriminator": network(judges, [shape], (1,), seed=20),
        "likelihood_discriminator": network(judges, [shape, CODE, shape], (1,), seed=30),
        "posterior_discriminator": None if explicit else network(judges, [shape, CODE], (1,), seed=40),
    }
    return IJAE(encoder=encoder, **made, posterior=posterior, ema=None, **arguments)


def drawn_noise(model, rows):
    return model.noise(random.Draws(random.fold(3), rows, dtype=keras.config.floatx()))


def images(rows=5):
    return np.random.default_rng(0).uniform(size=(rows, *IMAGE))


# The losses, typed from the source --------------------------------------------------------------------------------


def shifted(image, uniform):
    """P(-1), P(0), P(1) = 1/4, 1/2, 1/4 along each axis, by the inverse distribution function; edges wrap."""
    shifts = [-1 if u < 0.25 else 0 if u < 0.75 else 1 for u in uniform]
    return np.roll(image, shifts, axis=(0, 1))


def drawn(model, images, uniform):
    if isinstance(model.likelihood, likelihoods.CyclicShift):
        return tf.stack([shifted(*pair) for pair in zip(np.asarray(images), np.asarray(uniform), strict=True)])
    return images + 0.1 * tf.math.ndtri(uniform)  # Gaussian(0.1)


def encoded(model, x, xi):
    """z_q, and KL(q(z|x) || N(0, I)) where the posterior is explicit."""
    if model.posterior_kind == "implicit":
        return model.encoder([x, xi], training=True), None
    outputs = model.encoder(x, training=True)
    if model.posterior_kind == "deterministic":
        return outputs, None
    mu, raw = outputs[:, :2], outputs[:, 2:] + np.log(np.expm1(1 - 1e-5))
    if model.posterior_kind == "diagonal":
        scale = 1e-5 + softplus(raw)
        return mu + scale * xi, mean(tf.reduce_sum(mu**2 + scale**2 - 1 - 2 * tf.math.log(scale), 1)) / 2
    first, off, last = 1e-5 + softplus(raw[:, 2]), outputs[:, 3], 1e-5 + softplus(raw[:, 0])
    z = mu + tf.stack([first * xi[:, 0], off * xi[:, 0] + last * xi[:, 1]], axis=1)
    trace, log_det = first**2 + off**2 + last**2, 2 * tf.math.log(first * last)
    return z, mean(trace + tf.reduce_sum(mu**2, 1) - 2 - log_det) / 2


def retyped(model, x, lam):
    x = tf.constant(x)

    def psi(x):
        return model.discriminator(x, training=True)

    def tau(x, z, y):
        return model.likelihood_discriminator([x, z, y], training=True)

    def zeta(x, z):
        return model.posterior_discriminator([x, z], training=True)

    def g(z):
        return model.decoder(z, training=True)

    def judges(noise):
        z_p, (z_q, kl) = noise["z"], encoded(model, x, noise["code"])
        x_f, x_r = g(z_p), g(z_q)
        y_1, y_0 = drawn(model, x, noise["real"]), drawn(model, x_r, noise["rec"])
        losses = {
            "discriminator": lambda: mean(softplus(-psi(x))) + mean(softplus(psi(x_f))),
            "likelihood_discriminator": lambda: mean(softplus(-tau(x, z_q, y_1))) + mean(softplus(tau(x, z_q, y_0))),
            "posterior_discriminator": lambda: mean(softplus(-zeta(x, z_p))) + mean(softplus(zeta(x, z_q))),
        }
        return losses if kl is None else {name: losses[name] for name in JUDGES[:2]}

    def players(noise):
        fixed, _ = encoded(model, x, noise["code"])

        def encoder():
            z_q, kl = encoded(model, x, noise["code"])
            bound = tau(x, z_q, g(z_q)) + zeta(x, z_q) if kl is None else tau(x, z_q, g(z_q)) - kl
            return -lam * mean(bound)

        def decoder():
            return -(1 - lam) * mean(psi(g(noise["z"]))) - lam * mean(tau(x, fixed, g(fixed)))

        return {"encoder": encoder, "decoder": decoder}

    return lambda phase, noise: (judges if phase == "discriminators" else players)(noise)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "posterior, kinds, lam, k, likelihood",
    [
        ("implicit", ("batch", "spectral"), 0.3, 1, "auto"),
        ("implicit", ("plain", "batch"), 1.0, 2, "auto"),
        ("deterministic", ("plain", "spectral"), 0.7, 1, "gaussian"),
        ("diagonal", ("batch", "plain"), 0.5, 1, "auto"),
        ("full", ("plain", "spectral"), 0.3, 2, "auto"),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(posterior, kinds, lam, k, likelihood):
    likelihood = likelihoods.Gaussian(0.1) if likelihood == "gaussian" else likelihood
    model = small(*kinds, posterior, lam=lam, likelihood=likelihood, discriminator_steps=k)
    x = images()
    turns, logs = check_one_step(model, x, retyped(model, x, lam))
    assert [turn.phase for turn in turns] == ["discriminators"] * k + ["players"]
    assert len({turn.noise["z"].numpy().tobytes() for turn in turns}) == k  # the players reuse the last pass
    assert {"discriminator_loss", "sample_logit", "reconstruction_logit", "kl_estimate_sum"} <= set(logs)


# Golden gradients: x ~ N(0, 1), z = a x + b xi, G(z) = theta z, r = N(x, s^2), r' = N(theta_0 z, t^2) -------------

A, B, THETA, S = 0.6, 0.8, 0.5, 0.3


def optimal(t=0.3, tau=True, zeta=True, psi=True):
    """log p*/p_G, log r/r' and log p(z)/q(z|x) as functions of (x), (x, z, y) and (x, z), at the weights above."""
    log_ratio = -np.array([[1, 0, -1], [0, 0, 0], [-1, 0, 1]]) / S**2
    log_ratio += np.array([[0, 0, 0], [0, THETA**2, -THETA], [0, -THETA, 1]]) / t**2
    posterior = np.array([[A**2, -A], [-A, 1]]) / B**2 - np.diag([0.0, 1.0])
    return {
        "discriminator": quadratic(psi * np.array([[1 / THETA**2 - 1]]), c=psi * np.log(THETA)),
        "likelihood_discriminator": quadratic(tau * log_ratio, c=tau * np.log(t / S), sizes=(1, 1, 1)),
        "posterior_discriminator": quadratic(zeta * posterior, c=zeta * np.log(B), sizes=(1, 1)),
    }


def analytic(lam, **logits):
    encoder, decoder = affine([[A], [B]], sizes=(1, 1)), affine([[THETA]])
    model = IJAE(encoder=encoder, decoder=decoder, **optimal(**logits), lam=lam, ema=None)
    nodes = signs(3)  # x, xi, z_p: the logits are quadratic, so that these give exact means
    inject(model, code=nodes[:, 1:2], z=nodes[:, 2:], real=np.full((8, 1), 0.5), rec=np.full((8, 1), 0.5))
    return model, nodes[:, :1]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("t", [0.3, 0.7, 2.0])
def test_the_implicit_likelihood_has_the_gradient_of_the_explicit_one_whatever_the_scale_of_the_reconstructions(t):
    """d/d(theta, a, b) E tau = 1.11111111, 3.88888889, -2.22222222, to 1e-8."""
    model, x = analytic(1.0, t=t, zeta=False, psi=False)
    encoder, decoder = slopes(model, x, "encoder", "decoder")
    np.testing.assert_allclose(-decoder.ravel(), [1.11111111], atol=1e-8)
    np.testing.assert_allclose(-encoder.ravel(), [3.88888889, -2.22222222], atol=1e-8)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("lam, slope", [(0.3, -1.38333333), (1.0, -1.11111111), (1e-9, -1.5)])
def test_the_decoders_slope_weighs_both_divergences_by_lambda(lam, slope):
    model, x = analytic(lam)
    np.testing.assert_allclose(slopes(model, x, "decoder")[0].ravel(), [slope], atol=1e-8)


@pytest.mark.usefixtures("float64")
def test_at_lambda_zero_only_the_samples_count():
    with pytest.warns(UserWarning, match="encoder"):
        model, x = analytic(0.0)
    encoder, decoder = slopes(model, x, "encoder", "decoder")
    np.testing.assert_allclose(decoder.ravel(), [-1.5], atol=1e-12)
    np.testing.assert_array_equal(encoder.ravel(), [0, 0])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("lam", [0.3, 1.0])
def test_the_posterior_discriminator_gives_the_encoder_the_gradient_of_the_kl(lam):
    """d/d(a, b) E KL = 0.6, -0.45, to 1e-8."""
    model, x = analytic(lam, tau=False)
    np.testing.assert_allclose(slopes(model, x, "encoder")[0].ravel(), [lam * 0.6, lam * -0.45], atol=1e-8)


def test_minus_the_optimal_posterior_logit_is_the_kl_that_is_logged():
    model, x = analytic(1.0)
    model.compile(keras.optimizers.SGD(0.0))
    np.testing.assert_allclose(model.train_step(tf.constant(x, tf.float32))["kl_estimate_sum"], 0.22314355, atol=1e-6)


# Who sees what -----------------------------------------------------------------------------------------------------


class Witness(keras.layers.Layer):
    """Remembers what it is given in eager mode."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, inputs):
        if tf.executing_eagerly():
            self.seen.append([tensor.numpy() for tensor in inputs])
        return keras.ops.sum(inputs[1], axis=1, keepdims=True)


def witnessed(likelihood="auto"):
    witness, model = Witness(), small(likelihood=likelihood)
    inputs = [keras.Input(shape) for shape in (IMAGE, CODE, IMAGE)]
    model.likelihood_discriminator = keras.Model(inputs, witness(inputs))
    x = tf.constant(images(40), tf.float32)
    noise = drawn_noise(model, 40)
    forward = model.forward(Batch(x), noise, "discriminators")
    model.losses(Batch(x), noise, "discriminators", forward)
    model.losses(Batch(x), noise, "players", forward)
    judged, players = witness.seen  # the two classes are judged in one call, label 1 first
    real, fake = zip(*(np.split(tensor, 2) for tensor in judged), strict=True)
    return x.numpy(), noise, forward, (real, fake, players)


def test_both_classes_of_tau_share_image_and_code_and_both_observations_are_shifted():
    x, noise, forward, (real, fake, _) = witnessed()
    for seen in (real, fake):
        np.testing.assert_array_equal(seen[0], x)
        np.testing.assert_array_equal(seen[1], forward["code"])
    rec = forward["rec"].numpy()
    for seen, image, uniform in ((real, x, noise["real"].numpy()), (fake, rec, noise["rec"].numpy())):
        np.testing.assert_array_equal(seen[2], np.stack([shifted(*pair) for pair in zip(image, uniform, strict=True)]))
        assert 0.5 < np.mean([np.any(a != b) for a, b in zip(seen[2], image, strict=True)]) < 0.95  # 3/4 are shifted
    assert not np.array_equal(noise["real"], noise["rec"])


def test_the_players_show_tau_the_reconstruction_unshifted():
    x, _, forward, (*_, players) = witnessed()
    np.testing.assert_array_equal(players[0], x)
    np.testing.assert_array_equal(players[1], forward["code"])
    np.testing.assert_array_equal(players[2], forward["rec"])


@pytest.mark.parametrize("posterior", ["implicit", "diagonal"])
def test_the_discriminators_losses_reach_neither_encoder_nor_decoder(posterior):
    model, x = small(posterior=posterior, r1_weight=1.0), tf.constant(images(), tf.float32)
    noise = drawn_noise(model, 5)
    with tf.GradientTape(persistent=True) as tape:
        played = model.losses(Batch(x), noise, "discriminators", model.forward(Batch(x), noise, "discriminators"))
        losses = [*played.losses.values(), *played.penalties.values()]
    players = [v.value for net in (model.encoder, model.decoder) for v in net.trainable_variables]
    assert all(g is None for loss in losses for g in tape.gradient(loss, players))


@pytest.mark.usefixtures("float64")
def test_samples_do_not_reach_the_encoder_nor_codes_the_decoder_through_zeta():
    """With tau constant, the encoder moves by zeta alone and the decoder by psi alone."""
    model, x = analytic(0.5, tau=False, zeta=False)
    encoder, decoder = slopes(model, x, "encoder", "decoder")
    assert not encoder.any() and decoder.any()
    model, x = analytic(0.5, tau=False, psi=False)
    encoder, decoder = slopes(model, x, "encoder", "decoder")
    assert encoder.all() and not decoder.any()


# lambda, posteriors, likelihoods, penalty -----------------------------------------------------------------------------


def test_lambda_outside_zero_to_one_is_refused():
    for lam in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=rf"`lam` must be in \[0, 1\]. Received: lam={lam}"):
            small(lam=lam)


@pytest.mark.usefixtures("float64")
def test_lambda_is_read_at_run_time_and_assigning_it_traces_nothing():
    model, x = analytic(1.0)
    traced, losses = [], model.losses
    model.losses = lambda *arguments: traced.append(arguments[2]) or losses(*arguments)
    model.compile({m.name: keras.optimizers.SGD(float(m.name == "decoder")) for m in model.moves}, jit_compile=False)
    kernel = model.decoder.trainable_variables[0]
    found = []
    for lam in (1.0, 0.3):
        model.lam.assign(lam)
        kernel.assign([[THETA]])
        model.fit(x, batch_size=8, shuffle=False, verbose=0)
        found.append(kernel.numpy().item() - THETA)
        if lam == 1.0:
            traces = len(traced)
    np.testing.assert_allclose(found, [1.11111111, 1.38333333], atol=1e-8)
    assert len(traced) == traces


def test_an_explicit_posterior_has_its_closed_form_kl_and_no_posterior_discriminator():
    model = small(posterior="diagonal")
    assert set(model.networks) == {"encoder", "decoder", *JUDGES[:2]}
    assert {move.name for move in model.moves} == set(model.networks)
    with pytest.raises(ValueError, match="`posterior`='diagonal' takes no `posterior_discriminator`"):
        IJAE(**model.networks, posterior_discriminator=network("plain", [IMAGE, CODE], (1,)), posterior="diagonal")
    with pytest.raises(ValueError, match="`posterior`='deterministic' needs a `posterior_discriminator`"):
        IJAE(**{**model.networks, "encoder": network("plain", [IMAGE], CODE)}, posterior="deterministic")


@pytest.mark.parametrize(
    "posterior, mean, scale, kl", [("diagonal", [1.0], [[0.5]], 0.8181471806), ("full", None, None, 2.9372150392)]
)
@pytest.mark.usefixtures("float64")
def test_the_closed_form_kl_is_the_reference_value(posterior, mean, scale, kl):
    """KL(N(1, .5^2) || N(0, 1)), and that of a full covariance in three dimensions; to 1e-9."""
    mean = [0.5, -1.0, 2.0] if mean is None else mean
    scale = np.linalg.cholesky([[2, 0.3, -0.2], [0.3, 1, 0.1], [-0.2, 0.1, 0.5]]) if scale is None else np.array(scale)
    d = len(mean)
    raw = np.log(np.expm1(np.diag(scale) - 1e-5)) - np.log(np.expm1(1 - 1e-5))
    triangle = [raw[0]] if d == 1 else [raw[2], scale[2, 1], scale[2, 0], raw[0], raw[1], scale[1, 0]]
    model = IJAE(
        encoder=affine(np.zeros((1, d + len(triangle))), [*mean, *triangle]),
        decoder=affine(np.zeros((d, 1)), [0.0], (d,)),
        discriminator=quadratic([[0.0]]),
        likelihood_discriminator=quadratic(np.zeros((d + 2, d + 2)), sizes=(1, d, 1)),
        posterior=posterior,
    )
    x = tf.zeros([2, 1], tf.float64)
    noise = drawn_noise(model, 2)
    found = model.losses(Batch(x), noise, "players", model.forward(Batch(x), noise, "players")).logs["kl_estimate_sum"]
    np.testing.assert_allclose(found, kl, atol=1e-9)


@keras.saving.register_keras_serializable("tests")
class UniformNoise(likelihoods.Likelihood):
    """A user's own: y = x + U(-w, w)."""

    def __init__(self, width=0.2, symmetric=True, **options):
        super().__init__(**options)
        self.width, self._symmetric = width, symmetric

    @property
    def symmetric(self):
        return self._symmetric

    def draw(self, params, uniform):
        return params + self.width * (2 * tf.cast(uniform, params.dtype) - 1)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "symmetric": self._symmetric}


@pytest.mark.slow
def test_a_users_symmetric_likelihood_is_drawn_from_and_saved(tmp_path):
    model = small(likelihood=UniformNoise(0.25))
    model.compile(run_eagerly=True)
    model.fit(images().astype("float32"), verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert isinstance(loaded.likelihood, UniformNoise) and loaded.likelihood.width == 0.25
    np.testing.assert_array_equal(loaded.sample(3), model.sample(3))


def test_tau_is_shown_draws_of_the_users_likelihood():
    x, noise, forward, (real, fake, _) = witnessed(UniformNoise(0.25))
    np.testing.assert_allclose(real[2], x + 0.25 * (2 * noise["real"].numpy() - 1), atol=1e-6)
    np.testing.assert_allclose(fake[2], forward["rec"] + 0.25 * (2 * noise["rec"].numpy() - 1), atol=1e-6)


@pytest.mark.parametrize(
    "likelihood",
    [UniformNoise(symmetric=False), "bernoulli", "learned_gaussian", "learned_laplace", "discretized_logistic"],
    ids=["asymmetric", "bernoulli", "learned_gaussian", "learned_laplace", "discretized_logistic"],
)
def test_an_asymmetric_or_learned_likelihood_is_refused(likelihood):
    with pytest.raises(ValueError, match="`likelihood` must be symmetric"):
        small(likelihood=likelihood)


@pytest.mark.usefixtures("float64")
def test_the_penalty_is_r1_of_every_discriminator_at_its_real_inputs():
    """Weight times the mean squared norm over all inputs, by finite differences."""
    model, x = small(judges="spectral", shape=(2,), r1_weight=0.7), np.random.default_rng(1).normal(size=(3, 2))
    noise = drawn_noise(model, 3)
    forward = model.forward(Batch(tf.constant(x)), noise, "discriminators")
    played = model.losses(Batch(tf.constant(x)), noise, "discriminators", forward)
    code, y_1 = forward["code"].numpy(), drawn(model, x, noise["real"]).numpy()
    for name, inputs in zip(JUDGES, ([x], [x, code, y_1], [x, noise["z"].numpy()]), strict=True):
        inputs, net = [keras.Variable(value) for value in inputs], getattr(model, name)

        def total(net=net, inputs=inputs):
            return tf.reduce_sum(net([v.value for v in inputs] if len(inputs) > 1 else inputs[0].value))

        r1 = sum(np.sum(g**2) for g in gradient(total, inputs)) / 3
        np.testing.assert_allclose(played.logs[f"{name}_r1"], r1, rtol=1e-7)
        np.testing.assert_allclose(played.penalties[name], 0.7 * r1, rtol=1e-7)


@pytest.mark.usefixtures("float64")
def test_a_step_with_r1_moves_down_loss_plus_penalty():
    model, x = small(shape=(2,), r1_weight=0.7), np.random.default_rng(1).normal(size=(3, 2))

    def r1(net, inputs):
        inputs = [tf.constant(tensor) for tensor in inputs]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            logits = net(inputs if len(inputs) > 1 else inputs[0], training=True)
        return sum(tf.reduce_sum(g**2) for g in tape.gradient(logits, inputs)) / 3

    def with_penalty(phase, noise):
        losses = retyped(model, x, 0.3)(phase, noise)
        if phase == "players":
            return losses
        code = encoded(model, tf.constant(x), noise["code"])[0]
        real = {JUDGES[0]: [x], JUDGES[1]: [x, code, drawn(model, x, noise["real"])], JUDGES[2]: [x, noise["z"]]}
        return {name: lambda name=name: losses[name]() + 0.7 * r1(getattr(model, name), real[name]) for name in losses}

    check_one_step(model, x, with_penalty)


def test_r1_that_begins_at_nothing_or_is_weighted_down_to_it_comes_back(tmp_path):
    model, x = small(r1_weight=0.0, posterior="diagonal"), images().astype("float32")
    noise = drawn_noise(model, 5)
    check_a_weight_comes_back(
        model,
        "r1_weight",
        lambda model: tf.add_n(list(play_phase(model, x, noise, "discriminators").totals().values())),
        tmp_path / "m.keras",
    )


def test_a_negative_penalty_is_refused():
    for weight in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=f"`r1_weight` must be a finite number >= 0. Received: r1_weight={weight}"):
            small(r1_weight=weight)


@pytest.mark.slow
def test_a_gaussian_is_recovered_and_reconstructed_in_1500_steps():
    def judge(*shapes, seed):
        return network("plain", list(shapes), (1,), seed=seed, hidden=32)

    model = IJAE(
        encoder=affine(np.concatenate([0.3 * np.eye(2), 0.1 * np.eye(2)]), [0, 0], (2, 2)),
        decoder=affine(0.3 * np.eye(2), [0, 0], (2,)),
        discriminator=judge((2,), seed=1),
        likelihood_discriminator=judge((2,), (2,), (2,), seed=2),
        posterior_discriminator=judge((2,), (2,), seed=3),
        likelihood=likelihoods.Gaussian(0.5),
        r1_weight=0.5,
        ema=0.99,
    )
    train_on_gaussian(model, 2e-3, 1500)
    check_samples(model, mean=0.1, covariance=0.2)
    assert model.reconstruction_error(gaussian_data(500)).mean() < 0.4  # of a variance of 1.8


def test_a_drawn_sample_is_the_decoders_output_for_the_likelihood_only_shows_it_to_tau():
    model = small(likelihood=likelihoods.Gaussian(0.5))
    np.testing.assert_array_equal(model.sample(7, observation="draw"), model.sample(7))
    z = model.prior.sample(7, 0)
    np.testing.assert_allclose(model.sample(7), model.decoder(z), atol=1e-6)


def test_the_logged_losses_are_those_of_encoder_and_decoder_though_both_lower_one_tensor():
    model, x = small(lam=0.3), tf.constant(images(), tf.float32)
    noise = drawn_noise(model, 5)
    forward = model.forward(Batch(x), noise, "players")
    played = model.losses(Batch(x), noise, "players", forward)
    psi, tau, zeta = (
        float(mean(model.networks[role](inputs if len(inputs) > 1 else inputs[0])))
        for role, inputs in zip(
            JUDGES,
            ([forward["fake"]], [x, forward["code"], forward["rec"]], [x, forward["code"]]),
            strict=True,
        )
    )
    np.testing.assert_allclose(played.logs["decoder_loss"], -0.7 * psi - 0.3 * tau, rtol=1e-5)
    np.testing.assert_allclose(played.logs["encoder_loss"], -0.3 * (tau + zeta), rtol=1e-5)
