"""What the Wasserstein GANs share: the game, not how the critic is kept Lipschitz."""

from collections.abc import Callable
from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.game import Common, Move, Phase, Played, networks
from keras_ijae.game.roles import CRITIC, DECODER, labelled
from keras_ijae.models.generator import GeneratorGame
from keras_ijae.models.judging import logits


class WassersteinArguments(Common, total=False):
    """Arguments that both systems share."""

    decoder: keras.Model
    critic: keras.Model
    critic_steps: int
    fresh_batches: bool


class WassersteinGame(GeneratorGame):
    """A critic estimates the Wasserstein-1 distance between data and samples, which the decoder G lowers.

        L_f = E f(G(z)) - E f(x)        W(p*, p_G) = max -L_f over 1-Lipschitz f
        L_G = -E f(G(z))

    Each step plays `critic_steps` of the critic, each with fresh noise, then one of the decoder.

    Args:
        decoder: G, (batch, latent_dim) -> (batch, *data_shape).
        critic: f, observations -> (batch, 1).
        critic_steps: steps of the critic for one of the decoder.
        fresh_batches: whether each of them has data of its own, as in the papers: a batch is then cut into as many, so
            give batches so many times as large. By default all share the batch.
        common: see `Game`.
    """

    ROLES = labelled(DECODER, CRITIC)

    def __init__(
        self,
        *,
        decoder: keras.Model,
        critic: keras.Model,
        critic_steps: int = 5,
        fresh_batches: bool = False,
        **common: Unpack[Common],
    ):
        super().__init__({"decoder": decoder, "critic": critic}, **common)
        self.critic_steps = checks.repeats("critic_steps", critic_steps)
        self.fresh_batches = checks.flag("fresh_batches", fresh_batches)
        self.moves = (Move("critic", ("critic",)), Move("decoder", ("decoder",)))

    def ready(self, gate: Callable | None = None) -> None:
        """Ends a system's `__init__`; `gate` says when the decoder moves, see `Phase`."""
        k = self.critic_steps
        slices = k if self.fresh_batches else 1
        self.phases = (
            Phase("critic", ("critic",), repeats=k, slices=slices),
            Phase("decoder", ("decoder",), slices=slices, reuse=k == 1, gate=gate),
        )
        super().ready()

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            (fake,) = logits(self.critic, [forward["fake"], batch.labels])
            return Played({"decoder": -tf.reduce_mean(fake)})
        fake, labels = tf.stop_gradient(forward["fake"]), batch.labels
        real, fake = logits(self.critic, [batch.x, labels], [fake, labels])
        return Played({"critic": losses.critic_loss(real, fake)}, losses.critic_logs("critic", real, fake))

    def measures(self, batch, noise):
        fake = self.outputs(noise["z"], labels=batch.labels)
        real, fake = (networks.call(self.critic, [x, batch.labels]) for x in (batch.x, fake))
        return {"critic_real": real[:, 0], "critic_fake": fake[:, 0]}
