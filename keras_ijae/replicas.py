"""What replicas do together in a step, on one machine or several; on one replica all of it is trivial."""

from typing import Any, NamedTuple

import tensorflow as tf


class Share(NamedTuple):
    """The rows of a global batch that a replica has: `rows` of the `total`, from row `start` on."""

    rows: Any
    start: Any = 0
    total: Any = None
    shared: Any = False
    """Whether all replicas have these same rows, as `ByRows` gives them of a batch that has too few."""

    @property
    def copies(self) -> tf.Tensor:
        """How many replicas have these same rows, float32."""
        return tf.where(self.shared, float(number_of_replicas()), 1.0)

    @property
    def weight(self) -> tf.Tensor:
        """Of this replica's means in a mean over all replicas, float32; 1 where they have as many rows each."""
        replicas = number_of_replicas()
        if replicas == 1:
            return tf.ones([])
        return tf.cast(self.rows * replicas, tf.float32) / (tf.cast(self.total, tf.float32) * self.copies)

    def slice(self, first: int, stride: int) -> tuple[Any, "Share"]:
        """Of the global batch's rows first, first + stride, ...: this replica's first one, and its share of them.

        Never none: in a batch that is too small slices share rows.
        """
        total = self.rows if self.total is None else self.total
        first = first % tf.maximum(total, 1)
        begin = (first - self.start) % stride
        rows = (self.rows - begin + stride - 1) // stride
        if self.total is None:
            return begin, Share(rows)
        start, total = ((row - first + stride - 1) // stride for row in (self.start, total))
        return begin, Share(rows, start, total, self.shared)


class Part(NamedTuple):
    """What `ByRows` gives a replica of a batch: its rows, the first one's number, and how many the batch has."""

    data: Any
    start: tf.Tensor
    total: tf.Tensor


def number_of_replicas() -> int:
    """Of the strategy in whose scope this is called."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def goes_whole(rows: Any, replicas: int, least: int) -> Any:
    """Whether a batch of so many rows goes whole to each of the replicas, having fewer than `least` rows for each."""
    return rows < replicas * least


def share_of(rows: tf.Tensor) -> Share:
    """The share of a replica that has so many rows; outside of a replica all of them are its own."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return Share(rows)
    one_hot = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync)
    each = tf.cast(context.all_reduce("SUM", one_hot * tf.cast(rows, tf.float32)), tf.int32)
    return Share(rows, tf.reduce_sum(each[: context.replica_id_in_sync_group]), tf.reduce_sum(each))


def parted(data: Any) -> tuple[Any, Share | None]:
    """The data of a step, and this replica's share of them where that is known."""
    if not isinstance(data, Part):
        return data, None
    rows = tf.shape(tf.nest.flatten(data.data)[0])[0]
    return data.data, Share(rows, data.start, data.total, rows == data.total)


def gathered(rows: tf.Tensor) -> tf.Tensor:
    """The rows of all replicas, in their order, for losses on sets of rows such as MMD.

    Averaging the losses of each replica's rows would give a different value. Gradients flow back: each replica's rows
    get the sum over the replicas, which the game divides by their number.
    """
    if number_of_replicas() == 1:
        return rows
    everything = tf.distribute.get_replica_context().all_gather(tf.identity(rows), axis=0)
    return tf.ensure_shape(everything, [None, *rows.shape[1:]])


def own_rows(everything: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Of what was made of `gathered` rows, one for each, those that belong to the `rows` of this replica."""
    if number_of_replicas() == 1:
        return everything
    share = share_of(rows)
    return everything[share.start : share.start + rows]


def means(logs: dict[str, tf.Tensor], weight: tf.Tensor) -> dict[str, tf.Tensor]:
    """Each scalar's mean over the replicas, of which this one has that `weight`, so that all decide alike."""
    if number_of_replicas() == 1:
        return logs
    weighted = {name: value * tf.cast(weight, value.dtype) for name, value in logs.items()}
    return tf.distribute.get_replica_context().all_reduce("MEAN", weighted)


def total(values: Any) -> Any:
    """The sums of tensors over the replicas."""
    if number_of_replicas() == 1:
        return values
    here = tf.nest.map_structure(tf.identity, values)  # what is read or handed in is on no device, which raises
    return tf.distribute.get_replica_context().all_reduce("SUM", here)


def assign(variables: list[tf.Variable], values: list[tf.Tensor]) -> None:
    """Assign to variables of any aggregation, every replica holding equal values."""
    if number_of_replicas() == 1:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return

    def everywhere(strategy, *values):
        for variable, value in zip(variables, values, strict=True):
            strategy.extended.update(variable, lambda v, new: v.assign(new), args=(value,), group=False)

    tf.distribute.get_replica_context().merge_call(everywhere, args=values)


class ByRows(tf.distribute.Strategy):
    """A strategy as it is, but that each replica gets its own rows of every batch, one after the other.

    TensorFlow cuts batches otherwise: where their number of rows cannot be divided by that of the replicas, the last
    ones get what is left, perhaps nothing; with several devices on each of several machines rows change places, with
    uneven shares some come twice, and by default machines read different files. Here a batch of n rows is cut for R
    replicas after rows n/R, 2n/R, ..., rounded down, whatever it is read from; one that has fewer than `least` rows
    for each goes whole to all of them. All machines read the same batches.

    Args:
        strategy: of several replicas.
        least: rows for each, at least 1.
    """

    def __init__(self, strategy: tf.distribute.Strategy, least: int = 1):
        super().__init__(strategy.extended)
        self._strategy, self._least = strategy, least

    def scope(self) -> Any:
        """That of the strategy, whose variables know no other."""
        return self._strategy.scope()

    def experimental_distribute_dataset(
        self, dataset: tf.data.Dataset, options: tf.distribute.InputOptions | None = None
    ) -> Any:
        """The batches of `dataset`, cut for the replicas."""

        def of_machine(context):
            count = context.num_replicas_in_sync // context.num_input_pipelines
            own = range(context.input_pipeline_id * count, (context.input_pipeline_id + 1) * count)
            return self._cut(dataset, own).prefetch(count)

        return self.distribute_datasets_from_function(of_machine, options)

    def _cut(self, dataset, own):
        replicas, single = self.num_replicas_in_sync, not isinstance(dataset.element_spec, tuple)

        def cut(*batch):
            batch = batch[0] if single else batch
            return tf.data.Dataset.range(own.start, own.stop).map(lambda replica: part_of(batch, replica))

        def part_of(batch, replica):
            n = tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0]
            whole = goes_whole(n, replicas, self._least)
            start = tf.where(whole, tf.zeros_like(n), n * replica // replicas)
            stop = tf.where(whole, n, n * (replica + 1) // replicas)
            rows = tf.nest.map_structure(lambda all_: _sized(all_[start:stop], all_, replicas, self._least), batch)
            return Part(rows, tf.cast(start, tf.int32), tf.cast(n, tf.int32))

        return dataset.flat_map(cut)


def _sized(part, rows, replicas, least):
    """The part with the number of its rows, where that is always the same."""
    n = rows.shape[0]
    if n is not None and goes_whole(n, replicas, least):
        part.set_shape(rows.shape)
    elif n is not None and n % replicas == 0:
        part.set_shape([n // replicas, *rows.shape[1:]])
    return part
