"""Layers: spectral normalisation as a reparametrisation, cyclic shifts, group normalisation, a mask of codes."""

from keras_ijae.layers.cyclic_shift import CyclicRoll, roll
from keras_ijae.layers.group_norm import GroupNorm
from keras_ijae.layers.mask import LatentMask
from keras_ijae.layers.spectral import SpectralConv2D, SpectralConv2DTranspose, SpectralDense, spectral_layers

__all__ = [
    "CyclicRoll",
    "GroupNorm",
    "LatentMask",
    "SpectralConv2D",
    "SpectralConv2DTranspose",
    "SpectralDense",
    "roll",
    "spectral_layers",
]
