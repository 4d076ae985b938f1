"""Machines that share the batches of an evaluation find what one finds."""

import contextlib
import threading
from functools import cached_property

import numpy as np
import pytest

import keras_ijae as ki
from keras_ijae.evaluation import sharing
from keras_ijae.evaluation.material import Material
from keras_ijae.evaluation.reading import ROWS

CLASSES = 3
METRICS = {
    None: ["fid", "precision_recall", "prd", "mse", "elbo", "sliced_wasserstein"],
    CLASSES: ["fid", "class_frechet", "density_coverage", "mse"],
}


class Machines:
    """Threads in the place of machines: each says what it has, and gets what all have said."""

    def __init__(self, count):
        self.count, self.said, self.barrier = count, [None] * count, threading.Barrier(count, timeout=60)
        self.own = threading.local()

    def place(self, strategy):
        return self.own.index, self.count

    def exchange(self, strategy, rows):
        self.said[self.own.index] = rows
        self.barrier.wait()
        found = list(self.said)
        self.barrier.wait()
        return found

    def run(self, function):
        found = [None] * self.count

        def one(index):
            self.own.index = index
            found[index] = function()

        threads = [threading.Thread(target=one, args=(index,)) for index in range(self.count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found


@pytest.fixture(scope="module", params=[None, pytest.param(CLASSES, marks=pytest.mark.slow)], ids=["", "conditional"])
def evaluation(request):
    """A function of a number of rows that evaluates a model on so many."""
    classes = request.param
    model = ki.create("vae", data_shape=(4,), latent_dim=2, networks="mlp", width=4, classes=classes)
    x = np.random.default_rng(0).random((5 * ROWS, 4), dtype="float32")

    def evaluated(rows):
        data = x[:rows] if classes is None else (x[:rows], np.arange(rows) % classes)
        return ki.evaluation.evaluate(model, data, METRICS[classes], "data")

    return evaluated


@pytest.mark.parametrize("rows", [3 * ROWS + 40, ROWS // 2], ids=["more batches than machines", "fewer"])
def test_machines_that_share_batches_find_what_one_finds(evaluation, rows, monkeypatch):
    alone, machines = evaluation(rows).scores, Machines(3)
    monkeypatch.setattr(sharing, "place", machines.place)
    monkeypatch.setattr(sharing, "arrays_of_all_machines", machines.exchange)
    for made in vars(Material).values():  # Python 3.11 has one lock for a property of all instances, in all threads
        if isinstance(made, cached_property) and hasattr(made, "lock"):
            monkeypatch.setattr(made, "lock", contextlib.nullcontext())
    for found in machines.run(lambda: evaluation(rows).scores):
        assert found.keys() == alone.keys()
        for name, score in found.items():
            assert (score.n_real, score.n_fake) == (alone[name].n_real, alone[name].n_fake)
            assert score.value == pytest.approx(alone[name].value, rel=1e-9), name


def test_each_batch_is_looked_at_by_one_machine_and_the_first_by_all(monkeypatch):
    def looked_at(index):
        monkeypatch.setattr(sharing, "place", lambda strategy: (index, 3))
        one = sharing.Sharing(None)
        return [(batch, len(one.own(batch, np.zeros((2, 1))))) for batch in range(7) if one.looks_at(batch)]

    assert [looked_at(index) for index in range(3)] == [
        [(0, 2), (3, 2), (6, 2)],
        [(0, 0), (1, 2), (4, 2)],
        [(0, 0), (2, 2), (5, 2)],
    ]


def test_an_accumulator_goes_through_an_array():
    sums = ki.metrics.FrechetAccumulator(3)
    sums.update(np.random.default_rng(0).normal(2.0, 1.0, (20, 3)))
    again = ki.metrics.FrechetAccumulator.from_array(sums.to_array())
    assert again.count == 20
    np.testing.assert_array_equal(again.mean, sums.mean)
    np.testing.assert_array_equal(again.covariance, sums.covariance)
