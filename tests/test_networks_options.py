"""Options of the default networks: depth, activations, maxout, dropout, noise as a channel."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import quick

import keras_ijae as ki
from keras_ijae import networks
from keras_ijae.layers import Dropout, Maxout, spectral_layers
from keras_ijae.networks import Networks

SHAPE = (15, 18, 2)
JOINT = {"x": SHAPE, "z": (4,)}


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


def kernels(model):
    """Shapes of all kernels, in the order of the layers."""
    return [tuple(w.shape) for w in model.weights if w.name == "kernel"]


def inputs_of(model, batch=3, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [tf.constant(rng.random((batch, *i.shape[1:])), i.dtype) for i in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def all_options(family, **options):
    """Encoder, decoder and discriminator with the same options."""
    return [
        networks.encoder(family, SHAPE, 5, noise_dim=3, width=4, **options),
        networks.decoder(family, SHAPE, 4, noise_dim=2, width=4, **options),
        networks.discriminator(family, JOINT, width=4, **options),
    ]


def test_an_mlp_can_be_that_of_maskaae_four_layers_of_1024():
    encoder = networks.encoder("mlp", (28, 28, 1), 48, width=1024, depth=4, hidden_activation="relu", norm="none")
    assert kernels(encoder) == [(784, 1024), (1024, 1024), (1024, 1024), (1024, 1024), (1024, 48)]
    assert [layer.activation.__name__ for layer in encoder.layers if isinstance(layer, keras.layers.Activation)] == [
        "relu"
    ] * 4


def test_an_mlp_of_depth_zero_is_affine():
    model = networks.decoder("mlp", (5,), 3, depth=0)
    a, b = tf.random.normal((4, 3)), tf.random.normal((4, 3))
    assert kernels(model) == [(3, 5)]
    np.testing.assert_allclose(model(a) + model(b) - model(a + b), model(tf.zeros((4, 3))), atol=1e-6)


@pytest.mark.parametrize("family", ["dcgan", "resnet"])
@pytest.mark.slow
def test_depth_counts_dense_hidden_layers_of_convolutional_networks(family):
    def dense(model):
        return len([kernel for kernel in kernels(model) if len(kernel) == 2])

    for role in (0, 2):  # encoders and discriminators have one of their own, decoders none
        own, one, three = (dense(all_options(family, depth=depth)[role]) for depth in (None, 1, 3))
        assert own == one == three - 2
    decoders = [networks.decoder(family, SHAPE, 4, width=4, depth=depth) for depth in (None, 0, 2)]
    assert [dense(model) for model in decoders] == [1, 1, 3]


@pytest.mark.parametrize(("family", "activation"), [("mlp", "elu"), ("dcgan", "tanh"), ("resnet", "silu")])
def test_the_hidden_activation_is_the_one_asked_for(family, activation):
    for model in all_options(family, hidden_activation=activation):
        names = {layer.activation.__name__ for layer in model.layers if isinstance(layer, keras.layers.Activation)}
        assert names == {activation} and not any(isinstance(layer, keras.layers.LeakyReLU) for layer in model.layers)


def test_codes_can_be_bounded_by_tanh():
    model = networks.encoder("dcgan", SHAPE, 5, width=4, activation="tanh")
    assert np.abs(model(1000 * inputs_of(model))).max() <= 1 < np.abs(1000 * inputs_of(model)).max()


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("family", quick(["mlp", "dcgan"], ["mlp"]))
def test_maxout_units_are_the_largest_of_their_pieces(family, spectral):
    for plain, maxed in zip(all_options(family), all_options(family, maxout=2, spectral=spectral), strict=True):
        assert plain.output_shape == maxed.output_shape and any(isinstance(layer, Maxout) for layer in maxed.layers)
        activations = (keras.layers.LeakyReLU, keras.layers.Activation)
        assert not any(isinstance(layer, activations) for layer in maxed.layers)
        assert bool(spectral_layers(maxed)) == spectral
        for before, after in zip(kernels(plain)[:-1], kernels(maxed)[:-1], strict=True):
            hidden = -2 if "decoder" in plain.name and len(after) == 4 else -1
            assert after[hidden] in (2 * before[hidden], before[hidden])
    one_piece = networks.encoder("mlp", (6,), 2, width=8, maxout=3)
    assert kernels(one_piece) == [(6, 24), (8, 24), (8, 2)]


def test_gated_units_are_a_linear_function_times_the_sigmoid_of_a_second():
    model = networks.encoder("mlp", (6,), 2, width=3, depth=1, norm="none", hidden_activation="glu")
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    kernel, bias, last, end = (w.numpy() for w in model.weights)
    linear, gate = np.split(x @ kernel + bias, 2, axis=1)
    assert kernel.shape == (6, 6) and last.shape == (3, 2)
    np.testing.assert_allclose(model(x), linear / (1 + np.exp(-gate)) @ last + end, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", quick(["mlp", "dcgan"], ["dcgan"]))
def test_gated_networks_have_the_shapes_of_others_and_survive_saving(family, tmp_path):
    for plain, gated in zip(all_options(family), all_options(family, hidden_activation="glu"), strict=True):
        assert plain.output_shape == gated.output_shape and plain.count_params() < gated.count_params()
        gated.save(tmp_path / "m.keras")
        x = inputs_of(gated)
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.keras", safe_mode=True)(x), gated(x))


def test_the_size_of_kernels_is_that_of_all_strided_convolutions_and_changes_no_shape():
    for plain, large in zip(all_options("dcgan"), all_options("dcgan", kernel_size=5), strict=True):
        assert plain.output_shape == large.output_shape
        sizes = [{kernel[:2] for kernel in kernels(model) if len(kernel) == 4} for model in (plain, large)]
        assert sizes == [{(4, 4)}, {(5, 5)}]


@pytest.mark.parametrize("spectral", [False, True])
def test_kernels_begin_as_normal_draws_of_the_deviation_asked_for(spectral):
    model = networks.discriminator("dcgan", {"x": SHAPE}, width=32, kernel_stddev=0.02, spectral=spectral)
    drawn = np.concatenate([w.numpy().ravel() for w in model.weights if w.name == "kernel"])
    assert abs(drawn.std() / 0.02 - 1) < 0.01 and abs(drawn.mean()) < 2e-4
    assert abs(np.mean(drawn**4) / np.mean(drawn**2) ** 2 - 3) < 0.1


def test_the_presets_of_papers_have_their_kernels_and_gates():
    gan = ki.create("gan", (64, 64, 3), 100, networks={"width": 2}, preset="paper")
    maps = [kernel for kernel in kernels(gan.decoder) if len(kernel) == 4]
    assert maps == [(5, 5, 8, 16), (5, 5, 4, 8), (5, 5, 2, 4), (5, 5, 3, 2)]  # 4, 8, 16, 32, 64 pixels a side
    vamp = ki.create("vamp_vae", (6,), 2, networks={"width": 3}, preset="paper")
    assert kernels(vamp.encoder) == [(6, 6), (3, 6), (3, 4)]


@pytest.mark.parametrize(
    "family, noise_dim, kernel",
    [("dcgan", 5, (5, 270)), ("dcgan", 540, None), ("resnet", 5, (5, 270)), ("resnet", 270, None)],
)
def test_noise_as_a_channel_joins_the_image(family, noise_dim, kernel):
    model = networks.encoder(family, SHAPE, 3, noise_dim=noise_dim, noise_as="channel", width=4)
    first = next(w for w in model.weights if w.name == "kernel" and len(w.shape) == 4)
    assert first.shape[2] == SHAPE[2] + (1 if kernel else noise_dim // 270)
    assert (kernel in kernels(model)) == (kernel is not None)
    x, noise = inputs_of(model)
    assert np.abs(model([x, noise]) - model([x, noise + 1])).min() > 0


@pytest.mark.parametrize("family", ["mlp", "dcgan", "resnet"])
@pytest.mark.slow
def test_dropout_thins_hidden_layers_in_training_alone(family):
    for model in all_options(family, dropout=0.5):
        layers = [layer for layer in model.layers if isinstance(layer, Dropout)]
        assert layers and len({layer.seed for layer in layers}) == len(layers)
        x = inputs_of(model)
        np.testing.assert_array_equal(model(x, training=True), model(x, training=True))
        thinned = model(x, training=True).numpy()
        assert np.abs(thinned - model(x, training=False)).max() > 0
        for layer in layers:
            layer.advance()
        assert np.abs(thinned - model(x, training=True)).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("family", ["mlp", "dcgan"])
def test_networks_with_every_option_survive_saving_in_safe_mode(family, tmp_path):
    options = {"depth": 2, "dropout": 0.2, "maxout": 2, "norm": "batch", "spectral": True}
    for model in all_options(family, **options):
        model.save(tmp_path / "m.keras")
        loaded = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
        x = inputs_of(model)
        np.testing.assert_array_equal(loaded(x, training=False), model(x, training=False))
        np.testing.assert_array_equal(loaded(x, training=True), model(x, training=True))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: networks.encoder("mlp", (6,), 2, depth=-1), "`depth` must be an integer >= 0. Received: depth=-1"),
        (lambda: networks.encoder("mlp", (6,), 2, depth=1.5), "`depth` must be an integer"),
        (lambda: networks.encoder("mlp", (6,), 2, width=True), "`width` must be an integer >= 1. Received: width=True"),
        (lambda: networks.encoder("mlp", (6,), 2, dropout=1.0), r"`dropout` must be in \[0, 1\)"),
        (lambda: networks.encoder("mlp", (6,), 2, maxout=1), "`maxout` must be an integer >= 2. Received: maxout=1"),
        (lambda: networks.encoder("resnet", SHAPE, 2, maxout=2), "`maxout` must be 0 for networks 'resnet'"),
        (lambda: networks.encoder("resnet", SHAPE, 2, hidden_activation="glu"), "must not be 'glu' .* 'resnet'"),
        (lambda: networks.encoder("resnet", SHAPE, 2, kernel_size=5), "`kernel_size` must be None .*kernel_size=5"),
        (lambda: networks.encoder("dcgan", SHAPE, 2, kernel_size=1), "`kernel_size` must be an integer >= 2"),
        (lambda: networks.encoder("mlp", (6,), 2, kernel_stddev=0), "`kernel_stddev` must be a finite number > 0"),
        (
            lambda: networks.decoder("mlp", (6,), 2, hidden_activation="rellu"),
            "`hidden_activation` must be one of .*Did you mean 'relu'",
        ),
        (lambda: networks.encoder("mlp", (6,), 2, noise_dim=2, noise_as="channel"), "`noise_as` must be 'vector'"),
        (lambda: networks.encoder("dcgan", SHAPE, 2, noise_as="chanel"), "`noise_as` .*Did you mean 'channel'"),
        (lambda: networks.discriminator("mlp", JOINT, depth=0), "`depth` must be >= 1 for several inputs"),
        (lambda: networks.discriminator("mlp", JOINT, spectral="no"), "`spectral` must be True or False"),
    ],
)
def test_bad_options_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def weights_like(made, expected):
    """Both networks were built from the same seed with the same layers in the same order."""
    assert [w.name for w in made.weights] == [w.name for w in expected.weights]
    for a, b in zip(made.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def seeded(build):
    keras.utils.set_random_seed(7)
    return build()


def test_the_default_options_build_what_the_builders_build():
    options = Networks()
    weights_like(
        seeded(lambda: options.encoder((16, 16, 1), 4, noise_dim=3)),
        seeded(lambda: networks.encoder("auto", (16, 16, 1), 4, noise_dim=3)),
    )
    weights_like(
        seeded(lambda: options.decoder((16, 16, 1), 4, activation="linear")),
        seeded(lambda: networks.decoder("auto", (16, 16, 1), 4, activation="linear")),
    )
    weights_like(
        seeded(lambda: options.discriminator({"z": (4,)}, name="code_discriminator")),
        seeded(lambda: networks.discriminator("auto", {"z": (4,)}, name="code_discriminator")),
    )
    weights_like(
        seeded(lambda: options.discriminator({"z": (4,)}, critic=True, name="critic")),
        seeded(lambda: networks.discriminator("auto", {"z": (4,)}, spectral=False, name="critic")),
    )
    weights_like(
        seeded(lambda: options.prior_generator(4, 6)),
        seeded(lambda: networks.decoder("mlp", (4,), 6, norm="none", name="prior_generator")),
    )


def test_options_of_a_role_replace_those_of_all():
    options = Networks(width=8, depth=1, roles={"code_critic": {"width": 16, "depth": 4, "hidden_activation": "relu"}})
    assert kernels(options.encoder((6,), 4)) == [(6, 8), (8, 4)]
    critic = options.discriminator({"z": (4,)}, critic=True, name="code_critic")
    assert kernels(critic) == [(4, 16), (16, 16), (16, 16), (16, 16), (16, 1)] and not spectral_layers(critic)
    assert options.of_role("encoder").depth == 1 and options.of_role("code_critic").depth == 4


def test_options_come_from_a_name_or_a_dictionary_and_go_through_json():
    roles = {"joint_discriminator": {"maxout": 2, "dropout": 0.2}}
    options = Networks(family="dcgan", width=8, norm="batch", code_activation="tanh", roles=roles)
    config = json.loads(json.dumps(options.to_config()))
    assert set(config) == {"family", "width", "norm", "code_activation", "roles"}
    assert Networks.of(config) == options == Networks.of(options)
    assert Networks.of("resnet") == Networks(family="resnet") and Networks().to_config() == {}


def test_options_that_resnets_cannot_have_are_left_behind_and_refused_where_they_are_given():
    roles = {"critic": {"maxout": 2, "width": 8}, "encoder": {"hidden_activation": "glu"}}
    paper = Networks(family="dcgan", kernel_size=5, kernel_stddev=0.02, hidden_activation="glu", width=16, roles=roles)
    expected = Networks(family="resnet", kernel_stddev=0.02, width=16, roles={"critic": {"width": 8}, "encoder": {}})
    assert paper.but("resnet") == expected == paper.but({"family": "resnet"})
    mixed = Networks(roles={"critic": {"family": "dcgan", "kernel_size": 5}}).but("resnet")
    assert mixed.of_role("critic").kernel_size == 5 and mixed.family == "resnet"
    assert paper.but("mlp").kernel_size == 5 and paper.but({"width": 4}).hidden_activation == "glu"
    with pytest.raises(ValueError, match="`kernel_size` must be None for networks 'resnet'"):
        paper.but({"family": "resnet", "kernel_size": 5}).encoder(SHAPE, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Networks.of("dcgn"), "`networks` must be one of .*Did you mean 'dcgan'"),
        (lambda: Networks.of(3), "`networks` must be the name of a family, a dictionary of options or `Networks`"),
        (lambda: Networks.of({"widht": 3}), "`networks` has no option 'widht'. Did you mean 'width'"),
        (lambda: Networks(width=0), "`width` must be an integer >= 1. Received: width=0"),
        (lambda: Networks(code_activation="sigmoid"), "`code_activation` must be one of 'linear', 'tanh'"),
        (lambda: Networks(discriminator_norm="instance"), "`discriminator_norm` must be one of"),
        (lambda: Networks(roles=["encoder"]), "`roles` must be a dictionary"),
        (lambda: Networks(roles={"encoder": 4}), "`roles` must hold dictionaries of options. Received: encoder=4"),
        (lambda: Networks(roles={"encoder": {"depht": 4}}), "has no option 'depht'. Did you mean 'depth'"),
        (lambda: Networks(roles={"encoder": {"dropout": 2}}), "`dropout` must be in"),
        (
            lambda: Networks(code_activation="tanh").encoder((6,), 8, codes=False),
            "`code_activation` must be 'linear' where .*posterior='deterministic' or 'implicit'",
        ),
    ],
)
def test_bad_options_of_networks_are_named_before_anything_is_built(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.slow
def test_a_game_with_dropout_resumes_exactly(tmp_path):
    x = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")

    def game():
        keras.utils.set_random_seed(3)
        judge = networks.discriminator("mlp", {"x": (2,)}, width=4, dropout=0.5)
        model = ki.create("gan", data_shape=(2,), latent_dim=2, width=4, discriminator=judge)
        model.compile()
        return model

    whole, half = game(), game()
    whole.fit(x, batch_size=8, epochs=4, verbose=0)
    half.fit(x, batch_size=8, epochs=2, verbose=0)
    half.save(tmp_path / "half.keras")
    half = ki.load_model(tmp_path / "half.keras")
    half.fit(x, batch_size=8, epochs=2, verbose=0)
    steps = [int(w) for w in whole.discriminator.weights if w.name == "step"]
    assert steps == [4, 4]
    for a, b in zip(whole.discriminator.weights, half.discriminator.weights, strict=True):
        np.testing.assert_array_equal(a, b)
