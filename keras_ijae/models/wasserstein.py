"""What the Wasserstein GANs share: the game, not how the critic is kept Lipschitz."""

import tensorflow as tf

from keras_ijae import losses
from keras_ijae.models import checks
from keras_ijae.models.game import Game
from keras_ijae.models.judging import logits
from keras_ijae.models.moves import Move, Phase, Played


class WassersteinGame(Game):
    """A critic estimates the Wasserstein-1 distance between data and samples, which the decoder G lowers.

        L_f = E f(G(z)) - E f(x)        W(p*, p_G) = max -L_f over 1-Lipschitz f
        L_G = -E f(G(z))

    Each step plays `critic_steps` of the critic with fresh noise on the same batch, then one of the decoder.

    Args:
        gate: when the decoder moves, see `Phase`; None: in every step.
    """

    NETWORKS = ("decoder", "critic")

    def __init__(self, decoder, critic, data_shape, latent_dim, critic_steps, gate, prior, ema, seed, name):
        data_shape, latent_dim = checks.sizes(decoder, data_shape, latent_dim)
        super().__init__(data_shape, latent_dim, prior, ema, seed, name)
        self.decoder, self.critic, self.critic_steps = decoder, critic, critic_steps
        self.moves = (Move("critic", ("critic",)), Move("decoder", ("decoder",)))
        self.phases = (
            Phase("critic", ("critic",), repeats=critic_steps),
            Phase("decoder", ("decoder",), reuse=critic_steps == 1, gate=gate),
        )
        x, z = self.data_shape, (self.latent_dim,)
        self.ready(decoder=([z], x), critic=([x], (1,)))

    def noise(self, draws):
        return {"z": draws.rows("z", self.prior.sample)}

    def forward(self, batch, noise):
        return {"fake": self.decoder(noise["z"], training=True)}

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            (fake,) = logits(self.critic, [forward["fake"]])
            return Played({"decoder": -tf.reduce_mean(fake)})
        real, fake = logits(self.critic, [batch], [tf.stop_gradient(forward["fake"])])
        return Played({"critic": losses.critic_loss(real, fake)}, losses.critic_logs("critic", real, fake))

    def measures(self, batch, noise):
        real, fake = self.critic(batch), self.critic(self.decoder(noise["z"]))
        return {"critic_real": real[:, 0], "critic_fake": fake[:, 0]}
