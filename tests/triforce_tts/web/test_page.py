"""One page of the web: what is fetched of it, and what of a bad server is refused in one line."""

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.web import server as w
from triforce_tts.errors import TextError
from triforce_tts.web.page import LIMITS, fetch_page
from triforce_tts.web.request import FetchConfig

PAGE = b"<html><body><p>It rained.</p></body></html>"
QUICK = LIMITS.model_copy(
    update={"allow_private": True, "retry_wait_s": 0.01, "read_timeout_s": 1.0, "max_bytes": 100_000}
)


@pytest.fixture
def web() -> Iterator[w.Web]:
    with w.serving() as server:
        yield server


def get(web: w.Web, reply: w.Reply, config: FetchConfig = QUICK) -> bytes:
    web.replies["/a"] = reply
    return fetch_page(web.url("/a"), config).content


def test_a_page_comes_whole_plain_or_packed_and_after_redirects(web: w.Web) -> None:
    assert get(web, w.whole(PAGE, "text/html; charset=latin-1")) == PAGE
    assert fetch_page(web.url("/a"), QUICK).charset == "latin-1"
    assert get(web, w.whole(gzip.compress(PAGE), "text/html", Content_Encoding="gzip")) == PAGE
    web.replies["/b"] = w.whole(PAGE, "text/html")
    assert get(web, w.redirect(web.url("/b"))) == PAGE
    replies = [w.redirect("/", 503), w.whole(PAGE, "text/html")]
    assert get(web, lambda handler: replies.pop(0)(handler)) == PAGE


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (w.whole(b"x" * 100_001, "text/html"), "more than 100000 bytes"),
        (w.whole(gzip.compress(b"x" * 100_001), "text/html", Content_Encoding="gzip"), "unpacks to more than"),
        (w.whole(PAGE, "text/html", Content_Encoding="gzip"), "cannot be unpacked"),
        (w.whole(PAGE, "text/html", Content_Encoding="br"), "compresses the page"),
        (w.whole(PAGE, "audio/mpeg"), "expected a web page"),
        (w.redirect("/a"), "redirects"),
        (w.redirect("file:///etc/passwd"), "expected a URL"),
        (lambda handler: w.send(handler, 404, {"Content-Length": "0"}), "status 404"),
        (lambda handler: w.send(handler, 500, {"Content-Length": "0"}), "status 500, tried 3 times"),
        (
            lambda handler: w.send(handler, 200, {"Content-Type": "text/html", "Content-Length": "99"}, PAGE),
            "broke off",
        ),
    ],
)
def test_a_bad_answer_is_one_line(web: w.Web, reply: w.Reply, what: str) -> None:
    with pytest.raises(TextError, match=what) as caught:
        get(web, reply)
    assert "\n" not in str(caught.value)


def test_private_addresses_are_refused_also_behind_a_redirect(web: w.Web) -> None:
    with pytest.raises(TextError, match=r"not a public address; .*--allow-private"):
        get(web, w.whole(PAGE, "text/html"), LIMITS)
    for url in ("ftp://example.org/", "http://user:pw@example.org/", "http://[::1]/", "http://169.254.169.254/"):
        with pytest.raises(TextError):
            fetch_page(url, LIMITS)


def test_a_server_that_drips_is_left_in_time(web: w.Web) -> None:
    def drip(handler: object) -> None:
        w.send(handler, 200, {"Content-Type": "text/html"})  # type: ignore[arg-type]
        while not web.over.wait(0.05):
            handler.wfile.write(b"x")  # type: ignore[attr-defined]
            handler.wfile.flush()  # type: ignore[attr-defined]

    began = time.monotonic()
    with pytest.raises(TextError, match=r"not complete after 0\.4 s"):
        get(web, drip, QUICK.model_copy(update={"max_seconds": 0.4}))
    assert time.monotonic() - began < 5
    assert not Path("x").exists()
