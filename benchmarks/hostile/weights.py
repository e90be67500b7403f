"""Weights that are good files of their format and no good network; the model is sealed anew."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from .case import Case
from .damage import damaged
from .words import CODES, LISTEN, RESUME, RESUME_GPT, RESYNTHESIZE, SPEAK, short
from .world import reseal

Tensors = dict[str, np.ndarray]
IN_A_MODEL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dvae", RESYNTHESIZE),
    ("gpt", SPEAK),
    ("diffusion", SPEAK),
    ("gpt", LISTEN),
)
IN_A_RUN: tuple[tuple[str, tuple[str, ...]], ...] = (("dvae", RESUME), ("gpt", RESUME_GPT), ("dvae", CODES))
FILES_OF_A_RUN = ("trainer/weights.safetensors", "trainer/optimizer.safetensors", "model.safetensors")


def nan(tensors: Tensors) -> None:
    """No value is a number."""
    for value in tensors.values():
        value[...] = np.nan


def one_nan(tensors: Tensors) -> None:
    """One value is not finite."""
    tensors[min(tensors)].reshape(-1)[0] = np.inf


def integers(tensors: Tensors) -> None:
    """All values are whole numbers of one byte."""
    for name in tensors:
        tensors[name] = (tensors[name] * 100).astype(np.int8)


def lacking(tensors: Tensors) -> None:
    """One tensor is missing."""
    del tensors[min(tensors)]


def extra(tensors: Tensors) -> None:
    """There is a tensor that no network has."""
    tensors["extra"] = np.zeros(3, np.float16)


def other_shape(tensors: Tensors) -> None:
    """One tensor has another shape and other values."""
    tensors[min(tensors)] = np.zeros((3, 5), np.float16)


def flat(tensors: Tensors) -> None:
    """One tensor has the same values in another shape."""
    tensors[min(tensors)] = tensors[min(tensors)].reshape(-1, 1)


def empty(tensors: Tensors) -> None:
    """There is no tensor."""
    tensors.clear()


def renamed(tensors: Tensors) -> None:
    """One tensor has a very long name."""
    tensors["x" * 5000] = tensors.pop(min(tensors))


def booleans(tensors: Tensors) -> None:
    """One tensor holds truth values."""
    tensors[max(tensors)] = tensors[max(tensors)] > 0


def cases() -> Iterator[Case]:
    """Every fault in the networks of a model, some in the files of a run."""
    for stage, words in IN_A_MODEL:
        for fault in (nan, one_nan, integers, lacking, extra, other_shape, flat, empty, renamed, booleans):
            name = f"{words[0]}/damaged/weights-of-{stage}={fault.__name__}"
            yield damaged(name, words, _rewritten(f"model/{stage}/model.safetensors", fault, seal=True), True)
    for stage, words in IN_A_RUN:
        for fault in (nan, lacking, other_shape, extra, integers):
            for file in FILES_OF_A_RUN:
                weights = file == "model.safetensors"
                chosen = zlib.crc32(f"{stage}{file}{fault.__name__}".encode()) % 3
                if chosen and (weights or words != CODES):
                    name = f"{short(words)}/damaged/{file.replace('/', ':')}-of-{stage}={fault.__name__}"
                    strict = not weights or words == CODES
                    yield damaged(name, words, _rewritten(f"{stage}/step-*/{file}", fault), strict)


def _rewritten(file: str, fault: Callable[[Tensors], None], seal: bool = False) -> Callable[[Path], None]:
    """Write the weights anew with ``fault``, and the model's checksums if ``seal``."""

    def prepare(folder: Path) -> None:
        path = next(folder.glob(file))
        tensors = {name: value.copy() for name, value in load_file(path).items()}
        fault(tensors)
        save_file(tensors, path, metadata={"format": "pt"} if seal else None)
        if seal:
            reseal(folder / "model")

    return prepare
