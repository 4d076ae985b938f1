"""The runs of the experiments on colour images: what each depends on, and its recipe."""

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from experiment import Keyed
from study import label

from keras_ijae.training import Recipe
from keras_ijae.training.data import training_data

STEPS = 50_000
SMOKE_LATENT = 4


class Setup(NamedTuple):
    """An experiment.

    Attributes:
        name: of its script and its files.
        dataset: as `ki.datasets.load` takes it.
        latent_dim: of all systems.
        systems: those that are run unless others are named.
        small: those of the small table; none: there is no such table.
        every: passes between two backups, pictures and validations.
        data: further arguments of `ki.datasets.load`.
    """

    name: str
    dataset: str
    latent_dim: int
    systems: tuple[str, ...]
    small: tuple[str, ...] = ()
    every: int = 1
    data: Mapping[str, Any] = {}


class Networks(NamedTuple):
    """The family and width of all systems' networks, and the rate of the first move; None: a system's own."""

    family: str
    width: int | None = None
    learning_rate: float | None = None

    def __str__(self) -> str:
        return " ".join(map(str, filter(None, (self.family, self.width))))


FULL, SMALL, SMOKE = Networks("resnet", 64, 2e-4), Networks("dcgan"), Networks("resnet", 4, 2e-4)


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    system: str
    settings: str
    dataset: str
    budget: str
    networks: str
    batch_size: int
    precision: str
    seed: int

    @property
    def label(self) -> str:
        """System and settings, in words."""
        return label({"system": self.system, "settings": self.settings, "prior": ""})

    @property
    def name(self) -> str:
        """Of its directory."""
        parts = [self.label, *self.key[2:]]
        return "-".join(parts).replace(" ", "_").replace("/", "_")


KEYS = [field.name for field in dataclasses.fields(Run)]


def run_of(row: Mapping[str, str]) -> Run:
    """The run that a row of the CSV file is of."""
    return Run(**{key: row[key] for key in KEYS})


def planned(setup: Setup, given: argparse.Namespace) -> list[Run]:
    """The runs that are asked for."""
    steps = given.steps or (1 if given.smoke else STEPS)  # one is a whole pass
    budget = f"{0 if given.smoke else given.minutes:g} minutes" if given.small else f"{steps} steps"
    same = (short(source(setup, given)), budget, str(networks(given)), given.batch_size, given.precision, given.seed)
    systems = given.systems or (setup.small if given.small else setup.systems)
    return [Run(system, json.dumps(settings), *same) for system in systems for settings in given.settings]


def recipe_of(run: Run, setup: Setup, given: argparse.Namespace) -> Recipe:
    """The run as `ki.training.train` takes it; by steps, with the passes in which they are done."""
    family, width, learning_rate = networks(given)
    recipe = Recipe(
        system=run.system,
        dataset=source(setup, given),
        data=dict(setup.data),
        latent_dim=SMOKE_LATENT if given.smoke else setup.latent_dim,
        networks=family,
        width=width,
        arguments=json.loads(run.settings),
        batch_size=run.batch_size,
        learning_rate=learning_rate,
        every=1 if given.smoke else setup.every,
        seed=run.seed,
        strategy=given.strategy,
    )
    amount, unit = run.budget.split()
    if unit == "minutes":
        return recipe
    return recipe.but(epochs=-(-int(amount) // max(1, int(training_data(recipe).cardinality()))))


def networks(given: argparse.Namespace) -> Networks:
    """Those of all runs of a command."""
    return SMALL if given.small else SMOKE if given.smoke else FULL


def source(setup: Setup, given: argparse.Namespace) -> str:
    """What `ki.datasets.load` takes."""
    return f"npz:{given.small}" if given.small else given.data or setup.dataset


def short(dataset: str) -> str:
    """A data set without the place where it lies."""
    kind, _, place = dataset.partition(":")
    return Path(place).stem if kind in ("npz", "folder") else kind
