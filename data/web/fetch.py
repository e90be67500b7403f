"""Downloads files from the web; a faulty or hostile server can only make its own download fail.

Every transfer has limits of size, time and speed. It continues where it was interrupted, and the file gets its name
only when it is complete.
"""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pydantic import ConfigDict, NonNegativeInt, RootModel
from urllib3.response import BaseHTTPResponse

from triforce_tts.errors import AudioError, TriforceError
from triforce_tts.files import file_sha256, write_json
from triforce_tts.schema import FileName, Record, read_record
from triforce_tts.web.names import stem_of
from triforce_tts.web.request import NETWORK, FetchConfig, Interrupted, open_url, reason_of
from triforce_tts.wording import counted

from .sniff import FEED, HEAD, printable_head, sniff

CHUNK = 1 << 16  # bytes read at a time
FEED_BYTES = 64 << 20  # bytes; the largest real feeds have some thousand episodes in 20 MB
LONGEST_WAIT_S = 60.0  # seconds between two tries, even if a server asks for a longer wait
_STATE = ".fetch.json"
_LENGTH = "[0-9]{1,18}"  # a number of bytes in a header; Python raises an error for numbers with thousands of digits
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Fetched:
    """A complete file from the web, with what the server said about it."""

    path: FileName  # the file's name in the notes beside it; the whole path in results of ``download``
    url: str  # the URL before any redirect
    media_type: str
    length: NonNegativeInt  # bytes
    sha256: str
    etag: str | None = None
    last_modified: str | None = None
    title: str | None = None  # if the site gives one
    license: str | None = None
    unchecked: str = ""  # set if an earlier download is used because the server could not be asked again: the reason

    @property
    def is_feed(self) -> bool:
        """Whether the file is a feed and not a recording."""
        return Path(self.path).suffix == FEED


class _Notes(RootModel[Fetched]):
    """The notes beside a complete file."""

    model_config = ConfigDict(frozen=True, strict=True)


class _PartNotes(Record):
    """The notes beside an unfinished file."""

    url: str
    validator: str


def download(url: str, folder: Path, config: FetchConfig, stem: str | None = None, feed: bool = False) -> Fetched:
    """Fetch an audio or video file into ``folder``; with ``feed``, an RSS or Atom feed is accepted too.

    A file that was fetched earlier is fetched again only if the server says that it changed. An unfinished file is
    continued if the server still has the same content. ``stem`` is the file's name without its suffix; by default it is
    made from the URL. The suffix follows from the content. Notes about the file lie beside it in ``STEM.fetch.json``.

    Raises:
        AudioError: the URL is not http(s) or has a private address; the file is over a limit or is not audio or video;
            or all tries failed.
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
        except OSError as error:  # the disk is at fault: errors of the network were caught before
            raise TriforceError(
                f"{folder}: cannot write the fetched file ({error.strerror or error}); free some space or choose "
                "another place"
            ) from error
        if attempt == config.retries or time.monotonic() + wait > deadline:
            break
        time.sleep(wait)
    if earlier := files.whole():
        return replace(earlier, unchecked=reason)
    raise AudioError(f"{url}: {reason}, tried {counted(attempt + 1, 'time')}; run the same command later to go on")


# --- the files on disk -----------------------------------------------------------------------------------------


class Files:
    """The files of one URL: the complete file with its notes, and the unfinished file (hidden) with its notes."""

    def __init__(self, folder: Path, stem: str, url: str) -> None:
        self.folder, self.stem, self.url = folder, stem, url
        self.part, self.part_state = folder / f".{stem}.part", folder / f".{stem}.part.json"
        self.state = folder / f"{stem}{_STATE}"

    def whole(self) -> Fetched | None:
        """The file that an earlier call fetched from the same URL, if it is still there and has the same size."""
        try:
            notes = read_record(self.state, _Notes).root
            path = self.folder / notes.path
            if notes.url != self.url or not path.is_file() or path.stat().st_size != notes.length:
                return None
        except (OSError, TriforceError):
            return None  # the file was never fetched, or its notes are damaged: it is fetched again
        return replace(notes, path=str(path))

    def unfinished(self) -> tuple[int, str]:
        """The size of the unfinished file and the validator to continue it with; (0, "") if it cannot be continued."""
        try:
            notes = read_record(self.part_state, _PartNotes)
            size = self.part.stat().st_size if self.part.is_file() else 0
            validator = notes.validator if notes.url == self.url else ""
        except (OSError, TriforceError):
            return 0, ""
        return (size, validator) if validator else (0, "")

    def discard(self) -> None:
        """Remove the unfinished file."""
        self.part.unlink(missing_ok=True)
        self.part_state.unlink(missing_ok=True)

    def complete(self, suffix: str, media_type: str, headers: Mapping[str, str]) -> Fetched:
        """Give the finished file its name, and write the notes beside it."""
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
    headers = {"Accept-Encoding": "identity"}  # a compressed body, however small, could unpack to any size
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
            raise Interrupted("the server no longer has the file that was begun (status 416)")
        _check_status(url, response)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        _check_media_type(url, media_type, feed)
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            encoding = response.headers["content-encoding"]
            raise AudioError(f"{url}: the server compresses the file ({encoding}) though it was asked not to")
        if response.status == 206:
            total = _continued(files, response.headers, start, validator)
        else:
            start, total = 0, _content_length(response.headers)
        if total is not None and total > config.max_bytes:
            raise _too_large(url, total, config.max_bytes)
        if not start:
            # The order matters if this process is killed here: old bytes must never be continued with a new validator.
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
    """Append the body to ``file``, which has ``size`` bytes; the result is its size at the end."""
    late = AudioError(
        f"{url}: not complete after {config.max_seconds:g} s (max_seconds); the part that came is kept, "
        "run the same command again to go on"
    )
    window_start, window_bytes = time.monotonic(), 0
    while True:
        try:
            chunk = _read(response)
        except Interrupted:
            if time.monotonic() > deadline:  # the transfer broke off because the connection was shut at the deadline
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
    if time.monotonic() > deadline:  # the connection was shut, so this may not be the real end of the body
        raise late
    return size


def _read(response: BaseHTTPResponse) -> bytes:
    """The bytes of the body that have arrived, without waiting for more; empty at the end of the body."""
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
    """The header that proves that a file is still the same, byte for byte; a weak ETag does not (RFC 9110, 13.1.5)."""
    etag = headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("last-modified", "")


def _continued(files: Files, headers: Mapping[str, str], start: int, validator: str) -> int | None:
    """The length of the whole file whose rest the server sends.

    An answer that does not fit the unfinished file is refused.
    """
    span = re.fullmatch(rf"bytes ({_LENGTH})-({_LENGTH})/({_LENGTH}|\*)", headers.get("content-range", "").strip())
    if not start or not span or int(span[1]) != start or _validator(headers) not in ("", validator):
        files.discard()
        raise Interrupted("the server sends another part than it was asked for (status 206)")
    return None if span[3] == "*" else int(span[3])


def _too_large(url: str, size: int, limit: int) -> AudioError:
    return AudioError(f"{url}: {size} bytes, expected at most {limit} (max_bytes)")


# --- the type of the content -----------------------------------------------------------------------------------

_ANY_BYTES = ("octet-stream", "ogg", "mp4", "download", "x-download", "force-download")
_NOT_SOUND = {"html": "a web page", "xhtml+xml": "a web page", "json": "JSON", "xml": "XML", "plain": "text"}


def _check_media_type(url: str, media_type: str, feed: bool) -> None:
    """Refuse a media type that cannot be sound.

    Servers that do not know audio send ``application/octet-stream`` or none.
    """
    kind, _, name = media_type.partition("/")
    if kind in ("audio", "video", "") or name in _ANY_BYTES:
        return
    if feed and (kind == "text" or name.endswith("xml")):  # servers send feeds as any kind of text; their bytes decide
        return
    raise AudioError(
        f"{url}: expected audio or video, the server sends {_NOT_SOUND.get(name, 'no sound')} ({media_type})"
    )


def _check_content(url: str, files: Files, feed: bool) -> str:
    """The suffix for the kind of file that the first bytes show."""
    with files.part.open("rb") as file:
        head = file.read(HEAD)
    suffix = sniff(head)
    if suffix is None or (suffix == FEED and not feed):
        files.discard()
        content = (
            "is empty (0 bytes)" if not head else "is a feed" if suffix else f"begins with '{printable_head(head)}'"
        )
        raise AudioError(f"{url}: expected audio or video, but the file {content}")
    return suffix
