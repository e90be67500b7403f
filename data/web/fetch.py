"""Files from the web, fetched so that a wrong or hostile server costs one failed source and nothing more.

Every transfer has limits of size, time and speed, goes on where it was cut off, and appears under its name only when it
is whole.
"""

import hashlib
import os
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from pydantic import ConfigDict, NonNegativeInt, RootModel
from urllib3.response import BaseHTTPResponse

from triforce_tts.errors import AudioError, TriforceError
from triforce_tts.files import file_sha256, write_json
from triforce_tts.schema import FileName, Record, read_record

from .request import NETWORK, FetchConfig, Interrupted, open_url, reason_of
from .sniff import FEED, HEAD, printable_head, sniff

CHUNK = 1 << 16  # bytes read at a time
FEED_BYTES = 64 << 20  # the largest feeds hold some thousand episodes in 20 MB
LONGEST_WAIT_S = 60.0  # between two tries, whatever a server asks for
_STATE = ".fetch.json"
_LENGTH = "[0-9]{1,18}"  # bytes, in a header; Python refuses to read numbers of thousands of digits
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Fetched:
    """A whole file that came from the web, and what the server said of it."""

    path: FileName  # beside its notes there; where it is given to somebody, the whole path
    url: str  # as it was asked for, before any redirect
    media_type: str
    length: NonNegativeInt  # bytes
    sha256: str
    etag: str | None = None
    last_modified: str | None = None
    title: str | None = None  # where the site tells
    license: str | None = None
    unchecked: str = ""  # why the server could not be asked again: the file of an earlier fetch stands

    @property
    def is_feed(self) -> bool:
        """Whether it is a feed, not a recording."""
        return Path(self.path).suffix == FEED


class _Notes(RootModel[Fetched]):
    """What lies beside a whole file."""

    model_config = ConfigDict(frozen=True, strict=True)


class _PartNotes(Record):
    """What lies beside an unfinished file."""

    url: str
    validator: str


def download(url: str, folder: Path, config: FetchConfig, stem: str | None = None, feed: bool = False) -> Fetched:
    """Fetch an audio or video file into ``folder``; with ``feed``, an RSS or Atom feed is taken too.

    A file that was fetched before is fetched again only when the server says that it changed. An unfinished one goes
    on where it stopped, if the server still has the same. ``stem`` is the file's name without its suffix, by default
    made of the URL; the suffix follows from the content. Details lie beside it in ``STEM.fetch.json``.

    Raises:
        AudioError: not http(s), a private address, over a limit, not audio or video, or no answer after all tries.
        TriforceError: the disk is full or the folder cannot be written.
    """
    files = Files(folder, stem or stem_of(url), url)
    deadline = time.monotonic() + config.max_seconds
    for attempt in range(config.retries + 1):
        try:
            return _fetch(url, files, config, deadline, feed)
        except Interrupted as error:
            reason = str(error)
            wait = min(max(error.wait_s, config.retry_wait_s * 2**attempt), LONGEST_WAIT_S)
        except OSError as error:  # of the disk: errors of the network were caught before
            raise TriforceError(
                f"{folder}: cannot write what is fetched ({error.strerror or error}); free some space or choose "
                "another place"
            ) from error
        if attempt == config.retries or time.monotonic() + wait > deadline:
            break
        time.sleep(wait)
    if earlier := files.whole():
        return replace(earlier, unchecked=reason)
    raise AudioError(f"{url}: {reason}, tried {attempt + 1} times; run the same command later to go on")


def stem_of(identity: str) -> str:
    """A file name without suffix for a URL or an episode's id: readable, and different for different ones."""
    last = re.split(r"[?#]", identity)[0].rstrip("/").rpartition("/")[2]
    slug = re.sub(r"[^A-Za-z0-9]+", "_", Path(unquote(last)).stem).strip("_")[-40:]
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug}-{digest}" if slug else digest


# --- what lies on disk -----------------------------------------------------------------------------------------


class Files:
    """The files of one URL: the whole one with its state, and the unfinished one (hidden) with its state."""

    def __init__(self, folder: Path, stem: str, url: str) -> None:
        self.folder, self.stem, self.url = folder, stem, url
        self.part, self.part_state = folder / f".{stem}.part", folder / f".{stem}.part.json"
        self.state = folder / f"{stem}{_STATE}"

    def whole(self) -> Fetched | None:
        """What an earlier call fetched of the same URL, if it still lies there untouched in size."""
        try:
            known = read_record(self.state, _Notes).root
            path = self.folder / known.path
            if known.url != self.url or not path.is_file() or path.stat().st_size != known.length:
                return None
        except (OSError, TriforceError):
            return None  # never fetched, or not told in full: then it is fetched
        return replace(known, path=str(path))

    def unfinished(self) -> tuple[int, str]:
        """Bytes that lie there and the validator to go on with; (0, "") when there is nothing to go on with."""
        try:
            known = read_record(self.part_state, _PartNotes)
            size = self.part.stat().st_size if self.part.is_file() else 0
            validator = known.validator if known.url == self.url else ""
        except (OSError, TriforceError):
            return 0, ""
        return (size, validator) if validator else (0, "")

    def discard(self) -> None:
        """Remove the unfinished file."""
        self.part.unlink(missing_ok=True)
        self.part_state.unlink(missing_ok=True)

    def complete(self, suffix: str, media_type: str, headers: Mapping[str, str]) -> Fetched:
        """Give the finished file its name, and write down what it is."""
        previous = self.whole()
        path = self.folder / f"{self.stem}{suffix}"
        with self.part.open("rb") as file:
            os.fsync(file.fileno())
        fetched = Fetched(
            path=path.name,
            url=self.url,
            media_type=media_type,
            length=self.part.stat().st_size,
            sha256=file_sha256(self.part),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
        )
        self.part.replace(path)
        write_json(self.state, asdict(fetched))
        self.part_state.unlink(missing_ok=True)
        if previous and previous.path != str(path):
            Path(previous.path).unlink()
        return replace(fetched, path=str(path))


# --- one try ---------------------------------------------------------------------------------------------------


def _fetch(url: str, files: Files, config: FetchConfig, deadline: float, feed: bool) -> Fetched:
    whole = files.whole()
    start, validator = files.unfinished()
    headers = {"Accept-Encoding": "identity"}  # else a small body may unpack to any size
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    elif whole and (whole.etag or whole.last_modified):
        conditions = {"If-None-Match": whole.etag, "If-Modified-Since": whole.last_modified}
        headers |= {name: value for name, value in conditions.items() if value}
    with open_url(url, headers, config, deadline) as response:
        if response.status == 304 and whole and not start:
            return whole
        if response.status == 416 and start:
            files.discard()
            raise Interrupted("the server no longer has what was begun (status 416)")
        _check_status(url, response)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        _check_media_type(url, media_type, feed)
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise AudioError(f"{url}: the server packs the file ({response.headers['content-encoding']}) unasked")
        if response.status == 206:
            total = _continued(files, response.headers, start, validator)
        else:
            start, total = 0, _content_length(response.headers)
        if total is not None and total > config.max_bytes:
            raise _too_large(url, total, config.max_bytes)
        if not start:
            # In this order: were we killed here, old bytes must never meet the validator of the new.
            files.discard()
            write_json(files.part_state, {"url": url, "validator": _validator(response.headers)})
        with files.part.open("ab") as file:
            size = _receive(url, response, file, start, config, deadline, files)
        if total is not None and size < total:
            raise Interrupted(f"the transfer broke off at {size} of {total} bytes")
        suffix = _check_content(url, files, feed)
        if suffix == FEED and size > FEED_BYTES:
            files.discard()
            raise _too_large(url, size, FEED_BYTES)
        return files.complete(suffix, media_type, response.headers)


def _receive(
    url: str,
    response: BaseHTTPResponse,
    file: BinaryIO,
    size: int,
    config: FetchConfig,
    deadline: float,
    files: Files,
) -> int:
    """Append the body to ``file``, which holds ``size`` bytes; return the size then."""
    late = AudioError(f"{url}: not whole after {config.max_seconds:g} s (max_seconds), what came is kept")
    window_start, window_bytes = time.monotonic(), 0
    while True:
        try:
            chunk = _read(response)
        except Interrupted:
            if time.monotonic() > deadline:  # it broke off because the connection was shut
                raise late from None
            raise
        if not chunk:
            break
        size += len(chunk)
        if size > config.max_bytes:
            files.discard()
            raise _too_large(url, size, config.max_bytes)
        file.write(chunk)
        now = time.monotonic()
        if now > deadline:
            raise late
        window_bytes += len(chunk)
        if (passed := now - window_start) >= config.rate_window_s:
            if window_bytes < config.min_bytes_per_second * passed:
                raise Interrupted(
                    f"the server stalls: {window_bytes / passed:.0f} bytes a second, expected at least "
                    f"{config.min_bytes_per_second:g} (min_bytes_per_second)"
                )
            window_start, window_bytes = now, 0
    if time.monotonic() > deadline:  # the connection was shut: what looks like the end of the body may be none
        raise late
    return size


def _read(response: BaseHTTPResponse) -> bytes:
    """What has arrived of the body, without waiting for more; empty at its end."""
    try:
        return response.read1(CHUNK)
    except NETWORK as error:
        raise Interrupted(f"the transfer broke off ({reason_of(error)})") from error


def _check_status(url: str, response: BaseHTTPResponse) -> None:
    if response.status in _TRY_AGAIN:
        wait = response.headers.get("retry-after", "")
        seconds = float(wait) if re.fullmatch("[0-9]+", wait) else 0.0
        raise Interrupted(f"the server answers with status {response.status}", seconds)
    if response.status not in (200, 206):
        raise AudioError(f"{url}: the server answers with status {response.status} ({response.reason})")


def _content_length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if re.fullmatch(_LENGTH, text) and "transfer-encoding" not in headers else None


def _validator(headers: Mapping[str, str]) -> str:
    """What proves that a file is still the same, byte for byte: a weak ETag does not (RFC 9110, 13.1.5)."""
    etag = headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("last-modified", "")


def _continued(files: Files, headers: Mapping[str, str], start: int, validator: str) -> int | None:
    """The length of the whole file of which the rest comes; an answer that does not fit what is here is refused."""
    found = re.fullmatch(rf"bytes ({_LENGTH})-({_LENGTH})/({_LENGTH}|\*)", headers.get("content-range", "").strip())
    if not start or not found or int(found[1]) != start or _validator(headers) not in ("", validator):
        files.discard()
        raise Interrupted("the server sends another part than was asked for (status 206)")
    return None if found[3] == "*" else int(found[3])


def _too_large(url: str, size: int, limit: int) -> AudioError:
    return AudioError(f"{url}: {size} bytes, expected at most {limit} (max_bytes)")


# --- what it is ------------------------------------------------------------------------------------------------

_ANY_BYTES = ("octet-stream", "ogg", "mp4", "download", "x-download", "force-download")
_NOT_SOUND = {"html": "a web page", "xhtml+xml": "a web page", "json": "JSON", "xml": "XML", "plain": "text"}


def _check_media_type(url: str, media_type: str, feed: bool) -> None:
    """Refuse what cannot be sound; servers that do not know audio send ``application/octet-stream`` or nothing."""
    kind, _, name = media_type.partition("/")
    if kind in ("audio", "video", "") or name in _ANY_BYTES:
        return
    if feed and (kind == "text" or name.endswith("xml")):  # feeds are served as any text; their bytes decide
        return
    raise AudioError(
        f"{url}: expected audio or video, the server sends {_NOT_SOUND.get(name, 'no sound')} ({media_type})"
    )


def _check_content(url: str, files: Files, feed: bool) -> str:
    """The suffix that the first bytes call for."""
    with files.part.open("rb") as file:
        head = file.read(HEAD)
    suffix = sniff(head)
    if suffix is None or (suffix == FEED and not feed):
        files.discard()
        found = "nothing (0 bytes)" if not head else "a feed" if suffix else f"'{printable_head(head)}'"
        raise AudioError(f"{url}: expected audio or video, the file begins with {found}")
    return suffix
