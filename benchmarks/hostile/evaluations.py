"""``evaluate``: its sentences, the manifests of recordings, the voices, and a report that would take another's place."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case, nothing, written
from .labels import LINES, ROWS, row_of
from .words import EVALUATE, EVALUATE_BESIDE, PARTS, patience, with_option

KIND = "evaluations"
# The content of the list of sentences, and what is right.
TEXTS: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "empty": (b"", "refused"), "blank": (b"\n \n\t\n", "refused"), "binary": (bytes(range(256)) * 40, "refused"), "latin-1": (b"caf\xe9 au lait\n", "refused"), "utf16": ("a cat\n".encode("utf-16"), "refused"),
    "surrogate": (b"\xed\xa0\x80\n", "refused"), "one-long-line": (b"word " * 100_000 + b"\n", "refused"), "big": (lambda: b"a cat sat here\n" * 8_000_000, "refused"), "bom": (b"\xef\xbb\xbfa cat\n", "either"), "crlf": (b"a cat\r\n", "either"),
    "nul": (b"a\0cat\n", "either"), "control": (b"\x1b[31ma cat\x07\n", "either"), "markup": (b"<script>alert(1)</script> a cat\n", "either"), "only-marks": (b"... --- ...\n", "refused"), "emoji": ("😀\n".encode(), "refused"),
    "braces": (b"{XX} a cat\n", "refused"), "option": (b"--force\n", "either"), "json": (b'{"text": "a cat"}\n', "either"),
}  # fmt: skip
# What stands in place of the file or the folder that an option names.
INSTEAD: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: None, "folder": lambda path: path.mkdir(), "pipe": os.mkfifo, "dangling": lambda path: path.symlink_to("nowhere"), "loop": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"), "prose": lambda path: path.write_text("these are words\n"), "empty": lambda path: path.touch(),
}  # fmt: skip
OPTIONS = ("--texts", "--natural", "--voices", "--against", "--model", "--recogniser")
# Places that --force must not clear, because no report is there.
NOT_REPORTS = ("victim", "victim/thesis.txt", "model", "labelled", "listed", "shards", ".", "link")


def cases() -> Iterator[Case]:
    """Sentences, manifests, voices, missing files, and outputs that are not the user's to replace."""
    for label, (content, expect) in TEXTS.items():
        words = with_option(EVALUATE, "--texts", "lines.txt")
        yield _case(f"texts={label}", words, written("lines.txt", content), expect)
    yield from _manifests()
    for option in OPTIONS:
        for label, make in INSTEAD.items():
            prepare = _put("given", make)
            fine = (option, label) in (("--texts", "prose"),)
            yield _case(
                f"{option}-is-{label}", with_option(EVALUATE, option, "given"), prepare, "either" if fine else "refused"
            )
    yield from _voices()
    for place in NOT_REPORTS:
        words = (*with_option(EVALUATE_BESIDE, "--out", place), "--force")
        yield _case(
            f"force-over={place}", words, _linked, "refused", parts=("shards", *PARTS[EVALUATE_BESIDE]), writes=()
        )


def _case(
    label: str,
    words: tuple[str, ...],
    prepare: Callable[[Path], object],
    expect: str = "either",
    parts: tuple[str, ...] = PARTS[EVALUATE],
    writes: tuple[str, ...] = ("report",),
) -> Case:
    return Case(f"evaluate/evaluations/{label}", KIND, words, (*parts, "victim"), prepare, expect, _has_report, writes,
                patience=patience(words), cheap=False)  # fmt: skip


def _has_report(folder: Path, done: object) -> str:
    return "" if (folder / "report" / "report.json").is_file() else "no report was written"


def _put(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: make(folder / name)


def _linked(folder: Path) -> None:
    (folder / "link").symlink_to("victim")


def _manifests() -> Iterator[Case]:
    """A manifest of one odd line, and one whose records are hostile JSON; the sentences are its own."""
    words = with_option(
        tuple(w for w in EVALUATE if w not in ("--texts", "labelled/r0.txt")), "--natural", "listed/odd.jsonl"
    )
    contents = {**{f"line-{label}": line for label, (line, _) in LINES.items()},
                **{f"row-{label}": row_of(changed) for label, (changed, _) in ROWS.items()}}  # fmt: skip
    for label, line in contents.items():
        yield _case(f"natural={label}", words, written("listed/odd.jsonl", line), parts=("model", "listed"))


def _voices() -> Iterator[Case]:
    """Folders of voices: with a file that is no sound, a locked folder, the same name twice, the whole case."""

    def twice(folder: Path) -> None:
        (folder / "voices").mkdir()
        for name in ("low.wav", "low.flac"):
            (folder / "voices" / name).write_bytes((folder / "labelled" / "r0.wav").read_bytes())

    def broken(folder: Path) -> None:
        (folder / "voices").mkdir()
        (folder / "voices" / "low.wav").write_bytes(b"RIFF")

    def locked(folder: Path) -> None:
        twice(folder)
        (folder / "voices" / "low.flac").unlink()
        (folder / "voices" / "mine").mkdir()
        (folder / "voices" / "mine").chmod(0)

    words = with_option(EVALUATE, "--voices", "voices")
    yield _case("voices-twice", words, twice, "refused")
    yield _case("voices-broken", words, broken)
    yield _case("voices-locked", words, locked)
    yield _case("voices-are-everything", with_option(EVALUATE, "--voices", "."), nothing)
