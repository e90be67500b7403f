import math
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.codes import VARIANTS, count, use_curve
from benchmarks.codes_gpt import first_hours
from benchmarks.codes_study import Variant
from benchmarks.codes_table import HEADER, draw, markdown
from benchmarks.quality import code_statistics
from triforce_tts import schema
from triforce_tts.errors import TriforceError
from triforce_tts.shards import ShardSet
from triforce_tts.stages.dvae import DVAESettings


def result(**changes: Any) -> dict[str, Any]:
    one = {
        "most_bits_per_second": 312.5,
        "bits_per_second": 289.4,
        "l1_nats": {"kathleen": [0.4, 0.38, 0.42]},
        "code_use": [0.98, 0.5],
        "perplexity": [600.0, 400.0],
        "tokens_per_code": 40.0,
        "character_error": [0.25, 0.2, 0.3],
        "curve": [0.5, 1.0],
        "history": [{"step": 1, "use": 0.2}, {"step": 2, "use": 0.4}],
    }
    return {"variant": "fsq:2x8,5,5,5:4", "dvae": one, **changes}


@pytest.mark.parametrize("text", VARIANTS)
def test_a_variant_is_read_as_it_is_written_and_configures_a_dvae(text: str) -> None:
    variant = Variant.parse(text)
    assert str(variant) == text
    settings = schema.load(DVAESettings, "dvae", "nano", variant.settings())
    assert (settings.model.groups, settings.model.levels) == (variant.groups, variant.levels)
    assert (settings.model.quantizer, settings.model.downsampling) == (variant.quantizer, variant.downsampling)


def test_variants_have_folders_of_their_own() -> None:
    assert len({Variant.parse(text).folder for text in VARIANTS}) == len(VARIANTS)


def test_a_malformed_variant_is_refused_with_its_form() -> None:
    with pytest.raises(ValueError, match="expected quantiser:groups x levels:downsampling"):
        Variant.parse("fsq:8,5,5,5")


def test_evenly_used_codes_have_full_perplexity_and_cost_their_logarithm() -> None:
    found = code_statistics(torch.full((2, 8), 5), code_rate=10.0)
    assert found["perplexity"] == pytest.approx([8.0, 8.0])
    assert found["bits_per_second"] == pytest.approx(2 * math.log2(8) * 10)
    assert found["code_use"] == [1.0, 1.0]
    assert found["tokens_per_code"] == 5.0


def test_statistics_of_uneven_codes_by_hand() -> None:
    counts = count(torch.tensor([0, 0, 1, 3]), 4)[None]
    found = code_statistics(counts, code_rate=1.0)
    assert found["code_use"] == [0.75]
    assert found["bits_per_second"] == pytest.approx(1.5)  # half 1 bit, two quarters 2 bits each
    assert found["perplexity"] == pytest.approx([2**1.5])


def test_the_use_curve_rises_from_the_most_used_code_to_all() -> None:
    counts = torch.zeros(1, 100)
    counts[0, 7] = 60
    counts[0, 90:] = 4
    curve = use_curve(counts)
    assert curve[0] == pytest.approx(0.64)  # the first 2 of 100 codes
    assert curve == sorted(curve)
    assert curve[-1] == 1.0


def test_lessons_are_the_first_hours_of_each_speaker(corpus: dict[str, Path]) -> None:
    shards = ShardSet.open([corpus["shards"]], "train", "audio")
    longest = max(shards.durations_s)
    assert first_hours(shards, 1.0, longest) == list(range(len(shards)))
    assert first_hours(shards, shards.durations_s[0] / 3600, longest) == [0]
    assert shards.durations_s.index(longest) not in first_hours(shards, 1.0, longest - 1e-6)


def test_a_row_without_a_gpt_keeps_its_last_cells_empty() -> None:
    lines = markdown([result()], {}, "kathleen").splitlines()
    assert len(lines) == 3
    assert {line.count("|") for line in lines} == {len(HEADER) + 1}
    assert lines[2].startswith("| `fsq:2x8,5,5,5:4` | 312 | 289 | 0.400 (0.380-0.420) |  | 50 % | 500 | 40 | 0.250")
    assert lines[2].endswith("|  |  |  |  |")


def test_the_gain_of_the_right_text_is_signed_and_recordings_stand_under_the_decode() -> None:
    gpt = {
        "nats_per_code": 5.5,
        "nats_per_code_shuffled_text": 5.25,
        "bits_per_second": 248.0,
        "spoken_character_error": [0.6, 0.5, 0.7],
    }
    table = markdown([result(gpt=gpt)], {"recordings": [0.1, 0.05, 0.15]}, "kathleen").splitlines()
    assert "| 5.500 | -0.250 | 248 | 0.600 (0.500-0.700) |" in table[2]
    cells = [cell.strip() for cell in table[3].split("|")[1:-1]]
    assert cells[0] == "recordings"
    assert cells[HEADER.index("character error, decode")] == "0.100 (0.050-0.150)"


def test_pictures_are_drawn_from_stored_figures(tmp_path: Path) -> None:
    draw([result(), result(variant="vq:2x8,8,4,4:4")], tmp_path, "kathleen")
    assert {path.name for path in tmp_path.iterdir()} == {"code_rate.png", "code_use.png"}


def test_what_is_caught_as_in_hand_elsewhere_is_what_the_lock_says(tmp_path: Path) -> None:
    from triforce_tts.locks import only_writer

    with only_writer(tmp_path), pytest.raises(TriforceError, match="another process"), only_writer(tmp_path):
        pass
