"""Named presets: a system, its data, its networks and the numbers that go with them."""

import dataclasses
from typing import Any

import keras_ijae.models  # noqa: F401, which fills the table of systems
from keras_ijae.checks import choice, did_you_mean, instance, number, size, whole
from keras_ijae.game import ENTRIES
from keras_ijae.game.registry import check_arguments, entry_of
from keras_ijae.networks import FAMILIES
from keras_ijae.training.distribution import STRATEGIES


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that a training run depends on; `config.json` of a run directory is this table.

    Attributes:
        system: name of the system, one of `keras_ijae.list_models()`.
        dataset: name as `keras_ijae.datasets.load` takes it.
        split: what is trained on, a split of the data set or a slice of one; None: "train". Where the set has no
            "validation" beside it, its last tenth is what training is validated on, and is not trained on.
        summary: one line for people.
        latent_dim: size of the code.
        data: further arguments of `keras_ijae.datasets.load`, such as `size`.
        networks: "auto", "mlp", "dcgan" or "resnet".
        width: base width of the networks; None for the family's own.
        arguments: further arguments of the system.
        batch_size: images per step.
        learning_rate: of the first move's optimizer, the others keep their proportion to it; None for the system's
            own.
        epochs: passes over the training data.
        every: epochs between two backups, pictures and validations; the last epoch always has them.
        every_steps: steps of an epoch between two further backups; None: only whole epochs make one.
        steps_per_execution: training steps per call into TensorFlow.
        seed: of the initial weights, of the order of the data and of all noise.
        classes: how many labels the data have, for a conditional model; None: it takes none.
        strategy: what it is trained on, as `keras_ijae.training.distribution` takes it; `batch_size` is that of all
            devices together.

    Raises:
        ValueError: a number below 1 where there must be at least one, fewer than two classes, a rate that is not above
            0, a seed that is none (0 to 2**31 - 1), networks or a strategy that are none, one of these fields among
            `arguments`, or a value of another type.
    """

    system: str
    dataset: str
    split: str | None = None
    summary: str = ""
    latent_dim: int = 16
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    networks: str = "auto"
    width: int | None = None
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    batch_size: int = 64
    learning_rate: float | None = None
    epochs: int = 20
    every: int = 1
    every_steps: int | None = None
    steps_per_execution: int = 1
    seed: int = 0
    classes: int | None = None
    strategy: str = "none"

    def __post_init__(self) -> None:
        for name in ("system", "dataset", "summary", "networks"):
            instance(name, getattr(self, name), str)
        if self.split is not None:
            instance("split", self.split, str)
        for name in ("data", "arguments"):
            if not isinstance(getattr(self, name), dict) or not all(
                isinstance(key, str) for key in getattr(self, name)
            ):
                raise ValueError(
                    f"Argument `{name}` must be a dictionary. Received: {name}={getattr(self, name)!r:.200}"
                )
        for name in ("batch_size", "epochs", "every", "steps_per_execution"):
            whole(name, getattr(self, name))
        size("latent_dim", self.latent_dim)
        if self.width is not None:
            size("width", self.width)
        if self.every_steps is not None:
            whole("every_steps", self.every_steps)
        if self.classes is not None:
            whole("classes", self.classes, 2)
        choice("networks", self.networks, ("auto", *FAMILIES))
        own = sorted(self.arguments.keys() & {*self.__dataclass_fields__, "data_shape"})
        if own:
            raise ValueError(f"Argument `arguments` must be none that recipes have apart. Received: {own}")
        whole("seed", self.seed, 0)
        choice("strategy", self.strategy, STRATEGIES)
        if self.learning_rate is not None:
            number("learning_rate", self.learning_rate, above=0)

    def but(self, **changes: Any) -> "Recipe":
        """This recipe with some fields replaced; None leaves a field as it is; `arguments` and `data` are merged.

        Raises:
            ValueError: a name that is no field of recipes (the closest are shown), or a value that is out of range.
        """
        for name in changes:
            if name not in self.__dataclass_fields__:
                raise ValueError(
                    f"Argument `{name}` is none of a recipe.{did_you_mean(name, self.__dataclass_fields__)}"
                )
        changes = {name: value for name, value in changes.items() if value is not None}
        merged = {name: {**getattr(self, name), **changes.get(name, {})} for name in ("arguments", "data")}
        return dataclasses.replace(self, **{**changes, **merged})


def check_names(recipe: Recipe) -> None:
    """ValueError unless there is a system of that name, which takes arguments of those names."""
    system = entry_of(recipe.system).system
    networks = [role.name for role in system.ROLES if role.kind is not None]  # which no file can hold
    check_arguments(system, recipe.arguments, [*networks, *recipe.__dataclass_fields__])


BEST = ("ae_gmm", "alpha_gan", "flex_ae", "flow_vae", "gan", "ijae", "wgan_gp")
"""The systems of each kind whose samples came nearest on MNIST (`docs/landscape.md`, `docs/defaults.md`)."""

SETTINGS: dict[str, dict[str, Any]] = {
    # of digits 21 steps are an epoch: 1,350 of them in batches of 64
    "digits": {"latent_dim": 8, "networks": "mlp", "epochs": 300, "every": 30, "steps_per_execution": 21},
    "mnist": {"latent_dim": 32, "networks": "dcgan"},
    "fashion_mnist": {"latent_dim": 32, "networks": "dcgan", "epochs": 40},
    "cifar10": {"latent_dim": 128, "networks": "dcgan", "epochs": 100, "every": 5},
    "celeb_a": {"latent_dim": 64, "networks": "dcgan", "epochs": 40, "data": {"size": 64}},
}
"""What all recipes of a data set have. Every system has one of digits and of mnist, the `BEST` of the other sets."""

OWN: dict[str, dict[str, Any]] = {
    "ijae_digits": {
        "summary": "what `keras-ijae demo` trains",
        "arguments": {"lam": 0.3, "spectral": False, "r1_weight": 0.02, "ema": 0.9997},
        "epochs": 1000,
        "every": 100,
    },
    "ijae_mnist": {"arguments": {"lam": 0.3}},
    "mask_aae_mnist": {"latent_dim": 64, "arguments": {"preset": "images"}},
    "iaf_vae_mnist": {
        "system": "vae",
        "summary": "VAE with an inverse autoregressive flow as posterior, and free bits",
        "arguments": {"posterior": "iaf", "free_bits": 8.0},
    },
    "cgan_digits": {
        "system": "gan",
        "summary": "conditional GAN",
        "classes": 10,
        "arguments": {"spectral": False},
    },
}
"""What a recipe has beside, or in the place of, the `SETTINGS` of its data set."""


def _recipe(system: str, dataset: str) -> Recipe:
    own = OWN.get(f"{system}_{dataset}", {})
    system = own.get("system", system)
    return Recipe(**{"summary": ENTRIES[system].help, **SETTINGS[dataset], **own, "system": system, "dataset": dataset})


_NAMES = [(system, dataset) for dataset in ("digits", "mnist") for system in ENTRIES]
_NAMES += [("cgan", "digits"), ("iaf_vae", "mnist")]
_NAMES += [(system, dataset) for dataset in SETTINGS if dataset not in ("digits", "mnist") for system in BEST]
RECIPES = {f"{system}_{dataset}": _recipe(system, dataset) for system, dataset in _NAMES}
"""name -> recipe: SYSTEM_DATASET, and two of their own."""


def get_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ValueError: if there is none; the message lists those there are, the closest first.
    """
    return RECIPES[choice("name", name, sorted(RECIPES))]
