"""Outputs that exist, are strangers', links, the input itself or cannot be; names that no honest file has."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case
from .checks import found_talk, kept, sounds
from .words import (
    BUILD,
    BUNDLE,
    CODES,
    EXPORT,
    FETCH,
    INSPECT,
    LISTEN,
    PARTS,
    RESYNTHESIZE,
    SOON,
    SPEAK,
    SPEAK_VOICE,
    TRAIN_DVAE,
    TRAIN_GPT,
    VERIFY,
    exit_codes,
    short,
    with_option,
)

BABBLE = ("build", "--engine", "babble", "--sentences", "3", "--out", "made", "--workers", "1")
OUTPUTS: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = (
    (SPEAK, "--out", ("model",)), (RESYNTHESIZE, "--out", PARTS[RESYNTHESIZE]), (BABBLE, "--out", ()), (BUILD, "--out", PARTS[BUILD]), (FETCH, "--out", PARTS[FETCH]),
    (CODES, "--out", PARTS[CODES]), (TRAIN_DVAE, "--run", PARTS[TRAIN_DVAE]), (TRAIN_GPT, "--run", PARTS[TRAIN_GPT]), (BUNDLE, "--out", PARTS[BUNDLE]), (EXPORT, "--out", PARTS[EXPORT]),
    ((*EXPORT, "--light"), "--out", PARTS[EXPORT]),
)  # fmt: skip
ODD = ("a\nb", "\udcff\udcfe", "n" * 255, "n" * 250, "-dash", "http:", "tcp:", " ", "%s{}", "é" * 100, "😀", "a'b\"c`$(id)", "\x1b[31m", "x.tmp", ".hidden", "CON",
       "\u202eabc", "a\\b", "a:b", "*", "~", "pipe:0", "concat:x|y", "nul\x7f")  # fmt: skip
SUFFIX_LENGTH = 4


def _link(name: str, target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(target)


def _locked(folder: Path) -> None:
    (folder / "locked").mkdir()
    (folder / "locked").chmod(0o555)


def _locked_inside(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine").chmod(0)


def cases() -> Iterator[Case]:
    """Places to write, then names to read."""
    for words, option, parts in OUTPUTS:
        yield from _outputs(words, option, parts)
    yield from _inputs()
    yield from _over()


def _outputs(words: tuple[str, ...], option: str, parts: tuple[str, ...]) -> Iterator[Case]:
    is_file = words[0] in ("speak", "resynthesize")
    suffix = ".wav" if is_file else ""
    source = next((part for part in parts), "victim")
    # place, what is made before, where the command may write, what is right
    rows: dict[str, tuple[str, Callable[[Path], object] | None, tuple[str, ...], str]] = {
        "strangers-folder": ("victim", None, (), "refused"),
        "strangers-folder-slash": ("victim/", None, (), "refused"),
        "strangers-file": ("victim/thesis.txt", None, (), "refused"),
        "inside-a-file": (f"victim/thesis.txt/new{suffix}", None, (), "refused"),
        "link-to-folder": ("link", _link("link", "victim"), (), "refused"),
        "link-to-file": ("link", _link("link", "victim/thesis.txt"), (), "refused"),
        "link-to-nothing": (
            f"link{suffix}",
            _link(f"link{suffix}", "new-place"),
            (f"link{suffix}", "new-place"),
            "either",
        ),
        "link-to-absent-folder": (
            f"link{suffix}",
            _link(f"link{suffix}", "no/such/place"),
            (f"link{suffix}", "no"),
            "either",
        ),
        "loop": (f"link{suffix}", _link(f"link{suffix}", f"link{suffix}"), (), "refused"),
        "link-to-null": (f"link{suffix}", _link(f"link{suffix}", "/dev/null"), (), "refused"),
        "the-input": (source, None, (), "refused"),
        "over-the-input": (".", None, (), "refused"),
        "in-the-input": (
            f"{source}/new{suffix}" if "." not in source else f"{source}/x",
            None,
            (f"{source}/new{suffix}",),
            "either",
        ),
        "input-by-another-name": (f"{source}/../{source}", None, (), "refused"),
        "locked-folder": (f"locked/new{suffix}", _locked, (), "refused"),
        "forbidden-folder": (f"mine/new{suffix}", _locked_inside, (), "refused"),
        "is-forbidden": ("mine", _locked_inside, (), "refused"),
        "too-long": ("n" * 300 + suffix, None, (), "refused"),
        "longest": ("n" * (255 - len(suffix)) + suffix, None, ("n" * (255 - len(suffix)) + suffix,), "either"),
        "deep": ("/".join(["d" * 50] * 100) + suffix, None, ("d" * 50,), "either"),
        "newline": (f"a\nb{suffix}", None, (f"a\nb{suffix}",), "either"),
        "not-utf8": (f"\udcff{suffix}", None, (f"\udcff{suffix}",), "either"),
        "url": (f"http://example.org/x{suffix}", None, ("http:",), "either"),
        "null-device": ("/dev/null", None, (), "refused"),
        "full-device": ("/dev/full", None, (), "refused"),
        "pipe": (f"pipe{suffix}", lambda folder: os.mkfifo(folder / f"pipe{suffix}"), (), "refused"),
        "proc": (f"/proc/new{suffix}", None, (), "refused"),
        "empty": ("", None, (), "refused"),
        "other-command": ("model" if words[0] not in ("speak", "bundle") else "dvae", None, (), "refused"),
    }
    for label, (place, prepare, writes, expect) in rows.items():
        needed = dict.fromkeys((*parts, "victim", *((place,) if place in ("model", "dvae") else ())))
        if label == "over-the-input" and not parts and not is_file:
            expect = "refused"  # the folder holds the stranger's
        name = f"{short(words)}/outputs/{option}={label}"
        # what lies in a source may be written, not its own files
        yield Case(name, "outputs", with_option(words, option, place), tuple(needed), prepare or (lambda folder: None), expect, writes=writes,
                   codes=exit_codes(words), cheap=words in SOON or words is BABBLE)  # fmt: skip


def _over() -> Iterator[Case]:
    """Outputs over what the same or another command made before."""
    rows: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], str], ...] = (
        ("export/run-to-itself", ("export", "dvae", "--out", "dvae", "--light"), ("dvae",), (), "refused"),
        ("export/run-to-other-run", ("export", "dvae", "--out", "gpt"), ("dvae", "gpt"), (), "refused"),
        ("export/checkpoint-to-its-run", ("export", "dvae/step-00000002", "--out", "dvae"), ("dvae",), (), "refused"),
        ("export/run-into-itself", ("export", "dvae", "--out", "dvae/step-00000002"), ("dvae",), (), "refused"),
        ("bundle/over-model", with_option(BUNDLE, "--out", "model"), (*PARTS[BUNDLE], "model"), (), "refused"),
        ("bundle/over-run", with_option(BUNDLE, "--out", "gpt"), PARTS[BUNDLE], (), "refused"),
        ("bundle/over-voice", with_option(BUNDLE, "--out", "voice.wav"), PARTS[BUNDLE], (), "refused"),
        ("codes/over-data", with_option(CODES, "--out", "shards"), PARTS[CODES], (), "refused"),
        ("codes/over-dvae", with_option(CODES, "--out", "dvae"), PARTS[CODES], (), "refused"),
        ("codes/over-codes", with_option(CODES, "--out", "codes"), (*PARTS[CODES], "codes"), ("codes",), "either"),
        ("codes/over-data-by-link", with_option(CODES, "--out", "link"), PARTS[CODES], (), "refused"),
        ("build/over-source", with_option(BUILD, "--out", "labelled"), PARTS[BUILD], (), "refused"),
        ("build/over-codes", with_option(BUILD, "--out", "codes"), (*PARTS[BUILD], "codes"), (), "refused"),
        ("build/over-run", with_option(BUILD, "--out", "dvae"), (*PARTS[BUILD], "dvae"), (), "refused"),
        ("build/raw-over-source", with_option(FETCH, "--out", "raw"), ("raw",), (), "refused"),
        ("train/dvae/over-shards", with_option(TRAIN_DVAE, "--run", "shards"), ("shards",), (), "refused"),
        ("train/dvae/over-model", with_option(TRAIN_DVAE, "--run", "model"), ("shards", "model"), (), "refused"),
        ("train/gpt/over-dvae", with_option(TRAIN_GPT, "--run", "dvae"), ("codes", "dvae"), (), "refused"),
        ("speak/over-voice", with_option(SPEAK_VOICE, "--out", "voice.wav"), PARTS[SPEAK_VOICE], (), "refused"),
        ("speak/over-weights", with_option(SPEAK, "--out", "model/gpt/model.safetensors"), ("model",), (), "refused"),
        ("speak/over-voice-of-model", with_option(SPEAK, "--out", "model/voice.flac"), ("model",), (), "refused"),
        ("resynthesize/over-input", with_option(RESYNTHESIZE, "--out", "voice.wav"), PARTS[RESYNTHESIZE], (), "refused"),
        ("resynthesize/over-input-by-link", with_option(RESYNTHESIZE, "--out", "link.wav"), PARTS[RESYNTHESIZE], (), "refused"),
    )  # fmt: skip

    def links(folder: Path) -> None:
        (folder / "link").symlink_to("shards")
        (folder / "link.wav").symlink_to("voice.wav")

    for name, words, parts, writes, expect in rows:
        command, label = name.rsplit("/", 1)
        yield Case(f"{command}/outputs/over:{label}", "outputs", words, tuple(dict.fromkeys((*parts, "victim"))), links, expect, writes=writes,
                   cheap=words[0] != "train")  # fmt: skip

    def copied(folder: Path) -> None:
        for name in ("step-00000002-best-so-far", "step-2", "step-00000001.bak", "step-0000000x", "mine"):
            shutil.copytree(folder / "dvae" / "step-00000002", folder / "dvae" / name)

    def intact(folder: Path, done: object) -> str:
        gone = [
            name
            for name in ("step-00000002-best-so-far", "step-2", "step-00000001.bak", "step-0000000x", "mine")
            if not (folder / "dvae" / name / "config.json").is_file()
        ]
        return f"a copy is gone: {gone}" if gone else ""

    words = ("train", "dvae", "--config", "tiny", "--data", "shards", "--run", "dvae", "--set", "run.steps=6", "--set", "run.save_every=1", "--set", "run.keep=1",
             "--set", "run.validate_every=0", "--set", "run.threads=1")  # fmt: skip
    yield Case(
        "train/dvae/outputs/copies-in-the-run",
        "outputs",
        words,
        ("shards", "dvae"),
        copied,
        "either",
        intact,
        ("dvae",),
        cheap=False,
    )

    def back(folder: Path) -> None:
        (folder / "dvae" / "best").write_text("step-00000002")

    def points(folder: Path, done: object) -> str:
        for name in ("latest", "best"):
            target = (folder / "dvae" / name).read_text().strip()
            if not (folder / "dvae" / target / "model.safetensors").is_file():
                return f"{name} names {target}, which is not there"
        return ""

    yield Case(
        "train/dvae/outputs/latest-and-best",
        "outputs",
        words,
        ("shards", "dvae"),
        back,
        "ran",
        points,
        ("dvae",),
        cheap=False,
    )


def _inputs() -> Iterator[Case]:
    """Inputs with odd names."""
    for odd in ODD:
        shown = ascii(odd)[1:-1] if len(odd) < 30 else f"{ascii(odd[0])[1:-1]}-{len(odd)}"
        wave = odd[: 255 - SUFFIX_LENGTH] + ".wav"

        def named(part: str, new: str) -> Callable[[Path], None]:
            return lambda folder: os.rename(folder / part, os.fsencode(folder / new))  # noqa: PTH104

        dashed = wave if not wave.startswith("-") else f"./{wave}"
        yield Case(
            f"resynthesize/names/in={shown}",
            "names",
            ("resynthesize", dashed, *RESYNTHESIZE[2:]),
            PARTS[RESYNTHESIZE],
            named("voice.wav", wave),
            "either",
            sounds(),
            ("out.wav",),
        )
        yield Case(
            f"speak/names/voice={shown}",
            "names",
            with_option(SPEAK_VOICE, "--voice", wave),
            PARTS[SPEAK_VOICE],
            named("voice.wav", wave),
            "either",
            sounds(),
            ("out.wav",),
        )
        yield Case(
            f"listen/names/in={shown}",
            "names",
            ("listen", dashed, *LISTEN[2:]),
            PARTS[LISTEN],
            named("voice.wav", wave),
        )
        given = odd if not odd.startswith("-") else f"./{odd}"
        yield Case(
            f"speak/names/model={shown}",
            "names",
            with_option(SPEAK, "--model", odd),
            ("model",),
            named("model", odd),
            "either",
            sounds(),
            ("out.wav",),
        )
        yield Case(
            f"verify/names/shards={shown}",
            "names",
            ("verify", given, "--workers", "1"),
            ("shards",),
            named("shards", odd),
            codes=(1, 2),
        )
        yield Case(f"inspect/names/shards={shown}", "names", ("inspect", given), ("shards",), named("shards", odd))
        yield Case(
            f"build/names/source={shown}",
            "names",
            ("build", given, *BUILD[2:]),
            ("labelled",),
            named("labelled", odd),
            writes=("made",),
        )
        yield Case(
            f"export/names/run={shown}",
            "names",
            ("export", given, *EXPORT[2:]),
            ("dvae",),
            named("dvae", odd),
            writes=("made",),
        )

        def inside(top: str, new: str) -> Callable[[Path], None]:
            def prepare(where: Path) -> None:
                place = os.fsencode(where / top / new)
                os.mkdir(place)  # noqa: PTH102
                wave = "r0.wav" if top == "labelled" else "talk.flac"
                shutil.copy(os.fsencode(where / top / wave), os.path.join(place, wave.encode()))  # noqa: PTH118
                if top == "labelled":
                    shutil.copy(os.fsencode(where / top / "r1.txt"), os.path.join(place, b"r0.txt"))  # noqa: PTH118

            return prepare

        yield Case(
            f"build/names/raw-dry-run-inside={shown}",
            "names",
            ("build", "raw", "--config", "podcast", "--dry-run", "--out", "made"),
            ("raw",),
            inside("raw", odd),
            "ran",
        )
        yield Case(
            f"build/names/raw-here={shown}",
            "names",
            ("build", ".", "--config", "podcast", "--dry-run", "--out", "../made"),
            ("raw",),
            inside("raw", odd),
            "ran",
        )
        yield Case(
            f"build/names/raw-fetch-inside={shown}",
            "names",
            FETCH,
            ("raw",),
            inside("raw", odd),
            "ran",
            found_talk,
            ("made",),
        )
        yield Case(
            f"build/names/labelled-inside={shown}",
            "names",
            BUILD,
            ("labelled",),
            inside("labelled", odd),
            "either",
            kept(3),
            ("made",),
        )
    yield from _protocols()


def _protocols() -> Iterator[Case]:
    """Folders inside a source whose relative path FFmpeg takes for the address of a server."""
    for scheme in (
        "http:",
        "tcp:",
        "https:",
        "udp:",
        "rtmp:",
        "ftp:",
        "concat:",
        "file:",
        "pipe:",
        "hls+http:",
        "data:",
        "crypto:",
        "subfile,,start,0,end,0,,:",
        "cache:",
        "async:",
    ):
        for suffix in (".mp3", ".mkv", ".m4a"):
            for ask in (("--dry-run",), ("--only", "fetch")):
                if (len(scheme) + len(suffix) + len(ask)) % 2:
                    continue

                def prepare(folder: Path, scheme: str = scheme, suffix: str = suffix) -> None:
                    place = folder / scheme / f"127.0.0.1:{os.environ['HOSTILE_PORT']}"
                    place.mkdir(parents=True)
                    (place / f"x{suffix}").write_bytes(b"ID3" + bytes(500))

                words = ("build", ".", "--config", "podcast", *ask, "--out", "../made")
                yield Case(
                    f"build/protocols/{scheme}{suffix}{ask[-1]}",
                    "protocols",
                    words,
                    (),
                    prepare,
                    "either",
                    writes=("made",),
                )
    for name in ("tcp:127.0.0.1:0?listen=1", "http:127.0.0.1:1", "https:x", "concat:a|b"):
        for words in (("listen", f"{name}.mp3", *LISTEN[2:]), (*SPEAK, "--voice", f"{name}.mp3")):
            yield Case(f"{words[0]}/protocols/{name!a}", "protocols", words, ("model",),
                       lambda folder, name=name: (folder / f"{name}.mp3").write_bytes(b"ID3" + bytes(500)), "refused", writes=("out.wav",))  # type: ignore[misc]  # fmt: skip
    for words in (INSPECT, VERIFY):
        yield Case(
            f"{words[0]}/protocols/http",
            "protocols",
            (words[0], "http://127.0.0.1:1/x"),
            (),
            expect="refused",
            codes=exit_codes(words),
        )
