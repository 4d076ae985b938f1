"""Encoders, decoders and discriminators of any family, checked and built."""

from __future__ import annotations

from types import ModuleType

import keras

from keras_ijae.checks import choice, whole
from keras_ijae.networks import dcgan, mlp, resnet
from keras_ijae.networks.blocks import Style, head_dtype, inputs_of, join

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


def _check(width: int | None, noise_dim: int = 0, **sizes: int) -> None:
    for name, value in sizes.items():
        whole(name, value)
    whole("noise_dim", noise_dim, 0)
    if width is not None:
        whole("width", width)


def encoder(
    family: str,
    data_shape: tuple[int, ...],
    units: int,
    *,
    noise_dim: int = 0,
    width: int | None = None,
    norm: str = "group",
    spectral: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """A network from data to `units` real numbers: codes, or the parameters of a posterior.

    Args:
        family: "auto", "mlp", "dcgan" or "resnet".
        data_shape: `(features,)` or `(height, width, channels)`, images from 8x8 (for "mlp" from 1x1).
        units: how many numbers come out.
        noise_dim: if positive, the network takes `[x, noise]` with noise `(batch, noise_dim)`; else x alone.
        width: channels of the first stage (mlp: units of hidden layers); None is the family's default.
        norm: "none", "group", "batch" (synchronised between replicas) or "layer". Group normalisation is of
            feature maps; dense layers are left as they are.
        spectral: whether all layers are spectrally normalised.
        name: the model's name.

    Returns:
        A functional model, `(batch, *data_shape)` to `(batch, units)`, linear, float32.
    """
    _check(width, noise_dim, units=units)
    style = Style(norm, spectral, "leaky_relu")
    x = inputs_of(data_shape, "x")
    noise = [inputs_of((noise_dim,), "noise")] if noise_dim else []
    h = FAMILIES[resolve(family, data_shape)].encode(style, x, noise, width)
    return keras.Model([x, *noise] if noise else x, style.dense(h, units, dtype=head_dtype()), name=name)


def decoder(
    family: str,
    data_shape: tuple[int, ...],
    latent_dim: int,
    *,
    noise_dim: int = 0,
    width: int | None = None,
    norm: str = "group",
    spectral: bool = False,
    activation: str | None = None,
    name: str = "decoder",
) -> keras.Model:
    """A network from codes to data, or to the parameters of the data's distribution.

    Args:
        family, data_shape, width, norm, spectral, name: as in `encoder`.
        latent_dim: the size of a code.
        noise_dim: if positive, the network takes `[z, noise]` with noise `(batch, noise_dim)`; else z alone.
        activation: of the last layer; None is "sigmoid" for images (in [0, 1]) and "linear" for vectors. "linear"
            gives raw parameters, e.g. Bernoulli logits.

    Returns:
        A functional model, `(batch, latent_dim)` to `(batch, *data_shape)`, float32.
    """
    _check(width, noise_dim, latent_dim=latent_dim)
    style = Style(norm, spectral, "relu")
    z = inputs_of((latent_dim,), "z")
    noise = [inputs_of((noise_dim,), "noise")] if noise_dim else []
    last = {
        "activation": activation or ("sigmoid" if len(data_shape) == 3 else "linear"),
        "dtype": head_dtype(),
    }
    x = FAMILIES[resolve(family, data_shape)].decode(style, join([z, *noise]), tuple(data_shape), width, last)
    return keras.Model([z, *noise] if noise else z, x, name=name)


def discriminator(
    family: str,
    inputs: dict[str, tuple[int, ...]],
    *,
    width: int | None = None,
    norm: str = "none",
    spectral: bool = True,
    name: str = "discriminator",
) -> keras.Model:
    """A network from any number of images and vectors to one logit.

    Images are concatenated on channels and share one trunk; vectors pass an MLP; a dense layer fuses the two, so
    that the logit is no sum of functions of each. Without images the network is an MLP whatever the family.

    Args:
        family, width, norm, spectral, name: as in `encoder`.
        inputs: names and shapes, e.g. `{"x": (28, 28, 1), "z": (16,), "y": (28, 28, 1)}`. All images are of one size.

    Returns:
        A functional model that takes one tensor, or a list in the order of `inputs`, and gives `(batch, 1)`, float32.
    """
    _check(width)
    if not inputs:
        raise ValueError("Argument `inputs` must name at least one input. Received: inputs={}.")
    style = Style(norm, spectral, "leaky_relu")
    for shape in inputs.values():
        resolve("auto", shape)
    images = {key: shape for key, shape in inputs.items() if len(shape) == 3}
    if len({tuple(shape[:2]) for shape in images.values()}) > 1:
        raise ValueError(f"Argument `inputs` must hold images of one height and width. Received: inputs={inputs}.")
    chosen = resolve(family, next(iter(images.values()))) if images else "mlp"
    tensors = {key: inputs_of(shape, key) for key, shape in inputs.items()}
    h = FAMILIES[chosen].discriminate(
        style,
        [tensors[key] for key in images],
        [tensors[key] for key in inputs if key not in images],
        width,
    )
    arguments = list(tensors.values())
    logit = style.dense(h, 1, dtype=head_dtype())
    return keras.Model(arguments if len(arguments) > 1 else arguments[0], logit, name=name)
