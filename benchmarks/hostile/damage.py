"""Files that are cut short, flipped, empty, missing, or no files at all: folders, pipes, devices, links to nowhere."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case, Check, draw
from .checks import found_talk, kept, sounds
from .words import (
    ASSEMBLE,
    BUILD,
    BUILD_LISTED,
    BUNDLE,
    CODES,
    EVALUATE,
    EVALUATE_BESIDE,
    EXPORT,
    FETCH,
    INSPECT,
    LISTEN,
    PARTS,
    PROCESS,
    RESUME,
    RESUME_DIFFUSION,
    RESUME_GPT,
    RESYNTHESIZE,
    SCORE,
    SOON,
    SPEAK,
    SPEAK_VOICE,
    TRAIN_DVAE,
    TRAIN_GPT,
    VERIFY,
    WRITES,
    exit_codes,
    patience,
    short,
    with_option,
)

KIND = "damaged files"
ZEROS = 1 << 20


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # A socket's path must be short, so it is bound by its name alone.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def _flip(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    for place in range(int(at * len(data)), min(len(data), int(at * len(data)) + 8)):
        data[place] ^= 0xFF
    path.write_bytes(bytes(data))


def _instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        make(path)

    return do


DAMAGES: dict[str, Callable[[Path], object]] = {
    "half": lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    "one-byte": lambda p: p.write_bytes(p.read_bytes()[:1]),
    "end-cut": lambda p: p.write_bytes(p.read_bytes()[:-3]),
    "empty": lambda p: p.write_bytes(b""),
    "flipped-head": lambda p: _flip(p, 0.0),
    "flipped-middle": lambda p: _flip(p, 0.5),
    "flipped-end": lambda p: _flip(p, 0.99),
    "zeros": lambda p: p.write_bytes(bytes(ZEROS)),
    "ones": lambda p: p.write_bytes(b"\xff" * 4096),
    "prose": lambda p: p.write_text("these are words, and nothing else\n" * 40),
    "twice": lambda p: p.write_bytes(p.read_bytes() * 2),
    "utf16": lambda p: p.write_bytes("{}".encode("utf-16")),
    "gone": lambda p: p.unlink(),
    "folder": _instead(lambda p: p.mkdir()),
    "pipe": _instead(os.mkfifo),
    "socket": _instead(_socket),
    "dangling": _instead(lambda p: p.symlink_to("nowhere-at-all")),
    "loop": _instead(lambda p: p.symlink_to(p.name)),
    "device": _instead(lambda p: p.symlink_to("/dev/zero")),
    "null-device": _instead(lambda p: p.symlink_to("/dev/null")),
    "secret": lambda p: p.chmod(0),
}  # fmt: skip
NOT_FILES = ("gone", "folder", "pipe", "socket", "dangling", "loop", "device", "null-device", "secret", "empty")


def harm(file: str, how: str, after: Callable[[Path], object] | None = None) -> Callable[[Path], None]:
    """Do one of ``DAMAGES`` to the file that this pattern finds in the case's folder."""

    def prepare(folder: Path) -> None:
        DAMAGES[how](next(folder.glob(file)))
        if after is not None:
            after(folder)

    return prepare


_CHECKPOINT = ("config.json", "lineage.json", "model.safetensors")
_TRAINER = (
    "trainer/state.json",
    "trainer/optimizer.safetensors",
    "trainer/rng-00000.safetensors",
    "trainer/weights.safetensors",
)
_MODEL = (
    "model.json",
    "voice.flac",
    *(f"{stage}/{name}" for stage in ("dvae", "gpt", "diffusion") for name in _CHECKPOINT),
)
_SHARDS = ("index.json", "train-000000.index.json", "train-000000.tar")
_WORK = ("done.json", "segments.jsonl", "voices.json", "samples.tar", "samples.index.json", "index.json")
# The files, the command line, how many damages each file gets, and whether the command must refuse all of them.
TARGETS: tuple[tuple[tuple[str, ...], tuple[str, ...], int, bool], ...] = (
    (tuple(f"model/{name}" for name in _MODEL), SPEAK, 6, True),
    (tuple(f"model/{name}" for name in _MODEL), RESYNTHESIZE, 1, True),
    (tuple(f"model/{name}" for name in _MODEL), EVALUATE, 2, True),
    (("labelled/r0.txt",), EVALUATE, 12, False),
    (("listed/manifest.jsonl", "listed/r0.wav"), EVALUATE_BESIDE, 8, False),
    (("model", "model/gpt", "model/MODEL_CARD.md"), SPEAK, 4, False),
    (tuple(f"dvae/step-*/{name}" for name in (*_CHECKPOINT, *_TRAINER)), RESUME, 5, True),
    (tuple(f"gpt/step-*/{name}" for name in (*_CHECKPOINT, *_TRAINER)), RESUME_GPT, 2, True),
    (("diffusion/step-*/model.safetensors", "dvae/step-*/model.safetensors", "dvae/latest"), RESUME_DIFFUSION, 3, True),
    (("dvae/latest", "dvae/metrics.jsonl", "dvae/config.yaml", "dvae/environment.json", "dvae/.lock"), RESUME, 4, False),
    (tuple(f"dvae/step-*/{name}" for name in _CHECKPOINT), CODES, 3, True),
    (tuple(f"{stage}/step-*/{name}" for stage in ("dvae", "gpt", "diffusion") for name in _CHECKPOINT), BUNDLE, 3, True),
    (tuple(f"dvae/step-*/{name}" for name in (*_CHECKPOINT, *_TRAINER)), EXPORT, 3, False),
    (tuple(f"shards/{name}" for name in _SHARDS), VERIFY, 10, True),
    (tuple(f"shards/{name}" for name in _SHARDS[:2]), INSPECT, 6, False),
    (tuple(f"shards/{name}" for name in _SHARDS), TRAIN_DVAE, 5, False),
    (tuple(f"shards/{name}" for name in _SHARDS), CODES, 5, False),
    (tuple(f"codes/{name}" for name in _SHARDS), TRAIN_GPT, 4, False),
    (("built/work/sources.json", *(f"built/work/talk-*/{name}" for name in _WORK), "built/index.json", "built/report/index.html"), ASSEMBLE, 5, False),
    (("built/work/talk-*/done.json", "built/.lock", "built/work/.lock"), PROCESS, 3, False),
    (("labelled/r0.wav", "labelled/r0.txt"), BUILD, 21, False),
    (("lj/wavs/r0.wav", "lj/metadata.csv"), with_option(BUILD, "--workers", "1"), 0, False),
    (("listed/r0.wav", "listed/manifest.jsonl"), BUILD_LISTED, 10, False),
    (("raw/talk.flac",), FETCH, 21, False),
    (("voice.wav",), SPEAK_VOICE, 21, False),
    (("voice.wav",), RESYNTHESIZE, 21, False),
    (("voice.wav",), LISTEN, 12, False),
    (("voice.wav",), SCORE, 12, False),
    (("voice.wav",), BUNDLE, 12, False),
)  # fmt: skip
HARMLESS = ("twice", "utf16")  # A reader may accept these damages, so no refusal is required.


def cases() -> Iterator[Case]:
    """Some damages for every file that a command reads; small files that options name; bad files beside good ones."""
    for files, words, count, strict in TARGETS:
        for file in files:
            name = f"{short(words)}/damaged/{file.replace('/', ':')}"
            choices = (
                list(NOT_FILES) + list(DAMAGES)
                if Path(file).suffix
                else ["folder", "gone", "pipe", "dangling", "loop", "secret", "device"]
            )
            if file in ("model", "model/gpt"):
                choices = ["pipe", "dangling", "loop", "secret"]
            for how in dict.fromkeys(map(str, draw(name, list[object](choices), count))):
                yield damaged(f"{name}={how}", words, harm(file, how), strict and how not in HARMLESS, file, how)
    yield from _lists()
    yield from _good_beside()


def damaged(
    name: str, words: tuple[str, ...], prepare: Callable[[Path], None], strict: bool, file: str = "", how: str = ""
) -> Case:
    check: Check | None = sounds() if words[0] in ("speak", "resynthesize") else None
    writes = WRITES.get(words, ())
    return Case(
        name, KIND, words, (*PARTS[words], "victim"), prepare, "refused" if strict else "either", check, writes, exit_codes(words),
        patience=patience(words), cheap=words in SOON or words == SPEAK_VOICE,
    )  # fmt: skip


def _lists() -> Iterator[Case]:
    """Damages of the small files that options name."""
    words = {
        "lexicon": ((*SPEAK, "--lexicon", "given"), ("model",), ("out.wav",)),
        "card": ((*BUNDLE, "--card", "given"), PARTS[BUNDLE], ("made",)),
        "heldout": ((*BUILD, "--heldout", "given"), ("labelled",), ("made",)),
        "synthetic": (
            ("build", "--synthetic", "given", "--engine", "babble", "--out", "made", "--workers", "1"),
            (),
            ("made",),
        ),
        "config": (
            ("train", "dvae", "--config", "given.yaml", "--data", "shards", "--run", "run", "--dry-run"),
            ("shards",),
            ("run",),
        ),
        "feed": (("build", "given.xml", "--config", "podcast", "--dry-run", "--out", "made"), (), ()),
        "urls": (("build", "given.urls", "--config", "podcast", "--dry-run", "--out", "made"), (), ()),
        "build-config": (("build", "raw", "--config", "given.yaml", "--dry-run", "--out", "made"), ("raw",), ()),
    }
    content = {"lexicon": "cat  K AE1 T\n", "heldout": '{"my_utterances": ["r0"]}', "synthetic": "a cat sat on a mat\n", "config": "run: {steps: 1}\n",
               "build-config": "sample_rate: 16000\n", "feed": "<rss><channel/></rss>", "urls": "http://127.0.0.1:9/a.mp3\n", "card": "# A\n"}  # fmt: skip
    for option, (line, parts, writes) in words.items():
        list_name = next(word for word in line if word.startswith("given"))
        for how in DAMAGES:

            def prepare(folder: Path, list_name: str = list_name, how: str = how, option: str = option) -> None:
                (folder / list_name).write_text(content[option])
                DAMAGES[how](folder / list_name)

            strict = how in (
                "gone",
                "folder",
                "pipe",
                "socket",
                "dangling",
                "loop",
                "device",
                "secret",
            ) and option not in ("feed", "urls")
            # A feed or list that cannot be read is one of many sources: the dry run reports it and goes on.
            yield Case(f"{line[0]}/damaged/--{option}={how}", KIND, line, (*parts, "victim"), prepare, "refused" if strict else "either",
                       writes=writes)  # fmt: skip


def _good_beside() -> Iterator[Case]:
    """A bad file beside good recordings: the build must find the good ones."""
    makers: dict[str, Callable[[Path], object]] = {
        "pipe": os.mkfifo, "folder": lambda p: p.mkdir(), "dangling": lambda p: p.symlink_to("nowhere"), "loop": lambda p: p.symlink_to(p.name),
        "device": lambda p: p.symlink_to("/dev/zero"), "empty": lambda p: p.touch(), "random": lambda p: p.write_bytes(bytes(range(256)) * 40),
        "secret": lambda p: (p.write_bytes(b"RIFF"), p.chmod(0)), "socket": _socket,
    }  # fmt: skip
    names = ("bad.wav", "bad.mp3", "bad.txt", "LICENSE", "bad.epub", "bad.m4a")
    for label, make in makers.items():
        for name in names:

            def prepare(folder: Path, make: Callable[[Path], object] = make, name: str = name) -> None:
                make(folder / "raw" / name)

            yield Case(
                f"build/beside-raw/{name}={label}",
                "one bad item",
                FETCH,
                ("raw", "victim"),
                prepare,
                "ran",
                found_talk,
                ("made",),
            )
            if name in ("bad.wav", "bad.txt", "LICENSE"):

                def beside(folder: Path, make: Callable[[Path], object] = make, name: str = name) -> None:
                    make(folder / "labelled" / name)
                    if name == "bad.txt":
                        shutil.copy(folder / "labelled" / "r0.wav", folder / "labelled" / "bad.wav")

                yield Case(
                    f"build/beside-labelled/{name}={label}",
                    "one bad item",
                    BUILD,
                    ("labelled", "victim"),
                    beside,
                    "ran",
                    kept(3),
                    ("made",),
                )
