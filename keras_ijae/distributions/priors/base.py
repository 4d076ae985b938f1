"""What every prior shares."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.checks import size
from keras_ijae.distributions._given import check_arguments, number_of_rows, seed_or_key, table
from keras_ijae.distributions._owned import Owned
from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.supports import REALS, Support


class Prior(Owned, keras.layers.Layer):
    """p(z), a distribution of codes: a Keras layer, so that its weights are saved, averaged and moved like a network's.

    A subclass defines `sample` and, where the density is known, `log_prob`, which see only arguments that have been
    checked; its noise comes from `keras_ijae.random` alone, so that the first rows of a sample do not depend on its
    size. Weights are added in `__init__`, after `super().__init__`; those that are trainable are moved by the systems
    whose loss has the density in it, and refused by others. A subclass that is registered with
    `keras.saving.register_keras_serializable` can be used wherever a prior is taken.

    Attributes:
        has_log_prob: whether `log_prob` is defined.
        can_fit: whether `fit(given, seed)` makes it the distribution of the codes of data.
        fits: what `fit` is given: "codes", an array (n, latent_dim) of those with noise zero; "draws", a function of
            the number of a pass, which gives such an array with codes drawn anew, for priors that go over the codes
            several times (of deterministic encoders they are always the same); "observations", a function of k, which
            gives an array of k rows of the data, chosen at random.
        support: where the codes are: (low, high) of every dimension, `REALS` for all of R^latent_dim; or "sphere",
            where `log_prob` is a density of the sphere's surface and not of R^latent_dim; or a name of your own, which
            fits posteriors of that name.
        variance: of one dimension, by which kernels that compare codes are scaled; 1 unless a subclass says otherwise.
        density_noise_dim: 0 where `log_prob(z)` is exact. Else the size of the normal noise, of each code, from which
            `log_prob(z, noise)` bounds or estimates it.
        density_noise_rows: 0 where that noise is each code's own. Else it is one sample of so many rows for all codes
            of a training step, on all replicas the same; outside training the density is `log_prob(z)`.
        of_one_model: whether it is made of its model's networks, so that no second model can have it. One with weights
            that training moves has one model in any case: the first that is made with it, for good. Whether that still
            exists does not matter, as nobody can say: what a notebook keeps, a `History` too, holds models.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    has_log_prob: bool = True
    can_fit: bool = False
    fits: str = "codes"
    support: Support = REALS
    variance: Any = 1.0
    density_noise_dim: int = 0
    density_noise_rows: int = 0
    _argument = "prior"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_arguments(cls, sample=(_number, _seed), log_prob=(Prior._codes,))

    def __init__(self, latent_dim: int, **options: Any) -> None:
        super().__init__(**options)
        self.latent_dim = size("latent_dim", latent_dim)
        self.built = True

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one code, `(latent_dim,)`."""
        return (self.latent_dim,)

    @property
    def fits_codes(self) -> bool:
        """Whether it is fitted to codes or learned with them: then it is one density for the codes of all labels."""
        return self.can_fit or bool(self.trainable_variables)

    def check_fit(self) -> None:
        """Raises ValueError where it cannot be fitted to codes of this size: asked before training, not after it."""

    def belong_to(self, model: Any) -> None:
        """Become the prior, or the sampling prior, of `model`, by `bind`.

        Raises:
            ValueError: it is another model's, which trains its weights or whose networks it is made of.
        """
        self.check_free()
        self.bind(model)

    def bind(self, model: Any) -> None:
        """Called by the model whose prior, or sampling prior, it is; not called for one that stands alone.

        A prior that depends on the model's networks or sizes keeps here what gives them, hidden from Keras (in a
        function), so that they are not saved twice; and adds weights whose shapes it did not know before. The networks
        and `data_shape` of the model are there, its posterior when methods are called. It is called again, with the
        next model, where no model came of a call, as its other arguments were refused: what it kept is replaced.

        Args:
            model: a `GenerativeModel`.
        """

    def check(self) -> None:
        """Called when the model that it is bound to is whole: ValueError where samples of its codes cannot be drawn."""

    @property
    def lenders(self) -> tuple[keras.layers.Layer, ...]:
        """The networks of its model that `sample` uses: exported with it."""
        return ()

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        """`n` codes, `(n, latent_dim)` float32, a function of the weights, `n` and `seed` alone.

        Row i does not depend on `n`, by any bit, nor on whether it is compiled: compute in float64 and round once.

        Args:
            n: an int of at least 0, or an int scalar array or tensor.
            seed: an int of 64 bits, an int scalar array or tensor, or a `(2,)` int32 key.

        Raises:
            ValueError: anything else.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `sample(n, seed)`.")

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        """Log-density of codes `(batch, latent_dim)` in nats, `(batch,)`; float64 where `z` is, else float32.

        A subclass sees `z` as a tensor of one of these two types.

        Raises:
            ValueError: codes of another shape, or no numbers.
            NotImplementedError: where `has_log_prob` is False.
        """
        raise NotImplementedError(f"{type(self).__name__} has no density `log_prob(z)`.")

    def has_kl(self, posterior: Any) -> bool:
        """Whether KL(q(z | x) || p(z)) is in closed form for this `Posterior` q."""
        return False

    def kl(self, posterior: Any, params: tf.Tensor) -> tf.Tensor:
        """KL(q(z | x) || p(z)) in nats, `(batch,)`, in closed form, where `has_kl(posterior)`.

        Args:
            posterior: q.
            params: `(batch, posterior.units)`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no closed form `kl(posterior, params)`.")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "latent_dim": self.latent_dim}

    def _kept(self, name: str, start: Any) -> keras.Variable:
        """A float32 weight that no optimizer moves, the same on all replicas: saved and exported with the model."""
        start = np.asarray(start, "float32")
        return self.add_weight(
            start.shape,
            lambda shape, dtype: tf.constant(start, dtype),
            dtype="float32",
            trainable=False,
            autocast=False,
            name=name,
            aggregation="only_first_replica",
        )

    def _given_codes(self, given: Any, number: int = 0, least: int = 2, remedy: str = "") -> np.ndarray:
        """The codes of pass `number` that `fit` was given, as float64; an error where there are too few to fit to.

        Args:
            given: an array of codes, or a function of the number of a pass that gives one.
            number: of the pass.
            least: number of codes.
            remedy: what the error says of it.
        """
        codes = given(number) if callable(given) else given
        try:
            codes = np.asarray(codes, "float64")
        except (TypeError, ValueError) as error:  # NumPy's, of what is no array of numbers
            raise ValueError(
                f"Argument `codes` must be numbers of shape (n, {self.latent_dim}), or a function of the number of a "
                f"pass that gives such. Received: {codes!r:.200}"
            ) from error
        if codes.ndim != 2 or codes.shape[1] != self.latent_dim or len(codes) < least:
            raise ValueError(
                f"Argument `codes` must have shape (n, {self.latent_dim}), n at least {least}{remedy}. Received: "
                f"shape {codes.shape}"
            )
        if not np.isfinite(codes).all():
            raise ValueError(f"Argument `codes` must be finite. Received: {np.count_nonzero(~np.isfinite(codes))} not")
        return codes

    def _codes(self, z: Any) -> tf.Tensor:
        return widen(table("z", z, self.latent_dim))


def _number(prior, n):
    return number_of_rows(n)


def _seed(prior, n, seed):
    return seed_or_key(seed)
