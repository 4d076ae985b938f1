"""AGE against its paper and its code: divergences of codes on the sphere, who moves down what, statistics of sets."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from tiny import float64, network  # noqa: F401

import keras_ijae as ki
from keras_ijae.models import AGE
from keras_ijae.models.age import divergence

mean, log = tf.reduce_mean, tf.math.log


def small(kinds=("plain", "plain"), shape=(3,), **arguments):
    networks = {"encoder": network(kinds[0], [shape], (3,)), "decoder": network(kinds[1], [(3,)], shape, seed=12)}
    return AGE(**networks, **arguments)


def retyped(model, x, kind, l1, cosine):
    """Ulyanov et al. 2018, eqs. 3 and 4 with its reconstruction terms; codes divided by their norms."""

    def on_sphere(z):
        return z / tf.norm(z, axis=1, keepdims=True)

    def e(x):
        return on_sphere(model.encoder(x, training=True))

    def g(z):
        return model.decoder(on_sphere(z), training=True)

    def delta(codes):
        a, v = mean(codes, 0), mean(codes**2, 0) - mean(codes, 0) ** 2
        s = v if kind == "code" else v**0.5
        return mean((s**2 + a**2) / 2 - log(s) - 0.5)

    def losses(phase, noise):
        z, fixed = noise["z"], g(noise["z"])
        if phase == "encoder":
            return {"encoder": lambda: delta(e(x)) - delta(e(fixed)) + l1 * mean(tf.abs(x - g(e(x))))}
        return {"decoder": lambda: delta(e(g(z))) + cosine * (1 - mean(tf.reduce_sum(z * e(g(z)), 1)))}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "kinds, kind, steps",
    [
        pytest.param(("plain", "batch"), "exact", (1, 2), marks=pytest.mark.slow),
        (("batch", "plain"), "code", (2, 1)),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(kinds, kind, steps):
    scalars = {"l1_mean_weight": 3.0, "cosine_weight": 0.7}
    model = small(kinds, divergence=kind, encoder_steps=steps[0], decoder_steps=steps[1], **scalars)
    x = np.random.default_rng(0).normal(size=(6, 3))
    turns, _ = check_one_step(model, x, retyped(model, tf.constant(x), kind, 3.0, 0.7))
    assert [turn.phase for turn in turns] == ["encoder"] * steps[0] + ["decoder"] * steps[1]
    assert len({turn.noise["z"].numpy().tobytes() for turn in turns}) == (3 if steps[1] == 2 else 2)


@pytest.mark.parametrize("kind, value", [("exact", 0.318147), ("code", 0.917544)])
def test_a_divergence_is_that_of_its_formula_and_the_codes_is_the_one_with_the_variance(kind, value):
    """Mean 0, standard deviation .5: the code takes the variance for the deviation."""
    codes = tf.constant([[0.5, -0.5], [-0.5, 0.5]])
    assert float(divergence(codes, kind)) == pytest.approx(value, abs=1e-6)
    assert float(divergence(2 * codes, kind)) == pytest.approx(0, abs=1e-6)  # N(0, 1)
    assert float(divergence(2 * codes + [[0.0, 1.0]], kind)) == pytest.approx(0.25, abs=1e-6)  # a mean over dimensions


@pytest.mark.parametrize("kind", ["exact", "code"])
def test_on_the_sphere_uniform_codes_have_the_least_divergence(kind):
    m, normal = 8, np.random.default_rng(0).normal
    sphere = lambda z: tf.constant(z / np.linalg.norm(z, axis=1, keepdims=True))  # noqa: E731
    s2 = 1 / m if kind == "exact" else 1 / m**2  # on average a^2 = 0 and v = 1/m
    uniform = float(divergence(sphere(normal(size=(20_000, m))), kind))
    assert uniform == pytest.approx((s2 - np.log(s2) - 1) / 2, abs=1e-2)
    for other in (normal(size=(20_000, m)) + 0.3, normal(size=(20_000, m)) * np.linspace(0.5, 1.5, m)):
        assert float(divergence(sphere(other), kind)) > uniform + 1e-3


@pytest.mark.parametrize("kind", ["exact", "code"])
@pytest.mark.parametrize("rows", [4, 1])
def test_codes_that_are_all_alike_have_a_finite_divergence_and_gradient(kind, rows):
    codes = tf.ones([rows, 3])
    with tf.GradientTape() as tape:
        tape.watch(codes)
        value = divergence(codes, kind)
    assert np.isfinite(value.numpy()) and np.isfinite(tape.gradient(value, codes).numpy()).all()


def test_codes_are_on_the_sphere_and_images_depend_on_directions_alone():
    model = ki.create("age", data_shape=(8, 8, 1), latent_dim=3, networks="mlp", width=8)
    x = np.random.default_rng(0).random((5, 8, 8, 1), dtype="float32")
    z = model.encode(x)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(model.decode(7 * z), model.decode(z), atol=1e-6)
    np.testing.assert_allclose(model.decode(z), model.reconstruct(x), atol=1e-6)
    middle = model.interpolate(x[:1], x[1:2], steps=3)[0, 1]
    on_the_arc = (z[:1] + z[1:2]) / np.linalg.norm(z[:1] + z[1:2])
    np.testing.assert_allclose(middle, model.decode(on_the_arc)[0], atol=1e-5)
    assert type(model.prior).__name__ == "Sphere" and not model.has_bounds


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"divergence": "kl"}, "`divergence` must be one of 'exact', 'code'. Received: divergence='kl'"),
        ({"l1_mean_weight": -1.0}, "`l1_mean_weight` must be .*>= 0.*Received: l1_mean_weight=-1.0"),
        ({"cosine_weight": float("inf")}, "`cosine_weight` must be .*Received: cosine_weight=inf"),
        ({"encoder_steps": 0}, "`encoder_steps` must be an integer >= 1. Received: encoder_steps=0"),
        ({"decoder_steps": 1.5}, "`decoder_steps` must be an integer >= 1. Received: decoder_steps=1.5"),
        ({"classes": 3}, "`classes` is not taken by AGE: .*codes"),
        ({"latent_dim": 1}, "`latent_dim` must be .*2.* Received: latent_dim=1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ki.create("age", **{"data_shape": (3,), "latent_dim": 2, "width": 4, **arguments})


@pytest.mark.slow
def test_two_replicas_compare_the_codes_of_the_whole_batch(two_replicas):
    """The mean of the halves' divergences is another number."""
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    batch, found = tf.data.Dataset.from_tensors(x), []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = small()
            model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
        logs = model.fit(batch, verbose=0).history
        found.append((logs["divergence_real"][0], *model.encoder.get_weights(), *model.decoder.get_weights()))
    for alone, together in zip(*found, strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-6)
