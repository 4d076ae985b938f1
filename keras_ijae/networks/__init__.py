"""Builders of encoders, decoders and discriminators: families mlp, dcgan, resnet."""

from keras_ijae.networks.build import FAMILIES, decoder, discriminator, encoder, resolve

__all__ = ["FAMILIES", "decoder", "discriminator", "encoder", "resolve"]
