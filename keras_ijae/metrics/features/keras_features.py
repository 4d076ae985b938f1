"""Any Keras model as an extractor."""

import json
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.metrics.features.extractor import Extractor, checksum_of

_LEFT_OUT = {"name", "module", "registered_name", "keras_history", "inbound_nodes", "input_layers", "output_layers"}
_LEFT_OUT |= {"compile_config"}  # the optimizer's


class KerasFeatures(Extractor):
    """The output of a layer of a Keras model as features.

    The model takes images in [0, 1]: one that wants another range starts with a Rescaling layer. It runs in
    inference mode, with the weights that it has at the time: features, checksum and what a cache finds follow them.

    Args:
        model: built, with one input.
        layer: name of the layer; None is the model's own output. Its output is (n, dim): feature maps need a
            pooling layer.
        output: what the model's own output means: "logits" or "probabilities" of classes, or None for neither.
        name: said in scores; the model's name by default. The layer's name is added to it.
        batch_size: images that go through the network at once.

    Raises:
        ValueError: not a built Keras model, no such layer, or an output of another rank.

    Example:
        features = KerasFeatures(classifier, layer="features", output="logits").features(images)
    """

    def __init__(
        self,
        model: keras.Model,
        layer: str | None = None,
        output: str | None = None,
        name: str | None = None,
        batch_size: int = 64,
    ) -> None:
        if output not in (None, "logits", "probabilities"):
            raise ValueError(f'Argument `output` must be "logits", "probabilities" or None. Received: {output!r}')
        graph = _functional(model)
        features = graph.outputs[0] if layer is None else _layer(graph, layer).output
        outputs = [features, graph.outputs[0]] if output else [features]
        for tensor in outputs:
            if len(tensor.shape) != 2 or tensor.shape[1] is None:
                raise ValueError(f"Features must have shape (n, dim): add a pooling layer. Received: {tensor.shape}")
        self._network = keras.Model(graph.inputs[0], [features, graph.outputs[0]])
        self._output, self._weights = output, model.weights
        self._architecture = _architecture(graph, layer, output)
        super().__init__(
            (name or model.name) + (f":{layer}" if layer else ""),
            None,
            int(features.shape[1]),
            classes=int(graph.outputs[0].shape[1]) if output else None,
            channels=graph.inputs[0].shape[-1],
            size=tuple(graph.inputs[0].shape[1:3]),
            batch_size=batch_size,
        )
        self.dtype = ", ".join(sorted(_types(keras.Model(graph.inputs[0], outputs)))) or self.dtype

    @property
    def checksum(self) -> str:
        """sha256 of the weights as they are now and of what the layers do; weights that are set later change it."""
        return checksum_of((weight.numpy() for weight in self._weights), self._architecture)

    def call(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        features, output = (tf.cast(tensor, tf.float32) for tensor in self._network(images, training=False))
        if self._output is None:
            return features, None
        return features, tf.nn.softmax(output) if self._output == "logits" else output


def _types(network):
    """In which floating types layers with weights compute, also those of networks inside the network."""
    inner = [layer for layer in network.layers if hasattr(layer, "layers")]
    found = {layer.compute_dtype for layer in network.layers if layer.weights and layer not in inner}
    return found.union(*map(_types, inner))


def _functional(model: keras.Model) -> keras.Model:
    """The model as a graph of layers with one image in and one tensor out."""
    if not isinstance(model, keras.Model):
        raise ValueError(f"Argument `model` must be a Keras model. Received: {type(model).__name__}")
    if not getattr(model, "inputs", None):
        shape = (model.get_build_config() or {}).get("input_shape")
        if shape is None:
            raise ValueError("Argument `model` must be built: call it on images once. Received: one that is not")
        image = keras.Input(shape[1:])
        model = keras.Model(image, model(image, training=False))
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.inputs[0].shape) != 4:
        raise ValueError(
            "Argument `model` must map images (n, height, width, channels) to one tensor. Received: inputs "
            f"{[tensor.shape for tensor in model.inputs]}, outputs {[tensor.shape for tensor in model.outputs]}"
        )
    return model


def _layer(model: keras.Model, name: str) -> keras.layers.Layer:
    for layer in model.layers:
        if layer.name == name:
            return layer
    raise ValueError(f"Argument `layer` must be one of {[layer.name for layer in model.layers]}. Received: {name!r}")


def _architecture(model: keras.Model, layer: str | None, output: str | None) -> str:
    """What the layers do, without names, which Keras counts up, and optimizer: equal networks give equal texts."""
    position = None if layer is None else [each.name for each in model.layers].index(layer)
    return json.dumps([_unnamed(json.loads(model.to_json())), position, output])


def _unnamed(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _unnamed(value) for key, value in config.items() if key not in _LEFT_OUT}
    return [_unnamed(value) for value in config] if isinstance(config, list) else config
