"""The judgements of an evaluation that is not finished, so that the same command goes on where it was stopped.

Each judgement is a line of ``judged.jsonl`` in the report's folder, under a key of all that it depends on: the model's
files, the text, the seed, the content of the recording or of the voice's clip, the judges, and this package's own code.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TextIO

from triforce_tts.errors import TriforceError
from triforce_tts.evaluation.clips import Judged
from triforce_tts.evaluation.panel import Panel
from triforce_tts.evaluation.plan import Job
from triforce_tts.evaluation.report import AUDIO, Clip
from triforce_tts.files import file_sha256, write_text
from triforce_tts.schema import Record, parse_record

JUDGED = "judged.jsonl"
# The key of a sound depends on its size and on so many of its first bytes, which are more than the minute that is
# heard.
_READ = 64 << 20


class _Line(Record):
    key: str
    clip: Clip | None
    vectors: tuple[tuple[float, ...], ...]
    work_seconds: float


def job_keys(jobs: Sequence[Job], panel: Panel, manifests: Mapping[Path, Path]) -> list[str]:
    """A key for each job; ``manifests`` names the file that lists the checksums of each model folder."""
    models = {folder: file_sha256(manifest) for folder, manifest in manifests.items()}
    judges = [panel.recogniser, panel.embed is not None, *map(repr, panel.judges)]
    keys: list[str] = []
    copies: Counter[str] = Counter()
    for job in jobs:
        key = _digest([_code(), *judges, *_content(job), models.get(job.model) if job.model else None])
        keys.append(f"{key}-{copies[key]}" if copies[key] else key)  # A manifest may name the same recording twice.
        copies[key] += 1
    return keys


def _content(job: Job) -> list[object]:
    sound = None if job.source is None else _sound(job.source)
    return [job.kind, job.label, job.sentence.id, job.sentence.text, job.sentence.group, job.voice, sound, job.seed]


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@lru_cache(maxsize=4096)
def _sound(path: Path) -> str:
    """A digest of a sound file's content; if it cannot be read, its fault, which is reported when its turn comes."""
    try:
        with path.open("rb") as file:
            return f"{path.stat().st_size} {hashlib.sha256(file.read(_READ)).hexdigest()}"
    except OSError as error:
        return str(error)


@lru_cache(maxsize=1)
def _code() -> str:
    """A digest of this package's modules, because another version may speak or judge in another way."""
    digest = hashlib.sha256()
    for path in sorted(Path(str(resources.files("triforce_tts"))).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_judged(folder: Path, jobs: Mapping[str, Job]) -> list[Judged]:
    """The results of an earlier run for ``jobs``, which are given by their keys. Lines of other jobs are removed."""
    lines: dict[str, str] = {}
    judged: list[Judged] = []
    for text, line in _lines(folder / JUDGED):
        if line.key in jobs and line.key not in lines and _is_whole(folder, line):
            lines[line.key] = text
            vectors = tuple(map(list, line.vectors))
            judged.append(Judged(jobs[line.key], line.clip, vectors, work_seconds=line.work_seconds))
    write_text(folder / JUDGED, "".join(f"{text}\n" for text in lines.values()))
    return judged


def _lines(path: Path) -> Iterator[tuple[str, _Line]]:
    """The lines that can be read; a run that was killed may have written a part of one."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                yield text.rstrip("\n"), parse_record(_Line, text, str(path))
            except TriforceError:
                continue


def _is_whole(folder: Path, line: _Line) -> bool:
    return line.clip is None or line.clip.audio is None or (folder / AUDIO / line.clip.audio).is_file()


@contextmanager
def judged_file(folder: Path) -> Iterator[TextIO]:
    """The file to which judgements are appended."""
    with (folder / JUDGED).open("a", encoding="utf-8") as file:
        yield file


def append(file: TextIO, key: str, judged: Judged) -> None:
    """Add a judgement and flush it, so that it survives the death of this process."""
    vectors = tuple(map(tuple, judged.vectors))
    line = _Line(key=key, clip=judged.clip, vectors=vectors, work_seconds=judged.work_seconds)
    file.write(f"{json.dumps(line.model_dump(mode='json'))}\n")
    file.flush()
