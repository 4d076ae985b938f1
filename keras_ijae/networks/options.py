"""How default networks are built: a family, or a family with options, told for each role where they differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import keras

from keras_ijae.checks import choice, did_you_mean, size
from keras_ijae.networks import build
from keras_ijae.networks.blocks import NORMS, Style

HIDDEN = ("width", "depth", "dropout", "maxout", "kernel_size", "kernel_stddev")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Networks:
    """The options of all default networks of a system.

    What they mean is said in `keras_ijae.networks.encoder`. Each network can have options of its own by its role:

        Networks(family="dcgan", width=64, norm="batch", roles={"code_critic": {"width": 1024, "depth": 4}})

    Attributes:
        family: "auto", "mlp", "dcgan" or "resnet".
        width: base number of channels or units; None: the family's own.
        depth: number of dense hidden layers; None: the family's own.
        norm: of encoders and decoders: "group", "batch", "layer" or "none".
        discriminator_norm: of discriminators and critics.
        spectral: whether discriminators are spectrally normalised; encoders are not, decoders where their system says.
        hidden_activation: None: "relu" in decoders, else "leaky_relu".
        dropout: rate of dropout after each hidden activation, in [0, 1).
        maxout: 0, or the number of pieces of maxout units.
        kernel_size: of dcgan's strided convolutions; None: 4.
        kernel_stddev: of the normal draws with which kernels begin; None: Glorot's uniform or orthogonal ones.
        code_activation: last activation of encoders whose outputs are codes: "linear" or "tanh".
        noise_as: how noise joins an encoder: "vector" or "channel".
        roles: role -> options of that network, which replace those above.

    Raises:
        ValueError: an unknown option or a value out of range, in `roles` too.
    """

    family: str = "auto"
    width: int | None = None
    depth: int | None = None
    norm: str = "group"
    discriminator_norm: str = "none"
    spectral: bool = True
    hidden_activation: str | None = None
    dropout: float = 0.0
    maxout: int = 0
    kernel_size: int | None = None
    kernel_stddev: float | None = None
    code_activation: str = "linear"
    noise_as: str = "vector"
    roles: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        choice("networks", self.family, ("auto", *build.FAMILIES))
        choice("discriminator_norm", self.discriminator_norm, NORMS)
        choice("code_activation", self.code_activation, ("linear", "tanh"))
        choice("noise_as", self.noise_as, ("vector", "channel"))
        activation = self.hidden_activation or "relu"
        sizes = (self.width, self.depth, self.dropout, self.maxout, self.kernel_size, self.kernel_stddev)
        Style(self.norm, self.spectral, activation, *sizes)
        if not isinstance(self.roles, Mapping):
            raise ValueError(f"Argument `roles` must be a dictionary role -> options. Received: roles={self.roles!r}")
        for role in self.roles:
            self.of_role(role)

    @classmethod
    def of(cls, networks: str | Mapping[str, Any] | Networks) -> Networks:
        """Options from the name of a family, a dictionary of options, or options.

        Raises:
            ValueError: neither of them, an unknown option, or a value out of range.
        """
        return cls().but(networks)

    def but(self, networks: str | Mapping[str, Any] | Networks) -> Networks:
        """These options with the family or the options of a dictionary in their place; or other options altogether.

        Options that networks of another family cannot have do not go over to it: "resnet" leaves `maxout`,
        `kernel_size` and "glu".

        Raises:
            ValueError: as of `of`.
        """
        if isinstance(networks, Networks):
            return networks
        if not isinstance(networks, str | Mapping):
            raise ValueError(
                "Argument `networks` must be the name of a family, a dictionary of options or `Networks`. "
                f"Received: networks={networks!r:.200}"
            )
        given = _known({"family": networks} if isinstance(networks, str) else networks)
        return dataclasses.replace(self._as_resnet() if given.get("family") == "resnet" else self, **given)

    def _as_resnet(self) -> Networks:
        options = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        roles = {
            role: own if own.get("family", "resnet") != "resnet" else _of_resnets(own)
            for role, own in self.roles.items()
        }
        return Networks(**_of_resnets(options) | {"roles": roles})

    def without_roles(self, names: Collection[str]) -> Networks:
        """These options, without those of single networks that are called so."""
        roles = {role: {name: own[name] for name in own if name not in names} for role, own in self.roles.items()}
        return dataclasses.replace(self, roles=roles)

    def of_role(self, role: str) -> Networks:
        """The options of one network: these, with its own of `roles` in their place."""
        options = self.roles.get(role, {})
        if not isinstance(options, Mapping):
            raise ValueError(f"Argument `roles` must hold dictionaries of options. Received: {role}={options!r}")
        return dataclasses.replace(self, roles={}, **_known(options))

    def to_config(self) -> dict[str, Any]:
        """The options that differ from the defaults, as JSON can hold them; `of` takes them back."""
        defaults = type(self)().__dict__
        return {name: _plain(value) for name, value in self.__dict__.items() if value != defaults[name]}

    def encoder(
        self,
        data_shape: tuple[int, ...],
        units: int,
        *,
        noise_dim: int = 0,
        classes: int = 0,
        codes: bool = True,
        name: str = "encoder",
    ) -> keras.Model:
        """An encoder with the options of role `name`; `codes`: its outputs are codes, not a posterior's parameters.

        Raises:
            ValueError: outputs that are not codes, with another `code_activation` than "linear"; noise as a channel
                where there is no image for it.
        """
        own = self.of_role(name)
        if own.code_activation != "linear" and not codes:
            raise ValueError(
                "Argument `code_activation` must be 'linear' where the encoder gives a posterior's parameters: pass "
                f"posterior='deterministic' or 'implicit'. Received: code_activation={own.code_activation!r}"
            )
        if noise_dim and own.noise_as == "channel" and not _convolves(own.family, data_shape):
            raise ValueError(
                "Argument `noise_as` must be 'vector' without convolutions, which vectors and small images have not: "
                "pass networks={'family': 'mlp', 'noise_as': 'vector'}. Received: noise_as='channel', "
                f"data_shape={data_shape!r}"
            )
        last = {"activation": own.code_activation, "noise_dim": noise_dim, "noise_as": own.noise_as, "classes": classes}
        return build.encoder(own.family, data_shape, units, norm=own.norm, name=name, **last, **own._hidden())

    def decoder(
        self,
        data_shape: tuple[int, ...],
        latent_dim: int,
        *,
        noise_dim: int = 0,
        classes: int = 0,
        activation: str | None = None,
        spectral: bool = False,
        name: str = "decoder",
    ) -> keras.Model:
        """A decoder with the options of role `name`; `activation` is that of its last layer, `spectral` of all."""
        own = self.of_role(name)
        last = {"activation": activation, "noise_dim": noise_dim, "classes": classes, "spectral": spectral}
        return build.decoder(own.family, data_shape, latent_dim, norm=own.norm, name=name, **last, **own._hidden())

    def prior_generator(self, latent_dim: int, noise_dim: int, *, name: str = "prior_generator") -> keras.Model:
        """An mlp from noise to codes, whatever the family, normalised only if its role says so."""
        size("noise_dim", noise_dim)
        own, norm = self.of_role(name), self.roles.get(name, {}).get("norm", "none")
        return build.decoder("mlp", (latent_dim,), noise_dim, norm=norm, name=name, **own._hidden())

    def discriminator(
        self, inputs: dict[str, tuple[int, ...]], *, critic: bool = False, name: str = "discriminator"
    ) -> keras.Model:
        """A discriminator with the options of role `name`; a critic is never spectrally normalised."""
        own = self.of_role(name)
        style = {"norm": own.discriminator_norm, "spectral": own.spectral and not critic}
        return build.discriminator(own.family, inputs, name=name, **style, **own._hidden())

    def _hidden(self) -> dict[str, Any]:
        options = {name: getattr(self, name) for name in HIDDEN}
        return {**options, "hidden_activation": self.hidden_activation} if self.hidden_activation else options


def _convolves(family: str, data_shape: tuple[int, ...]) -> bool:
    """Whether networks of that family for such data begin with convolutions."""
    large = len(data_shape) == 3 and min(data_shape[:2]) >= build.SMALLEST_IMAGE
    return large and build.resolve(family, data_shape) != "mlp"


def _known(options: Mapping[str, Any]) -> dict[str, Any]:
    known = [field.name for field in dataclasses.fields(Networks)]
    for name in options:
        if name not in known:
            hint = did_you_mean(str(name), known)
            raise ValueError(f"Argument `networks` has no option {name!r}.{hint} Known: {', '.join(known)}")
    return dict(options)


def _plain(value: Any) -> Any:
    return {key: _plain(part) for key, part in value.items()} if isinstance(value, Mapping) else value


def _of_resnets(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some options that "resnet" has, whose blocks keep the number of channels."""
    foreign = {"maxout", "kernel_size"} | (
        {"hidden_activation"} if options.get("hidden_activation") == "glu" else set()
    )
    return {name: value for name, value in options.items() if name not in foreign}
