"""A server for the tests of downloads; it misbehaves as a test tells it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """It answers each path with a function; ``seen`` has the paths and headers of the requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.replies: dict[str, Reply] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()  # it is set at the end of the test, so that stalled answers end
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                try:
                    web.replies[self.path](self)
                except OSError:  # the client has hung up
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:  # a client that refuses our certificate
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.scheme = "https" if context else "http"

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[dict[str, str]]:
        return [headers for where, headers in self.seen if where == path]


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    web = Web(context)
    thread = threading.Thread(target=web.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        web.over.set()
        web.server.shutdown()
        web.server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes = b"") -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def whole(body: bytes, media_type: str = "audio/mpeg", **headers: str) -> Reply:
    """Send the body with its length."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: send(
        handler, 200, {"Content-Type": media_type, "Content-Length": str(len(body)), **named}, body
    )


def redirect(location: str, status: int = 302) -> Reply:
    return lambda handler: send(handler, status, {"Location": location, "Content-Length": "0"})


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def resumable(body: bytes, cuts: list[int], etag: str = '"one"', **quirks: bool) -> Reply:
    """It serves Range and If-Range; the n-th answer breaks off after ``cuts[n]`` bytes."""
    left = list(cuts)

    def reply(handler: BaseHTTPRequestHandler) -> None:
        begin = 0
        wanted, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
        headers = {"Content-Type": "audio/mpeg", "ETag": etag}
        if wanted and condition == etag and not quirks.get("ignores_range"):
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
            shift = 1 if quirks.get("wrong_part") else 0
            headers["Content-Range"] = f"bytes {begin + shift}-{len(body) - 1}/{len(body)}"
        headers["Content-Length"] = str(len(body) - begin)
        handler.send_response(206 if begin else 200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        cut = left.pop(0) if left else len(body)
        handler.wfile.write(body[begin : begin + cut])
        if begin + cut < len(body):
            hang_up(handler)

    return reply
