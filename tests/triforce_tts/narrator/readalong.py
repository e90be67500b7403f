"""An independent reader of epubs with media overlays, by zipfile and lxml: whatever breaks a rule of EPUB 3.3 is an assertion."""

import io
import posixpath
import re
import zipfile
from pathlib import Path

import av
from lxml import etree

OPF = "{http://www.idpf.org/2007/opf}"
TYPES = {
    ".xhtml": "application/xhtml+xml", ".smil": "application/smil+xml", ".m4a": "audio/mp4", ".css": "text/css",
    ".jpg": "image/jpeg", ".png": "image/png",
}  # fmt: skip


def seconds(clock: str) -> float:
    assert re.fullmatch(r"\d+:[0-5]\d:[0-5]\d\.\d{3}", clock), clock
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def read_along(path: Path) -> list[list[tuple[str, float, float]]]:
    """The text and the clip of each line, by chapter; the structure of the whole file is checked."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        assert infos[0].filename == "mimetype"
        assert infos[0].compress_type == zipfile.ZIP_STORED
        assert not infos[0].extra
        assert path.read_bytes()[30:58] == b"mimetypeapplication/epub+zip"
        assert len({info.filename for info in infos}) == len(infos)
        files = {info.filename: archive.read(info) for info in infos}
    container = etree.fromstring(files["META-INF/container.xml"])
    package_name = container.find(".//{*}rootfile").get("full-path")
    package = etree.fromstring(files[package_name])
    base = posixpath.dirname(package_name)
    assert package.get("version") == "3.0"
    metadata = package.find(f"{OPF}metadata")
    for name in ("title", "identifier", "language"):
        assert metadata.find("{http://purl.org/dc/elements/1.1/}" + name).text.strip()
    assert metadata.find("{*}identifier").get("id") == package.get("unique-identifier")
    properties = {(meta.get("property"), meta.get("refines")): meta.text for meta in metadata.iter(f"{OPF}meta")}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", properties["dcterms:modified", None])
    items = {item.get("id"): item for item in package.iter(f"{OPF}item")}
    listed = {posixpath.join(base, item.get("href")) for item in items.values()}
    assert listed | {"mimetype", "META-INF/container.xml", package_name} == set(files)
    for item in items.values():
        assert item.get("media-type") == TYPES[posixpath.splitext(item.get("href"))[1]]
    (nav,) = [item for item in items.values() if item.get("properties") == "nav"]
    active = properties["media:active-class", None]
    assert f".{active} ".encode() in files[posixpath.join(base, "style.css")]
    spine = [items[reference.get("idref")] for reference in package.iter(f"{OPF}itemref")]
    contents = etree.fromstring(files[posixpath.join(base, nav.get("href"))])
    toc = next(n for n in contents.iter("{*}nav") if n.get("{http://www.idpf.org/2007/ops}type") == "toc")
    assert [link.get("href") for link in toc.iter("{*}a")] == [item.get("href") for item in spine]
    assert all("".join(link.itertext()).strip() for link in toc.iter("{*}a"))
    chapters, total = [], 0.0
    for item in spine:
        overlay = items[item.get("media-overlay")]
        lines, length = _chapter(files, base, item.get("href"), overlay.get("href"))
        assert abs(seconds(properties["media:duration", f"#{overlay.get('id')}"]) - length) < 0.0015
        total += length
        chapters.append(lines)
    assert abs(seconds(properties["media:duration", None]) - total) < 0.0015
    return chapters


def _chapter(
    files: dict[str, bytes], base: str, page_name: str, smil_name: str
) -> tuple[list[tuple[str, float, float]], float]:
    page = etree.fromstring(files[posixpath.join(base, page_name)])
    assert page.find(".//{*}title").text.strip()
    texts = {e.get("id"): "".join(e.itertext()) for e in page.iter("{*}*") if e.get("id")}
    assert len(texts) == len([e for e in page.iter("{*}*") if e.get("id")])
    smil = etree.fromstring(files[posixpath.join(base, smil_name)])
    assert smil.get("version") == "3.0"
    order = list(texts)
    lines, last, sound = [], 0.0, ""
    at = -1
    for par in smil.iter("{*}par"):
        place, _, name = par.find("{*}text").get("src").partition("#")
        assert place == page_name
        assert order.index(name) > at
        at = order.index(name)
        audio = par.find("{*}audio")
        begin, end = seconds(audio.get("clipBegin")), seconds(audio.get("clipEnd"))
        assert begin == last < end
        last, sound = end, audio.get("src")
        lines.append((texts[name].strip(), begin, end))
    with av.open(io.BytesIO(files[posixpath.join(base, sound)])) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        decoded = sum(frame.samples for frame in container.decode(audio=0)) / container.streams.audio[0].rate
    assert last <= decoded < last + 0.2
    return lines, last
