import numpy as np
import pytest

from benchmarks.similarity import joined, large, rates, split, swapped
from triforce_tts.data.similarity import SimilarityConfig, Voices

EASY = SimilarityConfig(clip=0.2, same=0.2, two=0.2)


@pytest.fixture(scope="module")
def voices() -> Voices:
    """Ten readers in directions of their own, twelve clips each, and one reader of a single clip."""
    rng = np.random.default_rng(0)
    names = [f"r{n}" for n in range(10) for _ in range(12)] + ["once"]
    vectors = np.eye(11)[[int(name[1:]) if name != "once" else 10 for name in names]]
    vectors = vectors + 0.05 * rng.standard_normal(vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Voices([f"k{n}" for n in range(len(names))], names, vectors.astype(np.float32))


def test_only_readers_of_many_clips_are_mixed_up(voices: Voices) -> None:
    assert large(voices) == [f"r{n}" for n in range(10)]


@pytest.mark.parametrize(("mix", "mixed"), [("swapped", 6), ("split", 2), ("joined", 1)])
def test_voices_that_are_easy_to_tell_apart_are_all_found(mix: str, mixed: int, voices: Voices) -> None:
    mixes = {
        "swapped": lambda rng: swapped(voices, EASY, rng, 0.05),
        "split": lambda rng: split(voices, EASY, rng),
        "joined": lambda rng: joined(voices, EASY, rng),
    }
    assert rates(mixes[mix], 3) == {"mixed up": mixed, "precision": 1.0, "recall": 1.0}


def test_rates_by_hand() -> None:
    """Two draws: of three suspects two are right, of four that were mixed up two are found."""
    outcomes = [({"a", "b", "c"}, {"a", "x"}), ({"d"}, {"d"})]
    given = iter(outcomes)
    found = rates(lambda rng: next(given), 2)
    assert found == pytest.approx({"mixed up": 2, "precision": 2 / 3, "recall": 2 / 4})
