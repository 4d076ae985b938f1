"""A model and a dataset, or samples and data, to scores. Names are loaded when first used."""

import importlib
from typing import Any

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

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
