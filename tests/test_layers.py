"""Spectral normalisation, cyclic shifts, group normalisation, maxout, dropout, repeated pixels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_ijae.layers import (
    CyclicRoll,
    Dropout,
    GroupNorm,
    Maxout,
    RepeatPixels,
    SpectralConv2D,
    SpectralConv2DTranspose,
    SpectralDense,
    roll,
    spectral_layers,
)

W = np.array([[1.2, 0.0], [0.5, -0.8], [0.0, 1.0], [-0.7, 0.3]])
SINGULAR = (1.6140548, 1.1422902)
LAYERS = {
    "dense": (SpectralDense, {"units": 5}, (4, 7)),
    "conv": (SpectralConv2D, {"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same"}, (2, 7, 6, 3)),
    "transpose": (
        SpectralConv2DTranspose,
        {"filters": 5, "kernel_size": 4, "strides": 2, "padding": "same"},
        (2, 4, 3, 3),
    ),
}


def make(name, **options):
    keras.utils.set_random_seed(1)
    layer_class, arguments, shape = LAYERS[name]
    layer = layer_class(**arguments, **options)
    x = np.random.default_rng(0).normal(size=shape)
    layer.build(shape)
    return layer, x


def matrix(layer):
    kernel = layer.kernel.numpy()
    return kernel.reshape(-1, kernel.shape[-1])


def test_singular_values_of_the_golden_matrix():
    layer = SpectralDense(2, use_bias=False, dtype="float64")
    layer.build((None, 4))
    layer.kernel.assign(W)
    for _ in range(60):
        layer.advance()
    assert float(layer.sigma()) == pytest.approx(SINGULAR[0], abs=1e-7)
    output = layer(np.eye(4)).numpy()
    np.testing.assert_allclose(output, W / SINGULAR[0], atol=1e-7)
    np.testing.assert_allclose(np.linalg.svd(output)[1], [1.0, 0.7077147], atol=1e-7)


@pytest.mark.parametrize("name", LAYERS)
def test_the_kernel_is_normalised_before_the_first_call(name):
    layer, _ = make(name)
    assert float(layer.sigma()) == pytest.approx(np.linalg.svd(matrix(layer))[1][0], rel=1e-5)
    normalised = layer.normalised_kernel().numpy()
    assert np.linalg.svd(normalised.reshape(matrix(layer).shape))[1][0] == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_the_output_is_that_of_the_plain_layer_with_the_divided_kernel(name):
    layer, x = make(name, dtype="float64", activation="tanh")
    layer.bias.assign(np.linspace(-1, 1, 5))
    plain = type(layer).__bases__[1](**LAYERS[name][1], activation="tanh", dtype="float64")
    plain.build(x.shape)
    plain.kernel.assign(layer.kernel / np.linalg.svd(matrix(layer))[1][0])
    plain.bias.assign(layer.bias)
    np.testing.assert_allclose(layer(x).numpy(), plain(x).numpy(), atol=1e-10)


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_through_sigma_is_that_of_finite_differences_with_the_true_norm(name):
    layer, x = make(name, dtype="float64", activation="tanh")
    kernel = layer.kernel.numpy()
    weights = np.random.default_rng(2).normal(size=layer(x).shape)

    def loss(k):
        layer.kernel.assign(k)
        sigma = np.linalg.svd(matrix(layer))[1][0]
        pre = layer._linear(tf.constant(x), tf.constant(k / sigma)) + layer.bias.value
        return float(tf.reduce_sum(weights * tf.tanh(pre)))

    with tf.GradientTape() as tape:
        value = tf.reduce_sum(weights * layer(x))
    gradient = tape.gradient(value, layer.kernel.value).numpy()
    direction = np.random.default_rng(3).normal(size=kernel.shape)
    difference = (loss(kernel + 1e-5 * direction) - loss(kernel - 1e-5 * direction)) / 2e-5
    assert np.sum(gradient * direction) == pytest.approx(difference, rel=1e-7)
    assert np.sum(gradient * kernel) == pytest.approx(0.0, abs=1e-9)  # the output does not depend on the kernel's scale


@pytest.mark.parametrize("name", LAYERS)
def test_a_forward_pass_changes_nothing_and_training_does_not_matter(name):
    layer, x = make(name)
    before = [w.numpy() for w in layer.weights]
    outputs = [keras.Sequential([layer])(x, training=training).numpy() for training in (True, False)]
    np.testing.assert_array_equal(*outputs)
    for old, weight in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, weight.numpy())


@pytest.mark.parametrize("name", LAYERS)
def test_advance_converges_to_the_top_singular_vector_of_a_new_kernel(name):
    layer, _ = make(name, dtype="float64")
    layer.kernel.assign(np.random.default_rng(5).normal(size=layer.kernel.shape))
    left, values, _ = np.linalg.svd(matrix(layer))
    assert float(layer.sigma()) < values[0] * (1 - 1e-3)
    for _ in range(400):
        layer.advance()
    assert float(layer.sigma()) == pytest.approx(values[0], rel=1e-6)
    assert abs(layer.u.numpy() @ left[:, 0]) == pytest.approx(1.0, abs=1e-6)


def test_a_kernel_of_zeros_stays_finite_and_u_survives():
    layer = SpectralDense(3, kernel_initializer="zeros", use_bias=False)
    assert np.all(layer(np.ones((2, 4), "float32")).numpy() == 0.0)
    layer.advance()
    layer.kernel.assign(np.ones((4, 3)))
    for _ in range(5):
        layer.advance()
    assert float(layer.sigma()) == pytest.approx(np.sqrt(12), rel=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_sigma_stays_in_float32_under_mixed_precision(name):
    layer, x = make(name, dtype="mixed_float16")
    assert layer(x.astype("float16")).dtype == tf.float16
    assert layer.sigma().dtype == tf.float32 and layer.u.dtype == "float32"
    single, _ = make(name)
    np.testing.assert_allclose(layer(x.astype("float16")).numpy(), single(x.astype("float32")).numpy(), atol=5e-3)


@pytest.mark.parametrize("name", LAYERS)
def test_spectral_layers_agree_under_xla(name):
    layer, x = make(name)
    x = tf.constant(x, tf.float32)
    np.testing.assert_allclose(tf.function(layer, jit_compile=True)(x), layer(x), atol=1e-5)


def test_replicas_advance_together_under_a_strategy():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        layer, _ = make("dense")
    layer.kernel.assign(np.random.default_rng(5).normal(size=layer.kernel.shape))
    alone, _ = make("dense")
    alone.kernel.assign(layer.kernel.numpy())
    tf.function(lambda: strategy.run(layer.advance))()
    alone.advance()
    np.testing.assert_allclose(layer.u.numpy(), alone.u.numpy(), atol=1e-6)


def test_spectral_layers_are_found_at_any_depth_and_survive_saving(tmp_path):
    inner = keras.Sequential([keras.Input((8, 8, 1)), SpectralConv2D(2, 3), keras.layers.Flatten()])
    x = keras.Input((8, 8, 1))
    model = keras.Model(x, SpectralDense(1, activation="tanh")(inner(x)))
    assert len(spectral_layers(model)) == 2
    images = np.random.default_rng(0).random((3, 8, 8, 1), "float32")
    spectral_layers(model)[0].u.assign(spectral_layers(model)[0].u * 0.5)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(images).numpy(), model(images).numpy())


@pytest.mark.parametrize("compiled", ["eager", "graph", "xla"])
def test_roll_equals_tf_roll_image_by_image(compiled):
    rng = np.random.default_rng(0)
    images = rng.random((9, 5, 7, 2), "float32")
    shifts = rng.integers(-11, 12, (9, 2)).astype("int32")
    function = {"eager": roll, "graph": tf.function(roll), "xla": tf.function(roll, jit_compile=True)}[compiled]
    rolled = function(images, shifts)
    for image, shift, result in zip(images, shifts, rolled.numpy(), strict=True):
        np.testing.assert_array_equal(result, np.roll(image, shift, axis=(0, 1)))


def test_roll_back_is_the_identity_and_the_gradient_is_the_opposite_roll():
    rng = np.random.default_rng(1)
    images, upstream = tf.constant(rng.random((4, 6, 5, 1))), tf.constant(rng.random((4, 6, 5, 1)))
    shifts = tf.constant(rng.integers(-3, 4, (4, 2)), tf.int32)
    np.testing.assert_array_equal(roll(roll(images, shifts), -shifts), images)
    with tf.GradientTape() as outer:
        outer.watch(images)
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_sum(roll(images, shifts) ** 2 * upstream)
        first = tape.gradient(value, images)
    expected = 2 * images * roll(upstream, -shifts)
    np.testing.assert_allclose(first, expected, atol=1e-12)
    np.testing.assert_allclose(outer.gradient(first, images), 2 * roll(upstream, -shifts), atol=1e-12)


def test_roll_refuses_what_is_not_one_shift_per_image():
    with pytest.raises(ValueError, match="`shifts`"):
        roll(tf.zeros((2, 4, 4, 1)), tf.zeros((2, 1), tf.int32))
    with pytest.raises(ValueError, match="`shifts`"):
        roll(tf.zeros((2, 4, 4, 1)), tf.zeros((2, 2)))
    with pytest.raises(ValueError, match="`images`"):
        roll(tf.zeros((2, 4)), tf.zeros((2, 2), tf.int32))


def test_roll_as_a_layer_in_a_saved_model(tmp_path):
    images, shifts = keras.Input((4, 5, 1)), keras.Input((2,), dtype="int32")
    model = keras.Model([images, shifts], CyclicRoll()([images, shifts]))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    x = np.arange(20, dtype="float32").reshape(1, 4, 5, 1)
    np.testing.assert_array_equal(loaded([x, np.array([[1, -2]])])[0], np.roll(x[0], (1, -2), (0, 1)))


@pytest.mark.parametrize(("groups", "used"), [(8, 6), (4, 3), (1, 1)])
def test_group_norm_equals_that_of_keras(groups, used):
    x = np.random.default_rng(0).normal(1.0, 3.0, (3, 5, 4, 6))
    ours = GroupNorm(groups, dtype="float64")
    theirs = keras.layers.GroupNormalization(used, epsilon=1e-5, dtype="float64")
    ours.build(x.shape), theirs.build(x.shape)
    for layer in (ours, theirs):
        layer.gamma.assign(np.linspace(0.5, 2, 6)), layer.beta.assign(np.linspace(-1, 1, 6))
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-10)


def test_group_norm_keeps_its_statistics_in_float32_under_mixed_precision():
    x = np.random.default_rng(0).normal(300.0, 100.0, (2, 8, 8, 4)).astype("float16")
    output = GroupNorm(2, dtype="mixed_float16")(x)
    assert output.dtype == tf.float16
    np.testing.assert_allclose(output, GroupNorm(2)(x.astype("float32")), atol=5e-3)
    assert abs(float(tf.math.reduce_std(tf.cast(output, tf.float32))) - 1.0) < 1e-2


def test_group_norm_refuses_no_groups():
    with pytest.raises(ValueError, match="`groups`"):
        GroupNorm(0)


@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 5, 6)], ids=str)
@pytest.mark.parametrize("pieces", [2, 3])
def test_maxout_is_the_largest_of_neighbouring_features(shape, pieces):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = x.reshape(*shape[:-1], 6 // pieces, pieces).max(axis=-1)
    np.testing.assert_array_equal(Maxout(pieces)(x), expected)
    model = keras.Sequential([keras.Input(shape[1:]), Maxout(pieces)])
    assert model.output_shape == (None, *expected.shape[1:])
    np.testing.assert_array_equal(model(x), expected)


def test_maxout_passes_the_gradient_to_the_largest_piece_alone():
    x = tf.Variable([[1.0, 3.0, -2.0, -5.0]])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(Maxout(2)(x) * [[2.0, 3.0]])
    np.testing.assert_array_equal(tape.gradient(y, x), [[0.0, 2.0, 3.0, 0.0]])


def test_maxout_refuses_pieces_that_do_not_fit():
    with pytest.raises(ValueError, match="`pieces` must be an integer >= 2. Received: pieces=1"):
        Maxout(1)
    with pytest.raises(ValueError, match="`pieces` must divide 5 features. Received: pieces=2"):
        Maxout(2)(tf.zeros((1, 5)))


def with_two_derivatives(layer, x, weights):
    """What a layer gives, its gradient, and that of the gradient's square."""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
            value = tf.reduce_sum(tf.sin(y * weights) * weights)
        gradient = inner.gradient(value, x)
        square = tf.reduce_sum(gradient**2)
    return y, gradient, outer.gradient(square, x)


@pytest.mark.parametrize("factors", [(2, 2), (1, 3), (2, 1)])
def test_repeated_pixels_are_nearest_neighbours_bit_for_bit_with_two_derivatives(factors):
    draw = np.random.default_rng(0).normal
    x = tf.constant(draw(size=(3, 5, 7, 4)), "float32")
    weights = tf.constant(draw(size=(3, 5 * factors[0], 7 * factors[1], 4)), "float32")
    wanted = with_two_derivatives(keras.layers.UpSampling2D(factors, interpolation="nearest"), x, weights)
    for found, one in zip(with_two_derivatives(RepeatPixels(factors), x, weights), wanted, strict=True):
        np.testing.assert_array_equal(found, one)


def test_repeated_pixels_have_a_static_shape_in_graphs_and_configurations():
    model = keras.Sequential([keras.Input((5, 7, 4)), RepeatPixels((2, 3))])
    assert model.output_shape == (None, 10, 21, 4)
    graph = tf.function(model, [tf.TensorSpec((None, 5, 7, 4))], autograph=False).get_concrete_function().graph
    assert not any(operation.type == "Shape" for operation in graph.get_operations())  # which TFLite does not fold
    assert keras.Sequential.from_config(model.get_config()).layers[0].factors == (2, 3)


def test_repeated_pixels_refuse_factors_that_are_none():
    with pytest.raises(ValueError, match="`factors` must be .of rows, of columns.. Received: factors=2"):
        RepeatPixels(2)
    with pytest.raises(ValueError, match="`factors` must be an integer >= 1. Received: factors=0"):
        RepeatPixels((2, 0))


def test_dropout_drops_its_share_and_keeps_the_mean():
    dropped = Dropout(0.3, seed=1)(tf.ones((200, 500)), training=True).numpy()
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.7)}
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / dropped.size))
    np.testing.assert_array_equal(Dropout(0.3)(tf.ones((2, 3)), training=False), np.ones((2, 3)))


def test_dropouts_masks_change_with_steps_and_layers_but_not_with_calls_or_the_number_of_rows():
    layer, other, x = Dropout(0.5, seed=1), Dropout(0.5, seed=2), tf.ones((8, 40))
    first = layer(x, training=True).numpy()
    np.testing.assert_array_equal(layer(x, training=True), first)
    np.testing.assert_array_equal(layer(x[:3], training=True), first[:3])
    np.testing.assert_array_equal(tf.function(layer, jit_compile=True)(x, training=True), first)
    assert (other(x, training=True) != first).numpy().mean() > 0.3
    layer.advance()
    assert (layer(x, training=True) != first).numpy().mean() > 0.3
    assert len({Dropout(0.5).seed for _ in range(5)}) == 5


def test_two_replicas_drop_what_one_with_the_double_batch_drops(two_replicas):
    with two_replicas.scope():
        layer = Dropout(0.5, seed=3)
    x = tf.ones((4, 6))
    rows = two_replicas.experimental_distribute_values_from_function(
        lambda context: x[2 * context.replica_id_in_sync_group :][:2]
    )
    run = tf.function(lambda part: two_replicas.run(lambda values: layer(values, training=True), (part,)))
    parts = two_replicas.experimental_local_results(run(rows))
    np.testing.assert_array_equal(tf.concat(parts, 0), Dropout(0.5, seed=3)(x, training=True))


@pytest.mark.parametrize("rate", [1.0, -0.1, float("nan"), "half"])
def test_dropout_refuses_what_is_no_rate(rate):
    with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\). Received: rate="):
        Dropout(rate)
