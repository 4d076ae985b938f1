"""Export a model as a SavedModel, which needs TensorFlow alone; examples/call_exported.py calls it.

python examples/export.py
python examples/call_exported.py
"""

import argparse
from pathlib import Path

import keras

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=50, help="passes over the training images (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/exported"), help="default: %(default)s")
options = parser.parse_args()

keras.utils.set_random_seed(0)
model = ki.create("wae_mmd", data_shape=(8, 8, 1), latent_dim=8)
model.compile()
model.fit(ki.datasets.load("digits", batch_size=64), epochs=options.epochs, verbose=2)

# The functions are encode, decode, reconstruct, sample (also the default one) and sample_codes. TensorFlow Serving
# looks for numbered versions in the model's directory: 1, 2, ...
model.export(options.out / "1", overwrite=True)
print(f"{options.out / '1'} has the model")
