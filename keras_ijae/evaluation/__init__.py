"""A model and a dataset, or samples and data, to scores."""

from keras_ijae.evaluation.ais import AIS, BDMC, ais_log_likelihood, bdmc
from keras_ijae.evaluation.codes import active_codes, aggregate_posterior_kl, latent_covariance
from keras_ijae.evaluation.critic import IndependentCritic, critic_distance, independent_critic
from keras_ijae.evaluation.digits import DigitJudge, measure_digits, nearest_distances
from keras_ijae.evaluation.measures import MEASURES
from keras_ijae.evaluation.scoring import Evaluation, evaluate

__all__ = [
    "AIS",
    "BDMC",
    "DigitJudge",
    "Evaluation",
    "IndependentCritic",
    "MEASURES",
    "active_codes",
    "aggregate_posterior_kl",
    "ais_log_likelihood",
    "bdmc",
    "critic_distance",
    "evaluate",
    "independent_critic",
    "latent_covariance",
    "measure_digits",
    "nearest_distances",
]
