"""Train on images without labels, then reuse the encoder in a classifier that has few labels.

python examples/reuse_encoder.py
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=100, help="of the auto-encoder (default: %(default)s)")
parser.add_argument("--classifier-epochs", type=int, default=200, help="default: %(default)s")
parser.add_argument("--labels", type=int, default=50, help="how many training images have one (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/reuse_encoder"), help="default: %(default)s")
options = parser.parse_args()

model = ki.create("ae", data_shape=(8, 8, 1), latent_dim=16, seed=0)
model.compile()
model.fit(ki.datasets.load("digits", batch_size=64), epochs=options.epochs, verbose=2)
model.export_encoder(options.out / "encoder", overwrite=True)


class Exported(keras.layers.Layer):
    """An exported encoder, frozen or to be trained on; the package is not needed to load it."""

    def __init__(self, path, **options):
        super().__init__(**options)
        self.module, self.own = tf.saved_model.load(path), []
        # keras.layers.TFSMLayer leaves ":0" in names of weights, which Adam and others refuse (Keras 3.15.1).
        for v in self.module.variables:
            self.own.append(keras.Variable(v, v.shape, v.dtype, v.trainable and self.trainable, name=v.name[:-2]))

    def call(self, x, training=False):
        return self.module(x, training=training and self.trainable)


def labelled(split):  # all of it
    return next(ki.datasets.load("digits", split, 2000, labels=True, drop_remainder=False).as_numpy_iterator())


def accuracy(first):  # of a classifier with this first layer, on the test images
    keras.utils.set_random_seed(0)
    classifier = keras.Sequential([keras.Input((8, 8, 1)), first, keras.layers.Flatten(), keras.layers.Dense(10)])
    classifier.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    classifier.fit(*few, epochs=options.classifier_epochs, batch_size=25, verbose=0)
    return classifier.evaluate(*test, verbose=0)[1]


chosen = np.random.default_rng(0).permutation(1000)[: options.labels]
few, test = [part[chosen] for part in labelled("train")], labelled("test")
frozen, tuned = Exported(options.out / "encoder", trainable=False), Exported(options.out / "encoder")
print(f"With {options.labels} labels, right on test images:")
for name, layer in {"pixels": keras.layers.Identity(), "codes": frozen, "codes, fine-tuned": tuned}.items():
    print(f"  {name}: {accuracy(layer):.1%}")
