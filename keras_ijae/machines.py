"""What several machines do together between steps, and who of them writes; on one machine all of it is trivial."""

import contextlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this machine is the one that writes files: the only one, the cluster's "chief", or its first worker."""
    resolver = strategy.cluster_resolver
    if not several_machines(strategy):
        return True
    return resolver.task_type == "chief" or ("chief" not in resolver.cluster_spec().jobs and resolver.task_id == 0)


def several_machines(strategy: tf.distribute.Strategy) -> bool:
    """Whether the replicas are on several machines."""
    resolver = strategy.cluster_resolver
    return resolver is not None and sum(map(len, resolver.cluster_spec().as_dict().values())) > 1


def place(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """Which machine this one is, from 0, and how many there are."""
    if not several_machines(strategy):
        return 0, 1
    resolver = strategy.cluster_resolver
    jobs = resolver.cluster_spec().as_dict()
    tasks = [(job, index) for job in ("chief", "worker") for index in range(len(jobs.get(job, [])))]
    return tasks.index((resolver.task_type, resolver.task_id)), len(tasks)


def of_all_machines(strategy: tf.distribute.Strategy, number: int) -> list[int]:
    """The `number`, of 63 bits, that each replica's machine gives; all must call this, outside a step."""
    if not several_machines(strategy):
        return [number]
    return _of_all_replicas(strategy, np.array([number], np.int64)).tolist()


def arrays_of_all_machines(strategy: tf.distribute.Strategy, rows: np.ndarray) -> list[np.ndarray]:
    """The arrays (n, ...) of all machines, in the machines' order, where n may differ; all must call this.

    Args:
        strategy: over the machines.
        rows: this machine's, of the same kind and shape as the others' but for their number, which may be 0.
    """
    replicas = strategy.num_replicas_in_sync // place(strategy)[1]
    counts = of_all_machines(strategy, len(rows))[::replicas]
    filled = np.zeros((max(1, *counts), *rows.shape[1:]), rows.dtype)  # TensorFlow ends at arrays without rows
    filled[: len(rows)] = rows
    found = _of_all_replicas(strategy, filled[None])[::replicas]
    return [part[:count] for part, count in zip(found, counts, strict=True)]


def _of_all_replicas(strategy, rows):
    """The rows that each replica's machine gives, one replica's after the other's; as many of each."""

    def of_all():
        return tf.distribute.get_replica_context().all_gather(tf.constant(rows), axis=0)

    return strategy.experimental_local_results(strategy.run(of_all))[0].numpy()


@contextlib.contextmanager
def all_alive(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """In it the error of a machine that lost another one says so.

    Raises:
        RuntimeError: another machine has ended, or cannot be reached.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        if not several_machines(strategy):
            raise
        raise RuntimeError(
            "Another worker has ended, or cannot be reached any more: its own output says why. Start all of them "
            f"again; from a backup they go on where it was made. {error.message.strip().rpartition(chr(10))[2]:.300}"
        ) from error
