"""FactorVAE: the density ratio of permuted codes, who sees which batch, and total correlations in closed form."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from systems import create, images
from test_vae import RECONSTRUCTION, diagonal
from tiny import affine, check_a_weight_comes_back, float64, network, play_phase, quadratic, signs  # noqa: F401

import keras_ijae as ki
from keras_ijae.layers import spectral_layers
from keras_ijae.models import VAE, FactorVAE
from keras_ijae.models.factor_vae import permuted
from keras_ijae.replicas import Share

log, sigmoid, mean = tf.math.log, tf.sigmoid, tf.reduce_mean


def small(kind="plain", judge="plain", **arguments):
    networks = {"encoder": network(kind, [(3,)], (4,)), "decoder": network(kind, [(2,)], (3,), seed=10)}
    networks["code_discriminator"] = network(judge, [(2,)], (1,), seed=20)
    return FactorVAE(**networks, **{"likelihood": "gaussian", "ema": None, **arguments})


X = np.random.default_rng(0).uniform(size=(8, 3))


def permuted_by_hand(z, order):
    z, order = np.asarray(z), np.asarray(order)
    return np.stack([z[np.argsort(order[:, j]), j] for j in range(z.shape[1])], 1)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "fresh, kind, judge",
    [
        (False, "plain", "spectral"),
        (True, "plain", "batch"),
        pytest.param(False, "batch", "batch", marks=pytest.mark.slow),
        pytest.param(True, "batch", "spectral", marks=pytest.mark.slow),
    ],
)
def test_one_step_moves_each_network_down_the_loss_of_the_paper_in_probabilities(fresh, kind, judge):
    """D = sigmoid(-C) is the paper's probability of a code."""
    model = small(kind, judge, fresh_batches=fresh, gamma=3.0)
    of = {"auto_encoder": X[0::2], "code_discriminator": X[1::2], "all": X}

    def retyped(phase, noise):
        x = of[phase]
        fixed = diagonal(model.encoder(x, training=True), noise["code"])[0].numpy()

        def d(z):
            return 1 - sigmoid(model.code_discriminator(z, training=True))

        def players():
            z, kl = diagonal(model.encoder(x, training=True), noise["code"])
            rec = RECONSTRUCTION["gaussian"](model, model.decoder(z, training=True), x)
            return mean(rec + kl) + 3 * mean(log(d(z)) - log(1 - d(z)))

        def judges():
            return -mean(log(d(fixed))) - mean(log(1 - d(permuted_by_hand(fixed, noise["order"]))))

        found = {"auto_encoder": players, "code_discriminator": judges}
        return found if phase == "all" else {phase: found[phase]}

    turns, logs = check_one_step(model, X, retyped)
    assert [turn.phase for turn in turns] == (["auto_encoder", "code_discriminator"] if fresh else ["all"])
    assert {"code_discriminator_accuracy", "total_correlation_estimate_sum", "kl_nats_sum"} <= set(logs)


def log_normal(z, covariance):
    z, covariance = np.asarray(z), np.asarray(covariance)
    return -np.sum(z @ np.linalg.inv(covariance) * z, 1) / 2 - np.linalg.slogdet(2 * np.pi * covariance)[1] / 2


@pytest.mark.usefixtures("float64")
def test_at_the_optimal_c_the_estimate_is_the_total_correlation_of_a_gaussian():
    """q(z) = N(0, [[1, .9], [.9, 1]]): .830365603; with the label flipped its negative."""
    q = np.array([[1, 0.9], [0.9, 1]])
    c = quadratic(np.linalg.inv(q) - np.eye(2), c=np.linalg.slogdet(q)[1] / 2, sizes=(2,))
    z = signs(2) @ np.linalg.cholesky(q).T  # nodes with the moments of q, exact for a quadratic logit
    np.testing.assert_allclose(c(z)[:, 0], log_normal(z, np.eye(2)) - log_normal(z, q), atol=1e-12)
    tiny = np.log(np.expm1(1e-9)) - np.log(np.expm1(1 - 1e-5))  # raw scales that are next to nothing: z = x
    encoder = affine(np.eye(2, 4), [0, 0, tiny, tiny], (2,))
    model = FactorVAE(encoder=encoder, decoder=affine(np.eye(2), [0, 0], (2,)), code_discriminator=c)
    model = FactorVAE(**model.networks, likelihood="gaussian", gamma=2.0, ema=None)
    noise = {"code": np.zeros((4, 2)), "order": np.random.default_rng(0).uniform(size=(4, 2))}
    played = play_phase(model, z, noise, "all")
    np.testing.assert_allclose(played.logs["total_correlation_estimate_sum"], 0.830365603, atol=1e-9)
    plain = played.losses["auto_encoder"] - 2 * 0.830365603
    vae = VAE(encoder=encoder, decoder=model.decoder, likelihood="gaussian")
    np.testing.assert_allclose(plain, play_phase(vae, z, noise, "").losses["auto_encoder"], atol=1e-8)


def test_each_dimension_is_permuted_by_the_ranks_of_its_own_uniforms():
    z, order = np.arange(15.0).reshape(5, 3), np.random.default_rng(0).uniform(size=(5, 3))
    found = permuted(tf.constant(z), tf.constant(order)).numpy()
    np.testing.assert_array_equal(found, permuted_by_hand(z, order))
    np.testing.assert_array_equal(np.sort(found, 0), z)
    compiled = tf.function(permuted, jit_compile=True)(tf.constant(z), tf.constant(order))
    np.testing.assert_array_equal(compiled, found)


def test_permuted_codes_have_the_marginals_but_not_the_correlation():
    normal = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 4000)
    model = small()
    order = model.noise(model.draws(Share(4000), "test", 0))["order"]
    found = permuted(tf.constant(normal), tf.cast(order, tf.float64)).numpy()
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.05
    np.testing.assert_array_equal(np.sort(found, 0), np.sort(normal, 0))


@pytest.mark.usefixtures("float64")
def test_gamma_has_its_effect_after_loading_too(tmp_path):
    model = small(gamma=0.0)
    model.code_discriminator.layers[-3].bias.assign([-1.0])
    noise = {"code": np.zeros((8, 2)), "order": np.random.default_rng(0).uniform(size=(8, 2))}

    def total(model):
        return play_phase(model, X, noise, "all").losses["auto_encoder"]

    check_a_weight_comes_back(model, "gamma", total, tmp_path / "m.keras")


def test_a_learned_mixture_moves_with_the_players_and_saturated_logits_are_finite():
    model = create("factor_vae", prior="mixture", gamma=1e4)
    model.code_discriminator.layers[-1].kernel.assign(1e4 * model.code_discriminator.layers[-1].kernel)
    before = model.prior.get_weights()
    model.compile(run_eagerly=True)
    found = model.fit(images(), verbose=0).history
    assert np.isfinite([values for values in found.values()]).all()
    assert all((one != other).any() for one, other in zip(before, model.prior.get_weights(), strict=True))


def test_the_paper_has_a_deep_judge_with_a_batch_of_its_own():
    model = ki.create("factor_vae", (8, 8, 1), 2, preset="paper", networks="mlp")
    dense = [layer.units for layer in model.code_discriminator.layers if isinstance(layer, keras.layers.Dense)]
    assert dense == [1000] * 6 + [1] and not spectral_layers(model.code_discriminator)
    assert model.fresh_batches and [phase.first for phase in model.phases] == [0, 1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"gamma": -1.0}, "`gamma` must be a finite number >= 0. Received: gamma=-1.0"),
        ({"gamma": None}, "`gamma` must be a finite number >= 0"),
        ({"fresh_batches": 1}, "`fresh_batches` must be True or False. Received: fresh_batches=1"),
        (
            {"code_discriminator": network("plain", [(3,)], (1,))},
            r"`code_discriminator` must accept inputs of shape \(2",
        ),
        ({"prior": "uniform"}, "`prior` must have a density wherever codes"),
        ({"prior": "sticks", "posterior": "sticks"}, "`posterior` must have .* Received: posterior=StickBreaking"),
    ],
    ids=range(6),
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        create("factor_vae", **arguments)


def test_a_batch_that_cannot_be_cut_in_two_is_refused():
    model = create("factor_vae", fresh_batches=True)
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="must have at least 4 rows: .* Received: 3"):
        model.fit(images(3), verbose=0)
