"""Names that no honest file has: of inputs, of folders inside a source, and names that FFmpeg reads as an address."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case, Check, written
from .checks import found_talk, kept, sounds
from .words import (
    BUILD,
    EXPORT,
    FETCH,
    INSPECT,
    LISTEN,
    PARTS,
    RESYNTHESIZE,
    SPEAK,
    SPEAK_VOICE,
    VERIFY,
    exit_codes,
    with_option,
)

KIND = "names"
ODD = ("a\nb", "\udcff\udcfe", "n" * 255, "n" * 250, "-dash", "http:", "tcp:", " ", "%s{}", "é" * 100, "😀", "a'b\"c`$(id)", "\x1b[31m", "x.tmp", ".hidden", "CON",
       "\u202eabc", "a\\b", "a:b", "*", "~", "pipe:0", "concat:x|y", "nul\x7f")  # fmt: skip
SUFFIX_LENGTH = 4
DRY_RUN = ("--config", "podcast", "--dry-run")
SCHEMES = ("http:", "tcp:", "https:", "udp:", "rtmp:", "ftp:", "concat:", "file:", "pipe:", "hls+http:", "data:", "crypto:", "subfile,,start,0,end,0,,:",
           "cache:", "async:")  # fmt: skip
SUFFIXES = (".mp3", ".mkv", ".m4a")
ADDRESSES = ("tcp:127.0.0.1:0?listen=1", "http:127.0.0.1:1", "https:x", "concat:a|b")
NO_SOUND = b"ID3" + bytes(500)


def cases() -> Iterator[Case]:
    """Odd names of recordings, of folders that options name, and of folders inside a source; then addresses."""
    for odd in ODD:
        shown = ascii(odd)[1:-1] if len(odd) < 30 else f"{ascii(odd[0])[1:-1]}-{len(odd)}"
        yield from _recordings(odd, shown)
        yield from _folders(odd, shown)
        yield from _inside(odd, shown)
    yield from _protocols()
    yield from _addresses()


def _case(
    name: str,
    words: tuple[str, ...],
    parts: tuple[str, ...],
    prepare: Callable[[Path], None],
    expect: str = "either",
    check: Check | None = None,
    writes: tuple[str, ...] = (),
) -> Case:
    return Case(name, KIND, words, parts, prepare, expect, check, writes, exit_codes(words))


def _given(odd: str) -> str:
    """The name as an argument that is no option."""
    return f"./{odd}" if odd.startswith("-") else odd


def _renamed(part: str, new: str) -> Callable[[Path], None]:
    return lambda folder: os.rename(folder / part, os.fsencode(folder / new))  # noqa: PTH104


def _recordings(odd: str, shown: str) -> Iterator[Case]:
    """A recording of this name."""
    wave = odd[: 255 - SUFFIX_LENGTH] + ".wav"
    prepare, out = _renamed("voice.wav", wave), ("out.wav",)
    words: tuple[str, ...] = ("resynthesize", _given(wave), *RESYNTHESIZE[2:])
    yield _case(f"resynthesize/names/in={shown}", words, PARTS[RESYNTHESIZE], prepare, check=sounds(), writes=out)
    words = with_option(SPEAK_VOICE, "--voice", wave)
    yield _case(f"speak/names/voice={shown}", words, PARTS[SPEAK_VOICE], prepare, check=sounds(), writes=out)
    words = ("listen", _given(wave), *LISTEN[2:])
    yield _case(f"listen/names/in={shown}", words, PARTS[LISTEN], prepare)


def _folders(odd: str, shown: str) -> Iterator[Case]:
    """A model, shards, a source and a run of this name."""
    argument = _given(odd)
    words = with_option(SPEAK, "--model", odd)
    model = _renamed("model", odd)
    yield _case(f"speak/names/model={shown}", words, ("model",), model, check=sounds(), writes=("out.wav",))
    shards = _renamed("shards", odd)
    yield _case(f"verify/names/shards={shown}", ("verify", argument, "--workers", "1"), ("shards",), shards)
    yield _case(f"inspect/names/shards={shown}", ("inspect", argument), ("shards",), shards)
    source = _renamed("labelled", odd)
    yield _case(f"build/names/source={shown}", ("build", argument, *BUILD[2:]), ("labelled",), source, writes=("made",))
    run = _renamed("dvae", odd)
    yield _case(f"export/names/run={shown}", ("export", argument, *EXPORT[2:]), ("dvae",), run, writes=("made",))


def _inside(odd: str, shown: str) -> Iterator[Case]:
    """A source with a folder of this name in it."""
    raw, labelled = (
        _copied("raw", {"talk.flac": "talk.flac"}, odd),
        _copied("labelled", {"r0.wav": "r0.wav", "r1.txt": "r0.txt"}, odd),
    )
    words = ("build", "raw", *DRY_RUN, "--out", "made")
    yield _case(f"build/names/raw-dry-run-inside={shown}", words, ("raw",), raw, "ran")
    words = ("build", ".", *DRY_RUN, "--out", "../made")
    yield _case(f"build/names/raw-here={shown}", words, ("raw",), raw, "ran")
    name = f"build/names/raw-fetch-inside={shown}"
    yield _case(name, FETCH, ("raw",), raw, "ran", found_talk, ("made",))
    name = f"build/names/labelled-inside={shown}"
    yield _case(name, BUILD, ("labelled",), labelled, "either", kept(3), ("made",))


def _copied(source: str, files: dict[str, str], new: str) -> Callable[[Path], None]:
    """Copy files of a source into its sub-folder ``new``, under the names that ``files`` gives them."""

    def prepare(folder: Path) -> None:
        place = os.fsencode(folder / source / new)
        os.mkdir(place)  # noqa: PTH102
        for name, copy in files.items():
            shutil.copy(os.fsencode(folder / source / name), os.path.join(place, os.fsencode(copy)))  # noqa: PTH118

    return prepare


def _protocols() -> Iterator[Case]:
    """Folders inside a source whose relative path FFmpeg takes for the address of a server."""
    for scheme in SCHEMES:
        for suffix in SUFFIXES:
            for ask in (("--dry-run",), ("--only", "fetch")):
                if (len(scheme) + len(suffix) + len(ask)) % 2 == 0:
                    words = ("build", ".", "--config", "podcast", *ask, "--out", "../made")
                    name = f"build/protocols/{scheme}{suffix}{ask[-1]}"
                    yield Case(name, "protocols", words, (), _served(scheme, suffix), writes=("made",))


def _served(scheme: str, suffix: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        place = folder / scheme / f"127.0.0.1:{os.environ['HOSTILE_PORT']}"
        place.mkdir(parents=True)
        (place / f"x{suffix}").write_bytes(NO_SOUND)

    return prepare


def _addresses() -> Iterator[Case]:
    """Recordings and shards whose own name is an address."""
    for name in ADDRESSES:
        file = f"{name}.mp3"
        for words in (("listen", file, *LISTEN[2:]), (*SPEAK, "--voice", file)):
            yield Case(f"{words[0]}/protocols/{name!a}", "protocols", words, ("model",), written(file, NO_SOUND), "refused", writes=("out.wav",))  # fmt: skip
    for line in (INSPECT, VERIFY):
        address = (line[0], "http://127.0.0.1:1/x")
        yield Case(f"{line[0]}/protocols/http", "protocols", address, expect="refused", codes=exit_codes(line))
