"""SavedModels: a sampler to be served, and an encoder to be reused; neither needs this package or Keras."""

import contextlib
import itertools
import os
from typing import Any

import tensorflow as tf

from keras_ijae import checks
from keras_ijae.datasets.failing import said
from keras_ijae.files import replacing
from keras_ijae.game import converted, metadata
from keras_ijae.game.frozen import Frozen
from keras_ijae.game.served import Served
from keras_ijae.layers.advancing import advance

FORMATS = ("savedmodel", "onnx", "tflite")
"""What `Game.export` writes."""


def export_model(
    model: Any, path: str | os.PathLike, overwrite: bool, format: str, about: dict[str, Any] | None
) -> None:
    """Write what `Game.export` describes."""
    checks.choice("format", format, FORMATS)
    described = metadata.of_model(model, format, about)
    write = {"savedmodel": _write_saved_model, "onnx": converted.write_onnx, "tflite": converted.write_tflite}[format]
    with _directory(path, overwrite) as temporary:
        described["functions"] = write(Served(model), temporary)
        metadata.write(temporary, described)


def _write_saved_model(served, path):
    module, signatures = tf.train.Checkpoint(), served.signatures()
    module.weights = served.weights
    for name, function in served.methods(signatures).items():
        setattr(module, name, function)
    _save(module, path, {**signatures, "serving_default": signatures["sample"]})
    return sorted(signatures)


def export_encoder(model: Any, path: str | os.PathLike, overwrite: bool, about: dict[str, Any] | None) -> None:
    """Write the SavedModel of `Game.export_encoder`, in the layout of TF-Hub's reusable SavedModels."""
    frozen = Frozen(model.coders, model.averages)
    spec = model.endpoints.signature("encode")[:1]
    spec += [] if model.classes is None else [tf.TensorSpec([None], tf.int32, "labels")]

    def codes_of(x, labels, training):
        scope, noise = frozen.scope(), tf.zeros([tf.shape(x)[0], model.code_noise_dim], x.dtype)
        one_hot = None if labels is None else tf.one_hot(labels, model.classes)
        with scope:
            codes = tf.cast(model.codes(x, noise, one_hot, training), tf.float32)
            if training:
                advance(model.coders)
        if training:
            frozen.commit(scope)
        return codes

    codes_of = tf.function(codes_of, autograph=False)  # once for all types of what comes in

    def encode(x, labels=None, training=False):
        labels = None if labels is None else tf.cast(labels, spec[1].dtype)
        return codes_of(tf.cast(x, spec[0].dtype), labels, training)

    def call(inputs, training=False):
        return encode(*([inputs] if len(spec) == 1 else inputs), training=training)

    inputs = spec[0] if len(spec) == 1 else spec
    module = tf.train.Checkpoint()
    module.__call__ = tf.function(call, autograph=False)
    for taken, training in itertools.product(_all_taken(spec), (False, True)):
        module.__call__.get_concrete_function(taken, training=training)
    module.serve = tf.function(lambda inputs: call(inputs, False), [inputs], autograph=False)
    module.serve_training = tf.function(lambda inputs: call(inputs, True), [inputs], autograph=False)
    module.variables = frozen.variables
    module.trainable_variables = [variable for variable in frozen.variables if variable.trainable]
    module.regularization_losses = []
    served = tf.function(lambda x, labels=None: {"codes": encode(x, labels)}, spec, autograph=False)
    described = metadata.of_model(model, "savedmodel", about)
    with _directory(path, overwrite) as temporary:
        _save(module, temporary, {"serving_default": served})
        metadata.write(temporary, {**described, "functions": ["encoder"]})


def _all_taken(spec):
    """What an exported encoder is called on: numbers as programs and NumPy have them, in a list or a tuple."""
    wide = {tf.float32: tf.float64, tf.int32: tf.int64}
    types = [[one, tf.TensorSpec(one.shape, wide[one.dtype], one.name)] for one in spec]
    if len(spec) == 1:
        return types[0]
    return [form(parts) for parts in itertools.product(*types) for form in (list, tuple)]


@contextlib.contextmanager
def _directory(path, overwrite):
    """A temporary directory that becomes `path`, once all is written."""
    path = checks.path("path", path)
    checks.flag("overwrite", overwrite)
    if path.is_file() or (path.exists() and any(path.iterdir())):
        _check_replaced(path, overwrite)
    with replacing(path) as temporary:
        try:
            temporary.mkdir()
            yield temporary
        except tf.errors.OpError as error:  # a full disk, which is no OSError to TensorFlow
            raise OSError(f"{path} could not be written. {said(error)}") from error


def _check_replaced(path, overwrite):
    if not overwrite:
        raise FileExistsError(f"Argument `path` exists: {path}. Pass overwrite=True to replace it")
    if not metadata.place_in(path).is_file() and not (path / "saved_model.pb").is_file():
        raise FileExistsError(
            f"Argument `path` is no earlier export: {path} holds something else, which overwrite=True does not "
            "replace. Choose another directory"
        )


def _save(module, path, signatures):
    tf.saved_model.save(module, str(path), signatures=signatures)
