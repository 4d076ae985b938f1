"""Train on the handwritten digits that come with scikit-learn, and look at what the model makes.

python examples/digits.py
python examples/digits.py --system vae        # any name of `keras-ijae systems`
"""

import argparse
from pathlib import Path

import keras

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--system", default="ijae", help="default: %(default)s")
parser.add_argument("--epochs", type=int, default=200, help="passes over the training images (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/digits"), help="default: %(default)s")
options = parser.parse_args()

# Batches of float32 images in [0, 1], (batch, 8, 8, 1): 1,500 for training, 297 for test.
train = ki.datasets.load("digits", "train", batch_size=64)
test = ki.datasets.load("digits", "test", batch_size=64)

# A Keras model with default networks for images of this shape. On so few images its discriminators do better without
# spectral normalisation, which is their default.
keras.utils.set_random_seed(0)  # of the initial weights
model = ki.create(options.system, data_shape=(8, 8, 1), latent_dim=8, spectral=False)
model.compile()
every = max(1, options.epochs // 10)
watch = [ki.training.Progress(every), ki.training.SampleGrid(options.out, every)]  # one bar, and pictures
model.fit(train, epochs=options.epochs, verbose=0, callbacks=watch)

# New digits: codes from the prior, decoded. The same seed gives the same digits.
ki.training.save_grid(options.out / "samples.png", model.sample(64, seed=0))

# Systems with an encoder give each image a code, from which it can be rebuilt.
if model.has_encoder:
    images = next(iter(test)).numpy()[:32]
    ki.training.save_pairs(options.out / "reconstructions.png", images, model.reconstruct(images))
    between = model.interpolate(images[:8], images[8:16], steps=10)  # (8, 10, 8, 8, 1)
    ki.training.save_grid(options.out / "interpolations.png", between.reshape(-1, 8, 8, 1), columns=10)
    print("On test images:", model.evaluate(test, return_dict=True, verbose=0))

# One file with everything, from which training could go on.
model.save(options.out / "model.keras")
again = ki.load_model(options.out / "model.keras")
print(f"{again.name} and its pictures are in {options.out}")
