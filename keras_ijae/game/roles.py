"""The networks of a system, declared once: shapes, default networks, tests and tables are derived from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Role", "labelled", "ENCODER", "DECODER", "DISCRIMINATOR", "CODE_DISCRIMINATOR", "JOINT_DISCRIMINATOR"]
__all__ += ["POSTERIOR_DISCRIMINATOR", "CRITIC", "CODE_CRITIC"]

Arguments = Mapping[str, Any]
"""The arguments of a system by name, defaults and sizes included."""


@dataclass(frozen=True)
class Role:
    """A network of a system.

    Args:
        name: its attribute and argument.
        kind: which builder makes the default one: "encoder", "decoder", "discriminator", "critic" (a discriminator
            without spectral normalisation: its system keeps it Lipschitz), "prior_generator"; None: the system itself.
        sees: what its inputs are, in their order: "x", "y" (observations), "z" (codes), "n" (noise of `noise_dim`),
            "h" (features of `feature_dim`).
        gives: "x", "z", "h", or "logit" of size 1.
        needed: whether a model with these arguments has it.
        because: the argument that `needed` looks at, for messages.
        outputs: what the outputs of an encoder or decoder parametrise, as a name or object: by default the argument
            `posterior` or `likelihood`, "deterministic" where there is none.
        noise_dim: size of "n".
        feature_dim: size of "h".
        of_energy: whether it is part of an energy, which tells real from fake although it gives no logit.
        takes_noise: whether noise of any size may be a further input; the system then hands it one.
        takes_labels: whether one-hot labels are its last input where the model has `classes`.
        spectral: whether the default decoder or discriminator of a model with these arguments is spectrally normalised;
            None: a decoder is not, a discriminator is as the options of networks have it.
    """

    name: str
    kind: str | None
    sees: tuple[str, ...]
    gives: str = "logit"
    needed: Callable[[Arguments], bool] | None = None
    because: str = ""
    outputs: Callable[[Arguments], Any] | None = None
    noise_dim: Callable[[Arguments], int] | None = None
    feature_dim: Callable[[Arguments], int] | None = None
    of_energy: bool = False
    takes_noise: bool = False
    takes_labels: bool = False
    spectral: Callable[[Arguments], bool] | None = None

    @property
    def judges(self) -> bool:
        """Whether it tells real from fake."""
        return self.gives == "logit" or self.of_energy

    def is_needed(self, arguments: Arguments) -> bool:
        """Whether a model with these arguments has it."""
        return self.needed is None or self.needed(arguments)

    def parametrises(self, arguments: Arguments) -> Any:
        """What the outputs of an encoder or decoder are the parameters of."""
        if self.outputs is not None:
            return self.outputs(arguments)
        return arguments.get("posterior" if self.kind == "encoder" else "likelihood", "deterministic")

    def but(self, **changes: Any) -> "Role":
        """This role with some fields replaced."""
        return replace(self, **changes)


ENCODER = Role("encoder", "encoder", ("x",), "z")
DECODER = Role("decoder", "decoder", ("z",), "x")
DISCRIMINATOR = Role("discriminator", "discriminator", ("x",))
CODE_DISCRIMINATOR = Role("code_discriminator", "discriminator", ("z",))
JOINT_DISCRIMINATOR = Role("joint_discriminator", "discriminator", ("x", "z"))
POSTERIOR_DISCRIMINATOR = Role("posterior_discriminator", "discriminator", ("x", "z"))
CRITIC = Role("critic", "critic", ("x",))
CODE_CRITIC = Role("code_critic", "critic", ("z",))


def labelled(*roles: Role) -> tuple[Role, ...]:
    """Roles whose networks are given the label too, one-hot, as their last input where the model has `classes`.

    Args:
        roles: the same without labels.

    Example:
        >>> from keras_ijae.game.roles import DECODER, ENCODER, labelled
        >>> [role.takes_labels for role in labelled(ENCODER, DECODER)]
        [True, True]
    """
    return tuple(role.but(takes_labels=True) for role in roles)


def classes_of(role: Role, arguments: Arguments) -> int:
    """Size of the labels that a network takes as its last input; 0 where it takes none."""
    return arguments["classes"] or 0 if role.takes_labels else 0


def shapes(role: Role, arguments: Arguments) -> list[tuple[int, ...]]:
    """Shapes of what it sees, batch, further noise and labels not counted."""
    return [shape_of(key, role, arguments) for key in role.sees]


def shape_of(key: str, role: Role, arguments: Arguments) -> tuple[int, ...]:
    """The shape of what a role calls "x", "y", "z", "n", "h" or "logit", batch not counted."""
    if key in ("x", "y"):
        return tuple(arguments["data_shape"])
    sizes = {"z": lambda _: arguments["latent_dim"], "n": role.noise_dim, "h": role.feature_dim, "logit": lambda _: 1}
    return (sizes[key](arguments),)
