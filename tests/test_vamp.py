"""The VampPrior against its formula, typed out; its pseudo-inputs trained, saved alone, taken from data."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import special, stats
from systems import BATCH, LATENT, codes_of_samples, compiled, create, dataset, images, same, train, weights
from tiny import affine, float64, network, signs  # noqa: F401

import keras_ijae as ki
from keras_ijae.distributions import IAF, FullGaussian, PlanarFlow, VampPrior
from keras_ijae.game import Batch
from keras_ijae.models import VAE

X = images()
SHIFT = np.log(np.expm1(1 - 1e-5))


def scale_of(raw):
    return 1e-5 + np.log1p(np.exp(raw + SHIFT))


def vae(components=3, **arguments):
    """A VAE of 3 features, its prior apart from N(0, I)."""
    rng = np.random.default_rng(0)
    encoder = affine(rng.normal(size=(3, 4)) * [1, 1, 0.1, 0.1], rng.normal(size=4), (3,))
    decoder = affine(rng.normal(size=(2, 3)), np.zeros(3), (2,))
    prior = VampPrior(2, components)
    model = VAE(encoder=encoder, decoder=decoder, prior=prior, likelihood="gaussian", **arguments)
    prior.pseudo_inputs.assign(rng.normal(size=(components, 3)))
    return model


def components_of(model):
    """Means and scales of the components, (K, 2) each."""
    outputs = model.encoder(model.prior.pseudo_inputs.value).numpy()
    return outputs[:, :2], scale_of(outputs[:, 2:])


def test_the_density_is_the_mean_of_the_posteriors_of_the_pseudo_inputs():
    model, z = vae(), np.random.default_rng(1).normal(size=(6, 2))
    means, scales = components_of(model)
    of_each = stats.norm.logpdf(z[:, None], means, scales).sum(2)
    np.testing.assert_allclose(model.prior.log_prob(z), special.logsumexp(of_each, axis=1) - np.log(3), rtol=1e-5)


def test_samples_are_posterior_draws_of_pseudo_inputs_each_as_often():
    model = vae(2)
    model.prior.pseudo_inputs.assign([[9.0, -9.0, 9.0], [-9.0, 9.0, -9.0]])
    means, scales = components_of(model)
    assert np.abs((means[0] - means[1]) / scales.max(0)).max() > 6
    z = codes_of_samples(model, 20_000, 1)
    nearest = np.linalg.norm((z[:, None] - means) / scales.max(0), axis=2).argmin(1)
    np.testing.assert_allclose(nearest.mean(), 0.5, atol=0.02)
    for k in range(2):
        np.testing.assert_allclose(z[nearest == k].mean(0), means[k], atol=0.04 * scales.max())
        np.testing.assert_allclose(z[nearest == k].std(0), scales[k], rtol=0.05)


def test_codes_of_chosen_pseudo_inputs_are_of_their_posteriors_in_the_order_asked_for():
    model = vae(3)
    means, scales = components_of(model)
    chosen = np.tile([2, 0], 5_000)
    z = model.prior.sample_of(chosen, seed=1).numpy()
    for k, codes in ((2, z[::2]), (0, z[1::2])):
        assert stats.kstest((codes - means[k]) / scales[k], "norm", axis=0).pvalue.min() > 0.01
    np.testing.assert_array_equal(model.prior.sample_of([2, 0, 2], 1), z[:3])  # and more are not other ones
    assert model.decode(model.prior.sample_of([1, 1], seed=0)).shape == (2, 3)


@pytest.mark.parametrize("wrong", [3, [], [3], [-1], [0.5], [True], [[0]], np.array(0), "0", None])
def test_pseudo_inputs_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="`components` must be a list of at least one index from 0 to 2. Received"):
        vae(3).prior.sample_of(wrong, seed=0)


@pytest.mark.usefixtures("float64")
def test_one_pseudo_input_whose_posterior_is_the_standard_normal_gives_the_plain_vaes_loss():
    """Golden M26, over nodes with the second moments of N(0, 1), for which the estimate of the KL is exact."""
    kernel = np.array([[0.5, -0.2, 0.1, 0.3], [0.3, 0.4, -0.1, 0.2], [0.1, 0.1, 0.2, -0.4]])
    encoder, decoder = affine(kernel, np.zeros(4), (3,)), affine(np.eye(2, 3), np.zeros(3), (2,))
    plain = VAE(encoder=encoder, decoder=decoder, likelihood="gaussian")
    vamp = VAE(encoder=encoder, decoder=decoder, likelihood="gaussian", prior=VampPrior(2, 1))
    vamp.prior.pseudo_inputs.assign(np.zeros((1, 3)))
    x, noise = tf.constant(np.repeat([[0.4, -1.2, 0.7]], 4, 0)), {"code": tf.constant(signs(2))}
    losses = [model.losses(Batch(x), noise, "auto_encoder", {}).losses["auto_encoder"] for model in (plain, vamp)]
    np.testing.assert_allclose(*losses, rtol=1e-10)
    vamp.prior.pseudo_inputs.assign(np.ones((1, 3)))
    assert abs(vamp.losses(Batch(x), noise, "auto_encoder", {}).losses["auto_encoder"] - losses[0]) > 0.1


@pytest.mark.usefixtures("float64")
def test_one_step_moves_pseudo_inputs_and_encoder_down_the_negative_bound():
    encoder, decoder = network("plain", [(3,)], (4,)), network("plain", [(2,)], (3,), seed=10)
    prior = VampPrior(2, 3)
    model = VAE(encoder=encoder, decoder=decoder, prior=prior, likelihood="gaussian")
    x = np.random.default_rng(0).uniform(size=(5, 3))

    def log_normal(z, mean, scale):
        return -tf.reduce_sum(((z - mean) / scale) ** 2 / 2 + tf.math.log(scale) + np.log(2 * np.pi) / 2, axis=-1)

    def parts(outputs):
        return outputs[:, :2], 1e-5 + tf.math.softplus(outputs[:, 2:] + SHIFT)

    def retyped(phase, noise):
        def loss():
            mean, scale = parts(encoder(x, training=True))
            z = mean + scale * noise["code"]
            means, scales = parts(encoder(tf.convert_to_tensor(prior.pseudo_inputs)))
            p = tf.reduce_mean(tf.exp(log_normal(z[:, None], means, scales)), axis=1)
            rec = tf.reduce_sum((x - decoder(z, training=True)) ** 2 / 2 + np.log(2 * np.pi) / 2, axis=1)
            return tf.reduce_mean(log_normal(z, mean, scale) - tf.math.log(p) + rec)

        return {"auto_encoder": loss}

    check_one_step(model, x, retyped)
    assert model.moves[0].networks == ("encoder", "decoder", "prior")


@pytest.mark.parametrize("posterior", ["full", IAF(LATENT, depth=2, width=8, context=2)])
@pytest.mark.slow
def test_any_posterior_with_a_density_makes_the_components(posterior):
    model = create("vamp_vae", posterior=posterior)
    z = np.random.default_rng(0).normal(size=(5, LATENT)).astype("float32")
    outputs = model.encoder(model.prior.pseudo_inputs.value)
    of_each = [model.posterior_family.log_prob(tf.repeat(outputs[k : k + 1], 5, 0), z) for k in range(len(outputs))]
    np.testing.assert_allclose(
        model.prior.log_prob(z), special.logsumexp(of_each, axis=0) - np.log(len(outputs)), rtol=1e-4
    )


def test_pseudo_images_stay_in_the_unit_interval_and_vectors_go_where_they_like():
    model = compiled("vamp_vae", {"optimizer": keras.optimizers.SGD(50.0), "run_eagerly": True})
    before = model.prior.pseudo_inputs.numpy()
    train(model, dataset(images(BATCH)))
    found = model.prior.pseudo_inputs.numpy()
    assert not np.array_equal(before, found) and found.min() == 0 and found.max() <= 1
    keeps = model.prior.pseudo_inputs.constraint
    assert isinstance(keeps, keras.constraints.Constraint)  # Keras 3.8 takes no functions
    assert vae().prior.pseudo_inputs.constraint is None


def test_pseudo_inputs_are_its_only_weights_saved_once_and_averaged(tmp_path):
    model = compiled("vamp_vae", {"run_eagerly": True}, ema=0.5)
    train(model, dataset(images(2 * BATCH)))
    assert [weight.path for weight in model.prior.weights] == [model.prior.pseudo_inputs.path]
    assert len({id(weight) for weight in model.weights}) == len(model.weights)
    average = next(average for weight, average in model.averages if weight is model.prior.pseudo_inputs)
    assert not np.array_equal(average, model.prior.pseudo_inputs)
    codes = codes_of_samples(model, 9, 0)
    assert not np.array_equal(codes, model.prior.sample(9, 0))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    same(weights(model), weights(loaded))
    np.testing.assert_array_equal(codes_of_samples(loaded, 9, 0), codes)
    with model.averaged():
        np.testing.assert_array_equal(model.prior.sample(9, 0), codes)


def test_fitted_it_is_the_posteriors_of_rows_of_the_data_and_follows_the_encoder():
    model = create("ijae", posterior="diagonal")
    model.fit_prior(X, VampPrior(LATENT, 5), seed=2)
    rows = model.sampling_prior.pseudo_inputs.numpy()
    where = [np.flatnonzero((X == row).all((1, 2, 3))).item() for row in rows]
    assert len(set(where)) == 5
    with model.averaged():
        z = np.zeros((1, LATENT), "float32")
        q = model.posterior(rows)
        expected = special.logsumexp(q.log_prob(z)) - np.log(5)
        np.testing.assert_allclose(model.sampling_prior.log_prob(z), [expected], rtol=1e-5)
    before = codes_of_samples(model, 5, 0)
    for weight, average in model.averages:
        average.assign(weight + 0.1)
    assert np.abs(codes_of_samples(model, 5, 0) - before).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: create("ae").fit_prior(X, VampPrior(LATENT, 2)),
            "needs a posterior.*Received: a AE whose posterior is implicit or deterministic",
        ),
        (
            lambda: create("nf_vae").fit_prior(X, VampPrior(LATENT, 2)),
            "with a density.*Received: a VAE whose posterior is PlanarFlow, which has none",
        ),
        (lambda: create("vae").fit_prior(X, "vamp"), "`data` must have at least 64 rows, of which 64 are chosen"),
        (lambda: create("vamp_vae", posterior=PlanarFlow(LATENT)), "PlanarFlow are.*Received: VampPrior, without a d"),
        (lambda: create("vamp_vae", classes=3), "`classes` is not taken by VAE: its prior, VampPrior, is one density"),
        (lambda: create("gan", prior=VampPrior(LATENT)), "VampPrior needs an encoder, which GAN has not"),
        (lambda: create("wae_mmd", prior="vamp"), "`prior` has weights to learn"),
        *(
            (
                lambda name=name: create(name, prior=VampPrior(LATENT, 2, trainable=False)),
                "needs a posterior.*whose posterior is implicit or deterministic",
            )
            for name in ("wae_mmd", "alpha_gan", "svae", "ijae")
        ),
        (lambda: VampPrior(2).sample(3, 0), "made of a model's encoder: it has a density and samples only as its"),
        (lambda: VampPrior(2).log_prob(np.zeros((3, 2))), "made of a model's encoder"),
        (lambda: VampPrior(2, 0), "`components` must be an integer >= 1. Received: components=0"),
        (lambda: vae().prior.log_prob(np.zeros((3, 4))), r"`z` must have shape \(batch, 2\)"),
    ],
    ids=range(15),
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_bounds_take_it_with_a_full_covariance():
    model = create("vamp_vae", posterior=FullGaussian(LATENT))
    assert (model.elbo(X).mean() < model.importance_weighted_bound(X, 20).mean()).all()


def test_a_prior_of_pseudo_inputs_belongs_to_one_model():
    prior = VampPrior(LATENT, 3)
    create("vae", prior=prior)
    with pytest.raises(
        ValueError, match="must be a new VampPrior, which belongs to one model.*Received: one that a VAE has"
    ):
        create("vae", prior=prior)


@pytest.mark.parametrize("argument", ["prior", "sampling_prior"])
def test_a_prior_of_pseudo_inputs_is_free_where_no_model_came_of_a_call(argument, tmp_path):
    prior = VampPrior(LATENT, 3)
    with pytest.raises(ValueError, match="`beta`"):
        create("vae", (5,), **{argument: prior}, beta=-1.0)
    model = create("vae", **{argument: prior})
    assert [(w.path, w.shape) for w in prior.weights] == [(prior.pseudo_inputs.path, (3, *X.shape[1:]))]
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded.sample(3, seed=0), model.sample(3, seed=0))


@pytest.mark.parametrize("argument", ["prior", "sampling_prior"])
def test_a_prior_of_pseudo_inputs_that_samples_are_drawn_from_belongs_to_its_model(argument):
    model = ki.create("vae", (5,), LATENT, width=8, sampling_prior=VampPrior(LATENT, 3))
    for _ in range(2):
        with pytest.raises(ValueError, match="must be a new VampPrior"):
            ki.create("vae", (5,), LATENT, width=8, **{argument: model.sampling_prior})
        model.fit_prior(images(shape=(5,)))
