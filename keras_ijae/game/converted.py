"""ONNX and TFLite: the functions of a model that draw nothing, for runtimes without TensorFlow."""

import importlib
import re
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_ijae.game.served import Served

OPSET = 18
"""Of ONNX: the newest that tf2onnx writes, of December 2022."""


def write_onnx(served: Served, directory: Path) -> list[str]:
    """Write NAME.onnx of each function; their names.

    Raises:
        ValueError: tf2onnx is not installed, or cannot convert a function; or layers compute in half precision.
    """
    _refuse_half("onnx", served)
    tf2onnx, onnx, functions = _library("tf2onnx", "onnx"), _library("onnx", "onnx"), served.deterministic()
    for name, function in functions.items():
        try:
            converted, _ = tf2onnx.convert.from_function(function, function.input_signature, opset=OPSET)
            onnx.checker.check_model(converted)  # tf2onnx leaves what it does not know as it is
        except Exception as error:  # it fails in as many ways as there are operations
            raise _refusal("onnx", name, error) from error
        (directory / f"{name}.onnx").write_bytes(converted.SerializeToString())
    return sorted(functions)


def write_tflite(served: Served, directory: Path) -> list[str]:
    """Write model.tflite, with a signature for each function; their names.

    Raises:
        ValueError: the converter cannot convert a function; or layers compute in half precision.
    """
    _refuse_half("tflite", served)
    functions, module = served.deterministic(), tf.train.Checkpoint()
    module.weights = served.weights
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(module, saved, signatures=functions)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=sorted(functions))
        try:
            converted = converter.convert()
        except Exception as error:  # the converter has errors of its own, which are not public
            raise _refusal("tflite", ", ".join(sorted(functions)), error) from error
    (directory / "model.tflite").write_bytes(converted)
    return sorted(functions)


def _refuse_half(format, served):
    """ONNX Runtime has other numbers than the model, and TFLite no convolutions of such types."""
    if half := sorted(served.types & {"float16", "bfloat16"}):
        raise ValueError(
            f"Argument `format`={format!r} cannot hold a model whose layers compute in {half[0]}; 'savedmodel' holds "
            "every one. Create it anew under the policy 'float32', give it the weights, "
            "`other.set_weights(model.get_weights())`, and export that"
        )


def _library(name: str, extra: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f"Argument `format`={extra!r} needs {name}: pip install 'keras_ijae[{extra}]'. Importing it fails: {error}"
        ) from error


def _refusal(format, name, error):
    text = " ".join(str(error).split())
    unknown = sorted(set(re.findall(r'fused\["(\w+):"|No Op registered for (\w+)', text)))
    words = [word for found in unknown for word in found if word and "Call" not in word]
    why = f"It has no operation for {', '.join(dict.fromkeys(words))}" if words else f"Its converter says: {text:.300}"
    return ValueError(
        f"Argument `format`={format!r} cannot hold this model ({name}); 'savedmodel' holds every one. {why}"
    )
