"""Makes lpips.npz: distances by the lpips package, of random backbones and of a real SqueezeNet.

Random heads need no file where the numbers are compared; the package's own ones ("heads") do.

    pip install torch lpips h5py numpy
    python tests/data/make_lpips.py squeezenet_v1.1_notop.h5

The last one, of github.com/rcmalli/keras-squeezenet (MIT), is only read. The backbones are written here after
torchvision's, because lpips takes from there nothing but their layers. Ran with torch 2.13.0, lpips 0.1.4 on a CPU.
"""

import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from random_weights import random_images, random_state  # noqa: E402


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1, self.expand3x3 = nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))], 1)


def alexnet(**_):
    pool, relu = nn.MaxPool2d(3, 2), nn.ReLU()
    layers = [nn.Conv2d(3, 64, 11, 4, 2), relu, pool, nn.Conv2d(64, 192, 5, padding=2), relu, pool]
    for inputs, outputs in ((192, 384), (384, 256), (256, 256)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return nn.ModuleDict({"features": nn.Sequential(*layers, nn.MaxPool2d(3, 2))})


def vgg16(**_):
    layers, inputs = [], 3
    for outputs, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2, 2))
    return nn.ModuleDict({"features": nn.Sequential(*layers)})


def squeezenet1_1(**_):
    layers, inputs = [nn.Conv2d(3, 64, 3, 2), nn.ReLU()], 64
    for part in ("pool", 64, 64, "pool", 128, 128, "pool", 192, 192, 256, 256):
        if part == "pool":
            layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        else:
            layers.append(Fire(inputs, part // 4, part))
            inputs = 2 * part
    return nn.ModuleDict({"features": nn.Sequential(*layers)})


torchvision = types.ModuleType("torchvision")
torchvision.models = types.SimpleNamespace(alexnet=alexnet, vgg16=vgg16, squeezenet1_1=squeezenet1_1)
sys.modules["torchvision"] = torchvision
import lpips  # noqa: E402

BUILD = {"alex": alexnet, "vgg": vgg16, "squeeze": squeezenet1_1}


def random_backbone(net):
    """Random weights by torchvision's names."""
    return random_state({name: value.shape for name, value in BUILD[net]().state_dict().items()})


def real_squeezenet(path):
    """Keras' SqueezeNet by torchvision's names; it takes blue first."""
    import h5py

    names = {"conv1": "features.0"}
    for number, index in zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True):
        for there, here in (("squeeze1x1", "squeeze"), ("expand1x1", "expand1x1"), ("expand3x3", "expand3x3")):
            names[f"fire{number}/{there}"] = f"features.{index}.{here}"
    state = {}
    with h5py.File(path) as file:
        found = {}
        file.visititems(lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None)
    for there, here in names.items():
        for kind, suffix in (("kernel", "weight"), ("bias", "bias")):
            (value,) = (value for name, value in found.items() if f"{there}/" in name + "/" and kind in name)
            state[f"{here}.{suffix}"] = value.transpose(3, 2, 0, 1) if kind == "kernel" else value
    state["features.0.weight"] = state["features.0.weight"][:, ::-1]
    return state


def random_heads(channels):
    """Random weights by the names of the package's files, not negative."""
    shapes = {f"lin{layer}.model.1.weight": (1, n, 1, 1) for layer, n in enumerate(channels)}
    return {name: np.abs(value) for name, value in random_state(shapes).items()}


def distances(net, state, first, second, heads=None):
    """Distances of images in [0, 1]; heads None: the package's own."""
    model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    parts = {name.removeprefix("features."): torch.from_numpy(value.copy()) for name, value in state.items()}
    model.net.load_state_dict({name: parts[name.partition(".")[2]] for name in model.net.state_dict()})
    if heads == "random":
        heads = random_heads(model.chns)
        model.load_state_dict({name: torch.from_numpy(value) for name, value in heads.items()}, strict=False)
    images = [torch.from_numpy(x.transpose(0, 3, 1, 2) / 255).float() for x in (first, second)]
    with torch.no_grad():
        return model(*images, normalize=True).flatten().numpy()


def smallest(net):
    """The least side that the backbone takes."""
    model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    for side in range(1, 64):
        try:
            with torch.no_grad():
                model(*torch.zeros(2, 1, 3, side, side))
            return side
        except RuntimeError:
            continue


def main(squeezenet):
    found = {}
    for height, width in ((32, 32), (45, 50)):
        images = np.split(random_images(6, height, width), 2)
        for net in BUILD:
            found[f"{net}_{height}"] = distances(net, random_backbone(net), *images, "random")
            found[f"{net}_{height}_heads"] = distances(net, random_backbone(net), *images)
        found[f"real_{height}"] = distances("squeeze", real_squeezenet(squeezenet), *images)
    for net, build in BUILD.items():
        shapes = {name: list(value.shape) for name, value in build()["features"].state_dict(prefix="features.").items()}
        found |= {f"{net}_shapes": json.dumps(shapes), f"{net}_smallest": smallest(net)}
    np.savez_compressed(HERE / "lpips.npz", **found)
    print({name: value for name, value in found.items() if "shapes" not in name})


if __name__ == "__main__":
    main(sys.argv[1])
