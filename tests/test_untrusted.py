"""Files from others run no code: each exploit is one that works where its guard is off."""

import json
import os
import pickle
import resource
import struct
import warnings
import zipfile
import zlib

import h5py
import keras
import numpy as np
import pytest

import keras_ijae as ki
from keras_ijae.arrays import read_npz
from keras_ijae.metrics import FrechetAccumulator
from keras_ijae.metrics.features import DataSpace, FeatureCache
from keras_ijae.metrics.features.classifier import Classifier, build_classifier

GAME = {"data_shape": (8, 8, 1), "latent_dim": 2, "networks": "mlp", "width": 4}


class Runs:
    """Unpickled, makes a directory."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


def serialised(module, name, config, registered=None):
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def lambda_layer(place):
    """A layer whose code, which Keras stores as bytes of Python, makes a directory."""
    layer = keras.layers.Lambda(eval(f"lambda x: __import__('os').mkdir({str(place)!r}) or x"), output_shape=(2,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of storing such code
        return keras.saving.serialize_keras_object(layer)


OBJECTS = {
    "a Lambda layer": lambda_layer,
    "a function of os": lambda place: serialised("os", "function", "system"),
    "os.system": lambda place: serialised("os", "system", {"command": f"mkdir {place}"}),
    "os.system by its registered name": lambda place: serialised(
        None, "system", {"command": f"mkdir {place}"}, "os>system"
    ),
    "a process": lambda place: serialised("subprocess", "Popen", {"args": ["mkdir", str(place)]}),
    "eval": lambda place: serialised("builtins", "eval", {"source": f"__import__('os').mkdir({str(place)!r})"}),
    "a function of this package": lambda place: serialised(
        "keras_ijae.files", "write_text", {"path": str(place), "text": ""}
    ),
    "the switch of the guard": lambda place: serialised("keras.config", "function", "enable_unsafe_deserialization"),
    "a download": lambda place: serialised(
        "keras.utils", "get_file", {"fname": "x", "origin": "file:///etc/hostname", "cache_dir": str(place)}
    ),
    "a SavedModel": lambda place: serialised("keras.layers", "TFSMLayer", {"filepath": str(place)}),
}
"""What a configuration may ask for, of the place where it would leave its mark."""


def prior(config, forged):
    config["config"]["prior"] = forged


def layer(config, forged):
    config["config"]["encoder"]["config"]["layers"][1] = forged


def network(config, forged):
    config["config"]["encoder"] = forged


def optimizer(config, forged):
    config["compile_config"]["optimizer"]["auto_encoder"] = forged


def system(config, forged):
    config.clear()
    config.update(forged)


PLACES = (prior, layer, network, optimizer, system)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A model of which nothing is forged."""
    path = tmp_path_factory.mktemp("good") / "model.keras"
    model = ki.create("vae", **GAME)
    model.compile()
    model.save(path)
    return path


def rewritten(source, target, change=lambda config: None, further=None):
    """A copy of a model's archive with a changed configuration, and further members."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        config = json.loads(old.read("config.json"))
        change(config)
        for name in old.namelist():
            new.writestr(name, json.dumps(config) if name == "config.json" else old.read(name))
        for name, content in (further or {}).items():
            new.writestr(name, content)
    return target


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("kind", OBJECTS)
def test_a_forged_configuration_runs_nothing(kind, place, good, tmp_path):
    mark = tmp_path / "mark"
    forged = rewritten(good, tmp_path / "forged.keras", lambda config: place(config, OBJECTS[kind](mark)))
    with pytest.raises(ValueError, match="`path` must be a .keras file of this package.*forged.keras"):
        ki.load_model(forged)
    assert not mark.exists()
    with pytest.raises(ValueError, match="unsafe"):  # the guard is still up
        keras.saving.deserialize_keras_object(lambda_layer(mark))


def test_the_code_in_a_lambda_layer_runs_where_it_is_trusted(tmp_path):
    trusted = keras.saving.deserialize_keras_object(lambda_layer(tmp_path / "mark"), safe_mode=False)
    trusted(np.zeros((1, 2), "float32"))
    assert (tmp_path / "mark").is_dir()


def test_a_model_with_a_lambda_of_ones_own_is_loaded_where_the_file_is_trusted(tmp_path):
    encoder = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: 2 * x), keras.layers.Dense(2)])
    model = ki.create("ae", (3,), 2, encoder=encoder, width=4)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="holds code, .*trust the file, `ki.load_model.path, safe_mode=False."):
        ki.load_model(tmp_path / "m.keras")
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(ki.load_model(tmp_path / "m.keras", safe_mode=False).encode(x), model.encode(x))
    with pytest.raises(ValueError, match="Argument `safe_mode` must be True or False. Received: .*0"):
        ki.load_model(tmp_path / "m.keras", safe_mode=0)


def test_a_forged_classifier_runs_nothing(tmp_path):
    path = tmp_path / "c.keras"
    Classifier(build_classifier((8, 8, 1), 2), "digits", 0.5).save(path, "test", 1, 0)
    replace = lambda config: config["config"]["layers"].__setitem__(1, lambda_layer(tmp_path / "mark"))  # noqa: E731
    os.replace(rewritten(path, tmp_path / "forged.keras", replace), path)
    with pytest.raises(ValueError, match="c.keras"):
        ki.metrics.features.get(path)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["../mark", "/tmp/keras_ijae_mark", "assets/../../mark", "..\\mark"])
def test_members_with_paths_out_of_an_archive_are_not_written(name, good, tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    forged = rewritten(good, inner / "forged.keras", further={name: "x"})
    before = sorted(tmp_path.rglob("*"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says what it skips
        ki.load_model(forged)
    assert sorted(tmp_path.rglob("*")) == before and not os.path.exists("/tmp/keras_ijae_mark")


def test_weights_of_another_file_are_not_read_through_a_link(good, tmp_path):
    with zipfile.ZipFile(good) as archive:
        (tmp_path / "w.h5").write_bytes(archive.read("model.weights.h5"))
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["numbers"] = np.full(4, 7.0)
    found = []
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file.visititems(lambda name, part: found.append(name) if isinstance(part, h5py.Dataset) else None)
        for name in found:
            if file[name].shape == (4,):
                del file[name]
                file[name] = h5py.ExternalLink(str(secret), "numbers")
    forged = tmp_path / "forged.keras"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            new.writestr(name, (tmp_path / "w.h5").read_bytes() if name == "model.weights.h5" else old.read(name))
    with pytest.raises(ValueError, match="forged.keras"):
        ki.load_model(forged)


# Archives of arrays -----------------------------------------------------------------------------------------------


def header(shape, dtype="|u1"):
    """Of a .npy file."""
    text = str({"descr": dtype, "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def archive(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def pickled(place):
    """A .npy file of one object."""
    return header((1,), "|O") + pickle.dumps(np.array([Runs(place)], object))


READERS = {
    "data": lambda path: ki.datasets.load(f"npz:{path}"),
    "binarized": lambda path: ki.datasets.load(f"binarized_mnist:{path}"),
    "statistics": FrechetAccumulator.load,
    "arrays": read_npz,
}


@pytest.mark.parametrize("reader", READERS)
def test_pickles_in_archives_are_not_read(reader, tmp_path):
    names = ("x.npy", "origin.npy", "metadata.npy", "count.npy")
    path = archive(tmp_path / "a.npz", dict.fromkeys(names, pickled(tmp_path / "mark")))
    with pytest.raises(ValueError, match="a.npz"):
        READERS[reader](path)
    assert not (tmp_path / "mark").exists()
    np.load(path, allow_pickle=True)["x"]  # it is a real one
    assert (tmp_path / "mark").is_dir()


def test_a_pickle_in_the_place_of_an_archive_is_not_read(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(pickle.dumps(Runs(tmp_path / "mark")))
    with pytest.raises(ValueError, match="a.npz"):
        read_npz(path)
    assert not (tmp_path / "mark").exists()


def test_a_pickle_in_a_cache_is_not_read_and_the_features_are_computed_again(tmp_path):
    cache, x = FeatureCache(tmp_path / "cache"), np.random.default_rng(0).uniform(size=(4, 8, 8, 1))
    features = cache.features(DataSpace(), x)
    (entry,) = (tmp_path / "cache").iterdir()
    archive(entry, {"arr_0.npy": pickled(tmp_path / "mark"), "record.npy": pickled(tmp_path / "mark")})
    with pytest.warns(UserWarning, match="cannot be used"):
        np.testing.assert_array_equal(cache.features(DataSpace(), x), features)
    assert not (tmp_path / "mark").exists()


def flipped_compression(path):
    """The archive with a way of packing that nobody knows."""
    raw = bytearray(path.read_bytes())
    raw[8] = raw[raw.find(b"PK\x01\x02") + 10] = 77
    path.write_bytes(bytes(raw))
    return path


ARCHIVES = {
    "a header of 2^40 rows": lambda path: archive(path, {"x.npy": header((2**40, 8, 8)) + bytes(100)}),
    "negative sides": lambda path: archive(path, {"x.npy": header((-3, 8, 8)) + bytes(100)}),
    "half a megabyte of 100": lambda path: archive(path, {"x.npy": header((100 * 2**14, 8, 8)) + bytes(100 * 2**20)}),
    "an unknown compression": lambda path: flipped_compression(archive(path, {"x.npy": header((1,)) + b"1"})),
    "no array": lambda path: archive(path, {"x.npy": b"text"}),
    "no .npy": lambda path: archive(path, {"x.txt": b"text"}),
    "too little": lambda path: archive(path, {"x.npy": header((9, 8, 8)) + bytes(10)}),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_forged_archives_are_refused(kind, tmp_path):
    path = ARCHIVES[kind](tmp_path / "a.npz")
    with pytest.raises(ValueError, match="a.npz' is not a NumPy .npz archive of plain arrays"):
        ki.datasets.load(f"npz:{path}")


@pytest.mark.parametrize("shape", [(3, 0, 8), (0, 8, 8), (3, 0)])
def test_arrays_with_a_side_of_0_are_empty(shape, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(shape, "float32"))
    with pytest.raises(ValueError, match="The data set is empty: .*a.npz' holds an array of shape"):
        ki.datasets.load(f"npz:{tmp_path / 'a.npz'}")


# Images -----------------------------------------------------------------------------------------------------------


def png(width, height, rows=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    sizes = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", sizes), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("width, height", [(2**30, 2**30), (2**31 - 1, 1), (0, 8)])
def test_images_with_huge_headers_are_refused(width, height, tmp_path):
    (tmp_path / "a.png").write_bytes(png(width, height, bytes(100)))
    with pytest.raises(ValueError, match="Not a readable PNG, JPEG, BMP or GIF image: .*a.png"):
        ki.datasets.load(f"folder:{tmp_path}", batch_size=1)


def test_images_that_cannot_be_read_are_counted_and_the_first_named(tmp_path):
    good = png(4, 4, bytes(20))
    for name in "abcdefg":
        (tmp_path / f"{name}.png").write_bytes(good if name in "bd" else b"no image")
    with pytest.raises(ValueError, match=r"image: .*a\.png, .*c\.png, .*e\.png and 2 more; 5 of 7 looked at\.$"):
        ki.datasets.load(f"folder:{tmp_path}", batch_size=1)


def jpeg(width, height):
    sizes = struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0)
    scan = struct.pack(">B2B3B", 1, 1, 0, 0, 63, 0)
    parts = b"\xff\xc0", struct.pack(">H", 2 + len(sizes)), sizes, b"\xff\xda", struct.pack(">H", 2 + len(scan)), scan
    return b"\xff\xd8" + b"".join(parts) + bytes(100) + b"\xff\xd9"


def gif(width, height):
    picture = b"\x2c" + struct.pack("<4HB", 0, 0, width, height, 0) + b"\x02\x01\x00\x00\x3b"
    return b"GIF89a" + struct.pack("<2H3B", width, height, 0x80, 0, 0) + bytes(6) + picture


def bmp(width, height):
    sizes = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 100, 0, 0, 54) + sizes + bytes(100)


HEADERS = {
    "a.jpg": [jpeg(2**16 - 1, 2**16 - 1), jpeg(0, 8)],
    "a.gif": [gif(2**16 - 1, 2**16 - 1), gif(0, 8)],
    "a.bmp": [bmp(2**30, 2**30), bmp(-(2**31), 8), bmp(8, -(2**31)), bmp(2**15, 2**15)],
}


@pytest.mark.parametrize("name, number", [(name, number) for name in HEADERS for number in range(len(HEADERS[name]))])
def test_other_images_with_huge_headers_are_refused_without_the_memory_they_ask_for(name, number, tmp_path):
    (tmp_path / name).write_bytes(HEADERS[name][number])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=f"Not a readable PNG, JPEG, BMP or GIF image: .*{name}"):
        ki.datasets.load(f"folder:{tmp_path}", batch_size=1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # in KiB


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/nowhere", path)], ids=["pipe", "dangling link"])
def test_what_is_no_file_in_a_folder_of_images_is_named(make, tmp_path):
    (tmp_path / "0.png").write_bytes(png(4, 4, bytes(20)))
    make(tmp_path / "1.png")
    with pytest.raises(ValueError, match="Not a file, or a link to none: .*1.png"):
        ki.datasets.load(f"folder:{tmp_path}", batch_size=1)
