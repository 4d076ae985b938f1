"""ALI's grid of 25 Gaussians in the plane: means {-4, -2, 0, 2, 4}^2, standard deviation 0.05."""

import numpy as np

from keras_ijae.datasets.source import Options, Source
from keras_ijae.datasets.synthetic import mixture_source

MEANS = np.stack(np.meshgrid(*[[-4.0, -2, 0, 2, 4]] * 2, indexing="ij"), -1).reshape(-1, 2)
STDDEV = 0.05


def open_source(argument: str, options: Options) -> Source:
    """Opens `grid25`: 10,000 examples each for training and test, labelled by component (row by row)."""
    options.refuse("'grid25'", "keys", "data_shape")
    return mixture_source("grid25", MEANS, STDDEV, {"train": 10_000, "test": 10_000})
