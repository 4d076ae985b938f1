"""From arrays to numbers; knows no model. Names are loaded when first used."""

from keras_ijae._lazy import lazy

_HOMES = {
    "FrechetAccumulator": "frechet",
    "LPIPS": "perceptual",
    "Score": "score",
    "active_dimensions": "codes",
    "density_coverage": "density",
    "elbo_terms": "elbo",
    "features": None,
    "frechet_distance": "frechet",
    "inception_score": "inception",
    "kernel_distance": "kernel",
    "lpips": "perceptual",
    "mean_squared_error": "reconstruction",
    "mmd": "discrepancy",
    "ms_ssim": "similarity",
    "ms_ssim_diversity": "similarity",
    "nac": "codes",
    "nearest_neighbours": "neighbours",
    "prd_of_histograms": "prd",
    "prdc": "manifold",
    "precision_recall": "precision",
    "precision_recall_distribution": "prd",
    "psnr": "reconstruction",
    "sliced_wasserstein": "sliced",
    "ssim": "similarity",
}

__getattr__, __dir__, __all__ = lazy(__name__, _HOMES)
