"""`register`, by which `models` and users fill the table of systems; and `create`, which builds one of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keras_ijae import checks
from keras_ijae.game import building
from keras_ijae.game.arguments import REQUIRED, arguments_of, refuse_arrays
from keras_ijae.game.entries import ENTRIES, Entry, chosen
from keras_ijae.game.game import Game
from keras_ijae.game.presets import Preset
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
        system: a subclass of `Game` that declares `ROLES`, itself registered with Keras.
        help: one line for lists of systems.
        presets: preset name -> `keras_ijae.game.Preset` that this name alone has; its arguments go before `fixed`, and
            it before a preset of the class that is called so. None in the place of one: this name has none called so,
            though its class has.
        fixed: arguments that this name fixes, as `beta=4.0`.

    Raises:
        ValueError: a name that is taken or none, something that is no system or no preset, or an argument that it does
            not take.

    Example:
        ki.register("my_vae", MyVAE, help="a VAE of my own")
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"Argument `name` must be an identifier, such as 'my_vae'. Received: {name!r}")
    if not (isinstance(system, type) and issubclass(system, Game) and system.ROLES):
        raise ValueError(f"Argument `system` must be a subclass of Game that declares ROLES. Received: {system!r}")
    if name in ENTRIES and _place(ENTRIES[name].system) != _place(system):
        raise ValueError(f"Argument `name` must be new. Received: {name!r}, which is {ENTRIES[name].system.__name__}")
    unknown = sorted(set(fixed) - set(arguments_of(system)))
    if unknown:
        raise ValueError(f"{system.__name__} does not take the arguments {unknown}")
    own = {} if presets is None else presets
    if not isinstance(own, Mapping) or not all(isinstance(preset, Preset | None) for preset in own.values()):
        raise ValueError(f"Argument `presets` must map names to a `Preset` or None. Received: presets={presets!r}")
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
        system: a name of `list_models()`, or a subclass of `Game`.
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
    if kept is not None:
        arguments = _with_preset(system, entry, preset, latent_dim, arguments)
    _check_arguments(entry.system, arguments)
    arguments = {**entry.fixed, **arguments, "data_shape": shape, "latent_dim": latent_dim}
    given = {"width": width, "norm": norm, "spectral": spectral}
    given = {name: value for name, value in given.items() if value is not None}
    named = {*given, *(networks if isinstance(networks, Mapping) else ())}
    options = Networks() if kept is None else kept.networks.without_roles(named)
    if networks != "auto":
        options = options.but(networks)
    _check_roles(entry.system, options)
    options = replace(options, **given)
    whole = {name: value for name, value in arguments_of(entry.system).items() if value is not REQUIRED} | arguments
    built = {
        role.name: building.build(role, whole, options)
        for role in entry.system.ROLES
        if role.kind is not None and role.is_needed(whole) and arguments.get(role.name) is None
    }
    return entry.system(**{**arguments, **built})


def entry_of(system: str | type[Game]) -> Entry:
    """The entry of a name, or one for a class; ValueError for an unknown name, with the known ones."""
    if isinstance(system, type) and issubclass(system, Game):
        return Entry(system, "")
    if not isinstance(system, str) or system not in ENTRIES:
        hint = checks.did_you_mean(str(system), ENTRIES)
        raise ValueError(f"Unknown system {system!r}.{hint} Known: {', '.join(sorted(ENTRIES))}")
    return ENTRIES[system]


def _with_preset(system, entry, preset, latent_dim, given):
    """What is given goes before a preset; what the name fixes before one of its class, and after one of its own."""
    found = entry.presets[preset].all_arguments({**entry.fixed, **given, "latent_dim": latent_dim})
    if preset in entry.own_presets:
        return {**entry.fixed, **found, "preset": f"{system}:{preset}", **given}
    return {**found, **entry.fixed, "preset": preset, **given}


_GENERAL = ("networks", "width", "norm", "spectral", "preset")


def _check_arguments(system, arguments):
    known = set(arguments_of(system)) - {"data_shape", "latent_dim", "preset"}
    unknown = sorted(set(arguments) - known - {"preset"})
    if unknown:
        listed = sorted({*known, *_GENERAL})
        hint = "".join(checks.did_you_mean(word, listed) for word in unknown)
        raise ValueError(f"Unknown arguments {unknown} of {system.__name__}.{hint} Known: {', '.join(listed)}")


def _check_roles(system, options):
    names = [role.name for role in system.ROLES]
    for name in options.roles:
        if name not in names:
            hint = checks.did_you_mean(name, names)
            raise ValueError(f"Argument `networks` has options of the unknown role {name!r}.{hint} Known: {names}")


def _place(system):
    return system.__module__, system.__qualname__
