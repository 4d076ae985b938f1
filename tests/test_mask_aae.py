"""MaskAAE against its source: losses, schedule, who sees the mask, the dimensions of a curved set found."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from systems import quick
from tiny import affine, float64, inject, loss_gradient, network  # noqa: F401

import keras_ijae as ki
from keras_ijae import random
from keras_ijae.layers import LatentMask
from keras_ijae.models import MaskAAE

mean, exp = tf.reduce_mean, tf.exp
SIZES = {"cross_entropy": (2, 2, 1), "squared_error": (3,)}


def small(players="plain", critic="plain", reconstruction="squared_error", latent_dim=2, a=(0.6, 1.2), **arguments):
    shape, z = SIZES[reconstruction], (latent_dim,)
    mask = LatentMask(latent_dim)
    model = MaskAAE(
        encoder=network(players, [shape], z),
        decoder=network(players, [z], shape, seed=10, last="linear"),
        code_critic=network(critic, [z], (1,), seed=20),
        mask=mask,
        reconstruction=reconstruction,
        ema=None,
        **arguments,
    )
    mask.a.assign(np.resize(a, latent_dim))
    return model


def data(reconstruction, rows=5):
    return np.random.default_rng(0).uniform(size=(rows, *SIZES[reconstruction]))


# The losses, typed from the source --------------------------------------------------------------------------------


def distance_from_slope_one(critic, u):
    with tf.GradientTape() as tape:
        tape.watch(u)
        total = tf.reduce_sum(critic(u))
    return mean((tf.norm(tape.gradient(total, u), axis=1) - 1) ** 2)


def retyped(model, x, c, weights):
    x, (variance_weight, penalty, mask_weight) = tf.constant(x), weights

    def alpha():
        return 1 - exp(-tf.convert_to_tensor(model.mask.a))

    def e():
        return model.encoder(x, training=True)

    def h(z):
        return model.code_critic(z, training=True)

    def rec():
        outputs = model.decoder(alpha() * e(), training=True)
        if model.reconstruction == "squared_error":
            return mean((x - outputs) ** 2)
        p = tf.sigmoid(outputs)
        return mean(-x * tf.math.log(p) - (1 - x) * tf.math.log(1 - p))

    def auto_encoder():
        z = e()
        return rec() + variance_weight * mean((mean(z, axis=0) - z) ** 2 * exp(-10 * alpha() ** 2))

    def code_critic(n, u):
        z, n = alpha() * e(), alpha() * n
        u = u[:, None]
        return mean(h(z)) - mean(h(n)) + penalty * distance_from_slope_one(h, u * n + (1 - u) * z)

    def mask(n):
        gap = mean(h(alpha() * e())) - mean(h(alpha() * n))
        return mask_weight * rec() + (1 - gap) ** 2 + c * tf.reduce_sum(tf.abs(alpha() * (1 - alpha())))

    return lambda phase, noise: {
        "auto_encoder": {"auto_encoder": auto_encoder},
        "code_critic": {"code_critic": lambda: code_critic(noise["n"], noise["mix"])},
        "encoder": {"encoder": lambda: -mean(h(alpha() * e()))},
        "mask": {"mask": lambda: mask(noise["n"])},
    }[phase]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "players, critic, reconstruction, k, steps, c",
    [
        ("plain", "plain", "squared_error", 2, 0, 0.3),
        ("batch", "spectral", "cross_entropy", 3, 9, 1.2),
        ("batch", "plain", "squared_error", 1, 1000, 5.0),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(players, critic, reconstruction, k, steps, c):
    """The mask by L_a alone, though L_AE and L_E pass through it; at step 9, T = 1, c has doubled twice."""
    weights = {"variance_weight": 2.0, "gradient_penalty": 0.5, "mask_reconstruction_weight": 3.0}
    schedule = {"polynomial_weight": 0.3, "polynomial_cap": 5.0, "period": 1}
    model = small(players, critic, reconstruction, critic_steps=k, **weights, **schedule)
    model.steps.assign(steps)
    x = data(reconstruction)
    turns, logs = check_one_step(model, x, retyped(model, x, c, weights.values()))
    assert [turn.phase for turn in turns] == ["auto_encoder", *["code_critic"] * k, "encoder", "mask"]
    draws = [turn.noise["n"].numpy().tobytes() for turn in turns]
    assert len(set(draws)) == k + 2 and draws[k] == draws[k + 1]  # fresh but for the encoder, which does not look
    assert float(logs["polynomial_weight"]) == pytest.approx(c) and float(logs["active_dims"]) == 2


def test_the_codes_of_the_critics_steps_are_made_once():
    model, calls = small(critic_steps=4), []
    forward = model.forward
    model.forward = lambda *arguments: calls.append(arguments) or forward(*arguments)
    model.compile(keras.optimizers.SGD(0.0))
    model.train_step(tf.constant(data("squared_error"), tf.float32))
    assert len(calls) == 3  # for the auto-encoder; for critic and encoder; for the mask


@pytest.mark.parametrize("run_eagerly", quick([True, False], [True]))
def test_after_its_steps_the_mask_stays_and_the_others_move(run_eagerly):
    model = small(mask_steps=2, critic_steps=1)
    model.compile(keras.optimizers.SGD(1e-3), run_eagerly=run_eagerly)
    weights = {name: network.trainable_variables[0] for name, network in model.networks.items()}
    x, moved = data("squared_error", rows=4).astype("float32"), []
    for _ in range(4):
        before = {name: weight.numpy() for name, weight in weights.items()}
        model.fit(x, batch_size=4, verbose=0)
        moved.append({name for name, weight in weights.items() if (weight.numpy() != before[name]).any()})
    assert moved == [{*weights}, {*weights}, {*weights} - {"mask"}, {*weights} - {"mask"}]


def test_the_preset_for_images_waits_with_the_mask_and_says_what_it_changes():
    model = ki.create("mask_aae", data_shape=(8, 8, 1), latent_dim=4, networks="mlp", width=8, preset="images")
    model.compile()
    waiting = model.optimizer.by_move["mask"].get_config()["learning_rate"]["config"]
    assert (waiting["boundaries"], waiting["values"]) == ([600], [2e-5, 4e-3])
    rates = {move: float(adam.learning_rate) for move, adam in model.optimizer.by_move.items()}
    assert rates == pytest.approx({"auto_encoder": 1e-3, "code_critic": 1e-3, "encoder": 2e-4, "mask": 2e-5})
    assert model.ema == 0.999 and model.mask.high == 3 and model.critic_steps == 3
    other = ki.create("mask_aae", (8, 8, 1), 4, networks="mlp", width=8, preset="images", mask=1.0, variance_weight=9.0)
    assert (other.mask.high, float(other.variance_weight)) == (1, 9)
    schedules = {4: (25, 4000, 0.004), 64: (33, 5280, 0.004)}
    for latent_dim, (period, mask_steps, start) in schedules.items():
        model = ki.create("mask_aae", (8, 8, 1), latent_dim, networks="mlp", width=8, preset="images")
        found = (model.period, model.mask_steps, float(model.polynomial_weight))
        assert found == (period, mask_steps, pytest.approx(start))


def moved_by_one_step(strategy, x):
    """All weights after a step of plain descent at a rate that shows every difference."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = small(reconstruction="squared_error", variance_weight=1.0, critic_steps=2)
        model.compile(keras.optimizers.SGD(0.05), jit_compile=False)
    model.fit(x, batch_size=len(x), shuffle=False, verbose=0)
    return [weight.numpy() for network in model.networks.values() for weight in network.trainable_variables]


@pytest.mark.slow
def test_variance_and_distance_are_those_of_the_global_batch(two_replicas):
    """One replica sees data at -3, the other at 3: neither the mean code nor the square is a mean over replicas."""
    generator = np.random.default_rng(0)
    x = np.concatenate([generator.normal(size=(4, 3)) + 3, generator.normal(size=(4, 3)) - 3]).astype("float32")
    alone, together = (moved_by_one_step(strategy, x) for strategy in (tf.distribute.get_strategy(), two_replicas))
    for left, right in zip(alone, together, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)


# The mask -------------------------------------------------------------------------------------------------------------


def test_alpha_is_one_minus_the_exponential_and_active_from_a_tenth():
    mask = LatentMask(4)
    mask.a.assign([0.0, 0.1053, 0.1054, 3.0])
    np.testing.assert_allclose(mask.alpha(), [0.0, 1 - np.exp(-0.1053), 1 - np.exp(-0.1054), 0.95021293], rtol=1e-6)
    np.testing.assert_array_equal(mask.active(), [False, False, True, True])
    np.testing.assert_array_equal(mask(2 * np.ones((1, 4), "float32"))[0], 2 * mask.alpha().numpy())


def test_a_starts_uniform_up_to_five_or_what_is_asked_and_from_the_seed():
    a = LatentMask(4000).a.numpy()
    assert a.min() < 0.01 and 4.99 < a.max() < 5 and abs(a.mean() - 2.5) < 0.1
    assert LatentMask(4000, high=2.0).a.numpy().max() < 2
    np.testing.assert_array_equal(LatentMask(4, seed=1).a.numpy(), LatentMask(4, seed=1).a.numpy())
    assert not np.array_equal(LatentMask(4, seed=1).a.numpy(), LatentMask(4, seed=2).a.numpy())


def test_a_mask_never_goes_below_zero_and_may_come_back():
    mask = LatentMask(1)
    mask.a.assign([0.05])
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([mask.a])
    optimizer.apply([tf.ones([1])])
    assert mask.a.numpy() == [0.0]
    with tf.GradientTape() as tape:
        alpha = mask.alpha()
    assert tape.gradient(alpha, mask.a.value).numpy() == [1.0]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("phase, move, role", [("auto_encoder", "auto_encoder", "decoder"), ("code_critic",) * 3])
def test_losses_give_decoder_and_critic_no_gradient_by_a_closed_dimension(phase, move, role):
    model, x = small(a=(0.0, 1.2)), data("squared_error")
    noise = model.noise(random.Draws(random.fold(0), 5, dtype="float64"))
    kernel, *_ = loss_gradient(model, x, noise, phase, move, getattr(model, role).trainable_variables)
    np.testing.assert_array_equal(kernel[0], 0)
    assert np.abs(kernel[1]).min() > 0


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("a, factor", [(0.0, 1.0), (50.0, np.exp(-10))])
def test_the_variance_penalty_is_the_variance_of_closed_dimensions_before_the_mask(a, factor):
    """z = x: mean (zbar - z)^2 whole at alpha = 0, times e^-10 at alpha = 1."""
    kernels = {"encoder": np.eye(2), "decoder": np.zeros((2, 2)), "code_critic": np.ones((2, 1))}
    model = MaskAAE(**{role: affine(kernel, sizes=(2,)) for role, kernel in kernels.items()}, ema=None)
    model.mask.a.assign([a, a])
    x = np.random.default_rng(0).normal(size=(50, 2))
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.train_step(tf.constant(x))
    np.testing.assert_allclose(logs["variance_penalty"], x.var(axis=0).mean() * factor, rtol=1e-6)
    np.testing.assert_allclose(
        logs["auto_encoder_loss"], (x**2).mean() + 100 * x.var(axis=0).mean() * factor, rtol=1e-6
    )


def test_the_prior_is_masked_as_the_codes_are():
    model = small(latent_dim=3, a=(0.0, 0.7, 2.0))
    alpha = 1 - np.exp(-np.array([0.0, 0.7, 2.0]))
    n = random.normal((7, 3), 4).numpy()
    np.testing.assert_allclose(model.prior.sample(7, 4), n * alpha, rtol=1e-6)
    np.testing.assert_allclose(model.sample(7, seed=4), model.decode((n * alpha).astype("float32")), atol=1e-6)
    x = data("squared_error").astype("float32")
    np.testing.assert_allclose(model.encode(x), model.encoder(x).numpy() * alpha, rtol=1e-5)


def test_the_active_dimensions_are_those_of_the_averages_that_inference_uses():
    model = ki.create("mask_aae", data_shape=(3,), latent_dim=4, width=4)
    model.mask.a.assign([0.0, 5.0, 5.0, 0.0])
    (average,) = (average for weight, average in model.averages if weight is model.mask.a)
    average.assign([5.0, 0.0, 5.0, 0.0])
    np.testing.assert_array_equal(model.active_dims, [0, 2])
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(model.encode(x)[:, [1, 3]], 0)
    assert np.abs(model.encode(x)[:, [0, 2]]).min() > 0


# The schedules --------------------------------------------------------------------------------------------------------


def coefficients(model, steps):
    found = []
    for step in steps:
        model.steps.assign(step)
        found.append(float(model.polynomial_now()))
    return found


def test_c_doubles_every_four_periods_up_to_its_cap():
    """m = 16: 2/16 * 2^floor(step / 300), 2048 from step 4200 on."""
    model = small(latent_dim=16)
    steps = [0, 299, 300, 599, 600, 3900, 4199, 4200, 10**6]
    assert coefficients(model, steps) == [0.125, 0.125, 0.25, 0.25, 0.5, 1024, 1024, 2048, 2048]
    model = small(polynomial_weight=3.0, polynomial_cap=5.0, period=2)
    assert coefficients(model, [0, 7, 8, 80]) == [3, 3, 5, 5]


def test_no_pressure_on_the_mask_stays_none_however_long_the_run():
    """c = 0 x 2^1000 is 0, not a NaN."""
    model = small(polynomial_weight=0.0, period=1, critic_steps=1)
    assert coefficients(model, [0, 4 * 127, 4 * 128, 4000, 10**9]) == [0] * 5
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    logs = model.train_step(tf.constant(data("squared_error"), tf.float32))
    assert int(model.steps.numpy()) == 10**9 + 1
    assert all(np.isfinite(value) for value in logs.values())
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize("latent_dim, period", [(2, 75), (20, 75), (21, 2362), (32, 3600), (64, 7200), (110, 10_000)])
def test_the_period_grows_with_the_dimensions(latent_dim, period):
    assert small(latent_dim=latent_dim).period == period


def test_the_learning_rates_of_auto_encoder_and_mask_fall_to_a_fifth_after_five_periods():
    optimizers = small(period=3).default_optimizers()
    assert {type(optimizer) for optimizer in optimizers.values()} == {keras.optimizers.RMSprop}
    for iterations, rate in ((0, 5e-4), (15, 5e-4), (16, 1e-4)):
        for move in ("auto_encoder", "mask"):
            optimizers[move].iterations.assign(iterations)
            assert float(optimizers[move].learning_rate) == pytest.approx(rate)
    assert [float(optimizers[move].learning_rate) for move in ("encoder", "code_critic")] == pytest.approx([1e-4] * 2)


def test_small_gradients_are_not_damped():
    """A mean over 784 pixels has gradients of 1e-6: they move a weight as large ones do, by rate / sqrt(1 - rho)."""
    for move, optimizer in small(period=3).default_optimizers().items():
        weight, rate = keras.Variable([1.0]), float(optimizer.learning_rate)
        optimizer.apply([tf.constant([1e-6])], [weight])
        assert 1 - float(weight.numpy()[0]) == pytest.approx(rate / np.sqrt(0.1), rel=0.06), move


@pytest.mark.slow
def test_a_large_c_drives_every_alpha_to_zero_or_one():
    model = small(latent_dim=6, a=(0.1, 0.5, 0.65, 0.75, 1.0, 3.0), polynomial_weight=2048.0, critic_steps=1)
    inject(model, n=np.zeros((5, 6), "float32"), mix=np.full(5, 0.5, "float32"))
    frozen = {move: keras.optimizers.SGD(0.0) for move in ("auto_encoder", "encoder", "code_critic")}
    model.compile({**frozen, "mask": keras.optimizers.RMSprop(0.02)}, steps_per_execution=10)
    x = data("squared_error").astype("float32")
    history = model.fit(np.tile(x, (200, 1)), batch_size=5, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(model.mask.alpha(), [0, 0, 0, 1, 1, 1], atol=0.02)  # a half lies at a = 0.693
    assert history["active_dims"][1] < 6 and list(model.active_dims) == [3, 4, 5]


# What it is for -------------------------------------------------------------------------------------------------------


def curved(rows=4096):
    """A plane of two dimensions, bent into eight: W2 lrelu(W1 z)."""
    generator = np.random.default_rng(0)
    first, second = (np.linalg.qr(generator.normal(size=(8, columns)))[0] for columns in (2, 8))
    h = generator.normal(size=(rows, 2)) @ first.T
    return 2 * (np.where(h > 0, h, 0.2 * h) @ second.T).astype("float32")


@pytest.mark.slow
def test_two_of_four_dimensions_stay_active_on_a_curved_plane_and_both_are_needed():
    x, rate = curved(), keras.optimizers.schedules.PiecewiseConstantDecay
    mask = LatentMask(4, seed=1)
    mask.a.assign([0.9, 0.6, 1.5, 1.2])
    model = ki.create("mask_aae", data_shape=(8,), latent_dim=4, width=32, mask=mask, period=100, ema=None)
    rates = {"auto_encoder": rate([500], [2e-3, 4e-4]), "mask": 5e-3, "encoder": 4e-4, "code_critic": 4e-4}
    model.compile({move: keras.optimizers.RMSprop(value) for move, value in rates.items()}, steps_per_execution=64)
    model.fit(x, batch_size=64, epochs=14, verbose=0)
    assert len(model.active_dims) == 2
    error = model.reconstruction_error(x).mean()
    assert error < 0.03 * x.var(axis=0).sum()
    codes = model.encode(x)
    for dimension in model.active_dims:
        without = codes.copy()
        without[:, dimension] = 0
        assert ((model.decode(without) - x) ** 2).sum(axis=1).mean() > 10 * error


# Bad input ------------------------------------------------------------------------------------------------------------

WEIGHTS = ("variance_weight", "gradient_penalty", "mask_reconstruction_weight", "polynomial_weight", "polynomial_cap")


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("value", [-1.0, float("nan"), "1"])
def test_weights_are_finite_and_not_below_zero(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be a finite number >= 0. Received: {name}={value!r}"):
        small(**{name: value})


@pytest.mark.parametrize("period", [0, -3, 2.5])
def test_a_period_is_a_number_of_steps(period):
    with pytest.raises(ValueError, match=rf"`period` must be an integer >= 1. Received: period={period}"):
        small(period=period)


@pytest.mark.parametrize("mask_steps", [0, 2.0, "3"])
def test_the_mask_moves_for_a_number_of_steps(mask_steps):
    with pytest.raises(ValueError, match=rf"`mask_steps` must be an integer >= 1. Received: mask_steps={mask_steps!r}"):
        small(mask_steps=mask_steps)


@pytest.mark.parametrize("latent_dim", [1, 3])
def test_a_mask_that_does_not_fit_the_codes_is_refused(latent_dim):
    with pytest.raises(ValueError, match=r"`mask` must accept inputs of shape \(2,\)"):
        ki.create("mask_aae", data_shape=(3,), latent_dim=2, width=4, mask=LatentMask(latent_dim))


def test_every_weight_but_that_with_a_default_of_its_own_is_a_number():
    for name in set(WEIGHTS) - {"polynomial_weight"}:
        with pytest.raises(ValueError, match=rf"`{name}` must be a finite number >= 0. Received: {name}=None"):
            small(**{name: None})
    assert float(small(polynomial_weight=None).polynomial_weight.numpy()) == 1.0  # 2 / 2


def test_an_unknown_reconstruction_error_and_bad_masks_are_refused():
    with pytest.raises(
        ValueError, match="`reconstruction` must be one of 'auto', 'cross_entropy', 'squared_error'. Rec.*l1"
    ):
        ki.create("mask_aae", data_shape=(3,), latent_dim=2, width=4, reconstruction="l1")
    with pytest.raises(ValueError, match="`latent_dim` must be an integer >= 1. Received: latent_dim=0"):
        LatentMask(0)
    with pytest.raises(ValueError, match="`high` must be a finite number > 0. Received: high=0"):
        LatentMask(2, high=0)
    for mask in (0, -1.0, None, float("inf"), "open"):
        with pytest.raises(ValueError, match="`mask` must be a finite number > 0, or a LatentMask. Received: mask="):
            ki.create("mask_aae", data_shape=(3,), latent_dim=2, width=4, mask=mask)


def test_a_number_is_where_a_new_mask_starts_from():
    model = ki.create("mask_aae", data_shape=(3,), latent_dim=50, width=4, mask=2.0, seed=3)
    np.testing.assert_array_equal(model.mask.a, LatentMask(50, high=2.0, seed=3).a)
    assert (model.mask.high, ki.create("mask_aae", data_shape=(3,), latent_dim=2, width=4).mask.high) == (2, 5)
