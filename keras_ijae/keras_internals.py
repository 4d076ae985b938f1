"""The private attributes of Keras that this package uses: here, each with why, and nowhere else."""

import functools
import io
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from keras.src.saving import saving_lib
from keras.src.trainers.data_adapters import array_data_adapter, array_slicing


class BuiltBeforehand(keras.Model):
    """A model that `fit` and `evaluate` need not build under a strategy: it has all its weights, by its own `ready`.

    Keras would take a batch off the data first, so that the first epoch is the data set's second pass, and its mean
    over the replicas, which raises where they have different numbers of rows and, on several machines, always.
    """

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        pass


def are_arrays(x: Any) -> bool:
    """Whether Keras cuts and, unless told otherwise, shuffles `x` itself: arrays and tensors of any library, nested."""
    return array_data_adapter.can_convert_arrays((x,))


def in_batches(
    x: Any, y: Any = None, batch_size: int | None = None, steps: int | None = None, shuffle: bool | str = False
) -> tuple[Any, Any]:
    """Arrays as the data set that Keras makes of them, and None; all else as it is.

    But without TensorFlow's tuner of input pipelines, for which Keras has no argument: TensorFlow 2.21 ends a pass only
    when the tuner wakes, which sleeps 10 ms, 20 ms, 40 ms, ... up to a minute.
    """
    if not are_arrays((x, y)):
        return x, y
    adapter = array_data_adapter.ArrayDataAdapter(x, y, batch_size=batch_size, steps=steps, shuffle=shuffle)
    options = tf.data.Options()
    options.autotune.enabled = False
    counted = adapter.get_tf_dataset().apply(tf.data.experimental.assert_cardinality(adapter.num_batches))
    return counted.with_options(options), None


def split_off(x: Any, y: Any, share: float) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Arrays x and y less that share of their rows, the last ones, and x and y of these, as Keras parts them."""
    return array_slicing.train_validation_split((x, y), validation_split=share)


def sublayers(network: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Every layer inside a network, nested ones and itself included: Keras has no public walk over nested layers."""
    return network._flatten_layers()


def made_trainable(network: keras.layers.Layer) -> list[keras.Variable]:
    """The weights of a network that were made to be trained, frozen now or not, in the order of its weights.

    Publicly Keras has only those that are not frozen. What is saved must not depend on that: a file is loaded into
    networks that are frozen as they were when it was written, not as they were when its model was made.
    """
    made = {id(weight) for layer in sublayers(network) for weight in layer._trainable_variables}
    return [weight for weight in network.weights if id(weight) in made]


def adds_a_loss(layer: keras.layers.Layer, scope: keras.StatelessScope) -> bool:
    """Whether the layer itself added one of the losses in the scope: publicly a layer has those of inner ones, too."""
    return any(id(loss) in layer._loss_ids for loss in scope.losses)


def weights_file(model: keras.Model) -> io.BytesIO:
    """What `model.save_weights` writes, in memory: HDF5 itself ends the process where a file cannot be written.

    On a full disk its library cannot close the file, warns of it for every part, and crashes when the process ends.
    Publicly Keras writes weights to a path alone.
    """
    file = io.BytesIO()
    store = saving_lib.H5IOStore(file, mode="w")
    saving_lib._save_state(model, store, assets_store=None, inner_path="", visited_saveables=set())
    store.close()
    return file


def clip_gradients(optimizer: keras.optimizers.Optimizer, gradients: list) -> list:
    """Gradients as the optimizer clips them. On several replicas Keras clips each one's share, before their sum."""
    return optimizer._clip_gradients(gradients)


def left_out_of_weight_decay(optimizer: keras.optimizers.Optimizer) -> str | None:
    """The pattern of names that `exclude_from_weight_decay(var_names=...)` was given: no configuration has them."""
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return pattern and pattern.pattern


def in_one_operation(optimizer: keras.optimizers.Optimizer) -> None:
    """Let Adam move a variable by TensorFlow's one operation: Keras makes a dozen of it, each over all memory.

    The same values to float32 rounding. Other optimizers, subclasses and AMSGrad stay as they are.
    """
    if type(optimizer) is keras.optimizers.Adam and not optimizer.amsgrad:
        optimizer.update_step = functools.partial(_adam, optimizer)


def _adam(optimizer, gradient, variable, learning_rate):
    if isinstance(gradient, tf.IndexedSlices):  # of rows: the operation takes none
        return keras.optimizers.Adam.update_step(optimizer, gradient, variable, learning_rate)
    index, step = optimizer._get_variable_index(variable), tf.cast(optimizer.iterations + 1, variable.dtype)
    rate, beta_1, beta_2 = (tf.cast(x, variable.dtype) for x in (learning_rate, optimizer.beta_1, optimizer.beta_2))
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=beta_1**step,
        beta2_power=beta_2**step,
        lr=rate,
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.cast(optimizer.epsilon, variable.dtype),
        grad=tf.cast(gradient, variable.dtype),
    )


def start_at(model: keras.Model, epoch: int) -> None:
    """Let the `fit` under way begin at this epoch: only `fit`'s caller can say so publicly, no callback can."""
    model._initial_epoch = epoch


def forget_interrupted(model: keras.Model) -> None:
    """What a `fit` that was interrupted leaves, Keras keeps for the next.

    That is where to begin, what to validate on, and the step, in whose place `Backup` may have one that passes over
    batches.
    """
    model._initial_epoch = model._eval_epoch_iterator = None
    model.train_function = getattr(model.train_function, "instead_of", model.train_function)


def is_validation_of_fit(arguments: dict) -> bool:
    """Whether `evaluate` was called by `fit`, whose data have been checked: Keras gives no other sign than this."""
    return bool(arguments.get("_use_cached_eval_dataset"))


def check_compiled(model: keras.Model, method: str) -> None:
    """Raise Keras' own ValueError where `compile` has not been called: it has no public check with that message."""
    model._assert_compile_called(method)


def outputs_inside(network: keras.Model) -> dict[str, tuple[keras.layers.Layer, list, keras.KerasTensor]]:
    """name -> (layer, the tensors that it is given, what it gives), of a functional or sequential network.

    Publicly Keras has only a layer's own `input` and `output`: of a network inside a network those are not where it
    stands in the outer one, and of a layer that stands twice there are none.
    """
    network = getattr(network, "_functional", None) or network
    nodes = [node for depth in sorted(network._nodes_by_depth, reverse=True) for node in network._nodes_by_depth[depth]]
    return {node.operation.name: (node.operation, node.arguments.keras_tensors, node.outputs[0]) for node in nodes}
