"""Score two models by the features of a classifier of the data: no download, and nothing from ImageNet.

python examples/scores.py
"""

import argparse
from pathlib import Path

import keras

import keras_ijae as ki

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=50, help="of each model (default: %(default)s)")
parser.add_argument("--classifier-epochs", type=int, default=60, help="default: %(default)s")
parser.add_argument("--out", type=Path, default=Path("runs/examples/scores"), help="default: %(default)s")
options = parser.parse_args()

# Distances between sets of images are distances between their features. Scores are comparable only if they were
# measured with the same classifier, so it is stored with a checksum, which every score names.
classifier = options.out / "digits-classifier.keras"
record = ki.training.train_classifier("digits", classifier, epochs=options.classifier_epochs, overwrite=True)
print(f"The classifier is right on {record.accuracy:.1%} of the test images")

train = ki.datasets.load("digits", "train", batch_size=64)
test = ki.datasets.load("digits", "test", batch_size=64)

for system in ("vae", "wae_mmd"):
    keras.utils.set_random_seed(0)
    model = ki.create(system, data_shape=(8, 8, 1), latent_dim=8)
    model.compile()
    model.fit(train, epochs=options.epochs, verbose=0)
    # "gen/..." compares samples with test images, "rec/..." reconstructions: of both, less distance is better.
    scores = ki.evaluation.evaluate(model, test, ["fid", "precision_recall", "mse"], features=classifier)
    print(system, scores, sep="\n")
    scores.save(options.out / f"{system}.json")
