"""Encoder, decoder and prior of a model on tensors: what systems, steps and exports are made of."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.distributions.likelihoods import Likelihood
from keras_ijae.distributions.posteriors import Posterior
from keras_ijae.distributions.priors import Prior
from keras_ijae.game import data, endpoints, networks
from keras_ijae.game.averages import RunningAverages
from keras_ijae.game.data import Batch
from keras_ijae.game.labels import LabelCounts
from keras_ijae.game.roles import Role, classes_of


class Conditionals(keras.Model):
    """q(z|x) and p(x|z) as functions of tensors, into which noise comes from outside.

    Its attributes are explained at `GenerativeModel`, which is the same for people.
    """

    ROLES: tuple[Role, ...] = ()
    HAS_LOG_RATIO = False
    encoder: keras.layers.Layer | None = None
    decoder: keras.layers.Layer
    prior: Any
    _fitted_priors: list[Prior]  # one or none, in a list: Keras then forgets the weights of one that is replaced
    data_shape: tuple[int, ...]
    latent_dim: int
    classes: int | None = None
    label_counts: LabelCounts | None = None
    averaging: RunningAverages
    posterior_family: Posterior | None = None
    observation_model: Likelihood | None = None
    has_bounds: bool = False
    active_dims: np.ndarray | None = None

    @property
    def has_encoder(self) -> bool:
        """Whether images can be mapped to codes."""
        return self.encoder is not None

    @property
    def code_noise_dim(self) -> int:
        """Size of the noise of one code: 0 for deterministic encoders."""
        if self.posterior_family is not None:
            return self.posterior_family.noise_dim
        return networks.noise_dim(self.encoder, self.classes_of("encoder") > 0)

    @property
    def decoder_noise_dim(self) -> int:
        """Size of the noise input of the decoder: 0 where it has none."""
        return networks.noise_dim(self.decoder, self.classes_of("decoder") > 0)

    def classes_of(self, role: str) -> int:
        """Size of the labels that a network takes as its last input; 0 where it takes none."""
        return sum(classes_of(known, {"classes": self.classes}) for known in self.ROLES if known.name == role)

    @property
    def sampling_prior(self) -> Prior:
        """What `sample` draws codes from: what `fit_prior` fitted, or was given at creation; else `prior`."""
        return self.own_sampling_prior or self.prior

    @property
    def own_sampling_prior(self) -> Prior | None:
        """`sampling_prior` where it is not `prior`."""
        return self._fitted_priors[0] if self._fitted_priors else None

    @property
    def awaits_fit(self) -> bool:
        """Whether samples are drawn from a density that `fit_prior` fits, and that the game does not learn."""
        learned = self.sampling_prior is self.prior and bool(self.prior.trainable_variables)
        return self.has_encoder and self.sampling_prior.can_fit and not learned

    def _sample_from(self, prior):
        self._fitted_priors.clear()
        self._fitted_priors.append(prior)
        if prior.of_one_model:
            prior.claim(self)

    def codes(
        self, x: tf.Tensor, noise: tf.Tensor | None, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """z = E(x, noise, labels): explicit (mean + scale * noise), implicit (an input) or deterministic (no noise)."""
        if self.posterior_family is not None:
            return self.posterior_family.draw(self.parameters(x, labels, training), noise)
        return self._encoder([x, noise if self.code_noise_dim else None], labels, training)

    def parameters(self, x: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """The parameters of an explicit posterior: (batch, posterior_family.units)."""
        return self._encoder([x], labels, training)

    def _encoder(self, inputs, labels, training):
        return networks.call(self.encoder, [*inputs, labels if self.classes_of("encoder") else None], training)

    @property
    def coders(self) -> list[keras.layers.Layer]:
        """The layers with weights in `codes`."""
        return [self.encoder] if self.posterior_family is None else [self.encoder, self.posterior_family]

    def outputs(
        self, z: tf.Tensor, noise: tf.Tensor | None = None, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """The decoder's outputs G(z, noise, labels): observations, or the parameters of their likelihood."""
        labels = labels if self.classes_of("decoder") else None
        return networks.call(self.decoder, [z, noise if self.decoder_noise_dim else None, labels], training)

    def observe(self, outputs: tf.Tensor) -> tf.Tensor:
        """The decoder's outputs as observations."""
        return outputs if self.observation_model is None else self.observation_model.mean(outputs)

    def autoencoded(self, batch: Batch, training: bool = False) -> tf.Tensor:
        """Reconstructions in which encoder and decoder have noise zero."""
        noise = tf.zeros([batch.rows, self.code_noise_dim], batch.x.dtype)
        return self._decoded(self.codes(batch.x, noise, batch.labels, training), batch.labels, training)

    def _decoded(self, z, labels, training):
        noise = tf.zeros([tf.shape(z)[0], self.decoder_noise_dim], z.dtype)
        return self.observe(self.outputs(z, noise, labels, training))

    def decoder_noise(self, rows: int | tf.Tensor, seed: int | tf.Tensor | None) -> tf.Tensor:
        """Noise of `rows` observations, (rows, decoder_noise_dim); without a seed zero."""
        return endpoints.noise([rows, self.decoder_noise_dim], seed, "decode")

    def code_noise(self, rows: int | tf.Tensor, seed: int | tf.Tensor | None) -> tf.Tensor:
        """Noise of `rows` codes, (rows, code_noise_dim); without a seed zero."""
        return endpoints.noise([rows, self.code_noise_dim], seed, "encode")

    @property
    def averages(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """(weight, its running average) of the networks that are averaged."""
        return self.averaging.pairs

    def averaged(self) -> keras.StatelessScope:
        """A scope in which the networks have the running average of their weights, if the model keeps one."""
        return self.averaging.scope()

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Reconstructions of observations; for a system without an encoder, observations for codes.

        A conditional model takes [x, labels], or [z, labels].
        """
        labels = None
        if self.classes is not None:
            labels = data.one_hot(data.labels_in(inputs), self.classes, self.variable_dtype)
            inputs = data.unpack(inputs)
        if not self.has_encoder:
            return self._decoded(inputs, labels, training)
        return self.autoencoded(Batch(inputs, labels), training)

    @property
    def validated_by(self) -> str | None:
        """What `val_loss` is, in words, by which models are selected; None without an encoder: there is none."""
        if self.has_bounds:
            return "negative ELBO in nats"
        return "squared error of reconstructions, summed over dimensions" if self.has_encoder else None

    def measures(self, batch: Batch, noise: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What `evaluate` averages: name, with its reduction over dimensions -> one number per example.

        "loss" is what models are selected by: here the squared error of reconstructions, summed over dimensions.
        """
        error = batch.x - tf.cast(self.autoencoded(batch), batch.x.dtype)
        axes = list(range(1, len(self.data_shape) + 1))
        squared, absolute = tf.reduce_sum(error**2, axes), tf.reduce_mean(tf.abs(error), axes)
        return {"loss": squared, "squared_error_sum": squared, "absolute_error_mean": absolute}
