"""Training that was stopped at any step goes on from its backup, and ends as if it had never been stopped."""

import signal

import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import quick, same, weights

import keras_ijae as ki
from keras_ijae.training import Backup, StopOnSignal

EPOCHS, BATCH = 2, 32
GAME = {"data_shape": (8, 8, 1), "latent_dim": 2, "networks": "mlp", "width": 8}


def loaded(labels=False):
    """Four batches of digits, in another order in each pass."""
    return ki.datasets.load("digits", "train[:130]", batch_size=BATCH, labels=labels)


def made(name, how=None, **arguments):
    keras.utils.set_random_seed(1)
    model = ki.create(name, **GAME, **arguments)
    model.compile(**(how or {"run_eagerly": True}))
    return model


class Stop(keras.callbacks.Callback):
    """Stops the process, as it were, after a step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.steps.numpy()) >= self.step:
            raise KeyboardInterrupt


def fit(model, data, *callbacks, **arguments):
    """The history, as lists by epoch."""
    return model.fit(data, epochs=EPOCHS, verbose=0, callbacks=list(callbacks), **arguments).history


def stopped(model, data, backup, step, **arguments):
    with pytest.raises(KeyboardInterrupt):
        fit(model, data, backup, Stop(step), **arguments)


SYSTEMS = {
    "vae": ({}, {"run_eagerly": False}),
    "wgan": ({"critic_steps": 2, "slow_start": False}, None),
    "mask_aae": ({"critic_steps": 1}, None),
    "ijae": ({"classes": 10}, None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SYSTEMS])
def test_a_run_stopped_within_an_epoch_ends_as_one_never_stopped(name, tmp_path):
    arguments, how = SYSTEMS[name]
    labels = "classes" in arguments
    whole = made(name, how, **arguments)
    history = fit(whole, loaded(labels))
    for step in (3, 6):
        stopped(made(name, how, **arguments), loaded(labels), Backup(tmp_path, every_steps=2), step)
    resumed = made(name, how, **arguments)
    again = fit(resumed, loaded(labels), Backup(tmp_path, every_steps=2))
    assert int(resumed.steps) == 4 * EPOCHS
    same(weights(whole), weights(resumed))
    assert set(again) == set(history)
    for term, values in again.items():  # of the last epoch, in which it was stopped: also of the steps before
        assert values == history[term][-len(values) :] and len(values) == 1, term


@pytest.mark.slow
def test_backups_are_made_every_few_steps_and_epochs_and_the_two_newest_are_kept(tmp_path):
    seen = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(sorted(path.name[:24] for path in tmp_path.iterdir()))
    )
    fit(made("vae"), loaded(), Backup(tmp_path, every=2, every_steps=3), keep)
    assert seen[1:3] == [[], ["epoch-0000-step-00000003"]]
    assert seen[6] == ["epoch-0000-step-00000003", "epoch-0001-step-00000003"]
    assert sorted(path.name[:24] for path in tmp_path.iterdir()) == [
        "epoch-0001-step-00000003",
        "epoch-0002-step-00000000",
    ]


@pytest.mark.slow
def test_several_steps_at_once_are_read_and_dropped_at_once(tmp_path):
    how = {"steps_per_execution": 3}  # of four
    whole = made("vae", how)
    fit(whole, loaded())
    stopped(made("vae", how), loaded(), Backup(tmp_path, every_steps=1), 5)
    names = sorted(path.name[:24] for path in tmp_path.iterdir())
    assert names == ["epoch-0001-step-00000000", "epoch-0001-step-00000003"]
    resumed = made("vae", how)
    fit(resumed, loaded(), Backup(tmp_path))
    same(weights(whole), weights(resumed))


class Signal(keras.callbacks.Callback):
    """Sends this process a signal in a step."""

    def __init__(self, number, step):
        super().__init__()
        self.number, self.step = number, step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.steps.numpy()) == self.step:
            signal.raise_signal(self.number)


@pytest.fixture
def heard():
    """Signals as in a process that ignores none, as those in the background of a script do."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


WITHIN, LAST = (3, "epoch-0000-step-00000003"), (4, "epoch-0001-step-00000000")
STOPS = [(number, *when) for number in (signal.SIGINT, signal.SIGTERM) for when in (WITHIN, LAST)]


@pytest.mark.parametrize("asked", quick(STOPS, [STOPS[0]]))
def test_a_signal_ends_training_after_the_step_with_a_backup(asked, tmp_path, heard):
    number, step, name = asked
    whole, model, backup = made("vae"), made("vae"), Backup(tmp_path, every=EPOCHS)
    fit(whole, loaded())
    handlers = [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)]
    with (
        pytest.raises(KeyboardInterrupt if number == signal.SIGINT else SystemExit) as stopped,
        StopOnSignal(backup) as stop,
    ):
        fit(model, loaded(), backup, Signal(number, step), stop)
    assert number == signal.SIGINT or stopped.value.code == 143
    assert [path.name[:24] for path in tmp_path.iterdir()] == [name] and int(model.steps) == step
    assert [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)] == handlers
    resumed = made("vae")
    fit(resumed, loaded(), Backup(tmp_path))
    same(weights(whole), weights(resumed))


@pytest.mark.slow
def test_a_signal_that_is_ignored_stays_so(tmp_path, heard):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    model, backup = made("vae"), Backup(tmp_path)
    with StopOnSignal(backup) as stop:
        fit(model, loaded(), backup, Signal(signal.SIGINT, 2), stop)
    assert int(model.steps) == 4 * EPOCHS and signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_a_second_signal_stops_at_once(tmp_path, heard):
    backup = Backup(tmp_path)
    with pytest.raises(KeyboardInterrupt), StopOnSignal(backup) as stop:
        signals = [Signal(signal.SIGINT, 2), Signal(signal.SIGINT, 2)]
        fit(made("vae"), loaded(), backup, *signals, stop)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_backup_that_is_asked_for_is_of_that_moment_and_made_once(tmp_path):
    backup = Backup(tmp_path, every_steps=2)
    saved = []

    class Ask(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            backup.save()
            saved.append(max(tmp_path.iterdir()))

        def on_epoch_end(self, epoch, logs=None):
            backup.save()

    fit(made("vae"), loaded(), backup, Ask())
    assert [path.name[:24] for path in saved[:5]] == [
        *(f"epoch-0000-step-{step:08d}" for step in (1, 2, 3, 4)),
        "epoch-0001-step-00000001",
    ]


def truncated(content):
    return content[: len(content) // 2]


def flipped(content):
    return content[:3000] + bytes([content[3000] ^ 1]) + content[3001:]


def emptied(content):
    return b""


@pytest.mark.slow
@pytest.mark.parametrize("damage", [truncated, flipped, emptied])
def test_a_damaged_backup_is_passed_over_for_the_one_before(damage, tmp_path):
    whole = made("vae")
    fit(whole, loaded())
    stopped(made("vae"), loaded(), Backup(tmp_path, every_steps=2), 7)
    old, new = sorted(tmp_path.iterdir())
    new.write_bytes(damage(new.read_bytes()))
    resumed = made("vae")
    with pytest.warns(UserWarning, match=f"{new.name} is damaged, its checksum has changed"):
        fit(resumed, loaded(), Backup(tmp_path))
    same(weights(whole), weights(resumed))
    assert not new.exists()
    for path in tmp_path.iterdir():
        path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="All backups in .* are damaged. Delete them"):
        fit(made("vae"), loaded(), Backup(tmp_path))


def test_a_backup_that_was_being_written_is_no_backup(tmp_path):
    fit(made("vae"), loaded(), Backup(tmp_path))
    for name in ("newest.weights.h5", ".1a2b3c4d.newest.weights.h5", "epoch-0009.weights.h5"):
        (tmp_path / name).write_bytes(b"half")
    assert Backup(tmp_path).epochs == EPOCHS
    fit(made("vae"), loaded(), Backup(tmp_path))
    assert not (tmp_path / ".1a2b3c4d.newest.weights.h5").exists()


X = np.random.default_rng(0).random((4 * BATCH, 8, 8, 1), dtype="float32")


@pytest.mark.slow
def test_arrays_in_their_order_go_on_where_they_were(tmp_path):
    whole = made("vae")
    fit(whole, X, shuffle=False)
    stopped(made("vae"), X, Backup(tmp_path, every_steps=1), 6, shuffle=False)
    resumed = made("vae")
    fit(resumed, X, Backup(tmp_path), shuffle=False)
    same(weights(whole), weights(resumed))


@pytest.mark.slow
@pytest.mark.parametrize(
    "data", [X, tf.data.Dataset.from_tensor_slices(X).shuffle(99, seed=0).batch(BATCH)], ids=["array", "tf.data"]
)
def test_an_order_that_cannot_be_restored_is_said_where_training_goes_on_and_not_before(data, tmp_path):
    stopped(made("vae"), data, Backup(tmp_path), 5)
    with pytest.warns(UserWarning, match="order of its data does not belong to the number of a pass"):
        fit(made("vae"), data, Backup(tmp_path))


@pytest.mark.slow
def test_another_fit_of_a_model_that_went_on_begins_at_its_own_first_epoch(tmp_path):
    fit(made("vae"), loaded(), Backup(tmp_path))
    model = made("vae")
    assert fit(model, loaded(), Backup(tmp_path)) == {}
    assert {len(values) for values in fit(model, loaded()).values()} == {EPOCHS}


@pytest.mark.parametrize("arguments", [{"every": 0}, {"every": 1.5}, {"every_steps": 0}, {"every_steps": True}])
def test_numbers_of_epochs_and_steps_are_whole(arguments, tmp_path):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"`{name}` must be an integer >= 1. Received: {name}={value}"):
        Backup(tmp_path, **arguments)
