"""Files from the web, fetched so that a wrong or hostile server costs one failed source and nothing more.

The address that a name stands for is looked up and judged here, and the connection goes to that very address, so a
server cannot point us at the machine's own network. Every transfer has limits of size, time and speed, goes on where
it was cut off, and appears under its name only when it is whole.
"""

import hashlib
import http.client
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urljoin

import urllib3
from pydantic import ConfigDict, Field, NonNegativeInt, RootModel
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from triforce_tts.errors import AudioError, TriforceError
from triforce_tts.files import file_sha256, write_json
from triforce_tts.schema import Config, FileName, Record, read_record

from .addresses import is_public

CHUNK = 1 << 16  # bytes read at a time
HEAD = 4096  # bytes that tell what a file is
FEED_BYTES = 64 << 20  # the largest feeds hold some thousand episodes in 20 MB
LONGEST_WAIT_S = 60.0  # between two tries, whatever a server asks for
FEED = ".xml"
_STATE = ".fetch.json"
_LENGTH = "[0-9]{1,18}"  # bytes, in a header; Python refuses to read numbers of thousands of digits
_REDIRECTS = (301, 302, 303, 307, 308)
_NETWORK = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)  # what a bad server causes
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class FetchConfig(Config):
    """Limits of what is fetched; beside each number, why."""

    max_bytes: int = Field(default=2_000_000_000, gt=0)  # of one file: 30 h at 128 kbit/s
    max_seconds: float = Field(default=7200.0, gt=0)  # of one file, with all its tries
    connect_timeout_s: float = Field(default=15.0, gt=0)
    read_timeout_s: float = Field(default=30.0, gt=0)  # without a single byte
    min_bytes_per_second: float = Field(default=2000.0, ge=0)  # slower than any speech codec: the server stalls
    rate_window_s: float = Field(default=30.0, gt=0)  # over which the rate is measured
    max_redirects: int = Field(default=10, ge=0)  # podcasts go through several counting services
    delay_s: float = Field(default=1.0, ge=0)  # between two requests to one host
    retries: int = Field(default=3, ge=0)
    retry_wait_s: float = Field(default=2.0, ge=0)  # before the first further try; doubled each time
    max_episodes: int = Field(default=0, ge=0)  # of one feed or playlist, in its order, newest first as a rule; 0: all
    allow_private: bool = False  # whether servers in the machine's own network may be asked
    user_agent: str = Field(default="triforce-tts (builder of speech data sets)", min_length=1)


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


class _Interrupted(Exception):
    """A transfer that may well succeed when it is tried again."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


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
        except _Interrupted as error:
            reason = str(error)
            wait = min(max(error.wait_s, config.retry_wait_s * 2**attempt), LONGEST_WAIT_S)
        except OSError as error:  # of the network are all told apart before
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
    with _open(url, headers, config, deadline) as response:
        if response.status == 304 and whole and not start:
            return whole
        if response.status == 416 and start:
            files.discard()
            raise _Interrupted("the server no longer has what was begun (status 416)")
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
            raise _Interrupted(f"the transfer broke off at {size} of {total} bytes")
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
        except _Interrupted:
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
                raise _Interrupted(
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
    except _NETWORK as error:
        raise _Interrupted(f"the transfer broke off ({_reason(error)})") from error


def _check_status(url: str, response: BaseHTTPResponse) -> None:
    if response.status in _TRY_AGAIN:
        wait = response.headers.get("retry-after", "")
        seconds = float(wait) if re.fullmatch("[0-9]+", wait) else 0.0
        raise _Interrupted(f"the server answers with status {response.status}", seconds)
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
        raise _Interrupted("the server sends another part than was asked for (status 206)")
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
        found = "nothing (0 bytes)" if not head else "a feed" if suffix else f"'{_shown(head)}'"
        raise AudioError(f"{url}: expected audio or video, the file begins with {found}")
    return suffix


def _shown(head: bytes) -> str:
    return "".join(c if c.isprintable() else "." for c in head[:24].decode("latin-1"))


_MAGIC = (
    (0, b"fLaC", ".flac"),
    (0, b"OggS", ".ogg"),
    (0, b"ID3", ".mp3"),
    (8, b"WAVE", ".wav"),  # after RIFF or RF64
    (8, b"AVI ", ".avi"),
    (0, b"\x1a\x45\xdf\xa3", ".webm"),  # EBML, also of mkv
    (8, b"AIFF", ".aiff"),
    (8, b"AIFC", ".aiff"),
    (0, b"caff", ".caf"),
    (0, b".snd", ".au"),
    (0, b"wvpk", ".wv"),
    (0, b"MAC ", ".ape"),
    (0, b"#!AMR", ".amr"),
    (0, b"FLV\x01", ".flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ".wma"),  # ASF
    (0, b"\x00\x00\x01\xba", ".mpg"),
)


def sniff(head: bytes) -> str | None:
    """The suffix that a file's first bytes call for: of audio or video, ``FEED`` for RSS or Atom; None: neither."""
    for offset, magic, suffix in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return suffix
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return ".m4a" if head[8:11] in (b"M4A", b"M4B") else ".mp4"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<?xml", b"<rss", b"<feed", b"<rdf:rdf")):
        return None if b"<html" in text or b"<!doctype html" in text else FEED
    return _sniff_mpeg(head.lstrip(b"\0"))  # some encoders pad the beginning


def _sniff_mpeg(head: bytes) -> str | None:
    """MPEG audio has no magic, but eleven set bits and fields with forbidden values (ISO 11172-3, 2.4.1.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:  # layer 0: ADTS
        return ".aac" if head[2] >> 2 & 15 < 13 else None
    layer, bitrate, rate, version_bits = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3, head[1] >> 3 & 3
    return ".mp3" if layer in (1, 2) and bitrate != 15 and rate != 3 and version_bits != 1 else None


# --- requests --------------------------------------------------------------------------------------------------

_last_request: dict[str, float] = {}  # when a host was last asked; manners are kept by the process, not by the call
_manners = threading.Lock()


@contextmanager
def _open(url: str, headers: Mapping[str, str], config: FetchConfig, deadline: float) -> Iterator[BaseHTTPResponse]:
    """The answer to a GET, after redirects, each of which is judged like the first address."""
    here = url
    for _ in range(config.max_redirects + 1):
        if time.monotonic() > deadline:
            raise AudioError(f"{url}: not whole after {config.max_seconds:g} s (max_seconds)")
        connection, target, host = _connect(here, config)
        connected = connection.sock  # kept, because an answer that ends the connection takes it over
        try:
            response = _ask(connection, target, {**headers, "Host": host, "User-Agent": config.user_agent}, config)
            try:
                if response.status not in _REDIRECTS:
                    with _shut_after(deadline - time.monotonic(), connected):
                        yield response
                    return
            finally:
                response.close()  # it holds the socket as well as the connection does
            if not (location := response.headers.get("location")):
                raise AudioError(f"{here}: a redirect (status {response.status}) that says not where to")
            with suppress(UnicodeError):  # headers are read as Latin-1, but servers put UTF-8 there
                location = location.encode("latin-1").decode("utf-8")
        finally:
            connection.close()
        try:
            here = urljoin(here, location)
        except ValueError as error:
            raise AudioError(f"{here}: a redirect to '{location}', which is not a URL") from error
    raise AudioError(f"{url}: more than {config.max_redirects} redirects (max_redirects)")


def check_url(url: str, config: FetchConfig) -> tuple[urllib3.util.Url, str, list[str]]:
    """The parts of a URL, its host, and the addresses that may be connected to.

    Raises:
        AudioError: it is not http(s), names a user, or one of its host's addresses is not public.
    """
    try:
        parsed = urllib3.util.parse_url(url)
    except (urllib3.exceptions.LocationParseError, ValueError) as error:
        raise AudioError(f"{url}: not a URL") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise AudioError(f"{url}: expected a URL that begins with http:// or https://")
    if parsed.auth:
        raise AudioError(f"{url.replace(parsed.auth, '***')}: a URL with a name or password, expected one without")
    host = parsed.host.strip("[]")
    return parsed, host, _addresses(url, host, config.allow_private)


def _connect(url: str, config: FetchConfig) -> tuple[HTTPConnection, str, str]:
    """A connection to an address that was judged, the target and the Host to ask for."""
    parsed, host, addresses = check_url(url, config)
    secure = parsed.scheme == "https"
    port = parsed.port or (443 if secure else 80)
    failure: Exception | None = None
    _wait_politely(host, config.delay_s)
    for address in addresses:
        connection = (
            # The certificate must be of the name, though the connection goes to the address.
            HTTPSConnection(address, port, timeout=config.connect_timeout_s, server_hostname=host)
            if secure
            else HTTPConnection(address, port, timeout=config.connect_timeout_s)
        )
        try:
            connection.connect()
        except _NETWORK as problem:
            connection.close()
            failure = problem
            if isinstance(_origin(problem), ssl.SSLCertVerificationError):
                raise AudioError(f"{url}: the server's certificate is not valid ({_reason(problem)})") from problem
        else:
            return connection, parsed.request_uri, parsed.netloc or host
    raise _Interrupted(f"cannot connect to {host} ({_reason(failure) if failure else 'no address'})") from failure


def _ask(connection: HTTPConnection, target: str, headers: Mapping[str, str], config: FetchConfig) -> BaseHTTPResponse:
    """Send a GET and read the head of the answer, all of it within ``read_timeout_s``."""
    connection.timeout = config.read_timeout_s
    try:
        with _shut_after(config.read_timeout_s, connection.sock) as late:
            connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
            response = connection.getresponse()
    except _NETWORK as error:
        raise _Interrupted(f"no proper answer from {headers['Host']} ({_reason(error)})") from error
    if late.is_set():  # to the library the end of the connection is the end of the headers too
        response.close()
        raise _Interrupted(f"no proper answer from {headers['Host']} in {config.read_timeout_s:g} s (read_timeout_s)")
    return response


@contextmanager
def _shut_after(seconds: float, connected: socket.socket | None) -> Iterator[threading.Event]:
    """Shut a connection down if the block is not over in time; the event is set when that was done.

    The timeout of a socket is of each piece: headers, lengths of chunks and trailers that come in drops are never over,
    and the library gives nothing back before they are.
    """
    assert connected is not None
    done = threading.Event()

    def shut() -> None:
        done.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(seconds, 0.0), shut)
    timer.daemon = True  # the end of the program does not wait for it
    timer.start()
    try:
        yield done
    finally:
        timer.cancel()


def _wait_politely(host: str, delay_s: float) -> None:
    with _manners:
        now = time.monotonic()
        begin = max(now, _last_request.get(host, -delay_s) + delay_s)
        _last_request[host] = begin
    time.sleep(begin - now)


def _addresses(url: str, host: str, allow_private: bool) -> list[str]:
    """The addresses of a host.

    Raises:
        AudioError: one of them is not public: a name that also stands for a private address is a trap.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == socket.EAI_AGAIN:
            raise _Interrupted(f"the name {host} cannot be looked up now") from error
        raise AudioError(f"{url}: there is no host called {host}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not allow_private and not is_public(address):
            raise AudioError(f"{url}: {host} is {address}, not a public address; allow_private would permit it")
    return addresses


def _origin(error: BaseException) -> BaseException:
    """The innermost error: urllib3 wraps what the system says."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def _reason(error: BaseException) -> str:
    """The innermost error in words, without the object that urllib3 prints."""
    inner = _origin(error)
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__).strip().rstrip(".")
