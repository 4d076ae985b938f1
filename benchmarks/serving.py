"""Images per second over threads: of a model's `sample`, and of the SavedModel that it exports.

    python benchmarks/serving.py                                 # 1, 2, 4, 8, 16, 32 and 64 threads
    python benchmarks/serving.py --threads 1,4 --out docs         # rows of serving.csv, and a section of performance.md

All threads ask for samples of `--rows` images at once, each with seeds of its own, for `--seconds`. Before that, what
64 threads get is compared with what one gets: image by image the same.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from records import OUT, SHORT, append, machine, origin, read, write_section

SECONDS, HEADING, FILE = 5.0, "## Images a second over threads", "serving.csv"
ABOUT = """Of a VAE on images of 28 x 28 x 1 that is asked for samples, 16 a request, by so many threads at once, by
`benchmarks/serving.py`: of the model in Python, and of the SavedModel that it exports. What 64 threads get is first
compared with what one gets: it is the same, image by image."""
COLUMNS = ["threads", "model.sample", "SavedModel"]

Sample = Callable[[int], np.ndarray]
"""Seed -> images."""


def servers(shape: tuple[int, ...], rows: int, place: str) -> dict[str, Sample]:
    """What is asked for samples, by name."""
    import tensorflow as tf

    import keras_ijae as ki

    model = ki.create("vae", data_shape=shape, latent_dim=16, networks="dcgan" if min(shape[:2]) >= 16 else "mlp")
    model.export(place)
    saved = tf.saved_model.load(place)
    served = saved.signatures["sample"]

    def exported(seed: int) -> np.ndarray:
        return served(n=tf.constant(rows), seed=tf.constant(seed))["observations"].numpy()

    exported.keeps = saved  # the signatures do not
    return {"model.sample": lambda seed: model.sample(rows, seed), "SavedModel": exported}


def check(sample: Sample, threads: int = 64) -> None:
    """ValueError where threads at once get other images than one alone."""
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(sample, range(2 * threads)))
    for seed, images in enumerate(found):
        if not np.array_equal(images, sample(seed)):
            raise ValueError(f"With {threads} threads seed {seed} gave other images than alone")


def rate(sample: Sample, threads: int, seconds: float) -> float:
    """Images per second of all threads together."""
    stop, counts = threading.Event(), [0] * threads

    def ask(index: int) -> None:
        while not stop.is_set():
            counts[index] += len(sample(1000 * index + counts[index]))

    workers = [threading.Thread(target=ask, args=(index,)) for index in range(threads)]
    begun = time.monotonic()
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.monotonic() - begun)


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,2,4,8,16,32,64", help="how many, in turn (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=16, help="images of a request (default: 16)")
    parser.add_argument("--shape", default="28x28x1", help="of an image (default: 28x28x1)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="directory of rows and page (default: %(default)s)")
    given = parser.parse_args(command)
    shape = tuple(map(int, given.shape.split("x")))
    with tempfile.TemporaryDirectory() as directory:
        asked = servers(shape, given.rows, f"{directory}/saved")
        for sample in asked.values():
            check(sample)
        for threads in map(int, given.threads.split(",")):
            rates = {name: f"{rate(sample, threads, given.seconds):.0f}" for name, sample in asked.items()}
            print(f"{threads:3} threads  " + "  ".join(f"{name} {value:>8}/s" for name, value in rates.items()))
            row = {"threads": threads, **rates, SHORT: SHORT if given.seconds < SECONDS else "", "machine": machine()}
            row |= origin("serving.py", "benchmarks")
            append(given.out / FILE, row, list(row))
    latest = {row["threads"]: row for row in read(given.out / FILE)}
    write_section(given.out, HEADING, ABOUT, COLUMNS, latest.values())


if __name__ == "__main__":
    main()
