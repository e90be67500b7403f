"""Labelled recordings that are written down oddly: encodings, columns, names, quotes, ids; the good ones are kept."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import soundfile as sf

from .case import Case, written
from .checks import kept
from .words import BUILD, BUILD_LISTED, TRAIN_GPT, VERIFY, with_option
from .world import LABELLED

KIND = "labels"
BUILD_LJ = ("build", "lj", "--out", "made", "--workers", "1")
ROW = {"id": "x", "audio": "r0.wav", "text": LABELLED[0], "speaker": "low", "license": "CC0", "source": "toy"}
# label: the bytes of r0.txt, how many recordings must be kept
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


def cases() -> Iterator[Case]:
    """One odd thing among good recordings, in each layout; shards made by hand."""
    for label, (data, count) in PAIRS.items():
        yield _case(f"pair-{label}", BUILD, written("labelled/r0.txt", data), count)
    for label, (changed, count) in ROWS.items():
        yield _case(
            f"row-{label}", BUILD_LISTED, _appended(json.dumps({**ROW, **changed}).encode() + b"\n"), count, alone=False
        )
    for label, (line, count) in LINES.items():
        yield _case(f"line-{label}", BUILD_LISTED, _appended(line), count, alone=False)
    for label, (table, count) in TABLES.items():
        yield _case(f"table-{label}", BUILD_LJ, written("lj/metadata.csv", table), count)
    for label, (content, expect) in HELDOUTS.items():
        yield Case(
            f"build/labels/heldout-{label}",
            KIND,
            BUILD,
            ("labelled", "victim"),
            written("labelled/heldout.json", content.encode()),
            expect,
            writes=("made",),
        )
        yield Case(
            f"build/labels/--heldout-{label}",
            KIND,
            with_option(BUILD, "--heldout", "list.json"),
            ("labelled", "victim"),
            written("list.json", content.encode()),
            expect,
            writes=("made",),
        )
    yield from _trees()
    yield from _shards()


def _case(
    label: str, words: tuple[str, ...], prepare: Callable[[Path], object], count: int, alone: bool = True
) -> Case:
    parts = {"lj": ("lj",), "labelled": ("labelled",), "listed": ("listed",)}[words[1]]
    expect = "ran" if count else "refused"
    return Case(f"build/labels/{label}", KIND, words, (*parts, "victim"), prepare, expect, kept(count), ("made",))


def _appended(line: bytes) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        manifest = folder / "listed" / "manifest.jsonl"
        manifest.write_bytes(manifest.read_bytes() + line)

    return prepare


def _trees() -> Iterator[Case]:
    def two_trees(folder: Path) -> None:
        shutil.copytree(folder / "labelled", folder / "second")

    yield Case(
        "build/labels/two-trees-one-id",
        KIND,
        ("build", "labelled", "second", "--out", "made", "--workers", "1"),
        ("labelled",),
        two_trees,
        "ran",
        kept(6),
        ("made",),
    )

    def upper(folder: Path) -> None:
        (folder / "labelled" / "r0.wav").rename(folder / "labelled" / "r0.WAV")

    yield _case("upper-suffix", BUILD, upper, 3)

    def unusable(folder: Path) -> None:
        for file in (folder / "labelled").glob("*.txt"):
            file.unlink()

    yield Case("build/labels/nothing-usable", KIND, BUILD, ("labelled",), unusable, "refused", writes=("made",))

    def libri(folder: Path, content: bytes) -> None:
        chapter = folder / "libri" / "19" / "198"
        chapter.mkdir(parents=True)
        for number in range(3):
            wave, rate = sf.read(folder / "labelled" / f"r{number}.wav")
            sf.write(chapter / f"19-198-000{number}.flac", wave, rate)
        (chapter / "19-198.trans.txt").write_bytes(content)

    good = [f"19-198-000{number} {text.upper()}\n".encode() for number, text in enumerate(LABELLED)]
    for label, content in {
        "good": b"".join(good),
        "latin-1": b"19-198-0000 CAF\xe9 ON THE MAT\n" + good[1] + good[2],
        "no-text": b"19-198-0000\n" + good[1] + good[2],
        "spaces": b"   \n".join(good),
        "leads-out": b"../../../victim/thesis A CAT\n" + b"".join(good),
        "bom": b"\xef\xbb\xbf" + b"".join(good),
        "utf16": b"".join(good).decode().encode("utf-16"),
        "nul": b"19-198-0000 A\0B\n" + good[1] + good[2],
    }.items():
        words = ("build", "libri", "--out", "made", "--workers", "1")
        yield Case(
            f"build/labels/libri-{label}",
            KIND,
            words,
            ("labelled",),
            lambda folder, content=content: libri(folder, content),
            "ran",
            kept(3 if label in ("good", "bom", "spaces", "leads-out", "utf16") else 2),
            ("made",),
        )  # type: ignore[misc]


def _shards() -> Iterator[Case]:
    """Shards written by hand, with good checksums and bad content."""
    import io

    import numpy as np

    def made(
        folder: Path,
        kind: str,
        metas: list[dict[str, object]],
        payloads: list[bytes],
        extension: str,
        details: dict[str, object],
    ) -> None:
        from triforce_tts.shards import Sample, write_index, write_shard

        place = folder / "made-by-hand"
        place.mkdir()
        samples = [
            Sample(f"k{n}", meta, payload, extension)
            for n, (meta, payload) in enumerate(zip(metas, payloads, strict=True))
        ]
        info = write_shard(place / "train-000000.tar", samples)
        write_index(place, kind, {"train": [info], "heldout": []}, details)  # type: ignore[arg-type]

    def npy(array: object) -> bytes:
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=True)  # type: ignore[arg-type]
        return buffer.getvalue()

    good = np.arange(48, dtype=np.uint16).reshape(24, 2)
    meta = {
        "id": "k",
        "text": "a cat sat",
        "normalized": "a cat sat",
        "speaker": "low",
        "source": "toy",
        "license": "CC0",
        "sample_rate": 8000,
        "duration_s": 1.5,
        "punct": True,
    }
    arrays: dict[str, object] = {
        "negative": good.astype(np.int64) - 5, "no-frames": good[:0], "one-column": good[:, :1], "flat": good.reshape(-1), "floats": good.astype(np.float32), "too-large": good + np.uint16(60_000), "objects": np.array([{"a": 1}], dtype=object), "strings": np.array(["a"]), "3d": good[None], "booleans": good > 3, "scalar": np.uint16(5), "nan": np.full((24, 2), np.nan), "int64": good.astype(np.int64), "fortran": np.asfortranarray(good), "big-endian": good.astype(">u2"),
    }  # fmt: skip
    # The details that the world's own codes have come with the case.
    for label, array in arrays.items():
        for words in (TRAIN_GPT, VERIFY):

            def prepare(folder: Path, array: object = array) -> None:
                details = json.loads((folder / "codes" / "index.json").read_text())["details"]
                made(
                    folder,
                    "codes",
                    [{**meta, "id": f"k{n}"} for n in range(8)],
                    [npy(good)] * 7 + [npy(array)],
                    "codes.npy",
                    details,
                )

            line = tuple("made-by-hand" if word in ("codes", "shards") else word for word in words)
            strict = label not in ("int64", "fortran", "big-endian")
            yield Case(
                f"{'train/gpt' if words is TRAIN_GPT else 'verify'}/labels/codes-{label}",
                KIND,
                line,
                ("codes",),
                prepare,
                "refused" if strict else "either",
                writes=("run",),
                codes=(1, 2) if words is VERIFY else (2,),
                cheap=words is VERIFY,
            )
    npys = {
        "not-npy": b"hello",
        "empty": b"",
        "header-lies": npy(good).replace(b"(24, 2)", b"(99, 2)"),
        "huge-shape": npy(good).replace(b"(24, 2), }  ", b"(9999999, 2), }")[: len(npy(good))],
        "cut": npy(good)[:-3],
    }
    for label, payload in npys.items():

        def prepare_bytes(folder: Path, payload: bytes = payload) -> None:
            details = json.loads((folder / "codes" / "index.json").read_text())["details"]
            made(
                folder,
                "codes",
                [{**meta, "id": f"k{n}"} for n in range(8)],
                [npy(good)] * 7 + [payload],
                "codes.npy",
                details,
            )

        yield Case(
            f"train/gpt/labels/npy-{label}",
            KIND,
            tuple("made-by-hand" if word == "codes" else word for word in TRAIN_GPT),
            ("codes",),
            prepare_bytes,
            "refused",
            writes=("run",),
            cheap=False,
        )
        yield Case(
            f"verify/labels/npy-{label}",
            KIND,
            ("verify", "made-by-hand", "--workers", "1"),
            ("codes",),
            prepare_bytes,
            "refused",
            codes=(1, 2),
        )
    from .records import MISSING, VALUES

    for field in (
        "id",
        "text",
        "normalized",
        "speaker",
        "source",
        "license",
        "sample_rate",
        "duration_s",
        "alignment",
        "snr_db",
    ):
        from .case import draw

        for value in draw(f"shard-{field}", [label for label in VALUES if label not in ("deep",)], 5):

            def one_field(folder: Path, field: str = field, value: str = str(value)) -> None:
                details = json.loads((folder / "codes" / "index.json").read_text())["details"]
                changed = {**meta, "id": "k7", field: VALUES[value]}
                if VALUES[value] is MISSING:
                    del changed[field]
                try:
                    made(
                        folder,
                        "codes",
                        [*({**meta, "id": f"k{n}"} for n in range(7)), changed],
                        [npy(good)] * 8,
                        "codes.npy",
                        details,
                    )
                except Exception:  # the writer refuses it: nothing to try
                    shutil.rmtree(folder / "made-by-hand", ignore_errors=True)

            yield Case(
                f"train/gpt/labels/meta-{field}={value}",
                KIND,
                tuple("made-by-hand" if word == "codes" else word for word in TRAIN_GPT),
                ("codes",),
                one_field,
                writes=("run",),
                cheap=False,
            )
            yield Case(
                f"verify/labels/meta-{field}={value}",
                KIND,
                ("verify", "made-by-hand", "--workers", "1"),
                ("codes",),
                one_field,
                codes=(1, 2),
            )
            yield Case(f"inspect/labels/meta-{field}={value}", KIND, ("inspect", "made-by-hand"), ("codes",), one_field)
