"""Fetches one page of the web, within limits of size and time."""

import re
import time
import zlib
from dataclasses import dataclass

from urllib3.response import BaseHTTPResponse

from triforce_tts.errors import AudioError, TextError
from triforce_tts.web.request import NETWORK, FetchConfig, Interrupted, open_url, reason_of
from triforce_tts.wording import counted

# The largest page, unpacked, in bytes; the longest articles have a twentieth of that.
MOST_BYTES = 10_000_000
LIMITS = FetchConfig(
    max_bytes=MOST_BYTES, max_seconds=60.0, delay_s=0.0, retries=2, user_agent="triforce-tts (reads an article aloud)"
)
_CHUNK = 1 << 16
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_WAIT_S = 10.0
_PAGES = ("text/html", "application/xhtml+xml", "")
_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # the window bits that zlib wants


@dataclass(frozen=True)
class WebPage:
    """A page as the server sent it, unpacked; ``charset`` is what its header says, or nothing."""

    url: str
    content: bytes
    charset: str


def fetch_page(url: str, config: FetchConfig = LIMITS) -> WebPage:
    """The page at ``url``, after redirects, whose addresses are checked like the first.

    Raises:
        TextError: the URL is not http(s) or has a private address; the answer is over a limit, or no page; or all tries failed.
    """
    deadline = time.monotonic() + config.max_seconds
    for attempt in range(config.retries + 1):
        try:
            return _fetch(url, config, deadline)
        # The error speaks of the file that was asked for, which is a page here.
        except AudioError as error:
            raise TextError(str(error)) from error
        except Interrupted as error:
            reason, wait = str(error), min(max(error.wait_s, config.retry_wait_s * 2**attempt), _LONGEST_WAIT_S)
        if attempt == config.retries or time.monotonic() + wait > deadline:
            break
        time.sleep(wait)
    raise TextError(f"{url}: {reason}, tried {counted(attempt + 1, 'time')}; run the same command later")


def _fetch(url: str, config: FetchConfig, deadline: float) -> WebPage:
    headers = {"Accept": "text/html,application/xhtml+xml", "Accept-Encoding": "identity"}
    with open_url(url, headers, config, deadline) as response:
        if response.status in _TRY_AGAIN:
            wait = response.headers.get("retry-after", "")
            raise Interrupted(
                f"the server answers with status {response.status}",
                float(wait) if re.fullmatch("[0-9]{1,6}", wait) else 0.0,
            )
        if response.status != 200:
            raise TextError(
                f"{url}: the server answers with status {response.status} ({response.reason}); expected a page"
            )
        kind, _, more = response.headers.get("content-type", "").partition(";")
        if kind.strip().lower() not in _PAGES:
            raise TextError(
                f"{url}: expected a web page, the server sends {kind.strip()[:60]}; download it and give the file"
            )
        content = _unpacked(
            url, _body(url, response, config, deadline), response.headers.get("content-encoding", ""), config
        )
        charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", more, re.IGNORECASE)
    return WebPage(url, content, charset[1] if charset else "")


def _body(url: str, response: BaseHTTPResponse, config: FetchConfig, deadline: float) -> bytes:
    chunks, size = [], 0
    length = response.headers.get("content-length", "")
    while True:
        try:
            chunk = response.read1(_CHUNK)
        except NETWORK as error:
            if time.monotonic() <= deadline:
                raise Interrupted(f"the transfer broke off ({reason_of(error)})") from error
            chunk = b""
        if time.monotonic() > deadline:
            raise TextError(f"{url}: not complete after {config.max_seconds:g} s; run the same command later")
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
        if size > config.max_bytes:
            raise TextError(f"{url}: more than {config.max_bytes} bytes, which no article has")
    if re.fullmatch("[0-9]{1,18}", length) and size < int(length):
        raise Interrupted(f"the transfer broke off at {size} of {int(length)} bytes")
    return b"".join(chunks)


def _unpacked(url: str, content: bytes, encoding: str, config: FetchConfig) -> bytes:
    """The content without the compression that some servers use although they were asked not to."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return content
    if encoding not in _PACKED:
        raise TextError(f"{url}: the server compresses the page ({encoding[:40]}) though it was asked not to")
    try:
        unpacked = zlib.decompressobj(_PACKED[encoding]).decompress(content, config.max_bytes + 1)
    except zlib.error as error:
        raise TextError(f"{url}: the page cannot be unpacked ({error}); run the same command later") from error
    if len(unpacked) > config.max_bytes:
        raise TextError(f"{url}: it unpacks to more than {config.max_bytes} bytes, which no article has")
    return unpacked
