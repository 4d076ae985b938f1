"""What the naive steps share: players with passes and tapes of their own."""

from collections.abc import Callable

import tensorflow as tf
from keras_ijae.models.game import Game
from step import apply

NETWORKS = {"auto_encoder": ("encoder", "decoder"), "smooth": ("encoder", "decoder")}  # other moves: one, of their name


def runner(game: Game) -> Callable:
    """`run(role, *inputs)`: the outputs of the network in that role."""

    def run(role: str, *inputs: tf.Tensor) -> tf.Tensor:
        return getattr(game, role)(inputs[0] if len(inputs) == 1 else list(inputs), training=True)

    return run


def together(game: Game, players: dict[str, Callable]) -> dict[str, tf.Tensor]:
    """Every player's own passes, then all moves: move -> function of nothing that gives its loss."""
    networks = {move: [getattr(game, role) for role in NETWORKS.get(move, (move,))] for move in players}
    found = {move: _gradients(networks[move], loss) for move, loss in players.items()}
    for move, (_, gradients) in found.items():
        apply(game, move, gradients, *networks[move])
    return {f"{move}_loss": loss for move, (loss, _) in found.items()}


def _gradients(networks, loss: Callable) -> tuple[tf.Tensor, list]:
    with tf.GradientTape() as tape:
        value = loss()
    return value, tape.gradient(value, [w for network in networks for w in network.trainable_variables])
