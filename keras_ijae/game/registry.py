"""`create`, which builds a system of the table with default networks; and what else needs the whole table."""

import difflib
import inspect
import os
from typing import Any

from keras_ijae.models.entries import ENTRIES


def list_models() -> dict[str, str]:
    """name -> one line, of every system that `create` makes."""
    return {name: entry.help for name, entry in ENTRIES.items()}


_NO_FILE = "Argument `path` must be a .keras file of this package."


def register() -> None:
    """Import every system: Keras finds in a file only classes that have been imported."""
    for entry in ENTRIES.values():
        entry.load()


def load_model(path: str | os.PathLike) -> Any:
    """A model from a `.keras` file, whole: networks, averages, optimizers, step number.

    `keras.models.load_model` does the same; this one says more clearly what is wrong with a bad file.

    Raises:
        ValueError: the file is missing, corrupt, or holds no model of this package.
    """
    import keras

    from keras_ijae.models.game import Game

    register()
    try:
        model = keras.models.load_model(path)
    except Exception as error:  # a bad file fails in as many ways as there are readers
        raise ValueError(f"{_NO_FILE} Received: {path!s}, which fails with {error}") from error
    if not isinstance(model, Game):
        raise ValueError(f"{_NO_FILE} Received: {path!s}, a {type(model).__name__}")
    return model


def create(
    name: str,
    data_shape: tuple[int, ...],
    latent_dim: int,
    networks: str = "auto",
    width: int | None = None,
    norm: str = "group",
    spectral: bool = True,
    **arguments: Any,
):
    """A system with default networks for the shape of the data.

    Args:
        name: a system of `list_models()`.
        data_shape: (height, width, channels) of images in [0, 1], or (features,).
        latent_dim: size of a code, at least 1.
        networks: "auto", "mlp", "dcgan" or "resnet"; "auto" is mlp for vectors and small images, else dcgan.
        width: base number of channels, or of hidden units for mlp; None: the family's own.
        norm: of encoder and decoder: "group", "batch", "layer" or "none"; discriminators have none.
        spectral: whether discriminators are spectrally normalised; critics never are.
        arguments: of the system, as in its class: `lam`, `likelihood`, `beta`, `seed`, ..., and networks of one's own
            by their roles, in the place of the default ones.

    Raises:
        ValueError: an unknown name or argument (the known ones are listed), or a value out of range.

    Example:
        model = ki.create("ijae", data_shape=(28, 28, 1), latent_dim=16)
    """
    entry = _entry(name)
    data_shape = _check_shape(data_shape, latent_dim)
    register()
    cls = entry.load()
    roles = [role for role in entry.roles if role.needed(arguments)]
    _check_arguments(name, arguments, cls, entry)
    arguments = {**entry.fixed, **arguments}
    built = {
        role.name: _build(role, cls, data_shape, latent_dim, networks, width, norm, spectral, arguments)
        for role in roles
        if role.name not in arguments
    }
    return cls(data_shape=data_shape, latent_dim=latent_dim, **built, **arguments)


def _entry(name):
    if name not in ENTRIES:
        near = difflib.get_close_matches(str(name), ENTRIES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown system {name!r}.{hint} Known: {', '.join(sorted(ENTRIES))}")
    return ENTRIES[name]


def _check_shape(data_shape, latent_dim):
    shape = tuple(data_shape)
    if len(shape) not in (1, 3) or not all(isinstance(size, int) and size > 0 for size in shape):
        raise ValueError(
            f"Argument `data_shape` must be (height, width, channels) or (features,). Received: {data_shape!r}"
        )
    if not isinstance(latent_dim, int) or latent_dim < 1:
        raise ValueError(f"Argument `latent_dim` must be an integer of at least 1. Received: {latent_dim!r}")
    return shape


def _check_arguments(name, arguments, cls, entry):
    known = set(inspect.signature(cls.__init__).parameters) - {"self", "data_shape", "latent_dim"}
    unknown = sorted(set(arguments) - known)
    if unknown:
        general = ("networks", "width", "norm", "spectral")
        near = [match for word in unknown for match in difflib.get_close_matches(word, [*known, *general], n=1)]
        hint = f" Did you mean {near}?" if near else ""
        raise ValueError(
            f"Unknown arguments {unknown} of {name!r}.{hint} Known: {', '.join(sorted({*known, *general}))}"
        )


def _build(role, cls, data_shape, latent_dim, family, width, norm, spectral, arguments):
    from keras_ijae import networks
    from keras_ijae.layers import LatentMask

    if role.inputs:
        shapes = {"x": data_shape, "y": data_shape, "z": (latent_dim,)}
        seen = {key: shapes[key] for key in role.inputs}
        spectral = spectral and role.kind == "discriminator"
        return networks.discriminator(family, seen, width=width, spectral=spectral, name=role.name)
    defaults = {key: parameter.default for key, parameter in inspect.signature(cls.__init__).parameters.items()}
    chosen = {**defaults, **arguments}
    if role.kind == "mask":
        return LatentMask(latent_dim, seed=chosen["seed"], name=role.name)
    if role.kind == "prior_generator":
        noise_dim = chosen["noise_dim"] or latent_dim
        return networks.decoder("mlp", (latent_dim,), noise_dim, width=width, norm="none", name=role.name)
    if role.kind == "decoder":
        activation, noise_dim = _decoder_outputs(_likelihood(chosen), data_shape, latent_dim)
        extra = {"noise_dim": noise_dim, "width": width, "norm": norm, "activation": activation, "name": role.name}
        return networks.decoder(family, data_shape, latent_dim, **extra)
    units, noise_dim = _encoder_outputs(chosen.get("posterior", "deterministic"), latent_dim)
    return networks.encoder(family, data_shape, units, noise_dim=noise_dim, width=width, norm=norm, name=role.name)


def _likelihood(chosen):
    """What the decoder's outputs parametrise; a reconstruction error with logits, too, is a likelihood."""
    logits = chosen.get("reconstruction") in ("auto", "cross_entropy")
    return "bernoulli" if logits else chosen.get("likelihood", "deterministic")


def _decoder_outputs(likelihood, data_shape, latent_dim):
    """The last activation, and the size of the noise input."""
    from keras_ijae.distributions import likelihoods

    noise_dim = latent_dim if likelihood == "implicit" else 0
    if len(data_shape) == 1:
        return "linear", noise_dim
    if likelihood in ("auto", "implicit", "deterministic"):
        return "sigmoid", noise_dim
    return likelihoods.get(likelihood, data_shape).image_activation, 0


def _encoder_outputs(posterior, latent_dim):
    """Number of outputs, and size of the noise input."""
    from keras_ijae.distributions import posteriors

    if posterior in ("implicit", "deterministic"):
        return latent_dim, latent_dim if posterior == "implicit" else 0
    return posteriors.get(posterior, latent_dim).units, 0
