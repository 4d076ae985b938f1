"""How systems read the names of their conditionals: q(z|x) of the encoder, p(x|z) of the decoder."""

from typing import Any

import keras

from keras_ijae.distributions import likelihoods, posteriors
from keras_ijae.distributions.likelihoods import Likelihood
from keras_ijae.distributions.posteriors import Posterior
from keras_ijae.game.networks import noise_dim

WITHOUT_DENSITY = ("implicit", "deterministic")


def posterior(kind: Any, encoder: keras.layers.Layer, latent_dim: int, classes: int | None = None) -> Posterior | None:
    """The explicit posterior that `kind` names; None for "implicit" and "deterministic".

    Raises:
        ValueError: an unknown name, or an encoder whose number of inputs does not fit: implicit ones have two.
    """
    family = None if kind in WITHOUT_DENSITY else posteriors.get(kind, latent_dim)
    _check_inputs("posterior", kind, "encoder", encoder, classes)
    return family


def likelihood(
    kind: Any, decoder: keras.layers.Layer, data_shape: tuple[int, ...], classes: int | None = None
) -> Likelihood | None:
    """The explicit likelihood that `kind` names; None for "implicit" and "deterministic".

    Raises:
        ValueError: an unknown name; a likelihood without a density or of discrete data, through whose draws no gradient
            flows; or a decoder whose number of inputs does not fit: implicit ones have two.
    """
    explicit = None if kind in WITHOUT_DENSITY else likelihoods.get(kind, data_shape)
    if explicit is not None and (explicit.discrete or not explicit.has_log_prob):
        raise ValueError(
            f"Argument `likelihood` must be 'implicit', 'deterministic' or, of data that are not discrete, have a "
            f"density. Received: {kind!r}"
        )
    _check_inputs("likelihood", kind, "decoder", decoder, classes)
    return explicit


def check_implicit_encoder(encoder: keras.layers.Layer, classes: int | None = None) -> None:
    """ValueError unless the encoder takes noise: the codes of others have no density."""
    if not noise_dim(encoder, classes is not None):
        raise ValueError(
            "Network `encoder` must take noise beside x: else q(z|x) has no density and its KL is infinite. Give it "
            f"{_inputs('x', 'implicit', classes)} as inputs"
        )


def _check_inputs(argument, kind, role, network, classes):
    noise = noise_dim(network, classes is not None) > 0
    if noise != (kind == "implicit"):
        has, remedy = ("takes noise", "'implicit'") if noise else ("takes none", "'deterministic' or an explicit one")
        sees = "x" if role == "encoder" else "z"
        raise ValueError(
            f"Argument `{argument}`={kind!r} does not fit the {role}, which {has} beside {sees}. Give the {role} "
            f"{_inputs(sees, kind, classes)} as inputs, or pass {argument}={remedy}"
        )


def _inputs(sees, kind, classes):
    parts = [sees, *(["noise"] if kind == "implicit" else []), *([] if classes is None else ["labels"])]
    return f"[{', '.join(parts)}]" if len(parts) > 1 else sees
