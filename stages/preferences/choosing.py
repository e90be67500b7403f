"""Chooses the pairs of the renditions that are drawn, and writes them as shards with an index."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triforce_tts.checkpoint import load_tensors, read_lineage
from triforce_tts.errors import TriforceError
from triforce_tts.files import write_text
from triforce_tts.shards import (
    SPLITS,
    Sample,
    ShardInfo,
    left_shards,
    remove_shards,
    shard_path,
    write_index,
    write_shard,
)
from triforce_tts.synthesis.model import Model
from triforce_tts.wording import counted

from .draw import Drawn, rendition_of
from .pairs import ChosenPair, Pair, PairDetails, Rendition, pair_sample
from .plan import LineToDraw
from .rule import Judgement, PreferSettings, choose_pair, cost
from .word_pairs import word_pairs

JUDGED = "judged.jsonl"


@dataclass
class Outcome:
    """The result of the command."""

    pairs: dict[str, int]  # the number of pairs in each split
    lines: int  # the lines that the user asked for
    drawn: int  # the lines among them that are drawn
    # For each role: the number of wrong words and of all words.
    words_wrong: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def summary(self) -> list[str]:
        """The lines that the user sees."""
        shares = ", ".join(
            f"{100 * wrong / max(1, words):.1f} % of {role}" for role, (wrong, words) in self.words_wrong.items()
        )
        pairs = f"{counted(sum(self.pairs.values()), 'pair')} ({self.pairs['heldout']} held out)"
        return [f"{pairs} of {counted(self.lines, 'line')}, {self.drawn} of them drawn; words wrong: {shares}"]


def write_pairs(
    folder: Path, lines: Sequence[LineToDraw], drawn: Mapping[str, Drawn], model: Model, settings: PreferSettings
) -> Outcome:
    """Choose the pairs of those ``lines`` that are drawn, and write shards, index and judgements into ``folder``.

    Raises:
        TriforceError: no line gives a pair.
    """
    vocabulary = model.vocabulary.config
    details = PairDetails(
        dvae=read_lineage(model.folder / "dvae")["id"], groups=vocabulary.groups, n_codes=vocabulary.n_codes,
        code_rate=model.code_rate, tokenizer=model.tokenizer.fingerprint,
        gpt=read_lineage(model.folder / "gpt")["id"], reads=vocabulary.reads,
    )  # fmt: skip
    samples: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    tally = _Tally(settings)
    for number, line in enumerate(lines):
        chosen = _pairs_of(line, number, drawn.get(line.key), details, settings, tally)
        samples["heldout" if line.heldout else "train"] += chosen
    if not samples["train"]:
        advice = (
            "lower rule.least_apart" if settings.unit == "line" else "raise temperature, so that renditions differ more"
        )
        raise TriforceError(
            f"{folder}: none of {counted(len(lines), 'line')} gives a pair to train on ({tally.lines} are drawn); give "
            f"more texts, or {advice}"
        )
    write_text(folder / JUDGED, "".join(f"{row}\n" for row in tally.rows))
    _write_shards(
        folder,
        samples,
        {**details.model_dump(), "rule": settings.rule.model_dump(mode="json"), "unit": settings.unit},
        settings,
    )
    pairs = {split: len(content) for split, content in samples.items()}
    return Outcome(pairs, len(lines), tally.lines, tally.words_wrong)


class _Tally:
    """The judgements as rows of ``judged.jsonl``, and the wrong words of all renditions and of those in pairs."""

    def __init__(self, settings: PreferSettings) -> None:
        self.settings, self.lines, self.rows = settings, 0, list[str]()
        self.words_wrong = dict.fromkeys(("all", "better", "worse"), (0, 0))

    def add(self, judged: Sequence[Judgement], voice: str, pairs: Sequence[tuple[int, int]]) -> None:
        """Count the renditions of a line; ``pairs`` holds the seeds of the better and the worse one of each pair."""
        self.lines += 1
        for one in judged:
            roles = [role for place, role in enumerate(("better", "worse")) if any(one.seed == p[place] for p in pairs)]
            priced = {"cost": round(cost(one, self.settings.rule), 4), "role": " and ".join(roles), "voice": voice}
            self.rows.append(json.dumps({**one.model_dump(mode="json"), **priced}, ensure_ascii=False))
            for name in ("all", *roles):
                wrong, words = self.words_wrong[name]
                self.words_wrong[name] = (wrong + one.words_wrong, words + one.words)


def _pairs_of(
    line: LineToDraw,
    number: int,
    drawn: Drawn | None,
    details: PairDetails,
    settings: PreferSettings,
    tally: _Tally,
) -> list[Sample]:
    """The pairs of a line; none if it is not drawn yet, or its renditions differ too little."""
    chosen = _chosen(line, drawn, settings)
    if drawn is not None:
        by_rule = [
            (better, worse)
            for better, worse in (one.seeds for one in chosen)
            if better is not None and worse is not None
        ]
        tally.add(drawn.judged, line.speaker.name, by_rule)
    about = {"text": line.text, "normalized": line.line.text, "speaker": line.speaker.name or "default"}
    samples: list[Sample] = []
    for place, one in enumerate(chosen):
        key = f"{line.key}-{number}" + (f"-{place}" if place else "")
        pair = Pair(line.speaker.voice.codes, line.line.tokens, one.better, one.worse)
        samples.append(pair_sample(key, pair, details, about, one.seeds))
    return samples


def _chosen(line: LineToDraw, drawn: Drawn | None, settings: PreferSettings) -> list[ChosenPair]:
    """The pairs that a person or the rule chooses among the renditions of a line."""
    if line.better is not None and line.worse is not None:
        if drawn is None and line.seeds:
            return []
        better, worse = (end if isinstance(end, int) else None for end in (line.better, line.worse))
        return [ChosenPair(_rendition(line.better, drawn), _rendition(line.worse, drawn), (better, worse))]
    if drawn is None:
        return []
    if settings.unit == "word":
        return word_pairs(line.line, drawn.judged, {one.seed: drawn.rendition(one.seed) for one in drawn.judged})
    pair = choose_pair(drawn.judged, settings.rule)
    if pair is None:
        return []
    seeds = (pair[0].seed, pair[1].seed)
    return [ChosenPair(drawn.rendition(seeds[0]), drawn.rendition(seeds[1]), seeds)]


def _rendition(end: int | Path, drawn: Drawn | None) -> Rendition:
    """The rendition of a seed that was drawn, or the one in a file."""
    if isinstance(end, Path):
        return rendition_of(load_tensors(end), end)
    assert drawn is not None
    return drawn.rendition(end)


def _write_shards(
    folder: Path, samples: Mapping[str, Sequence[Sample]], details: Mapping[str, Any], settings: PreferSettings
) -> None:
    earlier = left_shards(folder)
    splits: dict[str, list[ShardInfo]] = {split: [] for split in SPLITS}
    size = settings.pairs_of_shard
    for split, content in samples.items():
        for start in range(0, len(content), size):
            path = shard_path(folder, split, start // size)
            splits[split].append(write_shard(path, content[start : start + size]))
    write_index(folder, "pairs", splits, details)
    remove_shards(folder, earlier - {shard.name for infos in splits.values() for shard in infos})
