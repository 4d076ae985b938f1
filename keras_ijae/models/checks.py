"""What is checked before the first step, and what stops a run that goes bad later."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_EVERY = 20  # steps between two looks at the flags


class TrainingError(RuntimeError):
    """Training stopped: a term or the data became bad; says which and at which step."""


def unpack(data: Any) -> tf.Tensor:
    """The observations of a batch: x alone, (x, y, ...), or a tfds dictionary with "image" (uint8 is scaled)."""
    if isinstance(data, (tuple, list)):
        data = data[0]
    if isinstance(data, dict):
        if "image" not in data:
            raise ValueError(f'A dictionary batch must have "image". Received the keys {sorted(data)}')
        data = tf.convert_to_tensor(data["image"])
        return tf.cast(data, tf.float32) / 255 if data.dtype == tf.uint8 else data
    return data


def observations(x: Any, data_shape: tuple[int, ...], name: str = "x") -> tf.Tensor:
    """`x` as a tensor, or a ValueError: wrong dtype, rank, size, and where values are known range, NaN, emptiness."""
    x = tf.convert_to_tensor(x)
    kind = "images" if len(data_shape) == 3 else "vectors"
    if not x.dtype.is_floating:
        advice = " Divide uint8 images by 255 (ki.datasets.load does it)." if x.dtype.is_integer else ""
        raise ValueError(f"Argument `{name}` must be floating {kind}.{advice} Received: dtype {x.dtype.name}")
    if x.shape.rank != len(data_shape) + 1 or not x.shape[1:].is_compatible_with(data_shape):
        expected = f"(batch, {', '.join(map(str, data_shape))})"
        raise ValueError(f"Argument `{name}` must have shape {expected}. Received: shape {tuple(x.shape)}")
    if tf.executing_eagerly():
        _check_values(x.numpy(), name, images=len(data_shape) == 3)
    return x


def _check_values(x: np.ndarray, name: str, images: bool) -> None:
    if not x.size:
        raise ValueError(f"Argument `{name}` is empty: shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(
            f"Argument `{name}` must be finite. Received {np.count_nonzero(~np.isfinite(x))} NaN or infinite values"
        )
    if images and (x.min() < 0 or x.max() > 1):
        raise ValueError(f"Argument `{name}` must be images in [0, 1]. Received: range [{x.min():g}, {x.max():g}]")


def flags(x: tf.Tensor, images: bool) -> dict[str, tf.Tensor]:
    """In-graph: what is wrong with a batch."""
    found = {"NaN or infinite values in the data": ~tf.reduce_all(tf.math.is_finite(x))}
    if images:
        found["images outside [0, 1]"] = (tf.reduce_min(x) < 0) | (tf.reduce_max(x) > 1)
    return found


def first_batch(x: Any, batch_size: int | None) -> tuple[Any, Any]:
    """The first batch of what `fit` accepts, and `x` with nothing taken from it; None for distributed data sets."""
    if isinstance(x, tf.data.Dataset):
        return _present(next(iter(x.take(1)), None)), x
    if isinstance(x, keras.utils.PyDataset):
        return _present(x[0] if len(x) else None), x
    if isinstance(x, Iterator):
        first = _present(next(x, None))
        return first, (batch for batch in itertools.chain([first], x))  # Keras takes generators, no other iterators
    if isinstance(x, tf.distribute.DistributedDataset) or not hasattr(x, "__getitem__"):
        return None, x  # Keras says what it cannot take
    if isinstance(x, (tuple, list, dict)):
        return tf.nest.map_structure(lambda part: part[: batch_size or 32], x), x
    return x[: batch_size or 32], x


def batches(x: Any) -> Iterable:
    """The batches of a finite dataset, or an array or pair of arrays as one batch."""
    if isinstance(x, tf.data.Dataset) and x.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("The dataset must end. Received: one that repeats for ever; `take` some batches of it")
    if isinstance(x, keras.utils.PyDataset):
        return (x[index] for index in range(len(x)))
    return x if isinstance(x, tf.data.Dataset) else [x]


def _present(batch):
    if batch is None:
        raise ValueError("The dataset is empty: there is no first batch")
    return batch


def sublayers(network: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Every layer inside a network, nested ones and itself included."""
    return network._flatten_layers()  # Keras has no public walk over nested layers


def sizes(decoder: keras.layers.Layer, data_shape: tuple | None, latent_dim: int | None) -> tuple[tuple, int]:
    """`data_shape` and `latent_dim`, each read off the decoder where it is None."""
    try:
        data_shape = decoder.output_shape[1:] if data_shape is None else data_shape
        latent_dim = decoder.inputs[0].shape[-1] if latent_dim is None else latent_dim
    except AttributeError as error:
        raise ValueError("Arguments `data_shape` and `latent_dim` are needed: the decoder does not say them") from error
    return tuple(data_shape), latent_dim


def shapes(role: str, network: keras.layers.Layer, inputs: list[tuple], output: tuple) -> None:
    """ValueError where a network does not map tensors of shapes `inputs` to `output` (batch not counted)."""
    tensors = [tf.zeros((1, *shape), keras.config.floatx()) for shape in inputs]
    wanted = " and ".join(str(tuple(shape)) for shape in inputs)
    try:
        found = tuple(network(tensors if len(tensors) > 1 else tensors[0], training=False).shape[1:])
    except Exception as error:
        raise ValueError(
            f"Network `{role}` must accept inputs of shape {wanted}. Received one with inputs "
            f"{getattr(network, 'input_shape', 'of other shapes')}: {str(error).splitlines()[0]}"
        ) from error
    if found != tuple(output):
        raise ValueError(f"Network `{role}` must map {wanted} to {tuple(output)}. Received one that gives {found}")


def batch_statistics(networks: dict[str, keras.layers.Layer], rows: int) -> None:
    """ValueError where a batch of one row meets batch normalisation."""
    for name, network in networks.items():
        found = any(isinstance(layer, keras.layers.BatchNormalization) for layer in sublayers(network))
        if rows == 1 and found:
            raise ValueError(
                f"A batch of one row has no batch statistics, which {name} normalises by. Use a larger batch"
            )


class Watch(keras.callbacks.Callback):
    """Stops training with a TrainingError that names the term and the step; looks every few steps.

    What it finds good it shows to `notice`, a system's function of the means of the logs.
    """

    def __init__(self, logs, notice):
        super().__init__()
        self._logs, self._notice, self._seen = logs, notice, 0

    def on_train_batch_end(self, batch, logs=None):
        if batch // _EVERY != self._seen:
            self._seen = batch // _EVERY
            self._look()

    def on_test_begin(self, logs=None):
        self._look()  # validation resets the flags

    def on_epoch_end(self, epoch, logs=None):
        self._look()

    def _look(self):
        bad = self._logs.bad()
        if bad:
            step = min(bad.values())
            terms = ", ".join(repr(term) for term, at in bad.items() if at == step)
            raise TrainingError(
                f"Training went bad at step {step}: {terms}. Weights saved before that step are good; "
                "a lower learning rate, a penalty on the discriminators or clipping may help"
            )
        if float(keras.ops.convert_to_numpy(self._logs.weight)):  # none yet, or validation has reset them
            self._notice(self._logs.result())
