"""JSON that programs wrote, with one field replaced: by another type, a number out of bounds, a path that leads out."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .case import Case, Check, draw
from .checks import sounds
from .words import (
    ASSEMBLE,
    BUILD_LISTED,
    BUNDLE,
    CODES,
    EXPORT,
    INSPECT,
    LISTEN,
    PARTS,
    PROCESS,
    RESUME,
    RESUME_DIFFUSION,
    RESUME_GPT,
    RESYNTHESIZE,
    SOON,
    SPEAK,
    TRAIN_DVAE,
    TRAIN_GPT,
    VERIFY,
    WRITES,
    exit_codes,
    short,
)
from .world import reseal

KIND = "json"
DEEP = "\x01deep\x01"
MISSING = object()
VALUES: dict[str, Any] = {
    "null": None, "list": [1, None], "object": {"a": {"b": []}}, "string": "x", "empty-string": "", "true": True, "zero": 0, "negative": -1,
    "huge": 10**18, "half": 0.5, "nan": math.nan, "infinite": math.inf, "deep": DEEP, "missing": MISSING, "outside": "../victim/train-000000.tar",
    "absolute": "/etc/hostname", "surrogate": "\ud800x", "long": "x" * 100_000, "newline": "a\nb\x00",
}  # fmt: skip
Path_ = tuple[str | int, ...]


def fields(value: Any, at: Path_ = (), most: int = 3) -> Iterator[Path_]:
    """The paths of all fields of a JSON value: of a list only the first item, of a table of checksums the first few."""
    if isinstance(value, dict):
        for key in sorted(value)[: most if "sha256" in at else None]:
            yield (*at, key)
            yield from fields(value[key], (*at, key), most)
    elif isinstance(value, list) and value:
        yield (*at, 0)
        yield from fields(value[0], (*at, 0), most)


def replaced(value: Any, path: Path_, new: object) -> Any:
    """``value`` with the field at ``path`` set to ``new``, or without the field if ``new`` is MISSING."""
    if not path:
        return new
    head, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if not rest and new is MISSING:
        del copy[head]
    else:
        copy[head] = replaced(copy[head], tuple(rest), new)
    return copy


def as_text(value: Any) -> str:
    """The value as JSON, even if it is nested too deeply for a serialiser."""
    return json.dumps(value).replace(json.dumps(DEEP), "[" * 100_000 + "]" * 100_000)


def damage(
    file: str, path: Path_, new: object, after: Callable[[Path], object] | None = None, line: bool = False
) -> Callable[[Path], None]:
    """Replace a field of a JSON file (of the first line, if ``line``), then do ``after`` with the case's folder."""

    def prepare(folder: Path) -> None:
        record = next(folder.glob(file))
        text = record.read_text(encoding="utf-8")
        first, rest = text.split("\n", 1) if line else (text, "")
        changed = replaced(json.loads(first), path, new)
        record.write_text(as_text(changed) + ("\n" + rest if line else ""), encoding="utf-8", errors="surrogatepass")
        if after is not None:
            after(folder)

    return prepare


def _reseal(folder: Path) -> None:
    reseal(folder / "model")


# The file, the command lines, how many values each field gets, whether the model's checksums are written anew, and
# whether the file has a JSON object a line.
TARGETS: tuple[tuple[str, tuple[tuple[str, ...], ...], int, bool, bool], ...] = (
    ("model/model.json", (SPEAK, LISTEN), 4, False, False),
    *((f"model/{stage}/config.json", (command,), 4, True, False) for stage, command in (("dvae", RESYNTHESIZE), ("gpt", SPEAK), ("diffusion", SPEAK))),
    *((f"model/{stage}/config.json", (SPEAK,), 1, False, False) for stage in ("dvae", "gpt", "diffusion")),
    *((f"model/{stage}/lineage.json", (SPEAK,), 3, True, False) for stage in ("dvae", "gpt", "diffusion")),
    *((f"{stage}/step-*/trainer/state.json", (command,), 4, False, False) for stage, command in (("dvae", RESUME), ("gpt", RESUME_GPT))),
    ("dvae/step-*/trainer/state.json", (EXPORT,), 3, False, False),
    ("dvae/step-*/lineage.json", (RESUME, CODES, BUNDLE, EXPORT), 2, False, False),
    ("dvae/step-*/config.json", (RESUME, CODES), 1, False, False),
    ("gpt/step-*/config.json", (BUNDLE, RESUME_GPT), 1, False, False),
    ("gpt/step-*/lineage.json", (BUNDLE, RESUME_GPT), 2, False, False),
    ("diffusion/step-*/config.json", (RESUME_DIFFUSION,), 1, False, False),
    ("diffusion/step-*/lineage.json", (BUNDLE,), 2, False, False),
    ("shards/index.json", (VERIFY, INSPECT, CODES, TRAIN_DVAE), 3, False, False),
    ("codes/index.json", (TRAIN_GPT,), 3, False, False),
    ("shards/train-000000.index.json", (VERIFY, INSPECT, TRAIN_DVAE), 3, False, False),
    ("codes/train-000000.index.json", (TRAIN_GPT,), 2, False, False),
    ("built/work/sources.json", (PROCESS, ASSEMBLE), 3, False, False),
    ("built/work/talk-*/done.json", (ASSEMBLE,), 2, False, False),
    ("built/work/talk-*/segments.jsonl", (ASSEMBLE,), 4, False, True),
    ("built/work/talk-*/voices.json", (ASSEMBLE,), 4, False, False),
    ("built/work/talk-*/samples.index.json", (ASSEMBLE,), 2, False, False),
    ("built/work/talk-*/index.json", (ASSEMBLE,), 2, False, False),
    ("listed/manifest.jsonl", (BUILD_LISTED,), 8, False, True),
)  # fmt: skip


def cases() -> Iterator[Case]:
    """A few values for every field of every file, and some values for the whole file."""
    for file, commands, count, sealed, line in TARGETS:
        for words in commands:
            for path in PATHS[file]:
                name = f"{short(words)}/json/{'sealed-' if sealed else ''}{file.replace('/', ':')}/{'.'.join(map(str, path))}"
                for label in draw(name, list(VALUES), count):
                    yield _case(
                        f"{name}={label}",
                        words,
                        damage(file, path, VALUES[str(label)], _reseal if sealed else None, line),
                        file,
                        sealed,
                    )
            for label in ("null", "list", "string", "zero", "deep", "nan"):
                if not sealed:
                    name = f"{short(words)}/json/{file.replace('/', ':')}/(whole)={label}"
                    yield _case(name, words, damage(file, (), VALUES[label], None, line), file, sealed)


def _case(name: str, words: tuple[str, ...], prepare: Callable[[Path], None], file: str, sealed: bool) -> Case:
    check: Check | None = sounds() if words in (SPEAK, RESYNTHESIZE) else None
    refused = file.startswith("model/") and not sealed and ("config" in file or "(whole)" in name)
    heavy = words not in SOON
    victims = ("victim",)
    return Case(
        name, KIND, words, (*PARTS[words], *victims), prepare, "refused" if refused else "either", check,
        WRITES.get(words, ()), exit_codes(words), cheap=not heavy,
    )  # fmt: skip


def _paths(*names: str) -> tuple[Path_, ...]:
    """Paths whose steps are separated by '>'; digits are places in lists."""
    return tuple(tuple(int(p) if p.isdigit() else p for p in name.split(">")) for name in names)


_LINEAGE = _paths("id", "data", "steps")
_INDEX = _paths(
    "format", "version", "kind", "details", "splits", "splits>train", "splits>heldout", "splits>train>samples", "splits>train>hours",
    "splits>train>shards", "splits>train>shards>0", "splits>train>shards>0>name", "splits>train>shards>0>samples",
    "splits>train>shards>0>seconds", "splits>train>shards>0>sha256",
)  # fmt: skip
_SIDECAR = tuple(
    path for column in ("duration_s", "extensions", "json_offset", "json_size", "keys", "payload_offset", "payload_size", "speaker")
    for path in ((column,), (column, 0))
) + _paths("sha256", "shard", "size")  # fmt: skip
_LLAMA = (
    "hidden_size", "vocab_size", "num_hidden_layers", "rope_theta", "tie_word_embeddings", "rms_norm_eps", "rope_parameters", "torch_dtype",
    "characters_per_second", "voice_seconds", "voice_seconds>0", "stage", "format", "model_type",
)  # fmt: skip
_GPT = _paths(*_LLAMA, "model", *(f"model>{name}" for name in ("dim", "dropout", "heads", "hidden", "layers", "max_tokens", "norm_eps", "rope_theta",
              "sink")), "vocabulary", *(f"vocabulary>{name}" for name in ("groups", "n_codes", "n_text", "reads")))  # fmt: skip
_DVAE = _paths("audio", *(f"audio>{n}" for n in ("hop_length", "mel_floor", "mel_mean", "mel_std", "n_fft", "n_mels", "sample_rate")), "format",
               "stage", "model", *(f"model>{n}" for n in ("blocks", "channels", "code_dim", "downsampling", "groups", "levels", "levels>0",
               "quantizer")))  # fmt: skip
_DIFFUSION = _paths("model", "stage", "format", *(f"model>{n}" for n in ("band_overlap", "bands", "blocks", "channels", "hidden", "kernel_size",
                    "null_condition", "reference_channels", "target")))  # fmt: skip
_STATE = _paths("audio_seconds", "batch_size", "best", "light_start", "processes", "seconds", "seed", "skipped", "step")
PATHS: dict[str, tuple[Path_, ...]] = {
    "model/model.json": _paths("diffusion_steps", "id", "name", "networks", "networks>gpt", "sha256", "sha256>voice.flac",
                               "sha256>gpt/model.safetensors"),
    "model/dvae/config.json": _DVAE, "dvae/step-*/config.json": _DVAE, "model/gpt/config.json": _GPT, "gpt/step-*/config.json": _GPT,
    "model/diffusion/config.json": _DIFFUSION, "diffusion/step-*/config.json": _DIFFUSION,
    "model/dvae/lineage.json": _LINEAGE, "dvae/step-*/lineage.json": _LINEAGE,
    "model/gpt/lineage.json": (*_LINEAGE, ("dvae",), ("tokenizer",)), "gpt/step-*/lineage.json": (*_LINEAGE, ("dvae",), ("tokenizer",)),
    "model/diffusion/lineage.json": (*_LINEAGE, ("dvae",)), "diffusion/step-*/lineage.json": (*_LINEAGE, ("dvae",)),
    "dvae/step-*/trainer/state.json": _STATE, "gpt/step-*/trainer/state.json": _STATE,
    "shards/index.json": _INDEX, "codes/index.json": (*_INDEX, *_paths("details>dvae", "details>groups", "details>n_codes", "details>code_rate")),
    "shards/train-000000.index.json": _SIDECAR, "codes/train-000000.index.json": _SIDECAR,
    "built/work/sources.json": _paths("failures", "sources", "sources>0", *(f"sources>0>{n}" for n in ("collection", "id", "license", "path", "text",
                                      "title", "url"))),
    "built/work/talk-*/done.json": _paths("account", "account>duration_s", "account>error", "account>faults", "account>source", "account>source>id",
                                          "account>source>path", "account>steps", "account>steps>cut", "account>steps>cut>0", "fingerprint"),
    "built/work/talk-*/segments.jsonl": _paths("details", "end_s", "reason", "scores", "speaker", "start_s", "text", "value"),
    "built/work/talk-*/voices.json": _paths("0", "0>0"),
    "built/work/talk-*/samples.index.json": _SIDECAR,
    "built/work/talk-*/index.json": _paths("splits", "splits>part", "splits>part>shards", "splits>part>shards>0>name", "splits>part>shards>0>sha256",
                                           "splits>part>shards>0>samples", "kind"),
    "listed/manifest.jsonl": _paths("audio", "id", "license", "source", "speaker", "text"),
}  # fmt: skip
