"""Which addresses a fetch may go to, and whose certificate it checks."""

import socket
import ssl
from pathlib import Path

import pytest
import trustme

from tests.data.web import server as w
from tests.data.web.test_fetch import MP3, config
from triforce_tts.data.web.fetch import download
from triforce_tts.errors import AudioError
from triforce_tts.web import request
from triforce_tts.web.addresses import is_public


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/a.mp3",
        "http://localhost/a.mp3",
        "http://[::1]/a.mp3",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/a",
    ],
)
def test_private_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="not a public address"):
        download(url, tmp_path, config(allow_private=False))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("192.168.0.1", False), ("172.16.0.1", False), ("169.254.1.1", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("fe80::1", False), ("fc00::1", False),
        ("fec0::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:93.184.216.34", True), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
    ],
)  # fmt: skip
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_name_with_a_private_address_among_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", (address, 0)) for address in ("93.184.216.34", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(AudioError, match=r"127\.0\.0\.1, not a public address"):
        download("http://trap.example/a.mp3", tmp_path, config(allow_private=False))


def test_https_checks_the_certificate_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("speech.example").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    named: list[str | None] = []
    context.sni_callback = lambda connection, name, old: named.append(name)
    monkeypatch.setattr(request, "_addresses", lambda url, host, allow_private: ["127.0.0.1"])
    with w.serving(context) as web:
        web.replies["/a.mp3"] = w.whole(MP3)
        right, wrong = (web.url("/a.mp3", f"{name}.example") for name in ("speech", "other"))
        with pytest.raises(AudioError, match="certificate is not valid"):  # its authority is unknown
            download(right, tmp_path, config())
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with pytest.raises(AudioError, match="certificate is not valid"):
            download(wrong, tmp_path, config())
        assert Path(download(right, tmp_path, config()).path).read_bytes() == MP3
        assert named == ["speech.example", "other.example", "speech.example"]
        assert [headers["host"] for headers in web.asked("/a.mp3")] == [f"speech.example:{web.port}"]
