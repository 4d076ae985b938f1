"""The explorer: what its panels compute, who may ask, and the page in a browser, clicked through."""

import contextlib
import http.client
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from browser import chromium  # noqa: F401
from command import run
from PIL import Image
from werkzeug.datastructures import Headers

import keras_ijae as ki
from keras_ijae.explorer import Space, listening, views
from keras_ijae.explorer.axes import REACH, STEP
from keras_ijae.explorer.guard import guarded
from keras_ijae.figures.plane import plane
from keras_ijae.training import Recipe, RunDirectory, get_recipe
from keras_ijae.training.trainer import train, versions

ROOT = Path(__file__).resolve().parents[1]
NASTY = "<script>alert(1)<img src=x onerror=alert(1)>"
RECIPE = Recipe(system="vae", dataset="digits", latent_dim=3, width=4, batch_size=450, epochs=2)


@pytest.fixture(scope="module")
def digits():
    return next(ki.datasets.load("digits", "test", batch_size=90, labels=True).as_numpy_iterator())


@pytest.fixture(scope="module")
def space(digits):
    """A VAE that has not learned anything, with 90 held-out digits."""
    model = ki.create("vae", data_shape=(8, 8, 1), latent_dim=3, networks="mlp", width=4, seed=1)
    return Space(model, *digits, NASTY, samples=70)


# What the panels compute ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["principal", "active"])
def test_a_slider_moves_its_direction_and_nothing_else_of_the_code(space, kind):
    axes, code = space.axes[kind], space.codes[5]
    values = axes.shown(code)
    np.testing.assert_array_equal(axes.moved(code, values), code)
    values[1] += 1.5 if values[1] < 0 else -1.5
    moved = axes.positions(axes.moved(code, values))
    expected = axes.positions(code)
    expected[1] = values[1]
    np.testing.assert_allclose(moved, expected, atol=1e-9)


def test_codes_that_sliders_move_off_the_sticks_are_decoded_as_weights(digits):
    model = ki.create("stick_vae", data_shape=(8, 8, 1), latent_dim=4, networks="mlp", width=4)
    space = Space(model, digits[0], samples=70)
    axes, code = space.axes["active"], space.codes[5]
    moved = axes.moved(code, axes.shown(code) + [REACH, -REACH, 0, 0])
    weights = np.maximum(moved, 0) / np.maximum(moved, 0).sum()
    assert abs(moved.sum() - 1) > 1e-3
    np.testing.assert_allclose(space.decode(moved[None]), model.decode(weights[None].astype("float32")), atol=1e-5)


def test_a_code_beyond_the_sliders_ends_stays_there_until_its_own_slider_moves(space):
    axes = space.axes["principal"]
    code = axes.mean + 7 * axes.deviations[0] * axes.directions[0]
    values = axes.shown(code)
    assert values[0] == REACH
    values[2] = 1.0
    np.testing.assert_allclose(axes.positions(axes.moved(code, values)), [7, 0, 1], atol=1e-6)
    values[0] = REACH - STEP
    np.testing.assert_allclose(axes.positions(axes.moved(code, values)), [REACH - STEP, 0, 1], atol=1e-6)


def test_the_mean_of_a_selection_is_decoded_before_its_images(space, digits):
    view = views.selected(space, ["data 3", "data 8", "sample 0 2"], None)
    codes = np.stack([space.codes[3], space.codes[8], space.drawn(0)[2]])
    np.testing.assert_allclose(view.codes, [codes.mean(axis=0), *codes])
    np.testing.assert_allclose(view.images[0], space.model.decode(codes.mean(axis=0)[None])[0], atol=1e-6)
    np.testing.assert_array_equal(view.images[1:3], digits[0][[3, 8]])
    np.testing.assert_allclose(view.images[3], space.model.sample(3, 0)[2], atol=1e-5)


def test_a_selection_is_decoded_as_its_most_frequent_label_and_shows_data_first(digits):
    model = ki.create("vae", data_shape=(8, 8, 1), latent_dim=2, networks="mlp", width=4, classes=10)
    space = Space(model, *digits, samples=70)
    ones = [f"data {index}" for index in np.flatnonzero(digits[1] == 1)]
    samples = [key for key in space.keys(0) if space.label(key) not in (1, 2)][: views.MOST + 5]
    zeros = [key for key in samples if space.label(key) == 0]
    keys = [*samples, *ones * 8]
    view = views.selected(space, keys, None)
    assert len(zeros) < 8 * len(ones) and "decoded as label 1, " in view.text
    assert view.keys[1:4] == ones[:3]


def test_a_way_leads_from_the_point_before_the_last_to_the_last(space, digits):
    view = views.way(space, ["data 1", "data 2", "data 4"][-2:], "linear", None)
    np.testing.assert_array_equal(view.images[[0, -1]], digits[0][[2, 4]])
    np.testing.assert_allclose(view.codes[5], (space.codes[2] + space.codes[4]) / 2)
    np.testing.assert_allclose(view.images[5], space.model.decode(view.codes[5:6])[0], atol=1e-6)


def test_attributes_are_added_and_removed(space, digits):
    labels, code = digits[1], space.codes[0]
    view = views.arithmetic(space, code, -1, "label 3", "label 5", [])
    expected = ki.figures.class_directions(space.codes, labels)
    np.testing.assert_allclose(view.codes[-1], code + 2 * (expected["3"] - expected["5"]))
    np.testing.assert_allclose(view.images[0], space.model.decode(code[None])[0], atol=1e-6)
    assert view.text.endswith("where an attribute is the mean code with it minus that without it.")
    both = views.arithmetic(space, code, -1, views.SELECTION, "label 3", ["data 1", "data 2"])
    assert both.text.endswith("without it, and the selection is its mean code minus that of all data.")
    chosen = views.arithmetic(space, code, -1, views.SELECTION, None, ["data 1", "data 2"])
    assert chosen.text.endswith("where the selection is its mean code minus that of all data.")
    np.testing.assert_allclose(chosen.codes[4], code + space.codes[1:3].mean(axis=0) - space.codes.mean(axis=0))


def test_samples_of_a_seed_are_those_of_the_model(space):
    view = views.samples(space, 4, None)
    np.testing.assert_allclose(view.images, space.model.sample(70, 4)[: views.MOST], atol=1e-5)
    saved = np.load(io.BytesIO(views.npz(view)))
    np.testing.assert_allclose(space.model.decode(saved["codes"]), saved["images"], atol=1e-5)


def test_a_conditional_model_without_an_encoder_is_shown_by_its_samples():
    model = ki.create("gan", data_shape=(8, 8, 1), latent_dim=2, networks="mlp", width=4, classes=10)
    space = Space(model, samples=20)
    assert space.keys() == [] and space.directions == {}
    np.testing.assert_allclose(views.samples(space, 1, None).images, model.sample(20, 1), atol=1e-5)
    np.testing.assert_allclose(views.samples(space, 1, 7).images, model.sample(20, 1, labels=7), atol=1e-5)
    code = space.drawn(0)[0]
    np.testing.assert_allclose(views.here(space, code, 7).images, model.decode(code[None], labels=7), atol=1e-5)
    assert views.selected(space, ["sample 0 1"], 4).text.count("as label 4") == 1


def test_a_code_of_one_dimension_has_one_place_in_the_plane():
    codes = np.random.default_rng(0).normal(size=(500, 1))
    places = plane(codes).of(codes)
    np.testing.assert_array_equal(plane(codes).of(codes[7:9]), places[7:9])
    assert np.ptp(places[:, 1]) > 1.9 and abs(np.corrcoef(places.T)[0, 1]) < 0.15


# Who may ask ------------------------------------------------------------------------------------------------


def test_on_this_machine_no_foreign_name_leads_to_the_page():
    client = answering(None)
    assert client.get("/", base_url="http://127.0.0.1:80").status_code == 200
    assert client.get("/", base_url="http://localhost:8050").status_code == 200
    assert client.get("/", base_url="http://evil.example:8050").status_code == 403
    assert client.get("/", base_url="http://127.0.0.2:8050").status_code == 403
    assert answering(None, ["127.0.0.2"]).get("/", base_url="http://127.0.0.2:8050").status_code == 200


def test_elsewhere_each_request_needs_the_token():
    client = answering("secret")
    assert client.get("/").status_code == client.post("/").status_code == 403
    for wrong in ("/?token=", "/?token=secre", "/?token=s%C3%A9cret"):
        assert client.get(wrong).status_code == 403
    assert client.get("/", headers=Headers({"Cookie": "own=wrong"})).status_code == 403
    let_in = client.get("/?token=secret")
    assert let_in.status_code == 302 and "secret" not in let_in.location
    assert client.get("/").status_code == client.post("/").status_code == 200  # by the cookie
    assert all(part in let_in.headers["Set-Cookie"] for part in ("HttpOnly", "SameSite=Lax"))


def answering(token, names=()):
    """A client of an application that answers whoever may ask."""
    server = guarded(token, "own", names)
    server.add_url_rule("/", view_func=lambda: "here", methods=["GET", "POST"])
    return server.test_client()


@contextlib.contextmanager
def served(space, host="127.0.0.1"):
    with listening(space, host, 0) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


def test_a_page_that_others_can_reach_is_served_to_those_with_its_token_alone(space):
    with served(space, "0.0.0.0") as server:
        port, token = server.url.partition("/?token=")[0].rpartition(":")[2], server.url.partition("/?token=")[2]
        assert len(token) > 30
        for path, body in (("/", None), ("/_dash-layout", None), ("/_dash-update-component", "{}")):
            assert status(port, path, body) == 403
        assert status(port, "/_dash-layout", None, f"keras_ijae_{port}={token}") == 200


def status(port, path, body, cookie=""):
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    connection.request("GET" if body is None else "POST", path, body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


# Bad input --------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_and_a_host_of_others_are_named(space):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"`port` must be free at 127.0.0.1. Received: {port}"):
            listening(space, port=port).__enter__()
    with pytest.raises(ValueError, match="`host` must be an address of this machine. Received: nowhere.invalid"):
        listening(space, "nowhere.invalid", 0).__enter__()
    with pytest.raises(ValueError, match="`host` must be an address of this machine. Received: 192.0.2.7"):
        listening(space, "192.0.2.7", 0).__enter__()


def test_what_cannot_be_shown_is_refused(space, digits):
    vectors = ki.create("ae", data_shape=(4,), latent_dim=2, networks="mlp", width=4)
    with pytest.raises(ValueError, match=r"shows images. Received: a model of vectors of shape \(4,\)"):
        Space(vectors, np.zeros((9, 4)))
    with pytest.raises(ValueError, match="at least 2 images. Received: 1"):
        Space(space.model, digits[0][:1])
    with pytest.raises(ValueError, match=r"`labels` must have one for each of 90 images. Received: 'label' of shape"):
        Space(space.model, digits[0], digits[1][:3])
    with pytest.raises(ValueError, match="codes that differ"):
        Space(ki.create("ae", data_shape=(8, 8, 1), latent_dim=2, networks="mlp", width=4), digits[0][[0, 0]])


def test_runs_that_cannot_be_shown_are_errors_of_one_line(tmp_path, capsys):
    unfinished = RunDirectory(tmp_path / "unfinished")
    unfinished.path.mkdir()
    unfinished.write_recipe(RECIPE, versions())
    (tmp_path / "foreign").mkdir()
    wrong = {"missing": "Nothing exists at", "foreign": "There is no model at", "unfinished": "Training is not done"}
    for name, words in wrong.items():
        assert run("explore", tmp_path / name) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line


def test_without_dash_the_error_names_the_extra(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "dash", None)
    assert run("explore", tmp_path) == 2
    assert "needs dash: pip install 'keras_ijae[explore]'" in capsys.readouterr().err


# In a browser -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of the page of a conditional VAE that has begun to learn, in a directory named as a tag."""
    path = tmp_path_factory.mktemp("runs") / NASTY
    train(RECIPE.but(classes=10, epochs=10, width=16, learning_rate=0.02, every=10), RunDirectory(path))
    with explored(path) as found:
        yield found


@contextlib.contextmanager
def explored(path):
    """The address of a run's page, by the command; it ends with Ctrl-C."""
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # if it is ignored here
    program += "from keras_ijae_cli import main; main(sys.argv[1:])"
    call = [sys.executable, "-c", program, "explore", str(path), "--port", "0", "-n", "90"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            said = process.stderr.readline()
            found = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/)\n", said)
            assert found, said
            assert process.stderr.readline() == "Ctrl-C stops it.\n"
            yield found[1]
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=20)[1] == "Stopped.\n" and process.returncode == 0
        finally:
            process.kill()


@pytest.fixture
def opened(chromium, address):  # noqa: F811
    """The page, anew."""
    chromium.open(address, 1280, 1500)
    drawn(chromium)
    yield chromium
    assert chromium.complaints() == []


def drawn(browser):
    browser.wait("document.querySelectorAll('#samples img').length == 60 && document.querySelector('#plane .point')")
    browser.wait("document.querySelector('#image').src && document.querySelector('#here-text').innerText")


def first_points(browser):
    """Those of the data with label 0, in the plane."""
    return browser.driver.find_elements("css selector", "#plane .scatterlayer .trace:nth-child(2) .point")


def pictures(panel, least=1):
    """A condition: the addresses of a panel's pictures, when there are so many."""
    return f"(u => u.length >= {least} && u)([...document.querySelectorAll('#{panel} img')].map(i => i.src))"


def text(browser, panel):
    return browser.run(f"return document.getElementById('{panel}').innerText")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_fits_shows_its_pictures_and_asks_nobody_else(chromium, address, width, scheme):  # noqa: F811
    chromium.open(address, width, scheme=scheme)
    drawn(chromium)
    assert chromium.undecoded() == [] and not chromium.is_too_wide() and chromium.complaints() == []
    assert all(asked.startswith((address, "data:")) for asked in chromium.requests())
    assert text(chromium, "title") == NASTY


@pytest.mark.slow
def test_hover_shows_an_image_and_clicks_pick_two_with_the_way_between_them(opened):
    start = opened.run("return document.querySelector('#image').src")
    one, *_, other = first_points(opened)
    opened.hover(one)
    assert "label 0" in opened.wait(
        "document.querySelector('#hover img') && document.querySelector('#hover').innerText"
    )
    opened.click(one)
    opened.wait(pictures("way", 11))
    before = opened.wait("document.querySelector('#way p').innerText")
    opened.click(other)
    opened.wait(f"document.querySelector('#way p').innerText != '{before}'")
    assert len(set(opened.wait(pictures("way", 11)))) > 5
    assert opened.run("return document.querySelector('#image').src") != start
    opened.click(opened.driver.find_element("css selector", "#samples button:nth-child(5)"))
    opened.wait("document.querySelector('#way p').innerText.includes('to sample 4 of seed 0')")
    opened.click(other)  # which was the last in the plane
    opened.wait("document.querySelector('#way p').innerText.includes('From sample 4 of seed 0')")


@pytest.mark.slow
def test_the_demos_run_is_looked_at_picked_from_and_steered(chromium, tmp_path):  # noqa: F811
    train(get_recipe("ijae_digits").but(epochs=2, every=2), RunDirectory(tmp_path / "demo"))
    with explored(tmp_path / "demo") as found:
        chromium.open(found, 1280, 1500)
        drawn(chromium)
        one = first_points(chromium)[0]
        chromium.hover(one)
        chromium.wait("document.querySelector('#hover img')")
        chromium.click(one)
        chromium.wait(pictures("way", 11))
        before = chromium.wait("document.querySelector('#way p').innerText")
        chromium.click(first_points(chromium)[-1])
        chromium.wait(f"document.querySelector('#way p').innerText != '{before}'")
        assert len(set(chromium.wait(pictures("way", 11)))) > 2
        before = chromium.run("return document.querySelector('#image').src")
        chromium.drag(chromium.driver.find_element("css selector", "[role=slider]"), *[(30, 0)] * 3, pause=0.3)
        chromium.wait(f"document.querySelector('#image').src != '{before}'")
        assert chromium.complaints() == []


@pytest.mark.slow
def test_a_lasso_shows_what_is_in_it_with_the_mean_and_is_an_attribute(opened):
    square = (150, 0), (0, 150), (-150, 0), (-150, 0), (0, -150), (0, -150), (150, 0)
    opened.drag(opened.driver.find_element("css selector", "#plane .nsewdrag"), *square)
    count = len(opened.wait(pictures("selected", 3)))
    assert int(re.search(r"The mean of (\d+) codes, decoded as label \d", text(opened, "selected"))[1]) >= count - 1
    opened.choose("added", "the selection")
    opened.choose("removed", "label 3")
    opened.wait("document.querySelector('#arithmetic p').innerText.includes('+ the selection \u2212 label 3')")
    assert len(set(opened.wait(pictures("arithmetic", 9)))) > 4


@pytest.mark.slow
def test_the_image_follows_a_slider_while_it_is_dragged_and_the_class(opened):
    opened.run("""window.seen = []; const image = document.querySelector('#image');
        new MutationObserver(() => seen.push(image.src)).observe(image, {attributes: true})""")
    thumb = opened.driver.find_element("css selector", "[role=slider]")
    opened.drag(thumb, *[(30, 0)] * 5, pause=0.3)
    assert opened.wait("window.seen.length > 3 && window.seen.length")
    opened.choose("class", "7")
    opened.wait("document.querySelector('#here-text').innerText == 'Decoded as label 7.'")
    axes = opened.driver.find_element("xpath", "//label[contains(., 'most active')]")
    opened.click(axes)
    assert opened.wait("(t => t.includes('nats') && t)(document.querySelector('#sliders').innerText)").count("z") == 3


@pytest.mark.slow
def test_sampling_again_draws_others_and_what_is_seen_is_saved(opened, tmp_path):
    before = opened.wait(pictures("samples", 60))
    opened.click(opened.driver.find_element("id", "again"))
    opened.wait("document.querySelector('#samples p').innerText.includes('seed 1')")
    assert opened.wait(pictures("samples", 60)) != before
    opened.save_in(tmp_path)
    for kind in ("png", "npz"):
        opened.click(opened.driver.find_element("id", f"samples-{kind}"))
    for _ in range(100):
        if {path.name for path in tmp_path.iterdir()} == {"samples.png", "samples.npz"}:
            break
        time.sleep(0.1)
    saved = np.load(tmp_path / "samples.npz")
    assert saved["images"].shape == (60, 8, 8, 1) and saved["codes"].shape == (60, 3)
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.size == (8 * 56 + 7 * 2,) * 2
