"""A model and a dataset, or samples and data, to scores. Names are loaded when first used."""

from keras_ijae._lazy import lazy

_HOMES = {
    "AIS": "ais",
    "BDMC": "ais",
    "ais_log_likelihood": "ais",
    "bdmc": "ais",
    "IndependentCritic": "critic",
    "critic_distance": "critic",
    "independent_critic": "critic",
    "aggregate_posterior_kl": "codes",
    "latent_covariance": "codes",
    "Evaluation": "scoring",
    "evaluate": "scoring",
    "MEASURES": "measures",
    "DigitJudge": "digits",
    "nearest_distances": "digits",
    "measure_digits": "digits",
}

__getattr__, __dir__, __all__ = lazy(__name__, _HOMES)
