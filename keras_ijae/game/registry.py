"""`register`, by which `models` and users fill the table of systems; and `create`, which builds one of them."""

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from keras_ijae import checks
from keras_ijae.game import building
from keras_ijae.game.arguments import arguments_of, defaults_of, refuse_arrays
from keras_ijae.game.entries import ENTRIES, Entry, chosen
from keras_ijae.game.game import Game
from keras_ijae.game.presets import Preset
from keras_ijae.game.registering import (
    GENERAL,
    check_fixed,
    check_help,
    check_known,
    check_name,
    check_presets,
    check_system,
)
from keras_ijae.networks import Networks


def register(
    name: str,
    system: type[Game],
    help: str,
    presets: Mapping[str, Preset | None] | None = None,
    **fixed: Any,
) -> None:
    """Give a system a name, under which `ki.create`, recipes and the command line find it.

    Args:
        name: an identifier that no other class has; the same class under the same name again replaces the entry.
        system: a subclass of `Game` that declares `ROLES`, itself registered with Keras by
            `keras.saving.register_keras_serializable`: what another saves cannot be loaded.
        help: one line for lists of systems.
        presets: preset name -> `keras_ijae.game.Preset` that this name alone has; its arguments go before `fixed`, and
            it before a preset of the class that is called so. None in the place of one: this name has none called so,
            though its class has.
        fixed: arguments that this name fixes, as `beta=4.0`: neither sizes nor networks, which each model is given.
            Names and types are checked here; ranges, which the class alone knows, when a model is created.

    Raises:
        ValueError: a name that is taken or none, something that is no system or no preset, a help of several lines, or
            an argument that it does not take, that cannot be fixed or is of another type.

    Example:
        ki.register("my_vae", MyVAE, help="a VAE of my own")
    """
    own = {} if presets is None else presets
    check_system(system)
    check_name(name, system)
    check_help(help)
    check_presets(own)
    check_fixed(system, fixed)
    ENTRIES[name] = Entry(system, help, fixed, own)


def list_models() -> dict[str, str]:
    """name -> one line, of every system that `create` makes.

    Example:
        >>> ki.list_models()["gan"]
        'generative adversarial network: sharp samples, no encoder'
    """
    return {name: entry.help for name, entry in ENTRIES.items()}


def create(
    system: str | type[Game],
    data_shape: tuple[int, ...],
    latent_dim: int,
    networks: str | Mapping[str, Any] | Networks = "auto",
    width: int | None = None,
    norm: str | None = None,
    spectral: bool | None = None,
    preset: str | None = None,
    **arguments: Any,
) -> Game:
    """A system with default networks for the shape of the data.

    Args:
        system: a name of `list_models()`, or a subclass of `Game` that is registered with Keras.
        data_shape: (height, width, channels) of images in [0, 1], or (features,). Images of any size have networks
            "mlp"; "dcgan" and "resnet" need at least 8x8 pixels.
        latent_dim: size of a code, at least 1.
        networks: "auto", "mlp", "dcgan" or "resnet"; a dictionary of options of `ki.networks.Networks` (`family`,
            `depth`, `maxout`, `dropout`, `roles`, ...); or a `Networks`, which replaces those of a preset altogether
            where a name or a dictionary replaces the options it names. "auto" is the preset's family; without a preset
            mlp for vectors and small images, else dcgan.
        width, norm, spectral: the options of `Networks` that are changed most: base number of channels, or of hidden
            units for mlp; normalisation of encoder and decoder ("group", the default, "batch", "layer" or "none");
            whether discriminators are spectrally normalised (critics never are). By default they are: a choice of this
            library, as running averages (`ema`) are, which no paper of these systems has. What is given here or in a
            dictionary is for all networks: it goes before what a preset has for single ones, as the wide critics of
            "flex_ae". Only `roles` of the dictionary go before it.
        preset: "paper" builds what the system's paper has, where that is known: networks, normalisation, optimizers,
            no running averages, no spectral normalisation; others are in the class. A name can have presets of its
            own: the paper of "vamp_vae" is not that of "vae". Other arguments given here override it.
        arguments: of the system, as in its class: `lam`, `likelihood`, `beta`, `seed`, ..., and networks of one's own
            by their roles, in the place of the default ones.

    Raises:
        ValueError: an unknown name or argument (the known ones are listed), or a value out of range.

    Example:
        >>> model = ki.create("ijae", data_shape=(8, 8, 1), latent_dim=4, lam=0.5)
        >>> model.compile()
        >>> model.sample(3, seed=0).shape
        (3, 8, 8, 1)
    """
    entry = entry_of(system)
    refuse_arrays({"networks": networks, **arguments})
    kept = None if preset is None else chosen(preset, entry.presets, entry.system.__name__)
    shape = building.check_sizes(data_shape, latent_dim)
    fixed = entry.fixed.keys() - arguments.keys()
    if kept is not None:
        arguments = _with_preset(system, entry, preset, {"data_shape": shape, "latent_dim": latent_dim}, arguments)
    check_arguments(entry.system, arguments)
    whole = {**entry.fixed, **arguments, "data_shape": shape, "latent_dim": latent_dim}
    given = {"width": width, "norm": norm, "spectral": spectral}
    options = _options(entry.system, networks, {k: v for k, v in given.items() if v is not None}, kept)
    with _told_of(system, fixed):
        made = entry.system(**{**whole, **_built(entry.system, whole, options)})
    made.created_as = system if isinstance(system, str) else None
    return made


def entry_of(system: str | type[Game]) -> Entry:
    """The entry of a name, or one for a class; ValueError for an unknown name, with the known ones, or a bad class."""
    if isinstance(system, type) and issubclass(system, Game):
        check_system(system)
        return Entry(system, "")
    if not isinstance(system, str) or system not in ENTRIES:
        hint = checks.did_you_mean(str(system), ENTRIES)
        raise ValueError(f"Unknown system {system!r}.{hint} Known: {', '.join(sorted(ENTRIES))}")
    return ENTRIES[system]


def _with_preset(system, entry, preset, sizes, given):
    """What is given goes before a preset; what the name fixes before one of its class, and after one of its own."""
    found = entry.presets[preset].all_arguments({**entry.fixed, **given, **sizes})
    if preset in entry.own_presets:
        return {**entry.fixed, **found, "preset": f"{system}:{preset}", **given}
    return {**found, **entry.fixed, "preset": preset, **given}


def check_arguments(system: type[Game], arguments: Mapping[str, Any], unlisted: Iterable[str] = ()) -> None:
    """ValueError, with what is known, for arguments that neither `create` nor the system takes beside the sizes.

    Args:
        system: its class.
        arguments: name -> value.
        unlisted: known names that the message leaves out.
    """
    known = set(arguments_of(system)) - {"data_shape", "latent_dim"}
    check_known(system, arguments, {*known, *GENERAL}, unlisted)


def _options(system, networks, given, kept):
    """The options of networks: of a preset that is kept, of `networks`, and of what is given beside it."""
    named = {*given, *(networks if isinstance(networks, Mapping) else ())}
    options = Networks() if kept is None else kept.networks.without_roles(named)
    if networks != "auto":
        options = options.but(networks)
    _check_roles(system, options)
    return replace(options, **given)


def _built(system, arguments, options):
    """role -> default network, of those that a model with these arguments has and is not given."""
    whole = defaults_of(system) | arguments
    return {
        role.name: building.build(role, whole, options)
        for role in system.ROLES
        if role.kind is not None and role.is_needed(whole) and arguments.get(role.name) is None
    }


@contextmanager
def _told_of(name, fixed):
    """An error about an argument that the name fixes says that it does: whoever creates a model has not given it."""
    try:
        yield
    except ValueError as error:
        blamed = [argument for argument in sorted(fixed) if f"`{argument}`" in str(error)]
        if not blamed:
            raise
        raise ValueError(f"{error}. The name {name!r} fixes {' and '.join(blamed)}") from error


def _check_roles(system, options):
    names = [role.name for role in system.ROLES]
    for name in options.roles:
        if name not in names:
            hint = checks.did_you_mean(name, names)
            raise ValueError(f"Argument `networks` has options of the unknown role {name!r}.{hint} Known: {names}")
