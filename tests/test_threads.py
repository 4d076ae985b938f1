"""Many threads at once get what one gets, while the model is trained as well."""

import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import LATENT, compiled, create, images, train

THREADS, CALLS = 16, 64
X, Z = images(5), np.random.default_rng(0).normal(size=(5, LATENT)).astype("float32")


def asked(model):
    """What a thread may ask of a model, by name."""
    return {
        "sample": lambda: model.sample(3, seed=4),
        "encode": lambda: model.encode(X, seed=1),
        "decode": lambda: model.decode(Z),
        "reconstruct": lambda: model.reconstruct(X),
    }


def at_once(function, calls, threads=THREADS):
    """What `function(i)` gives in many threads that begin together."""
    barrier = threading.Barrier(threads)

    def wait_for_all(index):
        if index < threads:
            barrier.wait()
        return function(index)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(wait_for_all, range(calls)))


def test_threads_that_come_first_together_get_what_one_gets():
    one = create("vae", ema=0.9)
    alone = {name: call() for name, call in asked(one).items()}
    fresh = create("vae", ema=0.9)  # whose functions are not compiled yet
    names = list(alone)
    for index, found in enumerate(at_once(lambda i: asked(fresh)[names[i % len(names)]](), CALLS)):
        np.testing.assert_array_equal(found, alone[names[index % len(names)]])


@pytest.fixture
def standing():
    """A model that training does not move, with averages that are others than its weights and move as little."""
    model = compiled("ijae", {"optimizer": keras.optimizers.SGD(0.0)}, ema=0.9999999)
    for weight, average in model.averages:
        average.assign(tf.convert_to_tensor(weight) + 0.5)
    return model


def trained(model):
    """What it logs over some epochs, always the same."""
    model.steps.assign(10**9)
    return train(model, images(32), epochs=30).history


@pytest.mark.slow
def test_threads_beside_training_see_the_averages_and_training_the_weights(standing):
    alone, logged = {name: call() for name, call in asked(standing).items()}, trained(standing)
    done, found = threading.Event(), {name: [] for name in alone}

    def ask(name):
        while not done.is_set():
            found[name].append(asked(standing)[name]())

    with ThreadPoolExecutor(len(alone)) as pool:
        threads = [pool.submit(ask, name) for name in alone]
        try:
            beside = trained(standing)
        finally:
            done.set()
        for thread in threads:
            thread.result()
    for name, results in found.items():
        assert len(results) > 10
        for result in results:
            np.testing.assert_allclose(result, alone[name], rtol=1e-4, atol=1e-5)
    for name, values in logged.items():
        np.testing.assert_allclose(beside[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    for weight, average in standing.averages:  # what the averages gave is not what the weights give
        average.assign(weight)
    assert np.abs(standing.encode(X, seed=1) - alone["encode"]).max() > 0.1


@pytest.mark.slow
def test_a_savedmodel_serves_64_threads_alike(tmp_path):
    model = create("vae", ema=0.9)
    model.export(tmp_path / "saved")
    served = tf.saved_model.load(tmp_path / "saved").signatures
    calls = [
        lambda: served["sample"](n=tf.constant(3), seed=tf.constant(4))["observations"],
        lambda: served["encode"](x=tf.constant(X))["codes"],
        lambda: served["decode"](z=tf.constant(Z))["observations"],
    ]
    alone = [call().numpy() for call in calls]
    for index, found in enumerate(at_once(lambda i: calls[i % 3]().numpy(), 192, threads=64)):
        np.testing.assert_array_equal(found, alone[index % 3])


def test_a_model_may_ask_its_own_methods_while_it_is_traced():
    model = create("ae")
    inner = model.endpoints.pure

    def asking(name, *arguments):
        if name == "encode":
            with tf.init_scope():
                model.decode(Z)
        return inner(name, *arguments)

    model.endpoints.pure = asking
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(model.encode, X).result(timeout=60).shape == (5, LATENT)
