"""Train a conditional model, which is told what to draw: digits of the kinds that are asked for.

python examples/conditional.py
python examples/conditional.py --system vae
"""

import argparse
from pathlib import Path

import keras
import numpy as np

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--system", default="gan", help="default: %(default)s")
parser.add_argument("--epochs", type=int, default=300, help="passes over the training images (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/conditional"), help="default: %(default)s")
options = parser.parse_args()

# Batches of (images, labels); a label is 0 to 9, or -1 where it is unknown.
train = ki.datasets.load("digits", "train", batch_size=64, labels=True)
images, labels = next(ki.datasets.load("digits", "test", batch_size=297, labels=True).as_numpy_iterator())

keras.utils.set_random_seed(0)
model = ki.create(options.system, data_shape=(8, 8, 1), latent_dim=8, classes=10, spectral=False)
model.compile()
every = max(1, options.epochs // 10)
model.fit(train, epochs=options.epochs, verbose=2, callbacks=[ki.training.SampleGrid(options.out, every)])

# A row for each digit. What stands in a column has the same code: the label alone makes the difference.
ki.training.save_grid(options.out / "samples.png", ki.training.class_rows(model, columns=12), columns=12)

# One label for all, one for each, or none: then they come as often as in the training data.
threes = model.sample(64, labels=3)
asked = np.arange(500) % 10
samples = model.sample(500, seed=1, labels=asked)
print("Drawn without labels:", model.sample_labels(20))

# Does a classifier see what was asked for?
judge = ki.evaluation.DigitJudge(*next(train.unbatch().batch(1500).as_numpy_iterator()))
print(f"It is right on {judge.accuracy(images, labels):.1%} of the test images,")
print(f"and of the samples it takes {judge.accuracy(samples, asked):.1%} for the digit that was asked for")

# An encoder sees the label too. Given to the decoder another one, an image keeps its style and changes its digit.
if model.has_encoder:
    codes = model.encode(images[:12], labels=labels[:12])
    as_each = [model.decode(codes, labels=digit) for digit in range(10)]
    ki.training.save_grid(options.out / "styles.png", np.concatenate([images[:12], *as_each]), columns=12)

model.export(options.out / "served", overwrite=True)  # sample_labels(labels, seed) draws what is asked for
