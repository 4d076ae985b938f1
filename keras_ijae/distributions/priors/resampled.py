"""A prior made by learned rejection of another's samples."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import number, whole
from keras_ijae.distributions._networks import Perceptron
from keras_ijae.distributions.priors._rows import ROWS, keyed_rows
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.distributions.priors.fixed import StandardNormal

_LEAST, _MOST = 1e-30, 1 - 1e-6  # of Z, so that 1 - Z and logarithms are finite
_UNIT, _DEPTH = 100, 2


@keras.saving.register_keras_serializable("keras_ijae")
class ResampledPrior(Prior):
    """Proposals z ~ pi = N(0, I) are accepted with probability a(z) = sigmoid(network), the T-th whatever a says.

        p(z) = ((1 - alpha) a(z) / Z + alpha) pi(z),   Z = E_pi a,   alpha = (1 - Z)^(T - 1)

    Z has no formula. In training it is the mean over `proposals` fresh ones, whose gradient counts; its value is
    that of a running average, so that 1 / Z is less biased. Outside training Z is computed anew from the weights as
    they are, with a fixed sample of `evaluation_proposals`: log p is then off by about sqrt((1 - Z) / (Z n)), the same
    for all codes, and on average too high by (1 - Z) / (2 Z n); bounds of log p(x) are bounds up to that. Where a is 0
    everywhere p is pi, and so it is where a is 1.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        truncation: T >= 2, of which a sample costs as many proposals.
        proposals: in training, for Z, >= 1.
        evaluation_proposals: n outside training, >= 1.
        decay: of the running average, in [0, 1); 0: there is none.
        acceptance: a network, (batch, latent_dim) -> logits (batch, 1); None: two hidden layers of 100 tanh units.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    References:
        Bauer & Mnih 2019, "Resampled Priors for Variational Autoencoders", eqs. 4 to 7. T = 100, the layers, 1,024
        proposals in training and a running average are theirs as recalled, the decay (0.95) is not known. Left out: the
        importance-weighted code of the posterior in the estimate of Z.
    """

    def __init__(
        self,
        latent_dim: int,
        truncation: int = 100,
        proposals: int = 1024,
        evaluation_proposals: int = 2**15,
        decay: float = 0.95,
        acceptance: keras.layers.Layer | None = None,
        **options: Any,
    ) -> None:
        super().__init__(latent_dim, **options)
        self.truncation = whole("truncation", truncation, 2)
        self.density_noise_dim, self.density_noise_rows = self.latent_dim, whole("proposals", proposals)
        self.evaluation_proposals = whole("evaluation_proposals", evaluation_proposals)
        self.decay = number("decay", decay, least=0, below=1)
        self._check_acceptance(acceptance)
        self.own, self.proposal = acceptance is not None, StandardNormal(latent_dim)
        self.acceptance = acceptance or Perceptron(self.latent_dim, 1, _UNIT, _DEPTH, "tanh", name="acceptance")
        self.normaliser = self._kept("normaliser", 0)

    def _check_acceptance(self, network):
        if network is None:
            return
        expected = (
            f"Argument `acceptance` must be a network, (batch, {self.latent_dim}) to logits (batch, 1). Received: "
        )
        if not isinstance(network, keras.layers.Layer):
            raise ValueError(f"{expected}{network!r:.200}")
        try:
            found = tuple(network(tf.zeros([1, self.latent_dim])).shape)
        except Exception as error:  # a network fails in as many ways as there are layers
            raise ValueError(f"{expected}one that fails with {str(error).splitlines()[0]}") from error
        if found != (1, 1):
            raise ValueError(f"{expected}one that gives (batch, {', '.join(map(str, found[1:]))})")

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        return keyed_rows(self._first_accepted, n, seed, self.latent_dim)

    def log_prob(self, z: tf.Tensor, noise: tf.Tensor | None = None) -> tf.Tensor:
        """Log-density in nats, `(batch,)`.

        Args:
            z: `(batch, latent_dim)`.
            noise: in training, the proposals, `(rows, latent_dim)`; the running average is then moved.
        """
        fixed = random.normal((self.evaluation_proposals, self.latent_dim), random.fold(0, "normaliser"))
        mean = tf.reduce_mean(tf.sigmoid(self._logits(fixed if noise is None else noise, z.dtype)))
        normaliser = mean if noise is None else mean + tf.stop_gradient(self._averaged(mean) - mean)
        normaliser = tf.clip_by_value(normaliser, _LEAST, _MOST)
        log_alpha = (self.truncation - 1) * tf.math.log1p(-normaliser)
        scale = tf.math.log(-tf.math.expm1(log_alpha)) - tf.math.log(normaliser)
        accepted = scale + tf.math.log_sigmoid(self._logits(z, z.dtype))
        ratio = tf.reduce_logsumexp(tf.stack([accepted, tf.zeros_like(accepted) + log_alpha]), axis=0)
        return ratio + self.proposal.log_prob(z)

    def _averaged(self, mean):
        """The running average with this mean in it; the first is taken whole."""
        before = tf.cast(self.normaliser, mean.dtype)
        after = tf.where(before > 0, before + (1 - self.decay) * (mean - before), mean)
        self.normaliser.assign(after)
        return after

    def _first_accepted(self, key):
        proposals = random.normal((ROWS, self.truncation * self.latent_dim), random.fold(key, "proposals"))
        proposals = tf.reshape(proposals, [ROWS * self.truncation, self.latent_dim])
        accept = tf.reshape(tf.sigmoid(self._logits(proposals, tf.float32)), [ROWS, self.truncation])
        taken = random.uniform((ROWS, self.truncation), random.fold(key, "accept")) < accept
        taken |= tf.range(self.truncation) == self.truncation - 1
        first = tf.argmax(tf.cast(taken, tf.int32), axis=1)
        return tf.gather(tf.reshape(proposals, [ROWS, self.truncation, -1]), first, batch_dims=1)

    def _logits(self, z, dtype):
        return tf.cast(self.acceptance(tf.cast(z, dtype)), dtype)[:, 0]

    def get_config(self) -> dict[str, Any]:
        network = keras.saving.serialize_keras_object(self.acceptance) if self.own else None
        names = ("truncation", "evaluation_proposals", "decay")
        config = {name: getattr(self, name) for name in names} | {"proposals": self.density_noise_rows}
        return {**super().get_config(), **config, "acceptance": network}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ResampledPrior":
        network = config.get("acceptance")
        network = network if network is None else keras.saving.deserialize_keras_object(network)
        return cls(**{**config, "acceptance": network})
