"""The order in which people look at the sentences: the worst ones first."""

from collections.abc import Sequence
from dataclasses import dataclass

from triforce_tts.evaluation.figures import OVERALL, WORD_ERROR
from triforce_tts.evaluation.report import Clip, Report


@dataclass(frozen=True)
class Shown:
    """A sentence, or a sound without a known text, with its clips."""

    sentence: str  # the id of the sentence
    text: str
    clips: tuple[Clip, ...]


def worst_first(report: Report) -> list[Shown]:
    """Every sentence of the report. The one that the first model said worst comes first; those it never said come last.

    The clips of a sentence: recordings, then what was spoken, the worst seed first, then copies.
    """
    clips: dict[str, list[Clip]] = {sentence.id: [] for sentence in report.sentences}
    for clip in report.clips:
        clips.setdefault(clip.sentence, []).append(clip)
    texts = {clip.sentence: clip.text for clip in report.clips} | {s.id: s.text for s in report.sentences}
    kinds = {system.system: system.kind for system in report.summaries}
    places = {system.system: place for place, system in enumerate(report.summaries)}
    rank = {"natural": 0, "spoken": 1, "cloned": 2}
    shown = [
        Shown(
            sentence,
            texts.get(sentence, ""),
            tuple(sorted(own, key=lambda clip: (rank.get(kinds[clip.system], 3), places[clip.system], _badness(clip)))),
        )
        for sentence, own in clips.items()
    ]
    label = report.models[0].label
    return sorted(shown, key=lambda entry: _worst([c for c in entry.clips if c.system == f"{label}: spoken"]))


def _worst(clips: Sequence[Clip]) -> tuple[float, float]:
    """The sort key of a sentence: the mean badness of its clips; a sentence without clips comes last."""
    if not clips:
        return (1.0, 0.0)
    bad = [_badness(clip) for clip in clips]
    return (sum(word for word, _ in bad) / len(bad), sum(grade for _, grade in bad) / len(bad))


def _badness(clip: Clip) -> tuple[float, float]:
    """The sort key of a clip, lowest for the worst: the wrong words, negative, then the overall grade."""
    error = clip.figures[WORD_ERROR].value if WORD_ERROR in clip.figures else None
    grade = clip.figures[OVERALL].value if OVERALL in clip.figures else None
    return (-(error or 0.0), grade if grade is not None else 0.0)
