"""Train on images without labels, then reuse the encoder in a classifier that has few labels.

python examples/reuse_encoder.py
"""

import argparse
from pathlib import Path

import keras
import numpy as np

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=100, help="of the auto-encoder (default: %(default)s)")
parser.add_argument("--classifier-epochs", type=int, default=200, help="default: %(default)s")
parser.add_argument("--labels", type=int, default=50, help="how many training images have one (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/reuse_encoder"), help="default: %(default)s")
options = parser.parse_args()

keras.utils.set_random_seed(0)
model = ki.create("ae", data_shape=(8, 8, 1), latent_dim=16)
model.compile()
model.fit(ki.datasets.load("digits", batch_size=64), epochs=options.epochs, verbose=2)
model.export_encoder(options.out / "encoder", overwrite=True)


def labelled(split):
    """All images of a split and their labels."""
    return next(ki.datasets.load("digits", split, 2000, labels=True, drop_remainder=False).as_numpy_iterator())


def accuracy(first):
    """Of a classifier with this first layer, on the test images."""
    keras.utils.set_random_seed(0)
    classifier = keras.Sequential([keras.Input((8, 8, 1)), first, keras.layers.Flatten(), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Optimizers that keep moments, such as Adam, refuse the names of weights of a SavedModel (Keras 3.15.1).
    classifier.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    classifier.fit(*few, epochs=options.classifier_epochs, batch_size=25, verbose=0)
    return classifier.evaluate(*test, verbose=0)[1]


images, labels = labelled("train")
chosen = np.random.default_rng(0).permutation(len(images))[: options.labels]
few, test = (images[chosen], labels[chosen]), labelled("test")
# The exported encoder is a layer, frozen or to be trained on; the package is not needed to load it.
frozen, tuned = (
    keras.layers.TFSMLayer(options.out / "encoder", call_training_endpoint="serve_training") for _ in range(2)
)
frozen.trainable = False
print(f"With {options.labels} labels, right on test images:")
for name, layer in {"pixels": keras.layers.Identity(), "codes": frozen, "codes, fine-tuned": tuned}.items():
    print(f"  {name}: {accuracy(layer):.1%}")
