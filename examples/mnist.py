"""Train one system on MNIST for a fixed budget, judge it, draw it, and append a row to a table.

    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python examples/mnist.py ijae --seed 0
    python examples/mnist.py vae --seed 0 --set likelihood=learned_gaussian
    python examples/mnist.py --table docs/mnist.csv

The budget is CPU time of the process, summed over its threads, so that other work on the machine does not shorten a
run. Every system trains on the first
50,000 training images with its default networks (`dcgan`) and optimizers. `--split test` judges by the test
images, `--split validation` by the last 10,000 training images, which is what choices are made by. A row is appended
when a run ends.
"""

import argparse
import ast
import shlex
import sys
from pathlib import Path

import keras
import numpy as np
from experiment import Budget, append, print_table, read

import keras_ijae as ki
from keras_ijae.training.pictures import save_grid, save_pairs

TRAIN, VALIDATION, TEST = "train[:50000]", "train[50000:]", "test"
COLUMNS = [
    "system", "arguments", "seed", "split", "cpu_minutes", "steps", "images_per_cpu_second", "parameters",
    "squared_error", "frechet_samples", "frechet_reconstructions", "sure", "rarest_class", "frechet_real", "command",
]  # fmt: skip


def judge(model: keras.Model, classifier: keras.Model, split: str) -> dict[str, float]:
    """Frechet distances in the classifier's features, and how sure it is of 10,000 samples."""
    features = keras.Model(classifier.inputs, [classifier.get_layer("features").output, classifier.layers[-1].output])
    see = lambda images: features.predict(images, batch_size=500, verbose=0)  # noqa: E731
    real = np.concatenate(
        list(ki.datasets.load("mnist", split, 500, shuffle=False, drop_remainder=False).as_numpy_iterator())
    )
    other = np.concatenate(list(ki.datasets.load("mnist", "train[:10000]", 500, shuffle=False).as_numpy_iterator()))
    real_features, sample_features, logits = see(real)[0], *see(model.sample(10_000, seed=1))
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    classes = np.bincount(probabilities.argmax(1), minlength=10) / len(probabilities)
    found = {
        "frechet_samples": ki.metrics.frechet_distance(real_features, sample_features),
        "frechet_real": ki.metrics.frechet_distance(real_features, see(other)[0]),
        "sure": float((probabilities.max(1) >= 0.8).mean()),
        "rarest_class": float(classes.min()),
    }
    if model.has_encoder:
        remade = model.reconstruct(real)
        found["squared_error"] = float(((remade - real) ** 2).sum((1, 2, 3)).mean())
        found["frechet_reconstructions"] = ki.metrics.frechet_distance(real_features, see(remade)[0])
    return found


def draw(model: keras.Model, directory: Path, name: str) -> None:
    """64 samples, and 32 test images above their reconstructions."""
    save_grid(directory / f"{name}-samples.png", model.sample(64, seed=0))
    if model.has_encoder:
        images = next(iter(ki.datasets.load("mnist", TEST, 32))).numpy()
        save_pairs(directory / f"{name}-reconstructions.png", images, model.reconstruct(images))


def run(arguments: argparse.Namespace) -> None:
    """Train, judge, draw, append."""
    options = dict(part.split("=", 1) for part in arguments.set)
    settings = {key: _literal(value) for key, value in options.items()}
    keras.utils.set_random_seed(arguments.seed)
    model = ki.create(
        arguments.system, (28, 28, 1), arguments.latent_dim, networks="dcgan", seed=arguments.seed, **settings
    )
    model.compile()
    budget = Budget(60 * arguments.cpu_minutes)
    data = ki.datasets.load("mnist", TRAIN, arguments.batch_size, seed=arguments.seed)
    model.fit(data, epochs=10_000, shuffle=False, verbose=2, callbacks=[budget])
    name = "-".join([arguments.system, *(f"{key}={value}" for key, value in options.items()), str(arguments.seed)])
    arguments.out.mkdir(parents=True, exist_ok=True)
    model.save(arguments.out / f"{name}.keras")
    draw(model, arguments.pictures, name)
    row = {
        "system": arguments.system,
        "arguments": " ".join(arguments.set),
        "seed": arguments.seed,
        "split": arguments.split,
        "cpu_minutes": budget.cpu_minutes,
        "steps": budget.steps,
        "images_per_cpu_second": budget.steps * arguments.batch_size / (60 * budget.cpu_minutes),
        "parameters": sum(network.count_params() for network in model.networks.values()),
        "command": shlex.join(["python", "examples/mnist.py", *sys.argv[1:]]),
    }
    split = {"test": TEST, "validation": VALIDATION}[arguments.split]
    row |= judge(model, keras.models.load_model(arguments.classifier), split)
    append(arguments.results, row, COLUMNS)
    print(row)


def show(path: Path) -> None:
    """The runs as a Markdown table."""
    shown = [column for column in COLUMNS if column not in ("command", "frechet_real")]
    print_table(shown, [[row[column] for column in shown] for row in read(path)])


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="?", help="gan, vae, alpha_gan, ijae, ...")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cpu-minutes", type=float, default=10)
    parser.add_argument("--latent-dim", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="arguments of the system")
    parser.add_argument("--split", choices=["test", "validation"], default="test")
    parser.add_argument("--classifier", type=Path, default=Path("runs/mnist/classifier.keras"))
    parser.add_argument("--out", type=Path, default=Path("runs/mnist"), help="where models go")
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--results", type=Path, default=Path("docs/mnist.csv"))
    parser.add_argument("--table", type=Path, metavar="CSV", help="print a table of finished runs and stop")
    arguments = parser.parse_args()
    if arguments.table:
        show(arguments.table)
    elif arguments.system:
        run(arguments)
    else:
        parser.error("name a system, or --table CSV")


if __name__ == "__main__":
    main()
