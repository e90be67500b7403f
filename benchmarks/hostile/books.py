"""Books, feeds and lists of URLs that are broken, very large when unpacked, or point to files and hosts outside."""

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case, Check, written
from .checks import tells
from .readings import COMMANDS
from .world import RAW, epub, feed

ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
REMOTE = '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]>'
TEXT = "<p>" + "The cat sat on the mat, and the old man saw it. " * 20 + "</p>"
ITEM = '<item><guid>{0}</guid><enclosure url="http://127.0.0.1:9/{0}.mp3" type="audio/mpeg"/></item>'
DEEP = 100_000


def _xhtml(head: str, body: str) -> str:
    return f'<?xml version="1.0"?>{head}<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'


def _zip_of(name: str, size: int) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(size >> 20):
            member.write(b" " * (1 << 20))
    return buffer.getvalue()


def _nested() -> bytes:
    data = _zip_of("x", 10 << 20)
    for _ in range(3):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(10):
                archive.writestr(f"{number}.zip", data)
        data = buffer.getvalue()
    return data


def _compressed(method: int, harm: bool = False) -> bytes:
    source = zipfile.ZipFile(io.BytesIO(epub({"c1.xhtml": TEXT})))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    data = bytearray(buffer.getvalue())
    if harm:
        at = data.find(b"c1.xhtml") + 8
        for place in range(at + 9, at + 40):
            data[place] ^= 0x55
    return bytes(data)


def _flipped(at: float) -> bytes:
    data = bytearray(epub({"c1.xhtml": TEXT}))
    for place in range(int(at * len(data)), int(at * len(data)) + 12):
        data[place] ^= 0xFF
    return bytes(data)


def _encrypted() -> bytes:
    data = bytearray(epub({"c1.xhtml": TEXT}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(magic, at + 1)) >= 0:
            data[at + offset] |= 1
    return bytes(data)


def _package(spine: str, manifest: str = "") -> str:
    return (
        f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{manifest}</manifest><spine>{spine}</spine></package>'
    )


def _item(href: str) -> str:
    return f'<item id="i" href="{href}" media-type="application/xhtml+xml"/>'


EPUBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "good": (lambda: epub({"c1.xhtml": TEXT}), "ran"), "bomb": (lambda: epub({"c1.xhtml": _xhtml("", "a " * 60_000_000)}), "refused"), "bomb-of-markup": (lambda: epub({"c1.xhtml": _xhtml("", "<p>a</p>" * 3_000_000)}), "either"),
    "bomb-of-chapters": (lambda: epub({f"c{n}.xhtml": _xhtml("", "a " * 3_000_000) for n in range(40)}), "refused"), "same-chapter-many-times": (lambda: epub({"c1.xhtml": TEXT * 200}, ["c1.xhtml"] * 5000), "either"),
    "nested-zips": (_nested, "refused"), "not-a-zip": (lambda: b"words " * 500, "refused"), "half": (lambda: epub({"c1.xhtml": TEXT})[:600], "refused"), "empty": (lambda: b"", "refused"), "empty-zip": (lambda: b"PK\x05\x06" + bytes(18), "refused"),
    "no-container": (lambda: epub({"c1.xhtml": TEXT}, **{"META-INF/container.xml": ""}), "refused"), "container-broken": (lambda: epub({"c1.xhtml": TEXT}, **{"META-INF/container.xml": "<container"}), "refused"),
    "container-leads-out": (lambda: epub({"c1.xhtml": TEXT}, **{"META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="../../etc/passwd"/></rootfiles></container>'}), "refused"),
    "container-without-path": (lambda: epub({"c1.xhtml": TEXT}, **{"META-INF/container.xml": "<container><rootfiles><rootfile/></rootfiles></container>"}), "refused"), "no-spine": (lambda: epub({"c1.xhtml": TEXT}, []), "refused"),
    "package-broken": (lambda: epub({"c1.xhtml": TEXT}, package="<package"), "refused"), "package-empty": (lambda: epub({"c1.xhtml": TEXT}, package="<package/>"), "refused"), "spine-names-nothing": (lambda: epub({"c1.xhtml": TEXT}, ["nothing"]), "refused"),
    "href-missing": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>', '<item id="i"/>')), "refused"), "href-leads-out": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>', _item("../../../etc/passwd"))), "refused"),
    "href-absolute": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>', _item("/etc/passwd"))), "refused"), "href-url": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>', _item("http://127.0.0.1:9/x"))), "refused"),
    "href-file-url": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>', _item("file:///etc/passwd"))), "refused"), "href-percent": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>', _item("%2e%2e/%00%ff"))), "refused"),
    "href-not-utf8": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>', _item("%ff%fe"))), "refused"), "spine-100000": (lambda: epub({"c1.xhtml": TEXT}, package=_package('<itemref idref="i"/>' * 100_000, _item("c1.xhtml"))), "either"),
    "member-leads-out": (lambda: epub({"c1.xhtml": TEXT, "../../../evil.xhtml": TEXT}), "ran"), "entities": (lambda: epub({"c1.xhtml": _xhtml(ENTITIES, "<p>&j; word</p>")}), "either"), "entity-external": (lambda: epub({"c1.xhtml": _xhtml(EXTERNAL, "<p>word &a;</p>")}), "either"),
    "entity-remote": (lambda: epub({"c1.xhtml": _xhtml(REMOTE, "<p>word</p>")}), "either"), "entity-of-html": (lambda: epub({"c1.xhtml": _xhtml("", "<p>caf&eacute; &nbsp; word</p>")}), "ran"), "deep": (lambda: epub({"c1.xhtml": _xhtml("", "<div>" * DEEP + "word" + "</div>" * DEEP)}), "either"),
    "deep-unclosed": (lambda: epub({"c1.xhtml": "<i>" * DEEP + " word"}), "either"), "attributes": (lambda: epub({"c1.xhtml": _xhtml("", "<p " + " ".join(f'a{n}="1"' for n in range(40_000)) + ">word</p>")}), "either"), "huge-attribute": (lambda: epub({"c1.xhtml": _xhtml("", f'<p title="{"x" * 20_000_000}">word</p>')}), "either"),
    "lzma": (lambda: _compressed(zipfile.ZIP_LZMA), "either"), "lzma-broken": (lambda: _compressed(zipfile.ZIP_LZMA, True), "refused"), "bzip2": (lambda: _compressed(zipfile.ZIP_BZIP2), "either"), "bzip2-broken": (lambda: _compressed(zipfile.ZIP_BZIP2, True), "refused"),
    "deflate-broken": (lambda: _compressed(zipfile.ZIP_DEFLATED, True), "refused"), "flipped-0.2": (lambda: _flipped(0.2), "either"), "flipped-0.5": (lambda: _flipped(0.5), "either"), "flipped-0.7": (lambda: _flipped(0.7), "either"), "flipped-0.9": (lambda: _flipped(0.9), "either"),
    "encrypted-zip": (_encrypted, "refused"), "utf16-chapter": (lambda: epub({"c1.xhtml": "x"}, **{"c1.xhtml": _xhtml("", TEXT).replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16")}), "ran"), "unknown-encoding": (lambda: epub({"c1.xhtml": "x"}, **{"c1.xhtml": '<?xml version="1.0" encoding="klingon"?><html><body>word</body></html>'}), "either"),
    "binary-chapter": (lambda: epub({"c1.xhtml": "x"}, **{"c1.xhtml": bytes(range(256)) * 40}), "either"), "no-words": (lambda: epub({"c1.xhtml": "<p>1 2 3 ... !!</p>"}), "either"), "no-text": (lambda: epub({"c1.xhtml": "<p></p>"}), "refused"), "long-word": (lambda: epub({"c1.xhtml": f"<p>{'x' * 2_000_000}</p>"}), "either"),
    "digits": (lambda: epub({"c1.xhtml": f"<p>{'7' * 100_000} word</p>"}), "either"), "control": (lambda: epub({"c1.xhtml": _xhtml("", "<p>a&#0;b&#x1;c word</p>")}), "either"), "encryption-broken": (lambda: epub({"c1.xhtml": TEXT}, **{"META-INF/encryption.xml": "<enc"}), "either"), "rights": (lambda: epub({"c1.xhtml": TEXT}, **{"META-INF/encryption.xml": "<encryption xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><x:EncryptedData xmlns:x='http://www.w3.org/2001/04/xmlenc#'><x:CipherData><x:CipherReference URI='c1.xhtml'/></x:CipherData></x:EncryptedData></encryption>"}), "refused"),
}  # fmt: skip
WORDS: dict[str, tuple[str, Check]] = {
    "linked-note": ('<p>The end.<a href="#n"><sup>1</sup></a> Then he went.</p>', tells("the end then he went")), "note-mark": ("<p>The end<sup>1</sup> came soon<sup>2</sup> and he went.</p>", tells("the end came soon and he went")), "numeric-link": ('<p>The end <a href="#n1">1</a> came soon <a href="#n2">2</a> then.</p>', tells("the end came soon then")),
    **{f"blocks-{tag}": (f"<{tag}>One</{tag}><{tag}>First part</{tag}>", tells("one first part")) for tag in ("header", "article", "main", "figcaption", "center", "section", "h1", "div", "blockquote", "aside")},
    "pre": ("<pre>One\nFirst part</pre>", tells("one first part")), "list": ("<ul>One<li>First</li><li>part</li></ul>", tells("one first part")), "table": ("<table><tr><td>One</td><td>First</td></tr><tr><td>part</td></tr></table>", tells("one first part")), "breaks": ("<p>One<br/>First part</p>", tells("one first part")), "exponent": ("<p>Ten to x<sup>2</sup> it is.</p>", tells("it is")),
}  # fmt: skip
BOOK_TEXTS: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "latin-1": (b"caf\xe9 au lait " * 20, "refused"), "utf16": (("the cat sat " * 20).encode("utf-16"), "either"), "bom": (b"\xef\xbb\xbfthe cat sat", "ran"), "empty": (b"", "refused"), "digits": (b"7" * 100_000, "either"), "no-space": (b"x" * 1_000_000, "either"), "nul": (b"a\0b the cat", "either"),
    "big": (lambda: b"the cat sat on it " * 6_000_000, "refused"), "numbers": (b"1234567890 " * 20_000, "either"), "money": (b"$1,234,567.89 " * 5000, "either"), "marks": (b"... --- ... \n" * 5000, "refused"), "emoji": (("😀 " * 5000).encode(), "refused"), "surrogates": (b"\xed\xa0\x80 the cat", "refused"), "combining": (("e" + "\u0301" * 100_000).encode(), "either"),
}  # fmt: skip
FEEDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "deep": (lambda: feed("<a>" * DEEP + "</a>" * DEEP).encode(), "either"), "deep-item": (lambda: feed("<item><description>" + "<div>" * DEEP + "</description></item>").encode(), "either"), "deep-html": (lambda: feed("<item><description><![CDATA[" + "<b>" * DEEP + "]]></description>" + ITEM.format(1)[6:]).encode(), "either"),
    "attributes": (lambda: feed("<item " + " ".join(f'a{n}="1"' for n in range(40_000)) + "/>").encode(), "either"), "attributes-enclosure": (lambda: feed("<item><enclosure " + " ".join(f'a{n}="1"' for n in range(40_000)) + "/></item>").encode(), "either"), "namespaces": (lambda: feed("<item " + " ".join(f'xmlns:n{n}="u{n}"' for n in range(20_000)) + "/>").encode(), "either"),
    "entities": (lambda: feed("<item><title>&j;</title></item>", ENTITIES).encode(), "either"), "entity-external": (lambda: feed("<item><title>&a;</title></item>", EXTERNAL).encode(), "either"), "entity-remote": (lambda: feed("<item/>", REMOTE).encode(), "either"), "no-items": (lambda: feed("").encode(), "either"), "no-enclosures": (lambda: feed("<item><title>x</title></item>").encode(), "either"), "enclosure-empty": (lambda: feed('<item><enclosure url=""/></item>').encode(), "either"),
    "enclosure-file": (lambda: feed('<item><enclosure url="file:///etc/passwd" type="audio/mpeg"/></item>').encode(), "either"), "enclosure-javascript": (lambda: feed('<item><enclosure url="javascript:1" type="audio/mpeg"/></item>').encode(), "either"), "enclosure-long": (lambda: feed(f'<item><enclosure url="http://x/{"a" * 1_000_000}.mp3" type="audio/mpeg"/></item>').encode(), "either"), "enclosure-bracket": (lambda: feed('<item><enclosure url="http://[::1" type="audio/mpeg"/></item>').encode(), "either"),
    "enclosure-port": (lambda: feed('<item><enclosure url="http://x:99999999/a.mp3" type="audio/mpeg"/></item>').encode(), "either"), "enclosure-newline": (lambda: feed('<item><enclosure url="http://x/a&#10;b.mp3" type="audio/mpeg"/></item>').encode(), "either"), "guid-path": (lambda: feed('<item><guid>../../../x</guid><enclosure url="http://127.0.0.1:9/a.mp3" type="audio/mpeg"/></item>').encode(), "either"), "items-20000": (lambda: feed("".join(ITEM.format(n) for n in range(20_000))).encode(), "either"),
    "date": (lambda: feed("<item><pubDate>Mon, 99 Foo 99999 99:99:99 +9999</pubDate>" + ITEM.format(1)[6:]).encode(), "either"), "date-extreme": (lambda: feed("<item><pubDate>Fri, 31 Dec 9999 23:59:59 -2300</pubDate>" + ITEM.format(1)[6:]).encode(), "either"), "encoding-unknown": (lambda: feed("").replace('"1.0"', '"1.0" encoding="klingon"').encode(), "either"), "encoding-lies": (lambda: feed("<item><title>caf\xe9</title></item>").replace('"1.0"', '"1.0" encoding="utf-8"').encode("latin-1"), "either"),
    "utf16": (lambda: feed(ITEM.format(1)).encode("utf-16"), "either"), "gzip": (lambda: gzip.compress(feed(ITEM.format(1)).encode()), "either"), "gzip-bomb": (lambda: gzip.compress(b" " * 200_000_000), "either"), "html": (lambda: b"<html><body>404</body></html>", "either"), "json": (lambda: b'{"items": []}', "either"), "cut": (lambda: feed(ITEM.format(1) * 5).encode()[:250], "either"), "nul": (lambda: feed("<item><title>a\0b</title></item>").encode(), "either"), "binary": (lambda: bytes(range(256)) * 200, "either"),
    "big": (lambda: feed("<item><description>" + "x" * 100_000_000 + "</description></item>").encode(), "either"), "cdata": (lambda: feed("<item><title><![CDATA[" + "]]" * 100_000 + "]]></title></item>").encode(), "either"), "comments": (lambda: feed("<!-- x -->" * 100_000).encode(), "either"), "instructions": (lambda: feed("<?x y?>" * 100_000).encode(), "either"), "unclosed": (lambda: feed("<item>" * 20_000).encode(), "either"), "amps": (lambda: feed("<item><title>" + "&" * 200_000 + "</title></item>").encode(), "either"), "lt": (lambda: feed("<" * 200_000).encode(), "either"),
}  # fmt: skip
URLS: dict[str, bytes] = {
    "empty": b"", "blank": b"\n\n \n", "comment": b"# x\n", "path": b"/etc/passwd\n", "file": b"file:///etc/passwd\n", "ftp": b"ftp://x/a.mp3\n", "latin-1": b"http://x/caf\xe9.mp3\n", "nul": b"http://x/\0a.mp3\n", "long": b"http://x/" + b"a" * 1_000_000 + b"\n", "many": b"http://127.0.0.1:9/a.mp3\n" * 50_000, "bracket": b"http://[::1\n", "port": b"http://x:99999999/\n",
    "user": b"http://user:pass@127.0.0.1:9/a.mp3\n", "tabs": b"http://x/a.mp3\t\t\tCC0\n", "bom": b"\xef\xbb\xbfhttp://x/a.mp3\n", "utf16": "http://x/a.mp3\n".encode("utf-16"), "spaces": b"  http://x/a.mp3  \n", "yt": b"yt-dlp:\n", "yt-option": b"yt-dlp:--exec id\n", "idn": "http://\u202eexample/a.mp3\n".encode(), "no-host": b"http:///a.mp3\n", "only-scheme": b"http://\n", "separators": "http://x/a\u2028b.mp3\n".encode(),
    "control": b"http://x/\x1b[31m.mp3\n", "line-of-json": b'{"url": "http://x"}\n', "null": b"null\n",
}  # fmt: skip
DIRECT = ("http://127.0.0.1:{port}/a.mp3", "http://localhost:{port}/a.mp3", "http://[::1]:{port}/a.mp3", "http://0.0.0.0:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://127.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://192.0.0.1/", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://[fe80::1]/",
          "http://[64:ff9b::7f00:1]/", "http://user@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@example.org/", "http://\u24db\u24de\u24d2al/", "http://" + "a." * 2000 + "/", "http://x" + "y" * 70_000, "https://", "http://[", "http://x:y/", "http:///", "http://%00/", "http://a b/", "http://-/", "HTTP://127.0.0.1:{port}/", "http://127.0.0.1:0/", "http://255.255.255.255/",
          "http://224.0.0.1/", "http://[::]/", "http://[2002:7f00:1::]/", "http://0177.0.0.1:{port}/", "http://127.0.0.1.:{port}/", "http://localhost.:{port}/", "yt-dlp:http://127.0.0.1:{port}/", "yt-dlp:file:///etc/passwd", "yt-dlp:--exec=id", "yt-dlp:", "yt-dlp:x")  # fmt: skip


DRY = ("--config", "podcast", "--dry-run", "--out", "made")
FETCH_ONCE = (*RAW, "--only", "fetch", "--out", "made", "--set", "fetch.retries=0", "--set", "fetch.delay_s=0")
# Parts of the addresses of this machine or of its own network. No case may connect to such a place.
NEAR = ("127", "local", "::1]", "0.0.0.0", "192.0", "169.", "10.0", "fe80", "224", "7f0")
IN_A_BUILD = ("good", "bomb", "deep", "entities", "lzma-broken", "not-a-zip")


def cases() -> Iterator[Case]:
    """Books alone and in a build, feeds and lists, and addresses that no build may connect to."""
    assert "(book)" in COMMANDS
    yield from _books()
    yield from _feeds()
    yield from _lists()
    yield from _addresses()


def _books() -> Iterator[Case]:
    """Books that are read, and recordings whose book is one of these."""
    for label, (data, expect) in EPUBS.items():
        yield _book(label, written("b.epub", data), expect, cheap="bomb" not in label)
    for label, (body, check) in WORDS.items():
        yield _book(f"words-{label}", _chapter(body), "ran", check)
    for label, (content, expect) in BOOK_TEXTS.items():
        cheap = isinstance(content, bytes) and len(content) < 1_000_000
        yield _book(f"text-{label}", written("b.txt", content), expect, cheap=cheap, name="b.txt")
    for label in IN_A_BUILD:
        words = ("build", "raw", "--out", "made", *RAW)
        prepare = written("raw/talk.epub", EPUBS[label][0])
        yield Case(f"build/books/{label}", "books", words, ("raw",), prepare, writes=("made",), cheap=False)


def _book(
    label: str,
    prepare: Callable[[Path], None],
    expect: str,
    check: Check | None = None,
    cheap: bool = True,
    name: str = "b.epub",
) -> Case:
    return Case(f"(book)/books/{label}", "books", ("(book)", name), (), prepare, expect, check, cheap=cheap)


def _chapter(body: str) -> Callable[[Path], None]:
    """Write a book of one chapter."""
    return written("b.epub", lambda: epub({"c1.xhtml": body}))


def _feeds() -> Iterator[Case]:
    """Feeds that a build reads and does not follow."""
    for label, (data, expect) in FEEDS.items():
        prepare, cheap = written("f.xml", data), label not in ("big", "gzip-bomb")
        yield Case(f"build/feeds/{label}", "feeds", ("build", "f.xml", *DRY), (), prepare, expect, cheap=cheap)


def _lists() -> Iterator[Case]:
    """Lists of addresses, which a dry run reads and a build asks."""
    for label, content in URLS.items():
        yield Case(f"build/urls/{label}", "url lists", ("build", "l.urls", *DRY), (), written("l.urls", content))
        asked = written("l.urls", content if len(content) < 10_000 else b"http://[\n")
        asks = label not in ("path", "file", "user")
        words = ("build", "l.urls", *FETCH_ONCE)
        yield Case(f"build/urls/fetch-{label}", "url lists", words, (), asked, network=asks, writes=("made",))


def _addresses() -> Iterator[Case]:
    """Addresses on the command line."""
    for number, address in enumerate(DIRECT):
        ported, far = address.replace("{port}", "9"), not any(part in address for part in NEAR)
        name = f"build/addresses/{number:02}-{ported[:40]!a}"
        yield Case(name, "addresses", ("build", ported, *FETCH_ONCE), writes=("made",), network=far)
