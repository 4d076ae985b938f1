"""Trains a recipe into a run directory."""

import contextlib
import warnings
from collections.abc import Sequence

import keras

from keras_ijae.checks import instance, whole
from keras_ijae.datasets.failing import in_words
from keras_ijae.figures import samples_on_data
from keras_ijae.game import create
from keras_ijae.game import data as batches
from keras_ijae.game.loading import load_model
from keras_ijae.game.metadata import sizes
from keras_ijae.game.versions import versions
from keras_ijae.machines import all_alive, is_chief, of_all_machines
from keras_ijae.training.backup import Backup
from keras_ijae.training.callbacks import History, ReconstructionGrid, SampleGrid
from keras_ijae.training.data import (
    class_names,
    data_shape,
    described,
    labelled_rows,
    some_rows,
    splits,
    training_data,
    validation_data,
)
from keras_ijae.training.distribution import distribution
from keras_ijae.training.drawing import FigureCallback, MaskRecorder
from keras_ijae.training.histograms import CodeHistograms
from keras_ijae.training.journal import Journal, heard_warnings
from keras_ijae.training.projector import Projector, most_rows
from keras_ijae.training.recipes import Recipe, check_names
from keras_ijae.training.runs import RunDirectory, check_replaceable
from keras_ijae.training.stopping import StopOnSignal

_SHOWN = 500
"""Of the data that training is validated on, in the projector and behind samples of the plane."""


@in_words("Training")
def train(
    recipe: Recipe,
    run: RunDirectory,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    overwrite: bool = False,
) -> keras.Model:
    """Trains, and leaves in the run directory what is needed to continue, to watch and to use the model.

    A run that was interrupted continues at its last backup; a run that is done, if `recipe.epochs` grew. Ctrl-C and
    SIGTERM end it after the step under way, with a backup (`StopOnSignal`). An earlier `model.keras` that cannot be
    read is warned of first, and replaced in the end.
    Validation, every `recipe.every` epochs and after the last one, uses the set's own "validation" split, or else the
    last tenth of "train" (or of `recipe.split`), which is then not trained on; never "test", unless that is what
    `recipe.split` names. The splits are recorded in `config.json`. Nothing is written before the data have been read
    and the model has been built, and a new run whose first epoch fails takes its `config.json` back. Scores of an
    earlier model in the directory are set aside (`scores.old.json`). Sets the seed of Keras' initial weights, which is
    global.

    On several machines (`recipe.strategy` "multiworker") each calls this with the same arguments. The first one holds
    the directory and writes; the others read from it, so that it must be one that all share.

    Args:
        recipe: what to train.
        run: where to; see `RunDirectory` for its files.
        callbacks: further Keras callbacks.
        overwrite: delete the run that stands there, once the data and the model are known to be good; what is no
            run is not deleted.

    Returns:
        The trained model, also in `run.model`.

    Raises:
        ValueError: `recipe` or `run` is of another type, the recipe names no system, data set or argument that there
            is, its parts do not fit, or it has fewer epochs than the run has begun; `overwrite` of what is no run. Of a
            recipe that was read from the run, its file and field are named.
        RuntimeError: another process writes into the directory, another machine has ended, or the data failed
            (`ki.datasets.DataError`).
    """
    instance("recipe", recipe, Recipe), instance("run", run, RunDirectory)
    if overwrite:
        check_replaceable(run)
    with heard_warnings() as heard:
        strategy = distribution(recipe.strategy)  # before anything else uses TensorFlow
        keras.utils.set_random_seed(recipe.seed)
        with contextlib.nullcontext() if overwrite else run.answering_for(recipe):
            check_names(recipe)
            data, held_out = training_data(recipe), validation_data(recipe)
            with strategy.scope():
                model = build(recipe, data_shape(data))
            if recipe.classes is not None:
                _check_classes(recipe, held_out)
            if model.awaits_fit:
                model.sampling_prior.check_fit()
        with all_alive(strategy), run.writing() if is_chief(strategy) else contextlib.nullcontext():
            _together(model)  # no other machine looks any more at what stood there
            if overwrite and is_chief(strategy):
                run.clear()
            watching = _watching(recipe, run, model)
            _together(model)
            backup = Backup(run.backup, recipe.every, recipe.every_steps)
            _check_epochs(recipe, run, backup)
            _check_replicas(run, model)
            begun = run.config.is_file()
            stands = _earlier(run) is not None  # and is not kept while another one is trained
            _together(model)
            if not is_chief(strategy):
                _fit(recipe, model, data, held_out, backup, [*watching, *callbacks])
                return _finished(run, model, data, stands)
            about = versions(), splits(recipe), strategy.num_replicas_in_sync, sizes(model), class_names(recipe)
            run.write_recipe(recipe, *about)
            try:
                with Journal(run.journal, heard) as journal:
                    _fit(recipe, model, data, held_out, backup, [*watching, journal, *callbacks])
                    finished = _finished(run, model, data, stands)
                    journal.keeps = finished is model  # else it had all its epochs, and was not trained
                    return finished
            except Exception:
                if not begun and run.holds_nothing_trained():
                    run.clear()
                raise


def _together(model):
    """Returns when all machines have called it."""
    of_all_machines(model.distribute_strategy, 0)


def _check_replicas(run, model):
    before, now = run.read_replicas(), model.distribute_strategy.num_replicas_in_sync
    if before not in (0, now):
        warnings.warn(
            f"The run in {run.path} had replicas: {before}, and goes on with {now}. Batches and noise are the same; "
            "numbers agree but for rounding, not bit for bit",
            stacklevel=3,
        )


def _check_epochs(recipe, run, backup):
    begun = backup.epochs_begun
    if begun > recipe.epochs:
        raise ValueError(
            f"Argument `epochs` must be at least those that the run in {run.path} has begun, {begun}; --overwrite "
            f"begins anew. Received: {recipe.epochs}"
        )


def _fit(recipe, model, data, held_out, backup, callbacks):
    with StopOnSignal(backup) as stop:
        model.fit(
            data,
            validation_data=held_out,
            validation_freq=[*range(recipe.every, recipe.epochs, recipe.every), recipe.epochs],
            epochs=recipe.epochs,
            verbose=0,
            shuffle=False,  # the dataset has its own order
            callbacks=[backup, *callbacks, stop],
        )


def _earlier(run):
    """The model that the run has left before; None: none that can be read. Training goes on from the backup."""
    try:
        return load_model(run.model) if run.model.is_file() else None
    except ValueError as error:
        warnings.warn(f"{run.model} will be replaced by the model of this training: {error}", stacklevel=3)
    return None


def _finished(run, model, data, stands):
    """The model, with the density that is fitted to its codes, once it is in `run.model`; `stands`: so is another."""
    earlier = _earlier(run) if stands else None
    if earlier is not None and keras.ops.convert_to_numpy(earlier.steps) == keras.ops.convert_to_numpy(model.steps):
        return earlier  # nothing was trained: the backup has said so
    fitted = earlier or model  # what was fitted if this run was done before, else what it has
    if fitted.awaits_fit:
        model.fit_prior(data, fitted.sampling_prior)
    _together(model)  # all have looked for an earlier one
    if is_chief(model.distribute_strategy):
        model.save(run.model)
        run.set_aside("evaluation.json", "scores.json")
    _together(model)  # none leaves before it is there
    return model


def build(recipe: Recipe, data_shape: tuple[int, ...]) -> keras.Model:
    """The recipe's model for data of that shape, compiled with the system's own optimizers at the recipe's rate."""
    model = create(
        recipe.system,
        data_shape=data_shape,
        latent_dim=recipe.latent_dim,
        networks=recipe.networks,
        width=recipe.width,
        seed=recipe.seed,
        classes=recipe.classes,
        **recipe.arguments,
    )
    model.compile(steps_per_execution=recipe.steps_per_execution)
    if recipe.learning_rate is not None:
        model.optimizer.learning_rate = recipe.learning_rate
    return model


def _check_classes(recipe, held_out):
    there_are = described(recipe.dataset, recipe.data).classes
    if there_are == 1:
        raise ValueError(
            f"Argument `dataset` must have at least two classes. Received: {recipe.dataset!r}, which has one"
        )
    whole("classes", recipe.classes, 2, there_are, f", the number of classes of {recipe.dataset!r}")
    try:
        batches.one_hot(batches.labels_in(next(iter(held_out))), recipe.classes, "float32")
    except ValueError as error:
        misfit = f"does not fit the labels of {recipe.dataset!r}, 0, 1, ..., of which it must be the number"
        raise ValueError(f"Argument `classes` {misfit}. {error}") from error


def _watching(recipe, run, model):
    held_out = lambda count: some_rows(recipe, splits(recipe)["validation"], count)  # noqa: E731
    watching = [History(run.history)]
    if is_chief(model.distribute_strategy):
        watching.append(keras.callbacks.TensorBoard(run.path / "logs", write_graph=False))
    if model.has_encoder:
        watching.append(CodeHistograms(held_out(256), run.path / "logs" / "codes", recipe.every))
    if len(model.data_shape) == 3:
        how = {"directory": run.path / "grids", "every": recipe.every, "log_dir": run.path / "logs" / "pictures"}
        watching.append(SampleGrid(**how))
        if model.has_encoder:
            watching.append(ReconstructionGrid(held_out(32), **how))
    if model.data_shape == (2,):
        watching.append(FigureCallback(_samples_on(held_out(_SHOWN)), run.path / "grids", "samples", recipe.every))
    if model.has_encoder:
        watching += [_projector(recipe, run, model)] if most_rows(model.data_shape) else []
        watching += [MaskRecorder(run.mask)] if model.active_dims is not None else []
    return watching


def _samples_on(data):
    x = batches.unpack(data)
    return lambda model: samples_on_data(model.sample(len(x)), x)


def _projector(recipe, run, model):
    """Of some of the data that training is validated on, with their labels if they have some."""
    count = min(_SHOWN, most_rows(model.data_shape))
    x, labels = labelled_rows(recipe, splits(recipe)["validation"], count)
    data, colours = (x, labels) if model.classes is None else ((x, labels), None)
    return Projector(data, run.path / "logs", colours)
