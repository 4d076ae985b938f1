"""Pictures, callbacks, recipes and run directories."""

import csv
import dataclasses
import io
import json
import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from keras_ijae import create, datasets
from keras_ijae.datasets import load as load_dataset
from keras_ijae.datasets.order import mixed
from keras_ijae.files import replacing
from keras_ijae.training import Backup, History, ReconstructionGrid, SampleGrid, grid, interleave, save_grid, trainer
from keras_ijae.training.data import held_out_split, in_order, splits, training_data, validation_data
from keras_ijae.training.progress import Progress
from keras_ijae.training.recipes import RECIPES, Recipe, get_recipe
from keras_ijae.training.runs import RunDirectory, next_free, open_run
from keras_ijae_cli import main


class Painter(keras.Model):
    """Stands for a trained system: samples are one grey, reconstructions the negatives."""

    classes = None

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self(np.zeros((1, 3), np.float32))

    def call(self, inputs):
        return self.dense(inputs)

    def sample(self, count, seed=0, observation="mean"):
        return np.full((count, 8, 8, 1), seed / 10, np.float32)

    def reconstruct(self, images, seed=None):
        return 1 - images


def fit(model, epochs, callbacks):
    """Full-batch momentum descent on a fixed line; nothing random once the model is made."""
    x = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
    y = x @ np.array([[1.0], [2.0], [3.0]], "float32")
    model.fit(x, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return [weight.numpy() for weight in model.variables]


def painter():
    model = Painter()
    for index, weight in enumerate(model.weights):
        weight.assign(np.linspace(-1, 1, weight.shape.num_elements()).reshape(weight.shape) + index)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# Pictures -------------------------------------------------------------------------------------------------


def test_grid_repeats_pixels_row_by_row_with_white_gaps():
    images = np.array([0.0, 0.2, 0.4], np.float32).reshape(3, 1, 1, 1)
    drawn = grid(images, columns=2, scale=2, gap=1)[..., 0]
    expected = [
        [0, 0, 255, 51, 51],
        [0, 0, 255, 51, 51],
        [255, 255, 255, 255, 255],
        [102, 102, 255, 255, 255],
        [102, 102, 255, 255, 255],
    ]
    np.testing.assert_array_equal(drawn, expected)


def test_grid_keeps_the_inside_of_an_image_and_its_colours():
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3)) / 255
    drawn = grid(images, columns=3, scale=1, gap=2)
    assert drawn.shape == (2 * 7 - 2, 3 * 9 - 2, 3)
    np.testing.assert_array_equal(drawn[7:12, 9:16], np.round(images[4] * 255))


def test_small_images_are_enlarged_and_large_ones_are_not():
    assert grid(np.zeros((4, 8, 8, 1))).shape == (114, 114, 1)
    assert grid(np.zeros((1, 218, 178, 3))).shape == (218, 178, 3)


def test_other_channel_counts_are_shown_as_their_mean():
    images = np.stack([np.zeros((1, 2, 2)), np.ones((1, 2, 2))], axis=-1)
    np.testing.assert_array_equal(grid(images, scale=1), np.full((2, 2, 1), 128))


@pytest.mark.parametrize(
    "images", [np.zeros((3, 8, 8)), np.zeros((0, 8, 8, 1)), np.full((1, 8, 8, 1), 2.0), np.full((1, 8, 8, 1), np.nan)]
)
def test_what_is_no_batch_of_images_is_refused(images):
    with pytest.raises(ValueError, match="Argument `images`.*Received"):
        grid(images)


def test_pairs_stand_one_above_the_other():
    first, second = np.arange(5).reshape(5, 1, 1, 1), 10 + np.arange(5).reshape(5, 1, 1, 1)
    rows = [[0, 1], [10, 11], [2, 3], [12, 13], [4, 1], [14, 1]]  # 1 is white, where a pair is missing
    assert interleave(first, second, columns=2).reshape(-1, 2).tolist() == rows
    assert interleave(first, second, columns=8).ravel().tolist() == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]


def test_the_png_holds_the_grid(tmp_path):
    images = np.random.default_rng(1).random((4, 8, 8, 1))
    save_grid(tmp_path / "new" / "picture.png", images)
    decoded = tf.io.decode_png((tmp_path / "new" / "picture.png").read_bytes()).numpy()
    np.testing.assert_array_equal(decoded, grid(images))


def test_a_failed_writing_leaves_what_was_there(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# Callbacks ------------------------------------------------------------------------------------------------


def test_grids_are_drawn_every_few_epochs(tmp_path):
    images = np.zeros((2, 8, 8, 1), np.float32)
    callbacks = [
        SampleGrid(tmp_path, every=2, count=4, seed=3, log_dir=tmp_path / "logs"),
        ReconstructionGrid(images, tmp_path, every=3),
    ]
    fit(painter(), 4, callbacks)
    names = sorted(path.name for path in tmp_path.glob("*.png"))
    reconstructions = ["reconstructions-0003.png", "reconstructions-0004.png"]  # the last epoch has one too
    assert names == [*reconstructions, "samples-0002.png", "samples-0004.png"]
    drawn = tf.io.decode_png((tmp_path / "samples-0004.png").read_bytes()).numpy()
    np.testing.assert_array_equal(drawn[:114], grid(np.full((4, 8, 8, 1), 0.3)))
    assert len(drawn) > 114 and list((tmp_path / "logs").glob("events*"))
    drawn = tf.io.decode_png((tmp_path / "reconstructions-0003.png").read_bytes()).numpy()
    pairs = grid(np.stack([*images, *(1 - images)]), columns=2)
    np.testing.assert_array_equal(drawn[: len(pairs), -pairs.shape[1] :], pairs)


def test_a_run_resumed_from_its_backup_ends_as_one_never_stopped(tmp_path):
    whole = fit(painter(), 7, [])
    fit(painter(), 4, [Backup(tmp_path / "backup", every=3)])
    resumed = fit(painter(), 7, [Backup(tmp_path / "backup", every=3)])
    for left, right in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(left, right)
    assert sorted(path.name[:10] for path in (tmp_path / "backup").iterdir()) == ["epoch-0006", "epoch-0007"]


def test_an_interrupted_run_resumes_at_its_last_backup(tmp_path):
    def stop(epoch, logs):
        if epoch == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(painter(), 9, [Backup(tmp_path, every=2), keras.callbacks.LambdaCallback(on_epoch_end=stop)])
    assert Backup(tmp_path).epochs == 4
    resumed = fit(painter(), 9, [Backup(tmp_path, every=2)])
    for left, right in zip(fit(painter(), 9, []), resumed, strict=True):
        np.testing.assert_array_equal(left, right)


def test_weights_that_are_not_finite_never_replace_a_backup(tmp_path):
    model = painter()
    fit(model, 1, [Backup(tmp_path)])
    model.weights[0].assign(np.full((3, 1), np.nan))
    backup = Backup(tmp_path)
    backup.set_model(model)
    with pytest.raises(RuntimeError, match="kernel is not finite after 2 epochs"):
        backup.on_epoch_end(1)
    assert backup.epochs == 1


def test_history_keeps_earlier_epochs_and_drops_those_trained_again(tmp_path):
    path = tmp_path / "history.csv"
    fit(painter(), 5, [History(path)])
    before = rows_of(path)
    fit(painter(), 6, [StartAt(3), History(path)])
    after = rows_of(path)
    assert [row["epoch"] for row in after] == ["1", "2", "3", "4", "5", "6"]
    assert after[:3] == before[:3]
    assert after[3]["loss"] == before[0]["loss"]


def test_history_leaves_cells_without_a_value_empty(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path)
    history.set_model(painter())
    for epoch, logs in enumerate([{"loss": 2.0}, {"loss": 1.0, "val_loss": 3.0}]):
        history.on_epoch_end(epoch, logs)
    assert path.read_text() == "epoch,loss,val_loss\n1,2,\n2,1,3\n"


class StartAt(keras.callbacks.Callback):
    """Lets `fit` begin as if that many epochs were done."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_train_begin(self, logs=None):
        self.model._initial_epoch = self.epoch


def test_progress_writes_lines_with_times_where_there_is_no_terminal(capsys):
    fit(painter(), 5, [Progress(every=2, title="painter on digits", notes=("watch it",))])
    header, epochs, note, *lines = capsys.readouterr().err.splitlines()
    assert re.match(r"painter on digits: [\d,]+ parameters", header) and note == "watch it"
    assert epochs.endswith("steps an epoch, 5 epochs")
    lines = [line for line in lines if not line.startswith("about ")]
    assert [line.split("  ")[1] for line in lines] == ["epoch 2/5", "epoch 4/5", "epoch 5/5"]
    assert all(re.match(r"\d\d:\d\d:\d\d  epoch ./5  [\d.]+ s.*  loss ", line) for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_progress_is_one_line_that_fits_the_terminal_and_each_epoch_leaves_one(width):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    progress = Progress(console=console)
    progress.set_model(painter())
    progress.set_params({"epochs": 3, "steps": 3})
    logs = {f"{name}_loss": tf.constant(1234.5678) for name in ("encoder", "decoder", "a_discriminator_of_codes", "c")}
    progress.on_train_begin()
    for epoch in range(3):
        progress.on_epoch_begin(epoch)
        for batch in range(3):
            progress.on_train_batch_end(batch, logs)
            progress._bar.refresh()
        progress.on_epoch_end(epoch, {**logs, "val_loss": 0.25})
    progress.on_train_end()
    written = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue()))
    assert max(map(len, written)) <= width
    assert any(re.match(r"epoch 2/3 .*%.* encoder 1.23e\+03", line) for line in written)
    (second,) = [line for line in written if line.startswith("epoch 2/3  ")]
    numbers = second.split("left  ")[1].split("  ")
    assert "encoder 1.23e+03" in numbers and len(numbers) <= 4 and (width < 80 or "val_loss 0.25" in numbers)


class Clock:
    """Stands for the module `time` in `progress`; `now` is set by hand."""

    now = 0.0
    strftime = staticmethod(lambda layout: "12:00:00")

    def monotonic(self):
        return self.now


def timed(monkeypatch, epochs, first_step, step, end, first_end):
    """The progress of a fit of 10 steps an epoch, and all it wrote, by a clock of its own: seconds of each part."""
    clock, console = Clock(), Console(file=io.StringIO(), width=100)
    monkeypatch.setattr("keras_ijae.training.progress.time", clock)
    progress = Progress(console=console)
    progress.set_model(painter())
    progress.set_params({"epochs": epochs, "steps": 10})
    progress.on_train_begin()
    lefts = []
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        for batch in range(10):
            clock.now += step if epoch or batch else first_step
            progress.on_train_batch_end(batch, {"loss": 1.0})
            lefts.append((epoch, batch, progress._left()))
        clock.now += end if epoch else first_end
        progress.on_epoch_end(epoch, {"loss": 1.0, "val_loss": 1.0})
        lefts.append((epoch, 10, progress._left()))
    return lefts, console.file.getvalue()


def test_the_time_that_is_left_leaves_out_what_compiles(monkeypatch):
    lefts, written = timed(monkeypatch, epochs=5, first_step=60, step=1.0, end=2.0, first_end=90)
    of = {(epoch, batch): left for epoch, batch, left in lefts}
    assert [of[0, batch] for batch in range(2)] == [None, None]  # no rate yet
    assert of[0, 2] == pytest.approx(10 * (5 - 0.3)) and of[0, 8] == pytest.approx(10 * (5 - 0.9))
    assert of[0, 10] == pytest.approx(40)
    assert of[1, 10] == pytest.approx(36) and of[3, 10] == pytest.approx(12)  # with the ends of epochs
    assert written.count("to go") == 1 and "about 47 s to go" in written


def test_the_time_that_is_left_is_not_told_of_a_first_epoch_that_was_quick(monkeypatch):
    lefts, written = timed(monkeypatch, epochs=4, first_step=30, step=0.01, end=1.0, first_end=30)
    assert all(left is None for epoch, _, left in lefts if epoch == 0 or (epoch == 1 and _ < 10))
    assert "about 2.2 s to go" in written  # after the second


def test_what_val_loss_is_is_said_before_the_first_one():
    for system, what in (("vae", "negative ELBO in nats"), ("ae", "squared error of reconstructions, summed over dim")):
        model, console = create(system, data_shape=(4,), latent_dim=2, width=2), Console(file=io.StringIO())
        progress = Progress(console=console)
        progress.set_model(model)
        progress.set_params({"epochs": 3, "steps": 1})
        progress.on_train_begin()
        for epoch, logs in enumerate([{"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}, {"loss": 1.0, "val_loss": 2.0}]):
            progress.on_epoch_begin(epoch)
            progress.on_epoch_end(epoch, logs)
        lines = [line for line in console.file.getvalue().splitlines() if not line.startswith("about ")]
        (said,) = [index for index, line in enumerate(lines) if line.startswith(f"val_loss: {what}")]
        assert "epoch 1/3" in lines[said - 1] and "epoch 2/3" in lines[said + 1]


def test_the_line_of_a_mask_tells_how_many_dimensions_are_active():
    losses = dict.fromkeys(("auto_encoder_loss", "code_critic_loss", "encoder_loss", "mask_loss"), 1.0)
    assert Progress()._numbers({**losses, "cross_entropy_mean": 0.5, "val_loss": 2.0, "active_dims": 9.0}, 60) == (
        "auto_encoder 1  val_loss 2  active_dims 9  code_critic 1"
    )


# Recipes and run directories ------------------------------------------------------------------------------


def test_recipes_change_by_name_and_merge_arguments():
    changed = RECIPES["ijae_digits"].but(epochs=3, batch_size=None, arguments={"other": 1})
    assert changed.epochs == 3
    assert changed.batch_size == RECIPES["ijae_digits"].batch_size
    assert changed.arguments == {**RECIPES["ijae_digits"].arguments, "other": 1}


def test_a_change_of_a_field_that_recipes_have_not_is_refused_with_the_closest_known():
    with pytest.raises(ValueError, match="`epoch` is none of a recipe. Did you mean 'epochs'"):
        get_recipe("vae_digits").but(epoch=1)


def test_an_unknown_recipe_is_refused_with_the_closest_known():
    with pytest.raises(ValueError, match="Received: name='ijea_mnist'. Did you mean 'ijae_mnist'"):
        get_recipe("ijea_mnist")


@pytest.mark.parametrize("field", ["latent_dim", "batch_size", "epochs", "every", "steps_per_execution"])
def test_recipes_refuse_numbers_below_one(field):
    with pytest.raises(ValueError, match=f"Argument `{field}`.*Received: {field}=0"):
        Recipe(system="vae", dataset="digits", **{field: 0})


@pytest.mark.parametrize("wrong", [{"learning_rate": -1.0}, {"learning_rate": float("nan")}, {"seed": -1}])
def test_recipes_refuse_rates_and_seeds_that_are_none(wrong):
    ((field, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"Argument `{field}` must be .*Received: {field}={value}"):
        Recipe(system="vae", dataset="digits", **wrong)


def test_config_json_gives_the_recipe_back(tmp_path):
    run = RunDirectory(tmp_path)
    run.write_recipe(RECIPES["ijae_digits"], {"keras": "3"})
    assert run.read_recipe() == RECIPES["ijae_digits"]
    content = json.loads((tmp_path / "config.json").read_text())
    assert content["versions"] == {"keras": "3"}
    assert content["recipe"] == dataclasses.asdict(RECIPES["ijae_digits"])


TINY = Recipe(system="vae", dataset="digits", latent_dim=2, networks="mlp", width=2, data={"size": 8})


def changed(run, **fields):
    """The run, whose config.json has other fields in its recipe."""
    content = json.loads(run.config.read_text()) if run.config.is_file() else {"recipe": dataclasses.asdict(TINY)}
    content["recipe"].update(fields)
    run.config.write_text(json.dumps(content))
    return run


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("epochs", 1e9, "Field `epochs` must be an integer >= 1. Received: epochs=1000000000.0"),
        ("epoch", 3, "Field `epoch` is none of a recipe. Did you mean 'epochs'?"),
        ("networks", "dcgam", "Field `networks` must be one of 'auto', 'mlp', 'dcgan', 'resnet'. Received"),
        ("arguments", {"width": 3}, r"Field `arguments` must be none that recipes have apart. Received: \['width'\]"),
        ("system", None, "Field `system` must be of type str"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_file(tmp_path, field, value, message):
    run = changed(RunDirectory(tmp_path), **{field: value})
    with pytest.raises(ValueError, match=f"{run.config} is not the configuration of a run: {message}"):
        run.read_recipe()


@pytest.mark.parametrize("content", ['{"recipe": [1]}', '{"recipe": {"system": "vae"}}'])
def test_a_recipe_that_is_no_table_or_lacks_a_field_is_refused_with_the_name_of_the_file(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match="config.json is not .*: Field `(recipe` must be a table|dataset` is missing)"):
        RunDirectory(tmp_path).read_recipe()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("system", "vaee", "Field `system`: unknown system 'vaee'. Did you mean 'vae'"),
        ("dataset", "digitz", "Field `dataset` must be .*Did you mean 'digits'"),
        ("data", {"size": -1}, "Field `data.size` must be"),
        ("arguments", {"betta": 1}, r"Field `arguments`: unknown arguments \['betta'\] of VAE. Did you mean 'beta'"),
        ("arguments", {"beta": -1}, "Field `arguments.beta` must be a finite number >= 0. Received: beta=-1"),
        ("classes", 3, "Field `classes` does not fit the labels"),
    ],
)
def test_a_run_that_cannot_go_on_as_its_file_has_it_names_the_file_and_the_field(tmp_path, field, value, message):
    run = changed(RunDirectory(tmp_path), **{field: value})
    before = run.config.read_bytes()
    with pytest.raises(ValueError, match=f"The run of {run.config} cannot go on: {message}"):
        trainer.train(run.read_recipe().but(epochs=30), run)
    with pytest.raises(ValueError) as error:
        trainer.train(dataclasses.replace(run.read_recipe(), seed=1), run)  # as it was given, not as the file has it
    assert "config.json" not in str(error.value)
    assert run.config.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_a_run_directory_is_named_by_text_as_by_a_path(tmp_path):
    run = RunDirectory(str(tmp_path))
    assert run == RunDirectory(tmp_path) == open_run(str(tmp_path)) and run.config == tmp_path / "config.json"
    with pytest.raises(ValueError, match="`path` must be a path. Received: path=3"):
        RunDirectory(3)


def test_what_is_no_recipe_or_no_run_directory_is_refused_by_the_name_of_the_argument(tmp_path):
    recipe, place = RECIPES["vae_digits"], str(tmp_path / "run")
    with pytest.raises(ValueError, match="`run` must be of type RunDirectory. Received: run='.*run'"):
        trainer.train(recipe, place)
    with pytest.raises(ValueError, match="`recipe` must be of type Recipe. Received: recipe='vae_digits'"):
        trainer.train("vae_digits", RunDirectory(place))
    assert not list(tmp_path.iterdir())


def test_a_directory_that_is_not_empty_is_refused_unless_asked(tmp_path):
    run = RunDirectory(tmp_path)
    run.write_recipe(RECIPES["ijae_digits"], {})
    with pytest.raises(ValueError, match="is not empty.*--resume.*--overwrite"):
        open_run(tmp_path)
    assert open_run(tmp_path, resume=True) == run
    assert open_run(tmp_path, overwrite=True) == run
    assert run.config.is_file()
    with pytest.raises(ValueError, match="exclude each other"):
        open_run(tmp_path, resume=True, overwrite=True)


def test_what_cannot_be_fitted_to_the_codes_is_refused_before_training(tmp_path):
    recipe = dataclasses.replace(TINY, system="ae", latent_dim=1, arguments={"sampling_prior": "flow"})
    with pytest.raises(ValueError, match="another than a flow for codes of one dimension"):
        trainer.train(recipe, open_run(tmp_path / "run"))
    assert not list((tmp_path / "run").glob("backup/*"))


def test_only_runs_are_overwritten_or_resumed(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match="not a run directory"):
        open_run(tmp_path, overwrite=True)
    with pytest.raises(ValueError, match="not a run directory"):
        open_run(tmp_path, resume=True)
    for other in ("{}", '{"model_type": "bert", "recipe": {"system": 1}}', "[1", "[]"):
        (tmp_path / "config.json").write_text(other)
        with pytest.raises(ValueError, match="is not a run directory .* not overwritten"):
            open_run(tmp_path, overwrite=True)
        with pytest.raises(ValueError, match="is not a run directory .* not overwritten"):
            trainer.train(TINY, RunDirectory(tmp_path), overwrite=True)
        assert (tmp_path / "thesis.tex").exists()
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="not the configuration of a run"):
        open_run(tmp_path, resume=True)


def test_a_directory_is_made_when_something_is_written(tmp_path):
    run = open_run(tmp_path / "new" / "run")
    assert not list(tmp_path.iterdir())
    run.write_recipe(RECIPES["ijae_digits"], {})
    assert run.config.is_file()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="must be a directory that can be written to.*file is not a directory"):
        open_run(tmp_path / "file" / "run")
    with pytest.raises(ValueError, match="is a file"):
        open_run(tmp_path / "file")


def test_the_next_free_directory_is_numbered(tmp_path):
    assert next_free(tmp_path / "demo") == tmp_path / "demo"
    for name in ("demo", "demo-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    assert next_free(tmp_path / "demo") == tmp_path / "demo-3"


def test_a_directory_has_one_writer_who_is_named(tmp_path):
    run, message = RunDirectory(tmp_path), rf"written by process {os.getpid()} on .*Wait until it has ended"
    with run.writing():
        with pytest.raises(RuntimeError, match=message), RunDirectory(tmp_path).writing():
            pass
        assert not open_run(tmp_path).config.exists()  # a lock is no run
        (tmp_path / ".writer.json").write_text("{")
        with pytest.raises(RuntimeError, match="written by another process"), run.writing():
            pass
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_process_that_was_killed_is_taken_over(tmp_path):
    program = "import filelock, os; filelock.FileLock('.writer.lock').acquire(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path).returncode == -9
    assert (tmp_path / ".writer.lock").exists()
    with RunDirectory(tmp_path).writing():
        pass


def test_a_directory_that_is_cleared_keeps_its_lock(tmp_path):
    run = RunDirectory(tmp_path)
    with run.writing():
        (tmp_path / "grids").mkdir()
        (tmp_path / "config.json").write_text("{}")
        run.clear()
        assert sorted(path.name for path in tmp_path.iterdir()) == [".writer.json", ".writer.lock"]


@pytest.fixture
def eager(monkeypatch):
    """Models that recipes make take their steps eagerly: nothing is compiled."""
    build = trainer.build

    def eager(recipe, data_shape):
        model = build(recipe, data_shape)
        model.compile(run_eagerly=True)
        return model

    monkeypatch.setattr(trainer, "build", eager)


TINY = Recipe(system="vae", dataset="digits", latent_dim=2, networks="mlp", width=2, batch_size=700, epochs=2)
GRIDS = ("samples", "reconstructions")


@pytest.mark.slow
def test_the_last_epoch_is_validated_and_drawn_and_more_epochs_go_on_as_if_it_had_not_been_the_last(tmp_path, eager):
    def trained(run, epochs):
        model = trainer.train(TINY.but(epochs=epochs, every=2), run)
        validated = [int(row["epoch"]) for row in rows_of(run.history) if row["val_loss"]]
        drawn = [sorted(int(path.stem[-4:]) for path in run.path.glob(f"grids/{name}-*")) for name in GRIDS]
        assert drawn == [validated] * 2
        return validated, model.get_weights()

    run = RunDirectory(tmp_path / "run")
    assert trained(run, 1)[0] == [1]
    resumed, weights = trained(run, 3)
    whole, expected = trained(RunDirectory(tmp_path / "whole"), 3)
    assert (resumed, whole) == ([1, 2, 3], [2, 3])
    for left, right in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_a_run_is_not_resumed_for_fewer_epochs_than_it_began_nor_trained_when_it_is_done(tmp_path, eager):
    recipe, run = TINY, open_run(tmp_path / "run")
    trainer.train(recipe, run)
    with pytest.raises(ValueError, match="`epochs` must be at least those that the run .* begun, 2.*Received: 1"):
        trainer.train(recipe.but(epochs=1), run)
    assert run.read_recipe().epochs == 2
    run.path.joinpath("scores.json").write_text("{}")
    before = run.model.read_bytes()
    with pytest.warns(UserWarning, match="backup has all epochs .*, 2 are done: none is trained now"):
        trainer.train(recipe, run)
    assert run.model.read_bytes() == before and (run.path / "scores.json").exists()


@pytest.mark.slow
def test_an_earlier_model_that_is_damaged_is_said_before_training_and_replaced(tmp_path, eager, monkeypatch):
    run, before, fit = open_run(tmp_path / "run"), [], trainer._fit
    trained = trainer.train(TINY, run)
    run.model.write_bytes(run.model.read_bytes()[:999])
    monkeypatch.setattr(trainer, "_fit", lambda *parts: (before.extend(said), fit(*parts)))
    replaced = pytest.warns(UserWarning, match="will be replaced by the model of this training")
    with pytest.warns(UserWarning, match="none is trained now"), replaced as said:
        trainer.train(TINY, run)
    told = [[one for one in of if f"{run.model} will be replaced" in str(one.message)] for of in (before, said)]
    assert [len(of) for of in told] == [1, 1]
    for left, right in zip(trainer.load_model(run.model).get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


# What is trained on and what is held out ------------------------------------------------------------------


class Averager(keras.Model):
    """Stands for a system: learns one image, the mean of the data."""

    has_encoder, data_shape, prior, classes, awaits_fit = False, (4, 4, 1), None, None, False

    def __init__(self):
        super().__init__()
        self.mean = self.add_weight(shape=self.data_shape, initializer="zeros", name="mean")
        self.built = True

    def train_step(self, data):
        self.mean.assign_sub(0.1 * (self.mean - keras.ops.mean(data, 0)))
        return {"loss": keras.ops.mean((data - self.mean) ** 2)}

    def test_step(self, data):
        return {"loss": keras.ops.mean((data - self.mean) ** 2)}

    def sample(self, count, seed=0, observation="mean"):
        return np.zeros((count, *self.data_shape), np.float32)


def numbered(path, *splits):
    """An archive of sixty images by class, image i of grey value i, in splits of these names and sizes."""
    images, labels = np.repeat(np.arange(60, dtype=np.uint8), 16).reshape(60, 4, 4, 1), np.repeat([0, 1], [40, 20])
    arrays, start = {}, 0
    for name, size in splits:
        part = slice(start, start + size)
        arrays, start = arrays | {f"x_{name}": images[part], f"y_{name}": labels[part]}, start + size
    np.savez(path, **arrays)
    return Recipe(system="averager", dataset=f"npz:{path}", batch_size=2, epochs=2)


def numbers(dataset):
    return sorted(np.rint(255 * np.concatenate(list(dataset.as_numpy_iterator()))[:, 0, 0, 0]).astype(int))


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ([("train", 60)], ("train[:90%]", "validation", "validation")),
        ([("train", 40), ("test", 20)], ("train[:90%]", "validation", "test")),
        ([("train", 40), ("valid", 20)], ("train", "validation", "validation")),
        ([("train", 30), ("valid", 10), ("test", 20)], ("train", "validation", "test")),
    ],
)
def test_validation_is_a_split_of_its_own_or_a_tenth_that_is_not_trained_on(tmp_path, given, used):
    recipe = numbered(tmp_path / "a.npz", *given)
    assert splits(recipe) == dict(zip(("train", "validation", "evaluation"), used, strict=True))
    assert held_out_split(recipe) == used[2]
    trained, held = numbers(training_data(recipe)), numbers(validation_data(recipe))
    own = dict(given).get("valid")
    assert len(held) == (own or dict(given)["train"] // 10)
    assert sorted([*trained, *held]) == list(range(dict(given)["train"] + (own or 0)))
    if len(given) == 1:
        assert sum(number < 40 for number in held) == 4  # of 40 and 20 in two classes, stored one after the other


@pytest.mark.parametrize(
    ("given", "split", "used"),
    [
        ([("train", 60)], "train[:20]", ("train[0:18]", "train[18:20]", "train[18:20]")),
        ([("train", 40), ("test", 20)], "train[50%:]", ("train[20:38]", "train[38:40]", "test")),
        ([("train", 40), ("test", 20)], "test", ("test[0:18]", "test[18:20]", "test[18:20]")),
        ([("train", 60)], "validation", ("train[54:59]", "train[59:60]", "train[59:60]")),
        ([("train", 40), ("valid", 20)], "train[:20]", ("train[:20]", "validation", "validation")),
        ([("train", 40), ("valid", 20)], "validation", ("validation[0:18]", "validation[18:20]", "validation[18:20]")),
    ],
)
def test_a_part_of_the_data_is_trained_on_and_nothing_of_it_is_held_out(tmp_path, given, split, used):
    recipe = numbered(tmp_path / "a.npz", *given).but(split=split)
    assert splits(recipe) == dict(zip(("train", "validation", "evaluation"), used, strict=True))
    trained = set(numbers(training_data(recipe.but(batch_size=1))))
    assert len(trained) == (20 if used[0] == split else 5 if split == "validation" and len(given) == 1 else 18)
    assert trained.isdisjoint(numbers(validation_data(recipe))) and trained.isdisjoint(numbers(in_order(recipe)))
    first, second = ([*training_data(recipe).take(1)] for _ in range(2))
    assert training_data(recipe).element_spec.shape[0] == 2  # whole batches, of "test" too
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("trian[:9]", "`split` must be one of 'train'.*Did you mean 'train'"),
        ("train[:1]", "`split` must select at least two examples. Received: split='train\\[:1\\]'"),
        (3, "`split` must be of type str"),
    ],
)
def test_a_part_that_is_none_is_refused(tmp_path, split, message):
    recipe = numbered(tmp_path / "a.npz", ("train", 60))
    with pytest.raises(ValueError, match=message):
        training_data(recipe.but(split=split))


def test_training_never_reads_the_test_split_and_its_directory_says_what_was_read(tmp_path, monkeypatch):
    recipe = numbered(tmp_path / "a.npz", ("train", 40), ("test", 20))
    read = []

    def load(name, split, **arguments):
        read.append(split)
        return load_dataset(name, split, **arguments)

    monkeypatch.setattr(datasets, "load", load)
    monkeypatch.setattr(trainer, "build", lambda recipe, shape: compiled(Averager()))
    monkeypatch.setattr(trainer, "sizes", lambda model: {})  # it is no game, and has none
    monkeypatch.setattr(trainer, "check_names", lambda recipe: None)
    run = open_run(tmp_path / "run")
    trainer.train(recipe, run)
    assert set(read) == {"train[:90%]", "validation"}
    expected = {"train": "train[:90%]", "validation": "validation", "evaluation": "test"}
    assert json.loads(run.config.read_text())["splits"] == expected
    assert all(row["val_loss"] for row in rows_of(tmp_path / "run" / "history.csv"))


def compiled(model):
    model.compile()
    return model


def test_a_data_argument_that_is_none_is_refused_with_those_there_are():
    recipe = Recipe(system="vae", dataset="digits", data={"labels": True})
    for read in (training_data, validation_data, in_order):
        with pytest.raises(ValueError, match=r"'crop'.*'size'.*Received: \['labels'\]"):
            read(recipe)


# Runs that fail -------------------------------------------------------------------------------------------

WRONG = [
    ({"system": "vea"}, "'vae'"),
    ({"dataset": "digitz"}, "'digits'"),
    ({"arguments": {"bata": 2}}, "bata"),
    ({"arguments": {"beta": -1}}, "beta"),
    ({"networks": "dcgam"}, "dcgan"),
    ({"data": {"sise": 8}}, "sise"),
    ({"data": {"crop": "closecrop140"}}, "218x178"),
    ({"batch_size": 5000}, "batch_size"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=[str(wrong) for wrong, _ in WRONG])
def test_a_run_that_cannot_begin_leaves_nothing(tmp_path, wrong, message):
    recipe = Recipe(system="vae", dataset="digits", networks="mlp", width=8)
    with pytest.raises(ValueError, match=message):
        trainer.train(dataclasses.replace(recipe, **wrong), open_run(tmp_path / "some" / "where"))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_whose_first_step_fails_leaves_no_run(tmp_path):
    recipe = Recipe(system="vae", dataset="gmm5", latent_dim=2, batch_size=512, width=8, epochs=1)
    with pytest.raises(ValueError, match="under a Bernoulli likelihood"):
        trainer.train(recipe, open_run(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    trainer.train(recipe.but(arguments={"likelihood": "gaussian"}), open_run(tmp_path / "run"))
    assert (tmp_path / "run" / "model.keras").is_file()


def test_a_run_that_fails_in_its_first_epoch_leaves_no_run(tmp_path):
    def fail(batch, logs):
        raise OSError("gone")

    recipe = Recipe(system="vae", dataset="digits", latent_dim=2, networks="mlp", width=2, batch_size=700, epochs=1)
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(OSError, match="gone"):
        trainer.train(recipe, open_run(tmp_path / "run"), [callback])
    assert not (tmp_path / "run").exists()


def test_a_run_on_a_file_that_is_no_image_leaves_nothing(tmp_path, monkeypatch):
    for i in range(40):
        tf.io.write_file(str(tmp_path / "images" / f"{i:02}.png"), tf.io.encode_png(np.zeros((4, 4, 1), np.uint8)))
    recipe = Recipe(system="vae", dataset=f"folder:{tmp_path / 'images'}", batch_size=2, networks="mlp", width=8)
    (held,) = (str(path) for path in tmp_path.rglob(f"{mixed(40)[-1]:02}.png"))
    open_run_at = open_run(tmp_path / "run")
    tf.io.write_file(held, b"no image")
    with pytest.raises((ValueError, datasets.DataError), match=held):
        trainer.train(recipe, open_run_at)
    assert not open_run_at.path.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["vea", "--dataset", "digits"],
        ["vae", "--dataset", "digitz"],
        ["vae", "--dataset", "digits", "--networks", "mlp", "--set", "bata=2"],
        ["vae", "--dataset", "digits", "--set", "bata"],
        ["vae", "--dataset", "digits", "--data", "size=0"],
        ["vae"],
        ["--recipe", "nothing"],
        ["--resume"],
    ],
)
def test_a_command_that_cannot_begin_leaves_nothing(tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(["train", *arguments, "--out", str(tmp_path / "some" / "where")])
    assert end.value.code == 2 and capsys.readouterr().err.startswith("error: ")
    assert not list(tmp_path.iterdir())


def test_a_failed_command_leaves_an_empty_directory_as_it_was(tmp_path):
    with pytest.raises(SystemExit):
        main(["train", "vea", "--dataset", "digits", "--out", str(tmp_path)])
    assert tmp_path.is_dir() and not list(tmp_path.iterdir())
