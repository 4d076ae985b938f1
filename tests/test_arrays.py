"""Checks of arrays: what passes, and what the error says."""

import numpy as np
import pytest
import tensorflow as tf

from keras_ijae.arrays import finite, real


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
def test_real_numbers_keep_their_dtype(dtype):
    assert real("x", np.ones(2, dtype)).dtype == dtype


def test_lists_and_bfloat16_become_arrays_that_numpy_can_reckon_with():
    assert real("x", [1, 2.5]).tolist() == [1, 2.5]
    assert real("x", tf.ones(2, tf.bfloat16)).dtype == "float32"


@pytest.mark.parametrize("values", [["a"], [1j], [[1.0], [1.0, 2.0]], None, [None], np.zeros(2, "M8[s]")])
def test_what_is_no_array_of_real_numbers_is_refused_with_what_was_received(values):
    with pytest.raises(ValueError) as error:
        real("x", values)
    assert str(error.value) == f"Argument `x` must be an array of real numbers. Received: {values!r}"


def test_masked_values_are_refused_and_a_mask_without_any_is_none():
    values = np.ma.masked_greater([1.0, 2.0, 9.0], 5)
    with pytest.raises(ValueError, match="`x` must have no masked values.* Received: 1 of 3 values masked"):
        real("x", values)
    assert real("x", values[:2]).tolist() == [1, 2]


def test_values_that_are_not_finite_are_shown_and_counted():
    array = np.array([[1.0, np.nan], [np.inf, 2.0]])
    with pytest.raises(ValueError, match=r"`x` must be finite. Received: \[nan inf\], 2 of 4 values"):
        finite("x", array)
    assert finite("x", array[:, :0]) is not None and finite("x", np.array([1, 2])).tolist() == [1, 2]
