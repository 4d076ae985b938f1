"""From arrays to numbers; knows no model."""

from keras_ijae.metrics.frechet import frechet_distance

__all__ = ["frechet_distance"]
