"""Which values of a logged term or a score are better, by its name: the one rule for curves and for tables."""

from collections.abc import Collection

_LOWER = {
    *("loss", "squared_error", "squared_error_sum", "mean_squared_error", "batch_error_mean", "absolute_error_mean"),
    *("cross_entropy_mean", "squared_error_mean", "negative_log_likelihood_sum", "bits_per_dim"),
    *("fid", "frechet_distance", "class_frechet_distance_mean", "class_frechet_distance_worst"),
    *("kid", "kernel_distance", "sliced_wasserstein", "lpips"),
}
"""Errors of reconstructions, distances of samples; "loss" is that of validation, by which models are selected."""
_HIGHER = {
    *("elbo_nats_sum", "elbo_density_nats_sum", "log_likelihood_nats_sum", "log_likelihood_density_nats_sum"),
    *("elbo_nats", "importance_weighted_bound_nats", "ais_nats"),
    *("psnr", "ssim", "ms_ssim", "is", "inception_score", "class_accuracy"),
    *("precision", "recall", "density", "coverage", "prd_f8_recall", "prd_f1/8_precision"),
}
"""Bounds and likelihoods in nats, similarities, shares."""


def sense(name: str, logged: Collection[str] = ()) -> int:
    """Whether more is better (1), or less (-1), or neither (0).

    Neither is of what a system balances (a KL, a penalty), and of losses of players that play against each other: that
    of a move counts only where it is the only one.

    Args:
        name: of a logged term or a score: "val_loss", "auto_encoder_loss", "gen/frechet_distance[mnist-classifier]".
        logged: names of all that is logged beside it, for the losses of moves.

    Example:
        >>> sense("val_squared_error_sum"), sense("val_elbo_nats_sum"), sense("val_kl_nats_sum")
        (-1, 1, 0)
        >>> sense("decoder_loss", ["decoder_loss", "discriminator_loss"])
        0
    """
    plain = name.removeprefix("val_").partition("[")[0]
    plain = plain.removeprefix("gen/").removeprefix("rec/")
    alone = is_objective(name) and {other for other in logged if other.endswith("_loss")} - {"val_loss"} == {name}
    return -1 if alone or plain in _LOWER else int(plain in _HIGHER)


def is_objective(name: str) -> bool:
    """Whether a term is what a system minimises: of another system, or with other arguments, it is another quantity."""
    return name == "loss" or name.endswith("_loss")
