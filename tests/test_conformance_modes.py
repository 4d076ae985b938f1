"""A step is the same eagerly, in a graph, by XLA, several at once and on two replicas; half precision works.

Systems that can be conditional are, so that labels are part of what must agree.
"""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import (
    BATCH,
    CLASSES,
    CONDITIONAL,
    LATENT,
    REPRESENTATIVE,
    SHAPE,
    compiled,
    create,
    dataset,
    images,
    quick,
    roles_moved,
    same,
    serialized,
    train,
    values_of,
    weights,
)
from toy import FEATURES, Toy

import keras_ijae as ki
from keras_ijae.distributions import HierarchicalPrior
from keras_ijae.game import ENTRIES
from keras_ijae.models import TrainingError
from keras_ijae.replicas import share_of

X = images(2 * BATCH)  # two steps
STANDING = [name for name in CLASSES if any(ENTRIES[name].system is ENTRIES[one].system for one in REPRESENTATIVE)]
PAIRS = dataset((X, np.arange(2 * BATCH) % 3))
SGD = {"learning_rate": 0.05, "momentum": 0.5}


def made(name, how, **arguments):
    """A compiled system; plain descent, since Adam's first steps amplify rounding."""
    arguments = {**({"classes": 3} if name in CONDITIONAL else {}), **arguments}
    return compiled(name, {"optimizer": keras.optimizers.SGD(**SGD), **how}, **arguments)


def stepped(name, **how):
    """Weights and logs after two steps, and scores of games that stand for others."""
    model = made(name, how)
    history = train(model, PAIRS).history
    scores = model.evaluate(PAIRS, verbose=0, return_dict=True) if name in (*STANDING, "avb") else {}
    found = {**{f"log of {term}": values for term, values in history.items()}, **scores}
    return {**weights(model), **{term: np.float32(values) for term, values in found.items()}}


@functools.cache
def eagerly(name):
    return stepped(name, run_eagerly=True)


HOW = {"in a graph": {"jit_compile": False}, "two at once by XLA": {"jit_compile": True, "steps_per_execution": 2}}
# Two at once by XLA take all that one takes, and that a graph takes.
STEPS = [(name, how) for name in CLASSES for how in HOW if name in STANDING or how == "two at once by XLA"]
OFTEN = [("vae", "two at once by XLA")]


@pytest.mark.parametrize("step", quick(STEPS, OFTEN), ids="-".join)
def test_a_step_is_the_same_however_it_is_run(step):
    name, how = step
    same(eagerly(name), stepped(name, **HOW[how]), 1e-4)


def on(strategy, name, how, **arguments):
    """Weights after two steps under a strategy, or without one."""
    with (strategy or tf.distribute.get_strategy()).scope():
        model = made(name, how, **arguments)
    history = train(model, PAIRS).history
    return {**weights(model), **{f"log of {term}": np.float32(values) for term, values in history.items()}}


# In a graph, and above all with batch statistics that replicas share, a step takes long to trace.
EAGER = {"run_eagerly": True}
GRAPHS = (*STANDING, "hierarchical_vae", "factor_vae")  # a balance of its own; sets of codes of all replicas
SHARED = [(name, "batch", "in a graph" if name in GRAPHS else "eagerly") for name in CLASSES]
SHARED += [("ijae", "group", "eagerly")]
OFTEN_SHARED = [("gan", "batch", "in a graph")]


@pytest.mark.parametrize("case", quick(SHARED, OFTEN_SHARED), ids="-".join)
def test_two_replicas_are_one_with_the_double_batch(two_replicas, case):
    name, norm, how = case
    arguments = {"norm": norm} | ({"r1_weight": 0.5} if name == "ijae" else {})
    if name == "age":  # whose variances of few codes, normalised by few rows, amplify float32's rounding past any bound
        keras.config.set_floatx("float64"), keras.config.set_dtype_policy("float64")
    alone = on(None, name, EAGER, **arguments)
    assert any("moving_variance" in path for path in alone) == (norm == "batch")
    same(alone, on(two_replicas, name, EAGER if how == "eagerly" else {}, **arguments), 1e-4)


# What is apart from the first variant of its class and sees other rows: a learned density, sets of codes, a balance.
VARIED = {
    "AVB, contrast and a learned prior": ("avb", {"contrast_codes": 2, "prior": "mixture", "classes": None}),
    "FactorVAE, fresh batches": ("factor_vae", {"fresh_batches": True}),
    "VAE-GAN, balance": ("vae_gan", {"margin": 0.01}),
    "VAE-GAN, reconstructions as fakes": ("vae_gan", {"fakes": "samples_and_reconstructions"}),
    "RAE, the code's gradient": ("rae", {"regularizer": "gradient_code"}),
    "RAE, spectral": ("rae", {"regularizer": "spectral"}),
    "free bits, hierarchical prior": (
        "vae",
        {"free_bits": 0.1, "prior": serialized(HierarchicalPrior(LATENT, 2, 2, 8, 1)), "classes": None},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", VARIED)
def test_two_replicas_are_one_with_the_double_batch_in_variants_too(two_replicas, case):
    name, arguments = VARIED[case]
    found = [on(strategy, name, EAGER, **arguments) for strategy in (None, two_replicas)]
    same(*found, 1e-4)


def convolutional(how):
    keras.utils.set_random_seed(1)
    model = ki.create("gan", data_shape=(16, 16, 1), latent_dim=LATENT, networks="dcgan", width=4, norm="group")
    model.compile(keras.optimizers.SGD(**SGD), **how)
    return model


@pytest.mark.slow
def test_two_replicas_are_one_with_group_normalisation(two_replicas):
    x = dataset(images(2 * BATCH, (16, 16, 1)))
    alone = convolutional({"run_eagerly": True})
    with two_replicas.scope():
        together = convolutional({})
    train(alone, x), train(together, x)
    same(weights(alone), weights(together), 1e-4)


def test_several_steps_at_once_become_one_under_replicas(two_replicas):
    with two_replicas.scope():
        model = create("gan")
        with pytest.warns(UserWarning, match="steps_per_execution=4 fails under several replicas"):
            model.compile(steps_per_execution=4)
    assert model.steps_per_execution == 1


POLICIES = [(name, policy) for policy in ("mixed_float16", "mixed_bfloat16") for name in CLASSES]
HALF = [(name, "mixed_float16") for name in ("gan", "vae")]


def record_of(model):
    """What the model's losses give from now on: losses, KL and other logs."""
    played, losses = [], model.losses

    def recorded(*arguments):
        played.append(losses(*arguments))
        return played[-1]

    model.losses = recorded
    return played


@pytest.mark.parametrize("case", quick(POLICIES, HALF), ids="-".join)
def test_mixed_precision_trains_saves_and_continues(tmp_path, case):
    name, policy = case
    keras.config.set_dtype_policy(policy)
    model = compiled(name, {"run_eagerly": True})
    scaled = [hasattr(optimizer, "inner_optimizer") for optimizer in model.optimizer.by_move.values()]
    assert scaled == [policy == "mixed_float16"] * len(model.moves)
    played = record_of(model)
    before = values_of(model)
    history = train(model, dataset(images(6 * BATCH))).history
    values = [value for one in played for value in (*one.losses.values(), *one.logs.values(), *one.penalties.values())]
    assert {value.dtype for value in values} == {tf.float32}
    outputs = [output for network in model.networks.values() for output in getattr(network, "outputs", ())]
    assert {output.dtype for output in outputs} == {"float32"}  # codes, parameters, logits, images
    assert all(np.isfinite(values).all() for values in history.values())
    assert roles_moved(model, before) == set(model.networks)
    assert {weight.dtype for weight in model.trainable_variables} == {"float32"}
    assert model.sample(2).dtype == np.float32 and np.isfinite(model.sample(2)).all()
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy("float32")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    same(weights(model), weights(loaded))
    train(model, dataset(X[:BATCH])), train(loaded, dataset(X[:BATCH]))
    same(weights(model), weights(loaded))


@pytest.mark.parametrize("name", quick(CLASSES, ["flex_ae", "wgan_gp"]))
def test_networks_whose_last_layers_are_of_half_precision_train(monkeypatch, name):
    monkeypatch.setattr("keras_ijae.networks.build.head_dtype", lambda: None)  # as Keras has it in one's own networks
    keras.config.set_dtype_policy("mixed_float16")
    model = compiled(name, {"run_eagerly": True})
    outputs = [output for network in model.networks.values() for output in getattr(network, "outputs", ())]
    assert "float16" in {output.dtype for output in outputs}
    assert all(np.isfinite(values).all() for values in train(model, dataset(X[:BATCH])).history.values())
    assert np.isfinite(model.sample(2)).all()
    model.evaluate(X[:BATCH], verbose=0)


def scales(model):
    return [float(optimizer.dynamic_scale.numpy()) for optimizer in model.optimizer.by_move.values()]


def test_loss_scales_are_saved(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    model = compiled("gan", {"run_eagerly": True})
    for optimizer in model.optimizer.by_move.values():
        optimizer.dynamic_scale.assign(64.0), optimizer.step_counter.assign(7)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert scales(loaded) == [64.0, 64.0]
    assert [int(o.step_counter.numpy()) for o in loaded.optimizer.by_move.values()] == [7, 7]


def half_toy(**arguments):
    keras.config.set_dtype_policy("mixed_float16")
    model = Toy(**arguments)
    model.compile()
    return model


@pytest.mark.slow
def test_a_nan_on_one_replica_is_skipped_by_all(two_replicas):
    with two_replicas.scope():
        model = half_toy()
    before, scale = values_of(model), scales(model)
    x = np.ones((4, FEATURES), "float32")
    bad = x.copy()
    bad[2:] = np.nan
    batches = tf.data.Dataset.from_tensor_slices(np.stack([x, bad]))
    with pytest.raises(TrainingError, match="step 2"):
        model.fit(batches, verbose=0)
    after = values_of(model)
    twin = half_toy()
    twin.fit(batches.take(1), verbose=0)
    for role in before:
        for left, right in zip(after[role], values_of(twin)[role], strict=True):
            np.testing.assert_allclose(left, right, atol=1e-4)
    assert scales(model) == [value / 2 for value in scale]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [BATCH + 7, BATCH + 1])
@pytest.mark.parametrize("name", ["vae", "wgan_gp"])
def test_a_last_batch_that_cannot_be_shared_evenly_is_trained_on_and_measured_as_on_one(two_replicas, name, rows):
    """Of seven rows one replica has three, the other four; a single one goes to both."""
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = made(name, EAGER)
        data = tf.data.Dataset.from_tensor_slices((images(rows), np.arange(rows) % 3)).batch(BATCH)
        logs = train(model, data).history | model.evaluate(data, verbose=0, return_dict=True)
        found.append({**weights(model), **{f"log of {term}": np.float32(values) for term, values in logs.items()}})
    same(*found, 1e-4)


@pytest.mark.slow
def test_the_first_epoch_on_two_replicas_is_the_first_pass_over_the_data(two_replicas):
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = compiled("vae", {"optimizer": keras.optimizers.SGD(**SGD)})
        train(model, ki.datasets.load("digits", batch_size=750))
        found.append(weights(model))
    same(*found, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("clip", [{"global_clipnorm": 0.01}, {"clipnorm": 0.02}, {"clipvalue": 0.001}], ids=str)
@pytest.mark.parametrize("scaled", [False, True])
def test_gradients_are_clipped_on_two_replicas_as_on_one(two_replicas, clip, scaled):
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            optimizer = keras.optimizers.SGD(0.1, **clip)
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0) if scaled else optimizer
            model = create("ae")
            before = weights(model)
            model.compile(optimizer, jit_compile=False)
        train(model, images(BATCH), epochs=1)
        found.append(weights(model))
    assert any(np.abs(found[0][name] - before[name]).max() > 1e-5 for name in before)
    same(*found, 1e-6)


def test_batch_statistics_of_one_replica_alone_are_warned_of(two_replicas):
    with two_replicas.scope():
        encoder = keras.Sequential(
            [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.BatchNormalization(name="alone")]
            + [keras.layers.Dense(LATENT)]
        )
        model = create("ae", encoder=encoder)
        with pytest.warns(UserWarning, match="alone of the encoder normalises by the rows of each replica"):
            model.compile()


@pytest.mark.slow
def test_a_first_batch_that_cannot_be_sliced_on_each_of_two_replicas_goes_whole_to_both(two_replicas):
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = create("wgan_gp", critic_steps=5, fresh_batches=True)
            model.compile(run_eagerly=True)
        train(model, images(8), epochs=1, batch_size=8)
        found.append(weights(model))
    same(*found, 1e-4)


def test_a_replica_that_has_all_rows_of_a_batch_that_others_lack_counts_them_once(two_replicas):
    with two_replicas.scope():
        rows = two_replicas.experimental_distribute_values_from_function(
            lambda context: tf.constant(1 - context.replica_id_in_sync_group)
        )
        copies = two_replicas.run(lambda n: share_of(n).copies, args=(rows,))
    assert [float(copy) for copy in two_replicas.experimental_local_results(copies)] == [1, 1]
