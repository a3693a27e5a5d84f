"""A socket to serve on. Cheap to import: knows nothing of what is served."""

from __future__ import annotations

import errno
import socket
import sys

from rag.errors import SettingsError

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def listen_on(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port`; port 0 takes any free one.

    Raises:
        SettingsError: the port is in use or not allowed, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise SettingsError(f"Cannot listen on {host!r}, port {port}: {error}.", "Use --host 127.0.0.1.") from error
    if sys.platform != "win32":  # there the option would let two programs share the port
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen()
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            remedy = f"Choose another: footnote chat --port {port + 1 if port < 65535 else 7860}"
            raise SettingsError(f"Port {port} is in use.", remedy) from error
        raise SettingsError(
            f"Cannot listen on {host!r}, port {port}: {error.strerror}.", "Use --host 127.0.0.1 and a port above 1023."
        ) from error
    return bound
