"""The functions on tensors behind a model's methods; what is exported are these very functions."""

import threading
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.game.data import parts


class Endpoints:
    """A model's "prior", "encode", "decode" and "draw" on tensors, for any number of rows, compiled when first used.

    Args:
        model: a `GenerativeModel`, whose averaged weights are used.
    """

    def __init__(self, model: Any):
        self._model, self._compiled, self._tracing = model, {}, threading.RLock()

    def pure(self, name: str, *arguments: tf.Tensor) -> tf.Tensor:
        """The function itself, with the weights as they are: run and exported alike."""
        model = self._model
        if name == "prior":
            return model.sampling_prior.sample(*arguments)
        if name == "encode":
            return tf.cast(model.codes(*arguments), tf.float32)
        z, noise, *rest = arguments
        labels = rest.pop(0) if model.classes is not None else None
        outputs, uniform = model.outputs(z, noise, labels), rest
        drawn = model.observation_model.draw(outputs, *uniform) if uniform else model.observe(outputs)
        return tf.cast(drawn, tf.float32)

    def signature(self, name: str) -> list[tf.TensorSpec]:
        """The arguments of an endpoint, for any number of rows."""
        model = self._model
        if name == "prior":
            return [tf.TensorSpec([], tf.int32, "n"), tf.TensorSpec([], tf.int32, "seed")]
        labels = [] if model.classes is None else [_rows_of([model.classes], "labels")]
        if name == "encode":
            return [_rows_of(model.data_shape, "x"), _rows_of([model.code_noise_dim], "noise"), *labels]
        decode = [_rows_of([model.latent_dim], "z"), _rows_of([model.decoder_noise_dim], "noise"), *labels]
        if name == "decode":
            return decode
        return [*decode, _rows_of(model.observation_model.noise_shape(model.data_shape), "uniform")]

    def codes_of_samples(self, n: int, seed: int) -> tf.Tensor:
        """n codes of the sampling prior."""
        return self._get("prior")(tf.constant(int(n)), tf.constant(int(seed)))

    def in_chunks(self, name: str, *arguments: tf.Tensor | None) -> np.ndarray:
        """An endpoint's values for many rows, some hundred of which go through the networks at once; None: no input."""
        function = self._get(name)
        arguments = [tf.cast(argument, tf.float32) for argument in arguments if argument is not None]
        rows = arguments[0].shape[0]
        values = np.empty([rows, *function.structured_outputs.shape[1:]], "float32")  # parts and a whole would be two
        for part in parts(rows):
            values[part] = function(*(argument[part] for argument in arguments))
        return values

    def _get(self, name):
        key = name, self._model.sampling_prior  # which may be replaced, by a density fitted to codes
        if key in self._compiled:
            return self._compiled[key]
        with self._tracing:  # by one thread of those that ask at once; what it traces may ask too
            if key not in self._compiled:
                function = tf.function(
                    lambda *tensors: self._averaged(name, tensors), self.signature(name), autograph=False
                )
                self._compiled[key] = function.get_concrete_function()
            return self._compiled[key]

    def _averaged(self, name, tensors):
        with self._model.averaged():
            return self.pure(name, *tensors)


def noise(shape: list, seed: int | tf.Tensor | None, name: str) -> tf.Tensor:
    """Normal noise keyed by the seed and the name of its endpoint; without a seed zero."""
    return tf.zeros(shape) if seed is None else random.normal(shape, random.fold(seed, name))


def _rows_of(shape, name):
    return tf.TensorSpec([None, *shape], name=name)
