"""Five Gaussians in the plane, the toy of ALICE and sVAE: means (0, 0) and (+-2, +-2), covariance 0.04 I."""

import numpy as np

from keras_ijae.datasets.source import Options, Source
from keras_ijae.datasets.synthetic import mixture_source

MEANS = np.array([[0, 0], [-2, -2], [-2, 2], [2, -2], [2, 2]], float)
STDDEV = 0.2


def open_source(argument: str, options: Options) -> Source:
    """Opens `gmm5`: 2,048 examples for training, 1,024 for test, labelled by component."""
    options.refuse("'gmm5'", "keys", "data_shape")
    return mixture_source("gmm5", MEANS, STDDEV, {"train": 2048, "test": 1024})
