"""Figures of the texts: arrays are computed, then drawn onto a Matplotlib axis, all in one style."""

from keras_ijae.figures.arithmetic import WAYS, between, class_directions, embedded, gaussian_kl
from keras_ijae.figures.codes import attribute_directions, code_covariances, codes_and_prior
from keras_ijae.figures.drawing import Drawing, together
from keras_ijae.figures.interpolations import interpolations, sample_interpolations
from keras_ijae.figures.plots import HeatMap, MaskTrace, OverDimension, PrecisionRecall, Scatter
from keras_ijae.figures.rows import Rows
from keras_ijae.figures.samples import distances_over_dimension, neighbours, precision_recall, samples_on_data
from keras_ijae.figures.style import PALETTE, new_figure, save_figure, styled
from keras_ijae.figures.traversals import attribute_traversals, kl_of_dimensions, latent_traversals

__all__ = [
    "Drawing",
    "HeatMap",
    "MaskTrace",
    "OverDimension",
    "PALETTE",
    "PrecisionRecall",
    "Rows",
    "Scatter",
    "WAYS",
    "attribute_directions",
    "attribute_traversals",
    "between",
    "class_directions",
    "code_covariances",
    "codes_and_prior",
    "distances_over_dimension",
    "embedded",
    "gaussian_kl",
    "interpolations",
    "kl_of_dimensions",
    "latent_traversals",
    "neighbours",
    "new_figure",
    "precision_recall",
    "sample_interpolations",
    "samples_on_data",
    "save_figure",
    "styled",
    "together",
]
