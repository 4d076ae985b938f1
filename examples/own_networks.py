"""Networks of your own: any Keras models that take and give the right shapes.

python examples/own_networks.py
"""

import argparse
from pathlib import Path

import keras
from keras import layers

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=100, help="passes over the training images (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/own_networks"), help="default: %(default)s")
options = parser.parse_args()

SHAPE, CODES = (8, 8, 1), 8
keras.utils.set_random_seed(0)

# The encoder of alpha-GAN maps images to codes ...
encoder = keras.Sequential(
    [
        keras.Input(SHAPE),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Conv2D(64, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Flatten(),
        layers.Dense(CODES),
    ]
)
# ... and its decoder maps codes to images in [0, 1], hence the sigmoid.
decoder = keras.Sequential(
    [
        keras.Input((CODES,)),
        layers.Dense(2 * 2 * 64, activation="relu"),
        layers.Reshape((2, 2, 64)),
        layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
    ]
)

# What is not given is built with defaults: here the two discriminators. The docstring of each system says what each of
# its networks takes and gives; a network that does not fit is refused, with the shape that was expected.
model = ki.create("alpha_gan", SHAPE, CODES, encoder=encoder, decoder=decoder)
model.compile({"discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5)})  # the other optimizers: the system's own
digits = ki.datasets.load("digits", batch_size=64)
model.fit(digits, epochs=options.epochs, verbose=0, callbacks=[ki.training.Progress(every=10)])

ki.training.save_grid(options.out / "samples.png", model.sample(64, seed=0))
model.save(options.out / "model.keras")  # with your networks
print(f"The model and its samples are in {options.out}")
