"""The table of contents of an epub: of its navigation document, else of its NCX, with landmarks and guide."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .draft import clean
from .epub import EpubFiles, Package, resolve
from .html_rules import name_of, types_of

Place = tuple[str, str]  # a file of the zip and a fragment
_GUIDE_TYPES = {"title-page": "titlepage", "text": "bodymatter", "start": "bodymatter"}


@dataclass(frozen=True)
class Entry:
    """An entry: its label, its level from 1, and the place that it leads to (None for a label without a link)."""

    title: str
    level: int
    place: Place | None


@dataclass(frozen=True)
class Contents:
    """The entries in their order, and the landmarks: the files and fragments whose kind the book states."""

    entries: list[Entry]
    landmarks: dict[Place, set[str]] = field(default_factory=dict)
    document: str = ""
    faults: tuple[str, ...] = ()  # the parts of the contents that cannot be used, one sentence each

    def moved(self, names: Mapping[str, str]) -> "Contents":
        """The contents; a place in one of the files ``names`` is now in the file that stands for it."""
        entries = [replace(e, place=e.place and _moved(e.place, names)) for e in self.entries]
        return replace(self, entries=entries, landmarks={_moved(p, names): t for p, t in self.landmarks.items()})


def _moved(place: Place, names: Mapping[str, str]) -> Place:
    return names.get(place[0], place[0]), place[1]


def read_contents(files: EpubFiles, package: Package) -> Contents:
    """The contents of an epub; a book without a table of contents has no entries."""
    landmarks: dict[Place, set[str]] = {}
    for reference in package.root.iter("{*}reference"):
        place = resolve(package.name, reference.get("href", ""))
        kind = reference.get("type", "").lower()
        landmarks.setdefault(place, set()).add(_GUIDE_TYPES.get(kind, kind))
    entries: list[Entry] = []
    faults: list[str] = []
    name = next((package.path_of(i.get("href", "")) for i in package.items.values() if _is_nav(i)), "")
    page = files.spare_page(name, "The table of contents", faults) if name else None
    for nav in page.iter("{*}nav") if page is not None else ():
        if "toc" in types_of(nav) and not entries:
            entries = list(_nav_entries(nav, name, 0))
        elif "landmarks" in types_of(nav):
            for link in nav.iter("{*}a"):
                landmarks.setdefault(resolve(name, link.get("href", "")), set()).update(types_of(link))
    if page is not None and not entries:
        faults.append(f"The table of contents {name!r} names no chapters.")
    if not entries:
        entries = _ncx_entries(files, package, faults)
    return Contents(entries, landmarks, name, tuple(faults))


def _is_nav(item: Any) -> bool:
    return "nav" in item.get("properties", "").split()


def _nav_entries(element: Any, document: str, level: int) -> Iterator[Entry]:
    for child in element:
        name = name_of(child)
        if name == "li":
            label = next((part for part in child if name_of(part) in ("a", "span", "p")), None)
            if label is not None:
                link = label if label.get("href") else next((a for a in label.iter("{*}a") if a.get("href")), None)
                place = resolve(document, link.get("href")) if link is not None else None
                yield Entry(_label(label), level, place)
        yield from _nav_entries(child, document, level + (name in ("ol", "ul")))


def _ncx_entries(files: EpubFiles, package: Package, faults: list[str]) -> list[Entry]:
    spine = next(package.root.iter("{*}spine"), None)
    item = package.items.get(spine.get("toc", "")) if spine is not None else None
    if item is None:
        item = next((i for i in package.items.values() if "dtbncx" in i.get("media-type", "")), None)
    name = package.path_of(item.get("href", "")) if item is not None else ""
    root = files.spare_page(name, "The table of contents", faults) if name else None
    points = next(root.iter("{*}navMap"), None) if root is not None else None
    return list(_points(points, name, 1)) if points is not None else []


def _points(element: Any, document: str, level: int) -> Iterator[Entry]:
    for point in element.iterchildren("{*}navPoint"):
        label = next(point.iterchildren("{*}navLabel"), None)
        content = next(point.iterchildren("{*}content"), None)
        source = content.get("src", "") if content is not None else ""
        yield Entry(_label(label) if label is not None else "", level, resolve(document, source) if source else None)
        yield from _points(point, document, level + 1)


def _label(element: Any) -> str:
    pictures = "" if "".join(element.itertext()).strip() else " ".join(i.get("alt", "") for i in element.iter("{*}img"))
    return clean("".join(element.itertext()) + pictures)
