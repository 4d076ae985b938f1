"""What replicas do together, inside a step; on one replica all of it is trivial."""

import tensorflow as tf


def gathered(rows: tf.Tensor) -> tf.Tensor:
    """The rows of all replicas, in their order, for losses on sets of rows such as MMD.

    Averaging the losses of each replica's rows would give a different value. Gradients flow back: each replica's rows
    get the sum over the replicas, which the game divides by their number.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return rows
    everything = tf.distribute.get_replica_context().all_gather(rows, axis=0)
    return tf.ensure_shape(everything, [None, *rows.shape[1:]])


def own_rows(everything: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Of what was made of `gathered` rows, one for each, those that belong to the `rows` of this replica."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return everything
    start = tf.distribute.get_replica_context().replica_id_in_sync_group * rows
    return everything[start : start + rows]


def means(logs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Each scalar's mean over the replicas, so that all decide alike."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return logs
    return tf.distribute.get_replica_context().all_reduce("MEAN", logs)


def total(values: tf.Tensor) -> tf.Tensor:
    """The sum of a tensor over the replicas."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce("SUM", values)


def assign(variables: list[tf.Variable], values: list[tf.Tensor]) -> None:
    """Assign to variables of any aggregation, every replica holding equal values."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return

    def everywhere(strategy, *values):
        for variable, value in zip(variables, values, strict=True):
            strategy.extended.update(variable, lambda v, new: v.assign(new), args=(value,), group=False)

    tf.distribute.get_replica_context().merge_call(everywhere, args=values)
