"""The energy-based GAN against its paper: energies, the pulling-away term, who moves down what."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from tiny import affine, float64, inject, network, play_phase  # noqa: F401

import keras_ijae as ki
from keras_ijae import losses
from keras_ijae.models import EBGAN

mean = tf.reduce_mean
ROWS = np.random.default_rng(0).normal(1.0, 0.8, (5, 3))


def small(kinds=("plain", "plain"), shape=(3,), **arguments):
    parts = {
        "decoder": network(kinds[0], [(2,)], shape),
        "energy_encoder": network(kinds[1], [shape], (4,), seed=5),
        "energy_decoder": network("plain", [(4,)], shape, seed=9),
    }
    return EBGAN(**parts, feature_dim=4, ema=None, **arguments)


def pairs_of(codes):
    """PT by a double loop."""
    n, total = len(codes), 0.0
    for i in range(n):
        for j in range(n):
            if i != j:
                total += (codes[i] @ codes[j] / np.linalg.norm(codes[i]) / np.linalg.norm(codes[j])) ** 2
    return total / (n * (n - 1))


def retyped(model, x, margin, weight):
    """Zhao et al. 2017, eqs. 1, 2 and 14, term by term."""
    enc, dec = (lambda x: model.energy_encoder(x, training=True)), (lambda s: model.energy_decoder(s, training=True))

    def energy(x):
        return tf.stack([tf.norm(error) for error in tf.unstack(dec(enc(x)) - x)])

    def pulling(x):
        codes = tf.unstack(enc(x))
        cosines = [
            tf.tensordot(a, b, 1) ** 2 / tf.tensordot(a, a, 1) / tf.tensordot(b, b, 1)
            for i, a in enumerate(codes)
            for j, b in enumerate(codes)
            if i != j
        ]
        return mean(tf.stack(cosines))

    def losses(phase, noise):
        fake = model.decoder(noise["z"], training=True)
        if phase == "energy":
            return {"energy": lambda: mean(energy(x)) + mean(tf.maximum(margin - energy(fake), 0))}

        def of_decoder():
            made = model.decoder(noise["z"], training=True)
            return mean(energy(made)) + (weight * pulling(made) if weight else 0)

        return {"decoder": of_decoder}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "kinds, margin, weight",
    [
        pytest.param(("plain", "plain"), 2.5, 3.0, marks=pytest.mark.slow),
        (("batch", "batch"), 2.5, 3.0),
        pytest.param(("batch", "plain"), 9, None, marks=pytest.mark.slow),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(kinds, margin, weight):
    model = small(kinds, margin=margin, pulling_away_weight=weight)
    turns, logs = check_one_step(model, ROWS, retyped(model, tf.constant(ROWS), margin, weight))
    assert [turn.phase for turn in turns] == ["energy", "decoder"]
    assert turns[0].noise["z"] is turns[1].noise["z"]
    assert ("pulling_away" in logs) == (weight is not None)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(3,), (2, 3, 1)])
def test_an_energy_is_the_norm_over_all_dimensions_of_an_example_and_the_margin_is_of_each(shape):
    model, x = small(shape=shape, margin=0.5), np.random.default_rng(1).uniform(size=(6, *shape))
    z = np.random.default_rng(2).normal(size=(6, 2)) * 3
    played = play_phase(model, x, {"z": z}, "energy")
    fake = model.decoder(z).numpy()
    norm = lambda x: np.sqrt(((model.energy_decoder(model.energy_encoder(x)).numpy() - x) ** 2).reshape(6, -1).sum(1))  # noqa: E731
    real, energy = norm(x), norm(fake)
    model.margin.assign(margin := float(np.median(energy)))  # some samples are above it, some below
    played = play_phase(model, x, {"z": z}, "energy")
    np.testing.assert_allclose(played.losses["energy"], real.mean() + np.maximum(margin - energy, 0).mean(), rtol=1e-10)
    np.testing.assert_allclose(model.energy(tf.constant(x)), real, rtol=1e-12)
    assert np.maximum(margin - energy, 0).mean() > max(margin - energy.mean(), 0) + 1e-3


@pytest.mark.usefixtures("float64")
def test_samples_above_the_margin_do_not_move_the_energy():
    model = small(margin=1e-3, pulling_away_weight=None)
    inject(model, z=np.ones((5, 2)))
    found = slopes_of_energy(model)
    inject(model, z=np.full((5, 2), -2.0))
    for a, b in zip(found, slopes_of_energy(model), strict=True):
        np.testing.assert_array_equal(a, b)
    model.margin.assign(50.0)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(found, slopes_of_energy(model), strict=True))


def slopes_of_energy(model):
    with tf.GradientTape() as tape:
        loss = play_phase(model, ROWS, model.noise(None), "energy").losses["energy"]
    return tape.gradient(loss, [weight.value for weight in model.weights_of("energy")])


def test_the_pulling_away_term_is_the_mean_squared_cosine_of_all_pairs():
    codes = np.random.default_rng(0).normal(size=(7, 4))
    np.testing.assert_allclose(losses.pulling_away(tf.constant(codes)), pairs_of(codes), rtol=1e-12)
    np.testing.assert_allclose(losses.pulling_away(tf.constant(-3e5 * codes)), pairs_of(codes), rtol=1e-12)
    assert float(losses.pulling_away(tf.eye(4))) == 0
    # 2 of the 6 ordered pairs of (1, 0), (1, 1), (0, 1) have the cosine 0, and 4 have 1 / sqrt(2)
    np.testing.assert_allclose(losses.pulling_away(tf.constant([[1.0, 0], [1, 1], [0, 1]])), 1 / 3, rtol=1e-6)
    assert float(losses.pulling_away(tf.ones([1, 3]))) == 0


@pytest.mark.parametrize("scale", [0.0, 1e-37, 1e-30, 1e30, 3e38])
def test_directions_and_their_gradients_are_finite_for_codes_of_any_size(scale):
    codes = tf.constant([[0.3, -1.0], [0.5, 0.2]]) * scale
    with tf.GradientTape() as tape:
        tape.watch(codes)
        unit = losses.unit(codes)
        term = losses.pulling_away(codes)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0 if scale else 0.0, rtol=1e-6)
    assert np.isfinite(term.numpy()) and np.isfinite(tape.gradient(term, codes).numpy()).all()


def test_an_energy_of_zero_has_no_slope_and_no_nan():
    identity = {"energy_encoder": affine(np.eye(2), sizes=(2,)), "energy_decoder": affine(np.eye(2), sizes=(2,))}
    model = EBGAN(decoder=affine(np.eye(2), sizes=(2,)), **identity, feature_dim=2, margin=1.0)
    model.compile(run_eagerly=True)
    model.fit(np.ones((4, 2), "float32"), verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_it_has_no_encoder_averages_the_generator_alone_and_its_energy_is_public():
    model = ki.create("eb_gan", data_shape=(8, 8, 1), latent_dim=2, networks="mlp", width=8, feature_dim=5)
    assert not model.has_encoder and model.energy_encoder.output_shape == (None, 5)
    assert {id(weight) for weight, _ in model.averages} == {id(weight) for weight in model.decoder.trainable_variables}
    with pytest.raises(ValueError, match="EBGAN has no encoder"):
        model.encode(np.zeros((1, 8, 8, 1), "float32"))
    assert model.energy(np.zeros((3, 8, 8, 1), "float32")).shape == (3,)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"margin": 0.0}, "`margin` must be .*> 0.*Received: margin=0.0"),
        ({"margin": float("nan")}, "`margin` must be .*Received: margin=nan"),
        ({"pulling_away_weight": -1.0}, "`pulling_away_weight` must be .*>= 0.*Received: pulling_away_weight=-1.0"),
        ({"feature_dim": 0}, "`feature_dim` must be an integer >= 1. Received: feature_dim=0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ki.create("eb_gan", data_shape=(3,), latent_dim=2, width=4, **arguments)


def test_features_of_another_size_are_named():
    parts = {"decoder": affine(np.eye(2), sizes=(2,)), "energy_encoder": affine(np.eye(2), sizes=(2,))}
    with pytest.raises(ValueError, match=r"`energy_encoder` must map \(2,\) to \(3,\)"):
        EBGAN(**parts, energy_decoder=affine(np.eye(2), sizes=(2,)), feature_dim=3)


@pytest.mark.slow
def test_two_replicas_pull_all_codes_of_the_whole_batch_apart(two_replicas):
    """The mean of the halves' terms, which are of fewer pairs, is another number."""
    batch, found = tf.data.Dataset.from_tensors(ROWS[:4].astype("float32")), []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = small()
            model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
        logs = model.fit(batch, verbose=0).history
        found.append((logs["pulling_away"][0], *model.decoder.get_weights()))
    for alone, together in zip(*found, strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-6)
