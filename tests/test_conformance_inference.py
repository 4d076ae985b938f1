"""What a trained model does is a function of its weights and arguments alone, row by row."""

import functools
import random as python_random

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import (
    CLASSES,
    LATENT,
    SHAPE,
    WITH_ENCODER,
    codes_of_samples,
    compiled,
    images,
    quick,
    same,
    train,
    weights,
)

import keras_ijae as ki

CLOSE = 1e-5
ENCODING = [name for name in CLASSES if name in WITH_ENCODER]


@functools.cache
def fitted(name, **arguments):
    """A system after a few steps, whose averages differ from its weights; tests leave it as it is."""
    model = compiled(name, {"run_eagerly": True, "optimizer": keras.optimizers.SGD(0.01)}, **arguments)
    train(model)
    return model


@pytest.mark.parametrize("name", quick(CLASSES, ["gan", "vae", "ijae"]))
def test_samples_depend_on_weights_number_and_seed_alone(name):
    model = fitted(name)
    before, first = weights(model), model.sample(5, seed=3)
    keras.utils.set_random_seed(99)
    tf.random.normal([3])
    np.testing.assert_array_equal(first, model.sample(5, seed=3))
    same(before, weights(model))
    assert not np.array_equal(first, model.sample(5, seed=4))
    assert len(np.unique(first.reshape(5, -1), axis=0)) == 5
    np.random.seed(0), python_random.seed(0)
    expected = np.random.get_state()[1].copy(), python_random.getstate()
    model.sample(2), model.decode(np.zeros((1, LATENT), "float32"))
    np.testing.assert_array_equal(np.random.get_state()[1], expected[0])
    assert python_random.getstate() == expected[1]


@pytest.mark.parametrize("name", quick(CLASSES, ["gan", "vae", "ijae"]))
def test_the_first_samples_do_not_depend_on_how_many_there_are(name):
    model = fitted(name)
    few, many = (codes_of_samples(model, n, 7) for n in (3, 600))
    np.testing.assert_array_equal(few, many[:3])
    np.testing.assert_allclose(model.sample(3, seed=7), model.sample(600, seed=7)[:3], atol=CLOSE)
    np.testing.assert_allclose(model.sample(3, seed=7), model.decode(few, seed=7), atol=CLOSE)


@pytest.mark.parametrize("likelihood", quick(["bernoulli", "learned_gaussian", "discretized_logistic"], ["bernoulli"]))
def test_drawn_observations_are_repeatable_and_no_means(likelihood):
    model = fitted("vae", likelihood=likelihood)
    drawn = model.sample(3, seed=1, observation="draw")
    np.testing.assert_array_equal(drawn, model.sample(3, seed=1, observation="draw"))
    np.testing.assert_allclose(drawn, model.sample(9, seed=1, observation="draw")[:3], atol=CLOSE)
    assert np.abs(drawn - model.sample(3, seed=1)).max() > 1e-3


@pytest.mark.slow
def test_without_a_likelihood_of_the_data_a_draw_is_the_decoders_output():
    for name in ("gan", "alpha_gan", "ijae", "svae"):
        model = fitted(name)
        np.testing.assert_array_equal(model.sample(3, observation="draw"), model.sample(3))


def predict(model):
    return lambda rows: model.predict(rows, verbose=0)


def methods(model):
    """name -> function of rows of images, giving as many rows."""
    if not model.has_encoder:
        code = lambda x: x[:, 0, :LATENT, 0]  # noqa: E731
        return {"decode": lambda x: model.decode(code(x)), "predict": lambda x: predict(model)(code(x))}
    names = ["encode", "reconstruct", "reconstruction_error", "elbo"]
    found = {name: getattr(model, name) for name in names if name != "elbo" or model.has_bounds}
    found["interpolate"] = lambda x: model.interpolate(x, 1 - x, steps=3)
    found["encode with noise"] = lambda x: model.encode(x, seed=5)
    found["reconstruct with noise"] = lambda x: model.reconstruct(x, seed=5)
    return {**found, "predict": predict(model)}


@pytest.mark.parametrize("name", quick(CLASSES, ["gan", "vae", "ijae"]))
def test_one_row_and_odd_numbers_of_rows_give_the_rows_of_many(name):
    model, x = fitted(name), images(515)
    for method, function in methods(model).items():
        everything = function(x)
        assert len(everything) == 515 and np.isfinite(everything).all(), method
        for rows in (1, 7):
            np.testing.assert_allclose(function(x[:rows]), everything[:rows], atol=1e-4, rtol=1e-4, err_msg=method)


@pytest.mark.parametrize("name", quick(ENCODING, ["vae", "ijae"]))
def test_batch_statistics_do_not_reach_inference(name):
    model, x = fitted(name, norm="batch"), images(9)
    np.testing.assert_allclose(model.reconstruct(x[:1]), model.reconstruct(x)[:1], atol=CLOSE)


@pytest.mark.parametrize("name", quick(CLASSES, ["gan", "vae", "ijae"]))
def test_predict_is_reconstruct_or_decode(name):
    model, x, z = fitted(name), images(5), images(5, (LATENT,))
    found = predict(model)(x if model.has_encoder else z)
    np.testing.assert_allclose(found, model.reconstruct(x) if model.has_encoder else model.decode(z), atol=CLOSE)


def test_inference_has_the_running_average_of_the_weights():
    model, z = fitted("gan"), images(3, (LATENT,))
    for weight, average in model.averages:
        assert not np.array_equal(weight.numpy(), average.numpy())
    twin = compiled("gan")
    for weight, (_, average) in zip(twin.decoder.trainable_variables, model.averages, strict=True):
        weight.assign(average)
    np.testing.assert_allclose(twin.decoder(z).numpy(), model.decode(z), atol=CLOSE)


@pytest.mark.parametrize("name", quick(ENCODING, ["vae", "ijae"]))
def test_codes_come_from_the_seed_where_there_is_noise(name):
    model, x = fitted(name), images(4)
    np.testing.assert_array_equal(model.encode(x), model.encode(x))
    np.testing.assert_array_equal(model.encode(x, seed=1), model.encode(x, seed=1))
    differ = not np.array_equal(model.encode(x, seed=1), model.encode(x, seed=2))
    assert differ == (model.code_noise_dim > 0)
    assert model.encode(x).shape == (4, LATENT)


@pytest.mark.parametrize("name", quick(CLASSES, ["gan", "vae", "ijae"]))
def test_observations_come_from_the_seed_where_the_decoder_has_noise(name):
    model, z = fitted(name), images(4, (LATENT,))
    np.testing.assert_array_equal(model.decode(z), model.decode(z))
    np.testing.assert_array_equal(model.decode(z, seed=1), model.decode(z, seed=1))
    noisy = [not np.array_equal(model.decode(z, seed=1), model.decode(z, seed=seed)) for seed in (None, 2)]
    assert noisy == [model.decoder_noise_dim > 0] * 2


@pytest.mark.parametrize("name", quick(ENCODING, ["vae", "ijae"]))
def test_interpolations_start_and_end_at_the_reconstructions(name):
    model, a, b = fitted(name), images(3), images(3, seed=1)
    path = model.interpolate(a, b, steps=4)
    assert path.shape == (3, 4, *SHAPE)
    np.testing.assert_allclose(path[:, 0], model.reconstruct(a), atol=CLOSE)
    np.testing.assert_allclose(path[:, -1], model.reconstruct(b), atol=CLOSE)


def test_a_prior_that_is_replaced_is_sampled_from():
    model = compiled("gan")
    before = model.sample(3)
    model.prior = ki.distributions.priors.Uniform(LATENT)
    assert not np.array_equal(before, model.sample(3))
    np.testing.assert_allclose(model.sample(3, seed=2), model.decode(model.prior.sample(3, 2)), atol=CLOSE)
