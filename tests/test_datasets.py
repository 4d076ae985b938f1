"""Data sets by name: range, layout, order, splits, labels and errors."""

import ast
import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from systems import quick
from tensorflow.python.eager import context

from keras_ijae import datasets
from keras_ijae.datasets.crops import framing
from keras_ijae.datasets.images import decode
from keras_ijae.datasets.names import without_directories
from keras_ijae.datasets.order import mixed
from keras_ijae.datasets.pipeline import begin_at, peeking

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tfds_dir():
    """A directory with MNIST and Fashion-MNIST prepared by tensorflow-datasets."""
    for place in (os.environ.get("TFDS_DATA_DIR"), ROOT.parent / "shared" / "tfds"):
        if place and (pathlib.Path(place) / "mnist").is_dir():
            return str(place)
    pytest.skip("needs MNIST prepared by tensorflow-datasets: set TFDS_DATA_DIR")


def collect(dataset):
    """All batches of a data set of images or vectors, joined."""
    return np.concatenate([batch.numpy() for batch in dataset])


def write_images(folder, count, shape=(10, 12, 3), seed=0):
    """Writes `count` random PNG files; returns their pixels in order of the names."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)
    for i, image in enumerate(pixels):
        tf.io.write_file(str(folder / f"{i:03}.png"), tf.io.encode_png(image))
    return pixels


def write_records(path, examples):
    """Writes dictionaries of bytes, ints and lists of floats as tf.train.Example."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            features = {name: feature(value) for name, value in example.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    return tf.train.Feature(float_list=tf.train.FloatList(value=value))


# The digits: range, layout, splits.


def test_digits_are_float_images_between_0_and_1_and_reach_both():
    train = collect(datasets.load("digits", drop_remainder=False))
    assert train.shape == (1500, 8, 8, 1) and train.dtype == np.float32
    assert train.min() == 0.0 and train.max() == 1.0
    assert np.array_equal(np.round(train * 16), train * 16)


def test_digits_train_and_test_are_all_the_digits_once():
    from sklearn.datasets import load_digits

    parts = [collect(datasets.load("digits", split, drop_remainder=False)) for split in ("train", "test")]
    ours = np.concatenate(parts).reshape(-1, 64) * 16
    assert len(parts[1]) == 297
    assert np.array_equal(
        np.sort(ours.view("V256").ravel()), np.sort(load_digits().data.astype("f4").view("V256").ravel())
    )


@pytest.mark.parametrize("split", ["train", "test", "validation", "train[:90%]"])
def test_digits_have_every_class_in_equal_parts(split):
    labels = np.concatenate([y.numpy() for _, y in datasets.load("digits", split, labels=True)])
    shares = np.bincount(labels, minlength=10) / len(labels)
    assert labels.dtype == np.int64 and shares.min() > 0.07 and shares.max() < 0.13


def test_labels_belong_to_their_images():
    by_image = {}
    for x, y in datasets.load("digits", labels=True, shuffle=False, drop_remainder=False):
        by_image |= {image.tobytes(): label for image, label in zip(x.numpy(), y.numpy(), strict=True)}
    for x, y in datasets.load("digits", labels=True, seed=3):
        assert all(by_image[image.tobytes()] == label for image, label in zip(x.numpy(), y.numpy(), strict=True))


def test_only_the_training_split_is_shuffled_and_cut_to_whole_batches():
    train, test = datasets.load("digits"), datasets.load("digits", "test")
    assert train.element_spec.shape == (64, 8, 8, 1) and int(train.cardinality()) == 1500 // 64
    assert test.element_spec.shape[0] is None and int(test.cardinality()) == 5
    assert [len(x) for x in test] == [64] * 4 + [41]
    assert np.array_equal(collect(test), collect(test))
    assert not np.array_equal(collect(train), collect(train))


def test_slices_part_a_split_that_was_stored_at_random_in_its_order():
    part = lambda split: collect(datasets.load("gmm5", split, shuffle=False, drop_remainder=False))  # noqa: E731
    whole = part("train")
    assert np.array_equal(part("train[:100]"), whole[:100])
    assert np.array_equal(part("train[-100:]"), whole[-100:])
    assert np.array_equal(part("train[25%:50%]"), whole[512:1024])
    assert np.array_equal(np.concatenate([part("train[:90%]"), part("validation")]), whole)
    assert np.array_equal(part("train[-10%:]"), part("validation"))


# Slices of sets that are stored by class.


def stored(name, split, **arguments):
    """The numbers of the examples in a slice (their first pixel or feature), in order, and their labels."""
    arguments = {"batch_size": 7, "shuffle": False, "drop_remainder": False, "labels": True, **arguments}
    x, y = zip(*datasets.load(name, split, **arguments).as_numpy_iterator(), strict=True)
    x = np.concatenate(x)
    return np.rint(x.reshape(len(x), -1)[:, 0] * (255 if x.ndim == 4 else 1)).astype(int), np.concatenate(y)


@pytest.fixture(scope="module", params=quick(["folder", "npz", "tfrecord"], ["npz", "tfrecord"]))
def by_class(request, tmp_path_factory):
    """Sixty images in three classes of 30, 20 and 10, one class after the other; image i is of grey value i."""
    place = tmp_path_factory.mktemp(request.param)
    images, labels = (
        np.repeat(np.arange(60, dtype=np.uint8), 16).reshape(60, 4, 4, 1),
        np.repeat([0, 1, 2], [30, 20, 10]),
    )
    if request.param == "folder":
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            tf.io.write_file(str(place / str(label) / f"{i:02}.png"), tf.io.encode_png(image))
        return f"folder:{place}"
    if request.param == "npz":
        np.savez(place / "a.npz", image=images, label=labels)
        return f"npz:{place / 'a.npz'}"
    examples = [{"x": image.tobytes(), "label": int(label)} for image, label in zip(images, labels, strict=True)]
    write_records(place / "a.tfrecord", [{**example, "height": 4, "width": 4} for example in examples])
    return f"tfrecord:{place / 'a.tfrecord'}"


def test_training_and_validation_of_a_set_stored_by_class_are_all_of_it_once_and_hold_every_class(by_class):
    train, train_labels = stored(by_class, "train[:90%]")
    held, held_labels = stored(by_class, "validation")
    assert sorted([*train, *held]) == list(range(60)) and len(held) == 6
    for numbers, labels in ((train, train_labels), (held, held_labels)):
        assert np.array_equal(labels, np.repeat([0, 1, 2], [30, 20, 10])[numbers])
    if "tfrecord" not in by_class:  # whose labels are not known before they are read
        assert np.bincount(held_labels).tolist() == [3, 2, 1]
    assert len(set(held_labels)) > 1 and np.ptp(held) > 10


def test_slices_of_a_set_stored_by_class_fit_together_and_the_whole_stays_in_stored_order(by_class):
    assert stored(by_class, "train")[0].tolist() == list(range(60)) == stored(by_class, "train[:100%]")[0].tolist()
    parts = [stored(by_class, split)[0] for split in ("train[:20]", "train[20:50%]", "train[-50%:-6]", "train[54:]")]
    assert [len(part) for part in parts] == [20, 10, 24, 6] and sorted(np.concatenate(parts)) == list(range(60))
    assert sorted(parts[3]) == sorted(stored(by_class, "validation")[0])
    assert set(parts[0]) == set(np.concatenate([stored(by_class, s)[0] for s in ("train[:9]", "train[9:20]")]))


def test_what_is_in_a_slice_does_not_depend_on_seed_batches_or_shuffling(by_class):
    held = sorted(stored(by_class, "validation")[0])
    for arguments in ({"seed": 5}, {"batch_size": 4}, {"shuffle": True, "seed": 3, "epoch": 2}, {"size": (4, 4)}):
        assert sorted(stored(by_class, "validation", **arguments)[0]) == held


def test_the_permutation_of_slices_is_the_same_on_every_machine():
    assert mixed(10).tolist() == [2, 7, 9, 5, 1, 0, 4, 6, 8, 3]
    assert mixed(10, np.repeat([0, 1], 5)).tolist() == [7, 2, 9, 1, 5, 0, 6, 4, 8, 3]


@pytest.mark.parametrize(
    "labels",
    [
        np.repeat([0, 1, 2, 3], [500, 300, 150, 50]),
        np.repeat([-1, 0, 1], [60, 30, 10]),  # -1: unknown
        np.repeat(np.array(["cat", "dog"]), [15, 25]),
        np.eye(3, dtype=np.int64)[np.repeat([0, 1, 2], 40)],
    ],
)
def test_every_stretch_holds_the_classes_in_proportion(labels):
    order = mixed(len(labels), labels)
    assert sorted(order) == list(range(len(labels)))
    _, members = np.unique(labels, axis=0, return_inverse=True)
    counts = np.cumsum(np.eye(members.max() + 1)[members.ravel()[order]], axis=0)
    expected = np.arange(1, len(order) + 1)[:, None] * counts[-1] / len(order)
    assert np.abs(counts - expected).max() < 1.5


@pytest.mark.parametrize(
    "labels", [np.arange(200), np.zeros(200, int), np.linspace(0, 1, 200), np.repeat(np.arange(100), 2)]
)
def test_single_classes_single_members_and_targets_that_are_no_classes_are_simply_permuted(labels):
    order = mixed(200, labels)
    assert sorted(order) == list(range(200))
    assert abs(np.corrcoef(order, np.arange(200))[0, 1]) < 0.2


def test_rare_classes_are_held_out_as_often_as_others():
    labels = np.concatenate([np.zeros(2000, int), np.arange(1, 201)])
    rare = np.count_nonzero(labels[mixed(2200, labels)][1980:])
    assert 10 <= rare <= 30  # 20 expected of 200 classes with one example


def test_sets_of_few_examples_are_sliced_while_both_parts_hold_some(tmp_path):
    for size, held in ((5, 1), (9, 1), (11, 1), (16, 2)):
        np.savez(tmp_path / f"{size}.npz", x=np.arange(size)[:, None], y=np.zeros(size, int))
        train, validation = (stored(f"npz:{tmp_path}/{size}.npz", s)[0] for s in ("train[:90%]", "validation"))
        assert len(validation) == held and sorted([*train, *validation]) == list(range(size))
    np.savez(tmp_path / "4.npz", x=np.arange(4)[:, None])
    with pytest.raises(ValueError, match="selects none of the 4 examples"):
        datasets.load(f"npz:{tmp_path}/4.npz", "validation")


# Order: a function of the seed and the number of the pass.


def passes(count, **arguments):
    dataset = datasets.load("digits", **arguments)
    return [collect(dataset) for _ in range(count)]


def test_a_resumed_run_sees_the_order_of_the_uninterrupted_one():
    through = passes(4, seed=5)
    resumed = passes(2, seed=5, epoch=2)
    assert np.array_equal(resumed[0], through[2]) and np.array_equal(resumed[1], through[3])


def test_a_pass_ends_without_waiting_for_tensorflows_tuner():
    options = datasets.load("digits").options()
    assert options.autotune.enabled is False  # on, its thread sleeps up to as long as the pass took, and is waited for


def test_passes_differ_and_so_do_seeds():
    first, second = passes(2, seed=1)
    (other,) = passes(1, seed=2)
    assert not np.array_equal(first, second) and not np.array_equal(first, other)


def test_every_pass_holds_every_example_once():
    stored = sorted(image.tobytes() for image in passes(1, shuffle=False, drop_remainder=False)[0])
    for images in passes(2, drop_remainder=False):
        assert sorted(image.tobytes() for image in images) == stored


def test_set_epoch_moves_to_the_order_of_that_epoch():
    dataset = datasets.load("digits", seed=4)
    third = passes(3, seed=4)[2]
    next(iter(dataset))
    datasets.set_epoch(dataset, 2)
    assert np.array_equal(collect(dataset), third)


def test_repeat_goes_through_the_passes():
    repeated = collect(datasets.load("digits", seed=7).repeat(2))
    assert np.array_equal(repeated, np.concatenate(passes(2, seed=7)))


def test_streams_have_an_order_by_seed_and_epoch_whatever_the_global_seed(tmp_path, monkeypatch):
    write_records(tmp_path / "a.tfrecord", [{"x": [float(i)]} for i in range(50)])
    write_records(tmp_path / "b.tfrecord", [{"x": [float(i)]} for i in range(50, 100)])
    name = f"tfrecord:{tmp_path}/*.tfrecord"

    def load(epoch):
        return datasets.load(name, batch_size=10, seed=3, epoch=epoch, shuffle_buffer=20)

    dataset = load(0)
    through = [collect(dataset)[:, 0] for _ in range(3)]
    monkeypatch.setattr(context.context(), "_seed", 123)  # tf.random.set_seed(123), undone after the test
    assert np.array_equal(collect(load(2))[:, 0], through[2])
    assert not np.array_equal(through[0], through[1])
    assert all(np.array_equal(np.sort(order), np.arange(100)) for order in through)


def test_a_pass_that_was_begun_goes_on_in_its_order_and_the_next_one_is_whole(by_class):
    load = lambda: datasets.load(by_class, batch_size=10, seed=3, labels=True)  # noqa: E731
    whole, begun = load(), load()
    first, second, third = (list(whole.as_numpy_iterator()) for _ in range(3))
    begin_at(begun, 1, 4)
    with peeking(begun):
        next(iter(begun))
    for passed, expected, done in ((begun, second, 4), (begun, third, 0)):
        found = list(passed.as_numpy_iterator())
        assert len(found) == 6
        for batch, other in zip(found[done:], expected[done:], strict=True):
            assert all(np.array_equal(part, same) for part, same in zip(batch, other, strict=True))
    datasets.set_epoch(begun, 0)
    assert np.array_equal(next(iter(begun))[0], first[0][0])


def test_two_replicas_share_each_batch_in_the_order_of_one(two_replicas):
    with two_replicas.scope():
        dataset = datasets.load("digits", batch_size=100, seed=2)
    distributed = two_replicas.experimental_distribute_dataset(dataset)
    for images in passes(2, seed=2, batch_size=100):
        parts = [part.numpy() for batch in distributed for part in two_replicas.experimental_local_results(batch)]
        assert len(parts) == 30 and np.array_equal(np.concatenate(parts), images)


def test_keras_fits_and_counts_the_epochs():
    dataset = datasets.load("digits", labels=True, batch_size=100, seed=2)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(dataset, epochs=2, shuffle=False, verbose=0).history["loss"]
    third = np.concatenate([x.numpy() for x, _ in dataset])
    assert losses[1] < losses[0] and np.array_equal(third, passes(3, batch_size=100, seed=2)[2])


# Files.


def test_folder_with_classes(tmp_path):
    cats, dogs = write_images(tmp_path / "cat", 3), write_images(tmp_path / "dog", 2, seed=1)
    ((x, y),) = datasets.load(f"folder:{tmp_path}", batch_size=5, labels=True, shuffle=False)
    np.testing.assert_array_equal(x, np.concatenate([cats, dogs]).astype("f4") / 255)
    assert y.numpy().tolist() == [0, 0, 0, 1, 1]
    assert datasets.info(f"folder:{tmp_path}") == datasets.DatasetInfo(
        f"folder:{tmp_path}", (10, 12, 3), {"train": 5}, True, class_names=("cat", "dog"), classes=2
    )


def test_folder_flat_and_grey_and_shuffled_whole(tmp_path):
    pixels = write_images(tmp_path, 30, (9, 9, 1))
    (tmp_path / "notes.txt").write_text("not an image")
    first = collect(datasets.load(f"folder:{tmp_path}", batch_size=30, seed=1))
    second = collect(datasets.load(f"folder:{tmp_path}", batch_size=30, seed=1, epoch=1))
    assert first.shape == (30, 9, 9, 1) and not np.array_equal(first, second)
    np.testing.assert_allclose(np.sort(first, 0), np.sort(pixels, 0).astype("f4") / 255, atol=1e-7)
    with pytest.raises(ValueError, match="labels"):
        datasets.load(f"folder:{tmp_path}", labels=True)


def test_folder_with_one_folder_per_split(tmp_path):
    write_images(tmp_path / "train" / "a", 3)
    write_images(tmp_path / "train" / "b", 3)
    held = write_images(tmp_path / "val" / "b", 1, seed=2)
    assert datasets.info(f"folder:{tmp_path}").splits == {"train": 6, "validation": 1}
    np.testing.assert_array_equal(collect(datasets.load(f"folder:{tmp_path}", "validation")), held.astype("f4") / 255)


@pytest.mark.parametrize("names", [("Train", "Test"), ("training", "TESTING", "valid"), ("train", "test", "empty")])
def test_folders_of_splits_are_known_by_other_names_and_beside_folders_without_images(tmp_path, names):
    for name in names:
        write_images(tmp_path / name / "a", 2) if name != "empty" else (tmp_path / name).mkdir()
    found = datasets.info(f"folder:{tmp_path}")
    expected = {"train": 2, "test": 2} | ({"validation": 2} if "valid" in names else {})
    assert found.splits == expected and found.class_names == ("a",)


@pytest.mark.parametrize("names", [("val", "valid", "train"), ("val", "test"), ("train", "test", "more")])
def test_folders_of_splits_beside_others_are_refused_as_they_would_be_classes(tmp_path, names):
    for name in names:
        write_images(tmp_path / name, 2)
    with pytest.raises(ValueError, match=f"sub-folder for each split .* Received: .*{names[0]}"):
        datasets.info(f"folder:{tmp_path}")


def test_a_class_may_be_called_as_a_split_is(tmp_path):
    for name in ("car", "train"):
        write_images(tmp_path / name, 2)
    assert datasets.info(f"folder:{tmp_path}").class_names == ("car", "train")


def test_hidden_files_and_folders_are_no_images_and_links_are_followed_once(tmp_path):
    pixels = write_images(tmp_path / "elsewhere", 2)
    write_images(tmp_path / "set" / "cat" / ".ipynb_checkpoints", 3)
    write_images(tmp_path / "set" / "dog", 1)
    (tmp_path / "set" / ".cover.png").write_bytes(b"hidden")
    (tmp_path / "set" / "cat" / "part").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "cat" / "back").symlink_to(tmp_path / "set" / "cat")
    found = datasets.info(f"folder:{tmp_path}/set")
    assert found.splits == {"train": 3} and found.class_names == ("cat", "dog")
    read = collect(datasets.load(f"folder:{tmp_path}/set", batch_size=3, shuffle=False))
    np.testing.assert_array_equal(read[:2], pixels / np.float32(255))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("suffix", "mode"), [(".bmp", "L"), (".bmp", "RGB"), (".gif", "RGB"), (".png", "L")])
def test_every_format_gives_the_channels_that_are_wanted(tmp_path, suffix, mode, channels):
    grey = np.random.default_rng(0).integers(0, 2, (6, 5), np.uint8) * 255
    image = Image.fromarray(grey).convert(mode)
    image.save(tmp_path / f"1{suffix}")
    read = decode(tf.io.read_file(str(tmp_path / f"1{suffix}")), channels, "1").numpy()
    np.testing.assert_array_equal(read, np.repeat(grey[..., None], channels, 2))


def test_a_bmp_with_a_palette_is_refused_by_name(tmp_path):
    image = Image.fromarray(np.eye(4, dtype=np.uint8) * 200).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE)
    image.save(tmp_path / "1.bmp")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"no palette but that of greys.*1\.bmp"):
        collect(datasets.load(f"folder:{tmp_path}", batch_size=1))


def test_names_of_files_need_not_be_utf_8(tmp_path):
    pixels = write_images(tmp_path, 1)
    os.rename(os.fsencode(tmp_path / "000.png"), os.fsencode(tmp_path) + b"/\xff.png")
    np.testing.assert_array_equal(collect(datasets.load(f"folder:{tmp_path}", batch_size=1)), pixels / np.float32(255))


def test_a_class_has_one_number_in_all_splits(tmp_path):
    for split, classes in {"train": "abc", "val": "bc", "test": "c"}.items():
        for name in classes:
            write_images(tmp_path / split / name, 1)
    labels = {
        split: [int(y[0]) for _, y in datasets.load(f"folder:{tmp_path}", split, 1, labels=True, shuffle=False)]
        for split in ("train", "validation", "test")
    }
    assert labels == {"train": [0, 1, 2], "validation": [1, 2], "test": [2]}
    assert datasets.info(f"folder:{tmp_path}").class_names == ("a", "b", "c")


def test_images_of_many_sizes_need_a_size(tmp_path):
    write_images(tmp_path / "a", 2, (20, 30, 3))
    write_images(tmp_path / "b", 2, (40, 16, 3))
    with pytest.raises(ValueError, match="size"):
        datasets.load(f"folder:{tmp_path}", batch_size=2)
    assert collect(datasets.load(f"folder:{tmp_path}", batch_size=2, size=(8, 10))).shape == (4, 8, 10, 3)


def test_a_file_that_is_no_image_is_named(tmp_path):
    write_images(tmp_path, 40)
    (tmp_path / "001.png").write_bytes(b"no image at all")
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="001.png"):
        collect(datasets.load(f"folder:{tmp_path}", batch_size=8))


def test_an_image_of_another_size_is_named(tmp_path):
    write_images(tmp_path, 40)
    tf.io.write_file(str(tmp_path / "001.png"), tf.io.encode_png(np.zeros((3, 3, 3), np.uint8)))
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="001.png"):
        collect(datasets.load(f"folder:{tmp_path}", batch_size=8))
    assert collect(datasets.load(f"folder:{tmp_path}", batch_size=8, size=4)).shape == (40, 4, 4, 3)


def test_tiny_imagenet(tmp_path):
    shape = (64, 64, 3)
    first = write_images(tmp_path / "train" / "n01" / "images", 2, shape)
    second = write_images(tmp_path / "train" / "n02" / "images", 2, shape, seed=1)
    held = write_images(tmp_path / "val" / "images", 2, shape, seed=2)
    write_images(tmp_path / "test" / "images", 1, shape)
    (tmp_path / "val" / "val_annotations.txt").write_text("000.png\tn02\t0\t0\t9\t9\n001.png\tn01\t0\t0\t9\t9\n")
    name = f"tiny_imagenet:{tmp_path}"
    about = datasets.info(name)
    assert about.splits == {"train": 4, "validation": 2, "test": 1} and about.unlabelled == ("test",)
    assert about.classes == 2
    ((x, y),) = datasets.load(name, batch_size=4, labels=True, shuffle=False)
    np.testing.assert_array_equal(x, np.concatenate([first, second]).astype("f4") / 255)
    assert y.numpy().tolist() == [0, 0, 1, 1]
    ((x, y),) = datasets.load(name, "validation", labels=True)
    np.testing.assert_array_equal(x, held.astype("f4") / 255)
    assert y.numpy().tolist() == [1, 0]
    with pytest.raises(ValueError, match="labels"):
        datasets.load(name, "test", labels=True)


# Arrays.


def test_npz_converts_uint8_and_keeps_floats(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 4), np.uint8)
    np.savez(tmp_path / "bytes.npz", image=pixels, label=np.arange(6))
    ((x, y),) = datasets.load(f"npz:{tmp_path}/bytes.npz", batch_size=6, labels=True, shuffle=False)
    np.testing.assert_array_equal(x, pixels[..., None].astype("f4") / 255)
    assert y.numpy().tolist() == list(range(6))
    np.savez(tmp_path / "floats.npz", anything=pixels / 255)
    (x,) = datasets.load(f"npz:{tmp_path}/floats.npz", batch_size=6, shuffle=False)
    np.testing.assert_allclose(x, pixels[..., None] / 255, atol=1e-7)


def test_npz_splits_by_the_names_of_the_arrays(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (8, 5, 5, 1), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x[:5], y_train=np.arange(5), x_test=x[5:], y_test=np.arange(3))
    assert datasets.info(f"npz:{tmp_path}/a.npz").splits == {"train": 5, "test": 3}
    np.savez(tmp_path / "b.npz", train=x[:4], valid=x[4:6], test=x[6:])
    assert datasets.info(f"npz:{tmp_path}/b.npz").splits == {"train": 4, "validation": 2, "test": 2}
    np.testing.assert_array_equal(
        collect(datasets.load(f"npz:{tmp_path}/b.npz", "validation")), x[4:6].astype("f4") / 255
    )


def test_vectors_are_standardised_by_the_training_split(tmp_path):
    x = np.random.default_rng(0).normal(5, 3, (1000, 3)) * [1, 10, 0]
    np.savez(tmp_path / "v.npz", train=x, test=x[:100] + 3)
    name = f"npz:{tmp_path}/v.npz"
    train = collect(datasets.load(name, batch_size=1000, standardize=True))
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(train.std(0), [1, 1, 0], atol=1e-4)
    expected = (x[:100, :2] + 3 - x[:, :2].mean(0)) / x[:, :2].std(0)
    test = collect(datasets.load(name, "test", standardize=True))
    np.testing.assert_allclose(test[:, :2], expected, atol=1e-4)
    np.testing.assert_allclose(collect(datasets.load(name, "test")), x[:100] + 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": np.zeros((2, 8, 8, 1)) - 1}, r"\[-1, -1\]"),
        ({"image": np.full((2, 8, 8, 1), np.nan)}, "Images must be finite.* NaN or infinity, 128 of 128"),
        ({"image": np.zeros((2, 8, 8, 1), np.int64)}, "int64"),
        ({"image": np.zeros((0, 8, 8, 1), np.uint8)}, "empty"),
        ({"image": np.zeros((2, 1, 8, 8, 1), np.uint8)}, r"2, 1, 8, 8, 1"),
        ({"a": np.zeros((2, 8, 8)), "b": np.zeros((2, 8, 8))}, "keys"),
        ({"image": np.zeros((2, 8, 8)), "label": np.zeros(3)}, "label"),
        ({"x": np.full((2, 3), np.inf)}, "finite"),
        ({"train": np.zeros((2, 3), np.uint8), "test": np.zeros((2, 3))}, "one shape and kind.*'float64', 'uint8'"),
    ],
)
def test_npz_that_holds_no_data_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        datasets.load(f"npz:{tmp_path}/bad.npz", batch_size=1)


def test_npz_keys_choose_the_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.zeros((2, 8, 8)), b=np.ones((2, 8, 8)), c=np.arange(2))
    keys = {"image": "b", "label": "c"}
    ((x, y),) = datasets.load(f"npz:{tmp_path}/a.npz", batch_size=2, keys=keys, labels=True, shuffle=False)
    assert x.numpy().min() == 1 and y.numpy().tolist() == [0, 1]
    with pytest.raises(ValueError, match="'d'"):
        datasets.load(f"npz:{tmp_path}/a.npz", keys={"image": "d"})


def test_labels_that_are_guessed_beside_a_named_image_have_to_fit(tmp_path):
    np.savez(tmp_path / "a.npz", np.zeros((5, 8, 8)), np.zeros((3, 8, 8)), b=np.zeros((3, 8, 8)), y=[0, 1, 2])
    keys = {"image": "arr_0"}
    assert not datasets.info(f"npz:{tmp_path}/a.npz", keys=keys).has_labels
    assert datasets.info(f"npz:{tmp_path}/a.npz", keys={"image": "b"}).has_labels
    write_records(tmp_path / "a.tfrecord", [{"pixels": [0.5], "label": [0.25]}])
    assert not datasets.info(f"tfrecord:{tmp_path}/a.tfrecord", keys={"image": "pixels"}).has_labels


def test_labels_that_are_no_numbers_are_refused_where_labels_are_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", image=np.zeros((2, 8, 8)), label=np.array(["a", "b"]))
    assert collect(datasets.load(f"npz:{tmp_path}/a.npz", batch_size=2)).shape == (2, 8, 8, 1)
    with pytest.raises(ValueError, match="Labels must be numbers.*Received: .*<U1"):
        datasets.load(f"npz:{tmp_path}/a.npz", batch_size=2, labels=True)


def test_vectors_of_a_set_without_train_are_not_standardised(tmp_path):
    np.savez(tmp_path / "a.npz", test=np.zeros((5, 3)))
    with pytest.raises(ValueError, match="`standardize` needs a split 'train'. Received: .*'test'"):
        datasets.load(f"npz:{tmp_path}/a.npz", "test", standardize=True)


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="bad.npz"):
        datasets.load(f"npz:{tmp_path}/bad.npz")


# TFRecords.


@pytest.mark.parametrize("kind", ["encoded", "raw", "raw_with_sides", "floats"])
def test_tfrecord_layouts(tmp_path, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 6, 5, 3), np.uint8)
    sides = {"height": 6, "width": 5, "depth": 3} if kind == "raw_with_sides" else {}
    write = {
        "encoded": lambda image: tf.io.encode_png(image).numpy(),
        "floats": lambda image: (image.ravel() / 255).tolist(),
    }.get(kind, lambda image: image.tobytes())
    write_records(tmp_path / "a.tfrecord", [{"image": write(p), "label": i, **sides} for i, p in enumerate(pixels)])
    shape = (6, 5, 3) if kind in ("raw", "floats") else None
    name = f"tfrecord:{tmp_path}/*.tfrecord"
    ((x, y),) = datasets.load(name, batch_size=7, labels=True, shuffle=False, data_shape=shape)
    np.testing.assert_allclose(x, pixels / 255, atol=1e-6)
    assert y.numpy().tolist() == list(range(7))
    part = collect(datasets.load(name, "train[-2:]", batch_size=2, shuffle=False, data_shape=shape))
    np.testing.assert_allclose(part, pixels[sorted(mixed(7)[-2:])] / 255, atol=1e-6)
    if kind == "raw":
        with pytest.raises(ValueError, match="data_shape"):
            datasets.load(name)


def test_records_without_the_label_that_the_first_one_has_are_unknown(tmp_path):
    write_records(tmp_path / "a.tfrecord", [{"x": [0.1], "label": 3}, {"x": [0.2]}, {"x": [0.3], "label": 1}])
    ((_, y),) = datasets.load(f"tfrecord:{tmp_path}/a.tfrecord", batch_size=3, labels=True, shuffle=False)
    assert y.numpy().tolist() == [3, -1, 1]
    write_records(tmp_path / "b.tfrecord", [{"x": [0.1]}, {"x": [0.2], "label": 1}])
    with pytest.raises(ValueError, match="`labels` must be False: the split 'train' of .* has none"):
        datasets.load(f"tfrecord:{tmp_path}/b.tfrecord", labels=True)


def test_raw_vectors_are_standardised_as_they_are_loaded(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (200, 6), np.uint8)
    write_records(tmp_path / "a.tfrecord", [{"x": row.tobytes()} for row in x])
    found = collect(datasets.load(f"tfrecord:{tmp_path}/a.tfrecord", batch_size=200, data_shape=(6,), standardize=True))
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-5)


@pytest.mark.parametrize("bad", [[0.0] * 63 + [255.0], [0.0] * 63 + [np.nan]], ids=["range", "nan"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("raw", [True, False])
def test_records_of_floats_that_are_no_images_are_refused(tmp_path, bad, first, raw):
    rows = [bad, [0.5] * 64] if first else [[0.5] * 64, bad]
    write_records(tmp_path / "a.tfrecord", [{"x": np.float32(row).tobytes() if raw else row} for row in rows])
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"must be finite,? and in"):
        collect(datasets.load(f"tfrecord:{tmp_path}/a.tfrecord", batch_size=2, data_shape=(8, 8, 1), size=4))


def test_records_of_images_of_many_sizes_are_cut_to_one(tmp_path):
    images = [tf.io.encode_png(np.zeros((side, 9, 3), np.uint8)).numpy() for side in (8, 12)]
    write_records(tmp_path / "a.tfrecord", [{"image": image} for image in images])
    assert collect(datasets.load(f"tfrecord:{tmp_path}/a.tfrecord", batch_size=2, size=4)).shape == (2, 4, 4, 3)


def test_each_file_of_records_is_unpacked_by_its_name_and_may_be_called_as_a_pattern(tmp_path):
    write_records(tmp_path / "[a].tfrecord", [{"x": [0.25]}])
    with tf.io.TFRecordWriter(str(tmp_path / "b.tfrecord.gz"), "GZIP") as writer:
        features = tf.train.Features(feature={"x": feature([0.5])})
        writer.write(tf.train.Example(features=features).SerializeToString())
    for shuffle in (False, True):
        both = collect(datasets.load(f"tfrecord:{tmp_path}/*.tf*", batch_size=2, shuffle=shuffle))
        assert sorted(both.ravel()) == [0.25, 0.5]
    assert collect(datasets.load(f"tfrecord:{tmp_path}/[a].tfrecord", batch_size=1)) == 0.25


def test_tfrecord_errors(tmp_path):
    write_records(tmp_path / "empty.tfrecord", [])
    write_records(tmp_path / "other.tfrecord", [{"picture": b"abc"}])
    (tmp_path / "bad.tfrecord").write_bytes(b"this is not a file of records")
    for file, message in (("empty", "empty"), ("other", "picture"), ("bad", "not a TFRecord")):
        with pytest.raises(ValueError, match=message):
            datasets.load(f"tfrecord:{tmp_path}/{file}.tfrecord")


# tensorflow-datasets.


def test_mnist(tfds_dir):
    info = datasets.info("mnist", data_dir=tfds_dir)
    assert info.data_shape == (28, 28, 1) and info.splits == {"train": 60000, "test": 10000} and info.has_labels
    assert info.classes == 10 and not info.class_names
    test = datasets.load("mnist", "test", 1000, labels=True, data_dir=tfds_dir)
    x, y = (np.concatenate(parts) for parts in zip(*test.as_numpy_iterator(), strict=True))
    assert x.shape == (10000, 28, 28, 1) and x.min() == 0 and x.max() == 1 and y.dtype == np.int64
    assert round(float(x.mean()) * 255, 2) == 33.79 and np.bincount(y).tolist()[:3] == [980, 1135, 1032]


def test_mnist_slices_by_index_and_validation_is_the_last_tenth(tfds_dir):
    part = lambda split: collect(  # noqa: E731
        datasets.load("mnist", split, 1000, shuffle=False, drop_remainder=False, data_dir=tfds_dir)
    )
    assert np.array_equal(part("train[54000:]"), part("validation"))
    assert len(part("train[50%:51%]")) == 600


def test_tfds_reads_the_environment_variable(tfds_dir, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    assert datasets.info("fashion_mnist").splits == {"train": 60000, "test": 10000}


def test_a_tfds_set_that_cannot_be_had_says_what_to_do(tmp_path):
    assert datasets.info("cifar10", data_dir=str(tmp_path)).data_shape == (32, 32, 3)
    with pytest.raises(FileNotFoundError, match="TFDS_DATA_DIR") as error:
        datasets.load("cifar10", data_dir=str(tmp_path), download=False)
    assert "`download` is False. Prepare it" in str(error.value) and "tfds build cifar10" in str(error.value)


def test_a_tfds_set_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no images"):
        datasets.load("ag_news_subset", data_dir=str(tmp_path), download=False)


@pytest.fixture(scope="module")
def celeb_a(tmp_path_factory):
    """Six random faces, prepared by tensorflow-datasets as celeb_a."""
    import tensorflow_datasets as tfds

    place = tmp_path_factory.mktemp("tfds")
    builder = tfds.builder("celeb_a", data_dir=str(place))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 218, 178, 3), np.uint8)
    features = {name: builder.info.features[name] for name in ("image", "attributes")}
    examples = {
        "image": images,
        "attributes": {name: np.arange(6) % 2 == 0 for name in features["attributes"]},
    }
    tfds.dataset_builders.store_as_tfds_dataset(
        name="celeb_a",
        version=str(builder.version),
        data_dir=str(place),
        split_datasets={"train": tf.data.Dataset.from_tensor_slices(examples)},
        features=tfds.features.FeaturesDict(features),
        disable_shuffling=True,
    )
    return str(place)


@pytest.mark.slow
def test_celeb_a_is_cropped_and_keeps_its_attributes(celeb_a):
    ((x, y),) = datasets.load("celeb_a", batch_size=6, attributes=["Smiling"], data_dir=celeb_a)
    assert x.shape == (6, 64, 64, 3) and list(y) == ["Smiling"] and y["Smiling"].dtype == tf.bool
    assert y["Smiling"].numpy().sum() == 3
    ((_, y),) = datasets.load("celeb_a", batch_size=6, labels=True, data_dir=celeb_a)
    assert len(y) == 40
    with pytest.raises(ValueError, match="Smiling"):
        datasets.load("celeb_a", attributes=["Smilling"], data_dir=celeb_a)


@pytest.mark.slow
def test_a_set_too_large_for_memory_is_streamed_to_the_same_images(celeb_a, monkeypatch):
    load = lambda: datasets.load(  # noqa: E731
        "celeb_a", batch_size=6, labels=True, shuffle=False, crop="none", data_dir=celeb_a
    )
    ((x, y),) = load()
    monkeypatch.setattr("keras_ijae.datasets.from_tfds._IN_MEMORY", 0)
    ((streamed, attributes),) = load()
    assert np.array_equal(x, streamed) and np.array_equal(y["Male"], attributes["Male"])
    through = datasets.load("celeb_a", batch_size=6, crop="none", data_dir=celeb_a)
    passes = [collect(through) for _ in range(2)]
    second = collect(datasets.load("celeb_a", batch_size=6, epoch=1, crop="none", data_dir=celeb_a))
    assert np.array_equal(passes[1], second) and not np.array_equal(passes[0], second)


@pytest.mark.slow
def test_a_tfds_set_prepared_without_shuffling_is_sliced_at_random_in_memory_and_streamed(celeb_a, monkeypatch):
    load = lambda split: collect(  # noqa: E731
        datasets.load("celeb_a", split, 6, shuffle=False, drop_remainder=False, crop="none", data_dir=celeb_a)
    )
    whole, first, rest = load("train"), load("train[:2]"), load("train[2:]")
    np.testing.assert_array_equal(np.concatenate([first, rest]), whole[mixed(6)])
    monkeypatch.setattr("keras_ijae.datasets.from_tfds._IN_MEMORY", 0)
    np.testing.assert_array_equal(load("train[:2]"), whole[np.sort(mixed(6)[:2])])


# Crops.


def test_the_windows_of_the_crops_are_those_of_the_papers():
    rows, columns = np.mgrid[:218, :178].astype("f4")
    image = np.stack([rows / 217, columns / 177], -1)
    for crop, top, bottom, left, right in (
        ("closecrop140", 39, 179, 19, 159),
        ("crop128", 45, 173, 25, 153),
        ("crop148", 40, 188, 15, 163),
    ):
        function, shape = framing(crop, None, (218, 178, 2))
        result = function(tf.constant(image)).numpy()
        assert result.shape == shape == (64, 64, 2)
        for axis, (first, last), span in ((0, (top, bottom), 217), (1, (left, right), 177)):
            profile = result[..., axis].mean(1 - axis) * span
            scale = (last - first) / 64
            np.testing.assert_allclose(profile[8:-8], (first + (np.arange(64) + 0.5) * scale - 0.5)[8:-8], atol=0.02)
    function, shape = framing("resizecrop", None, (218, 178, 2))
    result = function(tf.constant(image)).numpy()
    assert result.shape == shape == (64, 64, 2)
    np.testing.assert_allclose(result[..., 0].mean(1) * 217, (np.arange(7, 71) + 0.5) * 218 / 78 - 0.5, atol=0.06)


def test_the_140_crop_is_pillows_lanczos():
    image_module = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(64, 192, (218, 178, 3), np.uint8)
    expected = image_module.fromarray(pixels[39:179, 19:159]).resize((64, 64), image_module.Resampling.LANCZOS)
    function, _ = framing("closecrop140", None, (218, 178, 3))
    np.testing.assert_allclose(
        function(tf.constant(pixels / 255, tf.float32)), np.asarray(expected) / 255, atol=2 / 255
    )


def test_pad32_adds_two_zeros_on_each_side():
    function, shape = framing("pad32", None, (28, 28, 1))
    result = function(tf.ones((3, 28, 28, 1))).numpy()
    assert shape == (32, 32, 1) and result[:, 2:30, 2:30].min() == 1 and result.sum() == 3 * 28 * 28


def test_a_crop_treats_a_batch_as_it_treats_each_image():
    images = np.random.default_rng(0).random((2, 218, 178, 3), np.float32)
    for crop, size in (("closecrop140", None), ("crop148", None), ("resizecrop", 32), ("center", (20, 30))):
        function, shape = framing(crop, size, (218, 178, 3))
        batch = function(tf.constant(images)).numpy()
        assert batch.shape[1:] == shape and batch.min() >= 0 and batch.max() <= 1
        np.testing.assert_allclose(batch[1], function(tf.constant(images[1])), atol=1e-6)


# The room.


def test_no_module_of_the_room_is_imported_in_a_circle_and_none_knows_a_model():
    room = pathlib.Path(datasets.__file__).parent
    imports = {}
    for file in room.glob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        imports[file.stem] = {name for name in names if name.startswith("keras_ijae.")}
    rooms = {name.split(".")[1] for names in imports.values() for name in names}
    assert not rooms & {"models", "game", "training", "evaluation", "networks", "layers", "metrics", "cli"}
    left = {
        name: {other for other in imports if f"keras_ijae.datasets.{other}" in found} for name, found in imports.items()
    }
    while left:
        free = {name for name, needs in left.items() if not needs & left.keys()}
        assert free, f"a circle of imports among {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}


# Errors.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "digit"}, "Did you mean 'digits'"),
        ({"name": "mnits"}, "Did you mean 'mnist'"),
        ({"name": "fodler:somewhere"}, "Did you mean 'folder'"),
        ({"name": "folder"}, "folder:DIR"),
        ({"name": "some/data.npz"}, "Did you mean 'npz:some/data.npz'"),
        ({"name": "mnist:0.0.9"}, "0.0.9"),
        ({"name": "huggingface:mnist"}, "`name` cannot be opened by tensorflow-datasets.*name='huggingface:mnist'"),
        ({"name": ""}, "name"),
        ({"split": "tset"}, "Did you mean 'test'"),
        ({"split": "train[5:5]"}, "none of the 1500"),
        ({"split": "train[:5"}, "train\\[:5"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 5000}, "1500 examples"),
        ({"seed": -1}, "seed"),
        ({"epoch": 1.5}, "epoch"),
        ({"standardize": True}, "standardize"),
        ({"crop": "closecrop"}, "Did you mean 'closecrop140'"),
        ({"crop": "closecrop140"}, "218x178"),
        ({"crop": "center"}, "size"),
        ({"size": (8, 0)}, "size"),
        ({"attributes": ["Smiling"]}, "attributes"),
        ({"keys": {"image": "x"}}, "keys"),
        ({"keys": {"picture": "x"}}, "keys"),
        ({"data_dir": "somewhere"}, "data_dir"),
        ({"data_shape": (8, 8, 1)}, "data_shape"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.load(**{"name": "digits", **arguments})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("folder:/home/someone/private", "folder:private"),
        ("folder:~/private/", "folder:private"),
        ("npz:C:\\Users\\someone\\digits.npz", "npz:digits.npz"),
        ("tfrecord:gs://bucket/some/train-*.tfrecord", "tfrecord:train-*.tfrecord"),
        ("tiny_imagenet:data/tiny-imagenet-200", "tiny_imagenet:tiny-imagenet-200"),
        ("binarized_mnist:data/mnist.npz", "binarized_mnist:mnist.npz"),
        ("binarized_mnist:static", "binarized_mnist:static"),
        ("manifold:8", "manifold:8"),
        ("imagenet_resized/64x64:0.1.0", "imagenet_resized/64x64:0.1.0"),
        ("digits", "digits"),
        (None, None),
    ],
)
def test_a_name_without_directories_has_the_last_part_of_a_path_alone(name, told):
    assert without_directories(name) == told


@pytest.mark.parametrize("name", ["folder:{}", "npz:{}/a.npz", "tfrecord:{}/*.x", "tiny_imagenet:{}"])
def test_missing_files_are_named(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        datasets.load(name.format(tmp_path / "nowhere"))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="empty"):
        datasets.load(f"folder:{tmp_path}")


def test_set_epoch_refuses_what_has_no_order():
    with pytest.raises(ValueError, match="shuffled"):
        datasets.set_epoch(datasets.load("digits", "test"), 1)


def test_slices_of_the_digits_hold_all_classes_in_proportion():
    counts = [
        np.bincount(np.concatenate([y for _, y in datasets.load("digits", split, 50, labels=True).as_numpy_iterator()]))
        for split in ("train[:50]", "validation")
    ]
    assert set(counts[0]) == {5} and counts[1].sum() == 150 and counts[1].min() >= 14
