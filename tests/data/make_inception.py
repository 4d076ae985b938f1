"""Makes inception.npz: features of a few images by torch-fidelity's Inception with random weights.

    pip install torch torch-fidelity numpy
    python tests/data/make_inception.py

Ran with torch 2.13.0 and torch-fidelity 0.4.0 on a CPU.
"""

import json
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
for name in ("", ".models", ".transforms", ".transforms.functional", ".datasets"):
    sys.modules.setdefault(f"torchvision{name}", mock.MagicMock())  # imported by torch-fidelity, not used here

from random_weights import random_images, random_state  # noqa: E402
from torch_fidelity import feature_extractor_inceptionv3 as theirs  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/weights.pth"
        with mock.patch.object(torch, "load"), mock.patch.object(torch.nn.Module, "load_state_dict"):
            shapes = {name: value.shape for name, value in _network(path).state_dict().items()}
        torch.save({name: torch.from_numpy(value) for name, value in random_state(shapes).items()}, path)
        network = _network(path)
    found = {"shapes": json.dumps({name: list(shape) for name, shape in shapes.items()})}
    for key, (height, width) in {"small": (32, 32), "large": (310, 400)}.items():
        images = random_images(2, height, width).transpose(0, 3, 1, 2).copy()
        features, logits = network(torch.from_numpy(images))
        found |= {f"{key}_features": features.numpy(), f"{key}_logits": logits.numpy()}
    np.savez_compressed(HERE / "inception.npz", **found)


def _network(path):
    return theirs.FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"], path)


if __name__ == "__main__":
    main()
