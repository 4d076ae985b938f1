"""Train one system on MNIST for a fixed budget, judge it, draw it, and append a row to a table.

    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python experiments/mnist.py ijae --seed 0
    python experiments/mnist.py vae --seed 0 --set likelihood=learned_gaussian
    python experiments/mnist.py --table

The budget is CPU time of the process, summed over its threads, so that other work on the machine does not shorten a
run. Every system trains on the first 50,000 training images with its default networks (`dcgan`) and optimizers.
`--split test` judges by the test images, `--split validation` by the last 10,000 training images, which is what choices
are made by. When a run ends, its row is appended to mnist.csv, or mnist_validation.csv, in --out (runs/experiments).
Protocol and results are in docs/mnist.md; `--out docs` has the committed runs.
"""

import argparse
import ast
import shlex
import sys
from pathlib import Path

import keras
import numpy as np
from experiment import HOME, Budget, add_out, append, print_table, read, stored

import keras_ijae as ki
from keras_ijae.training.pictures import save_grid, save_pairs

DATASET, NETWORKS, SAMPLES = "mnist", "dcgan", 10_000
TRAIN, VALIDATION, TEST = "train[:50000]", "train[50000:]", "test"
RESULTS = {"test": "mnist.csv", "validation": "mnist_validation.csv"}
COLUMNS = [
    "system", "arguments", "seed", "split", "cpu_minutes", "steps", "images_per_cpu_second", "parameters",
    "squared_error", "frechet_samples", "frechet_reconstructions", "sure", "rarest_class", "frechet_real", "command",
]  # fmt: skip


def judge(model: keras.Model, classifier: keras.Model, split: str) -> dict[str, float]:
    """Frechet distances in the classifier's features, and how sure it is of samples."""
    features = keras.Model(classifier.inputs, [classifier.get_layer("features").output, classifier.layers[-1].output])
    see = lambda images: features.predict(images, batch_size=500, verbose=0)  # noqa: E731
    real, other = stored(DATASET, split), stored(DATASET, f"train[:{SAMPLES}]")
    real_features, sample_features, logits = see(real)[0], *see(model.sample(SAMPLES, seed=1))
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
        images = next(iter(ki.datasets.load(DATASET, TEST, 32))).numpy()
        save_pairs(directory / f"{name}-reconstructions.png", images, model.reconstruct(images))


def run(arguments: argparse.Namespace) -> None:
    """Train, judge, draw, append."""
    options = dict(part.split("=", 1) for part in arguments.set)
    settings = {key: _literal(value) for key, value in options.items()}
    keras.utils.set_random_seed(arguments.seed)
    how = {"networks": NETWORKS, "seed": arguments.seed, **settings}
    model = ki.create(arguments.system, ki.datasets.info(DATASET).data_shape, arguments.latent_dim, **how)
    model.compile()
    budget = Budget(60 * arguments.cpu_minutes)
    data = ki.datasets.load(DATASET, TRAIN, arguments.batch_size, seed=arguments.seed)
    model.fit(data, epochs=10_000, shuffle=False, verbose=2, callbacks=[budget])
    name = "-".join([arguments.system, *(f"{key}={value}" for key, value in options.items()), str(arguments.seed)])
    arguments.models.mkdir(parents=True, exist_ok=True)
    model.save(arguments.models / f"{name}.keras")
    draw(model, arguments.out / "pictures", name)
    row = {
        "system": arguments.system,
        "arguments": " ".join(arguments.set),
        "seed": arguments.seed,
        "split": arguments.split,
        "cpu_minutes": budget.cpu_minutes,
        "steps": budget.steps,
        "images_per_cpu_second": budget.steps * arguments.batch_size / (60 * budget.cpu_minutes),
        "parameters": sum(network.count_params() for network in model.networks.values()),
        "command": shlex.join(["python", "experiments/mnist.py", *sys.argv[1:]]),
    }
    split = {"test": TEST, "validation": VALIDATION}[arguments.split]
    row |= judge(model, keras.models.load_model(arguments.classifier), split)
    append(results(arguments), row, COLUMNS)
    print(row)


def results(arguments: argparse.Namespace) -> Path:
    """The file of the runs that were judged by this split."""
    return arguments.out / RESULTS[arguments.split]


def show(path: Path) -> None:
    """The runs as a Markdown table."""
    if not (rows := read(path)):
        raise SystemExit(f"There are no finished runs in {path}")
    shown = [column for column in COLUMNS if column not in ("command", "frechet_real")]
    print_table(shown, [[row[column] for column in shown] for row in rows])


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="?", help="gan, vae, alpha_gan, ijae, ...")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cpu-minutes", type=float, default=10)
    parser.add_argument("--latent-dim", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="arguments of the system")
    parser.add_argument("--split", choices=RESULTS, default="test")
    parser.add_argument("--classifier", type=Path, default=Path("runs/mnist/classifier.keras"))
    add_out(parser)
    parser.add_argument("--models", type=Path, default=HOME / "mnist", help="where models go")
    parser.add_argument("--table", action="store_true", help="print a table of the finished runs and stop")
    arguments = parser.parse_args(command)
    if arguments.table:
        show(results(arguments))
    elif arguments.system:
        run(arguments)
    else:
        parser.error("name a system, or --table")


if __name__ == "__main__":
    main()
