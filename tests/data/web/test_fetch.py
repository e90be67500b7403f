import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.data.web import server as w
from triforce_tts.data.web import fetch
from triforce_tts.data.web.fetch import download
from triforce_tts.errors import AudioError
from triforce_tts.web import request
from triforce_tts.web.names import stem_of
from triforce_tts.web.request import FetchConfig

MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" + bytes(range(256)) * 400  # 100 kB that begin like mp3
QUICK = {
    "allow_private": True, "delay_s": 0.0, "retry_wait_s": 0.01, "connect_timeout_s": 2.0, "read_timeout_s": 1.0,
    "rate_window_s": 0.5, "max_bytes": 1_000_000,
}  # fmt: skip


def config(**changed: object) -> FetchConfig:
    return FetchConfig(**{**QUICK, **changed})  # type: ignore[arg-type]


@pytest.fixture
def web() -> Iterator[w.Web]:
    with w.serving() as serving:
        yield serving


def get(web: w.Web, reply: w.Reply, folder: Path, **changed: object) -> fetch.Fetched:
    web.replies["/a.mp3"] = reply
    return download(web.url("/a.mp3"), folder, config(**changed))


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.glob("*.mp3")) if folder.exists() else []


def test_a_file_arrives_whole_with_what_is_known_of_it(web: w.Web, tmp_path: Path) -> None:
    found = get(web, w.whole(MP3, ETag='"x"'), tmp_path)
    assert Path(found.path).read_bytes() == MP3
    assert Path(found.path).suffix == ".mp3"
    assert (found.length, found.etag) == (len(MP3), '"x"')
    assert found.sha256 == hashlib.sha256(MP3).hexdigest()
    (asked,) = web.asked("/a.mp3")
    assert "triforce-tts" in asked["user-agent"]
    assert asked["accept-encoding"] == "identity"


def test_what_has_not_changed_is_not_sent_again(web: w.Web, tmp_path: Path) -> None:
    first = get(web, w.whole(MP3, ETag='"x"'), tmp_path)
    again = get(web, lambda handler: w.send(handler, 304, {"ETag": '"x"'}), tmp_path)
    assert web.asked("/a.mp3")[1]["if-none-match"] == '"x"'
    assert again.sha256 == first.sha256
    other = MP3 + b"more"
    assert get(web, w.whole(other, ETag='"y"'), tmp_path).sha256 == hashlib.sha256(other).hexdigest()


def test_a_broken_transfer_goes_on_where_it_stopped(web: w.Web, tmp_path: Path) -> None:
    found = get(web, w.resumable(MP3, [30_000, 40_000]), tmp_path)
    assert Path(found.path).read_bytes() == MP3
    assert [asked.get("range") for asked in web.asked("/a.mp3")] == [None, "bytes=30000-", "bytes=70000-"]
    assert all(asked["if-range"] == '"one"' for asked in web.asked("/a.mp3")[1:])


@pytest.mark.parametrize("quirk", ["ignores_range", "wrong_part"])
def test_a_server_that_answers_another_part_spoils_nothing(web: w.Web, tmp_path: Path, quirk: str) -> None:
    found = get(web, w.resumable(MP3, [30_000], **{quirk: True}), tmp_path)
    assert Path(found.path).read_bytes() == MP3


def test_a_file_that_changed_between_two_tries_is_not_a_mixture(web: w.Web, tmp_path: Path) -> None:
    other = MP3[:10] + bytes(90_000)
    replies = iter([w.resumable(MP3, [30_000]), w.resumable(other, [], etag='"two"')])
    found = get(web, lambda handler: next(replies)(handler), tmp_path)
    assert Path(found.path).read_bytes() == other


def test_a_transfer_that_never_ends_well_is_told_and_can_go_on(web: w.Web, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="tried 2 times"):
        get(web, w.resumable(MP3, [10_000, 10_000]), tmp_path, retries=1)
    assert left_behind(tmp_path) == []
    assert Path(get(web, w.resumable(MP3, []), tmp_path).path).read_bytes() == MP3
    assert web.asked("/a.mp3")[-1]["range"] == "bytes=20000-"


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/a.mp3", "gopher://x/", "http://user:word@127.0.0.1/a.mp3"]
)
def test_redirects_lead_only_to_the_web(web: w.Web, tmp_path: Path, location: str) -> None:
    with pytest.raises(AudioError) as caught:
        get(web, w.redirect(location), tmp_path)
    assert "user:word" not in str(caught.value)
    assert left_behind(tmp_path) == []


def test_a_redirect_to_a_private_address_is_refused(
    web: w.Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first host counts as public; the host to which it redirects does not."""
    real = request.is_public
    asked: list[str] = []

    def judge(address: str) -> bool:
        asked.append(address)
        return True if len(asked) == 1 else real(address)

    monkeypatch.setattr(request, "is_public", judge)
    web.replies["/b.mp3"] = w.whole(MP3)
    with pytest.raises(AudioError, match="not a public address"):
        get(web, w.redirect(web.url("/b.mp3")), tmp_path, allow_private=False)
    assert not web.asked("/b.mp3")


def test_redirects_are_followed_up_to_a_number(web: w.Web, tmp_path: Path) -> None:
    web.replies["/b.mp3"] = w.whole(MP3)
    assert get(web, w.redirect("/b.mp3"), tmp_path).length == len(MP3)
    with pytest.raises(AudioError, match="redirects"):
        get(web, w.redirect("/a.mp3"), tmp_path / "loop", max_redirects=3)


def test_the_connection_goes_to_the_address_that_was_judged(
    web: w.Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not matter if the name has another address the second time, because it is looked up only once."""
    asked: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", 0))] if host == "name.example" else real(host, *_, **__)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    web.replies["/a.mp3"] = w.whole(MP3)
    download(web.url("/a.mp3", "name.example"), tmp_path, config())
    assert asked.count("name.example") == 1
    assert web.asked("/a.mp3")[0]["host"] == f"name.example:{web.port}"


def test_sizes_are_limited_by_what_is_said_and_by_what_comes(web: w.Web, tmp_path: Path) -> None:
    def fifty_gb(handler: w.BaseHTTPRequestHandler) -> None:
        w.send(handler, 200, {"Content-Type": "audio/mpeg", "Content-Length": "50000000000"}, MP3)

    with pytest.raises(AudioError, match="max_bytes"):
        get(web, fifty_gb, tmp_path)
    sent = 0

    def endless(handler: w.BaseHTTPRequestHandler) -> None:
        nonlocal sent
        w.send(handler, 200, {"Content-Type": "audio/mpeg"})
        while not web.over.is_set():
            handler.wfile.write(MP3)
            sent += len(MP3)

    with pytest.raises(AudioError, match="max_bytes"):
        get(web, endless, tmp_path)
    assert sent < 20_000_000
    assert left_behind(tmp_path) == []


def test_a_stalling_server_is_left(web: w.Web, tmp_path: Path) -> None:
    def silent(handler: w.BaseHTTPRequestHandler) -> None:
        w.send(handler, 200, {"Content-Type": "audio/mpeg", "Content-Length": "90000"}, MP3[:100])
        web.over.wait(20)

    with pytest.raises(AudioError, match="tried 1 time;"):
        get(web, silent, tmp_path, retries=0)

    def dripping(handler: w.BaseHTTPRequestHandler) -> None:
        w.send(handler, 200, {"Content-Type": "audio/mpeg", "Content-Length": "90000"}, MP3[:100])
        while not web.over.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    with pytest.raises(AudioError, match="tried 1 time;"):
        get(web, dripping, tmp_path / "b", retries=0)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "audio/mpeg"),
        (b'{"error": "gone"}', "application/json"),
        (b'{"error": "gone"}', "audio/mpeg"),
        (b"", "audio/mpeg"),
        (b"MZ\x90\x00" + bytes(100), "application/octet-stream"),
    ],
)
def test_what_is_no_sound_is_refused(web: w.Web, tmp_path: Path, body: bytes, media_type: str) -> None:
    with pytest.raises(AudioError):
        get(web, w.whole(body, media_type), tmp_path, retries=0)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (410, 1), (500, 3), (503, 3)])
def test_errors_of_the_server(web: w.Web, tmp_path: Path, status: int, tries: int) -> None:
    with pytest.raises(AudioError, match=str(status)):
        get(web, lambda handler: w.send(handler, status, {"Content-Length": "0"}), tmp_path, retries=2)
    assert len(web.asked("/a.mp3")) == tries


def test_an_earlier_file_stands_when_the_server_is_gone(web: w.Web, tmp_path: Path) -> None:
    first = get(web, w.whole(MP3), tmp_path)
    again = get(web, lambda handler: w.send(handler, 500, {"Content-Length": "0"}), tmp_path, retries=0)
    assert again.path == first.path
    assert again.unchecked


def test_names_of_files() -> None:
    assert stem_of("https://x.org/a/Folge%2012.mp3?x=1").startswith("Folge_12-")
    assert stem_of("https://x.org/a.mp3?x=1") != stem_of("https://x.org/a.mp3?x=2")
    assert len(stem_of("https://x.org/" + "a" * 5000)) < 60
    assert stem_of("tag:x,2020:/../../etc/passwd").find("/") < 0


def test_the_notes_beside_a_file_are_json(web: w.Web, tmp_path: Path) -> None:
    get(web, w.whole(MP3, ETag='"x"'), tmp_path)
    (notes,) = tmp_path.glob("*.fetch.json")
    assert json.loads(notes.read_text())["etag"] == '"x"'


# --- servers that are odd or worse ---


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "-5", "many"])
def test_lengths_that_are_no_numbers(web: w.Web, tmp_path: Path, length: str) -> None:
    """For Python a superscript two is a digit but no integer, and integers of 5000 digits are an error."""
    headers = {"Content-Type": "audio/mpeg", "Content-Length": length, "Connection": "close"}
    fetched = get(web, lambda handler: w.send(handler, 200, headers, MP3), tmp_path / "a", retries=0)
    assert Path(fetched.path).read_bytes() == MP3
    with pytest.raises(AudioError, match="status 503"):
        get(
            web,
            lambda handler: w.send(handler, 503, {"Retry-After": length, "Content-Length": "0"}),
            tmp_path / "b",
            retries=0,
        )


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nID3.\r\n"


def drip(web: w.Web, begin: bytes, drop: bytes) -> w.Reply:
    """It sends the beginning of an answer at once, and then single bytes as long as the client listens."""

    def reply(handler: w.BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(begin)
        while not web.over.wait(0.02):
            handler.wfile.write(drop)

    return reply


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (HEAD + b"\r\nID3", b"x"),  # a body without its length
        (CHUNKS, b"0"),  # the length of a chunk never ends
        (CHUNKS + b"0\r\n", b"X-Trailer: 1\r\n"),  # the trailers never end
    ],
)
def test_no_transfer_outlasts_its_time(web: w.Web, tmp_path: Path, begin: bytes, drop: bytes) -> None:
    with pytest.raises(AudioError):
        get(web, drip(web, begin, drop), tmp_path, max_seconds=0.3, min_bytes_per_second=0.0, read_timeout_s=60.0)
    assert len(web.seen) == 1
    assert left_behind(tmp_path) == []


def test_a_body_cut_off_by_its_time_is_not_taken_for_a_whole_one(web: w.Web, tmp_path: Path) -> None:
    """If a body has no length, it ends with the connection, even if our side shut the connection."""

    def half(handler: w.BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(HEAD + b"\r\n" + MP3[:5000])
        web.over.wait(20)

    with pytest.raises(AudioError, match="max_seconds"):
        get(web, half, tmp_path, max_seconds=0.3, read_timeout_s=60.0)
    assert left_behind(tmp_path) == []


def test_a_head_that_comes_in_drops_is_left(web: w.Web, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no proper answer"):
        get(web, drip(web, HEAD + b"X-Long: ", b"x"), tmp_path, read_timeout_s=0.2, retries=0)


def test_a_redirect_in_utf8_is_read_as_such(web: w.Web, tmp_path: Path) -> None:
    web.replies["/%C3%BC.mp3"] = w.whole(MP3)
    fetched = get(web, w.redirect("/\u00fc.mp3".encode().decode("latin-1")), tmp_path)
    assert Path(fetched.path).read_bytes() == MP3


@pytest.mark.parametrize("etag", ['W/"one"', ""])
def test_without_proof_of_sameness_nothing_is_continued(web: w.Web, tmp_path: Path, etag: str) -> None:
    assert Path(get(web, w.resumable(MP3, [50_000], etag), tmp_path).path).read_bytes() == MP3
    assert [headers.get("range") for headers in web.asked("/a.mp3")] == [None, None]


def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that moves only during sleep; it records each sleep."""
    told = SimpleNamespace(now=100.0, waits=[])

    def sleep(seconds: float) -> None:
        told.waits.append(seconds)
        told.now += seconds

    for module in (fetch, request):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: told.now, sleep=sleep))
    monkeypatch.setattr(request, "_last_request", {})
    return told


def test_waits_between_tries_double_and_heed_the_server(
    web: w.Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, asked = clock(monkeypatch), iter(["", "7", "3600"])

    def reply(handler: w.BaseHTTPRequestHandler) -> None:
        w.send(handler, 503, {"Retry-After": next(asked, ""), "Content-Length": "0"})

    with pytest.raises(AudioError, match="tried 5 times"):
        get(web, reply, tmp_path, retries=4, retry_wait_s=2.0)
    assert [wait for wait in told.waits if wait] == [2.0, 7.0, 60.0, 16.0]


def test_requests_to_one_host_keep_their_distance(web: w.Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = clock(monkeypatch)
    web.replies["/b"] = w.whole(MP3)
    get(web, w.redirect("/b"), tmp_path, delay_s=5.0)
    told.now += 3.0
    get(web, w.whole(MP3), tmp_path, delay_s=5.0)
    download(web.url("/b", "localhost"), tmp_path, config(delay_s=5.0))
    assert told.waits == [0.0, 5.0, 2.0, 0.0]


def test_a_transfer_that_takes_too_long_is_told_as_such(web: w.Web, tmp_path: Path) -> None:
    """The server promised a length, so shutting the connection looks like a broken transfer."""

    def dripping(handler: w.BaseHTTPRequestHandler) -> None:
        w.send(handler, 200, {"Content-Type": "audio/mpeg", "Content-Length": "99999"}, MP3[:100])
        while not web.over.wait(0.02):
            handler.wfile.write(b"drop")
            handler.wfile.flush()

    with pytest.raises(AudioError, match=r"not complete after 0\.3 s \(max_seconds\)"):
        get(web, dripping, tmp_path, max_seconds=0.3, min_bytes_per_second=0.0)
    assert len(web.asked("/a.mp3")) == 1


# --- notes of another program ---


@pytest.mark.parametrize("name", ["../home/thesis.txt", "/etc/hostname", "..", 5])
def test_notes_that_lead_elsewhere_are_not_believed(web: w.Web, tmp_path: Path, name: object) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_bytes(MP3)
    get(web, w.whole(MP3, ETag='"x"'), tmp_path / "d")
    (notes,) = (tmp_path / "d").glob("*.fetch.json")
    notes.write_text(json.dumps({**json.loads(notes.read_text()), "path": name}))
    fetched = get(web, w.whole(MP3 + b"more"), tmp_path / "d")
    assert Path(fetched.path).parent == tmp_path / "d"
    assert (tmp_path / "home" / "thesis.txt").read_bytes() == MP3


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "null", "", '{"url": 5}', '{"path": "a.mp3"}'])
def test_damaged_notes_mean_that_it_is_fetched(web: w.Web, tmp_path: Path, text: str) -> None:
    get(web, w.whole(MP3, ETag='"x"'), tmp_path)
    (notes,) = tmp_path.glob("*.fetch.json")
    notes.write_text(text)
    (tmp_path / f".{notes.name.removesuffix('.fetch.json')}.part.json").write_text(text)
    assert Path(get(web, w.whole(MP3), tmp_path).path).read_bytes() == MP3
