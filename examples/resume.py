"""Stop training, and continue as if it had never stopped: weights, optimizers, noise and the order of the data.

python examples/resume.py        # and stop it with Ctrl-C whenever you like
python examples/resume.py        # continues where it was
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

# ... and the backup, if there is one, puts back what training had changed, and the order of the data. It is one file,
# written whole after each epoch and every ten steps, so that a process may be killed at any moment.
backup = ki.training.Backup(options.out / "backup", every_steps=10)
print(f"{backup.epochs} epochs are done, {max(0, options.epochs - backup.epochs)} are to come")

history = ki.training.History(options.out / "history.csv")
model.fit(train, epochs=options.epochs, verbose=2, callbacks=[backup, history])

model.save(options.out / "model.keras")
print(f"history.csv in {options.out} has a row for each epoch of all sittings")
# The command does the same by itself: keras-ijae train --resume --out RUN --epochs 80
