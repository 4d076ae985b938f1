"""Who may ask: on this machine's own address, pages of this machine; elsewhere, who knows the token."""

import secrets
from collections.abc import Collection

import flask

LOCAL = ("127.0.0.1", "localhost", "[::1]")
PARAMETER, LARGEST_BODY = "token", 2**22
"""A lasso sends some 120 bytes for each point."""


def guarded(token: str | None, cookie: str, names: Collection[str] = ()) -> flask.Flask:
    """An application that answers a request of those alone who may ask, with 403 otherwise.

    Args:
        token: what each request must show, in the address, which sets a cookie, or then by the cookie. None: requests
            must be for this machine by name, so that no foreign page asks through a name of its own that leads here.
        cookie: its name; cookies are those of a machine, whatever the port.
        names: by which this machine may be asked too, where there is no token.
    """
    server = flask.Flask("keras_ijae.explorer")
    server.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    @server.before_request
    def check():
        request = flask.request
        if token is None:
            return None if _named(request.host) in {*LOCAL, *names} else flask.abort(403)
        if _same(request.args.get(PARAMETER, ""), token):
            answer = flask.redirect(request.path)
            answer.set_cookie(cookie, token, httponly=True, samesite="Lax")
            return answer
        return None if _same(request.cookies.get(cookie, ""), token) else flask.abort(403)

    return server


def _named(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _same(received: str, token: str) -> bool:
    return secrets.compare_digest(received.encode(), token.encode())
