"""The figures of judged clips: each clip's similarity to its voice, summaries, differences, levels of readers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from triforce_tts.evaluation.clips import Judged
from triforce_tts.evaluation.figures import SIMILARITY
from triforce_tts.evaluation.plan import VOICES, Job
from triforce_tts.evaluation.report import (
    COPIES,
    SAMPLED,
    Clip,
    Difference,
    Estimate,
    Figure,
    Group,
    Similarity,
    Summary,
)
from triforce_tts.evaluation.statistics import difference, ratio

Vector = npt.NDArray[np.float64]
# The value of ``same_from`` if there are no clips to compare.
NO_PLACE = "nothing to compare"


def with_similarity(judged: Sequence[Judged]) -> list[Clip]:
    """The clips. Spoken and copied ones get their similarity to the clip of their voice, or to their recording."""
    references = _references(judged)
    recordings = {_origin(r.job): _unit(r.vectors[0]) for r in judged if r.job.kind == "natural" and r.vectors}
    clips = []
    for result in judged:
        clip, job = result.clip, result.job
        if clip is None:
            continue
        source = (
            recordings.get(_origin(job), references.get(job.voice)) if job.kind in COPIES else references.get(job.voice)
        )
        if job.kind != "natural" and source is not None and result.vectors:
            cosine = float(_unit(result.vectors[0]) @ source)
            clip = clip.model_copy(update={"figures": {**clip.figures, SIMILARITY: Figure(amount=cosine)}})
        clips.append(clip)
    return clips


def _origin(job: Job) -> tuple[str, str]:
    return str(job.source), job.sentence.id


def _unit(vector: Sequence[float] | Vector) -> Vector:
    array = np.asarray(vector, np.float64)
    return np.asarray(array / max(float(np.linalg.norm(array)), 1e-12))


def summaries(judged: Sequence[Judged], clips: Sequence[Clip]) -> list[Summary]:
    """A summary of each system, in the order in which their jobs were given."""
    kinds = {r.job.system: (r.job.kind, r.job.label) for r in judged if r.job.kind is not None}
    results = []
    for system, (kind, label) in kinds.items():
        own = [clip for clip in clips if clip.system == system]
        if not own:
            continue
        assert kind is not None
        figures = {name: ratio(list(rows.values())) for name, rows in _by_figure(own).items()}
        results.append(Summary(system=system, kind=kind, label=label, clips=len(own), figures=figures))
    return results


def groups(judged: Sequence[Judged], clips: Sequence[Clip]) -> list[Group]:
    """The summaries over each list of sentences alone; empty if there is only one list."""
    names = list(dict.fromkeys(clip.group for clip in clips if clip.group))
    if len(names) < 2:
        return []
    return [
        Group(name=name, sentences=len({clip.sentence for clip in own}), summaries=tuple(summaries(judged, own)))
        for name, own in ((name, [clip for clip in clips if clip.group == name]) for name in names)
    ]


def _by_figure(clips: Iterable[Clip]) -> dict[str, dict[str, list[Figure]]]:
    """For each figure that has a weight somewhere, the figures of the clips of each sentence."""
    table: dict[str, dict[str, list[Figure]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        for name, figure in clip.figures.items():
            table[name][clip.sentence].append(figure)
    return {name: rows for name, rows in table.items() if any(f.weight for row in rows.values() for f in row)}


def differences(systems: Sequence[Summary], clips: Sequence[Clip]) -> list[Difference]:
    """The first model less the second in every way of making sound, and the first model's speech less the recordings."""
    pairs = [
        (first, second)
        for first, second in combinations(systems, 2)
        if first.kind == second.kind and first.kind != "natural"
    ]
    speech = next((system for system in systems if system.kind == "spoken"), None)
    if speech is not None:
        pairs += [(speech, system) for system in systems if system.kind == "natural"]
    results = []
    for first, second in pairs:
        sides = [_by_figure(clip for clip in clips if clip.system == side.system) for side in (first, second)]
        estimates = {name: _difference(name, sides[0], sides[1]) for name in sides[0] if name in sides[1]}
        figures = {name: estimate for name, estimate in estimates.items() if estimate is not None}
        if figures:
            results.append(Difference(first=first.system, second=second.system, figures=figures))
    return results


def _difference(
    name: str, first: dict[str, dict[str, list[Figure]]], second: dict[str, dict[str, list[Figure]]]
) -> Estimate | None:
    sides = [{s: row for s, row in side[name].items() if any(f.weight for f in row)} for side in (first, second)]
    return difference(sides[0], sides[1])


def similarity(judged: Sequence[Judged]) -> Similarity | None:
    """The levels of natural clips of one and of different readers, and all similarities; ``None`` without vectors."""
    if not any(result.vectors for result in judged):
        return None
    natural = _readers(judged)
    same, source = _same(natural)
    means = {who: _unit(np.mean([_unit(r.vectors[0]) for r in clips], axis=0)) for who, clips in natural.items()}
    others = {who: [float(mean @ means[o]) for o in means if o != who] for who, mean in means.items()}
    different = _mean([float(np.mean(cosines)) for cosines in others.values() if cosines])
    references = _references(judged)
    columns = tuple(sorted(references))
    rows = {f"{r.job.label}: {r.job.voice}": list[Vector]() for r in judged if r.job.kind in SAMPLED and r.vectors}
    for result in judged:
        if result.job.kind in SAMPLED and result.vectors:
            rows[f"{result.job.label}: {result.job.voice}"].append(_unit(result.vectors[0]))
    cosines = tuple(
        tuple(float(_unit(np.mean(vectors, axis=0)) @ references[name]) for name in columns)
        for vectors in rows.values()
    )
    return Similarity(
        same=same, same_from=source, different=different, references=columns, speakers=tuple(rows), cosines=cosines
    )


def _references(judged: Sequence[Judged]) -> dict[str, Vector]:
    """The vector of each voice's first clip."""
    return {r.job.voice: _unit(r.vectors[0]) for r in reversed(judged) if r.job.kind is None and r.vectors}


def _readers(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Natural clips by reader. The models' own voices count only where there is nobody else: who they are is not known."""
    natural: dict[str, list[Judged]] = defaultdict(list)
    for result in judged:
        if result.vectors and (result.job.kind == "natural" or result.job.label == VOICES):
            natural[result.job.voice].append(result)
    own = {r.job.voice: [r] for r in judged if r.job.kind is None and r.vectors}
    return natural or own


def _same(natural: dict[str, list[Judged]]) -> tuple[Estimate | None, str]:
    """The likeness of clips of one reader, from readers with several clips, or else from the halves of one clip."""
    several = [[_unit(r.vectors[0]) for r in clips] for clips in natural.values() if len(clips) > 1]
    if several:
        return _mean([_mean_cosine(vectors) for vectors in several]), "different clips of one reader"
    halves = [[_unit(v) for v in clips[0].vectors[1:]] for clips in natural.values() if len(clips[0].vectors) > 1]
    if halves:
        return _mean([_mean_cosine(vectors) for vectors in halves]), "halves of one clip"
    return None, NO_PLACE


def _mean_cosine(vectors: Sequence[Vector]) -> float:
    return float(np.mean([a @ b for a, b in combinations(vectors, 2)]))


def _mean(values: Sequence[float]) -> Estimate | None:
    """The mean and its interval, for which readers are drawn."""
    return ratio([[Figure(amount=value)] for value in values]) if values else None
