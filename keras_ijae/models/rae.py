"""The regularised auto-encoder: deterministic, with a smooth decoder and a density fitted to its codes."""

import math
from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.game import Move, Phase, Played, Preset
from keras_ijae.game.roles import DECODER
from keras_ijae.keras_internals import sublayers
from keras_ijae.layers import spectral_layers
from keras_ijae.models.ae import AutoEncoding, AutoEncodingArguments, EncoderDecoder
from keras_ijae.networks import Networks

WEIGHTS = {"l2": 1e-4, "gradient": 0.1, "gradient_code": 3e-6}
"""Of the regularisers that are terms, where no weight is given."""
REGULARIZERS = (*WEIGHTS, "spectral")
SLOPES = ("gradient", "gradient_code")
BETAS = {"spectral": 9e-3, None: 5e-4}
"""The authors' for MNIST, of means over pixels and codes; with a term it is 1e-4."""
THEIRS = {"l2": 1e-7, "gradient_code": 5e-8}
"""The authors' weights of the terms, likewise."""


def _known(regularizer):
    return None if regularizer is None else checks.choice("regularizer", regularizer, REGULARIZERS, "None")


def _authors(model):
    return {"auto_encoder": keras.optimizers.Adam(5e-4)}


def _authors_arguments(given):
    """The weights that go with the regularizer that is asked for, of sums over the D pixels and the m codes."""
    regularizer = _known(given.get("regularizer", "l2"))
    pixels, size = math.prod(given["data_shape"]), given["latent_dim"]
    numbers = {"regularizer": regularizer, "beta": BETAS.get(regularizer, 1e-4) * 2 * pixels / size}
    if regularizer in THEIRS:
        numbers["regularizer_weight"] = THEIRS[regularizer] * pixels / (1 if regularizer == "l2" else size)
    return numbers


@keras.saving.register_keras_serializable("keras_ijae")
class RAE(EncoderDecoder):
    """Regularised auto-encoder: short codes, a smooth decoder, and a density that is fitted to the codes afterwards.

        L = E [ ||x - G(z)||^2 + beta/2 ||z||^2 ] + regularizer_weight R,    z = E(x)       sums over dimensions

    with R by `regularizer`:

        "l2"             the sum of G's squared kernels; biases and the gains of normalisation are left out
        "gradient"       E ||d G(z) / d z||_F^2
        "gradient_code"  E ||d ||G(z)||^2 / d z||^2: what the authors' code has under that name
        "spectral"       no term: each kernel of G is divided by its largest singular value
        None             no term: codes alone are kept short

    The gradients are estimated along one random direction of each code, and move E too. Samples need a density:
    `fit_prior(data, "gmm")` after training; with prior="gmm" (the system "rae_gmm") `fit_prior(data)` is the same.
    N(0, I), from which `sample` draws before, has not been told of the codes.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations. For "spectral" all its kernels are in spectral layers of `ki.layers`, as in
            the default one; for the gradients nothing in it lacks a second derivative, as bilinear upsampling does.
        regularizer: one of those above.
        beta: weight of the codes' length, at least 0; a run-time scalar.
        regularizer_weight: of R, at least 0; a run-time scalar. None: 1e-4 for "l2", 0.1 for "gradient", 3e-6 for
            "gradient_code"; there must be none for the others.
        auto_encoder: the rest is common to all systems, see `Game`.

    References:
        Ghosh et al. 2020, "From Variational to Deterministic Autoencoders", sections 3 and 4. Their code takes means
        over the D pixels and the m dimensions of a code, which are sums here: theirs times 2 D / m is beta, times D the
        weight of "l2", times D / m that of "gradient_code". Theirs are 1e-4, 1e-7 and 5e-8; and beta is 9e-3 with
        "spectral" and 5e-4 without a regulariser. For their MNIST (D = 32 x 32, m = 16) that is here 0.0128, 1.024e-4
        and 3.2e-6, and 1.152 and 0.064. It has no "gradient", whose weight here is a choice of this library; it decays
        no dense layer of G on MNIST, and normalises E spectrally too.
        preset="paper" is theirs for MNIST on networks of ours: "l2" or the `regularizer` that is asked for, with their
        weights by D and m of the model ("gradient" with the beta of "gradient_code"), batch normalisation, ReLU,
        Adam(5e-4). Not in it: E's spectral normalisation, their channels, 128 to 1,024 in four stages, padding to
        32 x 32, and the halving of the rate when validation has not improved for 5 epochs, which
        `keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=5)` does. Theirs are batches of 100. The defaults differ
        from the paper: group normalisation, leaky ReLU in E, Adam(1e-3).
    """

    ROLES = (AutoEncoding.ROLES[0], DECODER.but(spectral=lambda arguments: arguments["regularizer"] == "spectral"))
    PRESETS = {
        "paper": Preset(
            _authors,
            Networks(norm="batch", hidden_activation="relu"),
            _authors_arguments,
        )
    }
    UNCONDITIONAL = "nothing makes its codes independent of the label, so that none could be drawn for a label"

    def __init__(
        self,
        *,
        regularizer: str | None = "l2",
        beta: float = 0.01,
        regularizer_weight: float | None = None,
        **auto_encoder: Unpack[AutoEncodingArguments],
    ):
        super().__init__(**auto_encoder)
        self.regularizer = _known(regularizer)
        if self.regularizer not in WEIGHTS and regularizer_weight is not None:
            raise ValueError(
                f"Argument `regularizer_weight` must be None for regularizer={regularizer!r}, which is no term. "
                f"Received: regularizer_weight={regularizer_weight!r}"
            )
        self.beta = self.weight("beta", beta)
        weight = WEIGHTS.get(self.regularizer) if regularizer_weight is None else regularizer_weight
        self.regularizer_weight = self.weight("regularizer_weight", weight, optional=True)
        self.moves = (Move("auto_encoder", ("encoder", "decoder")),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()
        self._check_decoder()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def noise(self, draws):
        direction = {"direction": draws.normal("direction", self.latent_dim)} if self.regularizer in SLOPES else {}
        return {**super().noise(draws), **direction}

    def forward(self, batch, noise, phase):
        if self.regularizer not in SLOPES:
            return super().forward(batch, noise, phase)
        code = self.codes(batch.x, noise["code"], training=True)
        rec, slope = losses.pushed(lambda z: self.outputs(z, training=True), code, noise["direction"])
        return {"code": code, "rec": rec, "slope": slope}

    def losses(self, batch, noise, phase, forward):
        error = self.squared_error(batch.x, forward["rec"])
        decay = tf.reduce_mean(tf.reduce_sum(tf.cast(forward["code"], error.dtype) ** 2, axis=1)) / 2
        loss = error + tf.cast(tf.convert_to_tensor(self.beta), error.dtype) * decay
        played = Played({"auto_encoder": loss}, {"squared_error_sum": error, "code_decay_sum": decay})
        if self.regularizer_weight is not None:
            term = tf.cast(self._regularizer(forward), error.dtype)
            weight = tf.cast(tf.convert_to_tensor(self.regularizer_weight), error.dtype)
            played.penalties["auto_encoder"] = weight * term
            played.logs[f"{self.regularizer}_sum"] = term
        return played

    def _regularizer(self, forward):
        if self.regularizer == "l2":
            return tf.add_n([tf.reduce_sum(tf.convert_to_tensor(kernel) ** 2) for kernel in self._kernels()])
        slope = forward["slope"]
        if self.regularizer == "gradient_code":  # of ||G(z)||^2
            slope = 2 * tf.reduce_sum(tf.reshape(forward["rec"] * slope, [tf.shape(slope)[0], -1]), 1, keepdims=True)
        return tf.reduce_mean(losses.jacobian_norm(slope, self.latent_dim))

    def _kernels(self):
        return [weight for weight in self.decoder.trainable_variables if len(weight.shape) > 1]

    def _check_decoder(self):
        if self.regularizer == "l2" and not self._kernels():
            raise ValueError("Network `decoder` must have kernels that are trained: regularizer='l2' decays them")
        if self.regularizer == "spectral":
            normalised = {id(layer) for layer in spectral_layers(self.decoder)}
            layers = [layer for layer in sublayers(self.decoder) if hasattr(layer, "kernel")]
            others = [layer.name for layer in layers if id(layer) not in normalised]
            if others or not layers:
                raise ValueError(
                    "Network `decoder` must have spectral layers alone for regularizer='spectral', as "
                    f"`ki.layers.SpectralDense`. Received: one with {others or 'no kernels'}"
                )
