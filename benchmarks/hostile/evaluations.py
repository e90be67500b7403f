"""``evaluate``: its sentences, the manifests of recordings, the voices, and a report that would take another's place."""

import json
import os
import struct
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
    "ten-megabyte-line": (lambda: b"word " * 2_000_000 + b"\n", "refused"), "twice": (b"a cat\n" * 1000, "ran"), "million-lines": (lambda: b"".join(b"cat %d\n" % n for n in range(1_000_000)), "ran"),
    "braces": (b"{XX} a cat\n", "refused"), "option": (b"--force\n", "either"), "json": (b'{"text": "a cat"}\n', "either"),
}  # fmt: skip
# What stands in place of the file or the folder that an option names.
INSTEAD: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: None, "folder": lambda path: path.mkdir(), "pipe": os.mkfifo, "dangling": lambda path: path.symlink_to("nowhere"), "loop": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"), "prose": lambda path: path.write_text("these are words\n"), "empty": lambda path: path.touch(),
}  # fmt: skip
OPTIONS = ("--texts", "--natural", "--beside", "--voices", "--against", "--model", "--recogniser")
# Places that --force must not clear, because no report is there.
NOT_REPORTS = ("victim", "victim/thesis.txt", "model", "labelled", "listed", "shards", ".", "link")


def cases() -> Iterator[Case]:
    """Sentences, manifests, voices, missing files, and outputs that are not the user's to replace."""
    for label, (content, expect) in TEXTS.items():
        words = with_option(EVALUATE, "--texts", "lines.txt")
        yield _case(f"texts={label}", words, written("lines.txt", content), expect)
    lines = TEXTS["million-lines"][0]
    words = with_option(with_option(EVALUATE, "--texts", "lines.txt"), "--limit", "1000000")
    yield _case("texts=million-lines-all", words, written("lines.txt", lines), "refused")
    yield from _manifests()
    yield _case("over-report-of-another", EVALUATE, _report_of_another, "refused", writes=())
    yield _case("over-report-of-another-forced", (*EVALUATE, "--force"), _report_of_another, "ran")
    yield _case("over-unfinished", EVALUATE, _unfinished, "ran")
    yield _case("over-file", EVALUATE, written("report", b"my thesis\n"), "refused", writes=())
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


def _report_of_another(folder: Path) -> None:
    """A finished report of another model, as its marker says."""
    (folder / "report").mkdir()
    marker = {"format": 1, "kind": "report", "content": "an evaluation of big (0123456789ab)"}
    (folder / "report" / ".triforce-tts.json").write_text(json.dumps(marker))
    (folder / "report" / "report.json").write_text("{}")


def _unfinished(folder: Path) -> None:
    """What a killed evaluation may leave: half a line, a line of nonsense, a clip without a judgement."""
    (folder / "report" / "audio").mkdir(parents=True)
    (folder / "report" / ".triforce-tts.json").write_text('{"format": 1, "kind": "report"}')
    (folder / "report" / "judged.jsonl").write_bytes(b'{"key": 1}\n\xff\xfe\n[]\n{"key": "half')
    (folder / "report" / "audio" / "00001-x.ogg").write_bytes(b"OggS")


def _manifests() -> Iterator[Case]:
    """A manifest of one odd line, and one whose records are hostile JSON; the sentences are its own."""
    words = with_option(
        tuple(w for w in EVALUATE if w not in ("--texts", "labelled/r0.txt")), "--natural", "listed/odd.jsonl"
    )
    contents = {**{f"line-{label}": line for label, (line, _) in LINES.items()},
                **{f"row-{label}": row_of(changed) for label, (changed, _) in ROWS.items()}}  # fmt: skip
    for label, line in contents.items():
        yield _case(f"natural={label}", words, written("listed/odd.jsonl", line), parts=("model", "listed"))
    beside = with_option(EVALUATE, "--beside", "listed/odd.jsonl")
    for label in list(contents)[::5]:
        yield _case(
            f"beside={label}",
            beside,
            written("listed/odd.jsonl", contents[label]),
            parts=("model", "labelled", "listed"),
        )


def _in_voices(make: Callable[[Path, bytes], object]) -> Callable[[Path], None]:
    """Fill a folder of voices by ``make``, which is given the folder and the bytes of a good clip."""

    def prepare(folder: Path) -> None:
        (folder / "voices").mkdir()
        make(folder / "voices", (folder / "labelled" / "r0.wav").read_bytes())

    return prepare


def _wav(rate: int, frames: int) -> bytes:
    """The head of a WAV file of 16 bits that announces ``frames`` samples."""
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + 2 * frames) + b"WAVE" + chunk + b"data" + struct.pack("<I", 2 * frames)


def _sparse(path: Path, seconds: int) -> None:
    """A sound of silence that takes no space on the disk."""
    path.write_bytes(_wav(8000, 8000 * seconds))
    os.truncate(path, 44 + 2 * 8000 * seconds)


def _many(folder: Path, count: int, content: bytes = b"") -> None:
    for number in range(count):
        (folder / f"{number}.wav").write_bytes(content)


def _circle(folder: Path, clip: bytes) -> None:
    (folder / "low.wav").write_bytes(clip)
    (folder / "again").symlink_to(".")
    (folder / "a.wav").symlink_to("b.wav")
    (folder / "b.wav").symlink_to("a.wav")


def _folders(folder: Path, clip: bytes) -> None:
    for number in range(9_999):
        (folder / f"{number}").mkdir()


def _of_one(folder: Path, clip: bytes) -> None:
    (folder / "ann").mkdir()
    _many(folder / "ann", 300, clip)


def _deep(folder: Path, clip: bytes) -> None:
    deepest = folder.joinpath(*"abcdefghij" * 10)
    deepest.mkdir(parents=True)
    (deepest / "low.wav").write_bytes(clip)


def _named(folder: Path, clip: bytes) -> None:
    (folder / "-rf <b>\n.wav").write_bytes(clip)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.wav")).write_bytes(clip)


# How a folder of voices is filled, and what is right.
VOICES: dict[str, tuple[Callable[[Path, bytes], object], str]] = {
    "in-circles": (_circle, "either"), "deep": (_deep, "refused"), "odd-names": (_named, "either"),
    "empty-file": (lambda folder, clip: (folder / "low.wav").touch(), "either"),
    "pipe": (lambda folder, clip: os.mkfifo(folder / "low.wav"), "refused"),
    "many-empty": (lambda folder, clip: _many(folder, 100_000), "refused"),
    "many-folders": (_folders, "refused"),
    "many": (lambda folder, clip: _many(folder, 600, clip), "refused"),
    "many-of-one": (_of_one, "ran"),
    "of-a-second": (lambda folder, clip: (folder / "low.wav").write_bytes(_wav(8000, 8000) + b"\0\1" * 8000), "either"),
    "of-ten-hours": (lambda folder, clip: _sparse(folder / "low.wav", 36_000), "either"),
    "prose": (lambda folder, clip: (folder / "low.wav").write_text("these are words\n"), "either"),
}  # fmt: skip


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
    for label, (make, expect) in VOICES.items():
        yield _case(f"voices-{label}", words, _in_voices(make), expect)
    yield _case("voices-twice", words, twice, "refused")
    yield _case("voices-broken", words, broken)
    yield _case("voices-locked", words, locked)
    yield _case("voices-are-everything", with_option(EVALUATE, "--voices", "."), nothing)
