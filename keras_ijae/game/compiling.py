"""Arguments of Keras' `compile`, `fit` and `evaluate` that a game takes otherwise than other models, or not at all."""

import warnings
from typing import Any

import keras

from keras_ijae import checks
from keras_ijae.game.data import UNWEIGHTED
from keras_ijae.keras_internals import sublayers


def refuse(loss: Any, metrics: Any) -> None:
    """ValueError where a loss or metrics are given to `compile`."""
    if loss is not None:
        raise ValueError(f"Argument `loss` is not taken: a system's losses are its own. Received: {loss!r}")
    if metrics is not None:
        raise ValueError(
            "Argument `metrics` is not taken: use the callback ki.training.MetricsCallback, or "
            f"ki.evaluation.evaluate. Received: {metrics!r}"
        )


def refuse_weights(**weights: Any) -> None:
    """ValueError where samples or classes are given weights."""
    for name, value in weights.items():
        if value is not None:
            raise ValueError(f"Argument `{name}` is not taken. {UNWEIGHTED}. Received: {type(value).__name__}")


def checked(
    jit_compile: bool | str, steps_per_execution: int, run_eagerly: bool, replicas: int
) -> dict[str, bool | str | int]:
    """How steps are compiled: arguments of Keras' `compile`; under several replicas one step at a time."""
    steps_per_execution = checks.whole("steps_per_execution", steps_per_execution)
    checks.flag("run_eagerly", run_eagerly)
    if jit_compile != "auto":
        checks.flag("jit_compile", jit_compile)
    if replicas > 1 and steps_per_execution > 1:
        warnings.warn(
            f"steps_per_execution={steps_per_execution} fails under several replicas in Keras: using 1", stacklevel=3
        )
        steps_per_execution = 1
    return {"jit_compile": jit_compile, "steps_per_execution": steps_per_execution, "run_eagerly": run_eagerly}


def warn_of_statistics(networks: dict[str, keras.layers.Layer]) -> None:
    """Warns of batch normalisation that would see the rows of one replica alone."""
    for role, network in networks.items():
        for layer in sublayers(network):
            if isinstance(layer, keras.layers.BatchNormalization) and not layer.synchronized:
                warnings.warn(
                    f"{layer.name} of the {role} normalises by the rows of each replica, and its moving statistics are "
                    "those of one: give it synchronized=True",
                    stacklevel=3,
                )
