"""Call an exported model from a program that has TensorFlow and nothing else: neither keras_ijae nor Keras.

python examples/export.py
python examples/call_exported.py
"""

import argparse

import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="runs/examples/exported/1", help="default: %(default)s")
options = parser.parse_args()

model = tf.saved_model.load(options.model)  # keep it: its functions do not keep its weights
print("Signatures for servers:", ", ".join(sorted(model.signatures)))

# The same functions for Python. Any number of rows will do.
images = model.sample(16, seed=7)
codes = model.encode(images)
decoded = model.decode(codes)
remade = model.reconstruct(images)
print(f"16 samples {images.shape}, their codes {codes.shape}, and what these decode to {decoded.shape}")
print(f"reconstruct is encode, then decode: difference {float(tf.reduce_max(tf.abs(remade - decoded))):.1g}")
