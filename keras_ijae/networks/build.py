"""Encoders, decoders and discriminators of any family, checked and built."""

from __future__ import annotations

from types import ModuleType

import keras

from keras_ijae.checks import choice, size, whole
from keras_ijae.networks import dcgan, mlp, resnet
from keras_ijae.networks.blocks import Style, as_channels, head_dtype, inputs_of, join

FAMILIES: dict[str, ModuleType] = {"mlp": mlp, "dcgan": dcgan, "resnet": resnet}
SMALLEST_IMAGE = 8


def resolve(family: str, data_shape: tuple[int, ...]) -> str:
    """The family that "auto" stands for: "mlp" for vectors and for images under 16 pixels, else "dcgan".

    Args:
        family: "auto", "mlp", "dcgan" or "resnet".
        data_shape: `(features,)` or `(height, width, channels)`.

    Raises:
        ValueError: for an unknown family, a shape of another rank, or a convolutional family for vectors or for
            images smaller than 8x8.
    """
    choice("networks", family, ("auto", *FAMILIES))
    if len(data_shape) not in (1, 3) or any(not isinstance(s, int) or s < 1 for s in data_shape):
        raise ValueError(
            "Argument `data_shape` must be (features,) or (height, width, channels), positive integers. "
            f"Received: data_shape={data_shape!r}."
        )
    small = len(data_shape) == 1 or min(data_shape[:2]) < 16
    if family == "auto":
        return "mlp" if small else "dcgan"
    if family != "mlp" and (len(data_shape) == 1 or min(data_shape[:2]) < SMALLEST_IMAGE):
        raise ValueError(
            f"Networks {family!r} need images of at least {SMALLEST_IMAGE}x{SMALLEST_IMAGE} pixels: use 'mlp'. "
            f"Received: data_shape={data_shape!r}."
        )
    return family


def encoder(
    family: str,
    data_shape: tuple[int, ...],
    units: int,
    *,
    noise_dim: int = 0,
    classes: int = 0,
    noise_as: str = "vector",
    width: int | None = None,
    depth: int | None = None,
    norm: str = "group",
    spectral: bool = False,
    hidden_activation: str = "leaky_relu",
    activation: str = "linear",
    dropout: float = 0.0,
    maxout: int = 0,
    kernel_size: int | None = None,
    kernel_stddev: float | None = None,
    name: str = "encoder",
) -> keras.Model:
    """A network from data to `units` real numbers: codes, or the parameters of a posterior.

    Args:
        family: "auto", "mlp", "dcgan" or "resnet".
        data_shape: `(features,)` or `(height, width, channels)`, images from 8x8 (for "mlp" from 1x1).
        units: how many numbers come out.
        noise_dim: if positive, the network takes `[x, noise]` with noise `(batch, noise_dim)`; else x alone.
        classes: if positive, its last input is labels `(batch, classes)`, which join before the first dense layer.
        noise_as: "vector": noise joins before the first dense layer; "channel" (not for mlp): it joins the image, as
            channels where `noise_dim` is a multiple of the number of pixels, else as one channel that is a linear
            function of it.
        width: channels of the first stage (mlp: units of hidden layers); None is the family's default.
        depth: number of dense hidden layers; None is the family's: 2 for mlp, 1 for the others (after their
            convolutions). With 0 an mlp is one affine map.
        norm: "none", "group", "batch" (synchronised between replicas) or "layer". Group normalisation is of
            feature maps; dense layers are left as they are.
        spectral: whether all layers are spectrally normalised.
        hidden_activation: "leaky_relu" (slope 0.2), "relu", "elu", "gelu", "silu", "softplus", "tanh", or "glu", a
            linear function times the sigmoid of another (Dauphin et al. 2017), for mlp and dcgan.
        activation: of the last layer, a Keras activation: "tanh" for codes in (-1, 1).
        dropout: rate of dropout after each hidden activation, in [0, 1); see `keras_ijae.layers.Dropout`.
        maxout: if not 0, hidden units are the largest of this many linear functions (>= 2) and have no other
            activation; for mlp and dcgan.
        kernel_size: of dcgan's strided convolutions, at least 2; None: 4. An mlp has none of them.
        kernel_stddev: standard deviation s of the normal draws N(0, s^2) with which all kernels begin; None: Glorot's
            uniform ones, orthogonal ones where they are spectrally normalised.
        name: the model's name.

    Returns:
        A functional model, `(batch, *data_shape)` to `(batch, units)`, float32.

    Raises:
        ValueError: an argument is out of range, or the family cannot have it.
    """
    whole("units", units), size("noise_dim", noise_dim, 0), choice("noise_as", noise_as, ("vector", "channel"))
    labels = _labels(classes)
    style = Style(norm, spectral, hidden_activation, width, depth, dropout, maxout, kernel_size, kernel_stddev)
    build = _family(family, data_shape, style)
    x = inputs_of(data_shape, "x")
    noise = [inputs_of((noise_dim,), "noise")] if noise_dim else []
    if noise and noise_as == "channel":
        if build is mlp:
            raise ValueError("Argument `noise_as` must be 'vector' for networks 'mlp'. Received: noise_as='channel'")
        h = build.encode(style, join([x, as_channels(style, noise[0], tuple(data_shape[:2]))]), labels)
    else:
        h = build.encode(style, x, [*noise, *labels])
    codes = style.dense(h, units, activation=activation, dtype=head_dtype())
    return _model([x, *noise, *labels], codes, name)


def decoder(
    family: str,
    data_shape: tuple[int, ...],
    latent_dim: int,
    *,
    noise_dim: int = 0,
    classes: int = 0,
    width: int | None = None,
    depth: int | None = None,
    norm: str = "group",
    spectral: bool = False,
    hidden_activation: str = "relu",
    activation: str | None = None,
    dropout: float = 0.0,
    maxout: int = 0,
    kernel_size: int | None = None,
    kernel_stddev: float | None = None,
    name: str = "decoder",
) -> keras.Model:
    """A network from codes to data, or to the parameters of the data's distribution.

    Args:
        family, data_shape, width, norm, spectral, hidden_activation, dropout, maxout, kernel_size,
            kernel_stddev, name: as in `encoder`.
        latent_dim: the size of a code.
        noise_dim: if positive, the network takes `[z, noise]` with noise `(batch, noise_dim)`; else z alone.
        classes: if positive, its last input is labels `(batch, classes)`, which join the code.
        depth: number of dense hidden layers; None is the family's: 2 for mlp, none for the others (before the dense
            layer that gives the first feature map, whose activation is always silu).
        activation: of the last layer; None is "sigmoid" for images (in [0, 1]) and "linear" for vectors. "linear"
            gives raw parameters, e.g. Bernoulli logits.

    Returns:
        A functional model, `(batch, latent_dim)` to `(batch, *data_shape)`, float32.

    Raises:
        ValueError: an argument is out of range, or the family cannot have it.
    """
    size("latent_dim", latent_dim), size("noise_dim", noise_dim, 0)
    style = Style(norm, spectral, hidden_activation, width, depth, dropout, maxout, kernel_size, kernel_stddev)
    build = _family(family, data_shape, style)
    z = inputs_of((latent_dim,), "z")
    noise = [inputs_of((noise_dim,), "noise")] if noise_dim else []
    last = {
        "activation": activation or ("sigmoid" if len(data_shape) == 3 else "linear"),
        "dtype": head_dtype(),
    }
    inputs = [z, *noise, *_labels(classes)]
    return _model(inputs, build.decode(style, join(inputs), tuple(data_shape), last), name)


def discriminator(
    family: str,
    inputs: dict[str, tuple[int, ...]],
    *,
    width: int | None = None,
    depth: int | None = None,
    norm: str = "none",
    spectral: bool = True,
    hidden_activation: str = "leaky_relu",
    dropout: float = 0.0,
    maxout: int = 0,
    kernel_size: int | None = None,
    kernel_stddev: float | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """A network from any number of images and vectors to one logit.

    Images are concatenated on channels and share one trunk; vectors pass an MLP; dense layers fuse the two, so
    that the logit is no sum of functions of each. Without images the network is an MLP whatever the family.

    Args:
        family, width, norm, spectral, hidden_activation, dropout, maxout, kernel_size,
            kernel_stddev, name: as in `encoder`.
        inputs: names and shapes, e.g. `{"x": (28, 28, 1), "z": (16,), "y": (28, 28, 1)}`. All images are of one size.
        depth: number of dense hidden layers, for several inputs >= 1; None is the family's: 2 for mlp, 1 for the
            others (after images and vectors are joined).

    Returns:
        A functional model that takes one tensor, or a list in the order of `inputs`, and gives `(batch, 1)`, float32.

    Raises:
        ValueError: an argument is out of range, or the family cannot have it.
    """
    style = Style(norm, spectral, hidden_activation, width, depth, dropout, maxout, kernel_size, kernel_stddev)
    if not inputs:
        raise ValueError("Argument `inputs` must name at least one input. Received: inputs={}.")
    if depth == 0 and len(inputs) > 1:
        raise ValueError(f"Argument `depth` must be >= 1 for several inputs. Received: depth=0, inputs={inputs}")
    for shape in inputs.values():
        resolve("auto", shape)
    images = {key: shape for key, shape in inputs.items() if len(shape) == 3}
    if len({tuple(shape[:2]) for shape in images.values()}) > 1:
        raise ValueError(f"Argument `inputs` must hold images of one height and width. Received: inputs={inputs}.")
    build = _family(family, next(iter(images.values())), style) if images else mlp
    tensors = {key: inputs_of(shape, key) for key, shape in inputs.items()}
    h = build.discriminate(
        style, [tensors[key] for key in images], [tensors[key] for key in inputs if key not in images]
    )
    return _model(list(tensors.values()), style.dense(h, 1, dtype=head_dtype()), name)


def _labels(classes: int) -> list[keras.KerasTensor]:
    return [inputs_of((size("classes", classes, 0),), "labels")] if classes else []


def _model(inputs: list[keras.KerasTensor], outputs: keras.KerasTensor, name: str) -> keras.Model:
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def _family(family: str, data_shape: tuple[int, ...], style: Style) -> ModuleType:
    found = FAMILIES[resolve(family, data_shape)]
    if found is resnet:
        keep, given = "whose blocks keep the number of channels", f"maxout={style.maxout}"
        if style.maxout:
            raise ValueError(f"Argument `maxout` must be 0 for networks 'resnet', {keep}. Received: {given}")
        if style.pieces > 1:
            given = "hidden_activation='glu'"
            raise ValueError(
                f"Argument `hidden_activation` must not be 'glu' for networks 'resnet', {keep}. Received: {given}"
            )
        if style.kernel_size:
            given = f"kernel_size={style.kernel_size}"
            raise ValueError(f"Argument `kernel_size` must be None for networks 'resnet'. Received: {given}")
    return found
