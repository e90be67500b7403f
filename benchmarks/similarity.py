"""Does ``inspect --similarity`` find mixed-up readers? ``python -m benchmarks.similarity SHARDS... --out FILE``.

The labels of a corpus are mixed up on purpose, and what the rules of ``data/similarity.py`` then suspect is compared
with what was done:

  swapped    a share of the clips gets the name of another reader
  split      half of the clips of a reader get a new name
  joined     the clips of two readers get one name

Precision is the share of the suspects that were mixed up, recall the share of what was mixed up that is suspected. What
is suspected in the corpus as it is counts as a false alarm, although some of it may be true. Only readers of at least
ten clips are mixed up; the others stay in the corpus.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from triforce_tts.data.similarity import SimilarityConfig, Suspects, Voices, compare, listen
from triforce_tts.files import write_json
from triforce_tts.shards import ShardSet

_LEAST = 10  # a reader that is mixed up has at least so many clips
SHARES = (0.01, 0.05, 0.2)  # the shares of the clips that are swapped
_NEW = "copy of "  # the new name of a reader that is split begins with this

Outcome = tuple[set[str], set[str]]  # the readers that were mixed up, and those that are suspected


def swapped(voices: Voices, config: SimilarityConfig, rng: np.random.Generator, share: float) -> Outcome:
    """The clips that got the name of another reader, and the suspected clips."""
    names = large(voices)
    speakers, own = list(voices.speakers), [i for i, name in enumerate(voices.speakers) if name in names]
    chosen = rng.choice(own, max(1, round(share * len(own))), replace=False)
    for i in chosen:
        speakers[i] = str(rng.choice([name for name in names if name != speakers[i]]))
    suspects = compare(replace(voices, speakers=speakers), config).suspects
    return {voices.keys[i] for i in chosen}, {stray.key for stray in suspects.clips}


def split(voices: Voices, config: SimilarityConfig, rng: np.random.Generator) -> Outcome:
    """Readers with a second name (a fifth of them), and the readers that are suspected to have two."""
    names = large(voices)
    chosen = {str(name) for name in rng.choice(names, max(1, len(names) // 5), replace=False)}
    moved = [name in chosen and rng.random() < 0.5 for name in voices.speakers]
    speakers = [f"{_NEW}{name}" if new else name for name, new in zip(voices.speakers, moved, strict=True)]
    pairs = compare(replace(voices, speakers=speakers), config).suspects.one_person
    return chosen, {
        " and ".join(sorted({pair.first.removeprefix(_NEW), pair.second.removeprefix(_NEW)})) for pair in pairs
    }


def joined(voices: Voices, config: SimilarityConfig, rng: np.random.Generator) -> Outcome:
    """Names that two readers share (a fifth of the readers), and the names that are suspected of it."""
    names = [str(name) for name in rng.permutation(large(voices))]
    count = max(2, len(names) // 5 // 2 * 2)
    renamed = dict(zip(names[:count:2], names[1:count:2], strict=True))
    speakers = [renamed.get(name, name) for name in voices.speakers]
    suspects: Suspects = compare(replace(voices, speakers=speakers), config).suspects
    return set(renamed.values()), {pair.first for pair in suspects.two_people}


def large(voices: Voices) -> list[str]:
    """The readers of at least ten clips."""
    return sorted(name for name, count in Counter(voices.speakers).items() if count >= _LEAST)


def rates(mix: Callable[[np.random.Generator], Outcome], draws: int) -> dict[str, float]:
    """Precision and recall over all draws together."""
    right = suspected = mixed = 0
    for seed in range(draws):
        truth, suspects = mix(np.random.default_rng(seed))
        right, suspected, mixed = right + len(truth & suspects), suspected + len(suspects), mixed + len(truth)
    return {"mixed up": mixed / draws, "precision": right / max(1, suspected), "recall": right / max(1, mixed)}


def measure(voices: Voices, config: SimilarityConfig, draws: int) -> dict[str, Any]:
    """All rates, and the suspects in the unchanged corpus."""
    as_it_is = compare(voices, config).suspects
    report: dict[str, Any] = {
        "clips": len(voices.keys), "readers": len(set(voices.speakers)), "readers of ten clips": len(large(voices)),
        "as it is": {name: len(value) for name, value in vars(as_it_is).items()},
        "thresholds": config.model_dump(),
    }  # fmt: skip
    for share in SHARES:
        report[f"swapped {share:.0%}"] = rates(lambda rng, s=share: swapped(voices, config, rng, s), draws)  # type: ignore[misc]
    report["split"] = rates(lambda rng: split(voices, config, rng), draws)
    report["joined"] = rates(lambda rng: joined(voices, config, rng), draws)
    return report


def first_clips(folders: Sequence[Path], most: int, least_s: float) -> list[ShardSet]:
    """Both splits of the corpora, with at most ``most`` clips of each reader."""
    counts: Counter[str] = Counter()
    chosen = []
    for split_name in ("train", "heldout"):
        shards, numbers = ShardSet.open(folders, split_name, "audio"), []
        for i, name in enumerate(shards.speakers):
            if shards.durations_s[i] >= least_s and counts[name] < most:
                counts[name] += 1
                numbers.append(i)
        chosen.append(shards.select(numbers))
    return chosen


def heard(arguments: argparse.Namespace, config: SimilarityConfig) -> Voices:
    """The vectors of the clips, kept in a file beside the report for the next run."""
    cache: Path = arguments.out.with_suffix(".npz")
    if cache.is_file():
        table = np.load(cache)
        vectors: npt.NDArray[np.float32] = table["vectors"]
        return Voices(table["keys"].tolist(), table["speakers"].tolist(), vectors)

    def shown(batches: Iterable[int], count: int) -> Iterable[int]:
        yield from batches

    voices = listen(first_clips(arguments.shards, arguments.most, config.min_seconds), config.min_seconds, shown)
    np.savez(cache, keys=voices.keys, speakers=voices.speakers, vectors=voices.vectors)
    return voices


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path, nargs="+", help="folders of shards of audio")
    parser.add_argument("--most", type=int, default=25, help="clips of each reader; default: %(default)s")
    parser.add_argument("--draws", type=int, default=20, help="times that labels are mixed up; default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write; the vectors are kept beside it")
    arguments = parser.parse_args()
    config = SimilarityConfig()
    report = measure(heard(arguments, config), config, arguments.draws)
    write_json(arguments.out, report)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
