"""FlexAE against its source: losses, signs of the critics' players, a circle of codes learned as the prior."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from systems import compiled, dataset, images, same, train, weights
from tiny import affine, float64, inject, network, slopes  # noqa: F401

import keras_ijae as ki
from keras_ijae import random
from keras_ijae.distributions import GeneratedPrior
from keras_ijae.models import FlexAE

mean = tf.reduce_mean
X, Z, N = (3,), (2,), (4,)


def small(players="plain", critics="plain", smooth=False, **arguments):
    return FlexAE(
        encoder=network(players, [X], Z),
        decoder=network(players, [Z], X, seed=10),
        prior_generator=network(players, [N], Z, seed=20),
        code_critic=network(critics, [Z], (1,), seed=30),
        critic=network(critics, [X], (1,), seed=40) if smooth else None,
        smooth=smooth,
        noise_dim=4,
        ema=None,
        **arguments,
    )


def data(rows=5):
    return np.random.default_rng(0).normal(size=(rows, *X))


# The losses, typed from the source --------------------------------------------------------------------------------


def distance_from_slope_one(critic, u):
    with tf.GradientTape() as tape:
        tape.watch(u)
        total = tf.reduce_sum(critic(u))
    return mean((tf.norm(tape.gradient(total, u), axis=1) - 1) ** 2)


def criticised(critic, real, fake, v):
    v = v[:, None]
    return mean(critic(fake)) - mean(critic(real)) + 0.5 * distance_from_slope_one(critic, v * real + (1 - v) * fake)


def retyped(model, x):
    x = tf.constant(x)

    def called(role):
        return lambda inputs: getattr(model, role)(inputs, training=True)

    e, d, g, c, c_x = map(called, ("encoder", "decoder", "prior_generator", "code_critic", "critic"))

    def between(u):
        z = e(x)
        partners = tf.stack([z[1], z[0], z[3], z[2], z[4]])  # of five rows, the last has none
        return d(u * z + (1 - u) * partners)

    def critics(noise):
        found = {"code_critic": lambda: criticised(c, e(x), g(noise["n"]), noise["mix"])}
        if model.critic is not None:
            found["critic"] = lambda: criticised(c_x, x, between(noise["between"]), noise["image_mix"])
        return found

    def players(noise):
        found = {"prior_generator": lambda: -mean(c(g(noise["n"]))), "encoder": lambda: mean(c(e(x)))}
        if model.critic is not None:
            found["smooth"] = lambda: -mean(c_x(between(noise["between"])))
        return found

    def auto_encoder(noise):
        return {"auto_encoder": lambda: mean(tf.reduce_sum((x - d(e(x))) ** 2, axis=1))}

    return lambda phase, noise: {"auto_encoder": auto_encoder, "critics": critics, "players": players}[phase](noise)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "players, critics, smooth, k",
    [
        ("plain", "plain", False, 2),
        ("batch", "spectral", False, 1),
        ("batch", "plain", True, 1),
        ("plain",) * 2 + (True, 3),
    ],
)
def test_one_step_moves_each_network_down_its_own_losses_and_nothing_else(players, critics, smooth, k):
    """The encoder by two moves, with smoothness by three, each with an optimizer of its own."""
    model, x = small(players, critics, smooth, critic_steps=k, gradient_penalty=0.5), data()
    turns, logs = check_one_step(model, x, retyped(model, x))
    assert [turn.phase for turn in turns] == ["auto_encoder", *["critics"] * k, "players"]
    draws = [turn.noise["n"].numpy().tobytes() for turn in turns]
    assert len(set(draws)) == k + 1 and draws[k] == draws[k + 1]  # the players see the critics' last noise
    assert {"code_critic_distance", "code_critic_penalty", "auto_encoder_loss", "encoder_loss"} <= set(logs)
    assert ("smooth_loss" in logs) == ("critic_distance" in logs) == smooth


@pytest.mark.usefixtures("float64")
def test_with_a_linear_critic_codes_go_down_its_slope_and_the_prior_goes_up():
    """C(z) = w'z: one step of rate 1 moves E(x) = A'x + a by -w on average, and G(n) = B'n + b by +w."""
    w, generator = np.array([[0.6], [-1.7]]), np.random.default_rng(0)
    encoder, prior = (affine(generator.normal(size=(3, 2)), [0.1, 0.2], (3,)) for _ in range(2))
    others = {"decoder": affine(np.ones((2, 3)), sizes=(2,)), "code_critic": affine(w, sizes=(2,))}
    model = FlexAE(encoder=encoder, prior_generator=prior, **others, noise_dim=3, ema=None)
    x, n = generator.normal(size=(8, 3)), generator.normal(size=(8, 3))
    inject(model, n=n, mix=np.full(8, 0.5), between=np.full((8, 1), 0.5), image_mix=np.full(8, 0.5))
    before = [mean(net(inputs) @ w) for net, inputs in ((encoder, x), (prior, n))]
    _, of_encoder, _, of_prior = slopes(model, x, "encoder", "prior_generator")
    np.testing.assert_allclose(of_encoder, w[:, 0], rtol=1e-12)
    np.testing.assert_allclose(of_prior, -w[:, 0], rtol=1e-12)
    after = [mean(net(inputs) @ w) for net, inputs in ((encoder, x), (prior, n))]
    assert after[0] < before[0] and after[1] > before[1]


def test_the_encoder_runs_once_for_all_critics_and_players():
    model, calls = small(critic_steps=4), []
    forward = model.forward
    model.forward = lambda *arguments: calls.append(arguments) or forward(*arguments)
    model.compile(keras.optimizers.SGD(0.0))
    model.train_step(tf.constant(data(), tf.float32))
    assert len(calls) == 2


def moved_by_two_steps(strategy):
    """All weights and logs after two steps of the smooth variant."""
    with strategy.scope():
        model = compiled("flex_ae_sr", {"optimizer": keras.optimizers.SGD(0.05), "jit_compile": False})
    history = train(model, dataset(images(16))).history
    return {**weights(model), **{f"log of {term}": np.float32(values) for term, values in history.items()}}


@pytest.mark.slow
def test_two_replicas_pair_the_rows_that_one_with_the_double_batch_does(two_replicas):
    same(moved_by_two_steps(tf.distribute.get_strategy()), moved_by_two_steps(two_replicas), 1e-4)


# The learned prior ----------------------------------------------------------------------------------------------------


def test_the_prior_is_what_the_averaged_generator_makes_of_normal_noise():
    model = ki.create("flex_ae", data_shape=X, latent_dim=2, noise_dim=5, width=4, seed=1, critic_steps=2)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    model.fit(data(8).astype("float32"), batch_size=8, verbose=0)
    n = random.normal((7, 5), 3).numpy()
    with model.averaged():
        codes = model.prior_generator(n).numpy()
    np.testing.assert_allclose(model.sample(7, seed=3), model.decode(codes), atol=1e-6)
    assert not np.allclose(codes, model.prior_generator(n), atol=1e-6)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 300])
def test_generated_codes_do_not_depend_on_how_many_are_drawn_bit_for_bit(rows):
    wide = [keras.layers.Dense(1024, "relu") for _ in range(2)]  # a product of wide matrices depends on all its rows
    generator = keras.Sequential([keras.Input((7,)), *wide, keras.layers.Dense(5)])
    prior = GeneratedPrior(generator, latent_dim=5, noise_dim=7)
    codes = prior.sample(300, 2).numpy()
    np.testing.assert_array_equal(prior.sample(rows, 2), codes[:rows])
    graph = tf.function(lambda n: prior.sample(n, 2), [tf.TensorSpec([], tf.int32)])
    np.testing.assert_array_equal(graph(rows), codes[:rows])
    np.testing.assert_allclose(codes, generator(random.normal((300, 7), 2)), atol=1e-6)


def test_saved_and_loaded_codes_of_samples_are_the_same_bit_for_bit(tmp_path):
    model = small(smooth=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.prior.sample(70, 1), model.prior.sample(70, 1))
    assert loaded.prior.generator is loaded.prior_generator and loaded.noise_dim == 4


@pytest.fixture(scope="module")
def circle():
    """Points of a circle in a plane of R^3, and the axes that turn them back into the first two coordinates."""
    generator = np.random.default_rng(0)
    angles, basis = generator.uniform(0, 2 * np.pi, 6400), np.linalg.qr(generator.normal(size=(3, 3)))[0]
    return (np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) @ basis.T).astype("float32"), basis


def off_circle(points):
    """Mean of |norm - 1|."""
    return np.abs(np.linalg.norm(points, axis=1) - 1).mean()


def affine_parts():
    return {role: affine(np.eye(3), [0, 0, 0], (3,)) for role in ("encoder", "decoder")}


@pytest.mark.slow
def test_a_circle_of_codes_is_learned_as_the_prior(circle):
    """|norm of G(n) - 1| and the distance from the plane are below 0.1 on average."""
    x, basis = circle
    how = {"width": 64, "ema": 0.99, "gradient_penalty": 1.0}
    model = ki.create("flex_ae", data_shape=X, latent_dim=3, **how, **affine_parts())
    fast = {move: keras.optimizers.Adam(3e-3, beta_1=0.0, beta_2=0.9) for move in ("prior_generator", "code_critic")}
    model.compile(fast, steps_per_execution=50)
    history = model.fit(x, batch_size=64, epochs=5, verbose=0).history
    with model.averaged():
        codes = model.prior.sample(2000, 1).numpy() @ basis
    assert off_circle(codes) < 0.1
    assert np.abs(codes[:, 2]).mean() < 0.1
    shares = np.histogram(np.arctan2(codes[:, 1], codes[:, 0]), 4, (-np.pi, np.pi))[0] / 2000
    assert shares.min() > 0.15 and history["code_critic_distance"][-1] < 0.1


@pytest.mark.slow
def test_a_wae_of_the_same_networks_whose_prior_is_fixed_reconstructs_the_circle_and_does_not_sample_it(circle):
    x, _ = circle
    model = ki.create("wae_gan", data_shape=X, latent_dim=3, width=64, ema=None, **affine_parts())
    model.compile(steps_per_execution=50)
    model.fit(x, batch_size=64, epochs=5, verbose=0)
    assert off_circle(model.reconstruct(x)) < 0.1 < 0.3 < off_circle(model.sample(2000, seed=1))


# What is watched ------------------------------------------------------------------------------------------------------


def test_standard_deviations_of_codes_are_logged_by_dimension():
    model, x = small(), data(50)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.train_step(tf.constant(x, tf.float32))
    deviations = model.encoder(x.astype("float32")).numpy().std(axis=0)
    np.testing.assert_allclose(
        [logs["code_std_min"], logs["code_std_mean"]], [deviations.min(), deviations.mean()], rtol=1e-5
    )


def fit(model):
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(data(200).astype("float32"), batch_size=4, epochs=2, verbose=0)
    return [str(warning.message) for warning in caught if warning.category is UserWarning]


@pytest.mark.parametrize("scale, times", [(1e-3, 1), (1.0, 0)])
@pytest.mark.slow
def test_a_collapse_of_the_codes_is_warned_of_once(scale, times):
    encoder = affine(np.array([[1.0, 0], [0, scale], [0, 0]]), sizes=(3,))
    sizes = {"decoder": 3, "prior_generator": 2, "code_critic": 1}
    parts = {role: affine(np.ones((2, size)), sizes=(2,)) for role, size in sizes.items()}
    found = fit(FlexAE(encoder=encoder, **parts, critic_steps=1, ema=None))
    assert len(found) == times
    assert all("codes collapse" in message and "move 'encoder'" in message for message in found)


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"gradient_penalty": -1.0}, "`gradient_penalty` must be a finite number >= 0. Rec.*gradient_penalty=-1.0"),
        ({"gradient_penalty": float("nan")}, "`gradient_penalty` must be a finite number >= 0. Received.*nan"),
        ({"noise_dim": 0}, "`noise_dim` must be an integer >= 1. Received: noise_dim=0"),
        ({"critic_steps": 0}, "`critic_steps` must be an integer >= 1. Received: critic_steps=0"),
        ({"smooth": 1}, "`smooth` must be True or False. Received: smooth=1"),
        (
            {"prior_generator": affine(np.ones((4, 3)), sizes=(4,))},
            r"`prior_generator` must map \(4,\) to \(2,\).*\(3,\)",
        ),
        ({"prior_generator": affine(np.ones((5, 2)), sizes=(5,))}, r"`prior_generator` must accept .* \(4,\)"),
        ({"critic": affine(np.ones((3, 1)), sizes=(3,))}, "`smooth`=False takes no `critic`"),
        ({"code_critic": affine(np.ones((3, 1)), sizes=(3,))}, r"`code_critic` must accept .* \(2,\)"),
        (
            {"smooth": True, "critic": affine(np.ones((3, 2)), sizes=(3,))},
            r"`critic` must map \(3,\) to \(1,\).*\(2,\)",
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ki.create("flex_ae", **{"data_shape": X, "latent_dim": 2, "width": 4, "noise_dim": 4, **arguments})


def test_a_smooth_variant_without_its_critic_is_refused():
    parts = small().networks
    with pytest.raises(ValueError, match="`smooth`=True needs a `critic`"):
        FlexAE(**parts, smooth=True, noise_dim=4)
