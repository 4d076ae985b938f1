"""The Wasserstein GAN with a gradient penalty."""

import keras
import tensorflow as tf

from keras_ijae.models.judging import criticise
from keras_ijae.models.moves import Played
from keras_ijae.models.wasserstein import WassersteinGame


@keras.saving.register_keras_serializable("keras_ijae")
class WGANGP(WassersteinGame):
    """Wasserstein GAN whose critic is drawn to slope 1 between data and samples.

        L_f = E f(G(z)) - E f(x) + gradient_penalty E (||grad f(x^)|| - 1)^2
        L_G = -E f(G(z))

    with x^ = u x + (1 - u) G(z), u ~ U(0, 1) for each example, and the norm over all axes of an example.

    Args:
        decoder: G, (batch, latent_dim) -> (batch, *data_shape).
        critic: f, observations -> (batch, 1), high on the data; without batch normalisation, as each example has a
            slope of its own.
        data_shape, latent_dim: None reads them off the decoder.
        gradient_penalty: its weight, at least 0; a run-time scalar.
        critic_steps: steps of the critic for one of the decoder, each with fresh noise on the same batch.
        prior, ema, seed, name: see `Game`.

    References:
        Gulrajani et al. 2017, algorithm 1.
    """

    def __init__(
        self,
        decoder: keras.Model,
        critic: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        gradient_penalty: float = 10.0,
        critic_steps: int = 5,
        prior="normal",
        ema: float | None = 0.999,
        seed: int = 0,
        name: str = "wgan_gp",
    ):
        super().__init__(decoder, critic, data_shape, latent_dim, critic_steps, None, prior, ema, seed, name)
        self.gradient_penalty = self.weight("gradient_penalty", gradient_penalty)

    def default_optimizers(self):
        return {move: keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9) for move in ("critic", "decoder")}

    def noise(self, draws):
        return {**super().noise(draws), "mix": draws.uniform("mix")}

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            return super().losses(batch, noise, phase, forward)
        played, fake = Played({}), tf.stop_gradient(forward["fake"])
        criticise(played, "critic", self.critic, batch, fake, noise["mix"], self.gradient_penalty)
        return played
