"""Residual networks in the manner of SNGAN, for images of any size from 8 up.

Encoders and discriminators: a 3x3 stem, then residual blocks that halve the map by average pooling, down to at most 7
pixels a side, and one block at that size. Decoders mirror it with nearest-neighbour upsampling (bilinear upsampling
breaks double backpropagation). Several times the arithmetic of dcgan at the same width.

References:
    Miyato, Kataoka, Koyama, Yoshida (2018), Spectral normalization for generative adversarial networks, appendix B.
"""

from __future__ import annotations

import itertools

import keras

from keras_ijae.networks.blocks import Style, crop_to, join, pyramid, strides_between

WIDTH = 32
DISCRIMINATOR_WIDTH = 24  # discriminators take most of a step's time
SMALLEST = 7
HIDDEN = 4  # units of dense hidden layers, as a multiple of the width
DEPTH = 1  # dense hidden layers of encoders and discriminators; decoders have none


def _channels(width: int, stage: int) -> int:
    return width * min(2**stage, 4)


def _pool(h: keras.KerasTensor, strides: tuple[int, int]) -> keras.KerasTensor:
    return h if strides == (1, 1) else keras.layers.AveragePooling2D(strides, padding="same")(h)


def _down(style: Style, h: keras.KerasTensor, filters: int, strides: tuple[int, int]) -> keras.KerasTensor:
    """A pre-activation block, pooled at its end."""
    shortcut = h if h.shape[-1] == filters else style.conv(h, filters, 1)
    h = style.conv(style.activate(style.normalise(h)), filters, 3)
    h = style.conv(style.activate(style.normalise(h)), filters, 3)
    return _pool(keras.layers.Add()([h, shortcut]), strides)


def _enlarge(h: keras.KerasTensor, strides: tuple[int, int], size: tuple[int, int]) -> keras.KerasTensor:
    return crop_to(keras.layers.UpSampling2D(strides, interpolation="nearest")(h), size)


def _up(
    style: Style, h: keras.KerasTensor, filters: int, strides: tuple[int, int], size: tuple[int, int]
) -> keras.KerasTensor:
    """A pre-activation block that enlarges the map before its first convolution."""
    shortcut = h if h.shape[-1] == filters else style.conv(h, filters, 1)
    h = style.conv(_enlarge(style.activate(style.normalise(h)), strides, size), filters, 3)
    h = style.conv(style.activate(style.normalise(h)), filters, 3)
    return keras.layers.Add()([h, _enlarge(shortcut, strides, size)])


def _trunk(style: Style, h: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """The flattened smallest map."""
    sizes = pyramid(h.shape[1], h.shape[2], SMALLEST)
    h = style.conv(h, width, 3)
    for stage, (large, small) in enumerate(itertools.pairwise(sizes)):
        h = _down(style, h, _channels(width, stage), strides_between(large, small))
    h = _down(style, h, h.shape[-1], (1, 1))
    return keras.layers.Flatten()(style.activate(style.normalise(h)))


def encode(style: Style, x: keras.KerasTensor, noise: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Features of images and noise; noise joins before the hidden layer. The caller adds the last layer."""
    width = style.width or WIDTH
    return style.hidden(join([_trunk(style, x, width), *noise]), HIDDEN * width, DEPTH)


def decode(style: Style, latent: keras.KerasTensor, data_shape: tuple[int, ...], last: dict) -> keras.KerasTensor:
    """Images, or the parameters of their distribution, from codes (and noise). `last`: arguments of the last layer."""
    width = style.width or WIDTH
    sizes = pyramid(*data_shape[:2], SMALLEST)
    top = len(sizes) - 1
    filters = _channels(width, top - 1)
    latent = style.hidden(latent, HIDDEN * width, 0)
    h = style.dense(latent, sizes[top][0] * sizes[top][1] * filters, activation="silu")
    h = keras.layers.Reshape((*sizes[top], filters))(h)
    for stage in range(top, 0, -1):
        strides = strides_between(sizes[stage - 1], sizes[stage])
        h = _up(style, h, _channels(width, stage - 1), strides, sizes[stage - 1])
    return style.conv(style.activate(style.normalise(h)), data_shape[2], 3, **last)


def discriminate(style: Style, images: list[keras.KerasTensor], vectors: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Joint features: a trunk over all images and an MLP over all vectors, fused; the caller adds the logit."""
    width = style.width or DISCRIMINATOR_WIDTH
    features = [_trunk(style, join(images), width)]
    if vectors:
        code = style.activate(style.dense(join(vectors), HIDDEN * width * style.pieces))
        features.append(style.activate(style.dense(code, HIDDEN * width * style.pieces)))
    return style.hidden(join(features), HIDDEN * width, DEPTH)
