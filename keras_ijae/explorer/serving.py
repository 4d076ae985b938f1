"""The page's server."""

import contextlib
import errno
import ipaddress
import secrets
import socket
from collections.abc import Iterator

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from keras_ijae import checks
from keras_ijae.explorer.guard import PARAMETER, guarded
from keras_ijae.explorer.page import page
from keras_ijae.explorer.space import Space


class Server:
    """A page that is served while `serve` runs.

    Attributes:
        url: where the page is, with the token where one is needed.
    """

    def __init__(self, served: BaseWSGIServer, url: str) -> None:
        self._served, self.url = served, url

    def serve(self) -> None:
        """Answers until Ctrl-C, or `stop` in another thread."""
        self._served.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """Ends `serve`."""
        self._served.shutdown()


@contextlib.contextmanager
def listening(space: Space, host: str = "127.0.0.1", port: int = 8050) -> Iterator[Server]:
    """The page of a model, at an address that is taken within the block.

    Args:
        space: what is shown.
        host: the address. One that other machines can reach gets a token, new each time, which each request must have;
            what is sent is not encrypted.
        port: 0 takes one that is free.

    Raises:
        ValueError: there is no such address here, or the port is taken.
    """
    with _bound(checks.instance("host", host, str), checks.whole("port", port, 0, 65535)) as own:
        address, port = own.getsockname()[:2]
        token = None if ipaddress.ip_address(address).is_loopback else secrets.token_urlsafe()
        names = (_in_url(host), _in_url(address))
        application = page(space, guarded(token, f"keras_ijae_{port}", names))
        served = make_server(address, port, application, True, request_handler=_Quiet, fd=own.fileno())
        reached = _in_url(socket.gethostname() if ipaddress.ip_address(address).is_unspecified else host)
        query = "" if token is None else f"?{PARAMETER}={token}"
        try:
            yield Server(served, f"http://{reached}:{port}/{query}")
        finally:
            served.server_close()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *about: object) -> None:
        pass


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:  # of a name that is none
        raise ValueError(f"Argument `host` must be an address of this machine. Received: {host}. {error}") from error
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise ValueError(f"Argument `host` must be an address of this machine. Received: {host}") from error
        raise ValueError(f"Argument `port` must be free at {host}. Received: {port}. {error.strerror}") from error
