"""How the models of experiments/flex_ae_mnist.py are judged."""

from pathlib import Path

import keras
from experiment import stored

import keras_ijae as ki
from keras_ijae.metrics.features.classifier import Classifier

SCORES = [
    "validation_gen", "validation_rec", "test_gen", "test_rec", "test_squared_error", "test_real", "active_dimensions",
]  # fmt: skip


class Judge:
    """Frechet distances of samples ("gen") and of reconstructions ("rec") to splits of a data set.

    Args:
        classifier: path of the stored classifier in whose features distances are measured.
        dataset: its name.
        splits: "validation", "test" or both -> the split. Where there is "test", "test_real" is the distance of as
            many training images to it.
        train: the split of the training images.
    """

    def __init__(self, classifier: Path, dataset: str, splits: dict[str, str], train: str):
        self.classifier, self.real = Classifier.load(classifier), {}
        self.data = {name: stored(dataset, split) for name, split in splits.items()}
        if "test" in splits:
            test, other = self.data["test"], stored(dataset, train)
            pair = [self.classifier.features(x) for x in (test, other[: len(test)])]
            self.real = {"test_real": ki.metrics.frechet_distance(*pair)}

    def __call__(self, model: keras.Model) -> dict[str, float]:
        """Score -> value; those of splits that are not given are missing."""
        active = range(model.latent_dim) if model.active_dims is None else model.active_dims
        found = {"active_dimensions": len(active), **self.real}
        for name, x in self.data.items():
            scores = ki.evaluation.evaluate(model, x, ["fid", "mse"], self.classifier)
            found |= {f"{name}_{side}": scores[f"{side}/frechet_distance"] for side in ("gen", "rec")}
            if name == "test":
                found["test_squared_error"] = scores["rec/mean_squared_error"] * x[0].size
        return found
