"""A prior and a posterior with weights of their own are trained, averaged, saved and exported like the networks."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import BATCH, LATENT, VARIANTS, codes_of_samples, compiled, dataset, images, quick, same, train, weights

from keras_ijae.distributions import PlanarFlow, ResampledPrior
from keras_ijae.replicas import Share

pytestmark = pytest.mark.slow

SGD = {"learning_rate": 0.05, "momentum": 0.5}
X = images(2 * BATCH)
SYSTEMS = {
    "gmm_vae": {"ema": 0.9, "likelihood": "laplace", "posterior": PlanarFlow(LATENT, depth=2)},
    "nf_vae": {},
    "flow_vae": {**VARIANTS["flow_vae"][2], **VARIANTS["flow_vae"][0]},  # a flow as prior, one as posterior
    "vamp_vae": {"ema": 0.9},
    "resampled_vae": {"prior": keras.saving.serialize_keras_object(ResampledPrior(LATENT, 5, 64, 256))},
    "stick_vae": {},
}
ALL = quick(SYSTEMS, ["gmm_vae"])


def kept(model, history):
    return {**weights(model), **{f"log of {term}": np.float32(values) for term, values in history.items()}}


def stepped(name, **how):
    """The model, and its weights and logs after two steps of plain descent."""
    model = compiled(name, {"optimizer": keras.optimizers.SGD(**SGD), **how}, **SYSTEMS[name])
    return model, kept(model, train(model, dataset(X)).history)


@pytest.fixture(scope="module")
def trained():
    """name -> the model after two eager steps, and its weights and logs."""
    return functools.cache(lambda name: stepped(name, run_eagerly=True))


@pytest.mark.parametrize("name", ALL)
def test_two_replicas_are_one_with_the_double_batch(name, trained, two_replicas):
    with two_replicas.scope():
        how = {"optimizer": keras.optimizers.SGD(**SGD), "run_eagerly": name != "resampled_vae"}  # a graph takes long
        model = compiled(name, how, **SYSTEMS[name])
    same(trained(name)[1], kept(model, train(model, dataset(X)).history), 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_step_is_the_same_eagerly_and_by_xla(name, trained):
    same(trained(name)[1], stepped(name, jit_compile=True)[1], 1e-4)


def test_the_mixture_is_moved_with_the_networks_and_samples_have_its_average(trained):
    model, _ = trained("gmm_vae")
    assert model.moves[0].networks == ("encoder", "decoder", "prior")
    averages = {id(weight): average for weight, average in model.averages}
    start = compiled("gmm_vae", **SYSTEMS["gmm_vae"]).prior.get_weights()
    for weight, before in zip(model.prior.weights, start, strict=True):
        now, average = weight.numpy(), averages[id(weight)].numpy()
        assert not np.array_equal(now, before) and not np.array_equal(average, now)
    codes = codes_of_samples(model, 9, 0)
    assert not np.array_equal(codes, model.prior.sample(9, 0))
    with model.averaged():
        np.testing.assert_array_equal(codes, model.prior.sample(9, 0))


def test_a_learned_scale_is_averaged_with_the_decoder_whose_errors_it_describes():
    model = compiled("vae", {"run_eagerly": True}, ema=0.9, likelihood="learned_gaussian")
    train(model, dataset(X))
    scale = model.observation_model.log_scale
    average = {id(weight): average for weight, average in model.averages}[id(scale)]
    assert not np.array_equal(scale, average)
    found = model.elbo(X, seed=3)
    scale.assign(9.0)  # in training alone
    np.testing.assert_array_equal(model.elbo(X, seed=3), found)
    average.assign(9.0)
    assert not np.allclose(model.elbo(X, seed=3), found)


@pytest.mark.parametrize("name", ALL)
def test_saved_loaded_and_continued_is_as_if_never_stopped_and_served_codes_are_the_same_bits(name, tmp_path):
    model = compiled(name, {"run_eagerly": True}, **SYSTEMS[name])
    train(model, dataset(X))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    same(weights(model), weights(loaded))
    train(model, dataset(X)), train(loaded, dataset(X))
    same(weights(model), weights(loaded))
    codes = codes_of_samples(model, 40, 3)
    np.testing.assert_array_equal(codes_of_samples(loaded, 40, 3), codes)
    np.testing.assert_array_equal(codes_of_samples(loaded, 7, 3), codes[:7])
    loaded.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served")).signatures
    found = served["sample_codes"](n=tf.constant(40), seed=tf.constant(3))["codes"]
    np.testing.assert_array_equal(found, codes)
    np.testing.assert_allclose(served["encode"](x=tf.constant(X))["codes"], model.encode(X), atol=1e-5)
    np.testing.assert_allclose(
        served["sample"](n=tf.constant(5), seed=tf.constant(3))["observations"], model.sample(5, seed=3), atol=1e-5
    )


REALNVP, MAF, IAF = VARIANTS["flow_vae"]
HALF = {**{name: (name, arguments) for name, arguments in SYSTEMS.items() if name != "flow_vae"}}
HALF |= {"realnvp": ("flow_vae", REALNVP), "maf": ("flow_vae", MAF), "iaf": ("flow_vae", IAF)}


@pytest.mark.parametrize("case", HALF)
def test_half_precision_keeps_densities_in_float32(case):
    name, arguments = HALF[case]
    keras.config.set_dtype_policy("mixed_float16")
    model = compiled(name, {"run_eagerly": True}, **arguments)
    assert model.encoder.layers[1].compute_dtype == "float16"
    history = train(model, dataset(X)).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert {weight.dtype for weight in (*model.prior.weights, *model.posterior_family.weights)} <= {"float32"}
    batch, noise = model.batch_of(tf.constant(X)), model.noise(model.draws(Share(len(X)), "test"))
    assert [term.dtype for term in model.bound_terms(batch, noise)] == [tf.float32] * 2
    assert np.isfinite(model.elbo(X)).all() and np.isfinite(model.sample(3)).all()
    assert model.encode(X).shape == (len(X), LATENT)


def test_a_flow_has_no_tfp_distribution_and_says_what_to_use(trained):
    with pytest.raises(NotImplementedError, match="PlanarFlow is no TFP distribution: use `sample_and_log_prob`"):
        trained("gmm_vae")[0].posterior(X)
