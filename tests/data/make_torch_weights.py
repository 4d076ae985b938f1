"""Makes torch_zip.pth, torch_legacy.pth and torch_weights.npz: one state in PyTorch's two layouts and in NumPy's.

    pip install torch numpy
    python tests/data/make_torch_weights.py

Ran with torch 2.13.0.
"""

from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
KINDS = (
    torch.float64, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
)  # fmt: skip


def main():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    layer = torch.nn.BatchNorm1d(2)
    state = layer.state_dict()  # with PyTorch's metadata
    state |= {
        "view": base[1:3, ::2],
        "transposed": base.t(),
        "parameter": torch.nn.Parameter(torch.full((3,), 0.5)),
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }
    state |= {str(kind).removeprefix("torch."): torch.tensor([0, 1, 2]).to(kind) for kind in KINDS}
    torch.save(state, HERE / "torch_zip.pth")
    torch.save(state, HERE / "torch_legacy.pth", _use_new_zipfile_serialization=False)
    np.savez_compressed(HERE / "torch_weights.npz", **{name: value.detach().numpy() for name, value in state.items()})


if __name__ == "__main__":
    main()
