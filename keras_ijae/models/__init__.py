"""The systems: one file each, all trained by the game in game.py."""

from keras_ijae.models.aae import AAE
from keras_ijae.models.ae import AE
from keras_ijae.models.ali import ALI
from keras_ijae.models.alpha_gan import AlphaGAN
from keras_ijae.models.checks import TrainingError
from keras_ijae.models.flex_ae import FlexAE
from keras_ijae.models.game import Game
from keras_ijae.models.gan import GAN
from keras_ijae.models.ijae import IJAE
from keras_ijae.models.mask_aae import MaskAAE
from keras_ijae.models.moves import Move, Phase, Played
from keras_ijae.models.registry import create, list_models
from keras_ijae.models.svae import SVAE
from keras_ijae.models.vae import VAE
from keras_ijae.models.wae_gan import WAEGAN
from keras_ijae.models.wae_mmd import WAEMMD
from keras_ijae.models.wgan import WGAN
from keras_ijae.models.wgan_gp import WGANGP

__all__ = [
    "AAE",
    "AE",
    "ALI",
    "AlphaGAN",
    "FlexAE",
    "GAN",
    "Game",
    "IJAE",
    "MaskAAE",
    "Move",
    "Phase",
    "Played",
    "SVAE",
    "TrainingError",
    "VAE",
    "WAEGAN",
    "WAEMMD",
    "WGAN",
    "WGANGP",
    "create",
    "list_models",
]
