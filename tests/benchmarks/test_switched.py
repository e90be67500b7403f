"""The measurements of switched convolutions."""

import pytest
import torch

from benchmarks import switched_conv, switched_dvae
from benchmarks.switched_conv import Shape, measure
from benchmarks.switched_dvae import SILENCE, Usage, information, phones_of
from triforce_tts import native
from triforce_tts.models.dvae import DVAE
from triforce_tts.samples import Described
from triforce_tts.text.tokenizer import TextTokenizer

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:the native operators are not built"),
]


@pytest.mark.parametrize("clock", ["wall", "cpu"])
@pytest.mark.parametrize(
    "shape", [Shape(2, 4, 3, (9,), 3), Shape(2, 4, 3, (9, 8), 3, 2)], ids=["line", "picture with a stride"]
)
def test_speed_is_a_share_of_the_plain_convolutions(shape: Shape, clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(switched_conv.SHAPES, "small", shape)
    row = measure("small", 3, torch.device("cpu"), "fp32", 2, 0.0, clock)
    assert row["shape"] == "small" and row["b"] == 3 and row["plain ms"] > 0
    for title in ("share", "layer"):
        for part in ("forward", "both"):
            value = row[f"{title} {part}"]
            assert value > 0 if title == "layer" or native.available() else value == "not built"
    assert row["reference"] == "-" or row["reference"] > 0
    assert row["memory"] == "-" or row["memory"] >= 0


def test_the_arithmetic_of_a_shape() -> None:
    shape = Shape(2, 4, 3, (9, 8), 3, 2)
    assert shape.places == (5, 4)
    assert shape.flops == 2 * 2 * (5 * 4) * 9 * 4 * 3


def test_what_a_kernel_tells_of_the_phone() -> None:
    phones = ["a", "b"] * 20
    usage = Usage()
    usage.add([0, 1] * 20, phones)
    assert information(usage.together) == pytest.approx(1.0)
    one = Usage()
    one.add([3] * 40, phones)
    assert information(one.together) == pytest.approx(0.0)
    both = Usage()  # the kernel halves four phones
    both.add([0, 0, 1, 1] * 10, ["a", "b", "c", "d"] * 10)
    assert information(both.together) == pytest.approx(0.5)
    assert sum(both.shifted.values()) == sum(both.together.values()) == 40


def test_phones_come_from_the_alignment() -> None:
    words = [piece.symbols for piece in TextTokenizer().spell("a cat") if piece.is_word]
    assert [len(symbols) for symbols in words] == [1, 3]
    sample = Described(duration_s=1.0, text="a cat", alignment=[[0.1, 0.2], [0.4, 0.5, 0.7, 0.8]])
    found = phones_of(sample, TextTokenizer(), 10, 1.0)
    first, second = words[0][0], words[1]
    spoken = [SILENCE, first, SILENCE, SILENCE, second[0], second[1], second[1], second[2], SILENCE, SILENCE]
    assert found == spoken
    assert phones_of(Described(duration_s=1.0, text="a cat"), TextTokenizer(), 10, 1.0) is None


def test_a_dvae_speaks_through_griffin_lim(tiny_dvae: DVAE, tiny_audio: object) -> None:
    sound = torch.randn(3000, generator=torch.Generator().manual_seed(0)) * 0.1
    made = switched_dvae.resynthesized(tiny_dvae, tiny_audio, sound, None, 1)  # type: ignore[arg-type]
    assert made.shape == sound.shape and made.isfinite().all()
