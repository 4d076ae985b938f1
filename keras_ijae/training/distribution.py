"""What a run trains on: one device, all devices of this machine, or those of several machines."""

import json
import os
import re

import tensorflow as tf

from keras_ijae.checks import choice

STRATEGIES = ("none", "mirrored", "multiworker")
_EXAMPLE = '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, "task": {"type": "worker", "index": 0}}'


def distribution(strategy: str) -> tf.distribute.Strategy:
    """The strategy in whose scope a model is made.

    Args:
        strategy: "none": that of the scope around this call, without one a single device. "mirrored": all GPUs of this
            machine, without any all its logical CPUs. "multiworker": the machines of the environment variable
            TF_CONFIG, with all GPUs of each; returns when all of them have called it.

    Raises:
        ValueError: another name; "multiworker", and TF_CONFIG is missing or does not describe a cluster.
        RuntimeError: "multiworker" in a process that has used TensorFlow.
    """
    choice("strategy", strategy, STRATEGIES)
    if strategy == "none":
        return tf.distribute.get_strategy()
    if strategy == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    check_cluster(os.environ.get("TF_CONFIG"))
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise RuntimeError(
            "Strategy 'multiworker' must be made before TensorFlow is first used: no tensor, model or data set may be "
            f"made, and no device counted, before. {error}"
        ) from error


def check_cluster(config: str | None) -> None:
    """Raise a ValueError unless `config`, the value of TF_CONFIG, describes a cluster and this machine's place in it.

    TensorFlow takes a missing one for a cluster of one machine, and waits for ever on others that are not there.
    """
    if not config:
        raise _wrong("it is not set")
    try:
        content = json.loads(config)
    except json.JSONDecodeError as error:
        raise _wrong(f"it is not JSON ({error}): {config:.200}") from None
    parts = [content.get(name) if isinstance(content, dict) else None for name in ("cluster", "task")]
    if not all(isinstance(part, dict) for part in parts):
        raise _wrong(f"it lacks the object 'cluster' or 'task': {config:.200}")
    cluster, task = parts
    if not cluster or set(cluster) - {"chief", "worker"} or len(cluster.get("chief", [0])) != 1:
        raise _wrong(f"its cluster has other jobs than 'worker', with one 'chief' or none: {sorted(cluster)}")
    for job, addresses in cluster.items():
        if not isinstance(addresses, list) or not all(_is_address(address) for address in addresses):
            raise _wrong(f"the addresses of {job!r} are not a list of 'host:port': {addresses!r:.200}")
    every = [address for addresses in cluster.values() for address in addresses]
    if len(set(every)) < len(every):
        raise _wrong(f"an address comes twice: {every}")
    kind, index = task.get("type"), task.get("index")
    if kind not in cluster or isinstance(index, bool) or not isinstance(index, int):
        raise _wrong(f"its task has no 'type' of the cluster's {sorted(cluster)} or no whole 'index': {task}")
    if not 0 <= index < len(cluster[kind]):
        raise _wrong(f"its task's index must be in 0..{len(cluster[kind]) - 1}: {index}")


def _is_address(address) -> bool:
    found = isinstance(address, str) and re.fullmatch(r"[^\s:]+:(\d+)|\[[^\s\]]+\]:(\d+)", address)
    return bool(found) and 1 <= int(found[1] or found[2]) < 2**16


def _wrong(what: str) -> ValueError:
    return ValueError(
        f"Strategy 'multiworker' needs the environment variable TF_CONFIG, such as {_EXAMPLE}, the same on all "
        f"machines but for the task. Received: {what}"
    )
