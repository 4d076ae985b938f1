"""Stop training, and continue as if it had never stopped: weights, optimizers, noise and the order of the data.

python examples/resume.py        # and stop it with Ctrl-C whenever you like
python examples/resume.py        # continues after the last whole epoch
python examples/resume.py --epochs 80
"""

import argparse
from pathlib import Path

import keras

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=40, help="in all, those done included (default: %(default)s)")
parser.add_argument("--out", type=Path, default=Path("runs/examples/resume"), help="default: %(default)s")
options = parser.parse_args()

# The script builds the same model and data each time ...
keras.utils.set_random_seed(0)
model = ki.create("wae_mmd", data_shape=(8, 8, 1), latent_dim=8)
model.compile()
train = ki.datasets.load("digits", batch_size=64)

# ... and the backup, if there is one, puts back what training had changed. It is one file, replaced whole after each
# epoch, so that a process may be killed at any moment.
backup = ki.training.Backup(options.out / "backup")
print(f"{backup.epochs} epochs are done, {max(0, options.epochs - backup.epochs)} are to come")

# Each pass over the data has an order of its own, given by the seed and the number of the pass.
ordered = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: ki.datasets.set_epoch(train, epoch))
history = ki.training.History(options.out / "history.csv")
model.fit(train, epochs=options.epochs, verbose=2, shuffle=False, callbacks=[backup, ordered, history])

model.save(options.out / "model.keras")
print(f"history.csv in {options.out} has a row for each epoch of all sittings")
# The command does the same by itself: keras-ijae train --resume --out RUN --epochs 80
