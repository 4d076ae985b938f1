"""Which optimizer makes which move."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.keras_internals import clip_gradients, left_out_of_weight_decay
from keras_ijae.replicas import number_of_replicas, total


class Optimizers:
    """The optimizers of a game by move; `model.optimizer`, so that Keras' learning-rate callbacks reach each."""

    built = True

    def __init__(self, by_move: dict[str, keras.optimizers.Optimizer]):
        self.by_move = by_move
        self._last = self._rates()  # of which the first was not 0: the others keep their proportion to it

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        return [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in self.by_move.values()]

    @property
    def variables(self) -> list[keras.Variable]:
        """Of all optimizers; `model.summary()` counts them."""
        return [variable for optimizer in self.by_move.values() for variable in optimizer.variables]

    def get_config(self) -> dict[str, Any]:
        """move -> its optimizer's configuration, which callbacks that log a run's parameters (MLflow's) ask for."""
        return {move: optimizer.get_config() for move, optimizer in self.by_move.items()}

    @property
    def learning_rate(self):
        """The first move's; setting it (older Keras' callbacks do) scales all in proportion."""
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._refuse_schedules(value)
        now = self._rates()
        if now[0]:
            self._last = now
        elif not self._last[0]:
            if not value:
                return  # 0 it was, and what the other moves have stays
            raise ValueError(
                "Argument `learning_rate` cannot be set where the first move's was 0 when the model was compiled or "
                "loaded: the others keep their proportion to it. Set that of each of `optimizers`, or compile anew. "
                f"Received: {value!r}"
            )
        ratio = float(value) / self._last[0]
        for optimizer, rate in zip(self.optimizers, self._last, strict=True):
            optimizer.learning_rate = ratio * rate

    def _rates(self) -> list[float]:
        return [float(keras.ops.convert_to_numpy(optimizer.learning_rate)) for optimizer in self.optimizers]

    def _refuse_schedules(self, value):
        pairs = zip(self.by_move, self.optimizers, strict=True)
        scheduled = [move for move, one in pairs if isinstance(one.get_config()["learning_rate"], dict)]
        if scheduled:
            raise ValueError(
                f"Argument `learning_rate` cannot be set where a LearningRateSchedule sets it, here of the moves "
                f"{', '.join(scheduled)}: compile with optimizers of your own. Received: {value!r}"
            )


def resolve(given: Any, defaults: dict[str, keras.optimizers.Optimizer]) -> dict[str, keras.optimizers.Optimizer]:
    """One optimizer per move: the defaults, overridden by `given`.

    Args:
        given: None; a dictionary that overrides some moves; or one optimizer (instance, name or configuration), of
            which every move gets its own copy.
        defaults: move -> the system's own optimizer.

    Raises:
        ValueError: an unknown move, something that is no optimizer, or one instance given to two moves.
    """
    if given is None:
        given = {}
    elif not isinstance(given, dict) or "class_name" in given:
        template = _optimizer("optimizer", given)
        given = {move: _copy(template) for move in defaults}
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ValueError(f"Argument `optimizer` names unknown moves {unknown}. Known: {sorted(defaults)}")
    chosen = {move: _optimizer(move, given[move]) if move in given else defaults[move] for move in defaults}
    if len({id(optimizer) for optimizer in chosen.values()}) < len(chosen):
        raise ValueError(
            "Argument `optimizer` gives one optimizer instance to several moves; each keeps moments of its own"
        )
    for move, optimizer in chosen.items():
        optimizer.name = f"{move}_optimizer"
    return chosen


def _optimizer(move, value):
    try:
        optimizer = keras.optimizers.get(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"Argument `optimizer`: {move!r} must be a Keras optimizer. Received: {value!r}") from error
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(f"Argument `optimizer`: {move!r} must be a Keras optimizer. Received: {value!r}")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.gradient_accumulation_steps or inner.use_ema:
        raise ValueError(
            f"The optimizer of {move!r} sets gradient_accumulation_steps or use_ema, which know nothing of players. "
            "Use a larger batch, and the model's own `ema`"
        )
    return optimizer


def _copy(optimizer):
    """Another one, which is not built; names that are left out of weight decay are no part of a configuration."""
    try:
        made = type(optimizer).from_config(optimizer.get_config())
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            "Argument `optimizer` gives all moves one optimizer, of which Keras cannot make a copy for each: pass a "
            f"dictionary move -> optimizer. Received: {optimizer!r}, {error!s:.200}"
        ) from error
    inner, copied = (getattr(one, "inner_optimizer", one) for one in (optimizer, made))
    if pattern := left_out_of_weight_decay(inner):
        copied.exclude_from_weight_decay(var_names=[pattern])
    return made


def gradients(tape, losses, optimizers, variables, part: tf.Tensor) -> dict[str, list]:
    """move -> gradients of the moving networks alone, one backward pass for each distinct loss tensor.

    Replicas' gradients are summed by the optimizer, so each is multiplied by its `part` in their mean; those of an
    optimizer that scales losses come multiplied by its scale.
    """
    found: dict[str, list] = {}
    for loss, moves in _by_loss(losses):
        scales = [_scale(optimizers[move], loss.dtype) for move in moves]
        share = scales[0] * tf.cast(part, loss.dtype)
        several = tape.gradient(loss, [variables[move] for move in moves], output_gradients=share)
        found[moves[0]] = several[0]
        for move, scale, of_move in zip(moves[1:], scales[1:], several[1:], strict=True):
            ratio = scale / scales[0]  # two moves may lower one loss under different loss scales
            found[move] = [g if g is None else g * tf.cast(ratio, g.dtype) for g in of_move]
    return found


def _by_loss(losses):
    groups: dict[int, tuple] = {}
    for move, loss in losses.items():
        groups.setdefault(id(loss), (loss, []))[1].append(move)
    return groups.values()


def _scale(optimizer, dtype):
    """By what `apply` divides gradients: a `loss_scale_factor`, the scale of a `LossScaleOptimizer`, or both."""
    inner = getattr(optimizer, "inner_optimizer", None)
    scale = tf.ones([], tf.float32)
    return tf.cast(optimizer.scale_loss(scale if inner is None else inner.scale_loss(scale)), dtype)


def apply(optimizer: keras.optimizers.Optimizer, gradients: list, variables: list) -> None:
    """Move; under loss scaling all replicas skip together when one has a gradient that is not finite."""
    if number_of_replicas() > 1:
        here = iter(_of_several(optimizer, [g for g in gradients if g is not None]))
        gradients = [g if g is None else next(here) for g in gradients]
    optimizer.apply(gradients, variables)


def _of_several(optimizer, gradients):
    """What each of several replicas hands in, of which Keras takes the sum: after clipping, and on each by itself."""
    inner, found = getattr(optimizer, "inner_optimizer", optimizer), gradients
    if inner.clipnorm or inner.global_clipnorm or inner.clipvalue:  # together, not each one's share
        scale = _scale(optimizer, tf.float32)
        clipped = clip_gradients(inner, total([g / tf.cast(scale, g.dtype) for g in gradients]))
        found = [g * tf.cast(scale / number_of_replicas(), g.dtype) for g in clipped]
    if optimizer is inner:
        return found
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
    bad = total(tf.cast(~finite, tf.float32))
    return [tf.where(bad > 0, tf.cast(float("nan"), g.dtype), g) for g in found]
