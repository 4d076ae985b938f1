"""What is called on a game as on every Keras model: compile, fit, evaluate, predict, save."""

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.datasets.failing import in_words
from keras_ijae.datasets.pipeline import name_of
from keras_ijae.files import replacing
from keras_ijae.game import compiling, data, optimizers, step
from keras_ijae.game.config import given
from keras_ijae.game.data import Batch
from keras_ijae.game.entries import preset_of
from keras_ijae.game.first_look import (
    check_shuffled_alike,
    first_look,
    look_at_batch,
    look_at_fit,
)
from keras_ijae.game.logs import Logs
from keras_ijae.game.model import GenerativeModel
from keras_ijae.game.moves import Phase
from keras_ijae.game.presets import Preset
from keras_ijae.game.told import tell
from keras_ijae.game.watch import watched
from keras_ijae.keras_internals import (
    BuiltBeforehand,
    are_arrays,
    check_compiled,
    forget_interrupted,
    in_batches,
    in_one_operation,
    is_validation_of_fit,
    split_off,
)
from keras_ijae.machines import all_alive, several_machines
from keras_ijae.replicas import ByRows


class CalledByUsers(BuiltBeforehand, GenerativeModel):
    """The methods of `keras.Model`, with arguments and data checked before anything runs.

    What is played is for `Game` to say: it has these attributes and methods, which are explained there.
    """

    PRESETS: dict[str, Preset]
    preset: str | None
    phases: tuple[Phase, ...]
    networks: dict[str, keras.Model]
    weights_of: Callable[[str], list[keras.Variable]]
    default_optimizers: Callable[[], dict[str, keras.optimizers.Optimizer]]
    batch_of: Callable[[Any], Batch]
    _layers_of_networks: Callable[[], list[keras.layers.Layer]]
    _train_logs: Logs
    _test_logs: Logs

    def compile(
        self,
        optimizer: Any = None,
        loss: None = None,
        metrics: None = None,
        *,
        jit_compile: bool | str = "auto",
        steps_per_execution: int = 1,
        run_eagerly: bool = False,
    ) -> None:
        """Choose the optimizers, build them, and with them the rest of what `fit` needs.

        Args:
            optimizer: None for the system's own; a dictionary move -> optimizer that overrides some; or one optimizer,
                of which every move gets a copy.
            loss, metrics: not taken: a system has losses and logs of its own.
            jit_compile, steps_per_execution, run_eagerly: as in Keras; under several replicas one step at a time.

        Raises:
            ValueError: an unknown move, something that is no optimizer, a loss or metrics; or a class that does not
                keep all of its arguments as attributes.
        """
        compiling.refuse(loss, metrics)
        given(self)  # what a class does not keep of its arguments is said before it trains, not when it is saved
        replicas = self.distribute_strategy.num_replicas_in_sync
        how = compiling.checked(jit_compile, steps_per_execution, run_eagerly, replicas)
        if replicas > 1:
            compiling.warn_of_statistics(self.networks)
        with self.distribute_strategy.scope():
            super().compile(optimizer=None, **how)
            self._set_optimizers(optimizers.resolve(optimizer, self._own_optimizers()))
        self._own_compile_config, self.checked = how, set()

    def _own_optimizers(self):
        preset = preset_of(type(self), self.preset)
        return self.default_optimizers() if preset is None else preset.optimizers(self)

    def _set_optimizers(self, by_move):
        half = any(network.dtype_policy.name == "mixed_float16" for network in self._layers_of_networks())
        for move, optimizer in by_move.items():
            if half and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name=f"{move}_scaled")
            optimizer.build(self.weights_of(move))
            in_one_operation(getattr(optimizer, "inner_optimizer", optimizer))
            setattr(self, f"{move}_optimizer", optimizer)
            by_move[move] = optimizer
        self.optimizer = optimizers.Optimizers(by_move)

    def get_compile_config(self) -> dict | None:
        if not self.compiled:
            return None
        plain = dict(zip(self.optimizer.by_move, self.optimizer.optimizers, strict=True))
        return {**self._own_compile_config, "optimizer": {m: keras.optimizers.serialize(o) for m, o in plain.items()}}

    def compile_from_config(self, config: dict) -> None:
        by_move = {move: keras.optimizers.deserialize(made) for move, made in config["optimizer"].items()}
        self.compile(**{**config, "optimizer": by_move})

    @in_words("Training")
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        *,
        shuffle: bool | str | None = None,
        steps_per_epoch: int | None = None,
        validation_data: Any = None,
        validation_split: float = 0.0,
        validation_batch_size: int | None = None,
        validation_steps: int | None = None,
        class_weight: None = None,
        sample_weight: None = None,
        **keras_arguments: Any,
    ) -> keras.callbacks.History:
        """`keras.Model.fit`, with the first batch checked before the first step and bad steps stopped later.

        Args:
            x: a `tf.data.Dataset`, array or `PyDataset` of images or vectors, alone, as (x, y), or as
                tfds dictionaries.
            y, batch_size, epochs, verbose, callbacks: as in Keras.
            shuffle: as in Keras; None: arrays are shuffled, what has an order of its own is not.
            steps_per_epoch, keras_arguments: as in Keras.
            validation_data: as `x`, for `evaluate` after each epoch.
            validation_split, validation_batch_size, validation_steps: as in Keras.
            class_weight, sample_weight: not taken: losses are scalars of whole batches.

        Raises:
            ValueError: data that do not fit, before the first step; validation data after their first batch, at the end
                of the first epoch.
            TrainingError: a term or the data became NaN, or images left [0, 1]: names the term and the step.
            DataError: a data set could not be read further (`ki.datasets.DataError`); a `Backup` is where to go on.
        """
        check_compiled(self, "fit")
        compiling.refuse_weights(class_weight=class_weight, sample_weight=sample_weight)
        name, x = name_of(x), look_at_fit(self, x, y, batch_size)
        if validation_data is not None:
            validation_data = first_look(self, validation_data, None, batch_size)[1]
        elif validation_split:
            (x, y), validation_data = split_off(x, y, validation_split)
        arrays, callbacks = are_arrays(x), watched(self, callbacks)
        shuffle = arrays if shuffle is None else shuffle
        x, y = in_batches(x, y, batch_size, steps_per_epoch, shuffle)
        tell(callbacks, x, in_order=arrays and not shuffle)
        with all_alive(self.distribute_strategy):
            if arrays and shuffle and several_machines(self.distribute_strategy):
                check_shuffled_alike(self.distribute_strategy)
            self.trained_on = name
            if validation_data is not None:
                own = keras.utils.unpack_x_y_sample_weight(validation_data)[:2]
                validation_data = in_batches(*own, validation_batch_size or batch_size, validation_steps)
            forget_interrupted(self)
            return super().fit(
                x,
                y,
                batch_size,
                epochs,
                verbose,
                callbacks,
                shuffle=shuffle and not arrays,
                steps_per_epoch=steps_per_epoch,
                validation_data=validation_data,
                validation_batch_size=validation_batch_size,
                validation_steps=validation_steps,
                **keras_arguments,
            )

    @in_words("Evaluation")
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        *,
        steps: int | None = None,
        sample_weight: None = None,
        **keras_arguments: Any,
    ) -> list[float] | dict[str, float]:
        """`keras.Model.evaluate`, with the first batch checked.

        "loss", in validation `val_loss`, is what a model is selected by: the negative ELBO where the system has one,
        else the squared error of reconstructions, summed over dimensions. Systems without an encoder have none.

        Args:
            x: as in `fit`.
            y, batch_size, verbose, steps, keras_arguments: as in Keras.
            sample_weight: not taken.

        Raises:
            ValueError: data that do not fit: those of the first batch before it, others at the end.
        """
        compiling.refuse_weights(sample_weight=sample_weight)
        if not is_validation_of_fit(keras_arguments):
            _, x = first_look(self, x, y, batch_size)
            x, y = in_batches(x, y, batch_size, steps)
        with all_alive(self.distribute_strategy):
            found = super().evaluate(x, y, batch_size, verbose, steps=steps, **keras_arguments)
        self._test_logs.check_flags("validation_data" if is_validation_of_fit(keras_arguments) else "x")
        return found

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: None = None,
        class_weight: None = None,
        return_dict: bool = False,
    ) -> Any:
        """`keras.Model.train_on_batch`: one step, on a batch that is checked as `fit` checks its first one, each time.

        How many rows it must have is looked at once, before the first step since `compile`: as in `fit`, a last batch
        may have fewer. Nothing looks at the losses, as `fit` does: one that is no number is in what comes back.

        Args:
            x: one batch: an array, (x, y), or a tfds dictionary.
            y: labels, for a model with `classes`.
            sample_weight, class_weight: not taken: losses are scalars of whole batches.
            return_dict: as in Keras.

        Raises:
            ValueError: data that do not fit, before the step.
        """
        check_compiled(self, "train_on_batch")
        compiling.refuse_weights(class_weight=class_weight, sample_weight=sample_weight)
        x, y = look_at_batch(self, x, y, begins=self.train_function is None)
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: None = None, return_dict: bool = False) -> Any:
        """`keras.Model.test_on_batch`, with the batch checked as `evaluate` checks its first one, each time.

        Args:
            x, y: as in `train_on_batch`.
            sample_weight: not taken.
            return_dict: as in Keras.

        Raises:
            ValueError: data that do not fit.
        """
        compiling.refuse_weights(sample_weight=sample_weight)
        x, y = look_at_batch(self, x, y)
        return super().test_on_batch(x, y, return_dict=return_dict)

    @in_words("Prediction")
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        **keras_arguments: Any,
    ) -> np.ndarray:
        """`keras.Model.predict`, with the first batch checked: what a call gives, with the averaged weights.

        Args:
            x: as in `fit`; for a system without an encoder codes.
            batch_size, verbose, steps, keras_arguments: as in Keras.

        Raises:
            ValueError: data that do not fit.
        """
        data.check_form("x", x, self.classes)
        first, x = data.first_batch(x, batch_size)
        if first is not None and self.has_encoder:
            self.batch_of(first)
        elif first is not None:
            data.observations(data.unpack(first), (self.latent_dim,))
        x, _ = in_batches(x, None, batch_size, steps)
        with all_alive(self.distribute_strategy):
            return super().predict(x, batch_size, verbose, steps, **keras_arguments)

    def save(
        self,
        filepath: str | os.PathLike,
        overwrite: bool = True,
        zipped: bool | None = None,
        **keras_arguments: Any,
    ) -> None:
        """`keras.Model.save`; a `.keras` file appears whole or not at all, and what stood there stays until then.

        Args:
            filepath: a name that ends in .keras.
            overwrite, zipped, keras_arguments: as in Keras.

        Raises:
            ValueError: it is no name of a `.keras` file, or with zipped=False of a directory; `save_weights` writes
                weights.
            OSError: it cannot be written.
        """
        if "://" in str(filepath) or zipped is False:  # what Keras writes by itself
            return super().save(filepath, overwrite, zipped, **keras_arguments)
        path = checks.path("filepath", filepath)
        if path.suffix != ".keras":
            raise ValueError(
                "Argument `filepath` must end in .keras; `save_weights` writes weights (.weights.h5), `export` a "
                f"SavedModel. Received: filepath={str(filepath)!r}"
            )
        if path.exists() and not overwrite:  # Keras asks
            return super().save(filepath, overwrite, zipped, **keras_arguments)
        with replacing(path) as temporary:
            super().save(temporary, overwrite, zipped, **keras_arguments)

    def load_weights(self, filepath: str | os.PathLike, skip_mismatch: bool = False, **keras_arguments: Any) -> None:
        """`keras.Model.load_weights`; where running averages do not all fit, each begins at its weight.

        Args:
            filepath, skip_mismatch, keras_arguments: as in Keras. A file of a model with another `ema`, or of networks
                of other sizes, needs skip_mismatch=True.

        Raises:
            ValueError: as in Keras, where the weights do not fit.
        """
        super().load_weights(filepath, skip_mismatch, **keras_arguments)
        self.averaging.begin_if_not_loaded()

    @property
    def metrics(self) -> list:
        return [self._train_logs, self._test_logs]

    def get_metrics_result(self) -> dict:
        """Of evaluation if that came last, else of training (Keras resets both when either begins)."""
        logs = self._test_logs if self._test_logs.filled() else self._train_logs
        return {name: float(value) for name, value in logs.result().items()}

    @property
    def distribute_strategy(self) -> tf.distribute.Strategy:
        """That of the scope in which the model was made; of several replicas each gets its own rows of every batch."""
        strategy = super().distribute_strategy
        if strategy.num_replicas_in_sync == 1 or isinstance(strategy, ByRows):
            return strategy
        return ByRows(strategy, max(phase.slices for phase in self.phases))

    # What Keras then calls for each batch -----------------------------------------------------------------------------

    def make_train_function(self, force: bool = False) -> Callable:
        """As in Keras, with less around each step where steps come one at a time."""
        if self.steps_per_execution > 1:
            return super().make_train_function(force)
        if self.train_function is None or force:
            self.train_function = step.called_directly(self, self.train_step)
        return self.train_function

    def make_test_function(self, force: bool = False) -> Callable:
        """As `make_train_function`."""
        if self.steps_per_execution > 1:
            return super().make_test_function(force)
        if self.test_function is None or force:
            self.test_function = step.called_directly(self, self.test_step)
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Callable:
        """As in Keras; of several replicas the rows of all, in their order, on each machine."""
        if self.distribute_strategy.num_replicas_in_sync == 1:
            return super().make_predict_function(force)
        if self.predict_function is None or force:
            self.predict_function = step.predicting(self)
        return self.predict_function
