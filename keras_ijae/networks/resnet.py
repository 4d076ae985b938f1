"""Residual networks in the manner of SNGAN, for images of any size from 8 up.

Encoders and discriminators: a 3x3 stem, then residual blocks that halve the map by average pooling, down to at most 7
pixels a side, and one block at that size. Decoders mirror it with nearest-neighbour upsampling (bilinear upsampling
breaks double backpropagation). Several times the arithmetic of dcgan at the same width.

References:
    Miyato, Kataoka, Koyama, Yoshida (2018), Spectral normalization for generative adversarial networks, appendix B.
"""

from __future__ import annotations

import itertools
from functools import partial

import keras

from keras_ijae.layers.repeat_pixels import RepeatPixels
from keras_ijae.networks import around
from keras_ijae.networks.blocks import Style, crop_to, pyramid, strides_between


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
    return crop_to(RepeatPixels(strides)(h), size)


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
    sizes = pyramid(h.shape[1], h.shape[2], around.SMALLEST)
    h = style.conv(h, width, 3)
    for stage, (large, small) in enumerate(itertools.pairwise(sizes)):
        h = _down(style, h, _channels(width, stage), strides_between(large, small))
    h = _down(style, h, h.shape[-1], (1, 1))
    return keras.layers.Flatten()(style.activate(style.normalise(h)))


def decode(style: Style, latent: keras.KerasTensor, data_shape: tuple[int, ...], last: dict) -> keras.KerasTensor:
    """Images, or the parameters of their distribution, from codes (and noise). `last`: arguments of the last layer."""
    width = style.width or around.WIDTH
    h, sizes = around.first_map(style, latent, data_shape, _channels)
    for stage in range(len(sizes) - 1, 0, -1):
        strides = strides_between(sizes[stage - 1], sizes[stage])
        h = _up(style, h, _channels(width, stage - 1), strides, sizes[stage - 1])
    return style.conv(style.activate(style.normalise(h)), data_shape[2], 3, **last)


encode, discriminate = partial(around.encode, _trunk), partial(around.discriminate, _trunk)
