"""PyTorch's weight files as NumPy arrays: without PyTorch, and without running what a file says."""

import io
import math
import os
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_TYPES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
}
# What the pickle of a dictionary of tensors is made of; nothing else is even begun.
_OPCODES = set(
    "PROTO FRAME STOP MARK POP GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID NONE NEWTRUE NEWFALSE INT BININT BININT1 "
    "BININT2 LONG LONG1 BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE EMPTY_TUPLE "
    "TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS BINGET LONG_BINGET "
    "BINPUT LONG_BINPUT MEMOIZE".split()
)


def read_torch_weights(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary that `torch.save` wrote, by name.

    Reads both layouts: the zip archive (PyTorch 1.6 and later) and the older row of pickles. Only what tensors
    need is understood: a file that asks for anything else is refused, and nothing of it is run.

    Args:
        path: the .pth or .pt file.

    Returns:
        Name -> array, in the file's order, little-endian copies.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: truncated, corrupted, not a dictionary of tensors, or not only that.

    Example:
        heads = read_torch_weights("alex.pth")  # {"lin0.model.1.weight": (1, 64, 1, 1), ...}
    """
    with open(path, "rb") as file:
        try:
            state, data = _read_zip(file) if zipfile.is_zipfile(file) else _read_legacy(file)
            return {name: _array(tensor, data(tensor)) for name, tensor in _tensors(state).items()}
        except Exception as error:  # a broken pickle can fail in any way
            reason = str(error) or type(error).__name__
            raise ValueError(f"{path} is not a readable PyTorch weights file: {reason}") from error


class _Tensor(NamedTuple):
    """A tensor as its pickle describes it: a strided view of `count` elements that stand elsewhere in the file."""

    kind: str
    key: str
    count: int
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _read_zip(file: BinaryIO) -> tuple[Any, Callable[[_Tensor], bytes]]:
    """The object, and the function from a tensor to its data."""
    archive = zipfile.ZipFile(file)
    members = {info.filename.partition("/")[2]: info for info in archive.infolist()}
    if any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
        raise ValueError("the archive is compressed, which PyTorch never does")
    if "byteorder" in members and archive.read(members["byteorder"]) != b"little":
        raise ValueError("only little-endian files are understood")
    state = _unpickle(io.BytesIO(archive.read(members["data.pkl"])))
    return state, lambda tensor: archive.read(members[f"data/{tensor.key}"])


def _read_legacy(file: BinaryIO) -> tuple[Any, Callable[[_Tensor], bytes]]:
    """The same of the older layout: magic number, protocol, system, object, keys; then each key's length and data."""
    file.seek(0)
    if _unpickle(file) != _MAGIC or _unpickle(file) != _PROTOCOL:
        raise ValueError("it has another magic number")
    if not _unpickle(file)["little_endian"]:
        raise ValueError("only little-endian files are understood")
    state = _unpickle(file)
    kinds = {tensor.key: np.dtype(tensor.kind) for tensor in _tensors(state).values()}
    data = {}
    for key in _unpickle(file):
        (count,) = np.frombuffer(file.read(8), "<i8")
        data[key] = file.read(int(count) * kinds[key].itemsize)
    return state, lambda tensor: data[tensor.key]


def _tensors(state: Any) -> dict[str, _Tensor]:
    if not isinstance(state, dict) or not state:
        raise ValueError(f"it holds no dictionary of tensors but {type(state).__name__}")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, _Tensor):
            raise ValueError(f"it holds not only tensors by name: {name!r} is {type(value).__name__}")
    return state


def _array(tensor: _Tensor, data: bytes) -> np.ndarray:
    kind, key, count, offset, size, stride = tensor
    dtype = np.dtype(kind).newbyteorder("<")
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"the data {key!r} has {len(data)} bytes, not {count} elements of {dtype}")
    steps = [(n - 1) * step for n, step in zip(size, stride, strict=True)]
    if min((offset, *size, *stride)) < 0 or math.prod(size) > count or (0 not in size and offset + sum(steps) >= count):
        raise ValueError(f"a tensor of size {size} and stride {stride} lies outside its data")
    flat = np.frombuffer(data, dtype)[offset:]
    return np.lib.stride_tricks.as_strided(flat, size, [step * dtype.itemsize for step in stride]).copy()


def _unpickle(file: BinaryIO) -> Any:
    """The next pickle of the file, its operations checked before any of them is run."""
    start = file.tell()
    for operation, argument, _ in pickletools.genops(file):
        if operation.name not in _OPCODES:
            raise ValueError(f"it uses the pickle operation {operation.name}")
        if operation.name == "LONG_BINPUT" and argument > file.tell():
            raise ValueError(f"it wants to remember {argument} objects")
    length = file.tell() - start
    file.seek(start)
    return _Unpickler(io.BytesIO(file.read(length))).load()


class _Unpickler(pickle.Unpickler):
    """Knows tensors and dictionaries; of what it hands to a pickle, nothing outlives it or can be altered by it."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *rest: _Tensor(*storage, offset, size, stride)
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *rest: data
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise ValueError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> tuple[str, str, int]:
        word, kind, key, _, count, *view = pid
        if word != "storage" or kind not in _TYPES.values() or any(part is not None for part in view):
            raise ValueError(f"it asks for data by {pid!r}")
        return kind, key, count
