"""Outputs that exist already, belong to a stranger, are links, are the input itself, or cannot be written."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case, Done, nothing
from .words import (
    BUILD,
    BUNDLE,
    CODES,
    EVALUATE,
    EXPORT,
    FETCH,
    PARTS,
    RESYNTHESIZE,
    SOON,
    SPEAK,
    SPEAK_VOICE,
    TRAIN_DVAE,
    TRAIN_GPT,
    exit_codes,
    patience,
    short,
    with_option,
)

KIND = "outputs"
BABBLE = ("build", "--engine", "babble", "--sentences", "3", "--out", "made", "--workers", "1")
OUTPUTS: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = (
    (SPEAK, "--out", ("model",)), (RESYNTHESIZE, "--out", PARTS[RESYNTHESIZE]), (BABBLE, "--out", ()), (BUILD, "--out", PARTS[BUILD]), (FETCH, "--out", PARTS[FETCH]),
    (CODES, "--out", PARTS[CODES]), (TRAIN_DVAE, "--run", PARTS[TRAIN_DVAE]), (TRAIN_GPT, "--run", PARTS[TRAIN_GPT]), (BUNDLE, "--out", PARTS[BUNDLE]), (EXPORT, "--out", PARTS[EXPORT]),
    ((*EXPORT, "--light"), "--out", PARTS[EXPORT]), (EVALUATE, "--out", PARTS[EVALUATE]),
)  # fmt: skip
# name, command line, parts, where the command may write, what is right
OVER: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], str], ...] = (
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
CHECKPOINT = "step-00000002"
COPIES = ("step-00000002-best-so-far", "step-2", "step-00000001.bak", "step-0000000x", "mine")
GO_ON = ("train", "dvae", "--config", "tiny", "--data", "shards", "--run", "dvae", "--set", "run.steps=6", "--set", "run.save_every=1", "--set", "run.keep=1",
         "--set", "run.validate_every=0", "--set", "run.threads=1")  # fmt: skip
# The place, what is made before, where the command may write, and what is right.
Place = tuple[str, Callable[[Path], object] | None, tuple[str, ...], str]


def _link(name: str, target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(target)


def _locked(folder: Path) -> None:
    (folder / "locked").mkdir()
    (folder / "locked").chmod(0o555)


def _locked_inside(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine").chmod(0)


def cases() -> Iterator[Case]:
    """Every sort of place for every command that writes, then the places of other data, then runs that are resumed."""
    for words, option, parts in OUTPUTS:
        yield from _outputs(words, option, parts)
    yield from _over()
    yield from _resumed()


def _outputs(words: tuple[str, ...], option: str, parts: tuple[str, ...]) -> Iterator[Case]:
    suffix = ".wav" if words[0] in ("speak", "resynthesize") else ""
    source = parts[0] if parts else "victim"
    other = "dvae" if words[0] in ("speak", "bundle") else "model"
    for label, (place, prepare, writes, expect) in _places(suffix, source, other).items():
        needed = dict.fromkeys((*parts, "victim", *((place,) if place in ("model", "dvae") else ())))
        name = f"{short(words)}/outputs/{option}={label}"
        yield Case(name, KIND, with_option(words, option, place), tuple(needed), prepare or nothing, expect, writes=writes,
                   codes=exit_codes(words), patience=patience(words), cheap=words in SOON or words is BABBLE)  # fmt: skip


def _places(suffix: str, source: str, other: str) -> dict[str, Place]:
    """Every sort of place, for an output of this suffix; ``source`` is the input, ``other`` what another command wrote."""
    link, longest = f"link{suffix}", "n" * (255 - len(suffix)) + suffix
    inside = f"{source}/x" if "." in source else f"{source}/new{suffix}"
    return {
        "strangers-folder": ("victim", None, (), "refused"),
        "strangers-folder-slash": ("victim/", None, (), "refused"),
        "strangers-file": ("victim/thesis.txt", None, (), "refused"),
        "inside-a-file": (f"victim/thesis.txt/new{suffix}", None, (), "refused"),
        "link-to-folder": ("link", _link("link", "victim"), (), "refused"),
        "link-to-file": ("link", _link("link", "victim/thesis.txt"), (), "refused"),
        "link-to-nothing": (link, _link(link, "new-place"), (link, "new-place"), "either"),
        "link-to-absent-folder": (link, _link(link, "no/such/place"), (link, "no"), "either"),
        "loop": (link, _link(link, link), (), "refused"),
        "link-to-null": (link, _link(link, "/dev/null"), (), "refused"),
        "the-input": (source, None, (), "refused"),
        "over-the-input": (".", None, (), "refused"),
        "in-the-input": (inside, None, (f"{source}/new{suffix}",), "either"),
        "input-by-another-name": (f"{source}/../{source}", None, (), "refused"),
        "locked-folder": (f"locked/new{suffix}", _locked, (), "refused"),
        "forbidden-folder": (f"mine/new{suffix}", _locked_inside, (), "refused"),
        "is-forbidden": ("mine", _locked_inside, (), "refused"),
        "too-long": ("n" * 300 + suffix, None, (), "refused"),
        "longest": (longest, None, (longest,), "either"),
        "deep": ("/".join(["d" * 50] * 100) + suffix, None, ("d" * 50,), "either"),
        "newline": (f"a\nb{suffix}", None, (f"a\nb{suffix}",), "either"),
        "not-utf8": (f"\udcff{suffix}", None, (f"\udcff{suffix}",), "either"),
        "url": (f"http://example.org/x{suffix}", None, ("http:",), "either"),
        "null-device": ("/dev/null", None, (), "refused"),
        "full-device": ("/dev/full", None, (), "refused"),
        "pipe": (f"pipe{suffix}", lambda folder: os.mkfifo(folder / f"pipe{suffix}"), (), "refused"),
        "proc": (f"/proc/new{suffix}", None, (), "refused"),
        "empty": ("", None, (), "refused"),
        "other-command": (other, None, (), "refused"),
    }


def _over() -> Iterator[Case]:
    """Outputs over what the same or another command made before."""
    for name, words, parts, writes, expect in OVER:
        command, label = name.rsplit("/", 1)
        yield Case(f"{command}/outputs/over:{label}", KIND, words, tuple(dict.fromkeys((*parts, "victim"))), _links, expect, writes=writes,
                   cheap=words[0] != "train")  # fmt: skip


def _links(folder: Path) -> None:
    (folder / "link").symlink_to("shards")
    (folder / "link.wav").symlink_to("voice.wav")


def _resumed() -> Iterator[Case]:
    """A run that goes on: copies that its owner made in it stay, and its pointers name checkpoints that are there."""
    for label, prepare, expect, check in (
        ("copies-in-the-run", _copy_checkpoints, "either", _copies_are_there),
        ("latest-and-best", _point_best, "ran", _pointers_are_right),
    ):
        name = f"train/dvae/outputs/{label}"
        yield Case(name, KIND, GO_ON, ("shards", "dvae"), prepare, expect, check, ("dvae",), cheap=False)


def _copy_checkpoints(folder: Path) -> None:
    for name in COPIES:
        shutil.copytree(folder / "dvae" / CHECKPOINT, folder / "dvae" / name)


def _copies_are_there(folder: Path, done: Done) -> str:
    gone = [name for name in COPIES if not (folder / "dvae" / name / "config.json").is_file()]
    return f"a copy is gone: {gone}" if gone else ""


def _point_best(folder: Path) -> None:
    (folder / "dvae" / "best").write_text(CHECKPOINT)


def _pointers_are_right(folder: Path, done: Done) -> str:
    for name in ("latest", "best"):
        target = (folder / "dvae" / name).read_text().strip()
        if not (folder / "dvae" / target / "model.safetensors").is_file():
            return f"{name} names {target}, which is not there"
    return ""
