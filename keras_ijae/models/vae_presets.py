"""Presets of single names of the VAE: what the papers of their priors and posteriors have, where that is public."""

import keras

from keras_ijae.distributions import TwoStage, VampPrior
from keras_ijae.game import Preset
from keras_ijae.networks import Networks

STATIC_MNIST = 500  # steps of the VampPrior's batches of 100 over the 50,000 binarised images
MNIST = 60_000 // 64  # steps of the two-stage VAE's batches of 64


def _vamp(model):
    return {"auto_encoder": keras.optimizers.Adam(5e-4)}


def _halved(model):
    boundaries = [150 * MNIST, 300 * MNIST]
    rate = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, [1e-4, 5e-5, 2.5e-5])
    return {"auto_encoder": keras.optimizers.Adam(rate)}


def _inverse(model):
    return {"auto_encoder": keras.optimizers.Adamax(2e-3)}


def _sticks(model):
    return {"auto_encoder": keras.optimizers.Adam(3e-4, beta_1=0.95)}


def _vamp_arguments(given):
    return {"prior": VampPrior(given["latent_dim"], components=500), "warm_up_steps": 100 * STATIC_MNIST}


def _two_stage_arguments(given):
    theirs = {"width": 1024, "depth": 3, "epochs": 800, "batch_size": 64, "learning_rate": 1e-4}
    return {"sampling_prior": TwoStage(given["latent_dim"], **theirs)}


def _inverse_arguments(given):
    return {"prior": "normal", "posterior": "iaf", "free_bits": 0.25 * given["latent_dim"], "ema": 0.999}


VAMP = Preset(
    _vamp,
    Networks(family="mlp", width=300, depth=2, norm="none", hidden_activation="glu"),
    _vamp_arguments,
)
TWO_STAGE = Preset(_halved, Networks(norm="batch"), _two_stage_arguments)
IAF = Preset(_inverse, Networks(hidden_activation="elu"), _inverse_arguments)
STICKS = Preset(
    _sticks,
    Networks(family="mlp", width=500, depth=1, norm="none", hidden_activation="relu", kernel_stddev=0.01),
)
UNKNOWN = {"paper": None}
"""Of a name whose paper's numbers are not known here, though those of the VAE's own are."""
