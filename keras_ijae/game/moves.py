"""What a game is made of: moves, the phases in which they happen, and what a phase gives."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import tensorflow as tf

from keras_ijae.game.data import Batch
from keras_ijae.replicas import Share


@dataclass(frozen=True)
class Move:
    """One player's move: the networks it changes so as to lower the loss of its name.

    Args:
        name: also the key of its loss and of its optimizer in `compile`.
        networks: attribute names of what it changes; one network may be changed by several moves.
    """

    name: str
    networks: tuple[str, ...]


@dataclass(frozen=True)
class Phase:
    """Moves that happen together, on one forward pass.

    Args:
        name: keys the phase's noise; told to `forward` and `losses`.
        moves: names of the moves.
        repeats: how often in one step, each time with fresh noise.
        slices: the batch is cut into so many, of which repeat i gets rows i, i + slices, i + 2 slices, ...; so that
            every repeat has data of its own; in a last batch with fewer rows, repeats share them. Replicas see what one
            device sees. 1: all repeats have the whole batch.
        first: number of the slice that the first repeat gets: phases with different ones have data of their own.
        once: `forward` runs once for all repeats, on the whole batch; it must depend on nothing that differs between
            them, neither on the noise nor on what this phase changes.
        reuse: batch, noise and `forward` of the phase before are used again; that phase must not have changed a
            network that this one changes.
        gate: `gate(step, happened)` -> boolean scalar tensor, whether the phase happens: the number of steps and of
            times that this phase happened before. While shut nothing of it is computed or logged. None: always.
        balance: `balance(logs)` -> boolean scalar tensor, whether the moves happen, given what this pass logs, means
            over the replicas. While shut only the moves are withheld. None: always.
    """

    name: str
    moves: tuple[str, ...]
    repeats: int = 1
    slices: int = 1
    first: int = 0
    once: bool = False
    reuse: bool = False
    gate: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None
    balance: Callable[[dict[str, tf.Tensor]], tf.Tensor] | None = None


@dataclass
class Played:
    """What `losses` returns: a scalar per move, what to log, and penalties.

    Args:
        losses: move name -> scalar. Two moves may be given the very same tensor: one backward pass serves both.
        logs: name -> scalar, averaged over the steps of an epoch.
        penalties: move name -> scalar that is added to the move's loss; one that reaches no weight is an error.
    """

    losses: dict[str, tf.Tensor] = field(default_factory=dict)
    logs: dict[str, tf.Tensor] = field(default_factory=dict)
    penalties: dict[str, tf.Tensor] = field(default_factory=dict)

    def totals(self) -> dict[str, tf.Tensor]:
        """move -> its loss with its penalty; a loss shared by several moves stays one tensor."""
        return {
            move: loss + self.penalties[move] if move in self.penalties else loss for move, loss in self.losses.items()
        }


@dataclass(frozen=True)
class Pass:
    """A forward pass, of which phases lower their losses.

    Attributes:
        batch: observations and labels.
        share: where its rows are among those of all replicas.
        noise: name -> what was sampled for this pass.
        forward: what the system's `forward` gave.
        tape: recorded `forward`, and records the losses that are taken of it.
        scope: weights inside it are those at its beginning. What layers assign while they are called (batch
            statistics) is kept in it and reaches the weights only if their network moves.
    """

    batch: Batch
    share: Share
    noise: dict[str, tf.Tensor]
    forward: dict[str, tf.Tensor]
    tape: tf.GradientTape
    scope: keras.StatelessScope


def check(moves: tuple[Move, ...], phases: tuple[Phase, ...], attributes: Callable) -> None:
    """Raise ValueError where moves and phases do not make a game; `attributes(name)` says whether a network exists."""
    known = {move.name: move for move in moves}
    if len(known) < len(moves):
        raise ValueError(f"Moves must have names of their own. Received: {[move.name for move in moves]}")
    for move in moves:
        missing = [name for name in move.networks if not attributes(name)]
        if missing:
            raise ValueError(f"Move {move.name!r} changes {missing}, which the model does not have")
    played = [name for phase in phases for name in phase.moves]
    for name in played:
        if name not in known:
            raise ValueError(f"A phase plays the unknown move {name!r}. Known: {sorted(known)}")
    idle = sorted(set(known) - set(played))
    if idle:
        raise ValueError(f"Moves in no phase: {idle}")
    _check_reuse(phases, known)


def check_learned(densities: dict[str, keras.layers.Layer | None], moved: list[keras.Variable], system: str) -> None:
    """ValueError where a prior or a posterior has weights to learn that are in no move.

    Args:
        densities: attribute -> the layer, or None.
        moved: the weights that the system's moves change.
        system: its name.
    """
    known = {id(weight) for weight in moved}
    for name, density in densities.items():
        if density is not None and any(id(weight) not in known for weight in density.trainable_variables):
            raise ValueError(
                f"Argument `{name.removesuffix('_family')}` has weights to learn, which no move of {system} changes. "
                "Take a system that learns by its density, such as VAE; or one without weights; or keep them as they "
                f"are by trainable=False. Received: {type(density).__name__}"
            )


def _check_reuse(phases, known):
    changed: set[str] = set()
    for index, phase in enumerate(phases):
        if phase.repeats < 1:
            raise ValueError(f"Phase {phase.name!r}: `repeats` must be at least 1. Received: {phase.repeats}")
        if phase.slices < 1 or (phase.first + phase.repeats > phase.slices > 1):
            raise ValueError(
                f"Phase {phase.name!r}: `slices` must be 1, or at least `first` + `repeats`="
                f"{phase.first + phase.repeats}. Received: {phase.slices}"
            )
        if phase.first < 0 or phase.first >= phase.slices:
            raise ValueError(f"Phase {phase.name!r}: `first` must be one of `slices`. Received: {phase.first}")
        if phase.gate and phase.balance:
            raise ValueError(f"Phase {phase.name!r} can have a `gate` or a `balance`, not both")
        if phase.once and (phase.slices > 1 or phase.gate):
            raise ValueError(f"Phase {phase.name!r}: `once` is of the whole batch and excludes `slices` and `gate`")
        networks = {network for name in phase.moves for network in known[name].networks}
        gated = index > 0 and phases[index - 1].gate is not None
        if phase.reuse and (index == 0 or gated or changed & networks or phase.repeats > 1):
            raise ValueError(
                f"Phase {phase.name!r} cannot reuse the pass before it: there is none, it has a gate, this phase "
                f"repeats, or {sorted(changed & networks)} have changed since"
            )
        changed = changed | networks if phase.reuse else networks
