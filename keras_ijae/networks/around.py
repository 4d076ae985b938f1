"""What the families for images share: encoders, discriminators and the start of decoders, around a trunk of their own.

A trunk maps images to the features of their smallest map; the layers around it are dense.
"""

from __future__ import annotations

from collections.abc import Callable

import keras

from keras_ijae.networks.blocks import Style, join, pyramid

WIDTH = 32
DISCRIMINATOR_WIDTH = 24  # discriminators take most of a step's time
SMALLEST = 7
HIDDEN = 4  # units of dense hidden layers, as a multiple of the width
DEPTH = 1  # dense hidden layers of encoders and discriminators; decoders have none
Trunk = Callable[[Style, keras.KerasTensor, int], keras.KerasTensor]
"""Style, images and width -> the flattened smallest map."""


def encode(trunk: Trunk, style: Style, x: keras.KerasTensor, noise: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Features of images and noise; noise joins before the hidden layer. The caller adds the last layer."""
    width = style.width or WIDTH
    return style.hidden(join([trunk(style, x, width), *noise]), HIDDEN * width, DEPTH)


def discriminate(
    trunk: Trunk, style: Style, images: list[keras.KerasTensor], vectors: list[keras.KerasTensor]
) -> keras.KerasTensor:
    """Joint features: a trunk over all images and an MLP over all vectors, fused; the caller adds the logit."""
    width = style.width or DISCRIMINATOR_WIDTH
    features = [trunk(style, join(images), width)]
    if vectors:
        code = style.activate(style.dense(join(vectors), HIDDEN * width * style.pieces))
        features.append(style.activate(style.dense(code, HIDDEN * width * style.pieces)))
    return style.hidden(join(features), HIDDEN * width, DEPTH)


def first_map(
    style: Style, latent: keras.KerasTensor, data_shape: tuple[int, ...], channels: Callable[[int, int], int]
) -> tuple[keras.KerasTensor, list[tuple[int, int]]]:
    """The smallest map of a decoder, from codes (and noise); and the sizes of all maps, the image's first.

    Args:
        style: of the layers.
        latent: codes, and noise behind them.
        data_shape: of the images.
        channels: `channels(width, stage)` -> those of a stage of the family's trunk.
    """
    width = style.width or WIDTH
    sizes = pyramid(*data_shape[:2], SMALLEST)
    filters = channels(width, len(sizes) - 2)
    latent = style.hidden(latent, HIDDEN * width, 0)
    h = style.dense(latent, sizes[-1][0] * sizes[-1][1] * filters, activation="silu")
    return keras.layers.Reshape((*sizes[-1], filters))(h), sizes
