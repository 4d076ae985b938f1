"""Callbacks that draw figures, keep a mask's trace and write TensorBoard's projector; films of their pictures."""

import subprocess
import sys

import numpy as np
import pytest
from extras import needs
from PIL import Image
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.projector import projector_plugin
from werkzeug.test import Client
from werkzeug.wrappers import Response

import keras_ijae as ki
from keras_ijae.training import projector
from keras_ijae.training.pictures import save_grid

X = np.random.default_rng(0).random((12, 4, 4, 1)).astype("float32")
LABELS = np.arange(12) % 3


@pytest.fixture(scope="module")
def vae():
    model = ki.create("vae", data_shape=(4, 4, 1), latent_dim=2, networks="mlp", width=4)
    model.compile(run_eagerly=True)
    return model


@pytest.fixture
def pictures(tmp_path):
    """A directory with three pictures of training, each of its own grey."""
    for epoch in (2, 4, 10):
        save_grid(tmp_path / f"samples-{epoch:04d}.png", np.full((1, 5, 5, 1), epoch / 10), scale=9)
    save_grid(tmp_path / "reconstructions-0002.png", X[:1])
    return tmp_path


def frames_of(path):
    """The frames of a film as arrays of grey, and how long each stays, in milliseconds."""
    with Image.open(path) as film:
        found = []
        for index in range(film.n_frames):
            film.seek(index)
            found.append((np.asarray(film.convert("L")), film.info["duration"]))
    return zip(*found, strict=True)


# Figures and masks ---------------------------------------------------------------------------------------------------


def test_a_figure_is_drawn_at_the_end_of_epochs_and_makes_a_film(vae, tmp_path):
    def draw(model):
        return ki.figures.code_covariances(model, X)

    callback = ki.training.FigureCallback(draw, tmp_path, "codes", every=3)
    vae.fit(X, batch_size=12, epochs=4, verbose=0, callbacks=[callback])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codes-0003.png", "codes-0004.png"]  # the last
    ki.training.save_film(tmp_path, tmp_path / "film.png", "codes")
    assert len(list(frames_of(tmp_path / "film.png"))[0]) == 2
    with pytest.raises(ValueError, match="`make` must be a function of the model. Received: make=3"):
        ki.training.FigureCallback(3, tmp_path)


@pytest.mark.slow
def test_the_trace_of_a_mask_goes_on_where_the_run_goes_on(tmp_path):
    model = ki.create("mask_aae", (2,), 3, width=2, critic_steps=1)
    model.compile(run_eagerly=True)
    x, path = np.zeros((8, 2), "float32"), tmp_path / "mask.npz"
    first = model.mask.alpha().numpy()
    model.fit(x, batch_size=4, epochs=2, verbose=0, callbacks=[ki.training.MaskRecorder(path)])
    begun = ki.figures.MaskTrace.read(path)
    np.testing.assert_array_equal(begun.steps, [0, 2, 4])
    np.testing.assert_array_equal(begun.alphas[[0, -1]], [first, model.mask.alpha().numpy()])
    np.savez(path, steps=[0, 2, 4, 6, 8], alphas=np.concatenate([begun.alphas, np.ones((2, 3))]))  # lost since a backup
    model.fit(x, batch_size=4, epochs=3, initial_epoch=2, verbose=0, callbacks=[ki.training.MaskRecorder(path)])
    again = ki.figures.MaskTrace.read(path)
    np.testing.assert_array_equal(again.steps, [0, 2, 4, 6])
    np.testing.assert_array_equal(again.alphas[:3], begun.alphas)
    np.testing.assert_array_equal(again.alphas[3], model.mask.alpha().numpy())


def test_a_model_without_a_mask_has_no_trace_and_other_archives_are_none(vae, tmp_path):
    with pytest.raises(ValueError, match="must have a mask, as 'mask_aae' has. Received: VAE"):
        vae.fit(X, verbose=0, callbacks=[ki.training.MaskRecorder(tmp_path / "mask.npz")])
    np.savez(tmp_path / "other.npz", steps=[1, 2], alphas=np.ones((3, 4)))
    with pytest.raises(ValueError, match="other.npz is not the trace of a mask"):
        ki.figures.MaskTrace.read(tmp_path / "other.npz")
    np.savez(tmp_path / "words.npz", steps=["one", "two"], alphas=[["a"], ["b"]])
    with pytest.raises(ValueError, match="words.npz is not the trace of a mask"):
        ki.figures.MaskTrace.read(tmp_path / "words.npz")


# TensorBoard's projector ---------------------------------------------------------------------------------------------


def shown(directory):
    """What TensorBoard's own plugin serves of a log directory: config, codes, metadata, sprites."""
    context = base_plugin.TBContext(
        logdir=str(directory), multiplexer=plugin_event_multiplexer.EventMultiplexer({}), assets_zip_provider=None
    )
    apps = projector_plugin.ProjectorPlugin(context).get_plugin_apps()

    def get(route):
        return Client(apps[route], Response).get("/?run=.&name=codes")

    codes = np.frombuffer(get("/tensor").data, "float32")
    return get("/info").json, codes, get("/metadata").get_data(as_text=True).splitlines(), get("/sprite_image").data


def test_tensorboards_projector_reads_the_codes_with_their_images(vae, tmp_path):
    callback = ki.training.Projector(X, tmp_path, LABELS, seed=2)
    vae.fit(X, batch_size=12, verbose=0, callbacks=[callback])
    config, codes, about, sprites = shown(tmp_path)
    (embedding,) = config["embeddings"]
    assert embedding["tensorShape"] == [24, 2] and embedding["sprite"]["singleImageDim"] == [32, 32]
    expected = np.concatenate([vae.encode(X, seed=2), vae.endpoints.codes_of_samples(12, 2).numpy()])
    np.testing.assert_allclose(codes.reshape(24, 2), expected, rtol=1e-6)
    assert about[:3] == ["from\tlabel", "data\t0", "data\t1"] and about[13] == "sample\t"
    (tmp_path / "copy.png").write_bytes(sprites)
    sheet = np.asarray(Image.open(tmp_path / "copy.png"))
    assert sheet.shape == (5 * 32, 5 * 32)
    np.testing.assert_allclose(sheet[32:64:8, 64:96:8] / 255, X[7, ..., 0], atol=1 / 255)
    np.testing.assert_allclose(sheet[64:96:8, 64:96:8] / 255, vae.sample(12, 2)[0, ..., 0], atol=1 / 255)


@pytest.mark.slow
def test_vectors_are_points_without_images_and_classes_are_named(tmp_path):
    model = ki.create("vae", (3,), 2, width=2, classes=3)
    model.compile(run_eagerly=True)
    x = np.zeros((6, 3), "float32")
    callback = ki.training.Projector((x, np.array([0, 1, 2, -1, 0, 1])), tmp_path, every=2)  # of the last epoch
    model.fit(x, np.zeros(6, int), verbose=0, callbacks=[callback])
    about = (tmp_path / "codes_metadata.tsv").read_text().splitlines()
    assert about[:5] == ["from\tclass", "data\t0", "data\t1", "data\t2", "data\t-1"]
    assert [line.partition("\t")[2] for line in about[7:]] == [str(label) for label in model.sample_labels(6, 0)]
    assert "sprite" not in (tmp_path / "projector_config.pbtxt").read_text()


@pytest.mark.parametrize("shape", [(1, 300, 1), (600, 4, 1), (32, 32, 3), (5000, 5000, 3), (7,)])
def test_a_sheet_of_the_projector_holds_its_images_of_any_shape(shape):
    rows = projector.most_rows(shape)
    assert rows > 0 or max(shape) > projector.LARGEST / 2
    if len(shape) == 3 and rows:
        side = projector._columns(rows) * max(shape[:2]) * projector._scale(shape)
        assert side <= projector.LARGEST


def test_what_the_projector_cannot_show_is_said_before_training(vae, tmp_path):
    cases = [
        (ki.create("gan", (4, 4, 1), 2, networks="mlp", width=2), X, None, "must have an encoder. Received: GAN"),
        (vae, X, LABELS[:5], r"`labels` must be of shape \(12,\). Received: \(5,\) for 'label'"),
        (vae, np.zeros((projector.most_rows((4, 4, 1)) + 1, 4, 4, 1), "float32"), None, "must have at most 32768 rows"),
    ]
    for model, data, labels, message in cases:
        callback = ki.training.Projector(data, tmp_path, labels)
        callback.set_model(model)
        with pytest.raises(ValueError, match=message):
            callback.on_train_begin()
    assert not list(tmp_path.iterdir())


# Films ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["gif", "png", "apng"])
def test_a_film_shows_the_pictures_in_order_and_stays_on_the_last(pictures, suffix):
    film = pictures / f"film.{suffix}"
    ki.training.save_film(pictures, film, fps=5)
    frames, durations = frames_of(film)
    assert durations == (200, 200, 2000) and {frame.shape for frame in frames} == {(62, 46)}
    np.testing.assert_allclose([frame[20, 20] / 255 for frame in frames], [0.2, 0.4, 1.0], atol=0.01)
    assert all(frame[46:].min() < 128 for frame in frames), "each has its epoch below"


def test_a_caption_may_name_a_path_that_is_no_text(tmp_path):
    save_grid(tmp_path / "a.png", X[:1], caption="runs/\udcff: samples")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["Description"] == "runs/?: samples"


def test_a_picture_with_a_caption_gets_no_second_one_in_a_film(tmp_path):
    for epoch in (1, 2):
        save_grid(tmp_path / f"samples-{epoch:04d}.png", np.ones((4, 5, 5, 1)), 4, caption=f"{epoch} epochs")
    ki.training.save_film(tmp_path, tmp_path / "film.png")
    frames, _ = frames_of(tmp_path / "film.png")
    for epoch, frame in enumerate(frames, 1):
        with Image.open(tmp_path / f"samples-{epoch:04d}.png") as picture:
            assert picture.info["Description"] == f"{epoch} epochs"
            drawn = np.asarray(picture)
        np.testing.assert_array_equal(frame[: drawn.shape[0], : drawn.shape[1]], drawn)
        assert frame.shape[0] - drawn.shape[0] in (0, 1)  # films have even sides


def test_sample_grid_leaves_a_film(vae, tmp_path):
    grid = ki.training.SampleGrid(tmp_path / "grids", count=4, film=tmp_path / "film.gif")
    vae.fit(X, batch_size=12, epochs=2, verbose=0, callbacks=[grid])
    assert len(list(frames_of(tmp_path / "film.gif"))[0]) == 2
    early = ki.training.SampleGrid(tmp_path / "none", every=5, film=tmp_path / "none.gif")
    early.set_model(vae)
    with pytest.warns(match="there is no picture yet"):
        early.on_train_end()
    assert not (tmp_path / "none.gif").exists()


def test_pictures_of_several_sizes_have_room_in_one_film(pictures):
    save_grid(pictures / "samples-0011.png", np.ones((2, 5, 5, 1)), 2, scale=9)
    ki.training.save_film(pictures, pictures / "film.gif")
    assert {frame.shape for frame in list(frames_of(pictures / "film.gif"))[0]} == {(62, 92)}


def test_what_is_no_film_is_said_and_nothing_is_written(pictures, monkeypatch):
    empty = pictures / "empty"
    empty.mkdir()
    cases = [
        ((empty, "f.gif"), ValueError, "no pictures of training in .*empty, such as samples-0001.png"),
        ((pictures, "f.avi"), ValueError, r"ends in .gif, .png, .apng, .mp4. Received: path=f.avi"),
        ((pictures, "f.gif", "sample"), ValueError, "one of 'reconstructions', 'samples'. .* Did you mean 'samples'"),
        ((pictures, "f.gif", "samples", 0), ValueError, "`fps` must be in"),
    ]
    monkeypatch.chdir(empty)
    monkeypatch.setitem(sys.modules, "imageio", None)
    for arguments, kind, message in [*cases, ((pictures, "f.mp4"), RuntimeError, r"pip install 'keras_ijae\[film\]'")]:
        with pytest.raises(kind, match=message):
            ki.training.save_film(*arguments)
    with pytest.raises(RuntimeError, match="film"):
        ki.training.SampleGrid(pictures, film="f.mp4")  # before training, not after it
    (pictures / "samples-0004.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="samples-0004.png is not a picture"):
        ki.training.save_film(pictures, "f.gif")
    assert not list(empty.iterdir())


@pytest.mark.slow
@needs("imageio", "imageio_ffmpeg")
def test_an_mp4_holds_every_picture_and_the_last_for_two_seconds(pictures):
    import imageio_ffmpeg

    ki.training.save_film(pictures, path := pictures / "film.mp4", fps=5)
    # not by imageio's reader, which leaves pipes open
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    read = subprocess.run(command, capture_output=True, check=True).stdout
    frames = np.frombuffer(read, np.uint8).reshape(-1, 62, 46, 3)
    assert len(frames) == 2 + 10
    np.testing.assert_allclose(frames[:3, 20, 20, 0] / 255, [0.2, 0.4, 1.0], atol=0.05)
