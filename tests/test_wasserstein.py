"""The Wasserstein GANs against their papers: losses, the clipped critic, the penalty, when the decoder moves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step, observe
from tiny import (  # noqa: F401
    affine,
    check_samples,
    float64,
    inject,
    network,
    play_phase,
    quadratic,
    signs,
    slopes,
    train_on_gaussian,
)

from keras_ijae.models import WGAN, WGANGP

mean, IMAGE = tf.reduce_mean, (2, 2, 1)


def data(rows=5, shape=(2,)):
    return np.random.default_rng(0).uniform(size=(rows, *shape))


def made(cls, decoder, critic, **arguments):
    return cls(decoder=decoder, critic=critic, **arguments)


def retyped(model, x, weight=0.0):
    """Arjovsky et al. 2017, algorithm 1, and Gulrajani et al. 2017, algorithm 1."""
    x = tf.constant(x)

    def g(z):
        return model.decoder(z, training=True)

    def f(x):
        return model.critic(x, training=True)

    def penalty(x_hat):
        with tf.GradientTape() as tape:
            tape.watch(x_hat)
            total = tf.reduce_sum(f(x_hat))
        norms = [tf.norm(tf.reshape(slope, [-1])) for slope in tf.unstack(tape.gradient(total, x_hat))]
        return mean((tf.stack(norms) - 1) ** 2)

    def losses(phase, noise):
        fake = g(noise["z"])
        if phase == "decoder":
            return {"decoder": lambda: -mean(f(g(noise["z"])))}
        if not weight:
            return {"critic": lambda: mean(f(fake)) - mean(f(x))}
        u = tf.reshape(noise["mix"], [-1, *[1] * (len(x.shape) - 1)])
        return {"critic": lambda: mean(f(fake)) - mean(f(x)) + weight * penalty(u * x + (1 - u) * fake)}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("steps, kinds", [(1, ("batch", "plain")), (3, ("plain", "batch"))])
def test_one_step_of_wgan_moves_each_network_down_its_own_loss_and_nothing_else(steps, kinds):
    networks = network(kinds[0], [(2,)], (2,)), network(kinds[1], [(2,)], (1,), seed=5)
    model, x = made(WGAN, *networks, clip=50.0, critic_steps=steps, slow_start=False, ema=None), data()
    turns, logs = check_one_step(model, x, retyped(model, x))
    assert [turn.phase for turn in turns] == ["critic"] * steps + ["decoder"]
    assert len({turn.noise["z"].numpy().tobytes() for turn in turns}) == (1 if steps == 1 else steps + 1)
    np.testing.assert_allclose(logs["critic_distance"], logs["critic_real"] - logs["critic_fake"], rtol=1e-5)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape, steps, weight", [((2,), 2, 10.0), (IMAGE, 1, 0.5)])
def test_one_step_of_wgan_gp_moves_each_network_down_its_own_loss_and_nothing_else(shape, steps, weight):
    networks = network("plain", [(2,)], shape), network("plain", [shape], (1,), seed=5)
    model = made(WGANGP, *networks, gradient_penalty=weight, critic_steps=steps, ema=None)
    x = data(shape=shape)
    turns, _ = check_one_step(model, x, retyped(model, x, weight))
    assert [turn.phase for turn in turns] == ["critic"] * steps + ["decoder"]
    assert len({turn.noise["mix"].numpy().tobytes() for turn in turns}) == (1 if steps == 1 else steps + 1)


# The penalty ------------------------------------------------------------------------------------------------------


def critic_step(model, x):
    """What the critic's phase played on this batch."""
    return play_phase(model, x, model.noise(None), "critic")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("rows", [1, 4])
def test_the_penalty_of_a_linear_critic_is_its_slope_over_all_axes_less_one_squared(rows):
    """(||w|| - 1)^2 = (5 - 1)^2, for images whatever the size of the batch."""
    critic, flat = affine([[3.0], [0.0], [4.0], [0.0]], sizes=(4,)), keras.Input(IMAGE)
    critic = keras.Model(flat, critic(keras.layers.Flatten()(flat)))
    model = made(WGANGP, network("plain", [(2,)], IMAGE), critic, gradient_penalty=0.5)
    inject(model, z=np.ones((rows, 2)), mix=np.linspace(0.1, 0.9, rows))
    found = critic_step(model, data(rows, IMAGE))
    np.testing.assert_allclose(found.logs["critic_penalty"], 16, rtol=1e-12)
    np.testing.assert_allclose(found.penalties["critic"], 8, rtol=1e-12)
    model.gradient_penalty.assign(2.0)  # read at run time
    np.testing.assert_allclose(critic_step(model, data(rows, IMAGE)).penalties["critic"], 32, rtol=1e-12)


@pytest.mark.usefixtures("float64")
def test_each_example_has_a_slope_of_its_own_at_its_own_mixture():
    """f = x'x / 2: the slope is x^, so the penalty is the mean of (||x^|| - 1)^2, not that of the mean slope."""
    model = made(WGANGP, affine(np.eye(2), sizes=(2,)), quadratic(np.eye(2), sizes=(2,)), gradient_penalty=1.0)
    x, z, mix = data(3), np.array([[2.0, 0.0], [0.0, -3.0], [0.5, 0.5]]), np.array([0.0, 0.25, 1.0])
    inject(model, z=z, mix=mix)
    norms = [np.linalg.norm(u * a + (1 - u) * b) for u, a, b in zip(mix, x, z, strict=True)]
    np.testing.assert_allclose(critic_step(model, x).penalties["critic"], np.mean((np.array(norms) - 1) ** 2))


@pytest.mark.usefixtures("float64")
def test_a_linear_critic_between_shifted_gaussians_comes_to_rest_where_the_penalty_lets_it():
    """Data N(m, 1), samples N(0, 1): -w m + weight (w - 1)^2 is least at w = 1 + m / (2 weight), of value w m."""
    m, weight = 0.7, 10.0
    rest = 1 + m / (2 * weight)
    for w, slope in ((rest, 0.0), (1.0, -m), (rest + 0.1, 2.0)):
        model = made(WGANGP, affine([[1.0]]), affine([[w]]), gradient_penalty=weight, critic_steps=1, ema=None)
        nodes = signs(2)
        inject(model, z=nodes[:, :1], mix=np.full(4, 0.3))
        np.testing.assert_allclose(slopes(model, nodes[:, 1:] + m, "critic")[0].item(), slope, atol=1e-10)
        np.testing.assert_allclose(critic_step(model, nodes[:, 1:] + m).logs["critic_distance"], w * m, atol=1.5)


# The clipped critic -----------------------------------------------------------------------------------------------


def clipped(clip=0.02, steps=3, **arguments):
    networks = network("plain", [(2,)], (2,)), network("plain", [(2,)], (1,), seed=5)
    return made(WGAN, *networks, clip=clip, critic_steps=steps, slow_start=False, **arguments)


def largest(weights):
    return max(np.abs(weight).max() for weight in weights)


def test_every_weight_of_the_critic_is_within_the_bound_before_the_first_step_and_after_every_one():
    model, bound = clipped(), np.float32(0.02)
    assert largest(model.critic.get_weights()) == bound
    model.compile(keras.optimizers.SGD(5.0))
    kept = largest(model.decoder.get_weights())
    turns, _ = observe(model, data().astype("float32"))
    states = [list(turn.before["critic"].values()) for turn in turns] + [model.critic.get_weights()]
    assert [turn.phase for turn in turns] == ["critic"] * 3 + ["decoder"]
    assert [largest(state) for state in states] == [bound] * 5
    assert any(not np.array_equal(a, b) for a, b in zip(states[0], states[1], strict=True))
    assert kept > 0.1 < largest(model.decoder.get_weights())  # the decoder is not clipped


class Bounds(keras.callbacks.Callback):
    """The largest weight of the critic after each step."""

    def on_train_begin(self, logs=None):
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(largest(self.model.critic.get_weights()))


@pytest.mark.parametrize("together, policy", [(False, "float32"), (True, "mixed_float16")])
@pytest.mark.slow
def test_the_bound_holds_in_a_graph_under_replicas_and_in_half_precision(two_replicas, together, policy):
    keras.config.set_dtype_policy(policy)
    with two_replicas.scope() if together else tf.distribute.get_strategy().scope():
        model = clipped(steps=2)
        model.compile(keras.optimizers.RMSprop(0.01), jit_compile=False)
    bounds = Bounds()
    batches = tf.data.Dataset.from_tensor_slices(data(16).astype("float32")).batch(4, drop_remainder=True)
    model.fit(batches, verbose=0, callbacks=[bounds])
    assert bounds.found == [np.float32(0.02)] * 4


def test_a_loaded_critic_is_clipped_too(tmp_path):
    model = clipped()
    model.compile(keras.optimizers.SGD(5.0))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    loaded.train_step(tf.constant(data(), tf.float32))
    assert largest(loaded.critic.get_weights()) == np.float32(0.02)


@pytest.mark.usefixtures("float64")
def test_a_clipped_linear_critic_between_shifted_gaussians_estimates_the_shift_times_the_bound():
    model = made(WGAN, affine([[1.0]]), affine([[5.0]]), clip=0.01, slow_start=False, ema=None)
    nodes, m = signs(2), 0.7
    inject(model, z=nodes[:, :1])
    model.compile({"critic": keras.optimizers.RMSprop(5e-5), "decoder": keras.optimizers.SGD(0.0)})
    np.testing.assert_allclose(model.train_step(tf.constant(nodes[:, 1:] + m))["critic_distance"], 0.01 * m, rtol=1e-6)


def test_clipped_critics_small_gradients_move_the_decoder_as_pytorchs_rmsprop_does():
    """alpha 0.99, epsilon 1e-8 beside the root; Keras' own epsilon would make the step 3,000 times smaller."""
    optimizer, weight = clipped().default_optimizers()["decoder"], keras.Variable([0.0], dtype="float64")
    square, expected = 0.0, 0.0
    for gradient in (1e-6, -3e-7, 2e-6):
        optimizer.apply([tf.constant([gradient], tf.float64)], [weight])
        square = 0.99 * square + 0.01 * gradient**2
        expected -= 5e-5 * gradient / (np.sqrt(square) + 1e-8)
    assert float(weight.numpy()[0]) == pytest.approx(expected, rel=0.1) and abs(expected) > 1e-4


# When the decoder moves -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("critic_steps, slow", [(5, 20), (1, 100), (7, 15)])
def test_the_decoder_waits_for_100_critic_steps_at_its_first_25_and_then_every_500th(critic_steps, slow):
    """As the authors' loop counts it, in whole steps of the game."""
    networks = affine([[1.0]]), affine([[1.0]])
    (_, decoder) = made(WGAN, *networks, critic_steps=critic_steps).phases
    step = 0
    for move in range(1100):
        waits = slow if move < 25 or move % 500 == 0 else 1
        if move < 30 or move % 500 < 3:
            opened = [bool(decoder.gate(step + index, move)) for index in range(waits)]
            assert opened == [False] * (waits - 1) + [True], move
        step += waits


def slow_starter():
    """It has made 96 steps of the critic, and waits for 100."""
    networks = network("plain", [(2,)], (2,)), network("plain", [(2,)], (1,))
    model = made(WGAN, *networks, clip=9.0, critic_steps=2, ema=None)
    model.steps.assign(48)
    return model


def test_a_slow_start_trains_the_critic_alone_and_goes_on_where_it_was_saved(tmp_path):
    model, moved = slow_starter(), []
    model.compile({move.name: keras.optimizers.SGD(0.01) for move in model.moves}, run_eagerly=True)
    for _ in range(3):
        before = [net.get_weights()[0] for net in (model.critic, model.decoder)]
        model.fit(data(4).astype("float32"), verbose=0)
        after = [net.get_weights()[0] for net in (model.critic, model.decoder)]
        moved.append([not np.array_equal(a, b) for a, b in zip(before, after, strict=True)])
        model.save(tmp_path / "m.keras")
        model = keras.models.load_model(tmp_path / "m.keras")
    assert moved == [[True, False], [True, True], [True, False]]
    assert int(model.happened["decoder"].numpy()) == 1


def test_while_it_waits_the_decoders_loss_is_not_in_the_mean():
    model, found, losses = slow_starter(), [], WGAN.losses

    def observed(batch, noise, phase, forward):
        played = losses(model, batch, noise, phase, forward)
        if phase == "decoder":
            found.append(float(played.losses["decoder"]))
        return played

    model.losses = observed
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    history = model.fit(data(12).astype("float32"), batch_size=4, shuffle=False, verbose=0).history
    assert len(set(found)) == 3  # each step with noise of its own
    assert history["decoder_loss"] == [pytest.approx(found[1], rel=1e-6)]


# What fits, and what does not -------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", [0.0, -0.01, float("nan"), None])
def test_the_bound_is_above_zero(clip):
    with pytest.raises(ValueError, match=f"`clip` must be a finite number > 0. Received: clip={clip}"):
        clipped(clip=clip)


def test_a_negative_penalty_and_no_critic_step_are_refused():
    networks = affine([[1.0]]), affine([[1.0]])
    for weight in (-1.0, float("nan")):
        with pytest.raises(
            ValueError, match=f"`gradient_penalty` must be .* >= 0. Received: gradient_penalty={weight}"
        ):
            made(WGANGP, *networks, gradient_penalty=weight)
    with pytest.raises(ValueError, match="`critic_steps` must be an integer >= 1. Received: critic_steps=0"):
        made(WGANGP, *networks, critic_steps=0)


@pytest.mark.slow
def test_wgan_gp_recovers_a_gaussian_in_1000_steps():
    decoder, critic = affine(0.3 * np.eye(2), [0, 0], (2,)), network("plain", [(2,)], (1,), hidden=32)
    model = made(WGANGP, decoder, critic, gradient_penalty=1.0, critic_steps=3, ema=0.99)
    train_on_gaussian(model, 3e-3, 1000)
    check_samples(model, mean=0.1, covariance=0.2)
