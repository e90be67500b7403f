"""Labelled recordings whose texts or tables are odd: encodings, columns, names, quotes, ids. Good ones must be kept."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import soundfile as sf

from .case import Case, written
from .checks import kept
from .words import BUILD, BUILD_LISTED, with_option
from .world import LABELLED

KIND = "labels"
BUILD_LJ = ("build", "lj", "--out", "made", "--workers", "1")
BUILD_LIBRI = ("build", "libri", "--out", "made", "--workers", "1")
ROW = {"id": "x", "audio": "r0.wav", "text": LABELLED[0], "speaker": "low", "license": "CC0", "source": "toy"}
# By label: the bytes of r0.txt, and how many recordings must be kept. The tables below are alike.
PAIRS: dict[str, tuple[bytes, int]] = {
    "cp1252": ("the café sat on the mat".encode("cp1252"), 2), "utf16": (LABELLED[0].encode("utf-16"), 3), "utf8-bom": (b"\xef\xbb\xbf" + LABELLED[0].encode(), 3), "empty": (b"", 2), "spaces": (b"  \n\t\n", 2), "nul": (b"the cat\0 sat on the mat", 2),
    "two-lines": (b"the cat sat\non the mat\n", 3), "crlf": (LABELLED[0].encode() + b"\r\n", 3), "huge": (b"word " * 2_000_000, 2), "line-separator": ("the cat\u2028sat on the mat".encode(), 2), "surrogate": (b"the cat \xed\xa0\x80", 2), "emoji": ("😀 😀 😀".encode(), 2), "cut-utf8": ("the cat é".encode()[:-1], 2), "json": (b'{"text": "the cat sat"}', 2),
}  # fmt: skip
ROWS: dict[str, tuple[dict[str, object], int]] = {
    "text-null": ({"text": None}, 3), "text-number": ({"text": 5}, 3), "text-list": ({"text": ["a"]}, 3), "speaker-number": ({"speaker": 5}, 3), "speaker-null": ({"speaker": None}, 3), "audio-missing": ({"audio": "nowhere.wav"}, 3), "audio-null": ({"audio": None}, 3), "audio-out": ({"audio": "../victim/thesis.txt"}, 3), "audio-absolute": ({"audio": "/dev/zero"}, 3),
    "audio-folder": ({"audio": "."}, 3), "id-null": ({"id": None}, 3), "id-number": ({"id": 7}, 3), "id-path": ({"id": "../../x"}, 3), "id-dots": ({"id": "./a.b.c"}, 4), "id-long": ({"id": "i" * 5000}, 4), "id-newline": ({"id": "a\nb"}, 3), "id-unicode": ({"id": "é😀"}, 4), "id-empty": ({"id": ""}, 3), "license-null": ({"license": None}, 3), "license-list": ({"license": []}, 3), "source-number": ({"source": 3}, 3), "snr-string": ({"snr_db": "x"}, 3), "snr-nan": ({"snr_db": float("nan")}, 3), "extra": ({"extra": {"a": 1}}, 4), "line-separator": ({"text": "the cat\u2028sat on the mat"}, 4), "surrogate": ({"text": "the cat \ud800"}, 3), "speaker-surrogate": ({"speaker": "\ud800"}, 3), "speaker-path": ({"speaker": "../x"}, 3),
    "reader-number": ({"reader": 5}, 3), "text-long": ({"text": "word " * 100_000}, 3), "nul": ({"text": "the cat \0 sat on it"}, 3),
}  # fmt: skip
LINES: dict[str, tuple[bytes, int]] = {
    "spaces": (b"   \n", 3), "not-json": (b"hello\n", 3), "list": (b"[]\n", 3), "null": (b"null\n", 3), "number": (b"5\n", 3), "empty-object": (b"{}\n", 3), "half": (b'{"id": "x", \n', 3), "latin-1": ('{"id": "x", "audio": "r0.wav", "text": "café sat on it", "speaker": "l"}\n'.encode("latin-1"), 3), "deep": (b"[" * 100_000 + b"\n", 3), "twice": (json.dumps({**ROW, "id": "r0"}).encode() + b"\n", 3), "big-number": (b'{"id": ' + b"9" * 6000 + b"}\n", 3), "bom": (b"\xef\xbb\xbf" + json.dumps(ROW).encode() + b"\n", 3),
}  # fmt: skip
TABLES: dict[str, tuple[bytes, int]] = {
    "cp1252": (b"r0|caf\xe9 on the mat\nr1|six old hats saw a run\nr2|a red mat and the cat\n", 2), "utf16": ("".join(f"r{n}|{t}\n" for n, t in enumerate(LABELLED)).encode("utf-16"), 3), "utf8-bom": (b"\xef\xbb\xbf" + "".join(f"r{n}|{t}\n" for n, t in enumerate(LABELLED)).encode(), 3), "with-suffix": ("".join(f"r{n}.wav|{t}\n" for n, t in enumerate(LABELLED)).encode(), 3), "upper-suffix": ("".join(f"r{n}.WAV|{t}\n" for n, t in enumerate(LABELLED)).encode(), 3),
    "dot-path": ("".join(f"./wavs/r{n}.wav|{t}\n" for n, t in enumerate(LABELLED)).encode(), 3), "folder-path": ("".join(f"wavs/r{n}.wav|{t}\n" for n, t in enumerate(LABELLED)).encode(), 3), "three-with-speaker": ("".join(f"r{n}|bob|{t}\n" for n, t in enumerate(LABELLED)).encode(), 3), "quoted-pipe": (b'r0|"the cat | sat on the mat"\nr1|six old hats saw a run\nr2|a red mat and the cat\n', 3), "spaces": ("".join(f"r{n}|{t}\n   \n" for n, t in enumerate(LABELLED)).encode(), 3), "one-column": (b"r0\nr1|six old hats saw a run\nr2|a red mat and the cat\n", 2),
    "missing-audio": (b"nowhere|the cat sat on the mat\nr1|six old hats saw a run\nr2|a red mat and the cat\n", 2), "leads-out": (b"../../victim/thesis|the cat sat on\nr1|six old hats saw a run\nr2|a red mat and the cat\n", 2), "absolute": (b"/dev/zero|the cat sat on\nr1|six old hats saw a run\nr2|a red mat and the cat\n", 2), "crlf": ("".join(f"r{n}|{t}\r\n" for n, t in enumerate(LABELLED)).encode(), 3), "nul": (b"r0|the\0cat sat on the mat\nr1|six old hats saw a run\nr2|a red mat and the cat\n", 2), "empty": (b"", 0), "header": (("id|text\n" + "".join(f"r{n}|{t}\n" for n, t in enumerate(LABELLED))).encode(), 3),
    "long-line": (b"r0|" + b"x" * 300_000 + b"\nr1|six old hats saw a run\nr2|a red mat and the cat\n", 2), "twice": ("".join(f"r{n}|{t}\n" * 2 for n, t in enumerate(LABELLED)).encode(), 3), "separators": (f"r0|the cat\u2028sat on the mat\nr1|{LABELLED[1]}\nr2|{LABELLED[2]}\n".encode(), 3),
}  # fmt: skip
HELDOUTS: dict[str, tuple[str, str]] = {
    "readers-string": ('{"readers": "abc"}', "refused"), "utterances-string": ('{"my_utterances": "r0"}', "refused"), "list": ("[]", "refused"), "empty": ("{}", "refused"), "null": ("null", "refused"), "numbers": ('{"readers": [1, 2]}', "refused"), "nested": ('{"readers": [["low"]]}', "refused"), "null-inside": ('{"my_utterances": [null]}', "refused"), "deep": ("[" * 100_000, "refused"), "unknown-key": ('{"speakers": ["low"]}', "refused"),
    "nobody": ('{"readers": ["nobody"]}', "either"), "all": ('{"readers": ["labelled"]}', "either"), "big-number": ('{"readers": ' + "9" * 6000 + "}", "refused"), "surrogate": ('{"readers": ["\\ud800"]}', "either"), "nan": ('{"readers": NaN}', "refused"), "object": ('{"readers": {"a": 1}}', "refused"), "dangling-key": ('{"readers": ["a"], "readers": ["b"]}', "either"),
}  # fmt: skip


LIBRI = [f"19-198-000{number} {text.upper()}\n".encode() for number, text in enumerate(LABELLED)]
TRANSCRIPTS: dict[str, tuple[bytes, int]] = {
    "good": (b"".join(LIBRI), 3), "latin-1": (b"19-198-0000 CAF\xe9 ON THE MAT\n" + LIBRI[1] + LIBRI[2], 2), "no-text": (b"19-198-0000\n" + LIBRI[1] + LIBRI[2], 2), "spaces": (b"   \n".join(LIBRI), 3), "leads-out": (b"../../../victim/thesis A CAT\n" + b"".join(LIBRI), 3), "bom": (b"\xef\xbb\xbf" + b"".join(LIBRI), 3), "utf16": (b"".join(LIBRI).decode().encode("utf-16"), 3), "nul": (b"19-198-0000 A\0B\n" + LIBRI[1] + LIBRI[2], 2),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """One odd thing among good recordings, in each layout."""
    for label, (data, count) in PAIRS.items():
        yield _case(f"pair-{label}", BUILD, written("labelled/r0.txt", data), count)
    for label, (changed, count) in ROWS.items():
        yield _case(f"row-{label}", BUILD_LISTED, _appended(row_of(changed)), count)
    for label, (line, count) in LINES.items():
        yield _case(f"line-{label}", BUILD_LISTED, _appended(line), count)
    for label, (table, count) in TABLES.items():
        yield _case(f"table-{label}", BUILD_LJ, written("lj/metadata.csv", table), count)
    for label, (content, expect) in HELDOUTS.items():
        yield _heldout("heldout", BUILD, "labelled/heldout.json", label, content, expect)
        command = with_option(BUILD, "--heldout", "list.json")
        yield _heldout("--heldout", command, "list.json", label, content, expect)
    for label, (transcript, count) in TRANSCRIPTS.items():
        yield _whole(f"libri-{label}", BUILD_LIBRI, ("labelled",), _libri(transcript), count)
    yield from _trees()


def row_of(changed: dict[str, object]) -> bytes:
    """A line of a manifest with some fields changed."""
    return json.dumps({**ROW, **changed}).encode() + b"\n"


def _case(label: str, words: tuple[str, ...], prepare: Callable[[Path], object], count: int) -> Case:
    """A build of the folder ``words[1]`` beside the stranger's files; it must keep ``count`` recordings."""
    return _whole(label, words, (words[1], "victim"), prepare, count)


def _whole(
    label: str, words: tuple[str, ...], parts: tuple[str, ...], prepare: Callable[[Path], object], count: int
) -> Case:
    expect = "ran" if count else "refused"
    return Case(f"build/labels/{label}", KIND, words, parts, prepare, expect, kept(count), ("made",))


def _heldout(how: str, words: tuple[str, ...], name: str, label: str, content: str, expect: str) -> Case:
    """A list of what is held out, in the source's own folder or named by the option."""
    prepare = written(name, content.encode())
    return Case(f"build/labels/{how}-{label}", KIND, words, ("labelled", "victim"), prepare, expect, writes=("made",))


def _appended(line: bytes) -> Callable[[Path], None]:
    """Add a line to the manifest."""

    def prepare(folder: Path) -> None:
        manifest = folder / "listed" / "manifest.jsonl"
        manifest.write_bytes(manifest.read_bytes() + line)

    return prepare


def _libri(transcript: bytes) -> Callable[[Path], None]:
    """Lay the recordings out as LibriSpeech does, with this transcript."""

    def prepare(folder: Path) -> None:
        chapter = folder / "libri" / "19" / "198"
        chapter.mkdir(parents=True)
        for number in range(len(LABELLED)):
            wave, rate = sf.read(folder / "labelled" / f"r{number}.wav")
            sf.write(chapter / f"19-198-000{number}.flac", wave, rate)
        (chapter / "19-198.trans.txt").write_bytes(transcript)

    return prepare


def _trees() -> Iterator[Case]:
    """Whole folders: the same ids in two of them, suffixes in capitals, recordings without texts."""

    def two_trees(folder: Path) -> None:
        shutil.copytree(folder / "labelled", folder / "second")

    def upper(folder: Path) -> None:
        (folder / "labelled" / "r0.wav").rename(folder / "labelled" / "r0.WAV")

    def unusable(folder: Path) -> None:
        for file in (folder / "labelled").glob("*.txt"):
            file.unlink()

    words = ("build", "labelled", "second", *BUILD[2:])
    yield _whole("two-trees-one-id", words, ("labelled",), two_trees, 2 * len(LABELLED))
    yield _case("upper-suffix", BUILD, upper, len(LABELLED))
    yield Case("build/labels/nothing-usable", KIND, BUILD, ("labelled",), unusable, "refused", writes=("made",))
