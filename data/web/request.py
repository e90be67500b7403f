"""One request to a server: the name is looked up, its addresses are judged, and the connection goes to one of these.

So a server cannot point us at the machine's own network, also not by a redirect.
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

from .addresses import is_public

_REDIRECTS = (301, 302, 303, 307, 308)
NETWORK = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)  # what a bad server causes


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


class Interrupted(Exception):
    """A transfer that may well succeed when it is tried again."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


_last_request: dict[str, float] = {}  # when a host was last asked; manners are kept by the process, not by the call
_manners = threading.Lock()


@contextmanager
def open_url(url: str, headers: Mapping[str, str], config: FetchConfig, deadline: float) -> Iterator[BaseHTTPResponse]:
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
        except NETWORK as problem:
            connection.close()
            failure = problem
            if isinstance(_origin(problem), ssl.SSLCertVerificationError):
                raise AudioError(f"{url}: the server's certificate is not valid ({reason_of(problem)})") from problem
        else:
            return connection, parsed.request_uri, parsed.netloc or host
    raise Interrupted(f"cannot connect to {host} ({reason_of(failure) if failure else 'no address'})") from failure


def _ask(connection: HTTPConnection, target: str, headers: Mapping[str, str], config: FetchConfig) -> BaseHTTPResponse:
    """Send a GET and read the head of the answer, all of it within ``read_timeout_s``."""
    connection.timeout = config.read_timeout_s
    try:
        with _shut_after(config.read_timeout_s, connection.sock) as late:
            connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
            response = connection.getresponse()
    except NETWORK as error:
        raise Interrupted(f"no proper answer from {headers['Host']} ({reason_of(error)})") from error
    if late.is_set():  # to the library the end of the connection is the end of the headers too
        response.close()
        raise Interrupted(f"no proper answer from {headers['Host']} in {config.read_timeout_s:g} s (read_timeout_s)")
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
            raise Interrupted(f"the name {host} cannot be looked up now") from error
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


def reason_of(error: BaseException) -> str:
    """The innermost error in words, without the object that urllib3 prints."""
    inner = _origin(error)
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__).strip().rstrip(".")
