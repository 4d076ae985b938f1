"""The default networks of a system: their layers, shapes and parameters."""

import keras

from generator.rst import table

FOLDED = ("LeakyReLU", "ReLU", "Activation", "GroupNorm", "BatchNormalization", "LayerNormalization", "Dropout")
WORDS = {"LeakyReLU": "leaky ReLU", "GroupNorm": "group norm", "BatchNormalization": "batch norm"}


def shape_in_words(shape: tuple[int | None, ...]) -> str:
    """Sizes without that of the batch."""
    return " × ".join(str(size) for size in shape[1:]) or "1"


def layers_of(network: keras.layers.Layer) -> list[tuple[str, str, int]]:
    """(what, shape of its output, parameters) of each layer, normalisation and activation with the layer before."""
    found: list[tuple[str, str, int]] = []
    for layer in getattr(network, "layers", [network]):
        kind, count = type(layer).__name__, layer.count_params()
        if kind in FOLDED and found:
            what, shape, before = found[-1]
            found[-1] = (f"{what}, {folded_in_words(layer)}", shape, before + count)
        else:
            found.append((in_words(layer), _output(layer), count))
    return found


def network_table(network: keras.layers.Layer) -> list[str]:
    """Its layers as reStructuredText."""
    rows = [[what, shape, f"{count:,}" if count else ""] for what, shape, count in layers_of(network)]
    return table(["layer", "output", "parameters"], rows, kind="layers")


def _output(layer):
    built = getattr(layer, "_inbound_nodes", ())
    return shape_in_words(layer.output.shape) if built else ""


def folded_in_words(layer: keras.layers.Layer) -> str:
    """What a layer adds to the one before: of an activation, its name."""
    kind = type(layer).__name__
    return layer.get_config()["activation"] if kind == "Activation" else WORDS.get(kind, kind)


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
