"""What a game keeps: weights by move and role, their running averages, its configuration."""

import inspect

import keras
import tensorflow as tf

from keras_ijae.models import checks


class State:
    """The part of `Game` that holds variables; a system's `scalar`s, roles and arguments are seen through it."""

    NETWORKS: tuple[str, ...] = ()
    AVERAGED: tuple[str, ...] = ("encoder", "decoder")

    @property
    def networks(self) -> dict[str, keras.Model]:
        """role -> network, of those that this model has."""
        return {role: getattr(self, role) for role in self.NETWORKS if getattr(self, role) is not None}

    def scalar(self, name: str, value: float) -> keras.Variable:
        """A run-time scalar (lambda, beta, a weight): `model.lam.assign(0.5)` retraces nothing."""
        return self._variable(name, keras.initializers.Constant(value))

    def weight(self, name: str, value: float) -> keras.Variable:
        """The run-time weight of a term: a `scalar` of at least 0."""
        if not value >= 0:
            raise ValueError(f"Argument `{name}` must be at least 0. Received: {value}")
        return self.scalar(name, value)

    def _variable(self, name, initializer, shape=(), dtype=None):
        return self.add_weight(
            shape,
            initializer,
            dtype=dtype,
            trainable=False,
            autocast=False,
            name=name,
            aggregation="only_first_replica",
        )

    def _weights_of(self, move):
        return [weight for name in self._moves[move].networks for weight in getattr(self, name).trainable_variables]

    def _statistics_of(self, names):
        """Batch statistics of the moving networks: weights that no optimizer moves, but for spectral vectors."""
        networks = sorted({network for name in names for network in self._moves[name].networks})
        return [weight for network in networks for weight in getattr(self, network).non_trainable_variables]

    def _all_sublayers(self):
        return [layer for network in self.networks.values() for layer in checks.sublayers(network)]

    @property
    def averages(self) -> list[tuple]:
        """(weight, its running average) of the averaged networks."""
        if self.ema is None:
            return []
        return list(zip(self._averaged_weights(), self._averages, strict=True))

    def _averaged_weights(self):
        return [
            w
            for name in self.AVERAGED
            if getattr(self, name, None) is not None
            for w in getattr(self, name).trainable_variables
        ]

    def _make_averages(self):
        self._averages = [] if self.ema is None else [self._average_of(weight) for weight in self._averaged_weights()]

    def _average_of(self, weight):
        return self._variable("average", lambda shape, dtype: tf.convert_to_tensor(weight), weight.shape, weight.dtype)

    def _update_averages(self):
        """a <- a + (1 - d) (w - a), where d grows to `ema` as (1 + t) / (10 + t): early averages forget the start."""
        step = tf.cast(self.steps, tf.float32)
        rate = 1.0 - tf.minimum(self.ema or 0.0, (1 + step) / (10 + step))
        for weight, average in self.averages:
            value = tf.convert_to_tensor(average)
            average.assign(value + tf.cast(rate, value.dtype) * (tf.convert_to_tensor(weight) - value))

    def get_config(self) -> dict:
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: _serialised(getattr(self, "posterior_kind" if name == "posterior" else name)) for name in names}

    @classmethod
    def from_config(cls, config: dict) -> "State":
        return cls(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})


def _serialised(value):
    if isinstance(value, keras.Variable):
        return float(keras.ops.convert_to_numpy(value))
    if isinstance(value, tuple):
        return list(value)
    return keras.saving.serialize_keras_object(value) if hasattr(value, "get_config") else value
