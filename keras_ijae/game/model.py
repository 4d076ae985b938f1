"""What a trained model does: encode, decode, reconstruct, sample, interpolate, for any number of rows."""

import os
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import checks, random
from keras_ijae.datasets.failing import in_words
from keras_ijae.distributions.priors import Prior
from keras_ijae.game import data, export, fitting
from keras_ijae.game.conditionals import Conditionals
from keras_ijae.game.data import Batch
from keras_ijae.game.endpoints import Endpoints
from keras_ijae.progress import showing


class GenerativeModel(Conditionals):
    """A decoder, perhaps an encoder, and a prior: what can be done with them once they are trained.

    Encoder and decoder are deterministic, implicit (with noise as a second input) or explicit: their outputs are then
    the parameters of `posterior_family` and `observation_model`. No method changes anything; all use the running
    average of the weights where there is one.

    A conditional model has `classes`, and its networks take labels. Where methods take observations x, the labels are
    then given as `labels`, or with x as (x, labels) or {"image": x, "label": labels}: integers (n,) in 0..classes-1, -1
    for unknown, one integer for all rows, or one-hot rows (n, classes).

    Attributes:
        encoder, decoder, prior: the networks and the density; a system without an encoder has None.
        data_shape, latent_dim: sizes of an observation and of a code.
        classes: K, how many labels a conditional model distinguishes; None: it takes no labels.
        label_counts: how often each came in training; None: it takes no labels.
        averaging: the running averages.
        posterior_family: what the encoder's outputs parametrise; None for implicit and deterministic encoders.
        observation_model: what the decoder's outputs parametrise; None where they are observations.
        has_bounds: whether there are `elbo` and `importance_weighted_bound`.
        validated_by: what `val_loss` is, in words; None without an encoder: there is none.
        sampling_prior: what `sample` draws codes from: `prior`, or what `fit_prior` made.
        created_as: the name under which `ki.create` made it; None: its class was called.
        trained_on: the name of the data set that `fit` was given last, as `ki.datasets.load` returned it; None: it has
            no name, or there was none. Files of the model have it without directories, "folder:cats".
        HAS_LOG_RATIO: whether `log_ratio(z)` estimates the log-ratio of the codes of data to N(0, I).
        active_dims: indices of the latent dimensions in use, where the model knows them.
    """

    endpoints: Endpoints
    created_as: str | None = None
    trained_on: str | None = None

    def encode(self, x: Any, seed: int | None = None, labels: Any = None) -> np.ndarray:
        """Codes (n, latent_dim) of observations (n, ...).

        Args:
            x: images in [0, 1] or vectors.
            seed: of the encoder's noise. None: noise zero, which for explicit posteriors is their mean, for
                implicit encoders their central code.
            labels: of `x`, for conditional models.

        Raises:
            ValueError: the system has no encoder, or `x` or `labels` do not fit.
        """
        self._need_encoder("encode")
        seed = None if seed is None else checks.seed(seed)
        x, labels = self.labelled(x, labels)
        return self.endpoints.in_chunks("encode", x, self.code_noise(x.shape[0], seed), labels)

    def decode(self, z: Any, seed: int | None = None, labels: Any = None) -> np.ndarray:
        """Observations (n, *data_shape) for codes (n, latent_dim): the likelihood's mean where there is one.

        Args:
            z: codes.
            seed: of the noise of implicit decoders, on which others do not depend. None: noise zero.
            labels: of what is decoded, for conditional models.

        Raises:
            ValueError: `z` or `labels` do not fit.
        """
        z, seed = data.observations(z, (self.latent_dim,), "z"), None if seed is None else checks.seed(seed)
        labels = self._one_hot(labels, z.shape[0])
        return self.endpoints.in_chunks("decode", z, self.decoder_noise(z.shape[0], seed), labels)

    def reconstruct(self, x: Any, seed: int | None = None, labels: Any = None) -> np.ndarray:
        """decode(encode(x, seed), seed), with the same labels: shape of `x`."""
        self._need_encoder("reconstruct")
        x, labels = self.labelled(x, labels)
        return self.decode(self.encode(x, seed, labels), seed, labels)

    def sample(self, n: int, seed: int = 0, labels: Any = None, observation: str = "mean") -> np.ndarray:
        """n observations from the model: a function of the weights, n and seed alone.

        The first k codes do not depend on n, bit for bit. Implicit decoders have noise: this is decode(codes, seed).

        Args:
            n: how many, at least 1.
            seed: of the codes, of an implicit decoder's noise, and of the likelihood's.
            labels: what is sampled, for conditional models: one label for each of the n, or one for all. None: those of
                `sample_labels(n, seed)`.
            observation: "mean" of the likelihood, or "draw": sampled from it, images also outside of [0, 1]. Both are
                the decoder's output where there is no likelihood.
        """
        n, seed = checks.whole("n", n), checks.seed(seed)
        checks.choice("observation", observation, ("mean", "draw"))
        labels = self.sample_labels(n, seed) if labels is None and self.classes is not None else labels
        z, labels = self.endpoints.codes_of_samples(n, seed), self._one_hot(labels, n)
        if observation == "mean" or self.observation_model is None:
            return self.decode(z, seed, labels)
        uniform = [n, *self.observation_model.noise_shape(self.data_shape)]
        uniform = random.uniform(uniform, random.fold(seed, "observation"))
        return self.endpoints.in_chunks("draw", z, self.decoder_noise(n, seed), labels, uniform)

    def sample_labels(self, n: int, seed: int = 0) -> np.ndarray:
        """n labels, int32, as often as they came in training, before it all alike: those of `sample(n, seed)`.

        Raises:
            ValueError: the model takes no labels.
        """
        if self.label_counts is None:
            raise ValueError("The model takes no labels: create it with `classes`, where the system can be conditional")
        return self.label_counts.sample(checks.whole("n", n), seed).numpy()

    def interpolate(self, a: Any, b: Any, steps: int = 8, labels: Any = None) -> np.ndarray:
        """From observations `a` to `b`, (n, ...) each, on a line between their codes: (n, steps, ...), steps >= 2.

        A conditional model takes them with their labels, (a, its labels) and (b, its labels), and decodes with
        `labels`, by default those of `a`.
        """
        steps = checks.whole("steps", steps, 2)
        start, end = self.encode(a), self.encode(b)
        if len(start) != len(end):
            raise ValueError(
                f"Arguments `a` and `b` must have equal numbers of rows. Received: {len(start)} and {len(end)}"
            )
        line = np.linspace(0, 1, steps, dtype="float32")[:, None]
        codes = (start[:, None] * (1 - line) + end[:, None] * line).reshape(-1, self.latent_dim)
        labels = self._one_hot(data.labels_in(a) if labels is None and self.classes else labels, len(start))
        labels = None if labels is None else tf.repeat(labels, steps, axis=0)
        return self.decode(codes, labels=labels).reshape(len(start), steps, *self.data_shape)

    def posterior(self, x: Any, labels: Any = None) -> Any:
        """q(z|x) as a TFP distribution with batch shape (n,).

        Raises:
            ValueError: the encoder is not explicit, or `x` or `labels` do not fit.
            NotImplementedError: the posterior is no TFP distribution, as "planar".
        """
        if self.posterior_family is None:
            raise ValueError(
                f"{type(self).__name__} has no explicit posterior q(z|x) here: create it with posterior='diagonal' or "
                "'full', where the system takes that argument"
            )
        batch = self.labelled(x, labels)
        with self.averaged():
            params = [self.parameters(*some) for _, some in batch.in_parts()]
            return self.posterior_family.distribution(tf.concat(params, 0))

    def reconstruction_error(self, x: Any, labels: Any = None) -> np.ndarray:
        """Squared error of the reconstruction, summed over dimensions: (n,)."""
        self._need_encoder("reconstruct")
        x, labels = self.labelled(x, labels)
        return np.sum((x.numpy() - self.reconstruct(x, labels=labels)).reshape(x.shape[0], -1) ** 2, axis=1)

    @in_words("Fitting a prior")
    def fit_prior(self, data: Any, prior: Prior | str | None = None, seed: int = 0, progress: bool = False) -> None:
        """Fit a density to the codes of `data` after training; `sample` and `export` then use it.

        Codes have their noise, those of an explicit posterior are drawn from q(z|x): it is a density of all of them. It
        becomes `sampling_prior` and is saved with the model. `prior` stays as it is, and with it losses, bounds and
        further training. Call again to fit another, or the same to what the codes have become.

        Args:
            data: a finite `tf.data.Dataset`, array or `PyDataset` of what `fit` takes.
            prior: what is fitted: "gmm" (10 Gaussians with full covariances), "normal" (one), "flow" (a `MAF`),
                "two_stage" (a second VAE), "vamp" (the posteriors of 64 rows of `data`), "sphere" (at the codes' mean
                radius), or a `Prior` with `can_fit`, of which a copy is fitted. None: that which samples are drawn
                from, if it can be fitted.
            seed: of the fit, at least 0.
            progress: show bars.

        Raises:
            ValueError: there is no encoder, `prior` is none that can be fitted or has another `latent_dim`, `data` do
                not fit or never end, codes are not finite or too few. Nothing has changed then.

        Example:
            model.fit_prior(train, "gmm")
        """
        self._need_encoder("fit a prior")
        checks.flag("progress", progress)
        with showing(progress):
            self._sample_from(fitting.fitted(self, data, prior, seed))

    def export(
        self,
        path: str | os.PathLike,
        overwrite: bool = False,
        format: str = "savedmodel",
        about: dict[str, Any] | None = None,
    ) -> None:
        """Write what serves without this package and without Keras: a directory.

        "savedmodel": `m = tf.saved_model.load(path)` has `m.sample(16, seed=0)` and `m.decode(z)`, with an encoder also
        `m.encode(x)` and `m.reconstruct(x)`, for any number of rows, which give tensors; those of a conditional model
        take `labels` as well, and it has `m.sample_labels(labels, seed=0)`. Signatures, for servers: `sample(n, seed)`
        (int32 scalars; also `serving_default`) and `decode(z)` give "observations", `sample_codes(n, seed)` the "codes"
        of that sample; `encode(x)` gives "codes" and `reconstruct(x)` "observations". Of a conditional model `decode`,
        `encode` and `reconstruct` take `labels`, int32 (n,) with -1 for unknown, `sample` gives its "labels" too, and
        `sample_labels(labels, seed)` samples given ones.

        "onnx": `encode.onnx`, `decode.onnx` and `reconstruct.onnx`, with inputs and outputs as of the signatures.
        "tflite": `model.tflite` with these three as its signatures. They draw nothing: samples are decoded from codes
        that are given, N(0, I) for the prior "normal", and an implicit decoder takes its `noise` as an input.

        Numbers are those of the methods of the same name, codes of `sample` bit for bit; `keras_ijae.json` says what
        the model is (of a SavedModel in `assets.extra`).

        Args:
            path: directory to be made; written under a temporary name and renamed.
            overwrite: whether an earlier export, or another SavedModel, is replaced; anything else stays.
            format: "savedmodel", "onnx" (needs the extra `onnx`) or "tflite".
            about: further metadata, such as {"dataset": "mnist"}.

        Raises:
            FileExistsError: `path` exists, and `overwrite` is not set, or it is no earlier export.
            ValueError: there is no such format, it cannot hold the model's operations, or its converter is missing.
        """
        export.export_model(self, path, overwrite, format, about)

    def export_encoder(
        self, path: str | os.PathLike, overwrite: bool = False, about: dict[str, Any] | None = None
    ) -> None:
        """Write the encoder as a SavedModel for reuse, frozen or fine-tuned.

        `tf.saved_model.load(path)` and `tensorflow_hub.load(path)` give an object that is callable as
        `(x, training=False)` and has `trainable_variables`;
        `keras.layers.TFSMLayer(path, call_training_endpoint="serve_training")` is a layer; Adam, like all that keep
        moments, refuses the names of its weights (Keras 3.15.1) and takes those of `examples/reuse_encoder.py`.
        Codes are those of `encode(x)`: noise zero. In the place of x that of a conditional model takes [x, labels] or a
        tuple of them. x is float32 or float64, labels are int32 or int64; other types raise ValueError.

        Args: as of `export`. Raises: the same, and ValueError for a system without an encoder.
        """
        self._need_encoder("export an encoder")
        export.export_encoder(self, path, overwrite, about)

    def labelled(self, x: Any, labels: Any = None) -> Batch:
        """Observations, checked, with one-hot labels for a conditional model: those given, else those that `x` has."""
        given = data.labels_in(x) if labels is None and self.classes is not None else labels
        x = data.observations(data.unpack(x), self.data_shape)
        return Batch(x, self._one_hot(given, x.shape[0]))

    def _one_hot(self, labels, rows):
        if self.classes is None and labels is not None:
            raise ValueError(
                "Argument `labels` is not taken: the model has no classes. Create it with `classes`, where the system "
                f"can be conditional. Received: labels={labels!r:.80}"
            )
        if self.classes is None:
            return None
        if labels is not None and not isinstance(labels, dict) and np.ndim(labels) == 0:
            labels = np.full(rows, labels)
        return data.one_hot(labels, self.classes, "float32", rows)

    def _need_encoder(self, method):
        if not self.has_encoder:
            raise ValueError(
                f"{type(self).__name__} has no encoder, so it cannot {method}. Auto-encoders do, as 'vae' or 'ijae'"
            )
