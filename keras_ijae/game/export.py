"""SavedModels: a sampler to be served, and an encoder to be reused; neither needs this package or Keras."""

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.files import replacing


class Frozen:
    """Copies of layers' weights as plain TensorFlow variables, and a scope in which the layers use them.

    Args:
        layers: whose weights are copied.
        averages: (weight, its running average): the average is copied in the weight's place.
    """

    def __init__(self, layers: list[keras.layers.Layer], averages: list[tuple]):
        values = {id(weight): average for weight, average in averages}
        self.weights = list({id(weight): weight for layer in layers for weight in layer.weights}.values())
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


def export_model(model: Any, path: str | os.PathLike, overwrite: bool) -> None:
    """Write the SavedModel of `Game.export`."""
    parts = [*(model.coders if model.has_encoder else ()), model.decoder, model.sampling_prior, model.observation_model]
    frozen = Frozen([part for part in parts if part is not None], model.averages)

    def serve(name, *arguments):
        with frozen.scope():
            return model.endpoints.pure(name, *arguments)

    def encode(x):
        return serve("encode", x, model.code_noise(tf.shape(x)[0], None))

    def decode(z, seed=None):
        return serve("decode", z, model.decoder_noise(tf.shape(z)[0], seed))

    functions = {
        "sample_codes": (lambda n, seed: {"codes": serve("prior", n, seed)}, model.endpoints.signature("prior")),
        "decode": (lambda z: {"observations": decode(z)}, model.endpoints.signature("decode")[:1]),
        "sample": (
            lambda n, seed: {"observations": decode(serve("prior", n, seed), seed)},
            model.endpoints.signature("prior"),
        ),
    }
    if model.has_encoder:
        x = model.endpoints.signature("encode")[:1]
        functions["encode"] = (lambda x: {"codes": encode(x)}, x)
        functions["reconstruct"] = (lambda x: {"observations": decode(encode(x))}, x)
    module = tf.train.Checkpoint()
    module.weights = frozen.variables
    signatures = {name: tf.function(function, specs) for name, (function, specs) in functions.items()}
    _save(module, path, overwrite, {**signatures, "serving_default": signatures["sample"]})


def export_encoder(model: Any, path: str | os.PathLike, overwrite: bool) -> None:
    """Write the SavedModel of `Game.export_encoder`, in the layout of TF-Hub's reusable SavedModels."""
    frozen = Frozen(model.coders, model.averages)

    def encode(x, training):
        scope = frozen.scope()
        with scope:
            codes = tf.cast(
                model.codes(x, tf.zeros([tf.shape(x)[0], model.code_noise_dim], x.dtype), training), tf.float32
            )
        if training:
            frozen.commit(scope)
        return codes

    spec = model.endpoints.signature("encode")[0]
    module = tf.train.Checkpoint()
    module.__call__ = tf.function(lambda x, training=False: encode(x, training))
    for training in (False, True):
        module.__call__.get_concrete_function(spec, training=training)
    module.serve = tf.function(lambda x: encode(x, False), [spec])
    module.serve_training = tf.function(lambda x: encode(x, True), [spec])
    module.variables = frozen.variables
    module.trainable_variables = [variable for variable in frozen.variables if variable.trainable]
    module.regularization_losses = []
    _save(module, path, overwrite, {"serving_default": tf.function(lambda x: {"codes": encode(x, False)}, [spec])})


def _save(module, path, overwrite, signatures):
    path = Path(path)
    if path.exists() and not overwrite and (path.is_file() or any(path.iterdir())):
        raise FileExistsError(f"Argument `path` exists: {path}. Pass overwrite=True to replace it")
    with replacing(path) as temporary:
        tf.saved_model.save(module, str(temporary), signatures=signatures)
