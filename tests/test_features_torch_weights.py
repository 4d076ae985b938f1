"""PyTorch's weight files: both layouts read as PyTorch wrote them, broken and hostile ones refused."""

import io
import os
import pathlib
import pickle
import zipfile

import numpy as np
import pytest
from torch_files import pickled, write_torch

from keras_ijae.metrics.features.torch_weights import read_torch_weights

DATA = pathlib.Path(__file__).parent / "data"
LAYOUTS = ["torch_zip.pth", "torch_legacy.pth"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_tensor_is_as_pytorch_has_it(layout):
    found = read_torch_weights(DATA / layout)
    with np.load(DATA / "torch_weights.npz") as expected:
        assert list(found) == list(expected)
        for name, array in found.items():
            assert array.dtype == expected[name].dtype and array.flags.owndata
            np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_cut_anywhere_is_refused(layout, tmp_path):
    whole, cut = (DATA / layout).read_bytes(), tmp_path / "cut.pth"
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="cut.pth is not a readable PyTorch weights file"):
            read_torch_weights(cut)


def test_a_changed_byte_of_data_is_seen_in_an_archive(tmp_path):
    path = tmp_path / "weights.pth"
    write_torch(path, {"a": np.arange(1000.0)})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="CRC"):
        read_torch_weights(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_torch_weights(tmp_path / "nowhere.pth")


# Hostile files.


class _Runs:
    """Unpickled the usual way, makes a directory."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def _archive(path, pickle_, data=b""):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/data.pkl", pickle_)
        archive.writestr("weights/data/0", data)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_something_is_refused_and_runs_nothing(tmp_path, protocol, zipped):
    path, place = tmp_path / "hostile.pth", tmp_path / "made"
    hostile = pickle.dumps({"a": _Runs(place)}, protocol)
    if zipped:
        _archive(path, hostile)
    else:
        legacy = (DATA / "torch_legacy.pth").read_bytes()
        head = io.BytesIO(legacy)
        for _ in range(3):
            pickle.load(head)
        path.write_bytes(legacy[: head.tell()] + hostile)
    with pytest.raises(ValueError, match="asks for .*mkdir|pickle operation"):
        read_torch_weights(path)
    assert not place.exists()
    pickle.loads(hostile)
    assert place.exists(), "the file was no threat"


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (b"\x80\x02cbuiltins\neval\n.", "asks for builtins.eval"),
        (b"\x80\x02ctorch\nload\n.", "asks for torch.load"),
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.", "no dictionary"),
        (b"\x80\x02(K\x01ibuiltins\nint\n.", "pickle operation INST"),
        (b"\x80\x02\x82\x01.", "pickle operation EXT1"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "wants to remember"),
        (b"\x80\x02X\x06\x00\x00\x00modulectorch\nFloatStorage\n\x86Q.", "not enough values"),
        (b"\x80\x02K\x01.", "no dictionary"),
        (b"\x80\x02}.", "no dictionary"),
        (b"\x80\x02}K\x01K\x01s.", "not only tensors"),
    ],
)
def test_what_tensors_do_not_need_is_refused(tmp_path, inside, message):
    _archive(tmp_path / "a.pth", inside)
    with pytest.raises(ValueError, match=message):
        read_torch_weights(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("shape", "change"),
    [
        ((4,), (b"J\x04\x00\x00\x00t(J\x01", b"J\x05\x00\x00\x00t(J\x01")),  # longer than its data
        ((2, 2), (b"(J\x02\x00\x00\x00J\x01\x00\x00\x00t", b"(J\x00\x00\x00\x7fJ\x01\x00\x00\x00t")),  # a far stride
        ((2, 2), (b"(J\x02\x00\x00\x00J\x01\x00\x00\x00t", b"(J\xfe\xff\xff\xffJ\x01\x00\x00\x00t")),  # a negative one
        ((2, 2), (b"QJ\x00\x00\x00\x00", b"QJ\xff\xff\xff\xff")),  # a negative offset
        ((2, 2), (b"QJ\x00\x00\x00\x00", b"QJ\x01\x00\x00\x00")),  # an offset too far
    ],
)
def test_a_tensor_outside_its_data_is_refused(tmp_path, shape, change):
    good = pickled({"a": np.zeros(shape)})
    assert good.count(change[0]) == 1
    path = tmp_path / "a.pth"
    _archive(path, good, bytes(16))
    assert read_torch_weights(path)["a"].shape == shape
    _archive(path, good.replace(*change), bytes(16))
    with pytest.raises(ValueError, match="outside its data"):
        read_torch_weights(path)


def test_a_small_archive_cannot_unfold_into_a_large_tensor(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights/data.pkl", pickled({"a": np.zeros(10**6)}))
        archive.writestr("weights/data/0", bytes(4 * 10**6))
    with pytest.raises(ValueError, match="compressed"):
        read_torch_weights(path)
    spread = pickled({"a": np.zeros((1, 4))}).replace(b"(J\x01\x00\x00\x00J\x04", b"(J\xff\xff\xff\x00J\x04")
    spread = spread.replace(b"(J\x04\x00\x00\x00J\x01\x00\x00\x00t", b"(J\x00\x00\x00\x00J\x01\x00\x00\x00t")
    _archive(path, spread, bytes(16))
    with pytest.raises(ValueError, match="outside its data"):
        read_torch_weights(path)
