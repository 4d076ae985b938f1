"""`fit` and the loops written by hand, on the same weights and data: what they train, and how long they take."""

import contextlib
import time
from collections.abc import Callable, Iterator

import fused
import keras
import numpy as np
import tensorflow as tf
from options import Shape

import keras_ijae as ki

CHECKED_STEPS = 20
WARM_UP = 5
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
# Of the systems for which the default arguments do not show all: checked with each, timed with the last. WGAN's slow
# start leaves the decoder one of 20 steps, and a critic clipped as tightly as by default would hardly move it.
SETTINGS: dict[str, tuple[dict, ...]] = {"wgan": ({"clip": 0.1}, {"slow_start": False})}
Loop = Callable[[tf.data.Dataset], None]


def images(shape: Shape, batch_size: int, steps: int) -> tf.data.Dataset:
    """Random images in [0, 1] in memory, as many batches as steps."""
    values = np.random.default_rng(0).random((steps * batch_size, *shape), dtype="float32")
    dataset = tf.data.Dataset.from_tensor_slices(values.astype(keras.config.floatx()))
    return dataset.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def loops(
    system: str, shape: Shape, width: int | None, settings: dict, jit_compile: bool | str = "auto"
) -> dict[str, tuple[ki.models.Game, Loop]]:
    """name -> (model, its loop over a dataset) of `fit` and the loop by hand, both with the same weights."""
    found: dict[str, tuple[ki.models.Game, Loop]] = {}
    for name in ("fit", "fused"):
        keras.utils.set_random_seed(0)
        model = ki.create(system, data_shape=shape, latent_dim=16, networks="dcgan", width=width, **settings)
        model.compile(jit_compile=jit_compile)
        if found:
            model.set_weights(found["fit"][0].get_weights())
        found[name] = (model, fit_loop(model) if name == "fit" else _plain(model, fused.STEPS[system]))
    return found


def fit_loop(model: keras.Model) -> Loop:
    """`fit`, as a user calls it."""
    return lambda dataset: model.fit(dataset, verbose=0)


def _plain(model, step: Callable) -> Loop:
    compiled = tf.function(lambda batch: step(model, batch), jit_compile=model.jit_compile)

    def loop(dataset: tf.data.Dataset) -> None:
        losses = {}
        for batch in dataset:
            losses = compiled(batch)
        for loss in losses.values():
            loss.numpy()  # waits for the device

    return loop


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """Models made inside have weights of 64 bits."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(before)


def check(system: str, shape: Shape = (8, 8, 1), batch_size: int = 4, width: int = 2) -> tuple[float, str]:
    """The largest difference of a weight from `fit`'s after 20 steps in float64, and that weight.

    Tiny networks and no XLA: what is compared is mathematics.
    """
    found = (0.0, "")
    with double_precision():
        for settings in SETTINGS.get(system, ({},)):
            made = loops(system, shape, width, settings, jit_compile=False)
            for _, loop in made.values():
                loop(images(shape, batch_size, CHECKED_STEPS))
            found = max(found, _largest_difference(made["fit"][0], made["fused"][0]))
    return found


def _largest_difference(reference, model) -> tuple[float, str]:
    """Over all weights: networks, spectral vectors, running averages, counters."""
    found = []
    for mine, other in zip(reference.weights, model.weights, strict=True):
        difference = np.abs(np.asarray(mine.numpy(), "float64") - np.asarray(other.numpy(), "float64")).max()
        found.append((float(difference) if np.isfinite(difference) else float("inf"), mine.path))
    return max(found)


def measure(
    system: str, shape: Shape, batch_size: int, width: int | None, steps: int, repeats: int, clock: str
) -> dict[str, list[float]]:
    """loop -> seconds of every repeat of `fit` and of the loop by hand; arguments as of `in_turns`."""
    made = loops(system, shape, width, SETTINGS.get(system, ({},))[-1])
    warm_up({name: loop for name, (_, loop) in made.items()}, shape, batch_size)
    return in_turns({name: loop for name, (_, loop) in made.items()}, images(shape, batch_size, steps), repeats, clock)


def warm_up(made: dict[str, Loop], shape: Shape, batch_size: int) -> None:
    """Traces and compiles the loops."""
    for loop in made.values():
        loop(images(shape, batch_size, WARM_UP))


def in_turns(made: dict[str, Loop], dataset: tf.data.Dataset, repeats: int, clock: str) -> dict[str, list[float]]:
    """loop -> seconds of every repeat, by a clock of `CLOCKS`; the loops take turns, and who begins changes."""
    seconds: dict[str, list[float]] = {name: [] for name in made}
    for repeat in range(repeats):
        for name in sorted(made, reverse=repeat % 2 == 1):
            begun = CLOCKS[clock]()
            made[name](dataset)
            seconds[name].append(CLOCKS[clock]() - begun)
    return seconds
