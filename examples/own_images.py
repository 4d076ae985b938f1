"""Train on a folder of your own images: PNG, JPEG, BMP or GIF files, flat or in sub-folders.

python examples/own_images.py DIR
python examples/own_images.py DIR --size 64 --epochs 200
"""

import argparse
from pathlib import Path

import keras

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("dir", metavar="DIR", help="the folder of images; at least two batches of them")
parser.add_argument("--size", type=int, default=32, help="pixels of a side (default: %(default)s)")
parser.add_argument("--batch-size", type=int, default=64, help="images of a step (default: %(default)s)")
parser.add_argument("--epochs", type=int, default=50, help="passes over the training images (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/own_images"), help="default: %(default)s")
options = parser.parse_args()

# Each image is cut to its largest central square and resized. A tenth of them is kept for validation.
name, how = f"folder:{options.dir}", {"batch_size": options.batch_size, "size": options.size}
train = ki.datasets.load(name, "train[:90%]", **how)
held_out = ki.datasets.load(name, "train[90%:]", **how, shuffle=False, drop_remainder=False)
shape = tuple(train.element_spec.shape[1:])  # grey images have one channel, others three
print(f"{ki.datasets.info(name).splits['train']} images of {options.dir}, as {shape}")

keras.utils.set_random_seed(0)
model = ki.create("ijae", data_shape=shape, latent_dim=32)
model.compile()
model.fit(
    train,
    validation_data=held_out,
    epochs=options.epochs,
    verbose=0,
    callbacks=[ki.training.Progress(), ki.training.SampleGrid(options.out, every=max(1, options.epochs // 10))],
)

images = next(iter(held_out)).numpy()[:32]
ki.training.save_grid(options.out / "samples.png", model.sample(64, seed=0))
ki.training.save_pairs(options.out / "reconstructions.png", images, model.reconstruct(images))
model.save(options.out / "model.keras")
print(f"The model and its pictures are in {options.out}")
