"""From arrays to numbers; knows no model."""

from keras_ijae.metrics import features
from keras_ijae.metrics.codes import active_dimensions, nac
from keras_ijae.metrics.density import density_coverage
from keras_ijae.metrics.discrepancy import mmd
from keras_ijae.metrics.elbo import elbo_terms
from keras_ijae.metrics.frechet import FrechetAccumulator, frechet_distance
from keras_ijae.metrics.inception import inception_score
from keras_ijae.metrics.kernel import kernel_distance
from keras_ijae.metrics.manifold import prdc
from keras_ijae.metrics.neighbours import nearest_neighbours
from keras_ijae.metrics.perceptual import LPIPS, lpips
from keras_ijae.metrics.prd import PrecisionRecallCurve, prd_of_histograms, precision_recall_distribution
from keras_ijae.metrics.precision import precision_recall
from keras_ijae.metrics.reconstruction import mean_squared_error, psnr
from keras_ijae.metrics.score import Score
from keras_ijae.metrics.similarity import ms_ssim, ms_ssim_diversity, ssim
from keras_ijae.metrics.sliced import sliced_wasserstein

__all__ = [
    "FrechetAccumulator",
    "LPIPS",
    "PrecisionRecallCurve",
    "Score",
    "active_dimensions",
    "density_coverage",
    "elbo_terms",
    "features",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "lpips",
    "mean_squared_error",
    "mmd",
    "ms_ssim",
    "ms_ssim_diversity",
    "nac",
    "nearest_neighbours",
    "prd_of_histograms",
    "prdc",
    "precision_recall",
    "precision_recall_distribution",
    "psnr",
    "sliced_wasserstein",
    "ssim",
]
