"""A reverse proxy as nginx is set up for a path: it takes the path off, says where it stands, and lets streams through."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-connection"}


@contextlib.contextmanager
def proxied(upstream: str, path: str) -> Iterator[tuple[str, list[str]]]:
    """Shows `upstream` under `path`; the address, and every path that was asked for outside it."""
    strays: list[str] = []
    behind = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            if self.path == path:
                self.send_response(301)
                self.send_header("Location", f"{path}/")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if not self.path.startswith(f"{path}/"):
                strays.append(self.path)
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            headers |= {"X-Forwarded-Host": self.headers["Host"], "X-Forwarded-Proto": "http"}
            connection = http.client.HTTPConnection(behind, timeout=60)
            with contextlib.closing(connection), contextlib.suppress(ConnectionError):
                connection.request(self.command, self.path.removeprefix(path), body, headers)
                self._answer(connection.getresponse())

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")  # the end of a stream is the end of its connection
            self.end_headers()
            self.close_connection = True
            while piece := answer.read1(65536):
                self.wfile.write(piece)
                self.wfile.flush()

        do_GET = do_POST = _pass_on  # noqa: N815  # the names that http.server calls

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{path}/", strays
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
