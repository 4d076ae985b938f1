"""Training that was stopped at any step goes on from its backup, and ends as if it had never been stopped."""

import contextlib
import signal

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from systems import quick, same, weights

import keras_ijae as ki
from keras_ijae.datasets import from_binarized_mnist, from_folder, from_npz
from keras_ijae.datasets.source import Options
from keras_ijae.training import Backup, StopOnSignal
from keras_ijae.training.steering import give_back, remember

EPOCHS, BATCH = 2, 32
GAME = {"data_shape": (8, 8, 1), "latent_dim": 2, "networks": "mlp", "width": 8}


def loaded(labels=False):
    """Four batches of digits, in another order in each pass."""
    return ki.datasets.load("digits", "train[:130]", batch_size=BATCH, labels=labels)


def made(name, how=None, **arguments):
    keras.utils.set_random_seed(1)
    model = ki.create(name, **{**GAME, **arguments})
    model.compile(**(how or {"run_eagerly": True}))
    return model


class Stop(keras.callbacks.Callback):
    """Stops the process, as it were, after a step."""

    place = 2  # after the backup of that step

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


def nothing_is_trained():
    return pytest.warns(UserWarning, match="has all epochs that were asked for, [1-9] are done: none is trained now")


def stopping_has_ended_it(epochs):
    said = f"EarlyStopping ended the training in .* after {epochs} epochs: none is trained now. With more patience"
    return pytest.warns(UserWarning, match=said)


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


# Four batches of eight, in another order in each pass, of what is read from files.


def pictures(place, shape=(8, 8, 1)):
    """Numbered PNG files of 32 images; their pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, *shape), np.uint8)
    for number, image in enumerate(pixels):
        tf.io.write_file(str(place / "images" / f"{number:02}.png"), tf.io.encode_png(image))
    return pixels


def folder(place, patched):
    pictures(place)
    return ki.datasets.load(f"folder:{place / 'images'}", batch_size=8)


def records(place, patched):
    """Two files, whose records go through a buffer of ten."""
    for number, half in enumerate(np.split(pictures(place) / 255, 2)):
        with tf.io.TFRecordWriter(str(place / f"{number}.tfrecord")) as writer:
            for image in half:
                floats = {"image": tf.train.Feature(float_list=tf.train.FloatList(value=image.ravel()))}
                writer.write(tf.train.Example(features=tf.train.Features(feature=floats)).SerializeToString())
    name = f"tfrecord:{place}/*.tfrecord"
    return ki.datasets.load(name, "train[:32]", batch_size=8, data_shape=(8, 8, 1), shuffle_buffer=10)


def dynamic(place, patched):
    """Binarized anew in each pass, of grey images in a file in the place of MNIST's."""
    np.savez(place / "grey.npz", train=pictures(place, (28, 28, 1)))
    grey = from_npz.open_source(str(place / "grey.npz"), Options())
    patched.setattr(from_binarized_mnist.from_tfds, "open_source", lambda name, options: grey)
    return ki.datasets.load("binarized_mnist:dynamic", batch_size=8)


FLOAT16 = "mixed_float16"
CONDITIONS = {  # name -> system, arguments, data
    "folder": ("vae", {}, folder),
    "records": ("vae", {}, records),
    "dynamic": ("vae", {"data_shape": (28, 28, 1), "likelihood": "bernoulli"}, dynamic),
    "float16": ("gan", {}, lambda place, patched: loaded()),
    "replicas": ("vae", {}, lambda place, patched: ki.datasets.load("digits", "train[:66]", batch_size=BATCH)),
    "vamp": ("vamp_vae", {}, lambda place, patched: loaded()),
    "mixture": ("gmm_vae", {}, lambda place, patched: loaded()),
}


@pytest.mark.parametrize("condition", quick(CONDITIONS, ["folder"]))
def test_a_run_that_was_stopped_ends_the_same_under(condition, tmp_path, monkeypatch, two_replicas):
    name, arguments, data = CONDITIONS[condition]
    keras.config.set_dtype_policy(FLOAT16 if condition == "float16" else "float32")
    with two_replicas.scope() if condition == "replicas" else contextlib.nullcontext():
        whole, torn, resumed = (made(name, **arguments) for _ in range(3))
    batches = data(tmp_path, monkeypatch)
    history = fit(whole, batches)
    middle = 3 * int(batches.cardinality()) // EPOCHS
    stopped(torn, data(tmp_path, monkeypatch), Backup(tmp_path, every_steps=1), middle)
    again = fit(resumed, data(tmp_path, monkeypatch), Backup(tmp_path))
    same(weights(whole), weights(resumed))
    for term, values in history.items():  # of replicas, each has another part of the sum than before
        np.testing.assert_allclose(again[term], values[1:], rtol=1e-6 if condition == "replicas" else 0, err_msg=term)


def test_of_an_epoch_that_was_begun_images_are_not_decoded_again(tmp_path, monkeypatch):
    seen, decoder = [], from_folder.file_decoder

    def counting(shape):
        note = lambda path: seen.append(path) or path  # noqa: E731
        return lambda path: decoder(shape)(tf.ensure_shape(tf.numpy_function(note, [path], tf.string), ()))

    monkeypatch.setattr(from_folder, "file_decoder", counting)
    stopped(made("vae"), folder(tmp_path, monkeypatch), Backup(tmp_path, every_steps=1), 6)
    begin = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.clear())
    fit(made("vae"), folder(tmp_path, monkeypatch), Backup(tmp_path), begin)
    assert len(set(seen)) == len(seen) == 16  # of 32


# What steers training by its logs.


SCORES = (3.0, 2.0, 2.5, 2.4, 2.3, 2.2)  # the second is the best


def steered(place, first, *last):
    """The model, the history and the steering callbacks after up to six epochs; the learning rate falls in the 4th."""
    how, best = {"monitor": "score", "mode": "min"}, str(place / "best.weights.h5")
    score = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(score=SCORES[epoch]))
    steering = [
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, **how),
        keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True, **how),
        keras.callbacks.ModelCheckpoint(best, save_best_only=True, save_weights_only=True, **how),
    ]
    backup = Backup(place / "backup", every_steps=3)
    callbacks = [backup, score, *steering] if first else [score, *steering, backup]
    model = made("vae")
    history = model.fit(loaded(), epochs=len(SCORES), verbose=0, callbacks=[*callbacks, *last]).history
    return model, history, steering


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_what_keras_steers_by_goes_on_where_it_was(first, tmp_path):
    (tmp_path / "torn").mkdir()
    whole, history, _ = steered(tmp_path, first)
    for step in (11, 16):  # within the third epoch, which is no best one, and the fourth
        with pytest.raises(KeyboardInterrupt):
            steered(tmp_path / "torn", first, Stop(step))
    best = (tmp_path / "torn" / "best.weights.h5").stat().st_mtime_ns
    resumed, again, (rate, stopping, _) = steered(tmp_path / "torn", first)
    same(weights(whole), weights(resumed))
    assert again == {term: values[3:] for term, values in history.items()} and len(again["score"]) == 2
    (rates,) = (values for term, values in again.items() if term.startswith("learning_rate"))
    assert rates[1] == rates[0] / 2
    assert (rate.best, stopping.best, stopping.best_epoch) == (2.0, 2.0, 1)
    assert (tmp_path / "torn" / "best.weights.h5").stat().st_mtime_ns == best
    with stopping_has_ended_it(5):
        done, nothing, _ = steered(tmp_path / "torn", first)
    same(weights(whole), weights(done))
    assert nothing == {}


def test_what_a_callback_remembers_is_given_back_to_one_that_looks_at_the_same(tmp_path):
    stopping, checkpoint = keras.callbacks.EarlyStopping, keras.callbacks.ModelCheckpoint
    before = [stopping("val_loss"), stopping("val_gen/fid"), stopping("val_gen/fid")]
    for best, callback in enumerate(before):
        callback.on_train_begin()
        callback.best, callback.wait = float(best), best
    with h5py.File(tmp_path / "kept.h5", "w") as file:
        remember(before, file)
        after = [checkpoint("m.keras", "val_loss"), stopping("val_gen/fid"), stopping("loss"), stopping("val_loss")]
        for callback in after:
            callback.on_train_begin()
        fresh = [callback.best for callback in after]
        give_back(after, file)
    assert [callback.best for callback in after] == [fresh[0], 1.0, fresh[2], 0.0] and after[1].wait == 1


@pytest.mark.slow
def test_who_waits_longer_than_a_run_that_stopped_goes_on(tmp_path):
    def epochs(patience):
        score = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(score=SCORES[epoch]))
        stopping = keras.callbacks.EarlyStopping("score", patience=patience, mode="min")
        callbacks = [score, stopping, Backup(tmp_path)]
        return made("vae").fit(loaded(), epochs=6, verbose=0, callbacks=callbacks).history.get("score", [])

    assert len(epochs(2)) == 4
    with stopping_has_ended_it(4):
        assert len(epochs(2)) == 0
    assert len(epochs(4)) == 2


def test_what_others_write_of_an_epoch_is_there_before_its_backup(tmp_path, monkeypatch):
    rows, backup, history = [], Backup(tmp_path / "backup"), ki.training.History(tmp_path / "history.csv")
    write = backup._write
    monkeypatch.setattr(
        backup, "_write", lambda *state: rows.append(history.path.read_text().count("\n")) or write(*state)
    )
    fit(made("vae"), loaded(), backup, history)
    assert rows == [2, 3]  # with the header


@pytest.mark.slow
def test_backups_are_made_every_few_steps_and_epochs_and_the_two_newest_are_kept(tmp_path):
    seen = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(sorted(path.name[:24] for path in tmp_path.iterdir()))
    )
    keep.place = 2
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
        place = 2

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
    with nothing_is_trained():
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


OTHER_ORDERS = {
    "an array, shuffled": (X, {}),
    "an array, epochs within a pass": (X, {"shuffle": False, "batch_size": BATCH, "steps_per_epoch": 2}),
    "tf.data": (tf.data.Dataset.from_tensor_slices(X).shuffle(99, seed=0).batch(BATCH), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("order", OTHER_ORDERS)
def test_an_order_that_cannot_be_restored_is_said_where_training_goes_on_and_not_before(order, tmp_path):
    data, how = OTHER_ORDERS[order]
    stopped(made("vae"), data, Backup(tmp_path), how.get("steps_per_epoch", 4) + 1, **how)
    with pytest.warns(UserWarning, match="order of its data does not belong to the number of a pass"):
        fit(made("vae"), data, Backup(tmp_path), **how)


@pytest.mark.slow
def test_another_fit_of_a_model_that_went_on_begins_at_its_own_first_epoch(tmp_path):
    fit(made("vae"), loaded(), Backup(tmp_path))
    model = made("vae")
    with nothing_is_trained():
        assert fit(model, loaded(), Backup(tmp_path)) == {}
    assert {len(values) for values in fit(model, loaded()).values()} == {EPOCHS}


class Interrupt(keras.callbacks.Callback):
    """As Ctrl-C does, at a moment: "batch begin", "batch end" or "epoch end"."""

    def __init__(self, moment):
        super().__init__()
        self.moment = moment

    def on_train_batch_begin(self, batch, logs=None):
        self._at("batch begin")

    def on_train_batch_end(self, batch, logs=None):
        self._at("batch end")

    def on_epoch_end(self, epoch, logs=None):
        self._at("epoch end")

    def _at(self, moment):
        if moment == self.moment:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["epoch end", "batch begin", "batch end"])
def test_another_fit_after_one_that_went_on_and_was_interrupted_trains_all_its_epochs(moment, tmp_path):
    if moment == "epoch end":
        made("vae").fit(loaded(), epochs=1, verbose=0, callbacks=[Backup(tmp_path)])
    else:
        stopped(made("vae"), loaded(), Backup(tmp_path, every_steps=1), 3)
    model = made("vae")
    with pytest.raises(KeyboardInterrupt):
        fit(model, loaded(), Backup(tmp_path), Interrupt(moment))
    before = int(model.steps)
    assert {len(values) for values in fit(model, loaded()).values()} == {EPOCHS}
    assert int(model.steps) == before + 4 * EPOCHS


@pytest.mark.slow
def test_validation_after_a_fit_that_was_interrupted_is_of_its_own_data():
    model = made("vae")
    with pytest.raises(KeyboardInterrupt):
        fit(model, loaded(), Interrupt("epoch end"), validation_data=np.zeros((4, 8, 8, 1), "float32"))
    history = fit(model, loaded(), validation_data=X[:4])
    assert history["val_loss"][-1] == pytest.approx(model.evaluate(X[:4], verbose=0, return_dict=True)["loss"])


@pytest.mark.parametrize("arguments", [{"every": 0}, {"every": 1.5}, {"every_steps": 0}, {"every_steps": True}])
def test_numbers_of_epochs_and_steps_are_whole(arguments, tmp_path):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"`{name}` must be an integer >= 1. Received: {name}={value}"):
        Backup(tmp_path, **arguments)
