"""Processes that are killed at random moments, and resumed, end with the weights of those that nobody disturbed."""

import importlib
from pathlib import Path

import pytest

MOMENTS = {
    "vae": ("any", "renaming"),
    "ijae": ("writing",),
    "wgan": ("renaming",),
    "mask_aae": ("first",),
    "gan": ("first", "last"),
}


@pytest.fixture(scope="module")
def kills():
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
        yield importlib.import_module("kills")


@pytest.fixture(scope="module")
def player(kills):
    return kills.Player(seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", MOMENTS)
def test_a_killed_run_ends_as_one_never_disturbed(name, player, kills):
    assert set(MOMENTS) == set(kills.SYSTEMS)
    way = "run" if name in ("vae", "gan") else "fit"
    assert player.check(name, way, MOMENTS[name]).same


@pytest.mark.slow
def test_a_run_that_ends_otherwise_is_found(player, kills):
    player.references["vae", "fit"] = "other weights", 1.0
    assert not player.check("vae", "fit", ("renaming",)).same
