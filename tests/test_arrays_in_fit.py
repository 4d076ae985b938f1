"""Arrays that are handed to `fit`: the batches that Keras makes of them, without TensorFlow's tuner."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
from toy import BATCH, FEATURES, Toy, vectors

import keras_ijae as ki
from keras_ijae.keras_internals import are_arrays, in_batches

ROWS, LABELS = vectors(3)[:10], np.arange(10)
FORMS = {
    "an array": (ROWS, None),
    "a tensor": (tf.constant(ROWS), None),
    "a pair": ((ROWS, LABELS), None),
    "two": (ROWS, LABELS),
    "a dictionary": ({"image": ROWS, "label": LABELS}, None),
    "float64": (ROWS.astype("float64"), None),
}


class Loader(keras.utils.PyDataset):
    """A data set of one batch."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return ROWS


class OfAnotherLibrary:
    """An array of a library that TensorFlow does not know."""

    shape = ROWS.shape

    def __array__(self, dtype=None, copy=None):
        return ROWS


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
@pytest.mark.parametrize("form", FORMS)
def test_batches_are_those_of_keras_row_for_row_in_each_pass(form, shuffle):
    x, y = FORMS[form]
    keras.utils.set_random_seed(1)
    dataset, labels = in_batches(x, y, batch_size=4, shuffle=shuffle)
    ours = [list(dataset), list(dataset)]
    keras.utils.set_random_seed(1)
    theirs = ArrayDataAdapter(x, y, batch_size=4, shuffle=shuffle).get_tf_dataset()
    tf.nest.map_structure(np.testing.assert_array_equal, ours, [list(theirs), list(theirs)])
    assert labels is None and int(dataset.cardinality()) == 3


def test_what_is_not_cut_by_keras_stays_as_it_is():
    for given in (tf.data.Dataset.from_tensors(ROWS), Loader(), iter([ROWS])):
        assert not are_arrays(given) and in_batches(given) == (given, None)
    assert are_arrays(OfAnotherLibrary())


@pytest.fixture(scope="module")
def model():
    made = ki.create("ae", (FEATURES,), 1, networks="mlp")
    made.compile(jit_compile=False)
    return made


CALLS = {
    "fit": lambda model, x: model.fit(x, batch_size=BATCH, verbose=0),
    "validation": lambda model, x: model.fit(
        x[:BATCH], validation_data=x, batch_size=BATCH, validation_batch_size=2, verbose=0
    ),
    "split": lambda model, x: model.fit(x, batch_size=BATCH, validation_split=0.5, verbose=0),
    "evaluate": lambda model, x: model.evaluate(x, batch_size=BATCH, verbose=0),
    "predict": lambda model, x: model.predict(x, batch_size=BATCH, verbose=0),
}


@pytest.mark.parametrize("call", CALLS)
def test_no_pass_over_arrays_awaits_the_tuner(model, call, monkeypatch):
    passes, begin = [], tf.data.Dataset.__iter__
    monkeypatch.setattr(tf.data.Dataset, "__iter__", lambda self: passes.append(self) or begin(self))
    CALLS[call](model, vectors(4))
    of_arrays = [dataset for dataset in passes if int(dataset.cardinality()) > 1]
    assert of_arrays and not any(dataset.options().autotune.enabled for dataset in of_arrays)


@pytest.mark.parametrize("arguments", [{}, {"shuffle": False}, {"shuffle": "batch"}, {"validation_split": 0.5}])
def test_training_is_bit_for_bit_what_keras_would_do(arguments):
    def trained(fit):
        keras.utils.set_random_seed(0)
        model = Toy()
        model.compile(jit_compile=False)
        return fit(model, vectors(4), batch_size=BATCH, epochs=2, verbose=0, **arguments).history, model.get_weights()

    (ours, weights), (theirs, expected) = trained(Toy.fit), trained(keras.Model.fit)
    assert ours == theirs
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)
