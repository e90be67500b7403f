"""What recognisers make of natural speech: ``python -m benchmarks.recognisers MANIFEST... --recogniser R... --out FILE``.

Each MANIFEST is a manifest.jsonl of recordings as ``triforce-tts evaluate --natural`` reads it, each R what its
--recogniser takes. All hear the same clips. Writes every text that was heard, and prints words and characters wrong, with
95 % intervals over recordings, and how far each recogniser is from the first one on the same clips.
"""

import argparse
import time
from pathlib import Path
from typing import Any

from triforce_tts.audio.io import read_audio
from triforce_tts.audio.resample import ANALYSIS_RATE
from triforce_tts.evaluation.figures import CHARACTER_ERROR, WORD_ERROR, written
from triforce_tts.evaluation.panel import errors
from triforce_tts.evaluation.report import Figure
from triforce_tts.evaluation.sources import Recording, group_names, read_recordings
from triforce_tts.evaluation.statistics import difference, ratio
from triforce_tts.files import write_json
from triforce_tts.judges.recognisers import open_recogniser


def hear(choice: str, recordings: list[Recording]) -> dict[str, Any]:
    """The texts that the recogniser ``choice`` hears in the recordings, and the processor time that it takes."""
    recogniser = open_recogniser(choice)
    began, seconds, texts = time.process_time(), 0.0, {}
    for recording in recordings:
        audio = read_audio(recording.path, ANALYSIS_RATE)
        texts[recording.sentence.id] = recogniser.hear(audio.samples.numpy())
        seconds += audio.duration_s
    return {"recogniser": recogniser.name, "texts": texts, "rtf": (time.process_time() - began) / seconds}


def row(name: str, recordings: list[Recording], result: dict[str, Any], first: dict[str, Any]) -> str:
    """A row of the table: one recogniser on the recordings called ``name`` together."""
    figures, reference = (
        {r.sentence.id: errors(r.sentence.text, one["texts"][r.sentence.id]) for r in recordings}
        for one in (result, first)
    )

    def column(table: dict[str, dict[str, Figure]], figure: str) -> dict[str, list[Figure]]:
        return {sentence: [own[figure]] for sentence, own in table.items()}

    cells = [written(f, ratio(list(column(figures, f).values()))) for f in (WORD_ERROR, CHARACTER_ERROR)]
    less = difference(column(figures, WORD_ERROR), column(reference, WORD_ERROR))
    assert less is not None
    cells += ["" if result is first else written(WORD_ERROR, less), f"{result['rtf']:.2f}"]
    return f"| {name}, {len(recordings)} | {result['recogniser']} | {' | '.join(cells)} |"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path, nargs="+")
    parser.add_argument("--recogniser", action="append", required=True, help="tiny.en, pocketsphinx, or a folder")
    parser.add_argument("--limit", type=int, help="only so many recordings of each manifest")
    parser.add_argument("--out", type=Path, required=True, help="JSON with every text that was heard")
    options = parser.parse_args()
    names = group_names(options.manifest, folders=True)
    lists = {n: read_recordings(p, n)[: options.limit] for p, n in zip(options.manifest, names, strict=True)}
    everything = [recording for recordings in lists.values() for recording in recordings]
    results = [hear(choice, everything) for choice in options.recogniser]
    write_json(options.out, results)
    print("| speech, clips | recogniser | words wrong | characters wrong | less the first | CPU s a second |")
    print("|---|---|---|---|---|---|")
    for name, recordings in lists.items():
        for result in results:
            print(row(name, recordings, result, results[0]))


if __name__ == "__main__":
    main()
