"""A training step computes what counting by hand predicts: no pass of a network, and no gradient, that nobody reads."""

import collections
import importlib
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from systems import CLASSES

import keras_ijae as ki
from keras_ijae.game import ENTRIES

with pytest.MonkeyPatch.context() as patched:
    patched.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    counting = importlib.import_module("multiplications")

BATCH, FEATURES, LATENT = 101, 7, 3
UNITS = (29, 31, 37, 41, 43)  # of the hidden layer, by role: sizes by which a product is known to be of that network

# Of each network, in batches: forward passes; backward passes to its weights, to its inputs, and to both; passes of a
# critic's penalty, forward, to the inputs, and from there to the weights; and of the forward passes those whose values
# nobody reads: a critic's loss is linear in them, and only the last of its five moves is logged.
JUDGE = (3, 2, 1)  # sees real and fake and moves; then a player looks at its fake
FIRST, SECOND = (1, 1), (1, 0, 0, 1)  # of an auto-encoder: the gradient goes through the second to the first
EXPECTED = {
    "ae": {"encoder": FIRST, "decoder": SECOND},
    "vae": {"encoder": FIRST, "decoder": SECOND},
    "hierarchical_vae": {"encoder": FIRST, "decoder": SECOND},
    "iop_vae": {"encoder": FIRST, "decoder": SECOND, "code_discriminator": (11, 10, 1)},
    "info_vae": {"encoder": FIRST, "decoder": SECOND},
    "factor_vae": {"encoder": FIRST, "decoder": SECOND, "code_discriminator": (2, 2, 1)},  # one look for both moves
    "wae_mmd": {"encoder": FIRST, "decoder": SECOND},
    "wae_gan": {"encoder": FIRST, "decoder": SECOND, "code_discriminator": JUDGE},
    "aae": {"encoder": (2, 2), "decoder": SECOND, "code_discriminator": JUDGE},
    "rae": {"encoder": FIRST, "decoder": SECOND},
    "injflow": {"encoder": FIRST, "decoder": SECOND},  # and in functions, where this test does not look, a direction
    "avb": {"encoder": FIRST, "decoder": SECOND, "posterior_discriminator": (2, 2, 1)},
    # The discriminator's last layer is not asked for of reconstructions, whose gradients begin below it.
    "vae_gan": {"encoder": FIRST, "decoder": (2, 2, 1), "discriminator": (3, 2, 3, 0, 0, 3)},
    "gan": {"decoder": (1, 1), "discriminator": JUDGE},
    "eb_gan": {"decoder": (1, 1), "energy_encoder": (3, 2, 1), "energy_decoder": (3, 0, 1, 2)},
    # G sees codes of data and samples for the encoder, which moves through it, then two batches of samples to move.
    "age": {"encoder": (4, 2, 2), "decoder": (4, 2, 1)},
    "intro_vae": {"encoder": (5, 3, 2), "decoder": (2, 2, 1)},
    "alpha_gan": {
        "encoder": FIRST,
        "decoder": (2, 2, 1),  # its own loss and the encoder's differ
        "discriminator": (5, 3, 2),
        "code_discriminator": JUDGE,
    },
    "ijae": {
        "encoder": FIRST,
        "decoder": (2, 1, 0, 1),
        "discriminator": JUDGE,
        "likelihood_discriminator": JUDGE,
        "posterior_discriminator": JUDGE,
    },
    "svae": {"encoder": (1, 1), "decoder": (1, 1), "joint_discriminator": (4, 2, 2)},
    "svae_r": {"encoder": (2, 1, 0, 1), "decoder": (2, 1, 0, 1), "joint_discriminator": (4, 2, 2)},
    "as_vae": {
        "encoder": (2, 1, 0, 1),
        "decoder": (2, 1, 0, 1),
        "joint_discriminator": (4, 2, 2),
        "posterior_discriminator": (4, 2, 2),
    },
    "ali": {"encoder": (1, 1), "decoder": (1, 1), "joint_discriminator": (2, 2, 2)},
    "alice": {"encoder": (2, 1, 0, 1), "decoder": (2, 1, 0, 1), "joint_discriminator": (2, 2, 2)},
    "wgan": {"decoder": (6, 1), "critic": (11, 10, 1, 0, 0, 8)},
    "wgan_gp": {"decoder": (6, 1), "critic": (11, 10, 1, 0, 5, 8)},
    "mask_aae": {"encoder": (3, 2), "decoder": (2, 0, 1, 1), "code_critic": (13, 10, 3, 0, 5, 8)},
    # Its players run the generator again on the critics' last noise; so does the decoder of the smooth one.
    "flex_ae": {"encoder": (2, 2), "decoder": SECOND, "prior_generator": (6, 1), "code_critic": (12, 10, 2, 0, 5, 8)},
    "flex_ae_sr": {
        "encoder": (2, 3),
        "decoder": (7, 0, 0, 2),
        "prior_generator": (6, 1),
        "code_critic": (12, 10, 2, 0, 5, 8),
        "critic": (11, 10, 1, 0, 5, 8),
    },
}
FIVE = {"critic_steps": 5}
ARGUMENTS = {"wgan": {"slow_start": False}, "flex_ae": FIVE, "flex_ae_sr": FIVE}


def small(like: keras.Model, units: int) -> keras.Model:
    """A network with one hidden layer, from and to the shapes of another."""
    inputs = [keras.Input(tensor.shape[1:]) for tensor in like.inputs]
    joined = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    hidden = keras.layers.Dense(units, "softplus")(joined)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], keras.layers.Dense(like.output_shape[-1])(hidden))


def create(name: str, **arguments) -> ki.models.Game:
    """The system, each of its networks with hidden units of its own number; compiled."""
    sizes = {"data_shape": (FEATURES,), "latent_dim": LATENT}
    built = ki.create(name, **sizes, networks="mlp", width=4, **arguments).networks
    networks = {role: network for role, network in built.items() if isinstance(network, keras.Model)}
    networks = {role: small(like, units) for (role, like), units in zip(networks.items(), UNITS, strict=False)}
    model = ki.create(name, **sizes, **networks, **arguments)
    model.compile(jit_compile=False)
    return model


def multiplications(model: ki.models.Game) -> dict[str, int]:
    """role -> multiplications of a step in products with that network's hidden units; of what TensorFlow would run.

    Branches of conditionals are left out.
    """
    graph = tf.function(model.train_step).get_concrete_function(tf.TensorSpec((BATCH, FEATURES))).graph
    roles, found = dict(zip(UNITS, model.networks, strict=False)), collections.Counter()
    for op in (op for op in counting.needed(graph) if op.type == "MatMul"):
        left, right = op.inputs
        for units in {*left.shape, *right.shape} & set(roles):  # none in products of codes with codes
            found[roles[units]] += counting.of(op)
    return dict(found)


def predicted(network: keras.Model, forward=0, weights=0, inputs=0, both=0, penalties=0, unread=0) -> int:
    """Multiplications of so many passes of a batch through a network with one hidden layer."""
    hidden = network.layers[-2].units
    a, b = network.layers[-2].kernel.shape[0], network.layers[-1].units
    each = forward * (a + b) + weights * (a + 2 * b) + inputs * (a + b) + both * 2 * (a + b)
    return BATCH * hidden * (each + penalties * (5 * a + 2 * b) - unread * b)


def test_no_class_of_the_registry_is_left_out():
    assert {ENTRIES[name].system for name in EXPECTED} == {ENTRIES[name].system for name in CLASSES}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_a_step_multiplies_what_counting_predicts(name):
    model = create(name, **ARGUMENTS.get(name, {}))
    expected = {role: predicted(getattr(model, role), *passes) for role, passes in EXPECTED[name].items()}
    assert multiplications(model) == expected


@pytest.mark.slow
def test_nothing_of_a_player_is_computed_behind_a_shut_gate():
    model = create("wgan", slow_start=True)
    expected = {"critic": predicted(model.critic, 10, 10, unread=8), "decoder": predicted(model.decoder, 5)}
    assert multiplications(model) == expected
