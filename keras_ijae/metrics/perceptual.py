"""Learned perceptual image patch similarity, version 0.1."""

import os

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae.checks import choice, path, whole
from keras_ijae.metrics import _checks
from keras_ijae.metrics.features.download import Source, fetch, load_downloaded
from keras_ijae.metrics.features.extractor import checksum_of, full_precision
from keras_ijae.metrics.features.images import with_channels
from keras_ijae.metrics.features.lpips_backbones import SMALLEST, SOURCES, assign_backbone, build_backbone
from keras_ijae.metrics.features.torch_weights import read_torch_weights

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_AT = "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/"
_ELSE = "copy that file from another machine and name it (LPIPS(heads='FILE.pth'), --lpips-heads FILE.pth)"
HEADS = {
    "alex": Source(f"{_AT}alex.pth", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0", _ELSE),
    "vgg": Source(f"{_AT}vgg.pth", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868", _ELSE),
    "squeeze": Source(f"{_AT}squeeze.pth", "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76", _ELSE),
}
"""The linear heads that the authors fitted to human judgements."""


class LPIPS:
    """Perceptual distances of pairs of images.

    d(x, y) = sum over layers l of the mean over positions of sum_c w_lc (x_lc - y_lc)^2, where x_l are the feature
    maps of a backbone, each position's channels scaled to length 1, and w_l >= 0 the heads. Images in [0, 1] are
    taken to [-1, 1] and then shifted and scaled channel by channel, which is what version 0.1 adds to 0.0.

    Args:
        net: backbone: "alex" (the usual one), "vgg" or "squeeze".
        heads: path of the heads (.pth of the authors); None downloads them once.
        backbone: path of torchvision's weights, .pth, or an .npz archive of arrays with its names; None downloads them
            once.
        batch_size: pairs that go through the network at once.

    Attributes:
        name: "lpips-alex" and so on. checksum: sha256 of backbone and heads.

    Raises:
        ValueError: no such network, or files that are broken or not this network's.
        OSError: a file is not there, or a download failed.

    Example:
        distances = LPIPS("vgg")(images, model.reconstruct(images))  # (n,)

    References:
        Zhang, Isola, Efros, Shechtman, Wang: The unreasonable effectiveness of deep features as a perceptual metric
        (2018), eq. 1.
    """

    def __init__(
        self,
        net: str = "alex",
        heads: str | os.PathLike | None = None,
        backbone: str | os.PathLike | None = None,
        batch_size: int = 32,
    ) -> None:
        choice("net", net, tuple(SOURCES))
        for argument, given in (("heads", heads), ("backbone", backbone)):
            if given is not None and not path(argument, given).is_file():
                raise FileNotFoundError(f"There are no weights at {given}")
        self.net, self.name, self.batch_size = net, f"lpips-{net}", whole("batch_size", batch_size, 1)
        self.network = build_backbone(net)
        if backbone is None:
            load_downloaded(self.network, SOURCES[net], assign_backbone)
        else:
            assign_backbone(self.network, backbone)
        self._heads = _read_heads(heads or fetch(HEADS[net]), [tap.shape[-1] for tap in self.network.outputs])
        self.checksum = checksum_of([*self.network.get_weights(), *self._heads])
        images = tf.TensorSpec((None, None, None, 3), tf.float32)
        self._distances = tf.function(self._compare, [images, images], jit_compile=False)

    def __call__(self, first: ArrayLike, second: ArrayLike) -> np.ndarray:
        """(n,) float32: the distance of each pair.

        Args:
            first, second: (n, height, width, 3) in [0, 1] or uint8, of one shape. Images of one channel are
                replicated to three, and a warning says so.

        Raises:
            ValueError: they are no such images, or too small for the backbone.
        """
        first, second = (with_channels(x, 3).astype(np.float32) for x in _checks.image_pairs(first, second))
        if min(first.shape[1:3]) < SMALLEST[self.net]:
            raise ValueError(
                f"Images must be at least {SMALLEST[self.net]} pixels wide and high for {self.name}: pad or enlarge "
                f"them. Received: {first.shape[1]} x {first.shape[2]}"
            )
        starts = range(0, len(first), self.batch_size)
        with full_precision():
            parts = [self._distances(*(x[s : s + self.batch_size] for x in (first, second))) for s in starts]
            return np.concatenate([part.numpy() for part in parts])

    def _compare(self, first, second):
        maps = zip(*(self.network((2 * x - 1 - _SHIFT) / _SCALE, training=False) for x in (first, second)), strict=True)
        shares = [
            tf.reduce_mean(tf.tensordot((_unit(one) - _unit(other)) ** 2, head, 1), axis=(1, 2))
            for (one, other), head in zip(maps, self._heads, strict=True)
        ]
        return tf.add_n(shares)


def lpips(
    first: ArrayLike,
    second: ArrayLike,
    net: str = "alex",
    heads: str | os.PathLike | None = None,
    backbone: str | os.PathLike | None = None,
) -> float:
    """The mean LPIPS distance of pairs of images; for many calls make one `LPIPS` and call it.

    Args:
        first, second: (n, height, width, 3) in [0, 1] or uint8, of one shape.
        net, heads, backbone: as in `LPIPS`.

    Returns:
        The mean, at least 0; 0 for equal images.

    Raises:
        ValueError, OSError: as `LPIPS`.
    """
    return float(LPIPS(net, heads, backbone)(first, second).mean(dtype=np.float64))


def _unit(maps):
    return maps / (tf.sqrt(tf.reduce_sum(maps**2, axis=-1, keepdims=True)) + 1e-10)


def _read_heads(file, channels):
    """The heads as vectors (c,), one for each tap."""
    state = read_torch_weights(file)
    heads = [state.get(f"lin{layer}.model.1.weight") for layer in range(len(channels))]
    found = [None if head is None else head.size for head in heads]
    if found != channels or len(state) != len(channels):
        raise ValueError(f"{file} must hold heads for {channels} channels. Received: {found}")
    if any((head < 0).any() or not np.isfinite(head).all() for head in heads):
        raise ValueError(f"{file} must hold heads that are not negative. Received: some that are")
    return [head.reshape(-1).astype(np.float32) for head in heads]
