"""One step of a game against finite differences of losses that a test has typed from the paper."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

ROUNDING = 2e-10  # of a difference: a loss of 4 to 8 is a multiple of 9e-16, its slope times a rate of 0.05 of 2e-11
STEP = 1e-6  # of the central difference; at 1e-5 one case was off by 2e-6, as if over a kink of |.| or LeakyReLU


def gradient(loss: Callable, variables: list) -> list[np.ndarray]:
    """The central difference of `loss()` for each single weight; networks may be called with `training=True` in it."""
    compiled = tf.function(lambda: stateless(loss), autograph=False)
    return [_gradient_of_one(compiled, variable) for variable in variables]


def _gradient_of_one(loss, variable):
    values, found = np.array(variable.numpy()), np.zeros(variable.shape)
    for index in np.ndindex(values.shape):
        ends = []
        for change in (STEP, -STEP):
            changed = values.copy()
            changed[index] += change
            variable.assign(changed)
            ends.append(float(loss()))
        found[index] = (ends[0] - ends[1]) / (2 * STEP)
    variable.assign(values)
    return found


def stateless(function: Callable, *arguments: Any) -> Any:
    """`function(*arguments)` where weights have their real values, and no forward pass changes one."""
    with keras.StatelessScope():
        return function(*arguments)


class Turn(NamedTuple):
    """A phase that a step played: with which noise, and all weights before it."""

    phase: str
    noise: dict[str, tf.Tensor]
    before: dict[str, dict[str, np.ndarray]]


def parts(model: Any) -> dict[str, keras.layers.Layer]:
    """Everything with weights that a move may change, or must not."""
    moved = {name for move in model.moves for name in move.networks}
    return {
        **model.networks,
        **({"likelihood": model.observation_model} if model.observation_model is not None else {}),
        **{name: getattr(model, name) for name in ("prior", "posterior_family") if name in moved},
    }


def weights(model: Any) -> dict[str, dict[str, np.ndarray]]:
    """part -> path -> value of all weights, batch statistics and spectral vectors included."""
    return {name: {weight.path: weight.numpy() for weight in part.weights} for name, part in parts(model).items()}


def restore(model: Any, values: dict[str, dict[str, np.ndarray]]) -> None:
    """Set all weights."""
    for name, part in parts(model).items():
        for weight in part.weights:
            weight.assign(values[name][weight.path])


def observe(model: Any, x: np.ndarray) -> tuple[list[Turn], dict[str, tf.Tensor]]:
    """Play one step eagerly: its turns, and what it logged."""
    turns, losses = [], model.losses

    def observed(batch, noise, phase, forward):
        turns.append(Turn(phase, noise, stateless(weights, model)))
        return losses(batch, noise, phase, forward)

    model.losses = observed
    logs = model.train_step(tf.constant(x))
    model.losses = losses
    return turns, logs


def check_one_step(model: Any, x: np.ndarray, retyped: Callable) -> tuple[list[Turn], dict[str, tf.Tensor]]:
    """One step of SGD changes what moves by -rate times the finite difference of its loss, and nothing else by any bit.

    Each phase is checked at the weights that it found, so after the phases before it; each move has a rate of its own.

    Args:
        model: in float64, without running averages; compiled here.
        x: the batch.
        retyped: `retyped(phase, noise)` -> {move: function of no arguments, its loss at the weights as they are}.

    Returns:
        The turns of the step, and what it logged.
    """
    rates = {move.name: 0.05 * (index + 1) for index, move in enumerate(model.moves)}
    model.compile({move: keras.optimizers.SGD(rate) for move, rate in rates.items()})
    turns, logs = observe(model, x)
    states = [*(turn.before for turn in turns), weights(model)]
    for turn, after in zip(turns, states[1:], strict=True):
        restore(model, turn.before)
        expected = _expected_changes(model, stateless(retyped, turn.phase, turn.noise), rates)
        for name, part in parts(model).items():
            _check_part(name, part, turn.before[name], after[name], expected.get(name), last=after is states[-1])
    restore(model, states[-1])
    return turns, logs


def _expected_changes(model, losses, rates):
    networks, found = {move.name: move.networks for move in model.moves}, {}
    for move, loss in losses.items():
        known = parts(model)  # a layer without trainable weights is none
        moving = [
            (name, weight) for name in networks[move] if name in known for weight in known[name].trainable_variables
        ]
        for (name, variable), slope in zip(moving, gradient(loss, [variable for _, variable in moving]), strict=True):
            changes = found.setdefault(name, {})
            changes[variable.path] = changes.get(variable.path, 0) - rates[move] * slope  # moves add up
    return found


def _check_part(name, part, before, after, changes, last):
    for weight in part.weights:
        old, new, where = before[weight.path], after[weight.path], f"{name}: {weight.path}"
        if weight.name == "u":  # moves at the end of the step, with every network's
            expected = power_iteration(after[weight.path.removesuffix("u") + "kernel"], old) if last else old
            np.testing.assert_allclose(new, expected, rtol=0, atol=1e-12 if last else 0, err_msg=where)
        elif changes is None:
            np.testing.assert_array_equal(new, old, err_msg=f"does not move: {where}")
        elif weight.trainable:
            np.testing.assert_allclose(new - old, changes[weight.path], rtol=1e-6, atol=ROUNDING, err_msg=where)
        else:
            assert not np.array_equal(new, old), f"the batch statistics of what moves do, too: {where}"


def power_iteration(kernel: np.ndarray, u: np.ndarray) -> np.ndarray:
    """u after one round: W W'u, of unit length."""
    matrix = kernel.reshape(-1, kernel.shape[-1])
    image = matrix @ (matrix.T @ u)
    return image / np.linalg.norm(image)
