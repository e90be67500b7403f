"""Makes one request to a server: looks its name up, checks the addresses, and connects to one of them.

So a server cannot lead this program into the private network of this machine, not even by a redirect.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urljoin

import urllib3
from pydantic import Field
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from triforce_tts.errors import AudioError
from triforce_tts.schema import Config
from triforce_tts.web.addresses import is_public

_REDIRECTS = (301, 302, 303, 307, 308)
# These errors come from bad servers.
NETWORK = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


class FetchConfig(Config):
    """Limits for downloads."""

    max_bytes: int = Field(default=2_000_000_000, gt=0)  # bytes of one file; 30 h at 128 kbit/s
    max_seconds: float = Field(default=7200.0, gt=0)  # time for one file, with all its tries
    connect_timeout_s: float = Field(default=15.0, gt=0)
    read_timeout_s: float = Field(default=30.0, gt=0)  # the longest time without a single byte
    min_bytes_per_second: float = Field(default=2000.0, ge=0)  # a slower server stalls: every speech codec needs more
    rate_window_s: float = Field(default=30.0, gt=0)  # the rate is measured over this time
    max_redirects: int = Field(default=10, ge=0)  # addresses of podcasts often lead through several counting services
    delay_s: float = Field(default=1.0, ge=0)  # the time between two requests to one host
    retries: int = Field(default=3, ge=0)
    retry_wait_s: float = Field(default=2.0, ge=0)  # the wait before the first retry; it doubles for each further retry
    # The most episodes of one feed or playlist, in its order, which usually begins with the newest; 0: all.
    max_episodes: int = Field(default=0, ge=0)
    allow_private: bool = False  # whether to connect to servers with private addresses
    user_agent: str = Field(default="triforce-tts (builder of speech data sets)", min_length=1)


class Interrupted(Exception):
    """A transfer failed, but it may succeed if it is tried again."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


_last_request: dict[str, float] = {}  # the time of the last request to each host, for all calls in this process
_manners = threading.Lock()


@contextmanager
def open_url(url: str, headers: Mapping[str, str], config: FetchConfig, deadline: float) -> Iterator[BaseHTTPResponse]:
    """The answer to a GET request after all redirects; the address of each redirect is checked like the first one."""
    here = url
    for _ in range(config.max_redirects + 1):
        if time.monotonic() > deadline:
            raise AudioError(f"{url}: not complete after {config.max_seconds:g} s (max_seconds)")
        connection, target, host = _connect(here, config)
        # An answer that ends the connection takes the socket away from ``connection``.
        connected = connection.sock
        try:
            response = _ask(connection, target, {**headers, "Host": host, "User-Agent": config.user_agent}, config)
            try:
                if response.status not in _REDIRECTS:
                    with _shut_after(deadline - time.monotonic(), connected):
                        yield response
                    return
            finally:
                response.close()  # The response holds the socket, as the connection does.
            if not (location := response.headers.get("location")):
                raise AudioError(f"{here}: a redirect (status {response.status}) without an address")
            with suppress(UnicodeError):  # the library reads headers as Latin-1, but servers send UTF-8
                location = location.encode("latin-1").decode("utf-8")
        finally:
            connection.close()
        try:
            here = urljoin(here, location)
        except ValueError as error:
            raise AudioError(f"{here}: a redirect to '{location}', which is not a URL") from error
    raise AudioError(f"{url}: more than {config.max_redirects} redirects (max_redirects)")


def check_url(url: str, config: FetchConfig) -> tuple[urllib3.util.Url, str, list[str]]:
    """The parts of a URL, its host, and the addresses to connect to.

    Raises:
        AudioError: the URL is not http(s) or has a user name, or one of its host's addresses is not public.
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
    """A connection to a checked address, with the target and the ``Host`` of the request."""
    parsed, host, addresses = check_url(url, config)
    secure = parsed.scheme == "https"
    port = parsed.port or (443 if secure else 80)
    failure: Exception | None = None
    _wait_politely(host, config.delay_s)
    for address in addresses:
        connection = (
            # The connection goes to the address, but the certificate must be that of the host's name.
            HTTPSConnection(address, port, timeout=config.connect_timeout_s, server_hostname=host)
            if secure
            else HTTPConnection(address, port, timeout=config.connect_timeout_s)
        )
        try:
            connection.connect()
        except NETWORK as problem:
            connection.close()
            failure = problem
            if isinstance(_origin(problem), ssl.SSLCertVerificationError):
                raise AudioError(f"{url}: the server's certificate is not valid ({reason_of(problem)})") from problem
        else:
            return connection, parsed.request_uri, parsed.netloc or host
    raise Interrupted(f"cannot connect to {host} ({reason_of(failure) if failure else 'no address'})") from failure


def _ask(connection: HTTPConnection, target: str, headers: Mapping[str, str], config: FetchConfig) -> BaseHTTPResponse:
    """Send a GET request and read the head of the answer; both together may take ``read_timeout_s``."""
    connection.timeout = config.read_timeout_s
    try:
        with _shut_after(config.read_timeout_s, connection.sock) as late:
            connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
            response = connection.getresponse()
    except NETWORK as error:
        raise Interrupted(f"no proper answer from {headers['Host']} ({reason_of(error)})") from error
    if late.is_set():  # the library takes the end of the connection for the end of the headers
        response.close()
        raise Interrupted(f"no proper answer from {headers['Host']} in {config.read_timeout_s:g} s (read_timeout_s)")
    return response


@contextmanager
def _shut_after(seconds: float, connected: socket.socket | None) -> Iterator[threading.Event]:
    """Shut a connection down if the block takes longer than ``seconds``; the event tells whether that happened.

    The timeout of a socket counts anew for each piece of data. If a server sends headers, lengths of chunks or trailers
    byte by byte, they never end, and the library does not return before their end.
    """
    assert connected is not None
    done = threading.Event()

    def shut() -> None:
        done.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(seconds, 0.0), shut)
    timer.daemon = True  # The program can end without waiting for the timer.
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
        AudioError: one of the addresses is not public. Even one is refused, because such a name is a trap.
    """
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == socket.EAI_AGAIN:
            raise Interrupted(f"the name {host} cannot be looked up now") from error
        raise AudioError(f"{url}: there is no host called {host}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    for address in addresses:
        if not allow_private and not is_public(address):
            found = "is not" if host == address else f"is {address}, not"
            raise AudioError(
                f"{url}: {host} {found} a public address; fetch.allow_private=true (narrate: --allow-private) permits it"
            )
    return addresses


def _origin(error: BaseException) -> BaseException:
    """The innermost error, because urllib3 wraps the errors of the system."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def reason_of(error: BaseException) -> str:
    """The text of the innermost error, without the objects that urllib3 prints."""
    inner = _origin(error)
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__).strip().rstrip(".")
