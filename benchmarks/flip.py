"""Is the flip score worth anything? ``python -m benchmarks.flip [MODEL] --speech FOLDER --out FILE``.

Draws several candidates of each sentence and compares the score that the GPT gives them (log P(text | speech) - log
P(text), nats a letter) with the character error of a recogniser: rank correlation over all candidates and among those
of one sentence; the error of the candidate that ``speak --candidates`` would keep, of a random one, and of the best.
Then ``listen`` on held-out recordings, beside saying the same likely text whatever is heard.

Candidates of one sentence are not independent: every interval is a bootstrap over sentences. A correlation with an
error is good when it is negative.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.judges import character_errors, recogniser_name
from benchmarks.quality import Lists, markdown
from triforce_tts import Synthesizer
from triforce_tts.audio.edit import trim_silence
from triforce_tts.evaluation.statistics import DRAWS, LEVEL, SEED, interval
from triforce_tts.files import write_json
from triforce_tts.judges.words import character_edits, letters
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.score import heard, target_log_probabilities
from triforce_tts.sampling.tokens import generate, text_grammar
from triforce_tts.sequences import TEXT
from triforce_tts.text.normalize import normalize

Figures = npt.NDArray[np.float64]  # [sentences, candidates]


def ranks(values: npt.ArrayLike) -> Figures:
    """Ranks from 1; equal values share the mean of theirs."""
    array = np.asarray(values, dtype=np.float64)
    _, group, sizes = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    shared: Figures = (last - (sizes - 1) / 2)[group]
    return shared


def spearman(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """The rank correlation of two equally long lists; it is not a number if one of them is constant."""
    x, y = ranks(a), ranks(b)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else float("nan")


def within(scores: Figures, errors: Figures) -> float:
    """The mean of the rank correlation among the candidates of each sentence, without sentences of equal candidates."""
    correlations = [spearman(s, e) for s, e in zip(scores, errors, strict=True)]
    defined = [value for value in correlations if np.isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")


def over_sentences(figure: Callable[..., float], *tables: Figures) -> tuple[float, float, float]:
    """``figure`` of ``tables`` [sentences, ...], and its 95 % interval under redrawing whole sentences."""
    rng = np.random.default_rng(SEED)
    count = len(tables[0])
    drawn = [figure(*(table[rows] for table in tables)) for rows in rng.integers(count, size=(DRAWS, count))]
    low, high = np.nanquantile(drawn, LEVEL)
    return figure(*tables), float(low), float(high)


def kept(scores: Figures, ended: Figures) -> npt.NDArray[np.int64]:
    """The candidate of each sentence that the synthesizer would keep: one that ended by itself, then the best score."""
    best: npt.NDArray[np.int64] = np.where(ended > 0, scores, scores - 1e6).argmax(axis=1)
    return best


def ranking(scores: Figures, errors: Figures, ended: Figures) -> dict[str, Any]:
    """The correlations, and the gain from choosing by the score. Tables are [sentences, candidates]."""
    chosen = errors[np.arange(len(errors)), kept(scores, ended)]
    random, oracle = errors.mean(axis=1), errors.min(axis=1)
    return {
        "candidates": errors.size,
        "spearman, all candidates": over_sentences(lambda s, e: spearman(s.ravel(), e.ravel()), scores, errors),
        "spearman, within a sentence": over_sentences(within, scores, errors),
        f"error, best of {errors.shape[1]} by the flip": over_sentences(np.mean, chosen),
        "error, a random one": over_sentences(np.mean, random),
        "error, the best one": over_sentences(np.mean, oracle),
        "gain over a random one": over_sentences(np.mean, random - chosen),
        "ended by itself": over_sentences(np.mean, ended),
    }


def candidates(synthesizer: Synthesizer, texts: Sequence[str], count: int, workers: int) -> dict[str, Any]:
    """The score, the recogniser's error and a proper end for ``count`` candidates of each text in the default voice."""
    voice, rate = synthesizer.voice(), synthesizer.audio.sample_rate
    scores, ended, sounds = [], [], []
    for number, text in enumerate(texts):
        normalized = normalize(text)
        drawn = [synthesizer.generate_codes(normalized, voice, 1_000_003 * number + c) for c in range(count)]
        scores += flip_scores(synthesizer, normalized, [codes for codes, _, _ in drawn])
        ended += [float(ended) for _, ended, _ in drawn]
        for codes, _, _ in drawn:
            sound = synthesizer.decode(codes, voice.speaker, number)
            cut = trim_silence(sound, rate)
            sounds.append(cut if len(cut) else sound)
    errors = character_errors(sounds, rate, [text for text in texts for _ in range(count)], workers)
    tables = {"score": scores, "error": errors, "ended": ended}
    return {name: np.reshape(values, (len(texts), count)).tolist() for name, values in tables.items()}


def flip_scores(synthesizer: Synthesizer, normalized: str, codes: Sequence[torch.Tensor]) -> list[float]:
    """The mean of log P(text | speech) - log P(text) for each candidate, in nats for each letter."""
    ids = synthesizer.tokenizer.encode_letters(normalized)
    prior = text_prior(synthesizer, ids)
    return [score - prior for score in heard(synthesizer.gpt, synthesizer.vocabulary, ids, codes)]


def text_prior(synthesizer: Synthesizer, ids: list[int]) -> float:
    """The mean of log P(text) in nats for each letter."""
    (nats,) = target_log_probabilities(synthesizer.gpt, [synthesizer.vocabulary.text_alone(ids)])
    return float(nats.mean())


def listening(synthesizer: Synthesizer, lists: Lists) -> dict[str, Any]:
    """Character error of ``listen`` on kathleen's held-out recordings, beside texts that do not listen.

    These are the sentence of the book that the text prior finds likeliest a letter, the one that would have been best
    in hindsight, and what the prior itself writes when it takes the likeliest letter each time.
    """
    texts = [r.text for r in lists.kathleen]
    transcripts = [synthesizer.listen(r.audio) for r in lists.kathleen]
    pool = [letters(text) for text in lists.book]
    prior = [text_prior(synthesizer, synthesizer.tokenizer.encode_letters(text)) for text in pool]
    likeliest = pool[int(np.argmax(prior))]
    written = likeliest_text(synthesizer, round(float(np.mean([len(letters(text)) for text in texts]))))
    table = {text: [spelled_error(own, text) for own in texts] for text in {*pool, written}}
    hindsight = min(pool, key=lambda text: float(np.mean(table[text])))
    own = [spelled_error(text, guess) for text, guess in zip(texts, transcripts, strict=True)]
    return {
        "recordings": len(texts),
        "listen": interval(own),
        f"always '{likeliest}' (likeliest sentence of the book)": interval(table[likeliest]),
        f"always '{hindsight}' (best in hindsight)": interval(table[hindsight]),
        f"always '{written}' (written by the prior)": interval(table[written]),
        "gain over the best in hindsight": interval((np.array(table[hindsight]) - np.array(own)).tolist()),
        "examples": [f"{text} -> {guess}" for text, guess in list(zip(texts, transcripts, strict=True))[:3]],
    }


def spelled_error(reference: str, heard: str) -> float:
    """The wrong characters in the text that the GPT wrote, for each character of the reference; only letters count."""
    return character_edits(reference, heard, letters).error


def likeliest_text(synthesizer: Synthesizer, limit: int) -> str:
    """The text that the GPT writes without any speech, at most ``limit`` letters."""
    (ids,) = generate(
        synthesizer.gpt, [[TEXT]], text_grammar(synthesizer.vocabulary), [limit], [0], TokenSampling(temperature=0.0)
    )
    return letters(synthesizer.tokenizer.decode(synthesizer.vocabulary.text_tokens(ids)) or "a")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", help="default: the bundled one")
    parser.add_argument("--speech", type=Path, required=True, help="labelled recordings with a heldout.json")
    parser.add_argument("--sentences", type=int, default=50, help="of the book, held out; default: %(default)s")
    parser.add_argument("--candidates", type=int, default=4, help="of each; default: %(default)s")
    parser.add_argument("--workers", type=int, default=2, help="recognisers; default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="JSON with the figures and every candidate's")
    arguments = parser.parse_args()
    began = time.perf_counter()
    synthesizer = Synthesizer.load(arguments.model, "cpu")
    lists = Lists(arguments.speech, arguments.sentences)
    table = candidates(synthesizer, lists.book, arguments.candidates, arguments.workers)
    report: dict[str, Any] = {
        "model": synthesizer.id,
        "recogniser": recogniser_name(),
        "ranking": ranking(*(np.array(table[name]) for name in ("score", "error", "ended"))),
        "listening": listening(synthesizer, lists),
        "each": table,
    }
    write_json(arguments.out, report)
    print(json.dumps({k: v for k, v in report.items() if k != "each"}, indent=1))
    for part in ("ranking", "listening"):
        print(markdown(part, report[part]))
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
