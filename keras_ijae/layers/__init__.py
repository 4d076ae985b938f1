"""Layers: spectral and group normalisation, maxout, dropout, upsampling, cyclic shifts, masks, parts of flows."""

from keras_ijae.layers.advancing import Advancing
from keras_ijae.layers.cyclic_shift import CyclicRoll, roll
from keras_ijae.layers.dropout import Dropout
from keras_ijae.layers.group_norm import GroupNorm
from keras_ijae.layers.mask import LatentMask
from keras_ijae.layers.masked_affine import MaskedAffine
from keras_ijae.layers.masked_dense import MaskedDense
from keras_ijae.layers.maxout import Maxout
from keras_ijae.layers.repeat_pixels import RepeatPixels
from keras_ijae.layers.spectral import SpectralConv2D, SpectralConv2DTranspose, SpectralDense, spectral_layers

__all__ = [
    "Advancing",
    "CyclicRoll",
    "Dropout",
    "GroupNorm",
    "LatentMask",
    "MaskedAffine",
    "MaskedDense",
    "Maxout",
    "RepeatPixels",
    "SpectralConv2D",
    "SpectralConv2DTranspose",
    "SpectralDense",
    "roll",
    "spectral_layers",
]
