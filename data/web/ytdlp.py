"""Fetches the sound of recordings on YouTube and other sites that yt-dlp knows; yt-dlp is an optional extra.

yt-dlp makes its own connections. The limits of size and time hold for it, and the first address is checked, but its
redirects are not. Its generic extractor, which would take any page, is switched off.
"""

import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from triforce_tts.errors import AudioError
from triforce_tts.files import file_sha256, write_json
from triforce_tts.web.names import stem_of
from triforce_tts.web.request import FetchConfig, check_url

from ..common.licences import UNKNOWN_LICENSE, license_name
from .feeds import Episode
from .fetch import Fetched, Files
from .sniff import HEAD, sniff

PREFIX = "yt-dlp:"  # the user writes it before the URL of a site other than YouTube
_YOUTUBE = re.compile(r"https?://([a-z0-9-]+\.)*(youtube\.com|youtube-nocookie\.com|youtu\.be)([/?#]|$)", re.I)
# For each program: the name that yt-dlp has for it, and the name of its file.
_RUNTIMES = {"deno": "deno", "node": "node", "bun": "bun", "quickjs": "qjs"}


def is_for_ytdlp(word: str) -> bool:
    """Whether a source is a page for yt-dlp: a page of YouTube, or any URL after ``yt-dlp:``."""
    return word.startswith(PREFIX) or bool(_YOUTUBE.match(word))


def javascript_runtimes() -> dict[str, dict[str, str]]:
    """The programs on this machine in which yt-dlp can run a site's scripts; most of YouTube needs one."""
    paths = {name: shutil.which(program) for name, program in _RUNTIMES.items()}
    return {name: {"path": path} for name, path in paths.items() if path}


def list_ytdlp(url: str, config: FetchConfig) -> list[Episode]:
    """The recordings of a page: one for a video, at most ``max_episodes`` for a playlist.

    Raises:
        AudioError: yt-dlp is not installed, or finds nothing there.
    """
    options = {**_options(config), "extract_flat": "in_playlist", "skip_download": True}
    if config.max_episodes:
        options["playlist_items"] = f":{config.max_episodes}"
    info = _extract(url, options, config, download=False)
    collection = str(info.get("title") if "entries" in info else info.get("channel") or info.get("extractor_key"))
    entries = [entry for entry in info["entries"] if entry] if "entries" in info else [{**info, "url": url}]
    if not entries:
        raise AudioError(f"{url}: the page lists no recordings")
    return [
        Episode(
            url=str(entry["url"]),
            collection=collection,
            guid=str(entry.get("id") or entry["url"]),
            title=entry.get("title"),
            license=license_name(entry.get("license") or ""),
        )
        for entry in entries
    ]


def fetch_ytdlp(url: str, folder: Path, config: FetchConfig) -> Fetched:
    """Fetch the sound of one video into ``folder`` in the format of the site; a file that is there already is used.

    The id, title and licence that the site gives are written beside it into ``STEM.fetch.json``.

    Raises:
        AudioError: yt-dlp is not installed, the site gives nothing, or the file is over a limit.
    """
    stem = stem_of(url)
    files = Files(folder, stem, url)
    if earlier := files.whole():
        return earlier
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        **_options(config),
        "format": "bestaudio/best",
        "outtmpl": {"default": f"{stem}.%(ext)s"},
        "paths": {"home": str(folder)},
        "noplaylist": True,
        "playlist_items": "0",  # fetches nothing of a playlist, whose entries would all go into one file
        "progress_hooks": [_watch(url, config)],
        "match_filter": _refuse_live,
    }
    info = _extract(url, options, config, download=True)
    if "entries" in info:
        raise AudioError(f"{url}: a playlist, expected one recording; give the playlist itself")
    downloads = info.get("requested_downloads") or [{}]
    path = Path(downloads[0].get("filepath") or folder / f"{stem}.none")
    if not path.is_file():
        raise AudioError(f"{url}: nothing was downloaded: live, without sound, or over {config.max_bytes} bytes")
    with path.open("rb") as file:
        if sniff(file.read(HEAD)) is None:
            path.unlink()
            raise AudioError(f"{url}: the site gave a file that is not audio or video")
    fetched = Fetched(
        path=path.name,
        url=url,
        media_type=f"audio/{path.suffix[1:]}",
        length=path.stat().st_size,
        sha256=file_sha256(path),
        title=info.get("title"),
        license=license_name(info.get("license") or UNKNOWN_LICENSE),
    )
    write_json(files.state, asdict(fetched))
    return replace(fetched, path=str(path))


def _options(config: FetchConfig) -> dict[str, Any]:
    """The options for every call of yt-dlp; the docstring of ``yt_dlp.YoutubeDL`` explains them."""
    return {
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silent(),
        "color": "no_color",
        "cachedir": False,
        "updatetime": False,
        "overwrites": False,
        "fixup": "never",  # a fixup needs the program ffmpeg, and PyAV can read the files without it
        "allowed_extractors": ["default", "-generic"],
        "socket_timeout": config.read_timeout_s,
        "retries": config.retries,
        "fragment_retries": config.retries,
        "max_filesize": config.max_bytes,
        "sleep_interval_requests": config.delay_s,
        "js_runtimes": javascript_runtimes(),
    }


class _Silent:
    """A logger that ignores all messages: without a logger yt-dlp prints them, and it raises exceptions anyway."""

    def debug(self, message: str) -> None:
        """Nothing."""

    info = warning = error = debug


def _refuse_live(info: Mapping[str, Any], *, incomplete: bool = False) -> str | None:
    """Refuse a live stream, because it has no end."""
    return "it is live" if info.get("is_live") else None


def _watch(url: str, config: FetchConfig) -> Callable[[Mapping[str, Any]], None]:
    """A hook that yt-dlp calls during a download; it stops a download whose length the site did not announce."""
    deadline = time.monotonic() + config.max_seconds

    def hook(progress: Mapping[str, Any]) -> None:
        if (progress.get("downloaded_bytes") or 0) > config.max_bytes:
            raise AudioError(f"{url}: more than {config.max_bytes} bytes (max_bytes)")
        if time.monotonic() > deadline:
            raise AudioError(f"{url}: not complete after {config.max_seconds:g} s (max_seconds)")

    return hook


def _extract(url: str, options: Mapping[str, Any], config: FetchConfig, download: bool) -> dict[str, Any]:
    yt_dlp = _import(url)
    check_url(url, config)
    try:
        with yt_dlp.YoutubeDL(dict(options)) as downloader:
            info = downloader.extract_info(url, download=download)
    except AudioError:  # raised by our own hook
        raise
    except Exception as error:
        # yt-dlp has more than a thousand extractors, and a change of a site may break any of them.
        hint = "" if options["js_runtimes"] else "; no JavaScript runtime was found, YouTube needs one: install deno"
        reason = (str(error).splitlines() or [type(error).__name__])[0].removeprefix("ERROR: ")
        raise AudioError(f"{url}: yt-dlp says: {reason}{hint}") from error
    if not info:
        raise AudioError(f"{url}: yt-dlp finds nothing there")
    return dict(info)


def _import(url: str) -> Any:
    try:
        import yt_dlp
    except ImportError as error:
        raise AudioError(f"{url}: needs yt-dlp; install it with: pip install 'triforce-tts[youtube]'") from error
    return yt_dlp
