"""Default networks for the roles of a system; no system is known here."""

import dataclasses
from typing import Any

import keras

from keras_ijae import checks
from keras_ijae.distributions import likelihoods, posteriors
from keras_ijae.game.roles import Arguments, Role, classes_of, shape_of, shapes
from keras_ijae.networks import Networks


def check_sizes(data_shape: Any, latent_dim: Any) -> tuple[int, ...]:
    """`data_shape` as a tuple, if it and `latent_dim` are sizes that networks can be built for; else ValueError."""
    checks.size("latent_dim", latent_dim)
    return checks.data_shape(data_shape)


def build(role: Role, arguments: Arguments, options: Networks) -> keras.Model:
    """The default network of a role.

    Args:
        role: whose; its `kind` decides the builder.
        arguments: all arguments of the system, sizes included.
        options: of the networks.
    """
    return _BUILDERS[role.kind](role, arguments, options)


def _encoder(role, arguments, options):
    kind, latent_dim = role.parametrises(arguments), arguments["latent_dim"]
    explicit = kind not in ("implicit", "deterministic")
    units = posteriors.get(kind, latent_dim).units if explicit else shape_of(role.gives, role, arguments)[0]
    noise = latent_dim if kind == "implicit" else 0
    classes = classes_of(role, arguments)
    further = {"noise_dim": noise, "classes": classes, "codes": not explicit}
    return options.encoder(arguments["data_shape"], units, **further, name=role.name)


def _decoder(role, arguments, options):
    kind, shape, (latent_dim,) = role.parametrises(arguments), arguments["data_shape"], shapes(role, arguments)[0]
    activation = "linear" if len(shape) == 1 else "sigmoid"
    if len(shape) == 3 and kind not in ("implicit", "deterministic"):
        activation = likelihoods.get(kind, shape).image_activation
    noise = latent_dim if kind == "implicit" else 0
    further = {"noise_dim": noise, "classes": classes_of(role, arguments), "activation": activation}
    further["spectral"] = role.spectral is not None and role.spectral(arguments)
    return options.decoder(shape, latent_dim, **further, name=role.name)


def _discriminator(role, arguments, options):
    if role.spectral is not None:
        options = dataclasses.replace(options, spectral=role.spectral(arguments))
    return options.discriminator(_seen(role, arguments), name=role.name)


def _critic(role, arguments, options):
    return options.discriminator(_seen(role, arguments), critic=True, name=role.name)


def _prior_generator(role, arguments, options):
    (size,) = shapes(role, arguments)[0]
    return options.prior_generator(arguments["latent_dim"], size, name=role.name)


def _seen(role, arguments):
    seen, classes = dict(zip(role.sees, shapes(role, arguments), strict=True)), classes_of(role, arguments)
    return {**seen, "labels": (classes,)} if classes else seen


_BUILDERS = {
    "encoder": _encoder,
    "decoder": _decoder,
    "discriminator": _discriminator,
    "critic": _critic,
    "prior_generator": _prior_generator,
}
