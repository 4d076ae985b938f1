"""The default networks of a system: their layers, shapes and parameters."""

from collections import Counter
from dataclasses import dataclass

import keras

from generator.rst import table
from keras_ijae.keras_internals import outputs_inside

FOLDED = ("LeakyReLU", "ReLU", "Activation", "GroupNorm", "BatchNormalization", "LayerNormalization", "Dropout")
WORDS = {"LeakyReLU": "leaky ReLU", "relu": "ReLU", "GroupNorm": "group norm", "BatchNormalization": "batch norm"}


@dataclass
class Box:
    """A layer, with what follows it alone, as normalisation and activation.

    Attributes:
        words: what it is, and what follows.
        shape: of what it gives.
        after: names of the boxes from which its inputs come.
        parameters: how many numbers it holds.
    """

    words: list[str]
    shape: str
    after: list[str]
    parameters: int


def shape_in_words(shape: tuple[int | None, ...]) -> str:
    """Sizes without that of the batch."""
    return " × ".join(str(size) for size in shape[1:]) or "1"


def boxes_of(network: keras.Model, folded: tuple[str, ...] = FOLDED) -> dict[str, Box]:
    """name of a layer -> its box, in an order in which data can pass them; layers of the kinds `folded` join others."""
    inside = outputs_inside(network)
    made_by = {id(output): name for name, (_, _, output) in inside.items()}
    users = Counter(made_by[id(tensor)] for _, given, _ in inside.values() for tensor in given)
    boxes: dict[str, Box] = {}
    part_of: dict[str, str] = {}
    for name, (layer, given, output) in inside.items():
        before, shape = [made_by[id(tensor)] for tensor in given], shape_in_words(output.shape)
        if type(layer).__name__ in folded and users[before[0]] == 1 and boxes[part_of[before[0]]].after:
            box, part_of[name] = boxes[part_of[before[0]]], part_of[before[0]]
            box.words, box.shape = [*box.words, folded_in_words(layer)], shape
            box.parameters += layer.count_params()
        else:
            after = [part_of[one] for one in before]
            boxes[name] = Box(in_words(layer).split(", "), shape, after, layer.count_params())
            part_of[name] = name
    return boxes


def layers_of(network: keras.layers.Layer) -> list[tuple[str, str, int]]:
    """(what, shape of its output, parameters) of each layer, normalisation and activation with the layer before."""
    if not hasattr(network, "layers"):
        return [(in_words(network), "", network.count_params())]
    return [(", ".join(box.words), box.shape, box.parameters) for box in boxes_of(network).values()]


def network_table(network: keras.layers.Layer) -> list[str]:
    """Its layers as reStructuredText."""
    rows = [[what, shape, f"{count:,}" if count else ""] for what, shape, count in layers_of(network)]
    return table(["layer", "output", "parameters"], rows, kind="layers")


def folded_in_words(layer: keras.layers.Layer) -> str:
    """What a layer adds to the one before: of an activation, its name."""
    kind = type(layer).__name__
    name = layer.get_config()["activation"] if kind == "Activation" else kind
    return WORDS.get(name, name)


def in_words(layer: keras.layers.Layer) -> str:
    """What it is, with the size and stride of its kernel, and its activation."""
    kind = type(layer).__name__
    if kind == "InputLayer":
        return f"input {layer.name}"
    config = layer.get_config()
    if "kernel_size" in config:
        size, stride = config["kernel_size"][0], config["strides"][0]
        kind += f" {size} × {size}" + (f", stride {stride}" if stride > 1 else "")
    activation = config.get("activation")
    return kind + (f", {activation}" if isinstance(activation, str) and activation != "linear" else "")
