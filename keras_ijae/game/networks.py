"""What is checked of the networks that a system is given."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import whole
from keras_ijae.distributions.likelihoods.base import image_problem
from keras_ijae.distributions.posteriors import POSTERIORS, Posterior
from keras_ijae.game.roles import Arguments, Role, classes_of, shape_of, shapes
from keras_ijae.keras_internals import sublayers

_ROWS = 32  # random codes for a first look at a decoder


def sizes(decoder: keras.layers.Layer, data_shape: tuple | None, latent_dim: int | None) -> tuple[tuple, int]:
    """`data_shape` and `latent_dim`, each read off the decoder where it is None."""
    try:
        data_shape = decoder.output_shape[1:] if data_shape is None else data_shape
        latent_dim = _inputs(decoder)[0].shape[-1] if latent_dim is None else latent_dim
        return tuple(whole("data_shape", size) for size in data_shape), latent_dim
    except (AttributeError, IndexError) as error:
        raise ValueError("Arguments `data_shape` and `latent_dim` are needed: the decoder does not say them") from error


def check_kinds(networks: dict[str, Any]) -> None:
    """ValueError where what is given in the place of a network is none."""
    for role, network in networks.items():
        if network is not None and not isinstance(network, keras.layers.Layer):
            raise ValueError(f"Argument `{role}` must be a network, a keras.Model. Received: {role}={network!r:.200}")


def noise_dim(network: keras.layers.Layer, labelled: bool = False) -> int:
    """Size of the second input of an encoder or decoder, which is its noise; 0 where it has none.

    Args:
        network: its inputs are x or z, perhaps noise, perhaps labels.
        labelled: whether its last input is labels.
    """
    inputs = _inputs(network)
    return int(inputs[1].shape[-1]) if len(inputs) > 1 + labelled else 0


def call(network: keras.layers.Layer, parts: Sequence[tf.Tensor | None], training: bool = False) -> tf.Tensor:
    """The network's outputs for its inputs in their order; None stands for one that it does not have.

    Those of half precision become float32: codes, logits and parameters are then computed with.
    """
    tensors = [part for part in parts if part is not None]
    return tf.nest.map_structure(_single, network(tensors if len(tensors) > 1 else tensors[0], training=training))


def check_presence(roles: tuple[Role, ...], networks: dict[str, Any], arguments: Arguments) -> None:
    """ValueError where a network is missing, or given where these arguments have no place for it."""
    for role in roles:
        network, needed = networks.get(role.name), role.is_needed(arguments)
        if needed == (network is not None):
            continue
        if role.because:
            verb = "needs a" if needed else "takes no"
            raise ValueError(f"Argument `{role.because}`={arguments[role.because]!r} {verb} `{role.name}`")
        raise ValueError(f"Argument `{role.name}` must be a network, {role.sees} to {role.gives}. Received: {network}")


def check_shapes(role: Role, network: keras.layers.Layer, arguments: Arguments, family: Posterior | None) -> None:
    """ValueError where a network does not map what it sees to what it gives.

    Args:
        role: of the network.
        network: what was given for it.
        arguments: of the system, sizes included.
        family: what an encoder's outputs are the parameters of; None: they are codes.
    """
    family = family if role.kind == "encoder" else None
    output = shape_of(role.gives, role, arguments) if family is None else (family.units,)
    inputs, classes = shapes(role, arguments), classes_of(role, arguments)
    noise = noise_dim(network, classes > 0) if role.takes_noise else 0
    inputs = [*inputs, *[(size,) for size in (noise, classes) if size]]
    wanted = " and ".join(str(tuple(shape)) for shape in inputs)
    try:
        found = tuple(call(network, [tf.zeros((1, *shape), keras.config.floatx()) for shape in inputs]).shape[1:])
    except Exception as error:  # a network fails in as many ways as there are layers
        raise ValueError(
            f"Network `{role.name}` must accept inputs of shape {wanted}. Received one with inputs "
            f"{getattr(network, 'input_shape', 'of other shapes')}: {str(error).splitlines()[0]}"
        ) from error
    if found != output:
        why, instead = ("", "") if family is None else (_parameters_of(family), _instead(family, found, arguments))
        raise ValueError(
            f"Network `{role.name}` must map {wanted} to {output}{why}. Received one that gives {found}{instead}"
        )


def check_outputs(decoder: keras.layers.Layer, latent_dim: int, likelihood: Any, classes: int = 0) -> None:
    """Look at a decoder's outputs for random codes: a last activation that does not fit is seen there.

    Args:
        decoder: codes -> observations, or the parameters of their likelihood.
        latent_dim: size of a code.
        likelihood: what the outputs parametrise; None: they are observations.
        classes: size of the labels that it takes; 0: none.

    Raises:
        ValueError: outputs that are no images in [0, 1] where they must be, or not finite.

    Warns:
        UserWarning: outputs that a likelihood can take, but that look like something else.
    """
    wanted = [size for size in (latent_dim, noise_dim(decoder, classes > 0)) if size]
    codes = [random.normal([_ROWS, size], random.fold(0, "look", at)) for at, size in enumerate(wanted)]
    labels = [tf.one_hot(tf.range(_ROWS) % classes, classes)] if classes else []
    outputs = np.asarray(call(decoder, [tf.cast(part, keras.config.floatx()) for part in codes + labels]), "float64")
    problem = image_problem(outputs) if likelihood is None else likelihood.output_problem(outputs)
    if not problem:
        return
    if likelihood is not None and np.isfinite(outputs).all():
        warnings.warn(problem, stacklevel=4)
    else:
        raise ValueError(f"Network `decoder` does not fit. {problem}")


def check_batch(networks: dict[str, keras.layers.Layer], rows: int) -> None:
    """ValueError where a batch of one row meets batch normalisation."""
    for name, network in networks.items():
        found = any(isinstance(layer, keras.layers.BatchNormalization) for layer in sublayers(network))
        if rows == 1 and found:
            raise ValueError(
                f"A batch of one row has no batch statistics, which {name} normalises by. Use a larger batch"
            )


def _parameters_of(family):
    """What the outputs of an encoder are, and why so many: as the posterior's `units` say it, where they do."""
    name = next((repr(name) for name, kind in POSTERIORS.items() if kind is type(family)), type(family).__name__)
    units = getattr(type(family), "units", None)
    said = (units.__doc__ or "").partition("\n")[0].rstrip(".") if isinstance(units, property) else ""
    return f", the parameters of the posterior {name} of d = {family.latent_dim} dimensions{said and f' ({said})'}"


def _instead(family, found, arguments):
    """The way out for a network that gives codes themselves."""
    if found != (family.latent_dim,) or "posterior" not in arguments:
        return ""
    return ". Codes themselves are taken by 'ae', and by systems that may have posterior='deterministic'"


def _single(output):
    return tf.cast(output, tf.float32) if output.dtype in (tf.float16, tf.bfloat16) else output


def _inputs(network):
    return getattr(network, "inputs", None) or []
