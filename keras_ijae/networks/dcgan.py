"""Strided convolutions in the manner of DCGAN, for images of any size from 8 up.

Every stage halves the map with a 4x4 convolution and doubles the channels, down to at most 7 pixels a side; decoders
mirror it with 4x4 transposed convolutions, cropped where a size is odd. 4x4 kernels with stride 2 overlap evenly; the
paper's are 5x5 (`kernel_size`).

References:
    Radford, Metz, Chintala (2016), Unsupervised representation learning with deep convolutional GANs.
"""

from __future__ import annotations

import itertools
from functools import partial

import keras

from keras_ijae.networks import around
from keras_ijae.networks.blocks import Style, crop_to, pyramid, strides_between

KERNEL = 4


def _channels(width: int, stage: int) -> int:
    return width * min(2**stage, 8)


def _kernel(style: Style) -> int:
    return style.kernel_size or KERNEL


def _trunk(style: Style, h: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """The flattened smallest map; its first stage is not normalised."""
    sizes = pyramid(h.shape[1], h.shape[2], around.SMALLEST)
    for stage, (large, small) in enumerate(itertools.pairwise(sizes)):
        h = style.conv(h, _channels(width, stage) * style.pieces, _kernel(style), strides=strides_between(large, small))
        h = style.activate(style.normalise(h) if stage else h)
    return keras.layers.Flatten()(h)


def decode(style: Style, latent: keras.KerasTensor, data_shape: tuple[int, ...], last: dict) -> keras.KerasTensor:
    """Images, or the parameters of their distribution, from codes (and noise). `last`: arguments of the last layer."""
    width = style.width or around.WIDTH
    h, sizes = around.first_map(style, latent, data_shape, _channels)
    for stage in range(len(sizes) - 2, 0, -1):
        filters = _channels(width, stage - 1) * style.pieces
        h = style.transpose(h, filters, _kernel(style), strides_between(sizes[stage], sizes[stage + 1]))
        h = style.activate(style.normalise(crop_to(h, sizes[stage])))
    strides = strides_between(sizes[0], sizes[1])
    return crop_to(style.transpose(h, data_shape[2], _kernel(style), strides, **last), sizes[0])


encode, discriminate = partial(around.encode, _trunk), partial(around.discriminate, _trunk)
