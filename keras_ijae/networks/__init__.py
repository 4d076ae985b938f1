"""Builders of encoders, decoders and discriminators: families mlp, dcgan, resnet."""

from keras_ijae.networks.build import FAMILIES, decoder, discriminator, encoder, resolve
from keras_ijae.networks.options import Networks

__all__ = ["FAMILIES", "Networks", "decoder", "discriminator", "encoder", "resolve"]
