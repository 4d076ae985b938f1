"""Train on two replicas with `tf.distribute`: on two GPUs where there are as many, else on two halves of the CPU.

python examples/two_replicas.py
"""

import argparse
from pathlib import Path

import keras
import tensorflow as tf

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=50, help="passes over the training images (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/two_replicas"), help="default: %(default)s")
options = parser.parse_args()

# A processor can be cut into logical devices, before TensorFlow first uses it: enough to try this without GPUs.
if len(tf.config.list_physical_devices("GPU")) >= 2:
    devices = ["GPU:0", "GPU:1"]
else:
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
    devices = ["CPU:0", "CPU:1"]

# The model is made and compiled in the strategy's scope. All else is as on one device.
strategy = tf.distribute.MirroredStrategy(devices)
with strategy.scope():
    keras.utils.set_random_seed(0)
    model = ki.create("wae_mmd", data_shape=(8, 8, 1), latent_dim=8)
    model.compile()

# A batch of 64 is shared: each replica has 32 of its images. Noise is drawn for the whole batch, and each replica takes
# its rows, so that two replicas train what one would train with the same batches.
train = ki.datasets.load("digits", batch_size=64)
model.fit(train, epochs=options.epochs, verbose=2)

ki.training.save_grid(options.out / "samples.png", model.sample(64, seed=0))
model.save(options.out / "model.keras")  # can be loaded without the strategy
print(f"{strategy.num_replicas_in_sync} replicas trained the model in {options.out}")
