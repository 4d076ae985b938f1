"""What the property tests draw: anything that a user may pass by mistake, and how many of it."""

import os

import keras
import numpy as np
import tensorflow as tf
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("KERAS_IJAE_CASES", 250))
"""Of each test; 2,500 make 10,000 in all."""

FEW = settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
NUMBERS = st.one_of(
    st.integers(-3, 70), st.integers(), st.sampled_from([2**31, 2**70, 10**400]), st.floats(), st.floats(-2, 2)
)
WORDS = st.one_of(st.text(max_size=6), st.sampled_from(["auto", "normal", "mlp", "gaussian", "paper", "none", "../x"]))
OTHERS = st.sampled_from(
    [
        None,
        True,
        False,
        (),
        [],
        {},
        {"a": 1},
        {"class_name": "RealNVP", "config": {"latent_dim": 2}},
        {8, 1},
        (8, 8, 1),
        (2, 2, 1),
        b"x",
        len,
        object(),
        np.zeros(2),
        tf.ones([]),
        tf.ragged.constant([[1.0], [2.0, 3.0]]),
        tf.sparse.from_dense([[1.0, 0.0]]),
        keras.Input((2,)),
    ]
)
ANYTHING = st.one_of(NUMBERS, WORDS, OTHERS, st.lists(NUMBERS, max_size=3))
