"""Strided convolutions in the manner of DCGAN, for images of any size from 8 up.

Every stage halves the map with a 4x4 convolution and doubles the channels, down to at most 7 pixels a side; decoders
mirror it with 4x4 transposed convolutions, cropped where a size is odd. 4x4 kernels with stride 2 overlap evenly.

References:
    Radford, Metz, Chintala (2016), Unsupervised representation learning with deep convolutional GANs.
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
    return width * min(2**stage, 8)


def _trunk(style: Style, h: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """The flattened smallest map; its first stage is not normalised."""
    sizes = pyramid(h.shape[1], h.shape[2], SMALLEST)
    for stage, (large, small) in enumerate(itertools.pairwise(sizes)):
        h = style.conv(h, _channels(width, stage) * style.pieces, 4, strides=strides_between(large, small))
        h = style.activate(style.normalise(h) if stage else h)
    return keras.layers.Flatten()(h)


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
    for stage in range(top - 1, 0, -1):
        filters = _channels(width, stage - 1) * style.pieces
        h = style.transpose(h, filters, 4, strides_between(sizes[stage], sizes[stage + 1]))
        h = style.activate(style.normalise(crop_to(h, sizes[stage])))
    return crop_to(style.transpose(h, data_shape[2], 4, strides_between(sizes[0], sizes[1]), **last), sizes[0])


def discriminate(style: Style, images: list[keras.KerasTensor], vectors: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Joint features: a trunk over all images and an MLP over all vectors, fused; the caller adds the logit."""
    width = style.width or DISCRIMINATOR_WIDTH
    features = [_trunk(style, join(images), width)]
    if vectors:
        code = style.activate(style.dense(join(vectors), HIDDEN * width * style.pieces))
        features.append(style.activate(style.dense(code, HIDDEN * width * style.pieces)))
    return style.hidden(join(features), HIDDEN * width, DEPTH)
