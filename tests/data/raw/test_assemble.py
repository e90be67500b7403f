"""The decisions over all recordings, tested with hand-made results."""

from triforce_tts.data.common.segments import UNKNOWN
from triforce_tts.data.raw.assemble import choose_heldout


def test_whole_small_speakers_are_held_out() -> None:
    speakers = ["host"] * 80 + [f"guest{n}" for n in range(10) for _ in range(2)]
    chosen = choose_heldout(speakers, [1.0] * 100, 0.05)
    assert chosen
    assert "host" not in chosen
    assert 2 <= sum(s in chosen for s in speakers) <= 5


def test_the_choice_does_not_hang_on_the_order() -> None:
    speakers = [f"s{n % 7}" for n in range(70)]
    assert choose_heldout(speakers, [1.0] * 70, 0.2) == choose_heldout(speakers[::-1], [1.0] * 70, 0.2)


def test_the_only_speaker_and_the_unknown_are_trained_on() -> None:
    assert choose_heldout(["a"] * 9 + [UNKNOWN], [1.0] * 10, 0.5) == set()
    assert choose_heldout([UNKNOWN] * 5, [1.0] * 5, 0.5) == set()
    assert choose_heldout([], [], 0.5) == set()
