"""SavedModels: a sampler to be served, and an encoder to be reused; neither needs this package or Keras."""

import os
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.datasets.failing import said
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
    parts = [*(model.coders if model.has_encoder else ()), model.decoder, model.sampling_prior]
    parts += model.sampling_prior.lenders
    parts += [model.observation_model, model.label_counts]
    frozen = Frozen([part for part in parts if part is not None], model.averages)
    module = tf.train.Checkpoint()
    module.weights = frozen.variables
    functions = _functions(model, frozen)
    signatures = {name: tf.function(function, specs, autograph=False) for name, (function, specs) in functions.items()}
    _save(module, path, overwrite, {**signatures, "serving_default": signatures["sample"]})


def _functions(model, frozen):
    """Name of a signature -> its function, and the specifications of its arguments."""
    conditional = model.classes is not None
    n_and_seed, x, z = (model.endpoints.signature(name) for name in ("prior", "encode", "decode"))
    labels = [tf.TensorSpec([None], tf.int32, "labels")] if conditional else []

    def serve(name, *arguments):
        with frozen.scope():
            return model.endpoints.pure(name, *(part for part in arguments if part is not None))

    def encode(x, labels=None):
        return serve("encode", x, model.code_noise(tf.shape(x)[0], None), _one_hot(model, labels))

    def decode(z, labels=None, seed=None):
        return serve("decode", z, model.decoder_noise(tf.shape(z)[0], seed), _one_hot(model, labels))

    def sample(n, seed):
        codes = serve("prior", n, seed)
        if not conditional:
            return {"observations": decode(codes, seed=seed)}
        with frozen.scope():
            drawn = model.label_counts.sample(n, seed)
        return {"observations": decode(codes, drawn, seed), "labels": drawn}

    def sample_labels(labels, seed):
        return {"observations": decode(serve("prior", tf.shape(labels)[0], seed), labels, seed)}

    functions = {
        "sample": (sample, n_and_seed),
        "sample_codes": (lambda n, seed: {"codes": serve("prior", n, seed)}, n_and_seed),
        "decode": (lambda z, labels=None: {"observations": decode(z, labels)}, [z[0], *labels]),
    }
    if conditional:
        functions["sample_labels"] = (sample_labels, [*labels, n_and_seed[1]])
    if model.has_encoder:
        of_x = [x[0], *labels]
        functions["encode"] = (lambda x, labels=None: {"codes": encode(x, labels)}, of_x)
        functions["reconstruct"] = (
            lambda x, labels=None: {"observations": decode(encode(x, labels), labels)},
            of_x,
        )
    return functions


def _one_hot(model, labels):
    return None if labels is None else tf.one_hot(labels, model.classes)


def export_encoder(model: Any, path: str | os.PathLike, overwrite: bool) -> None:
    """Write the SavedModel of `Game.export_encoder`, in the layout of TF-Hub's reusable SavedModels."""
    frozen = Frozen(model.coders, model.averages)
    spec = model.endpoints.signature("encode")[:1]
    spec += [] if model.classes is None else [tf.TensorSpec([None], tf.int32, "labels")]

    def encode(x, labels, training):
        scope, noise = frozen.scope(), tf.zeros([tf.shape(x)[0], model.code_noise_dim], x.dtype)
        with scope:
            codes = tf.cast(model.codes(x, noise, _one_hot(model, labels), training), tf.float32)
        if training:
            frozen.commit(scope)
        return codes

    def call(inputs, training=False):
        x, labels = (inputs, None) if len(spec) == 1 else inputs
        return encode(x, labels, training)

    inputs = spec[0] if len(spec) == 1 else spec
    module = tf.train.Checkpoint()
    module.__call__ = tf.function(call, autograph=False)
    for training in (False, True):
        module.__call__.get_concrete_function(inputs, training=training)
    module.serve = tf.function(lambda inputs: call(inputs, False), [inputs], autograph=False)
    module.serve_training = tf.function(lambda inputs: call(inputs, True), [inputs], autograph=False)
    module.variables = frozen.variables
    module.trainable_variables = [variable for variable in frozen.variables if variable.trainable]
    module.regularization_losses = []
    served = tf.function(lambda x, labels=None: {"codes": encode(x, labels, False)}, spec, autograph=False)
    _save(module, path, overwrite, {"serving_default": served})


def _save(module, path, overwrite, signatures):
    path = checks.path("path", path)
    checks.flag("overwrite", overwrite)
    if path.exists() and not overwrite and (path.is_file() or any(path.iterdir())):
        raise FileExistsError(f"Argument `path` exists: {path}. Pass overwrite=True to replace it")
    with replacing(path) as temporary:
        try:
            tf.saved_model.save(module, str(temporary), signatures=signatures)
        except tf.errors.OpError as error:  # a full disk, which is no OSError to TensorFlow
            raise OSError(f"{path} could not be written. {said(error)}") from error
