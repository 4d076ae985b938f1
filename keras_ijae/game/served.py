"""A model's functions on tensors with its weights as they are now: what every format of `export` is made from."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_ijae.game.frozen import Frozen
from keras_ijae.keras_internals import sublayers

DRAWN = -2
"""Label of a sample whose label is drawn as often as it came in training: a SavedModel keeps numbers as defaults."""

_IMAGES = "Argument `x` must be images in [0, 1]. Divide uint8 images by 255. Received: least and largest value"

Functions = dict[str, tuple[Callable, list[tf.TensorSpec]]]

_LABELS = tf.TensorSpec(None, tf.int32, "labels")  # of any rank: one for all rows, or one for each


class Served:
    """A model's functions, as they are exported. Labels are int32 (n,), -1 for unknown, of conditional models alone.

    Args:
        model: a `GenerativeModel`.

    Attributes:
        weights: the variables that the functions read.
        types: names of the floating types that the layers compute in.
    """

    def __init__(self, model: Any):
        layers = [*(model.coders if model.has_encoder else ()), model.decoder, model.sampling_prior]
        layers += [*model.sampling_prior.lenders, model.observation_model, model.label_counts]
        self._model = model
        layers = [layer for layer in layers if layer is not None]
        self._frozen = Frozen(layers, model.averages)
        self.weights = self._frozen.variables
        self.types = {inner.compute_dtype for layer in layers for inner in sublayers(layer)}

    def sample_codes(self, n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The codes of `sample(n, seed)`, (n, latent_dim)."""
        return self._serve("prior", n, seed)

    def encode(self, x: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """Codes (n, latent_dim), the encoder's noise being zero."""
        return self._serve("encode", x, self._model.code_noise(tf.shape(x)[0], None), self._one_hot(labels))

    def decode(self, z: tf.Tensor, labels: tf.Tensor | None = None, noise: tf.Tensor | None = None) -> tf.Tensor:
        """Observations (n, *data_shape); noise, of implicit decoders, (n, decoder_noise_dim), None: zero."""
        noise = self._model.decoder_noise(tf.shape(z)[0], None) if noise is None else noise
        return self._serve("decode", z, noise, self._one_hot(labels))

    def reconstruct(self, x: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """decode(encode(x))."""
        return self.decode(self.encode(x, labels), labels)

    def sample(self, n: tf.Tensor, seed: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """n observations; a conditional model needs their labels."""
        return self.decode(self.sample_codes(n, seed), labels, self._model.decoder_noise(n, seed))

    def draw_labels(self, n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """n labels, int32, as often as they came in training."""
        with self._frozen.scope():
            return self._model.label_counts.sample(n, seed)

    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """name -> function of named tensors, which gives a dictionary, as SavedModels are served."""
        seeded, of_x, of_z = self.specs("prior"), self.specs("encode"), self.specs("decode")
        found: Functions = {
            "sample": (lambda n, seed: {"observations": self.sample(n, seed)}, seeded),
            "sample_codes": (lambda n, seed: {"codes": self.sample_codes(n, seed)}, seeded),
        }
        if self._model.classes is not None:
            found["sample"] = (self._sample_and_labels, seeded)
            found["sample_labels"] = (self._sample_labels, [of_z[-1], seeded[1]])
        found["decode"] = (lambda z, labels=None: {"observations": self.decode(z, labels)}, of_z)
        if self._model.has_encoder:
            found["encode"] = (lambda x, labels=None: {"codes": self.encode(x, labels)}, of_x)
            found["reconstruct"] = (lambda x, labels=None: {"observations": self.reconstruct(x, labels)}, of_x)
        return _compiled(found)

    def deterministic(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """Those of `signatures` that draw nothing; `decode` of implicit decoders takes its noise as an argument."""
        found = self.signatures()
        if noise_dim := self._model.decoder_noise_dim:
            specs = self.specs("decode")
            specs.insert(1, tf.TensorSpec([None, noise_dim], name="noise"))
            found |= _compiled({"decode": (self._decode_noise, specs)})
        return {name: found[name] for name in ("encode", "decode", "reconstruct") if name in found}

    def methods(self, signatures: dict[str, Any]) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """name -> function that gives a tensor, as the model's method of that name has it, of tensors or arrays.

        That of a conditional model named `sample_labels` gives samples of given labels.

        Those of images raise InvalidArgumentError where these are not in [0, 1], as uint8 ones of 0..255.

        Args:
            signatures: those of `signatures()`, which do the work.
        """
        seeded, x, z = self.specs("prior"), self.specs("encode")[:1], self.specs("decode")[:1]
        if self._model.classes is not None:
            return self._conditional_methods(signatures, seeded, x, z)
        found: Functions = {
            "sample": (lambda n, seed=0: signatures["sample"](n, seed)["observations"], seeded),
            "decode": (lambda z: signatures["decode"](z)["observations"], z),
        }
        if self._model.has_encoder:
            found["encode"] = (lambda x: signatures["encode"](self._checked(x))["codes"], x)
            found["reconstruct"] = (lambda x: signatures["reconstruct"](self._checked(x))["observations"], x)
        return _compiled(found)

    def _conditional_methods(self, signatures, seeded, x, z):
        """Their labels are one for all rows, or one for each."""

        def of_rows(name, output, rows, labels):
            return signatures[name](rows, tf.broadcast_to(labels, tf.shape(rows)[:1]))[output]

        def sample(n, seed=0, labels=DRAWN):
            labels = tf.broadcast_to(labels, [n])
            labels = tf.where(labels == DRAWN, self.draw_labels(n, seed), labels)
            return signatures["sample_labels"](labels, seed)["observations"]

        given = [tf.TensorSpec([None], tf.int32, "labels"), seeded[1]]
        x, z = [*x, _LABELS], [*z, _LABELS]
        found: Functions = {
            "sample": (sample, [*seeded, _LABELS]),
            "sample_labels": (lambda labels, seed=0: signatures["sample_labels"](labels, seed)["observations"], given),
            "decode": (lambda z, labels: of_rows("decode", "observations", z, labels), z),
        }
        if self._model.has_encoder:
            found["encode"] = (lambda x, labels: of_rows("encode", "codes", self._checked(x), labels), x)
            found["reconstruct"] = (
                lambda x, labels: of_rows("reconstruct", "observations", self._checked(x), labels),
                x,
            )
        return _compiled(found)

    def specs(self, name: str) -> list[tf.TensorSpec]:
        """The arguments of an endpoint with integer labels, and without noise."""
        specs = [spec for spec in self._model.endpoints.signature(name) if spec.name not in ("noise", "labels")]
        labelled = name != "prior" and self._model.classes is not None
        return [*specs, tf.TensorSpec([None], tf.int32, "labels")] if labelled else specs

    def _sample_labels(self, labels, seed):
        return {"observations": self.sample(tf.shape(labels)[0], seed, labels)}

    def _decode_noise(self, z, noise, labels=None):
        return {"observations": self.decode(z, labels, noise)}

    def _sample_and_labels(self, n, seed):
        labels = self.draw_labels(n, seed)
        return {"observations": self.sample(n, seed, labels), "labels": labels}

    def _serve(self, name, *arguments):
        with self._frozen.scope():
            return self._model.endpoints.pure(name, *(part for part in arguments if part is not None))

    def _checked(self, x):
        if len(self._model.data_shape) == 3:
            good = tf.reduce_all((x >= 0) & (x <= 1))
            tf.debugging.Assert(good, [_IMAGES, tf.reduce_min(x), tf.reduce_max(x)])
        return x

    def _one_hot(self, labels):
        """Not by `tf.one_hot`: in ONNX -1 is the last class, here it is none."""
        if labels is None:
            return None
        return tf.cast(labels[:, None] == tf.range(self._model.classes), tf.float32)


def _compiled(functions):
    return {name: tf.function(function, specs, autograph=False) for name, (function, specs) in functions.items()}
