"""Regularised auto-encoders against their paper and its code: terms, gradients, spectral decoders, densities."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from systems import create, images
from tiny import affine, bilinear, check_a_weight_comes_back, float64, network, play_phase, signs  # noqa: F401

from keras_ijae.layers import spectral_layers
from keras_ijae.models import RAE
from keras_ijae.replicas import Share

W = np.array([[1.2, 0.0], [0.5, -0.8], [0.0, 1.0], [-0.7, 0.3]])  # a linear decoder: x = W z
CODES = np.array([[0.3, -1.1], [2.0, 0.4], [-0.6, 0.9], [1.5, -0.2]])


def small(regularizer, encoder="plain", decoder="plain", implicit=False, **arguments):
    shapes = [(3,), (2,)] if implicit else [(3,)]
    made = {"encoder": network(encoder, shapes, (2,)), "decoder": network(decoder, [(2,)], (3,), seed=10)}
    return RAE(**made, regularizer=regularizer, **arguments)


def linear(regularizer, **arguments):
    return RAE(encoder=affine(np.eye(4)[:, :2], sizes=(4,)), decoder=affine(W.T, sizes=(2,)), regularizer=regularizer)


def jacobian(decode, z):
    """(batch, outputs, latent_dim)."""
    with tf.GradientTape() as tape:
        tape.watch(z)
        outputs = decode(z)
    return tape.batch_jacobian(outputs, z)


def regularised(model, z, direction):
    """The regularisers of Ghosh et al. 2020 and of their code, with whole Jacobians."""

    def decode(z):
        return model.decoder(z, training=True)

    kind = model.regularizer
    if kind == "l2":
        return tf.add_n([tf.reduce_sum(w.value**2) for w in model.decoder.trainable_variables if w.name == "kernel"])
    if kind == "gradient":
        unit = direction / tf.norm(direction, axis=1, keepdims=True)
        return tf.reduce_mean(2 * tf.reduce_sum(tf.linalg.matvec(jacobian(decode, z), unit) ** 2, 1))
    slope = 2 * tf.linalg.matvec(jacobian(decode, z), decode(z), transpose_a=True)
    unit = direction / tf.norm(direction, axis=1, keepdims=True)
    return tf.reduce_mean(2 * tf.reduce_sum(slope * unit, 1) ** 2)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "regularizer, kinds, implicit, weight",
    [
        ("l2", ("batch", "batch"), False, 0.3),
        ("gradient", ("batch", "plain"), False, 0.2),
        ("gradient", ("plain", "spectral"), True, 0.2),
        ("gradient_code", ("plain", "plain"), False, 0.02),
        ("spectral", ("plain", "spectral"), False, None),
        (None, ("plain", "batch"), True, None),
    ],
)
def test_one_step_moves_both_networks_down_the_loss_with_its_regulariser(regularizer, kinds, implicit, weight):
    model = small(regularizer, *kinds, implicit=implicit, beta=0.7, regularizer_weight=weight)
    x = tf.constant(np.random.default_rng(0).normal(size=(5, 3)))

    def retyped(phase, noise):
        def loss():
            z = model.encoder([x, noise["code"]] if implicit else x, training=True)
            rec = model.decoder(z, training=True)
            value = tf.reduce_mean(tf.reduce_sum((x - rec) ** 2, 1) + 0.7 / 2 * tf.reduce_sum(z**2, 1))
            return value if weight is None else value + weight * regularised(model, z, noise.get("direction"))

        return {"auto_encoder": loss}

    check_one_step(model, x.numpy(), retyped)


def term(model, direction=None, x=None):
    """What the regulariser logs for given codes."""
    x = np.concatenate([CODES, np.zeros((4, 2))], 1) if x is None else x
    noise = {"code": np.zeros((len(x), 0)), "direction": direction}
    noise = {name: value for name, value in noise.items() if value is not None}
    return float(play_phase(model, x, noise, "auto_encoder").logs[f"{model.regularizer}_sum"])


@pytest.mark.usefixtures("float64")
def test_the_gradient_of_a_linear_decoder_is_its_frobenius_norm_and_the_codes_is_another_number():
    """||W||_F^2 = 3.91 over directions whose mean is the sphere's; one direction alone is an estimate."""
    assert term(linear("gradient"), signs(2)) == pytest.approx(3.91, abs=1e-12)
    assert term(linear("gradient"), 7.0 * signs(2)) == pytest.approx(3.91, abs=1e-12)  # lengths do not matter
    alone = term(linear("gradient"), np.tile([1.0, 0.0], (4, 1)))
    assert alone == pytest.approx(2 * np.sum(W[:, 0] ** 2), abs=1e-12)
    expected = np.mean(np.sum((2 * CODES @ W.T @ W) ** 2, 1))
    found = [term(linear("gradient_code"), np.tile(node, (4, 1))) for node in signs(2)]
    assert np.mean(found) == pytest.approx(expected, rel=1e-12) and np.std(found) > 0.1
    assert term(linear("l2")) == pytest.approx(3.91, abs=1e-12)


def test_the_gradient_is_estimated_without_bias_by_directions_that_are_drawn():
    model = linear("gradient")
    drawn = model.noise(model.draws(Share(20_000), "test", 0))["direction"]
    assert drawn.shape == (20_000, 2)
    unit = (drawn / tf.norm(drawn, axis=1, keepdims=True)).numpy()
    np.testing.assert_allclose(2 * np.mean(np.sum((unit @ W.T) ** 2, 1)), 3.91, atol=0.03)
    assert set(small("l2").noise(model.draws(Share(3)))) == {"code"}


def test_a_spectral_decoder_has_singular_values_of_at_most_one_and_the_encoder_stays_as_it_is():
    """W's singular values 1.6140548 and 1.1422902 become 1 and .7077."""
    model = create("rae", regularizer="spectral")
    layers = spectral_layers(model.decoder)
    assert len(layers) == 3 and not spectral_layers(model.encoder) and not spectral_layers(create("rae").decoder)
    model.compile(run_eagerly=True)
    model.fit(images(), verbose=0)
    largest = [np.linalg.svd(layer.normalised_kernel(), compute_uv=False)[0] for layer in layers]
    np.testing.assert_allclose(largest, 1, atol=5e-3)
    layers[1].kernel.assign(np.pad(W, ((0, 4), (0, 6))))
    for _ in range(40):
        layers[1].advance()
    values = np.linalg.svd(layers[1].normalised_kernel(), compute_uv=False)
    np.testing.assert_allclose(values[:2], [1, 1.1422902 / 1.6140548], atol=1e-5)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("regularizer", ["l2", "gradient", "gradient_code"])
def test_a_weight_that_is_raised_has_its_effect_after_loading_too(regularizer, tmp_path):
    x, noise = np.random.default_rng(0).normal(size=(4, 3)), {"code": np.zeros((4, 0)), "direction": signs(2)}
    model = small(regularizer, regularizer_weight=0.0)

    def total(model):
        return play_phase(model, x, noise, "auto_encoder").totals()["auto_encoder"]

    check_a_weight_comes_back(model, "regularizer_weight", total, tmp_path / "m.keras")


def test_weights_that_are_not_given_are_those_of_the_regulariser():
    kinds = ("l2", "gradient", "gradient_code", "spectral", None)
    found = {kind: small(kind, decoder="spectral").regularizer_weight for kind in kinds}
    assert found.pop("spectral") is found.pop(None) is None
    values = {kind: float(weight.numpy()) for kind, weight in found.items()}
    assert values == pytest.approx({"l2": 1e-4, "gradient": 0.1, "gradient_code": 3e-6})


def test_samples_come_from_the_mixture_that_is_fitted_to_the_codes():
    model = create("rae_gmm")
    assert type(model.sampling_prior).__name__ == "GaussianMixture" and model.sampling_prior.components == 10
    codes = model.encode(images())
    np.testing.assert_allclose(model.sampling_prior.sample(20_000, 0).numpy().mean(0), codes.mean(0), atol=0.05)


@pytest.mark.parametrize("regularizer", ["gradient", "gradient_code"])
def test_a_decoder_that_no_gradient_flows_through_twice_is_refused_at_the_first_step(regularizer):
    model = create("rae", regularizer=regularizer, decoder=bilinear())
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="bilinear UpSampling2D is known for it"):
        model.fit(images(), verbose=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"regularizer": "l1"}, "`regularizer` must be one of 'l2', 'gradient', 'gradient_code', 'spectral', or None"),
        ({"regularizer": ""}, "`regularizer` must be one of"),
        ({"regularizer": "spectral", "regularizer_weight": 1.0}, "`regularizer_weight` must be None for .*'spectral'"),
        ({"regularizer": None, "regularizer_weight": 1.0}, "`regularizer_weight` must be None for regularizer=None"),
        ({"regularizer_weight": -1.0}, "`regularizer_weight` must be a finite number >= 0. Received"),
        ({"beta": float("nan")}, "`beta` must be a finite number >= 0. Received: beta=nan"),
        ({"regularizer": "spectral", "decoder": network("plain", [(2,)], (8, 8, 1))}, "spectral layers alone.*dense"),
        (
            {"regularizer": "l2", "decoder": keras.Sequential([keras.Input((2,)), keras.layers.Reshape((2,))])},
            "`decoder` must have kernels",
        ),
    ],
    ids=range(8),
)
def test_what_does_not_fit_is_refused(arguments, message):
    shape = (2,) if "kernels" in message else (8, 8, 1)
    with pytest.raises(ValueError, match=message):
        create("rae", shape=shape, **arguments)


@pytest.mark.slow
def test_a_saturated_decoder_has_a_finite_penalty():
    """Its logits are thousands: the Jacobian is 0."""
    for regularizer in ("gradient", "gradient_code"):
        decoder = network("plain", [(2,)], (8, 8, 1))
        decoder.layers[-3].kernel.assign(1e4 * decoder.layers[-3].kernel)
        model = create("rae", regularizer=regularizer, decoder=decoder)
        model.compile(run_eagerly=True)
        found = model.fit(images(), verbose=0).history
        assert np.isfinite([values for values in found.values()]).all()
