"""The builders of encoders, decoders and discriminators."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import quick

import keras_ijae as ki
from keras_ijae import networks
from keras_ijae.layers import SpectralDense, spectral_layers

SHAPES = [(28, 28, 1), (32, 32, 3), (64, 64, 3), (8, 8, 1), (9, 31, 2), (40, 8, 1), (53, 71, 3)]
FAMILIES = ["mlp", "dcgan", "resnet"]
NORMED = [("dcgan", norm) for norm in ("none", "batch", "layer")] + [("mlp", "layer"), ("resnet", "group")]
JOINT = {"x": (9, 12, 2), "z": (4,), "y": (9, 12, 2)}


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


def data(model, batch=3, seed=0):
    """One random input per input of the model, as the model takes them."""
    rng = np.random.default_rng(seed)
    arrays = [tf.constant(rng.random((batch, *i.shape[1:])), i.dtype) for i in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def trio(family, shape=(15, 18, 2), **options):
    """An encoder with noise, a decoder with noise, a discriminator of everything."""
    return [
        networks.encoder(family, shape, 5, noise_dim=3, width=8, **options),
        networks.decoder(family, shape, 4, noise_dim=2, width=8, **options),
        networks.discriminator(family, {"x": shape, "z": (4,), "y": shape}, width=8, **options),
    ]


SIZES = [(family, shape) for family in FAMILIES for shape in SHAPES]
FEW = [("mlp", (8, 8, 1)), ("dcgan", (28, 28, 1)), *((family, (9, 31, 2)) for family in FAMILIES)]


@pytest.mark.parametrize("size", quick(SIZES, [*FEW, ("dcgan", (53, 71, 3)), ("resnet", (40, 8, 1))]), ids=str)
def test_shapes_and_ranges_for_any_size(size):
    family, shape = size
    encoder = networks.encoder(family, shape, 5, width=4)
    decoder = networks.decoder(family, shape, 3, width=4)
    discriminator = networks.discriminator(family, {"x": shape}, width=4)
    assert encoder.input_shape == discriminator.input_shape == decoder.output_shape == (None, *shape)
    assert decoder.input_shape == (None, 3)
    assert (encoder.output_shape, discriminator.output_shape) == ((None, 5), (None, 1))
    images = decoder(tf.random.normal((2, 3))).numpy()
    assert images.dtype == np.float32 and 0 <= images.min() < images.max() <= 1
    assert discriminator(images).shape == (2, 1) and encoder(images).shape == (2, 5)


@pytest.mark.parametrize(("latent", "expected"), [(1, (None, 6)), (16, (None, 6))])
def test_vectors_get_linear_mlps(latent, expected):
    decoder = networks.decoder("auto", (6,), latent)
    assert decoder.output_shape == expected and decoder.layers[-1].activation is keras.activations.linear
    assert networks.encoder("auto", (6,), latent).output_shape == (None, latent)
    assert networks.discriminator("dcgan", {"z": (latent,)}).output_shape == (None, 1)


def test_a_decoder_of_raw_parameters_is_linear():
    decoder = networks.decoder("dcgan", (16, 16, 1), 4, width=4, activation="linear")
    decoder.layers[-1].bias.assign([7.0])
    assert decoder(tf.zeros((1, 4))).numpy().max() > 1


@pytest.mark.parametrize("family", FAMILIES)
def test_every_input_reaches_the_output(family):
    for model in trio(family):
        inputs = data(model)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = tf.reduce_sum(tf.square(model(inputs)))
        for gradient in tape.gradient(value, inputs):
            assert np.all(np.abs(gradient.numpy()).reshape(3, -1).max(axis=1) > 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_joint_logit_is_no_sum_of_functions_of_each_input(family):
    model = networks.discriminator(family, JOINT, width=8)
    (x, z, y), (x2, z2, _) = data(model, seed=0), data(model, seed=1)
    interaction = model([x, 20 * z, y]) - model([x2, 20 * z, y]) - model([x, -20 * z2, y]) + model([x2, -20 * z2, y])
    assert np.abs(interaction.numpy()).max() > 1e-3


@pytest.mark.parametrize("made", quick(NORMED, [("dcgan", "batch"), ("mlp", "layer"), ("resnet", "group")]), ids=str)
def test_models_survive_saving_in_safe_mode(made, tmp_path):
    family, norm = made
    for model in trio(family, norm=norm, spectral=True):
        model.save(tmp_path / "m.keras")
        loaded = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
        np.testing.assert_array_equal(loaded(data(model)).numpy(), model(data(model)).numpy())
        assert [w.path for w in loaded.weights] and len(loaded.weights) == len(model.weights)


@pytest.mark.parametrize(("family", "norm"), [pair for pair in NORMED if pair[1] != "batch"] + [("dcgan", "group")])
def test_rows_do_not_depend_on_their_batch_nor_on_training(family, norm):
    for model in trio(family, norm=norm):
        inputs = data(model, batch=5)
        whole = model(inputs, training=True).numpy()
        np.testing.assert_allclose(model([i[2:3] for i in inputs], training=False)[0], whole[2], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_batch_statistics_exist_only_where_asked_for(family):
    for norm, expected in (("group", False), ("batch", True)):
        for model in trio(family, norm=norm, spectral=False):
            assert bool(model.non_trainable_variables) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_spectral_reaches_every_kernel(family):
    for model in trio(family, spectral=True):
        kernels = [w for w in model.trainable_variables if w.name == "kernel"]
        assert len(spectral_layers(model)) == len(kernels) > 2
    assert not spectral_layers(networks.discriminator(family, JOINT, width=8, spectral=False))


JUDGES = [*NORMED, ("mlp", "none"), ("dcgan", "group"), ("resnet", "none")]
JUDGES = [(*judge, spectral) for judge in JUDGES for spectral in (True, False)]
OFTEN = [("dcgan", "batch", True), ("dcgan", "layer", False), ("mlp", "layer", False), ("resnet", "group", True)]


@pytest.mark.parametrize("judge", quick(JUDGES, OFTEN), ids=str)
def test_a_gradient_penalty_reaches_every_kernel(judge):
    """Biases get none where activations are piecewise linear: the slope does not depend on them."""
    family, norm, spectral = judge
    model = networks.discriminator(family, JOINT, width=8, spectral=spectral, norm=norm)
    inputs = data(model)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            logits = tf.reduce_sum(model(inputs))
        slopes = tape.gradient(logits, inputs)
        penalty = sum(tf.reduce_sum(tf.square(s)) for s in slopes)
    variables = model.trainable_variables
    for weight, gradient in zip(variables, outer.gradient(penalty, [v.value for v in variables]), strict=True):
        if weight.name == "kernel":
            assert gradient is not None and np.abs(gradient.numpy()).max() > 0, weight.path


def test_logits_and_images_are_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        for family in FAMILIES:
            for model in trio(family):
                output = model(data(model))
                assert output.dtype == tf.float32 and np.all(np.isfinite(output))
                assert any(layer.compute_dtype == "float16" for layer in model.layers)
    finally:
        keras.config.set_dtype_policy(policy)


@pytest.mark.slow
def test_networks_are_float64_throughout_under_float64():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        for family in FAMILIES:
            for model in trio(family):
                a, b = data(model), data(model)
                b[0] = b[0] + 1e-12
                assert model(a).dtype == tf.float64
                assert 0 < np.abs(model(a) - model(b)).max() < 1e-9
    finally:
        keras.config.set_dtype_policy(policy)


def test_width_scales_the_network():
    sizes = [networks.encoder("dcgan", (28, 28, 1), 8, width=w).count_params() for w in (8, 16, None)]
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((6,), "mlp"), ((8, 8, 1), "mlp"), ((15, 40, 1), "mlp"), ((16, 16, 1), "dcgan"), ((28, 28, 1), "dcgan")],
)
def test_auto_resolves_by_shape(shape, expected):
    assert networks.resolve("auto", shape) == expected


def test_a_spectral_mlp_is_lipschitz():
    model = networks.discriminator("mlp", {"z": (4,)})
    assert isinstance(model.layers[-1], SpectralDense)
    a, b = data(model, 50, 0), data(model, 50, 1)
    slopes = np.abs(model(a) - model(b))[:, 0] / np.linalg.norm(a - b, axis=1)
    assert slopes.max() <= 1


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: networks.resolve("vgg", (28, 28, 1)), "'auto', 'mlp', 'dcgan', 'resnet'. Received: networks='vgg'"),
        (lambda: networks.encoder("dcgan", (7, 28, 1), 2), "use 'mlp'"),
        (lambda: networks.encoder("resnet", (6,), 2), "use 'mlp'"),
        (lambda: networks.decoder("mlp", (6, 6), 2), "`data_shape`"),
        (lambda: networks.decoder("mlp", (6,), 0), "`latent_dim` must be an integer >= 1. Received: latent_dim=0"),
        (lambda: networks.encoder("mlp", (6,), 2, noise_dim=-1), "`noise_dim`"),
        (lambda: networks.encoder("mlp", (6,), 0), "`units`"),
        (lambda: networks.encoder("dcgan", (28, 28, 1), 2, width=0), "`width`"),
        (
            lambda: networks.encoder("dcgan", (28, 28, 1), 2, norm="instance"),
            "'none', 'group', 'batch', 'layer'. Received: norm='instance'",
        ),
        (lambda: networks.discriminator("mlp", {}), "`inputs`"),
        (lambda: networks.discriminator("dcgan", {"x": (28, 28, 1), "y": (32, 32, 1)}), "one height and width"),
        (lambda: networks.discriminator("dcgan", {"z": (4, 4)}), "`data_shape`"),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        build()


@pytest.mark.slow
@pytest.mark.parametrize("system", ["vae", "wae_gan", "ijae"])
def test_large_colour_images_train(system):
    model = ki.create(system, (256, 256, 3), 4, width=2)
    model.compile()
    x = np.random.default_rng(0).random((4, 256, 256, 3), dtype="float32")
    history = model.fit(x, batch_size=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert model.reconstruct(x).shape == model.sample(4).shape == x.shape
