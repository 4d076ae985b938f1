"""Every system of the registry is built from its roles, fits all data that Keras takes, logs and evaluates alike."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import (
    BATCH,
    CLASSES,
    LATENT,
    REPRESENTATIVE,
    SHAPE,
    SYSTEMS,
    WITH_ENCODER,
    cases,
    compiled,
    create,
    dataset,
    firsts,
    images,
    label,
    quick,
    roles_moved,
    same,
    train,
    values_of,
    weights,
)

from keras_ijae.distributions.posteriors import POSTERIORS
from keras_ijae.distributions.priors import PRIORS
from keras_ijae.evaluation.better import is_objective, sense
from keras_ijae.game import ENTRIES, arguments_of

EAGER = {"run_eagerly": True}
ONE = dataset(images(BATCH))


@pytest.mark.parametrize(
    "case",
    quick(cases(), [case for case in firsts() if case[0] in REPRESENTATIVE]),
    ids=lambda case: f"{case[0]}-{label(case[1])}",
)
def test_is_built_from_its_roles_takes_a_step_and_is_made_anew_by_its_configuration(case):
    name, arguments = case
    model = create(name, **arguments)
    entry = ENTRIES[name]
    roles = {role.name for role in entry.system.ROLES if role.is_needed(model.get_config())}
    assert set(model.networks) == roles and model.built
    assert model.has_encoder == ("encoder" in roles)
    for argument, value in entry.fixed.items():
        found, value = model.get_config()[argument], arguments.get(argument, value)
        if argument in ("sampling_prior", "likelihood"):
            assert found["class_name"] == type(getattr(model, argument)).__name__
            continue
        if isinstance(value, dict):
            assert found["class_name"] == value["class_name"]
            continue
        named = {"prior": PRIORS, "posterior": POSTERIORS}.get(argument, {}).get(value)
        assert found == pytest.approx(value) if named is None else found["class_name"] == named.__name__
    twin = type(model).from_config(model.get_config())
    assert keras.saving.serialize_keras_object(twin) == keras.saving.serialize_keras_object(model)
    model.compile(**EAGER)
    before = values_of(model)
    history = train(model, ONE).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert roles_moved(model, before) == roles
    assert model.sample(3).shape == (3, *SHAPE) and np.isfinite(model.sample(3)).all()


@pytest.mark.parametrize("name", quick(SYSTEMS, ["vae", "gan", "ijae"]))
def test_is_built_for_vectors(name):
    binary = arguments_of(ENTRIES[name].system).get("likelihood") == "bernoulli"
    model = create(name, shape=(5,), **({"likelihood": "gaussian"} if binary else {}))
    model.compile(**EAGER)
    train(model, dataset(images(BATCH, (5,)) * 4 - 2))
    assert model.sample(3).shape == (3, 5)
    assert model.predict(model.sample(3) if model.has_encoder else images(3, (LATENT,)), verbose=0).shape == (3, 5)


class Batches(keras.utils.PyDataset):
    """The images as a PyDataset of pairs with labels."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.x, np.zeros(len(self.x))


def forms(raw):
    """The same batch in every form that `fit` takes: x, and what makes it."""
    x, labels = raw.astype("float32") / np.float32(255), np.arange(len(raw))
    tensors = tf.data.Dataset.from_tensor_slices
    return {
        "dataset": tensors(x).batch(BATCH),
        "labels": tensors((x, labels)).batch(BATCH),
        "tfds dictionary": tensors({"image": raw, "label": labels}).batch(BATCH),
        "dictionary of floats": tensors({"image": x}).batch(BATCH),
        "array": x,
        "tensor": tf.constant(x),
        "PyDataset": Batches(x),
        "generator": ((x,) for _ in range(3)),
    }


RAW = np.random.default_rng(2).integers(0, 256, (BATCH, *SHAPE), dtype=np.uint8)


@pytest.mark.parametrize("form", list(forms(RAW))[1:])
def test_fits_the_same_whatever_the_data_come_in(form, fitted_on_x):
    model = compiled("vae", EAGER)
    how = {"array": {"batch_size": BATCH}, "tensor": {"batch_size": BATCH}, "generator": {"steps_per_epoch": 1}}
    train(model, forms(RAW)[form], **how.get(form, {}))
    same(fitted_on_x, weights(model))


@pytest.fixture(scope="module")
def fitted_on_x():
    """Weights after one step on the plain dataset."""
    model = compiled("vae", EAGER)
    train(model, forms(RAW)["dataset"])
    return weights(model)


@pytest.fixture(scope="module", params=quick(CLASSES, ["vae", "gan"]))
def in_graph(request):
    """A system trained for two epochs in a graph with validation, its history, and its weights before."""
    model = compiled(request.param)
    before = values_of(model)
    monitor = {} if model.has_encoder else {"monitor": _first_measure(model), "mode": "max"}
    stop = keras.callbacks.EarlyStopping(patience=5, **monitor)  # of val_loss, where there is one
    history = train(model, epochs=2, validation_data=dataset(), callbacks=[stop]).history
    return model, history, before


def _first_measure(model):
    names = {"discriminator": "discriminator_real_logit", "critic": "critic_real", "energy_encoder": "energy_real"}
    return next(f"val_{measure}" for role, measure in names.items() if role in model.networks)


def test_the_validation_loss_is_the_negative_bound_or_the_reconstruction_error(in_graph):
    model, history, _ = in_graph
    assert ("val_loss" in history) == model.has_encoder == (model.validated_by is not None)
    if model.has_bounds:
        bound = next(name for name in history if name.startswith("val_elbo"))
        np.testing.assert_allclose(history["val_loss"], -np.array(history[bound]), rtol=1e-6)
        assert model.validated_by.startswith("negative ELBO")
    elif model.has_encoder:
        assert history["val_loss"] == history["val_squared_error_sum"]
        assert model.validated_by.startswith("squared error")


def test_a_quantity_has_one_name_in_training_and_in_evaluation(in_graph):
    model, history, _ = in_graph
    stems = ("elbo", "kl_nats", "log_likelihood", "squared_error", "absolute_error", "l1", "mse", "mae")
    trained = {name for name in history if not name.startswith("val_") and name.startswith(stems)}
    assert {f"val_{name}" for name in trained} <= set(history)


def test_logs_every_loss_and_what_discriminators_say(in_graph):
    model, history, _ = in_graph
    for move in model.moves:
        assert f"{move.name}_loss" in history
    for role in model.networks:
        if "discriminator" in role:
            assert {f"{role}_real_logit", f"{role}_fake_logit", f"{role}_accuracy"} <= set(history)
            assert all(0 <= value <= 1 for value in history[f"{role}_accuracy"])
        if "critic" in role:
            assert {f"{role}_real", f"{role}_fake", f"{role}_distance"} <= set(history)
    assert all(len(values) == 2 for values in history.values())
    assert all(name.replace("_", "").isalnum() for name in history)


ERROR = re.compile("(squared|absolute|batch)_error_|cross_entropy_|negative_log_likelihood_|bits_per_dim")
BOUND = re.compile("(elbo|log_likelihood)_")


def test_of_what_is_logged_errors_are_better_lower_and_bounds_higher(in_graph):
    _, history, _ = in_graph
    for name in history:
        plain = name.removeprefix("val_")
        if not is_objective(name):
            assert sense(name, history) == bool(BOUND.match(plain)) - bool(ERROR.match(plain)), name
    assert "val_loss" not in history or sense("val_loss", history) == -1


def test_evaluates_what_validation_reports_and_changes_nothing(in_graph):
    model, history, _ = in_graph
    before = weights(model)
    scores = model.evaluate(dataset(), verbose=0, return_dict=True)
    assert {f"val_{name}" for name in scores} == {name for name in history if name.startswith("val_")}
    for name, value in scores.items():
        assert history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-5), name
    same(before, weights(model))


def test_evaluates_with_the_averaged_weights_that_inference_has(in_graph):
    model, _, _ = in_graph
    if not model.has_encoder:
        pytest.skip("no reconstructions")
    x = images()
    scores = model.evaluate(x, batch_size=7, verbose=0, return_dict=True)
    assert scores["squared_error_sum"] == pytest.approx(model.reconstruction_error(x).mean(), rel=1e-4)
    assert scores["absolute_error_mean"] == pytest.approx(np.abs(x - model.reconstruct(x)).mean(), rel=1e-4)


def test_counts_its_steps_and_moves_every_network(in_graph):
    model, _, before = in_graph
    assert int(model.steps.numpy()) == 8
    assert roles_moved(model, before) == set(model.networks)


def test_trains_on_after_evaluating_without_mixing_logs(in_graph):
    model, _, _ = in_graph
    model.evaluate(dataset(), verbose=0)
    history = train(model).history
    assert not any(name.startswith("val_") for name in history) and f"{model.moves[0].name}_loss" in history


@pytest.mark.parametrize("name", quick(WITH_ENCODER, ["vae"]))
def test_units_are_in_the_names_of_measures(name):
    model = compiled(name, EAGER)
    scores = model.evaluate(ONE, verbose=0, return_dict=True)
    assert {"loss", "squared_error_sum", "absolute_error_mean"} <= set(scores)
    assert "bits_per_dim" not in scores or model.likelihood.has_bits_per_dim


@pytest.mark.parametrize(
    ("likelihood", "expected"),
    [
        ("bernoulli", {"elbo_nats_sum", "kl_nats_sum", "log_likelihood_nats_sum"}),
        ("gaussian", {"elbo_density_nats_sum", "kl_nats_sum", "log_likelihood_density_nats_sum"}),
        ("discretized_logistic", {"elbo_nats_sum", "kl_nats_sum", "log_likelihood_nats_sum", "bits_per_dim"}),
    ],
)
def test_nats_are_of_discrete_data_and_bits_of_discretised(likelihood, expected):
    model = compiled("vae", EAGER, likelihood=likelihood)
    scores = model.evaluate(ONE, verbose=0, return_dict=True)
    assert set(scores) == expected | {"loss", "squared_error_sum", "absolute_error_mean"}
