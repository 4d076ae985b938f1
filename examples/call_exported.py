"""Call an exported model from a program that has TensorFlow and nothing else: neither keras_ijae nor Keras.

python examples/export.py
python examples/call_exported.py
"""

import argparse

import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="runs/examples/exported/1", help="default: %(default)s")
options = parser.parse_args()

loaded = tf.saved_model.load(options.model)  # keep it: the functions below do not keep its weights
functions = loaded.signatures
print("Functions:", ", ".join(sorted(functions)))

# Arguments are given by name, results are dictionaries. Any number of rows will do.
images = functions["sample"](n=tf.constant(16), seed=tf.constant(7))["observations"]
codes = functions["encode"](x=images)["codes"]
decoded = functions["decode"](z=codes)["observations"]
remade = functions["reconstruct"](x=images)["observations"]
print(f"16 samples {images.shape}, their codes {codes.shape}, and what these decode to {decoded.shape}")
print(f"reconstruct is encode, then decode: difference {float(tf.reduce_max(tf.abs(remade - decoded))):.1g}")
