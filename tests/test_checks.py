"""Checks of arguments: what passes, and what the error says."""

import subprocess
import sys

import numpy as np
import pytest

from keras_ijae.checks import choice, did_you_mean, flag, instance, number, size, whole


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_of_any_integer_type_become_ints(value):
    assert type(whole("n", value)) is int and whole("n", value) == 3


@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, True, None, "3", float("nan"), np.float32(2), [1]])
def test_what_is_no_whole_number_in_range_is_refused(value):
    with pytest.raises(ValueError) as error:
        whole("n", value)
    assert str(error.value) == f"Argument `n` must be an integer >= 1. Received: n={value!r}"


def test_an_upper_bound_is_said_with_its_reason():
    assert whole("k", 5, 0, 5) == 5
    with pytest.raises(ValueError, match="`k` must be an integer from 0 to 5, the number of rows. Received: k=6"):
        whole("k", 6, 0, 5, ", the number of rows")


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int32(2)])
def test_real_numbers_of_any_type_become_floats(value):
    assert type(number("x", value)) is float and number("x", value) == 2.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf, True, None, "1", 1j, [1.0], 10**400])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="`x` must be a finite number. Received: x="):
        number("x", value)


@pytest.mark.parametrize(
    "bounds, bad, expected",
    [
        ({"least": 0}, -1e-9, "must be a finite number >= 0. "),
        ({"above": 0}, 0, "must be a finite number > 0. "),
        ({"most": 1}, 1.1, "must be a finite number <= 1. "),
        ({"below": 1}, 1, "must be a finite number < 1. "),
        ({"above": 0, "below": 1}, 1.0, r"must be in \(0, 1\). "),
        ({"least": 0, "most": 1}, float("nan"), r"must be in \[0, 1\]. "),
        ({"least": -0.5, "below": 1}, 1, r"must be in \[-0.5, 1\). "),
        ({"above": 0, "other": "'learned'"}, "lerned", "must be a finite number > 0, or 'learned'. "),
    ],
)
def test_numbers_outside_their_bounds_are_refused_and_the_bounds_said(bounds, bad, expected):
    with pytest.raises(ValueError, match=f"Argument `x` {expected}Received: x={bad!r}"):
        number("x", bad, **bounds)


def test_bounds_that_belong_to_the_range_pass():
    assert number("x", 0, least=0, most=1) == 0 and number("x", 1, least=0, most=1) == 1


@pytest.mark.parametrize("value", [2**31, 10**400])
def test_whole_numbers_that_tensorflow_cannot_hold_are_refused(value):
    assert whole("n", 2**31 - 1) == 2**31 - 1 and whole("n", value, 0, value) == value
    with pytest.raises(ValueError, match="`n` must be an integer >= 1, and at most 2147483647. Received"):
        whole("n", value)


def test_sizes_of_layers_end_at_65536():
    assert size("width", 65536) == 65536
    with pytest.raises(ValueError, match="`width` must be an integer >= 1, and at most 65536. Received: width=65537"):
        size("width", 65537)


@pytest.mark.parametrize("value, bounds", [(1e13, {"least": 0}), (-1e13, {"most": 0}), (1e300, {})])
def test_numbers_beyond_all_use_are_refused(value, bounds):
    with pytest.raises(ValueError, match=r"`x` must be a finite number.*, at most 1e\+12 in size. Received"):
        number("x", value, **bounds)


@pytest.mark.parametrize("value", [0, 1, None, "yes", 1.0])
def test_only_true_and_false_are_flags(value):
    assert flag("on", True) is True and flag("on", False) is False
    with pytest.raises(ValueError, match="`on` must be True or False. Received: on="):
        flag("on", value)


def test_a_choice_that_is_unknown_shows_the_known_ones_and_the_closest():
    assert choice("kernel", "rbf", ("imq", "rbf")) == "rbf"
    with pytest.raises(ValueError) as error:
        choice("kernel", "rbff", ("imq", "rbf"))
    message = "Argument `kernel` must be one of 'imq', 'rbf'. Received: kernel='rbff'. Did you mean 'rbf'?"
    assert str(error.value) == message
    with pytest.raises(ValueError, match=r"must be one of 'a', or a `Prior`. Received: prior=\[\]$"):
        choice("prior", [], {"a": 1}, "a `Prior`")


def test_instances_of_another_type_are_refused():
    assert instance("x", 3, int) == 3
    with pytest.raises(ValueError, match="`x` must be of type str. Received: x=3"):
        instance("x", 3, str)


@pytest.mark.parametrize(
    "word, hint",
    [
        ("mnits", " Did you mean 'mnist'?"),
        ("MNIST", " Did you mean 'mnist'?"),
        ("Vae", " Did you mean 'vae'?"),  # and not 'ae', which differs in less than a capital does
        ("gpu", " Did you mean 'GPU'?"),
        ("quite else", ""),
        ("", ""),
    ],
)
def test_hints_name_the_closest_words_or_nothing_and_alone_what_differs_in_capitals(word, hint):
    assert did_you_mean(word, {"mnist": 0, "digits": 1, "ae": 2, "vae": 3, "avb": 4, "GPU": 5}) == hint


def test_checks_need_neither_tensorflow_nor_any_other_room():
    code = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('checks', sys.argv[1]);"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module);"
        "print(module.whole('n', 1), [m for m in sys.modules if m.startswith(('tensorflow', 'keras', 'numpy'))])"
    )
    path = sys.modules["keras_ijae.checks"].__file__
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1 []"
