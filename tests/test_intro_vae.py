"""IntroVAE against its paper: who moves down what, where gradients stop, what the margin is of."""

import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from systems import quick
from tiny import float64, network, play_phase  # noqa: F401

import keras_ijae as ki
from keras_ijae.distributions._scales import positive_scale
from keras_ijae.game import Batch
from keras_ijae.models import IntroVAE

mean = tf.reduce_mean
X = np.random.default_rng(0).normal(size=(5, 3))


def small(kinds=("plain", "plain"), **arguments):
    networks = {"encoder": network(kinds[0], [(3,)], (4,)), "decoder": network(kinds[1], [(2,)], (3,), seed=10)}
    return IntroVAE(**networks, **arguments)


def retyped(model, x, m, alpha, beta):
    """Huang et al. 2018, algorithm 1 and eqs. 11 and 12; the code z is E's, and G moves with it as it was."""

    def e(x):
        mu, raw = tf.split(model.encoder(x, training=True), 2, axis=1)
        return mu, positive_scale(raw)

    def g(z):
        return model.decoder(z, training=True)

    def kl(x):
        mu, s = e(x)
        return tf.reduce_sum(mu**2 + s**2 - 2 * tf.math.log(s) - 1, axis=1) / 2

    def code(noise):
        mu, s = e(x)
        return mu + s * noise["code"]

    def error(z):
        return mean(tf.reduce_sum((x - g(z)) ** 2, axis=1))

    kept = {}

    def losses(phase, noise):
        if phase == "encoder":
            kept["z"] = code(noise)
            made = [g(kept["z"]), g(noise["z"])]

            def of_encoder():
                short = sum(mean(tf.maximum(m - kl(image), 0)) for image in made)
                return mean(kl(x)) + alpha * short + beta * error(code(noise))

            return {"encoder": of_encoder}
        z = kept["z"]
        return {"decoder": lambda: alpha * (mean(kl(g(z))) + mean(kl(g(noise["z"])))) + beta * error(z)}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kinds", quick([("plain", "plain"), ("batch", "plain")], [("plain", "batch")]))
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(kinds):
    """Where E moves its images are fixed, and G, which comes after it, is judged by the encoder that has moved."""
    scalars = {"margin": 2.0, "adversarial_weight": 0.3, "reconstruction_weight": 0.7}
    model = small(kinds, **scalars)
    turns, _ = check_one_step(model, X, retyped(model, tf.constant(X), *scalars.values()))
    assert [turn.phase for turn in turns] == ["encoder", "decoder"]
    assert turns[0].noise["z"] is turns[1].noise["z"]


def noise_of(rows=5):
    return {name: np.random.default_rng(seed).normal(size=(rows, 2)) for seed, name in enumerate(("code", "z"))}


@pytest.mark.usefixtures("float64")
def test_the_margin_is_of_each_image_and_images_beyond_it_count_no_more():
    model = small(margin=1.0, adversarial_weight=1.0, reconstruction_weight=0.0)
    made = [model.forward(Batch(tf.constant(X)), tensors(), "encoder")[name] for name in ("rec", "fake")]
    values = [closed_form(model, image) for image in made]
    of_data = closed_form(model, X).mean()
    for margin in (0.5, float(np.median(values)), 50.0):
        model.margin.assign(margin)
        found = play_phase(model, X, noise_of(), "encoder").losses["encoder"]
        expected = of_data + sum(np.maximum(margin - kl, 0).mean() for kl in values)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def tensors():
    return {name: tf.constant(value) for name, value in noise_of().items()}


def closed_form(model, x):
    """KL(q(z|x) || N(0, I)) in NumPy."""
    params = model.encoder(x).numpy()
    mu, s = params[:, :2], positive_scale(tf.constant(params[:, 2:])).numpy()
    return (mu**2 + s**2 - 2 * np.log(s) - 1).sum(axis=1) / 2


@pytest.mark.usefixtures("float64")
def test_no_gradient_of_the_encoders_loss_reaches_it_through_images_that_the_generator_made():
    """With alpha alone E's gradient is that of K at fixed images, to which reconstructions would add theirs."""
    model = small(margin=50.0, adversarial_weight=1.0, reconstruction_weight=0.0)
    weights = model.encoder.trainable_variables
    with tf.GradientTape() as tape:
        loss = play_phase(model, X, noise_of(), "encoder").losses["encoder"]
    found = tape.gradient(loss, [weight.value for weight in weights])
    forward = model.forward(Batch(tf.constant(X)), tensors(), "encoder")
    images = [tf.constant(forward[name].numpy()) for name in ("rec", "fake")]
    with tf.GradientTape() as tape:
        kls = [model.posterior_family.kl(model.encoder(image)) for image in (tf.constant(X), *images)]
        loss = mean(kls[0]) + mean(50 - kls[1]) + mean(50 - kls[2])
    for a, b in zip(found, tape.gradient(loss, [weight.value for weight in weights]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"margin": 0}, "`margin` must be .*> 0.*Received: margin=0"),
        ({"adversarial_weight": -0.1}, "`adversarial_weight` must be .*>= 0.*Received: adversarial_weight=-0.1"),
        ({"reconstruction_weight": None}, "`reconstruction_weight` must be .*Received: reconstruction_weight=None"),
        ({"posterior": "planar"}, "`posterior` must have a KL in closed form.*Received: 'planar'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ki.create("intro_vae", data_shape=(3,), latent_dim=2, width=4, **arguments)


def test_saturated_encoders_have_finite_losses():
    model = small(margin=10.0)
    model.encoder.layers[-3].set_weights([1e4 * w for w in model.encoder.layers[-3].get_weights()])
    model.compile(run_eagerly=True)
    history = model.fit(X.astype("float32"), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
