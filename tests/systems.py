"""The systems under test: one row per name of the registry, and variants; tiny networks, quick to build."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_ijae as ki
from keras_ijae.distributions import IAF, MAF, RealNVP, TwoStage
from keras_ijae.game import ENTRIES

SHAPE, LATENT, BATCH = (8, 8, 1), 2, 8
serialized = keras.saving.serialize_keras_object  # what has weights is made anew for each model

# Arguments beside the defaults, system by system. A new entry of the registry is tested even before it has a row here.
VARIANTS = {
    "gan": [
        {},
        {"objective": "minimax", "prior": "uniform"},
        {"objective": "log_ratio", "discriminator_steps": 2, "ema": None},
    ],
    "vae": [
        {"likelihood": "bernoulli", "posterior": "full"},
        {"likelihood": "learned_gaussian", "warm_up_steps": 10},
        {"likelihood": "laplace", "ema": 0.9},
        {"likelihood": "discretized_logistic", "posterior": "full"},
    ],
    "flow_vae": [
        {"prior": serialized(RealNVP(LATENT, depth=2, width=8))},
        {"prior": serialized(MAF(LATENT, depth=2, width=8)), "free_bits": 0.1, "ema": 0.9},
        {"posterior": serialized(IAF(LATENT, depth=2, width=8, context=3)), "prior": "normal", "free_bits": 0.1},
    ],
    "two_stage_vae": [{"sampling_prior": serialized(TwoStage(LATENT, width=8, depth=1, epochs=1))}],
    "vamp_vae": [{}, {"posterior": "full", "likelihood": "laplace", "ema": 0.9}],
    "stick_vae": [{}],
    "resampled_vae": [{}],
    "iop_vae": [{"discriminator_steps": 2, "candidates": 16}, {"posterior": "planar", "ema": None}],
    "hierarchical_vae": [{"rms_error": 10.0}, {"prior": "normal", "likelihood": "gaussian"}],  # so that all move
    "alpha_gan": [
        {},
        {"objective": "log_ratio", "code_cycle_mean_weight": 1.0, "prior": "sphere"},
        {"encoder_sees_discriminator": True},
    ],
    "ijae": [
        {},
        {"posterior": "deterministic", "likelihood": "laplace"},
        {"posterior": "diagonal", "likelihood": "gaussian"},
        {"posterior": "full", "likelihood": "shift_gaussian"},
        {"r1_weight": 1.0, "discriminator_steps": 2, "spectral": False},
    ],
    "svae": [{}, {"posterior": "deterministic", "likelihood": "deterministic", "prior": "uniform"}],
    "svae_r": [
        {},
        {"posterior": "full", "likelihood": "learned_gaussian", "cycle": "likelihood", "discriminator_steps": 2},
    ],
    "ali": [{}, {"posterior": "implicit", "likelihood": "laplace", "discriminator_steps": 2}],
    "bigan": [{}, {"likelihood": "implicit", "prior": "uniform"}],
    "alice": [{}, {"cycle": "l1", "player_steps": 2}, {"cycle": "adversarial", "cycle_weight": 0.1}],
    "wgan": [
        {"slow_start": False, "critic_steps": 2},
        {"slow_start": False, "critic_steps": 1, "clip": 0.1},
    ],  # so that both move at once
    "wgan_gp": [
        {"critic_steps": 2},
        {"critic_steps": 1, "gradient_penalty": 0.1},
        {"critic_steps": 2, "fresh_batches": True},
    ],
    "aae": [{}, {"prior": "uniform"}],
    "as_vae": [{}, {"posterior": "full", "likelihood": "learned_gaussian", "observation": "draw", "player_steps": 2}],
    "avb": [
        {},
        {"contrast_codes": 2, "likelihood": "learned_gaussian", "prior": "mixture"},
        {"likelihood": "laplace", "discriminator_steps": 2, "ema": None},
    ],
    "vae_gan": [
        {"margin": None},
        {"fakes": "samples_and_reconstructions", "posterior": "full"},
        {"objective": "minimax", "feature_layer": 2, "prior": "mixture", "ema": None, "margin": None},
    ],  # without a balance, so that all move
    "wae_gan": [{}, {"prior": "sphere", "ema": None}],
    "wae_mmd": [{}, {"prior": "uniform", "ema": 0.9}],
    "mask_aae": [
        {"mask_reconstruction_weight": 10.0, "critic_steps": 2},
        {"reconstruction": "squared_error", "critic_steps": 1, "period": 1, "mask_steps": 1, "ema": None},
    ],
    "flex_ae": [{"critic_steps": 2}, {"noise_dim": 5, "critic_steps": 1, "ema": None}],
    "eb_gan": [{"feature_dim": 3}, {"feature_dim": 3, "pulling_away_weight": None, "margin": 1.0, "prior": "uniform"}],
    "age": [{}, {"divergence": "code", "encoder_steps": 2, "decoder_steps": 1}],
    "intro_vae": [{}, {"posterior": "full", "margin": 5.0, "adversarial_weight": 0.5}],
    "flex_ae_sr": [{"critic_steps": 1}, {"critic_steps": 2, "gradient_penalty": 0.5}],
    "rae": [
        {"regularizer": "gradient"},
        {"regularizer": "gradient_code", "regularizer_weight": 0.01},
        {"regularizer": "spectral", "ema": 0.9},
        {"regularizer": None},
    ],
    "info_vae": [{}, {"alpha": 1.0, "lam": 10.0, "likelihood": "learned_gaussian", "posterior": "full"}],
    "factor_vae": [{}, {"fresh_batches": True, "prior": "mixture", "likelihood": "gaussian"}],
    "injflow": [{}, {"prior": "mixture", "reconstruction_weight": 3.0, "ema": 0.9}],
}
SYSTEMS = sorted(ENTRIES)
WITH_ENCODER = [name for name in SYSTEMS if any(role.name == "encoder" for role in ENTRIES[name].system.ROLES)]
# One name per class, for what does not depend on a fixed constant.
CLASSES = sorted({entry.system: name for name, entry in reversed(ENTRIES.items())}.values())
# Fitted or learned: one density for the codes of all labels.
ONE_PRIOR = {"gmm", "mixture", "realnvp", "vamp", "resampled", "two_stage"}
CONDITIONAL = [
    name
    for name in SYSTEMS
    if any(role.takes_labels for role in ENTRIES[name].system.ROLES)
    and not ONE_PRIOR & {ENTRIES[name].fixed.get("prior"), ENTRIES[name].fixed.get("sampling_prior")}
]
# Six games of different shape: one move; moves that share a pass; repeats and a penalty; several judges; sets of codes
# over one pass of several repeats; a learned prior and two critics.
REPRESENTATIVE = ("vae", "gan", "wgan_gp", "ijae", "mask_aae", "flex_ae_sr")


def cases():
    """(name, arguments) of every system and variant."""
    return [(name, arguments) for name in SYSTEMS for arguments in VARIANTS.get(name, [{}])]


def firsts():
    """The case of each class that `make test` runs everywhere."""
    return [(name, VARIANTS.get(name, [{}])[0]) for name in CLASSES]


def quick(values, always):
    """Parameters of a test: all `values`, of which `make test` runs those in `always` and `make test-all` the rest."""
    values = [*always, *(value for value in values if value not in always)]
    return [value if value in always else pytest.param(value, marks=pytest.mark.slow) for value in values]


def label(value):
    """The id of a parameter of a test."""
    return (
        "-".join(f"{key}={item['class_name'] if isinstance(item, dict) else item}" for key, item in value.items())
        or "default"
        if isinstance(value, dict)
        else str(value)
    )


def create(name, shape=SHAPE, **arguments):
    """The system with the first variant's arguments, tiny networks, and always the same initial weights.

    A prior that can be fitted has been.
    """
    keras.utils.set_random_seed(1)
    arguments = {**(VARIANTS.get(name, [{}])[0]), **arguments}
    model = ki.create(name, data_shape=shape, latent_dim=LATENT, networks="mlp", width=8, **arguments)
    if model.awaits_fit:
        model.fit_prior(images(shape=shape))
    return model


def images(rows=4 * BATCH, shape=SHAPE, seed=0):
    """Images in [0, 1]."""
    return np.random.default_rng(seed).random((rows, *shape), dtype="float32")


def dataset(x=None, batch=BATCH):
    """Batches in stored order."""
    return tf.data.Dataset.from_tensor_slices(images() if x is None else x).batch(batch, drop_remainder=True)


def train(model, data=None, epochs=1, **arguments):
    """`fit`, silently, on `data` or on the images of `dataset()`; the history."""
    return model.fit(dataset() if data is None else data, epochs=epochs, verbose=0, shuffle=False, **arguments)


def compiled(name, how=None, **arguments):
    """A new system, compiled with the arguments `how`."""
    model = create(name, **arguments)
    model.compile(**(how or {}))
    return model


def weights(model):
    """path -> array of all that the model keeps: networks, averages, scalars, optimizers; not the logs."""
    found = {f"{index}:{weight.path}": weight for index, weight in enumerate(_kept(model))}
    return {name: keras.ops.convert_to_numpy(weight) for name, weight in found.items()}


def _kept(model):
    logs = {id(variable) for log in model.metrics for variable in log.variables}
    optimizers = model.optimizer.by_move.values() if model.compiled else ()
    own = [*model.variables, *(variable for optimizer in optimizers for variable in optimizer.variables)]
    return [variable for variable in own if id(variable) not in logs]


def same(left, right, tolerance=0.0):
    """Asserts that two dictionaries of arrays agree: bit for bit, or within an absolute and relative tolerance."""
    assert len(left) == len(right)
    for (name, a), b in zip(left.items(), right.values(), strict=True):
        if tolerance and a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


def moved(before, after):
    """Names of the weights that changed."""
    return {name for name, value in before.items() if not np.array_equal(value, after[name])}


def codes_of_samples(model, n, seed):
    """The codes of `model.sample(n, seed)`."""
    return model.endpoints.codes_of_samples(n, seed).numpy()


def values_of(model):
    """role -> the trainable weights of its network, as arrays."""
    return {
        role: [weight.numpy() for weight in network.trainable_variables] for role, network in model.networks.items()
    }


def roles_moved(model, before):
    """The roles whose networks have changed since `before = values_of(model)`."""
    after = values_of(model)
    return {
        role for role in before if any(not np.array_equal(a, b) for a, b in zip(before[role], after[role], strict=True))
    }
