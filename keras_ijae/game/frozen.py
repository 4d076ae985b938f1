"""Weights as they are now, apart from the model that goes on training."""

import keras
import tensorflow as tf


class Frozen:
    """Copies of layers' weights as plain TensorFlow variables, and a scope in which the layers use them.

    Args:
        layers: whose weights are copied, and states of their generators of random numbers.
        averages: (weight, its running average): the average is copied in the weight's place.
    """

    def __init__(self, layers: list[keras.layers.Layer], averages: list[tuple]):
        values = {id(weight): average for weight, average in averages}
        self.weights = list({id(weight): weight for layer in layers for weight in layer.variables}.values())
        trainable = {id(weight) for layer in layers for weight in layer.trainable_weights}
        self.variables = [
            tf.Variable(tf.convert_to_tensor(values.get(id(w), w)), trainable=id(w) in trainable, name=w.name)
            for w in self.weights
        ]

    def scope(self) -> keras.StatelessScope:
        """The layers see the copies; what they would assign is kept in the scope."""
        return keras.StatelessScope(list(zip(self.weights, self.variables, strict=True)))

    def commit(self, scope: keras.StatelessScope) -> None:
        """Assign what the layers assigned inside the scope (batch statistics) to the copies."""
        for weight, variable in zip(self.weights, self.variables, strict=True):
            if not variable.trainable:
                variable.assign(scope.get_current_value(weight))
