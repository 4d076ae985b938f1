"""The Wasserstein GAN with clipped weights."""

import math
import numbers

import keras

from keras_ijae.models.wasserstein import WassersteinGame

SLOW_STEPS, SLOW_FIRST, SLOW_EVERY = 100, 25, 500


@keras.saving.register_keras_serializable("keras_ijae")
class Clip(keras.constraints.Constraint):
    """Weights in [-bound, bound]; optimizers apply it after each of their steps."""

    def __init__(self, bound: float):
        self.bound = bound

    def __call__(self, w):
        return keras.ops.clip(w, -self.bound, self.bound)

    def get_config(self) -> dict:
        return {"bound": self.bound}


@keras.saving.register_keras_serializable("keras_ijae")
class WGAN(WassersteinGame):
    """Wasserstein GAN: every weight of the critic stays in [-c, c], which bounds its Lipschitz constant.

        L_f = E f(G(z)) - E f(x)        -L_f estimates K W(p*, p_G), K the constant of the clipped critics
        L_G = -E f(G(z))
        w <- clip(w, -c, c)             after each step of the critic, and before the first

    Args:
        decoder: G, (batch, latent_dim) -> (batch, *data_shape).
        critic: f, observations -> (batch, 1), of any size, high on the data. Its weights are clipped here.
        data_shape, latent_dim: None reads them off the decoder.
        clip: c, above 0.
        critic_steps: steps of the critic for one of the decoder, each with fresh noise on the same batch.
        slow_start: whether the first 25 steps of the decoder, and then every 500th, wait until the critic has made 100.
        prior, ema, seed, name: see `Game`.

    References:
        Arjovsky, Chintala & Bottou 2017, algorithm 1; the slow start is the authors' code's.
    """

    def __init__(
        self,
        decoder: keras.Model,
        critic: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        clip: float = 0.01,
        critic_steps: int = 5,
        slow_start: bool = True,
        prior="normal",
        ema: float | None = 0.999,
        seed: int = 0,
        name: str = "wgan",
    ):
        if not (isinstance(clip, numbers.Real) and 0 < clip < math.inf):
            raise ValueError(f"Argument `clip` must be a finite number above 0. Received: {clip!r}")
        gate = self._decoder_gate if slow_start else None
        super().__init__(decoder, critic, data_shape, latent_dim, critic_steps, gate, prior, ema, seed, name)
        self.clip, self.slow_start = clip, slow_start
        for weight in critic.trainable_variables:
            weight.constraint = Clip(clip)
            weight.assign(weight.constraint(weight))

    def default_optimizers(self):
        """With PyTorch's constants, which the authors had: with Keras' epsilon decoders hardly learn."""
        return {move: keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16) for move in ("critic", "decoder")}

    def _decoder_gate(self, step, happened, logs):
        """Whether enough steps went by for the decoder's next move: one for each, more for the slow ones among them."""
        wait = math.ceil(SLOW_STEPS / self.critic_steps) - 1
        slow = keras.ops.minimum(happened + 1, SLOW_FIRST) + happened // SLOW_EVERY
        return step >= happened + wait * slow
