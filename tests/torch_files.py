"""Writes what `torch.save` writes, by hand and without PyTorch: a zip archive of float32 tensors."""

import struct
import zipfile


def write_torch(path, state):
    """Name -> float32 array, in PyTorch's zip layout."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/data.pkl", pickled(state))
        archive.writestr("weights/byteorder", "little")
        for key, array in enumerate(state.values()):
            archive.writestr(f"weights/data/{key}", array.astype("<f4").tobytes())


def pickled(state):
    """The pickle of a dictionary of tensors: each is rebuilt from a storage, an offset, a size and a stride."""
    items = b"".join(_text(name) + _tensor(key, array.shape) for key, (name, array) in enumerate(state.items()))
    return b"\x80\x02}(" + items + b"u."


def _tensor(key, shape):
    strides, count = [], 1
    for n in reversed(shape):
        strides.insert(0, count)
        count *= n
    storage = b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + _text(str(key)) + _text("cpu") + _int(count) + b"tQ"
    hooks = b"ccollections\nOrderedDict\n)R"
    arguments = storage + _int(0) + _tuple(shape) + _tuple(strides) + b"\x89" + hooks
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def _tuple(numbers):
    return b"(" + b"".join(map(_int, numbers)) + b"t"


def _int(number):
    return b"J" + struct.pack("<i", number)


def _text(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()
