"""The real yt-dlp with an extractor of our own, which knows one site: a server in this process."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.data.web import server as w
from tests.data.web.test_fetch import MP3, config
from triforce_tts.data.raw import find as raw
from triforce_tts.data.web import ytdlp
from triforce_tts.data.web.ytdlp import fetch_ytdlp, is_for_ytdlp, list_ytdlp
from triforce_tts.errors import AudioError
from triforce_tts.web.request import FetchConfig

yt_dlp = pytest.importorskip("yt_dlp")
# If a hook stops yt-dlp, it does not close its connection; ``site`` calls the garbage collector, which closes it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
BY = "https://creativecommons.org/licenses/by/4.0/"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[w.Web]:
    """A site with /watch, /live and /list (of two videos); ``seen`` has the requests for sound."""
    from yt_dlp.extractor.common import InfoExtractor

    with w.serving() as web:
        web.replies["/s.mp3"] = web.replies["/t.mp3"] = w.whole(MP3)

        class SiteIE(InfoExtractor):  # type: ignore[misc]
            _VALID_URL = r"http://127\.0\.0\.1:\d+/(?P<id>watch|live|list)"

            def _real_extract(self, url: str) -> Any:
                def video(name: str) -> dict[str, Any]:
                    known = {"id": name, "title": f"Talk {name}", "license": BY, "channel": "A channel"}
                    return {**known, "url": web.url(f"/{name}.mp3"), "ext": "mp3", "vcodec": "none"}

                name = self._match_id(url)
                if name == "list":
                    return self.playlist_result([video("s"), video("t")], "list", "A list")
                return {**video("s"), "is_live": name == "live"}

        class WithSite(yt_dlp.YoutubeDL):  # type: ignore[misc]
            def __init__(self, params: dict[str, Any]) -> None:
                super().__init__(params, auto_init=False)
                self.add_info_extractor(SiteIE())

        monkeypatch.setattr(yt_dlp, "YoutubeDL", WithSite)
        yield web
    gc.collect()


def test_the_sound_of_a_page_is_fetched_once(site: w.Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = fetch_ytdlp(site.url("/watch"), tmp_path, config())
    assert Path(fetched.path).read_bytes() == MP3
    assert (fetched.title, fetched.license, fetched.length) == ("Talk s", "CC-BY-4.0", len(MP3))
    monkeypatch.setattr(yt_dlp, "YoutubeDL", None)  # yt-dlp is not called a second time
    assert fetch_ytdlp(site.url("/watch"), tmp_path, config()) == fetched
    assert [path for path, _ in site.seen] == ["/s.mp3"]
    assert len(list(tmp_path.iterdir())) == 2  # the sound and its notes


def test_pages_are_listed_without_a_transfer(site: w.Web) -> None:
    (one,) = list_ytdlp(site.url("/watch"), config())
    assert (one.url, one.guid, one.title, one.collection) == (site.url("/watch"), "s", "Talk s", "A channel")
    assert one.license == "CC-BY-4.0"
    listed = list_ytdlp(site.url("/list"), config())
    assert [(e.guid, e.collection) for e in listed] == [("s", "A list"), ("t", "A list")]
    assert [e.guid for e in list_ytdlp(site.url("/list"), config(max_episodes=1))] == ["s"]
    assert site.seen == []


@pytest.mark.parametrize(
    ("page", "changed", "expected", "transfers"),
    [
        ("/list", {}, "a playlist, expected one recording", 0),
        ("/live", {}, "nothing was downloaded: live", 0),
        ("/watch", {"max_bytes": 1000}, "over 1000 bytes", 1),
        ("/watch", {"max_seconds": 1e-9}, "max_seconds", 1),
        ("/watch", {"allow_private": False}, "not a public address", 0),
        ("/elsewhere", {}, "yt-dlp says: ", 0),
    ],
)
def test_what_is_refused(
    site: w.Web, tmp_path: Path, page: str, changed: dict[str, Any], expected: str, transfers: int
) -> None:
    with pytest.raises(AudioError, match=expected) as error:
        fetch_ytdlp(site.url(page), tmp_path, config(**changed))
    assert "\n" not in str(error.value)
    assert len(site.seen) == transfers
    assert not list(tmp_path.glob("*.mp3"))


def test_a_body_without_a_length_is_cut_off(site: w.Web, tmp_path: Path) -> None:
    """The site does not announce the size, so only the hook sees it."""

    def endless(handler: w.BaseHTTPRequestHandler) -> None:
        w.send(handler, 200, {"Content-Type": "audio/mpeg"})
        while not site.over.is_set():
            handler.wfile.write(MP3)

    site.replies["/s.mp3"] = endless
    with pytest.raises(AudioError, match="more than 300000 bytes"):
        fetch_ytdlp(site.url("/watch"), tmp_path, config(max_bytes=300_000))
    assert not list(tmp_path.glob("*.mp3"))


def test_what_is_no_sound_is_removed(site: w.Web, tmp_path: Path) -> None:
    site.replies["/s.mp3"] = w.whole(b"<html><p>log in</p>" * 100)
    with pytest.raises(AudioError, match="not audio or video"):
        fetch_ytdlp(site.url("/watch"), tmp_path, config())
    assert list(tmp_path.iterdir()) == []


def test_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[dict[str, Any]] = []

    class Recorder:
        def __init__(self, params: dict[str, Any]) -> None:
            given.append(params)
            raise RuntimeError("ERROR: stop here\nand a second line")

    monkeypatch.setattr(yt_dlp, "YoutubeDL", Recorder)
    monkeypatch.setattr(ytdlp.shutil, "which", lambda name: "/opt/deno" if name == "deno" else None)
    with pytest.raises(AudioError, match=r"yt-dlp says: stop here$"):
        fetch_ytdlp("https://127.0.0.1/a", tmp_path, config(retries=5, read_timeout_s=7.0))
    (options,) = given
    assert options["format"] == "bestaudio/best"
    assert options["js_runtimes"] == {"deno": {"path": "/opt/deno"}}
    assert (options["retries"], options["socket_timeout"], options["max_filesize"]) == (5, 7.0, 1_000_000)
    assert "-generic" in options["allowed_extractors"]  # the generic extractor would fetch from any address


def test_a_missing_runtime_and_a_missing_package_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ytdlp.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    told: list[str] = []
    url = "https://youtu.be/x"
    found, failures = raw.find_recordings([url], tmp_path, FetchConfig(), told.append)
    assert found == []
    assert [(failure.name, failure.reason) for failure in failures] == [
        (url, "needs yt-dlp; install it with: pip install 'triforce-tts[youtube]'")
    ]
    assert "install deno" in told[0]


def test_a_list_of_pages_becomes_sources(site: w.Web, tmp_path: Path) -> None:
    found, failures = raw.find_recordings([f"yt-dlp:{site.url('/watch')}"], tmp_path, config())
    assert failures == []
    (source,) = found
    assert (source.title, source.license, source.collection) == ("Talk s", "CC-BY-4.0", "A channel")
    assert source.url == site.url("/watch")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("https://www.youtube.com/watch?v=x", True),
        ("https://youtu.be/x", True),
        ("https://m.youtube.com", True),
        ("yt-dlp:https://vimeo.com/1", True),
        ("https://youtube.com.evil.example/x", False),
        ("https://notyoutube.com/x", False),
        ("https://a.example/youtube.com/x.mp3", False),
    ],
)
def test_which_words_are_for_ytdlp(word: str, expected: bool) -> None:
    assert is_for_ytdlp(word) is expected
