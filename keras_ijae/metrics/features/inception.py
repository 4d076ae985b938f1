"""The extractor of published FIDs, KIDs and Inception Scores."""

import os
import tarfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.metrics.features.download import Source, file_checksum, load_downloaded
from keras_ijae.metrics.features.extractor import Extractor, checksum_of
from keras_ijae.metrics.features.inception_network import FEATURES, LOGITS, SIDE, build_inception, convolution_names
from keras_ijae.metrics.features.resize import check_convention, resize_images
from keras_ijae.metrics.features.torch_weights import read_torch_weights

PUBLISHED = Source(
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    "6726825d",
    "without a network: copy that file from another machine and name it (Inception('FILE.pth'), --features FILE.pth); "
    "or take the classifier of your data (ki.training.train_classifier, `keras-ijae train-classifier`), --features "
    "FILE.keras; or the pixels, --features data. The last two are not FID, and compare models on one data set",
)
"""PyTorch's port of the weights of the 2015 graph."""
SUFFIXES = (".pth", ".pb", ".tgz")
"""Of files of weights: that port, the graph, the archive that it came in."""
_SHORT = {"frechet_distance": "fid", "kernel_distance": "kid", "inception_score": "is"}


class Inception(Extractor):
    """The Inception-v3 of "inception-2015-12-05": 2048 features (pool_3), 1008 classes (logits without bias).

    Images are rounded to 8 bits, as they are where published scores read them from files, resized to 299 x 299 by
    the convention, and scaled as the graph does, (x - 128) / 128 of 0..255. With the published weights its scores
    are called fid, kid and is; with any others, after their checksum.

    Args:
        weights: a path: the PyTorch port (.pth), the frozen graph (.pb) or the archive that it came in (.tgz). None
            downloads the port once, checks it and keeps it converted.
        resize: "legacy_tensorflow" (the graph's own; what most tables use), "legacy_pytorch" or "clean".
        batch_size: images that go through the network at once.

    Raises:
        ValueError: an unknown convention, or weights that are not this network's.
        OSError: the file is not there, or the download failed.

    References:
        Heusel et al.: GANs trained by a two time-scale update rule (2017); Salimans et al.: Improved techniques for
        training GANs (2016).
    """

    def __init__(
        self,
        weights: str | os.PathLike | None = None,
        resize: str = "legacy_tensorflow",
        batch_size: int = 32,
    ) -> None:
        check_convention(resize)
        if weights is not None:
            _check_path(weights)
        self.network = build_inception()
        if weights is None:
            load_downloaded(self.network, PUBLISHED, assign_weights)
        else:
            assign_weights(self.network, weights)
        checksum = checksum_of(weight.numpy() for weight in self.network.weights)
        self.is_published = weights is None or file_checksum(weights).startswith(PUBLISHED.sha256)
        name = "inception-2015-12-05" if self.is_published else f"inception-{checksum[:8]}"
        super().__init__(name, checksum, FEATURES, classes=LOGITS, channels=3, resize=resize, batch_size=batch_size)

    def call(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels = resize_images(tf.round(255 * images), (SIDE, SIDE), self.resize)
        features, logits = self.network((pixels - 128) / 128, training=False)
        return features, tf.nn.softmax(logits)

    def metric_name(self, metric: str) -> str:
        """ "fid", "kid", "is" with the published weights; else as any extractor's."""
        return _SHORT[metric] if self.is_published and metric in _SHORT else super().metric_name(metric)


def assign_weights(network: keras.Model, path: str | os.PathLike) -> None:
    """Sets the weights of `build_inception()` from the PyTorch port, the frozen graph or its archive.

    Raises:
        ValueError: the file is none of these, or is broken, or lacks a weight, or has one of another shape.
        FileNotFoundError: it is not there.
    """
    _check_path(path)
    try:
        if Path(path).suffix == ".pth":
            layers = _from_torch(read_torch_weights(path))
        else:
            layers = _from_graph(_constants(path))
        for name, arrays in layers.items():
            network.get_layer(name).set_weights(arrays)
    except KeyError as error:
        raise ValueError(f"{path} is not the Inception of 2015: it lacks {error}") from None
    except ValueError as error:
        raise ValueError(f"{path} does not fit the Inception of 2015: {error}") from error


def _check_path(path: str | os.PathLike) -> None:
    if Path(path).suffix not in SUFFIXES:
        raise ValueError(f"Argument `weights` must be a .pth, .pb or .tgz file. Received: {path}")
    if not Path(path).is_file():
        raise FileNotFoundError(f"There are no weights at {path}")


def _from_torch(state: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    layers = {"fc": [state["fc.weight"].T]}
    parts = ("weight", "bias", "running_mean", "running_var")
    for name, _ in convolution_names():
        layers[f"{name}.conv"] = [state[f"{name}.conv.weight"].transpose(2, 3, 1, 0)]
        layers[f"{name}.bn"] = [state[f"{name}.bn.{part}"] for part in parts]
    return layers


def _from_graph(constants: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    layers = {"fc": [constants["softmax/weights"]]}
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    for name, other in convolution_names():
        layers[f"{name}.conv"] = [constants[f"{other}/conv2d_params"]]
        layers[f"{name}.bn"] = [constants[f"{other}/batchnorm/{part}"] for part in parts]
    return layers


def _constants(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The constants of the frozen graph by name; the graph itself is not run."""
    graph = tf.compat.v1.GraphDef()
    try:
        if Path(path).suffix == ".tgz":
            with tarfile.open(path) as archive:
                graph.ParseFromString(archive.extractfile("classify_image_graph_def.pb").read())
        else:
            graph.ParseFromString(Path(path).read_bytes())
    except Exception as error:  # a broken file can fail in any way
        raise ValueError(f"not a readable graph or archive ({str(error) or type(error).__name__})") from error
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in graph.node if node.op == "Const"}
