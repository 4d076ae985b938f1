"""Saved, loaded and continued equals never stopped, bit for bit, for every system."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from systems import (
    BATCH,
    CLASSES,
    LATENT,
    REPRESENTATIVE,
    SHAPE,
    SYSTEMS,
    VARIANTS,
    cases,
    compiled,
    create,
    dataset,
    images,
    label,
    quick,
    same,
    train,
    weights,
)

from keras_ijae.game import ENTRIES

EAGER = {"run_eagerly": True}
ONE, TWO = dataset(images(BATCH)), dataset(images(2 * BATCH))


# One of each class, and all of those that have priors, posteriors and likelihoods with weights of many kinds.
OWN = ("prior", "sampling_prior", "posterior")
NAMES = [name for name in SYSTEMS if name in CLASSES or any(part in ENTRIES[name].fixed for part in OWN)]
FIRST = {name: VARIANTS.get(name, [{}])[0] for name in NAMES}
CASES = [case for case in cases() if case[0] in ("vae", "flow_vae", "avb") or case[1] == FIRST.get(case[0])]
FEW = [(name, VARIANTS.get(name, [{}])[0]) for name in ("vae", "wgan_gp", "ijae")]


@pytest.mark.parametrize("case", quick(CASES, FEW), ids=lambda case: f"{case[0]}-{label(case[1])}")
def test_saved_and_loaded_continues_as_if_never_stopped(tmp_path, case):
    name, arguments = case
    model = compiled(name, EAGER, **arguments)
    train(model, ONE)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    same(weights(model), weights(loaded))
    assert [o.get_config() for o in loaded.optimizer.optimizers] == [o.get_config() for o in model.optimizer.optimizers]
    assert loaded.run_eagerly and loaded.seed == model.seed
    train(model, ONE), train(loaded, ONE)
    same(weights(model), weights(loaded))
    if loaded.sampling_prior.weights or name in REPRESENTATIVE:
        np.testing.assert_array_equal(model.sample(3), loaded.sample(3))


ABOVE_ZERO = {"eb_gan": "margin", "intro_vae": "margin", "hierarchical_vae": "rms_error", "info_vae": "lam"}
"""Scalars that cannot be 0."""


@pytest.mark.filterwarnings("ignore:lam=0 takes the encoder out of the game")
@pytest.mark.parametrize("name", quick(CLASSES, ["ijae"]))
def test_scalars_that_came_to_zero_are_saved_so_and_have_their_effect_when_raised(tmp_path, name):
    model, never_zero = compiled(name, EAGER), compiled(name, EAGER)
    values = {key: getattr(model, key, None) for key in model.get_config() if key != ABOVE_ZERO.get(name)}
    values = {key: float(value.numpy()) for key, value in values.items() if isinstance(value, keras.Variable)}
    for key in values:
        getattr(model, key).assign(0.0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert {key: float(getattr(loaded, key).numpy()) for key in values} == dict.fromkeys(values, 0.0)
    for key, value in values.items():
        getattr(loaded, key).assign(value)
    if values:
        train(never_zero, ONE), train(loaded, ONE)
        same(weights(never_zero), weights(loaded))


class Interruption(keras.callbacks.Callback):
    """Stops the process, as it were, in the middle of the third epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.steps.numpy()) == 5:
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", quick(REPRESENTATIVE, []))
def test_backup_and_restore_continues_with_the_same_moments(tmp_path, name):
    how = {} if name == "vae" else EAGER
    backup = lambda: keras.callbacks.BackupAndRestore(tmp_path / "backup")  # noqa: E731
    never_stopped = compiled(name, how)
    train(never_stopped, TWO, epochs=4)
    with pytest.raises(KeyboardInterrupt):
        train(compiled(name, how), TWO, epochs=4, callbacks=[backup(), Interruption()])
    resumed = compiled(name, how)
    train(resumed, TWO, epochs=4, callbacks=[backup()])
    assert int(resumed.steps.numpy()) == 8
    same(weights(never_stopped), weights(resumed))


def test_a_model_checkpoint_is_a_model(tmp_path):
    model = compiled("gan", EAGER)
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="decoder_loss", mode="min", save_best_only=True
    )
    train(model, ONE, callbacks=[best])
    same(weights(model), weights(keras.models.load_model(tmp_path / "best.keras")))


def test_compiling_again_starts_new_optimizers(tmp_path):
    model = compiled("gan", EAGER)
    train(model, TWO)
    model.compile({"decoder": keras.optimizers.SGD(0.1)}, **EAGER)
    train(model, TWO)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    same(weights(model), weights(loaded))
    assert isinstance(loaded.optimizer.by_move["decoder"], keras.optimizers.SGD)


def test_an_uncompiled_model_can_be_saved(tmp_path):
    model = create("vae")
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras").sample(2), model.sample(2))


@pytest.mark.parametrize("frozen", [True, False], ids=["unfrozen on the way", "frozen on the way"])
def test_a_network_that_is_frozen_or_not_on_the_way_is_averaged_saved_and_loaded(tmp_path, frozen):
    encoder = create("ijae").encoder
    encoder.trainable = not frozen
    model = create("ijae", encoder=encoder, ema=0.5)
    assert len(model.averages) == len(model.encoder.weights) + len(model.decoder.weights)
    for trainable in (not frozen, frozen):
        encoder.trainable = trainable
        model.compile(**EAGER)
        before = {id(weight): (weight.numpy(), average.numpy()) for weight, average in model.averages}
        train(model, ONE)
        for weight, average in model.averages[: len(encoder.weights)]:
            of_weight, of_average = before[id(weight)]
            assert np.array_equal(of_weight, weight.numpy()) != trainable
            assert np.array_equal(of_average, average.numpy()) != (trainable or not frozen)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    same(weights(model), weights(loaded))
    np.testing.assert_array_equal(model.encode(images(3)), loaded.encode(images(3)))


@pytest.mark.filterwarnings("ignore:A total of .* objects could not be loaded")
@pytest.mark.filterwarnings("ignore:Skipping nested container")
@pytest.mark.parametrize("other", [{"ema": None}, {"shape": (4, 4, 1)}], ids=label)
def test_averages_that_a_file_of_weights_lacks_begin_at_the_weights(tmp_path, other):
    trained, model = compiled("ijae", EAGER, **other), create("ijae")
    train(trained, dataset(images(BATCH, other.get("shape", SHAPE))))
    trained.save_weights(tmp_path / "other.weights.h5")
    for weight in model.decoder.weights:  # away from its average
        weight.assign(weight + 1.0)
    model.load_weights(tmp_path / "other.weights.h5", skip_mismatch=True)
    for weight, average in model.averages:
        np.testing.assert_array_equal(weight.numpy(), average.numpy())
    if "ema" in other:
        np.testing.assert_array_equal(trained.sample(3), model.sample(3))


LOADER = """
import sys
import keras
import keras_ijae
import numpy as np
for path in sys.argv[1:]:
    np.save(path + ".npy", keras.models.load_model(path).sample(3, seed=5))
"""


@pytest.mark.slow
def test_another_process_loads_with_keras_and_the_package_imported(tmp_path):
    models = {name: compiled(name) for name in REPRESENTATIVE}
    paths = {name: str(tmp_path / f"{name}.keras") for name in models}
    for name, model in models.items():
        model.save(paths[name])
    subprocess.run([sys.executable, "-c", LOADER, *paths.values()], check=True)
    for name, model in models.items():
        found = np.load(paths[name] + ".npy")
        assert found.shape == (3, *SHAPE) and LATENT == model.latent_dim
        np.testing.assert_allclose(found, model.sample(3, seed=5), atol=1e-5, err_msg=name)
