"""The systems: one file each, all trained by the game in game.py."""

import importlib

_CLASSES = {
    "GAN": "gan",
    "VAE": "vae",
    "AlphaGAN": "alpha_gan",
    "IJAE": "ijae",
    "SVAE": "svae",
    "ALI": "ali",
    "WGAN": "wgan",
    "WGANGP": "wgan_gp",
    "AE": "ae",
    "AAE": "aae",
    "WAEGAN": "wae_gan",
    "WAEMMD": "wae_mmd",
    "MaskAAE": "mask_aae",
    "FlexAE": "flex_ae",
    "Game": "game",
    "TrainingError": "checks",
}
_CLASSES |= {"Move": "moves", "Phase": "moves", "Played": "moves", "create": "registry", "list_models": "registry"}


def __getattr__(name: str):
    """Classes load when first used: TensorFlow is slow to import."""
    if name not in _CLASSES:
        raise AttributeError(f"module 'keras_ijae.models' has no attribute {name!r}. Known: {', '.join(__dir__())}")
    if name not in ("create", "list_models"):
        importlib.import_module("keras_ijae.models.registry").register()
    return getattr(importlib.import_module(f"keras_ijae.models.{_CLASSES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_CLASSES)
