"""One step of training: the phases of a game in turn."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.game import optimizers
from keras_ijae.game.data import Batch
from keras_ijae.game.moves import Pass, Phase, Played
from keras_ijae.game.side_effects import check_side_effects
from keras_ijae.game.wrong_losses import check_played
from keras_ijae.layers.advancing import advance
from keras_ijae.replicas import Part, Share, assign, means, number_of_replicas

Logged = tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]
"""Values by name, and their weights: 0 for what did not happen."""


def play(game: Any, batch: Batch, share: Share) -> Logged:
    """Play all phases on a batch, of which this replica has a share."""
    logs: dict[str, tf.Tensor] = {}
    weights: dict[str, tf.Tensor] = {}
    seen: Pass | None = None
    for phase in game.phases:
        for repeat in range(phase.repeats):
            found, weight, seen = _play_phase(game, phase, repeat, batch, share, seen)
            logs |= found
            weights |= dict.fromkeys(found, weight)
    return logs, weights


def end(game: Any, step: tf.Tensor) -> None:
    """After the moves of step number `step`: spectral vectors and running averages advance, once."""
    moving = sorted({network for move in game.moves for network in move.networks})
    advance(getattr(game, name) for name in moving)
    game.averaging.update(step)


def called_directly(game: Any, step: Callable[[Any], Any]) -> Callable[[Iterator], Any]:
    """What Keras calls with its iterator for each step: the compiled `step` on the next batch, on all replicas.

    What it gives is that of the first replica here: a step gives the same on all.

    Keras' own function gets the batch inside a second graph around the compiled step, which costs half a millisecond a
    step on CPU; and on several machines it takes means over an axis that logs do not have, which raises. As there,
    AutoGraph rewrites nothing: that takes longer than tracing.
    """
    strategy = game.distribute_strategy

    def run(batch):
        found = strategy.run(step, args=(batch,))
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], found)

    if not game.run_eagerly:
        run = tf.function(_own(run), jit_compile=game.jit_compile, reduce_retracing=True, autograph=False)
    return lambda iterator: run(next(iterator))


def predicting(game: Any) -> Callable[[list], tf.Tensor]:
    """What Keras' `predict` calls with a list of one batch, on several replicas: what all of them give, in order."""
    strategy = game.distribute_strategy

    def run(batch):
        found = strategy.run(game.predict_step, args=(batch,))
        if not isinstance(batch, Part):  # one batch that all replicas have
            return strategy.experimental_local_results(found)[0]
        return strategy.gather(found, axis=0)[: strategy.experimental_local_results(batch.total)[0]]

    if not game.run_eagerly:
        run = tf.function(_own(run), reduce_retracing=True, autograph=False)
    return lambda batches: run(batches[0])


def _own(run: Callable) -> Callable:
    """`run` without code of its own, by which TensorFlow counts how often a function is traced.

    All games share that code: a few that are trained one after the other, each traced once, would be warned of.
    """
    return functools.partial(run)


def _play_phase(game, phase, repeat, batch, share, seen):
    """What is logged, its weight, and the pass that the next phase may reuse."""
    if not phase.reuse:
        batch, share = _slice(phase, repeat, batch, share)
    if phase.gate is None:
        seen = seen if phase.reuse else _pass(game, phase, repeat, batch, share, seen)
        played, gradients, statistics = _lower(game, phase, seen)
        _move(game, phase, gradients, statistics, _opened(phase, played, seen))
        return _logs(played), seen.share.weight, seen
    count = game.happened[phase.name]
    opened = phase.gate(tf.convert_to_tensor(game.steps), tf.convert_to_tensor(count))
    logs, gradients, statistics = _while_open(game, phase, repeat, batch, share, seen, opened)
    _move(game, phase, gradients, statistics, opened)
    count.assign_add(tf.cast(opened, tf.int64))
    weight = (seen.share if phase.reuse else share).weight
    return logs, tf.cast(opened, tf.float32) * weight, None


def _while_open(game, phase, repeat, batch, share, seen, opened):
    """Logs, gradients and statistics of a gated phase, zeros while its gate is shut.

    In a graph nothing is then computed. Eagerly and under several replicas it is, and not used: a branch must not
    hold what replicas do together (synchronised batch statistics, sets of codes gathered from all).
    """
    found: list[Any] = []

    def compute():
        played, gradients, statistics = _lower(
            game, phase, seen if phase.reuse else _pass(game, phase, repeat, batch, share, seen)
        )
        found[:] = [(_logs(played), gradients, statistics)]
        return [tensor for tensor in tf.nest.flatten(found) if tensor is not None]

    def nothing():  # traced after `compute`, so that the shapes are known
        return [tf.zeros(tensor.shape, tensor.dtype) for tensor in tf.nest.flatten(found) if tensor is not None]

    if tf.executing_eagerly() or number_of_replicas() > 1:
        compute()
        return found[0]
    computed = iter(tf.cond(opened, compute, nothing))
    return tf.nest.map_structure(lambda tensor: None if tensor is None else next(computed), found[0])


def _slice(phase, repeat, batch, share):
    """The rows that a repeat of a phase has, and where they are in the slice of all replicas."""
    if phase.slices == 1:
        return batch, share
    begin, share = share.slice(phase.first + repeat, phase.slices)
    return batch.each(lambda part: part[begin :: phase.slices]), share


def _pass(game, phase: Phase, repeat: int, batch, share, seen: Pass | None) -> Pass:
    """Fresh noise and, under a tape and a scope that keeps all weights as they are, the players' forward pass."""
    noise = game.noise(game.draws(share, "train", tf.convert_to_tensor(game.steps), phase.name, repeat))
    if phase.once and repeat:
        return Pass(batch, share, noise, seen.forward, seen.tape, seen.scope)
    tape, scope = tf.GradientTape(persistent=True), keras.StatelessScope(collect_losses=True)
    with tape, scope:
        forward = game.forward(batch, noise, phase.name)
    return Pass(batch, share, noise, forward, tape, scope)


def _lower(game, phase: Phase, seen: Pass) -> tuple[Played, dict[str, list], list]:
    """What the phase played, move -> gradients, and the new batch statistics of what moves (None: unchanged)."""
    with seen.tape, seen.scope:
        played = game.losses(seen.batch, seen.noise, phase.name, seen.forward)
        check_played(type(game).__name__, phase, played)
        losses = played.totals()
    weights = {move: game.weights_of(move) for move in phase.moves}
    if phase.name not in game.checked:  # once, while tracing: it costs a backward pass
        check_side_effects(game, seen.scope)
        _check_penalties(seen.tape, played, weights)
        game.checked.add(phase.name)
    part = seen.share.weight / number_of_replicas()
    gradients = optimizers.gradients(seen.tape, losses, game.optimizer.by_move, weights, part)
    played.losses = losses
    return played, gradients, [seen.scope.get_current_value(v) for v in game.statistics_of(phase.moves)]


def _logs(played):
    return {**{f"{name}_loss": loss for name, loss in played.losses.items()}, **played.logs}


def _opened(phase, played, seen):
    return None if phase.balance is None else phase.balance(means(played.logs, seen.share.weight))


def _move(game, phase, gradients, statistics, opened) -> None:
    """Apply the gradients and statistics; if `opened` (a boolean tensor; None: always) is false nothing changes.

    Weights, moments and statistics are then set back to what they were: an optimizer inside `tf.cond` raises under
    MirroredStrategy, which must merge the replicas' gradients.
    """
    variables = game.statistics_of(phase.moves)
    changed = [] if opened is None else [*variables, *_moved_by(game, phase)]
    before = [tf.identity(v.value) for v in changed]
    for name in phase.moves:
        optimizers.apply(game.optimizer.by_move[name], gradients[name], game.weights_of(name))
    for variable, value in zip(variables, statistics, strict=True):
        if value is not None:
            variable.assign(value)
    kept = [tf.where(opened, v.value, old) for v, old in zip(changed, before, strict=True)]
    assign([v.value for v in changed], kept)


def _moved_by(game, phase):
    return [v for move in phase.moves for v in (*game.weights_of(move), *game.optimizer.by_move[move].variables)]


def _check_penalties(tape, played, weights):
    """A penalty whose gradient reaches no weight has silently no effect; of a frozen judge it need have none."""
    for move, penalty in played.penalties.items():
        if weights[move] and all(gradient is None for gradient in tape.gradient(penalty, weights[move])):
            raise ValueError(
                f"The penalty of move {move!r} reaches none of its weights: no gradient flows twice through its "
                "networks (bilinear UpSampling2D is known for it)"
            )
