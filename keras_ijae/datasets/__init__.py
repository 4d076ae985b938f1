"""Data by name: `load` gives a `tf.data.Dataset` in the package's one range and layout, `info` its shape and sizes.

Images are float32 in [0, 1], `(batch, height, width, channels)`; vectors are float32 `(batch, features)`, any range.
"""

from keras_ijae.datasets.failing import DataError
from keras_ijae.datasets.loading import DatasetInfo, info, load
from keras_ijae.datasets.names import NAMES
from keras_ijae.datasets.pipeline import set_epoch

__all__ = ["NAMES", "DataError", "DatasetInfo", "info", "load", "set_epoch"]
