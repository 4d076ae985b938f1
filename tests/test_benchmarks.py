"""The loops written by hand in benchmarks/ cover the registry and train what `fit` trains."""

import importlib
from pathlib import Path

import pytest
from keras_ijae.models.entries import ENTRIES

SAME_TRAINING = {"ae_gmm": "ae", "beta_vae": "vae"}  # a prior that is fitted afterwards; another weight of a term


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a module of benchmarks/ by its name."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    return importlib.import_module


def test_every_system_has_a_loop_written_by_hand(benchmark):
    assert set(benchmark("fused").STEPS) | set(SAME_TRAINING) == set(ENTRIES)
    assert set(benchmark("naive").STEPS) < set(benchmark("fused").STEPS)


def test_loops_written_by_hand_train_the_weights_of_fit(benchmark):
    found = benchmark("loops").check("gan", (8, 8, 1), 4, 2, "float64")
    assert set(found) == {"fused", "joined", "naive"}
    assert max(difference for difference, _ in found.values()) < 1e-9, found
