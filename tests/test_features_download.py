"""Downloads: a good file is kept and converted once; a truncated, wrong or interrupted one leaves nothing."""

import hashlib
import http.server
import socket
import struct
import threading

import keras
import numpy as np
import pytest
from torch_files import write_torch

from keras_ijae.metrics.features import download
from keras_ijae.metrics.features.download import Source, fetch, load_downloaded
from keras_ijae.metrics.features.torch_weights import read_torch_weights

STATE = {"weight": np.arange(12, dtype=np.float32).reshape(3, 4), "bias": np.ones(3, np.float32)}


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.content` by the name in the path: good, wrong, truncated, interrupted, lost."""

    def do_GET(self):
        self.server.requests.append(self.path)
        content, kind = self.server.content, self.path.strip("/").partition("-")[0]
        if kind == "lost":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if kind == "wrong":
            content = bytes(len(content))
        if kind in ("truncated", "interrupted"):
            content = content[: len(content) // 2]
        self.wfile.write(content)
        if kind == "interrupted":
            self.wfile.flush()
            now = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)  # the other side sees a reset

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "weights.pth"
    write_torch(path, STATE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.content, server.requests = path.read_bytes(), []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An own directory for downloads, and no proxy on the way to it."""
    monkeypatch.setenv("KERAS_IJAE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "home"


@pytest.fixture
def source(server):
    """Source of a kind of file, with eight digits of the right checksum."""
    server.requests.clear()
    digits = hashlib.sha256(server.content).hexdigest()[:8]
    return lambda kind: Source(f"http://127.0.0.1:{server.server_port}/{kind}-{digits}.pth", digits)


def files(home):
    return sorted(path.name for path in home.rglob("*") if path.is_file())


def test_a_good_file_is_downloaded_once_and_kept(source, server, home):
    path = fetch(source("good"))
    assert path.read_bytes() == server.content and path.parent == home / "downloads"
    assert fetch(source("good")) == path and len(server.requests) == 1
    np.testing.assert_array_equal(read_torch_weights(path)["weight"], STATE["weight"])
    assert files(home) == [path.name]


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("truncated", OSError, "ended after"),
        ("interrupted", OSError, "failed"),
        ("lost", OSError, "404"),
        ("wrong", ValueError, "gave a file of sha256"),
    ],
)
def test_a_bad_download_leaves_nothing_and_says_what_to_do(source, home, kind, error, message):
    with pytest.raises(error, match=f"{message}.*Download it again, or fetch it elsewhere"):
        fetch(source(kind))
    assert files(home) == []


def test_an_unreachable_server_is_an_error_that_says_what_to_do(home):
    with pytest.raises(OSError, match="nothing was kept. Download it again"):
        fetch(Source("http://127.0.0.1:9/none-00000000.pth", "00000000"))
    assert files(home) == []


def test_ctrl_c_leaves_nothing(source, home, monkeypatch):
    def interrupt(url, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_download", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(source("good"))
    assert files(home) == []


@pytest.mark.parametrize("damage", [b"", b"other"])
def test_a_kept_file_that_was_changed_is_downloaded_again(source, server, damage):
    path = fetch(source("good"))
    path.write_bytes(damage)
    with pytest.warns(UserWarning, match="downloaded again"):
        assert fetch(source("good")).read_bytes() == server.content


def test_the_directory_is_kerass_own_unless_said_otherwise(monkeypatch, tmp_path):
    assert download.home() == tmp_path / "home"
    monkeypatch.delenv("KERAS_IJAE_HOME")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert download.home() == tmp_path / "keras" / "keras_ijae"
    monkeypatch.delenv("KERAS_HOME")
    assert download.home().parts[-2:] == (".keras", "keras_ijae")


# Conversion.


def _network():
    return keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)], name="small")


def _assign(network, path):
    _assign.calls += 1
    state = read_torch_weights(path)
    network.set_weights([state["weight"].T, state["bias"]])


@pytest.fixture
def loaded(source):
    """Loads the download into a new network, and says whether it was converted for that."""

    def load():
        _assign.calls, network = 0, _network()
        load_downloaded(network, source("good"), _assign)
        np.testing.assert_array_equal(network.get_weights()[0], STATE["weight"].T)
        np.testing.assert_array_equal(network.get_weights()[1], STATE["bias"])
        return bool(_assign.calls)

    return load


def test_a_download_is_converted_once(loaded, home, server):
    assert loaded()
    (converted,) = (home / "converted").iterdir()
    assert hashlib.sha256(server.content).hexdigest() in converted.name
    for path in (home / "downloads").iterdir():
        path.unlink()
    server.requests.clear()
    assert not loaded() and not server.requests


def test_a_converted_file_that_is_broken_or_anothers_is_made_again(loaded, home):
    loaded()
    (converted,) = (home / "converted").iterdir()
    good = converted.read_bytes()
    converted.write_bytes(good[: len(good) // 2])
    with pytest.warns(UserWarning, match="cannot be read"):
        assert loaded()
    other = _network()
    other.save_weights(home / "other.weights.h5")
    (home / "other.weights.h5").replace(converted)
    with pytest.warns(UserWarning, match="other weights"):
        assert loaded()
    assert not loaded() and len(list((home / "converted").iterdir())) == 1


def test_a_download_of_another_network_is_not_converted(source, home):
    def refuse(network, path):
        raise ValueError("it lacks 'fc.weight'")

    with pytest.raises(ValueError, match="fc.weight"):
        load_downloaded(_network(), source("good"), refuse)
    assert not list(home.glob("converted/*"))
