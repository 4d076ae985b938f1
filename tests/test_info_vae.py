"""InfoVAE against the VAE and the WAE, of which its loss is made."""

import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from systems import create
from test_ae import kernel_mmd
from test_mmd import double_loop
from test_vae import RECONSTRUCTION, diagonal
from tiny import affine, float64, gaussian_data, network, play_phase, train_on_gaussian  # noqa: F401

from keras_ijae.game import Batch
from keras_ijae.models import VAE, InfoVAE
from keras_ijae.replicas import Share


def small(cls=InfoVAE, kind="plain", **arguments):
    networks = {"encoder": network(kind, [(3,)], (4,)), "decoder": network(kind, [(2,)], (3,), seed=10)}
    return cls(**networks, **{"likelihood": "gaussian", **arguments})


X = np.random.default_rng(0).uniform(size=(3, 3))
NOISE = {name: np.random.default_rng(seed).normal(size=(3, 2)) for seed, name in enumerate(("code", "z"))}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "kind, likelihood, alpha, lam",
    [("plain", "laplace", 0.3, 2.0), pytest.param("batch", "bernoulli", 1, 3, marks=pytest.mark.slow)],
)
def test_one_step_moves_both_networks_down_the_loss_of_the_paper(kind, likelihood, alpha, lam):
    model = small(kind=kind, likelihood=likelihood, alpha=alpha, lam=lam)

    def retyped(phase, noise):
        def loss():
            z, kl = diagonal(model.encoder(X, training=True), noise["code"])
            rec = RECONSTRUCTION[likelihood](model, model.decoder(z, training=True), X)
            discrepancy = (alpha + lam - 1) * kernel_mmd(z, noise["z"])
            return tf.reduce_mean(rec + (1 - alpha) * kl) + discrepancy

        return {"auto_encoder": loss}

    check_one_step(model, X, retyped)


@pytest.mark.usefixtures("float64")
def test_it_is_the_vae_at_one_end_and_without_a_kl_at_the_other():
    model, vae = small(alpha=0.0, lam=1.0), small(VAE)
    expected = play_phase(vae, X, NOISE, "auto_encoder").losses["auto_encoder"]
    played = play_phase(model, X, NOISE, "auto_encoder")
    np.testing.assert_allclose(played.losses["auto_encoder"], expected, rtol=1e-12)
    model.alpha.assign(1.0), model.lam.assign(5.0)  # read at run time
    played = play_phase(model, X, NOISE, "auto_encoder")
    mmd = double_loop(model.codes(tf.constant(X), NOISE["code"]).numpy(), NOISE["z"])
    np.testing.assert_allclose(played.logs["mmd_squared"], mmd, rtol=1e-10)
    fit = played.logs["log_likelihood_density_nats_sum"]
    np.testing.assert_allclose(played.losses["auto_encoder"], 5 * mmd - fit, rtol=1e-10)


def test_its_bounds_are_those_of_a_vae_with_its_networks():
    model, vae = small(alpha=0.9, lam=7.0), small(VAE)
    np.testing.assert_array_equal(model.elbo(X.astype("float32")), vae.elbo(X.astype("float32")))
    assert set(model.noise(model.draws(Share(3)))) == {"code", "z"}


@pytest.mark.slow
@pytest.mark.parametrize("alpha, lam", [(0.0, 1.0), (1.0, 20.0)])
def test_codes_keep_more_information_the_larger_alpha_is_and_are_still_the_priors(alpha, lam):
    """Under a likelihood of variance 1 the VAE's codes keep log(1.51) / 2 = .21 nats of a Gaussian with variances 1.51
    and .29; without a KL they keep more."""
    encoder, decoder = affine(np.full((2, 4), 0.1), np.zeros(4), (2,)), affine(0.3 * np.eye(2), [0, 0], (2,))
    model = InfoVAE(encoder=encoder, decoder=decoder, likelihood="gaussian", alpha=alpha, lam=lam)
    train_on_gaussian(model, 5e-3, 1500)
    x = gaussian_data(2000)
    kl = model.bound_terms(Batch(tf.constant(x)), {"code": tf.zeros([2000, 2])})[1].numpy().mean()
    codes = model.encode(x, seed=0)
    np.testing.assert_allclose(codes.std(0), 1, atol=0.15)
    assert 0.1 < kl < 0.3 if alpha == 0 else kl > 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"alpha": 1.1}, "`alpha` must be a finite number <= 1. Received: alpha=1.1"),
        ({"alpha": float("nan")}, "`alpha` must be"),
        ({"lam": None}, "`lam` must be a finite number. Received: lam=None"),
        ({"alpha": 0.2, "lam": 0.7}, "`lam` must be at least 1 - `alpha`. Received: lam=0.7, alpha=0.2"),
        ({"prior": "mixture"}, "`prior` has weights to learn, which no move of InfoVAE changes"),
        ({"prior": "uniform"}, "`prior` must have a density wherever codes"),
        ({"likelihood": "cyclic_shift"}, "`likelihood` must have a density"),
        ({"classes": 3}, "`classes` is not taken by InfoVAE: its discrepancy"),
    ],
    ids=range(8),
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        create("info_vae", **arguments)
