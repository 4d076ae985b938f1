"""Fully connected networks, for vectors and for small images (flattened)."""

from __future__ import annotations

import math

import keras

from keras_ijae.networks.blocks import Style, join

WIDTH = 256
DEPTH = 2


def _flat(tensors: list[keras.KerasTensor]) -> keras.KerasTensor:
    return join([keras.layers.Flatten()(t) if len(t.shape) > 2 else t for t in tensors])


def encode(style: Style, x: keras.KerasTensor, noise: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Features of data and noise; the caller adds the last layer."""
    return style.hidden(_flat([x, *noise]), style.width or WIDTH, DEPTH)


def decode(style: Style, latent: keras.KerasTensor, data_shape: tuple[int, ...], last: dict) -> keras.KerasTensor:
    """Data, or the parameters of its distribution, from codes (and noise). `last`: arguments of the last layer."""
    h = style.dense(style.hidden(latent, style.width or WIDTH, DEPTH), math.prod(data_shape), **last)
    return keras.layers.Reshape(data_shape, dtype=last["dtype"])(h) if len(data_shape) > 1 else h


def discriminate(style: Style, images: list[keras.KerasTensor], vectors: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Joint features of all inputs; the caller adds the logit."""
    return style.hidden(_flat([*images, *vectors]), style.width or WIDTH, DEPTH)
