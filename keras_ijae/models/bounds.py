"""Bounds of log p(x), which all systems share that have densities q(z|x), p(x|z) and p(z)."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks, random
from keras_ijae.distributions.posteriors import Posterior
from keras_ijae.distributions.priors import Prior
from keras_ijae.distributions.supports import STICKS, Support, described, holds
from keras_ijae.game.data import Batch


def code_and_kl(
    posterior: Posterior, prior: Prior, params: tf.Tensor, noise: tf.Tensor, prior_noise: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Codes z ~ q(z|x), `(batch, latent_dim)`, and KL(q(z|x) || p(z)) in nats, `(batch,)`.

    In closed form where there is one; else its estimate log q(z|x) - log p(z) from these codes.

    Args:
        posterior: q.
        prior: p, which `check_densities` has let pass.
        params: the encoder's outputs, `(batch, posterior.units)`.
        noise: of the codes, `(batch, posterior.noise_dim)`.
        prior_noise: for a prior whose density is estimated, `(batch, prior.density_noise_dim)` or, in training, the
            `prior.density_noise_rows` of those that have them.
    """
    if prior.has_kl(posterior):
        return posterior.draw(params, noise), prior.kl(posterior, params)
    z, log_q = posterior.sample_and_log_prob(params, noise)
    return z, log_q - log_prior(prior, z, prior_noise)


def log_prior(prior: Prior, z: tf.Tensor, noise: tf.Tensor | None) -> tf.Tensor:
    """log p(z), or what bounds or estimates it; arguments as in `code_and_kl`."""
    return prior.log_prob(z) if noise is None else prior.log_prob(z, noise)


def prior_noise(prior: Prior, draws: random.Draws) -> dict[str, tf.Tensor]:
    """The draw "prior", from which the density is estimated, of priors that need one."""
    if prior.density_noise_rows:
        return {"prior": draws.shared("prior", prior.density_noise_rows, prior.density_noise_dim)}
    return {"prior": draws.normal("prior", prior.density_noise_dim)} if prior.density_noise_dim else {}


def density_noise(prior: Prior, noise: dict[str, tf.Tensor], training: bool) -> tf.Tensor | None:
    """What log p(z) takes of the noise of a pass: a sample that all codes share is for training alone."""
    return None if prior.density_noise_rows and not training else noise.get("prior")


def fits(posterior: Posterior, prior: Prior) -> bool:
    """Whether KL(q(z|x) || p(z)) can be finite, and computed or estimated."""
    return prior.has_log_prob and holds(prior.support, posterior.support)


def check_densities(posterior: Posterior, prior: Prior) -> None:
    """ValueError where KL(q(z|x) || p(z)) is infinite or has no formula."""
    check_density(prior, posterior.support, type(posterior).__name__)


def check_density(prior: Prior, support: Support, codes_of: str) -> None:
    """ValueError unless the prior has a density wherever codes are.

    Args:
        prior: p.
        support: where codes are.
        codes_of: what gives them, for the message.
    """
    if not (prior.has_log_prob and holds(prior.support, support)):
        where = described(prior.support) if prior.has_log_prob else "without a density"
        known = "'sticks'" if support == STICKS else "'normal', 'mixture'"
        raise ValueError(
            f"Argument `prior` must have a density wherever codes of {codes_of} are, "
            f"{described(support)}; else their KL is infinite. Pass {known} or another `Prior` "
            f"that has, or a `Posterior` with codes where the prior's are. Received: {type(prior).__name__}, {where}"
        )


def learned(model: keras.Model, *names: str) -> tuple[str, ...]:
    """Those of the attributes `names` that have weights to learn, for the networks of a `Move`."""
    parts = {name: getattr(model, name) for name in names}
    return tuple(name for name, part in parts.items() if part is not None and part.trainable_variables)


def kl_weight(model: Any, dtype: Any) -> tf.Tensor:
    """`beta`, grown linearly from 0 over the model's `warm_up_steps`, if there are any: a scalar of this type."""
    beta = tf.cast(tf.convert_to_tensor(model.beta), dtype)
    if not model.warm_up_steps:
        return beta
    return beta * tf.minimum(1.0, tf.cast(tf.convert_to_tensor(model.steps), dtype) / model.warm_up_steps)


class Bounds:
    """The bounds of a `Game`, where it has `posterior_family`, `observation_model` and a prior with a density.

    The noise of the system has "code", and what `prior_noise` gives.
    """

    @property
    def has_bounds(self) -> bool:
        """Whether there are `elbo` and `importance_weighted_bound`."""
        explicit = self.posterior_family is not None and self.observation_model is not None
        return explicit and self.observation_model.has_log_prob and fits(self.posterior_family, self.prior)

    def bound_terms(
        self, batch: Batch, noise: dict[str, tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """log p(x|z) at z = E(x, noise), and KL(q(z|x) || p(z)): nats per example, `(batch,)` each."""
        _, outputs, kl = self.code_outputs_and_kl(batch, noise, training)
        return self.observation_model.log_prob(outputs, batch.x), kl

    def code_outputs_and_kl(
        self, batch: Batch, noise: dict[str, tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """z = E(x, noise), the decoder's outputs for it, and KL(q(z|x) || p(z)) in nats per example, `(batch,)`."""
        x, labels = batch
        params = self.parameters(x, labels, training)
        of_prior = density_noise(self.prior, noise, training)
        z, kl = code_and_kl(self.posterior_family, self.prior, params, noise["code"], of_prior)
        return z, self.outputs(z, labels=labels, training=training), kl

    def measures(self, batch: Batch, noise: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        if not self.has_bounds:
            return super().measures(batch, noise)
        log_likelihood, kl = self.bound_terms(batch, noise)
        found = {"loss": kl - log_likelihood, **self.named_terms(log_likelihood, kl)}
        if self.observation_model.has_bits_per_dim:
            found["bits_per_dim"] = self.observation_model.bits_per_dim(log_likelihood - kl, self.data_shape)
        return super().measures(batch, noise) | found

    def named_terms(self, log_likelihood: tf.Tensor, kl: tf.Tensor) -> dict[str, tf.Tensor]:
        """The terms of the ELBO under the names that training and evaluation share."""
        unit = "nats" if self.observation_model.discrete else "density_nats"
        elbo = log_likelihood - kl
        return {f"elbo_{unit}_sum": elbo, f"log_likelihood_{unit}_sum": log_likelihood, "kl_nats_sum": kl}

    def elbo(self, x: Any, seed: int = 0, labels: Any = None) -> np.ndarray:
        """Evidence lower bound with one code per example: (n,) nats.

        Args:
            x: observations (n, ...).
            seed: of the codes.
            labels: of `x`, for conditional models.
        """
        batch = self._bounded(x, labels)
        noise = self._keyed_noise(batch.x.shape[0], random.fold(checks.seed(seed), "elbo"))
        with self.averaged():
            terms = [self.bound_terms(*some) for some in _in_parts(batch, noise)]
        return np.concatenate([(log_likelihood - kl).numpy() for log_likelihood, kl in terms])

    def importance_weighted_bound(
        self, x: Any, samples: int = 100, chunk: int = 20, seed: int = 0, labels: Any = None
    ) -> np.ndarray:
        """log 1/K sum_k p(x, z_k) / q(z_k|x) with z_k ~ q(z|x): (n,) nats, at least the ELBO on average.

        Args:
            x: observations (n, ...).
            samples: K.
            chunk: how many of the K codes of some hundred rows are decoded at once: bounds the memory.
            seed: of the codes.
            labels: of `x`, for conditional models.

        References:
            Burda, Grosse & Salakhutdinov 2016, eq. 8.
        """
        checks.whole("samples", samples), checks.whole("chunk", chunk), checks.seed(seed)
        batch, found = self._bounded(x, labels), []
        for at in range(0, samples, chunk):
            # a key for each of the K, so that the codes depend on neither chunks nor rows
            each = range(at, min(at + chunk, samples))
            drawn = [self._keyed_noise(batch.x.shape[0], random.fold(seed, "importance", k)) for k in each]
            noise = {name: tf.stack([one[name] for one in drawn], axis=1) for name in drawn[0]}
            found.append(tf.concat([self._log_weights(*some, len(drawn)) for some in _in_parts(batch, noise)], 1))
        return tf.reduce_logsumexp(tf.concat(found, 0), axis=0).numpy() - math.log(samples)

    def _log_weights(self, batch, noise, times):
        """log p(x, z) - log q(z|x) for `times` codes of each row, with noise (n, times, ...): (times, n)."""
        noise = {name: tf.concat(tf.unstack(values, axis=1), 0) for name, values in noise.items()}
        with self.averaged():
            params = tf.tile(self.parameters(*batch), [times, 1])
            z, log_q = self.posterior_family.sample_and_log_prob(params, noise["code"])
            x, labels = batch.each(lambda part: tf.concat([part] * times, 0))
            log_likelihood = self.observation_model.log_prob(self.outputs(z, labels=labels), x)
            weights = log_likelihood + log_prior(self.prior, z, noise.get("prior")) - log_q
            return tf.reshape(weights, [times, -1])

    def _bounded(self, x, labels):
        if not self.has_bounds:
            raise ValueError(
                f"This {type(self).__name__} has no bounds of log p(x), which need densities: create it with "
                "posterior='diagonal', a likelihood as 'gaussian', and a prior as 'normal'"
            )
        batch = self.labelled(x, labels)
        self.observation_model.check_range(batch.x)
        return batch

    def _keyed_noise(self, rows, key):
        noise = {"code": random.normal([rows, self.code_noise_dim], key)}
        if self.prior.density_noise_dim and not self.prior.density_noise_rows:
            noise["prior"] = random.normal([rows, self.prior.density_noise_dim], random.fold(key, "prior"))
        return noise


def _in_parts(batch, noise):
    """Rows that go through the networks at once, and their noise."""
    for rows, some in batch.in_parts():
        yield some, {name: values[rows] for name, values in noise.items()}
