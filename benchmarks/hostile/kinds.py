"""The kinds of ``build`` by their names: without sources, with odd sources, with options of another kind."""

from collections.abc import Iterator

from .case import Case, Check
from .checks import kept, tells
from .options import PATHS
from .words import FETCH

KIND = "kinds of build"
OUT = ("--out", "made", "--workers", "1")
# The kind, what follows its name, and the parts that it reads; the first word is the source.
LINES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "labelled": (("labelled", *OUT), ("labelled",)),
    "synthetic": (("labelled/r0.txt", "--engine", "babble", *OUT), ("labelled",)),
    "raw": (FETCH[1:], ("raw",)),
}
FOREIGN: dict[str, tuple[tuple[str, ...], ...]] = {
    "labelled": (("--config", "podcast"), ("--only", "fetch"), ("--part", "1/1"), ("--engine", "babble"), ("--sentences", "3"), ("--synthetic", "labelled/r0.txt")),
    "synthetic": (("--config", "podcast"), ("--only", "fetch"), ("--columns", "id,text"), ("--synthetic", "labelled/r0.txt")),
    "raw": (("--engine", "babble"), ("--sentences", "3"), ("--columns", "id,text"), ("--synthetic", "labelled/r0.txt")),
}  # fmt: skip
ODD_SOURCES = tuple(path for path in PATHS if path != "/")  # to walk through the whole machine is no test


def cases() -> Iterator[Case]:
    """Every kind: as it should be, without its sources, with odd ones, and with what belongs to another kind."""
    for kind, (rest, parts) in LINES.items():
        check = None if kind == "raw" else kept(1)
        yield _case(f"{kind}-good", (kind, *rest), parts, "ran", check=check)
        # The folders 'labelled' and 'raw' are not there, because a folder of that name would be taken as the source.
        bare = parts if kind == "synthetic" else ()
        yield _case(f"{kind}-without-source", (kind, *rest[1:]), bare, "either" if bare else "refused")
        yield _case(f"{kind}-twice", (kind, kind, *rest), parts)
        yield Case(f"build/kinds/{kind}-help", KIND, ("build", kind, "--help"), expect="ran", check=tells("Usage"))
        for foreign in FOREIGN[kind]:
            yield _case(f"{kind}-with-{foreign[0]}", (kind, *rest, *foreign), parts, "refused")
        for path in dict.fromkeys(ODD_SOURCES):
            shown = path if len(path) <= 60 else f"{path[:20]}({len(path)} characters)"
            yield _case(f"{kind}-of={shown!a}", (kind, path, *rest[1:]), (*parts, "victim"))


def _case(
    label: str, words: tuple[str, ...], parts: tuple[str, ...], expect: str = "either", check: Check | None = None
) -> Case:
    return Case(f"build/kinds/{label}", KIND, ("build", *words), parts, expect=expect, check=check, writes=("made",))
