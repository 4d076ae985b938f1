"""A game of two small networks on vectors, whose moves, phases and losses a test chooses."""

from typing import Unpack

import keras
import numpy as np
import tensorflow as tf
from systems import moved, weights

from keras_ijae.models import Common, Game, Move, Phase, Played, Role

FEATURES, BATCH = 3, 4


def network(name, norm=False):
    """Vectors (batch, 3) -> (batch, 1)."""
    layers = [keras.layers.Dense(4)] + [keras.layers.BatchNormalization(synchronized=True)] * norm
    return keras.Sequential([keras.Input((FEATURES,)), *layers, keras.layers.Dense(1)], name=name)


def mean_of(name):
    """A loss: the mean output of the network `name` on the batch."""
    return lambda model, batch, noise, phase: tf.reduce_mean(getattr(model, name)(batch.x, training=True))


class Toy(Game):
    """Moves `player` and `judge`, one after the other, unless told otherwise.

    Args:
        losses: move -> function(model, batch, noise, phase) -> scalar.
        moves, phases: of the game.
        logs, penalties: name -> function of the same kind.
        norm: whether both networks normalise by the batch.
        player: in the place of the default one.
        common: see `Game`; without an average unless it is asked for.
    """

    ROLES = (Role("player", None, ("x",), "z"), Role("judge", None, ("x",)))

    def __init__(
        self,
        *,
        losses=None,
        moves=None,
        phases=None,
        logs=None,
        penalties=None,
        norm=False,
        player=None,
        **common: Unpack[Common],
    ):
        keras.utils.set_random_seed(3)
        networks = {"player": player or network("player", norm), "judge": network("judge", norm)}
        super().__init__(networks, **{"data_shape": (FEATURES,), "latent_dim": 1, "ema": None, **common})
        self.moves = moves or (Move("player", ("player",)), Move("judge", ("judge",)))
        self.phases = phases or (Phase("player", ("player",)), Phase("judge", ("judge",)))
        self.given = losses or {"player": mean_of("player"), "judge": mean_of("judge")}
        self.logs, self.penalties, self.norm = logs or {}, penalties or {}, norm
        self.seen = []
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.SGD(0.1, momentum=0.5) for move in self.moves}

    def noise(self, draws):
        return {"z": draws.normal("z", FEATURES)}

    def losses(self, batch, noise, phase, forward):
        if tf.executing_eagerly():
            self.seen.append((phase, batch.x.numpy(), noise["z"].numpy()))
        playing = next(played.moves for played in self.phases if played.name == phase)
        place = self, batch, noise, phase
        return Played(
            {name: function(*place) for name, function in self.given.items() if name in playing},
            {name: function(*place) for name, function in self.logs.items()},
            {name: function(*place) for name, function in self.penalties.items() if name in playing},
        )

    def measures(self, batch, noise):
        return {"mean": tf.reduce_mean(batch.x, 1)}


def vectors(steps=4):
    return np.random.default_rng(0).normal(size=(steps * BATCH, FEATURES)).astype("float32")


def play(model, steps=4, callbacks=(), how=None, x=None, epochs=1):
    """`fit` for some steps, in eager mode unless told otherwise; the history."""
    model.compile(**({"run_eagerly": True} if how is None else how))
    x = vectors(steps) if x is None else x
    data = tf.data.Dataset.from_tensor_slices(x).batch(BATCH)
    return model.fit(data, epochs=epochs, verbose=0, callbacks=[*callbacks])


class Record(keras.callbacks.Callback):
    """The model's weights after each step."""

    def __init__(self):
        super().__init__()
        self.states = []

    def on_train_batch_begin(self, batch, logs=None):
        if not self.states:
            self.states.append(weights(self.model))

    def on_train_batch_end(self, batch, logs=None):
        self.states.append(weights(self.model))

    def changes(self, word):
        """For each step: whether a weight with `word` in its path changed."""
        pairs = zip(self.states, self.states[1:], strict=False)
        return [any(word in name for name in moved(*pair)) for pair in pairs]
