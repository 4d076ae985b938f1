"""Whatever arrays, files and configurations hold, the outcome is a right result or an error that says what is wrong."""

import json
import re
import warnings

import numpy as np
import pytest
import tensorflow as tf
from anything import ANYTHING, FEW, OTHERS
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import LATENT, SHAPE, compiled, images

import keras_ijae as ki
from keras_ijae import metrics
from keras_ijae.arrays import read_npz
from keras_ijae.datasets.failing import in_words
from keras_ijae.training import Recipe, RunDirectory

FEWER = settings(FEW, max_examples=max(1, FEW.max_examples // 5))  # of what takes a tenth of a second
OF_IMAGES = ("mean_squared_error", "psnr", "ssim", "ms_ssim")
OF_FEATURES = ("frechet_distance", "kernel_distance", "mmd", "sliced_wasserstein", "prdc", "precision_recall")
OF_FEATURES += ("density_coverage", "nearest_neighbours")
OF_ONE = ("inception_score", "ms_ssim_diversity", "nac", "active_dimensions")
NAMED = re.compile(r"`\w+`")
PLACES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3)


@st.composite
def arrays(draw):
    """An array of any shape, type and range, or something else."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.one_of(ANYTHING, OTHERS))
    shape = draw(st.one_of(st.just((5, 3)), st.just((3, 8, 8, 1)), st.lists(st.integers(0, 5), max_size=5)))
    low, high = draw(st.sampled_from([(0, 1), (0, 255), (-1, 1), (0, 0), (1e300, 2e300), (-3, 2)]))
    values = np.random.default_rng(draw(st.integers(0, 9))).uniform(low, high, tuple(shape))
    if values.size and draw(st.integers(0, 5)) == 0:
        values.flat[0] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    types = ["float32", "float64", "float16", "uint8", "int64", "bool", "complex64", "str", "object"]
    with np.errstate(all="ignore"):
        return values.astype(draw(st.sampled_from(types)))


def are_images(*parts):
    """Whether a metric of images means something of these."""
    return all(
        np.ndim(x) == 4 and (np.asarray(x).dtype == np.uint8 or (np.min(x) >= 0 and np.max(x) <= 1)) for x in parts
    )


@pytest.mark.slow
@FEW
@given(st.sampled_from([*OF_IMAGES, *OF_FEATURES]), arrays(), arrays(), st.booleans())
def test_a_metric_of_two_sets_gives_a_number_or_names_the_argument(name, first, second, same):
    second = first if same else second
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few rows
            getattr(metrics, name)(first, second)
    except ValueError as error:
        assert NAMED.search(str(error)), (name, error)
    else:
        assert name not in OF_IMAGES or are_images(first, second)


@pytest.mark.slow
@FEW
@given(st.sampled_from(OF_ONE), arrays())
def test_a_metric_of_one_set_gives_a_number_or_names_the_argument(name, values):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(metrics, name)(values)
    except ValueError as error:
        assert NAMED.search(str(error)), (name, error)
    else:
        assert name != "ms_ssim_diversity" or are_images(values)


@pytest.fixture(scope="module")
def vae():
    return compiled("vae")


METHODS = {
    "encode": ("x", "seed", "labels"),
    "decode": ("z", "seed", "labels"),
    "reconstruct": ("x", "seed"),
    "sample": ("n", "seed", "observation", "labels"),
    "interpolate": ("a", "b", "steps"),
    "elbo": ("x", "seed"),
    "importance_weighted_bound": ("x", "samples", "chunk", "seed"),
    "posterior": ("x",),
    "export": ("path", "overwrite", "format", "about"),
    "export_encoder": ("path", "overwrite", "about"),
    "fit_prior": ("data", "prior", "seed"),
}
GIVEN = {"x": images(2), "a": images(2), "b": images(2), "z": np.zeros((2, LATENT), "float32"), "n": 2, "samples": 2}
GIVEN |= {"data": images(20), "prior": "normal", "path": "/dev/null/saved"}
RELATED = {"a": ["x"], "b": ["x"], "data": ["x"], "labels": ["labels", "Labels"]}


@pytest.mark.slow
@FEW
@given(st.data())
def test_a_method_gives_a_result_or_names_the_argument(vae, data):
    method = data.draw(st.sampled_from(sorted(METHODS)))
    argument = data.draw(st.sampled_from(METHODS[method]))
    value = data.draw(arrays() if argument in ("x", "a", "b", "z", "data", "labels") else ANYTHING)
    if argument in ("n", "samples", "steps") and isinstance(value, int) and value > 100:
        return  # that many are made
    given_ = {name: GIVEN[name] for name in METHODS[method] if name in GIVEN} | {argument: value}
    given_["path"] = value if argument == "path" and not isinstance(value, str) else "/dev/null/saved"
    given_ = {name: part for name, part in given_.items() if name in METHODS[method]}
    try:
        getattr(vae, method)(**given_)
    except ValueError as error:
        words = [argument, *RELATED.get(argument, []), "Observations", "dictionary batch"]
        assert any(word in str(error) for word in words), (method, argument, error)
    except OSError as error:
        assert method.startswith("export") and "/dev/null" in str(error)


# Files ------------------------------------------------------------------------------------------------------------


def damaged(content, places, end):
    """The bytes with some changed, up to `end` of their length."""
    raw = bytearray(content)
    for at, change in places:
        raw[int(at * len(raw))] ^= change
    return bytes(raw[: int(end * len(raw))])


ENDS = st.one_of(st.just(1.0), st.floats(0, 1))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Name -> the bytes of a file of which nothing is damaged, and a directory for damaged ones."""
    place = tmp_path_factory.mktemp("whole")
    compiled("gan").save(place / "a.keras")
    np.savez_compressed(place / "a.npz", x=(images(6) * 255).astype("uint8"), y=np.arange(6))
    with tf.io.TFRecordWriter(str(place / "a.tfrecord")) as writer:
        for number, image in enumerate((images(6) * 255).astype("uint8")):
            feature = {
                "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[tf.io.encode_png(image).numpy()])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[number])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    contents = {path.name: path.read_bytes() for path in place.iterdir()}
    return contents, tmp_path_factory.mktemp("damaged")


@pytest.mark.slow
@FEWER
@given(PLACES, ENDS)
def test_a_damaged_model_is_refused_or_loads(whole, places, end):
    contents, place = whole
    (place / "a.keras").write_bytes(damaged(contents["a.keras"], places, end))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = ki.load_model(place / "a.keras")
    except ValueError as error:
        assert "a.keras" in str(error)
    else:
        assert model.data_shape == SHAPE
    assert {path.name for path in place.iterdir()} <= set(contents)


@pytest.mark.slow
@FEW
@given(PLACES, ENDS)
def test_a_damaged_archive_is_refused_or_read(whole, places, end):
    contents, place = whole
    (place / "a.npz").write_bytes(damaged(contents["a.npz"], places, end))
    try:
        found = read_npz(place / "a.npz")
    except ValueError as error:
        assert "a.npz" in str(error)
    else:
        assert all(isinstance(array, np.ndarray) for array in found.values())


@pytest.mark.slow
@FEWER
@given(PLACES, ENDS)
def test_damaged_records_are_refused_or_read(whole, places, end):
    contents, place = whole
    (place / "a.tfrecord").write_bytes(damaged(contents["a.tfrecord"], places, end))
    try:
        with in_words("Reading"):
            data = ki.datasets.load(f"tfrecord:{place / 'a.tfrecord'}", batch_size=2, labels=True, shuffle=False)
            rows = sum(len(x) for x, _ in data)
    except (ValueError, ki.datasets.DataError) as error:
        assert "\n" not in str(error)
    else:
        assert rows <= 6


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
)


@pytest.mark.slow
@FEW
@given(st.sampled_from(list(Recipe.__dataclass_fields__)), JSON, st.sampled_from(["field", "recipe", "file"]))
def test_a_configuration_is_read_or_its_file_and_field_are_named(whole, field, value, where):
    run = RunDirectory(whole[1])
    recipe = {"system": "vae", "dataset": "digits", field: value}
    content = {"field": {"recipe": recipe}, "recipe": {"recipe": value}, "file": value}[where]
    run.config.write_text(json.dumps(content))
    try:
        found = run.read_recipe()
    except ValueError as error:
        assert str(run.config) in str(error) and (field in str(error) or where != "field")
    else:
        assert isinstance(found.epochs, int)
    run.config.unlink()
