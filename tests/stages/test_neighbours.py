import math
from pathlib import Path

import pytest
import torch

from tests.training import trainer
from triforce_tts.stages import neighbours
from triforce_tts.stages.neighbours import Frames, neighbour_figures, soft_nearest_neighbour, symbols_at
from triforce_tts.text.tokenizer import Piece


def test_three_frames_by_hand() -> None:
    """Frames at 0, 1 and 3, the first two of one label; the squared distances are 1, 9 and 4, their mean over all nine
    ordered pairs is 28 / 9. Each of the first two has one other frame of its label and one of another; the third has
    none of its own and is left out."""
    vectors, labels, clips = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([0, 0, 1]), torch.arange(3)
    at = 0.5 * 28 / 9
    first = math.exp(-1 / at) / (math.exp(-1 / at) + math.exp(-9 / at))
    second = math.exp(-1 / at) / (math.exp(-1 / at) + math.exp(-4 / at))
    expected = -(math.log(first) + math.log(second)) / 2
    assert float(soft_nearest_neighbour(vectors, labels, clips, [0.5])[0]) == pytest.approx(expected, abs=1e-12)


def naive(vectors: torch.Tensor, labels: torch.Tensor, clips: torch.Tensor, temperature: float) -> float:
    points = vectors.double().tolist()

    def squared(i: int, j: int) -> float:
        return sum((a - b) ** 2 for a, b in zip(points[i], points[j], strict=True))

    count = len(points)
    scale = sum(squared(i, j) for i in range(count) for j in range(count)) / count**2
    losses = []
    for i in range(count):
        same = everything = 0.0
        for j in range(count):
            if clips[i] != clips[j]:
                near = math.exp(-squared(i, j) / scale / temperature)
                everything += near
                same += near * bool(labels[i] == labels[j])
        if same:
            losses.append(-math.log(same / everything))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_in_parts_it_is_what_two_loops_count(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_ROWS", rows)
    rng = torch.Generator().manual_seed(0)
    vectors = torch.randn(40, 5, generator=rng)
    labels, clips = (torch.randint(most, (40,), generator=rng) for most in (4, 9))
    temperatures = (1.0, 0.25, 0.125)
    found = soft_nearest_neighbour(vectors, labels, clips, temperatures)
    expected = [naive(vectors, labels, clips, temperature) for temperature in temperatures]
    assert found.tolist() == pytest.approx(expected, rel=1e-9)


def test_a_low_temperature_and_far_frames_are_finite() -> None:
    vectors = torch.tensor([[0.0], [0.0], [1e6], [1e6 + 1]])
    labels, clips = torch.tensor([0, 1, 0, 1]), torch.arange(4)
    assert soft_nearest_neighbour(vectors, labels, clips, [1e-3]).isfinite().all()
    assert soft_nearest_neighbour(torch.zeros(4, 2), labels, clips, [0.1])[0] == pytest.approx(math.log(3))


def test_without_two_clips_of_a_label_there_is_no_figure() -> None:
    vectors = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    one_clip_each = soft_nearest_neighbour(vectors, torch.tensor([0, 0, 1, 1]), torch.tensor([5, 5, 6, 6]), [1.0])
    assert one_clip_each.isnan().all()
    assert soft_nearest_neighbour(vectors[:0], torch.zeros(0), torch.zeros(0), [1.0]).isnan().all()


def test_codes_that_tell_the_phone_and_hide_the_speaker() -> None:
    rng = torch.Generator().manual_seed(0)
    speakers, phones, clips = (torch.randint(most, (300,), generator=rng) for most in (3, 5, 30))
    clips = clips * 3 + speakers
    vectors = torch.nn.functional.one_hot(phones, 5).float() + 0.05 * torch.randn(300, 5, generator=rng)
    phones[:20] = neighbours.NO_LABEL
    figures = neighbour_figures(Frames(vectors, speakers, phones, clips), 250)
    assert figures["neighbour_phone"] < 0.01
    assert figures["neighbour_phone_chance"] == pytest.approx(math.log(5), abs=0.15)
    assert figures["neighbour_speaker"] == pytest.approx(math.log(3), abs=0.1)
    assert figures["neighbour_speaker"] == pytest.approx(figures["neighbour_speaker_chance"], abs=0.1)


def test_the_symbol_at_a_time() -> None:
    pieces = [Piece(("a", "b"), True), Piece((" ",), False), Piece(("c",), True), Piece(("d", "e"), True)]
    words = [(0.1, 0.2, 0.4), (0.5, 0.6), (0.7, 0.8)]  # the last one was aligned with other symbols
    times = [0.0, 0.1, 0.19, 0.2, 0.39, 0.4, 0.55, 0.6, 0.75]
    assert symbols_at(times, pieces, words) == ["", "a", "a", "b", "b", "", "c", "", ""]


def test_validation_has_the_figures_on_request(corpus: dict[str, Path], tmp_path: Path) -> None:
    device = torch.device("cpu")
    asked = trainer("dvae", corpus, tmp_path / "a", ["neighbours=200"])
    asked.task.heldout = asked.task.train  # one speaker: the loss is 0, whatever the codes are
    figures = asked.task.validate(asked.network, device, 4)
    assert figures["neighbour_speaker"] == figures["neighbour_speaker_chance"] == 0
    assert 0 < figures["neighbour_phone"] <= figures["neighbour_phone_chance"] + 0.1
    silent = trainer("dvae", corpus, tmp_path / "b")
    assert not any("neighbour" in name for name in silent.task.validate(silent.network, device, 1))
