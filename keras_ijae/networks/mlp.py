"""Fully connected networks, for vectors and for small images (flattened)."""

from __future__ import annotations

import math

import keras

from keras_ijae.networks.blocks import Style, join

WIDTH = 256


def _hidden(style: Style, h: keras.KerasTensor, width: int, layers: int = 2) -> keras.KerasTensor:
    """Hidden layers; the first is not normalised, since that would erase the scale of its few inputs."""
    h = style.activate(style.dense(h, width))
    for _ in range(layers - 1):
        h = style.activate(style.normalise(style.dense(h, width)))
    return h


def _flat(tensors: list[keras.KerasTensor]) -> keras.KerasTensor:
    return join([keras.layers.Flatten()(t) if len(t.shape) > 2 else t for t in tensors])


def encode(style: Style, x: keras.KerasTensor, noise: list[keras.KerasTensor], width: int | None) -> keras.KerasTensor:
    """Features of data and noise; the caller adds the last layer."""
    return _hidden(style, _flat([x, *noise]), width or WIDTH)


def decode(
    style: Style, latent: keras.KerasTensor, data_shape: tuple[int, ...], width: int | None, last: dict
) -> keras.KerasTensor:
    """Data, or the parameters of its distribution, from codes (and noise). `last`: arguments of the last layer."""
    h = style.dense(_hidden(style, latent, width or WIDTH), math.prod(data_shape), **last)
    return keras.layers.Reshape(data_shape, dtype=last["dtype"])(h) if len(data_shape) > 1 else h


def discriminate(
    style: Style, images: list[keras.KerasTensor], vectors: list[keras.KerasTensor], width: int | None
) -> keras.KerasTensor:
    """Joint features of all inputs; the caller adds the logit."""
    return _hidden(style, _flat([*images, *vectors]), width or WIDTH)
