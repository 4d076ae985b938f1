"""The game: the only training code. A system's file holds mathematics, this one everything else."""

import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.models import checks, moves, optimizers
from keras_ijae.models.inference import Inference
from keras_ijae.models.logs import Logs
from keras_ijae.models.moves import Played
from keras_ijae.models.replicas import assign
from keras_ijae.models.state import State


class Game(Inference, State, keras.Model):
    """Base of every system: players whose moves alternate in `train_step`.

    A system names its networks in `NETWORKS`, sets `self.moves` and `self.phases` in `__init__` before `ready`, and
    defines `noise`, `losses`, `default_optimizers` and, where phases share the players' forward pass, `forward`.
    Every argument of its `__init__` is kept as the attribute of the same name (`posterior`, a method, as
    `posterior_kind`), from which `get_config` is made.

    Args:
        data_shape: (height, width, channels) of images in [0, 1], or (features,).
        latent_dim: size of a code.
        prior: a `Prior`, or the name of one.
        ema: decay of the running average of the weights of `AVERAGED` networks, used by everything but training
            (`encode`, `decode`, `sample`, `evaluate`, export); None: no average.
        seed: of the run: all noise is a function of it and of the step number.

    Raises:
        ValueError: a network whose shapes do not fit (named, with both shapes), or moves that make no game.
    """

    def __init__(self, data_shape, latent_dim, prior, ema, seed, name):
        from keras_ijae.distributions import priors

        super().__init__(name=name)
        self.data_shape = tuple(int(size) for size in data_shape)
        self.latent_dim = latent_dim
        self.prior = priors.get(prior, latent_dim)
        if ema is not None and not 0 <= ema < 1:
            raise ValueError(f"Argument `ema` must be None or in [0, 1). Received: {ema}")
        self.ema, self.seed = ema, seed
        self.steps = self._variable("steps", "zeros", dtype="int64")

    def ready(self, **networks: tuple[list, tuple]) -> None:
        """Called at the end of a system's `__init__`: checks the game and makes what depends on its networks.

        Args:
            networks: role -> (shapes of its inputs, shape of its output), batch not counted.
        """
        for role, (inputs, output) in networks.items():
            checks.shapes(role, getattr(self, role), inputs, output)
        moves.check(self.moves, self.phases, lambda name: isinstance(getattr(self, name, None), keras.layers.Layer))
        self._moves = {move.name: move for move in self.moves}
        self._happened = {
            phase.name: self._variable(f"{phase.name}_count", "zeros", dtype="int64")
            for phase in self.phases
            if phase.gate
        }
        self._make_averages()
        self._train_logs, self._test_logs = Logs("train_logs"), Logs("test_logs")
        self.built = True

    # What a system defines ------------------------------------------------------------------------------------------

    def noise(self, draws: random.Draws) -> dict[str, tf.Tensor]:
        """The named noise of one pass."""
        raise NotImplementedError

    def forward(self, batch: tf.Tensor, noise: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The players' forward pass, shared by the phases that reuse it; empty where none is."""
        return {}

    def losses(
        self, batch: tf.Tensor, noise: dict[str, tf.Tensor], phase: str, forward: dict[str, tf.Tensor]
    ) -> Played:
        """The losses of a phase's moves: a pure function of data and noise."""
        raise NotImplementedError

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """move -> the system's own optimizer."""
        raise NotImplementedError

    def notice(self, logs: dict[str, tf.Tensor]) -> None:
        """Called every few steps of `fit` with the means of the logs so far: a system may warn of what it sees."""

    # Compiling and fitting ------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = None,
        *,
        jit_compile: bool | str = "auto",
        steps_per_execution: int = 1,
        run_eagerly: bool = False,
    ) -> None:
        """Choose the optimizers, build them, and with them the rest of what `fit` needs.

        Args:
            optimizer: None for the system's own; a dictionary move -> optimizer that overrides some; or one optimizer,
                of which every move gets a copy.
            jit_compile, steps_per_execution, run_eagerly: as in Keras; under several replicas one step at a time.
        """
        replicas = self.distribute_strategy.num_replicas_in_sync
        if replicas > 1 and steps_per_execution > 1:
            warnings.warn(
                f"steps_per_execution={steps_per_execution} fails under several replicas in Keras: using 1",
                stacklevel=2,
            )
            steps_per_execution = 1
        with self.distribute_strategy.scope():
            super().compile(
                optimizer=None,
                jit_compile=jit_compile,
                steps_per_execution=steps_per_execution,
                run_eagerly=run_eagerly,
            )
            self._set_optimizers(optimizers.resolve(optimizer, self.default_optimizers()))
        self._own_compile_config = {
            "jit_compile": jit_compile,
            "steps_per_execution": steps_per_execution,
            "run_eagerly": run_eagerly,
        }

    def _set_optimizers(self, by_move):
        half = any(net.dtype_policy.name == "mixed_float16" for net in self._all_sublayers())
        for move, optimizer in by_move.items():
            if half and not hasattr(optimizer, "inner_optimizer"):
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name=f"{move}_scaled")
            optimizer.build(self._weights_of(move))
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

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, **keras_arguments):
        """`keras.Model.fit`, with the first batch checked before the first step and bad steps stopped later.

        Args:
            x: a `tf.data.Dataset`, array or `PyDataset` of images or vectors, alone, as (x, y), or as
                tfds dictionaries.
            y, batch_size, epochs, verbose, callbacks, keras_arguments: as in Keras.

        Raises:
            ValueError: data that do not fit, before the first step.
            TrainingError: a term or the data became NaN, or images left [0, 1]: names the term and the step.
        """
        self._assert_compile_called("fit")
        rows, x = self._check_first(x, batch_size)
        checks.batch_statistics(self.networks, rows // self.distribute_strategy.num_replicas_in_sync)
        if keras_arguments.get("validation_data") is not None:
            validation = keras_arguments["validation_data"]
            keras_arguments["validation_data"] = self._check_first(validation, batch_size)[1]
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [checks.Watch(self._train_logs, self.notice), *tf.nest.flatten(callbacks or [])]
        if not isinstance(x, (np.ndarray, tf.Tensor, tuple, list, dict)):
            keras_arguments.setdefault("shuffle", False)  # data sets have an order of their own; Keras would warn
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, **keras_arguments)

    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", **keras_arguments):
        """`keras.Model.evaluate`, with the first batch checked; arguments as in Keras, data as in `fit`.

        Raises:
            ValueError: data that do not fit.
        """
        if not keras_arguments.get("_use_cached_eval_dataset"):  # inside `fit`, which has checked it
            _, x = self._check_first(x, batch_size)
        return super().evaluate(x, y, batch_size, verbose, **keras_arguments)

    def _check_first(self, x, batch_size):
        """The number of rows of the first batch, or of many where it cannot be seen; and `x`, all still in it."""
        first, x = checks.first_batch(x, batch_size)
        if first is None:
            return batch_size or 32, x
        return checks.observations(checks.unpack(first), self.data_shape).shape[0], x

    @property
    def metrics(self) -> list:
        return [self._train_logs, self._test_logs]

    def get_metrics_result(self) -> dict:
        """Of evaluation if that came last, else of training (Keras resets both when either begins)."""
        logs = self._test_logs if float(keras.ops.convert_to_numpy(self._test_logs.weight)) else self._train_logs
        return {name: float(value) for name, value in logs.result().items()}

    # The step -------------------------------------------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        batch = tf.cast(checks.observations(checks.unpack(data), self.data_shape), self.variable_dtype)
        logs: dict[str, tf.Tensor] = {}
        seen = None
        for phase in self.phases:
            for repeat in range(phase.repeats):
                if not phase.reuse:
                    kept = seen if phase.once and repeat else None
                    seen = self._pass(_slice(batch, phase, repeat), kept, phase.name, repeat)
                logs |= self._play(phase, *seen)
        step = self.steps.assign_add(1)
        self._end_step()
        bad = checks.flags(batch, images=len(self.data_shape) == 3)
        self._train_logs.update_state(logs, step=step, flags=bad)
        return self._train_logs.result()

    def _pass(self, batch, kept, *place):
        """Fresh noise and, under a tape and a scope that keeps all weights as they are, the players' forward pass.

        The forward pass of `kept`, where there is one, is kept.
        """
        noise = self.noise(self._draws(tf.shape(batch)[0], "train", tf.convert_to_tensor(self.steps), *place))
        if kept is not None:
            return (batch, noise, *kept[2:])
        tape, scope = tf.GradientTape(persistent=True), keras.StatelessScope()
        with tape, scope:
            forward = self.forward(batch, noise)
        return batch, noise, forward, tape, scope

    def _play(self, phase, batch, noise, forward, tape, scope):
        with tape, scope:
            played = self.losses(batch, noise, phase.name, forward)
            losses = _with_penalties(played)
        weights = {move: self._weights_of(move) for move in phase.moves}
        _check_penalties(tape, played, weights)
        replicas = self.distribute_strategy.num_replicas_in_sync
        by_move = {move: self.optimizer.by_move[move] for move in phase.moves}
        gradients = optimizers.gradients(tape, losses, by_move, weights, replicas)
        statistics = [(v, scope.get_current_value(v)) for v in self._statistics_of(phase.moves)]

        def move():
            for name in phase.moves:
                optimizers.apply(by_move[name], gradients[name], weights[name], replicas)
            for variable, value in statistics:
                if value is not None:
                    variable.assign(value)

        self._gated(phase, played.logs, move)
        return {**{f"{name}_loss": loss for name, loss in losses.items()}, **played.logs}

    def _gated(self, phase, logs, move):
        if phase.gate is None:
            return move()
        count = self._happened[phase.name]
        opened = phase.gate(tf.convert_to_tensor(self.steps), tf.convert_to_tensor(count), logs)
        changed = [
            v for name in phase.moves for v in (*self._weights_of(name), *self.optimizer.by_move[name].variables)
        ]
        changed += self._statistics_of(phase.moves)
        before = [tf.identity(v.value) for v in changed]
        move()
        kept = [tf.where(opened, v.value, old) for v, old in zip(changed, before, strict=True)]
        assign([v.value for v in changed], kept)
        count.assign_add(tf.cast(opened, tf.int64))
        return None

    def _end_step(self):
        moving = {network for move in self.moves for network in move.networks}
        for layer in (layer for name in sorted(moving) for layer in checks.sublayers(getattr(self, name))):
            if hasattr(layer, "advance"):
                layer.advance()
        self._update_averages()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        batch = tf.cast(checks.observations(checks.unpack(data), self.data_shape), self.variable_dtype)
        rows = tf.shape(batch)[0]
        noise = self.noise(self._draws(rows, "test", tf.cast(tf.convert_to_tensor(self._test_logs.weight), tf.int64)))
        with self.averaged():
            values = self.measures(batch, noise)
        self._test_logs.update_state(
            {name: tf.reduce_mean(value) for name, value in values.items()}, tf.cast(rows, tf.float32)
        )
        return self._test_logs.result()

    def predict_step(self, data: Any) -> tf.Tensor:
        with self.averaged():
            return self(checks.unpack(data), training=False)

    def _draws(self, rows, *place):
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group if context else 0
        replicas = self.distribute_strategy.num_replicas_in_sync
        return random.Draws(random.fold(self.seed, *place), rows, replica, replicas, self.variable_dtype)


def _slice(batch, phase, repeat):
    if not phase.slices:
        return batch
    rows = tf.shape(batch)[0] // phase.repeats
    return batch[repeat * rows : (repeat + 1) * rows]


def _with_penalties(played):
    """The moves' losses with their penalties added; a loss shared by several moves stays one tensor."""
    return {
        move: loss + played.penalties[move] if move in played.penalties else loss
        for move, loss in played.losses.items()
    }


def _check_penalties(tape, played, weights):
    """While tracing: a penalty whose gradient reaches no weight has silently no effect."""
    for move, penalty in played.penalties.items():
        if all(gradient is None for gradient in tape.gradient(penalty, weights[move])):
            raise ValueError(
                f"The penalty of move {move!r} reaches none of its weights: no gradient flows twice through its "
                "networks (bilinear UpSampling2D is known for it)"
            )
