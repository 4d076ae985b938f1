"""From a SqueezeNet 1.1 in Keras' layout to an archive that `ki.metrics.LPIPS` takes as its backbone.

    python experiments/squeezenet.py squeezenet_v1.1_notop.h5 runs/squeezenet.npz

The file is that of github.com/rcmalli/keras-squeezenet, trained on ImageNet with blue first. The heads of LPIPS were
fitted to torchvision's weights, not to these: such distances compare with each other, and with no published ones.
"""

import argparse
from pathlib import Path

import h5py
import numpy as np

from keras_ijae.files import replacing

FIRES = dict(zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True))
"""Name of a fire module there -> its index in torchvision's `features`."""


def torchvision_weights(path: Path) -> dict[str, np.ndarray]:
    """The weights by torchvision's names, in its layout, red first."""
    found = {}
    with h5py.File(path) as file:
        layers = {"features.0": file["conv1"]}
        for fire, index in FIRES.items():
            layers[f"features.{index}.squeeze"] = file[f"fire{fire}/squeeze1x1"]
            layers[f"features.{index}.expand1x1"] = file[f"fire{fire}/expand1x1"]
            layers[f"features.{index}.expand3x3"] = file[f"fire{fire}/expand3x3"]
        for name, layer in layers.items():
            parts = {}
            layer.visititems(lambda path, item, parts=parts: parts.update({path.rpartition("/")[2]: item}))
            found[f"{name}.weight"] = parts["kernel:0"][()].transpose(3, 2, 0, 1)
            found[f"{name}.bias"] = parts["bias:0"][()]
    found["features.0.weight"] = found["features.0.weight"][:, ::-1]
    return found


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="squeezenet_v1.1_notop.h5")
    parser.add_argument("out", type=Path, help="the archive, .npz")
    given = parser.parse_args(command)
    with replacing(given.out) as temporary, temporary.open("wb") as file:
        np.savez(file, **torchvision_weights(given.file))


if __name__ == "__main__":
    main()
