"""Default networks for the roles of a system; no system is known here."""

from typing import Any

import keras

from keras_ijae import checks, networks
from keras_ijae.distributions import likelihoods, posteriors
from keras_ijae.game.roles import Arguments, Role, shapes


def check_sizes(data_shape: Any, latent_dim: Any) -> tuple[int, ...]:
    """`data_shape` as a tuple, if it and `latent_dim` are sizes that networks can be built for; else ValueError."""
    shape = tuple(data_shape) if isinstance(data_shape, tuple | list) else ()
    if len(shape) not in (1, 3) or not all(isinstance(s, int) and not isinstance(s, bool) and s > 0 for s in shape):
        raise ValueError(
            f"Argument `data_shape` must be (height, width, channels) or (features,). Received: {data_shape!r}"
        )
    checks.whole("latent_dim", latent_dim)
    return shape


def build(role: Role, arguments: Arguments, networks: str, width: int | None, norm: str, spectral: bool) -> keras.Model:
    """The default network of a role.

    Args:
        role: whose; its `kind` decides the builder.
        arguments: all arguments of the system, sizes included.
        networks, width, norm, spectral: as of `ki.create`.
    """
    return _BUILDERS[role.kind](role, arguments, networks, width, norm, spectral)


def _encoder(role, arguments, family, width, norm, spectral):
    kind, latent_dim = role.parametrises(arguments), arguments["latent_dim"]
    explicit = kind not in ("implicit", "deterministic")
    return networks.encoder(
        family,
        arguments["data_shape"],
        posteriors.get(kind, latent_dim).units if explicit else latent_dim,
        noise_dim=latent_dim if kind == "implicit" else 0,
        width=width,
        norm=norm,
        name=role.name,
    )


def _decoder(role, arguments, family, width, norm, spectral):
    kind, shape, latent_dim = role.parametrises(arguments), arguments["data_shape"], arguments["latent_dim"]
    activation = "linear" if len(shape) == 1 else "sigmoid"
    if len(shape) == 3 and kind not in ("implicit", "deterministic"):
        activation = likelihoods.get(kind, shape).image_activation
    return networks.decoder(
        family,
        shape,
        latent_dim,
        noise_dim=latent_dim if kind == "implicit" else 0,
        width=width,
        norm=norm,
        activation=activation,
        name=role.name,
    )


def _discriminator(role, arguments, family, width, norm, spectral):
    seen = dict(zip(role.sees, shapes(role, arguments), strict=True))
    return networks.discriminator(family, seen, width=width, spectral=spectral, name=role.name)


def _critic(role, arguments, family, width, norm, spectral):
    return _discriminator(role, arguments, family, width, norm, spectral=False)


def _prior_generator(role, arguments, family, width, norm, spectral):
    (size,) = shapes(role, arguments)[0]
    return networks.decoder("mlp", (arguments["latent_dim"],), size, width=width, norm="none", name=role.name)


_BUILDERS = {
    "encoder": _encoder,
    "decoder": _decoder,
    "discriminator": _discriminator,
    "critic": _critic,
    "prior_generator": _prior_generator,
}
