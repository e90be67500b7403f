"""The model card holds the tables of the evaluation and of the held-out lists."""

from typing import Any

import pytest

from benchmarks.card import heldout, with_block
from triforce_tts.evaluation import table
from triforce_tts.evaluation.report import Estimate, Report, Summary


def test_the_card_has_the_figures_of_both_reports() -> None:
    wrong = Estimate(value=0.25, low=0.125, high=0.375, sentences=20)
    summary = Summary(system="m: spoken", kind="spoken", label="m", clips=60, figures={"word_error": wrong})
    model: Any = {"label": "m", "id": "x", "networks": {}, "diffusion_steps": 1}
    report = Report.model_validate({
        "models": (model,), "recogniser": "faster-whisper/tiny.en@1", "missing": ("pitch: left out",), "seeds": (0, 1, 2),
        "sentences": (), "clips": (), "summaries": (summary,), "differences": (), "similarity": None, "processes": 2,
        "seconds": 90.0,
    })  # fmt: skip
    codes = {"l1_nats": {"ann": [0.3, 0.2, 0.4]}, "code_use": [1.0], "tokens_per_code": 40.0, "perplexity": [12.0]}
    row = {
        "nats_per_code": 3.5,
        "nats_per_code_shuffled_text": 6.0,
        "own_text_likelier": [1, 1, 1],
        "bits_per_second": 300,
    }
    card = "# m\n<!-- begin evaluate -->\nold\n<!-- end evaluate -->\nby hand\n<!-- begin heldout -->\n<!-- end heldout -->\n"
    text = with_block(card, "evaluate", table.markdown(report))
    text = with_block(text, "heldout", heldout({"codes": {**codes, "bits_per_second": 600.0}, "gpt": {"ann": row}}))
    assert "old" not in text and "by hand" in text
    assert with_block(text, "evaluate", table.markdown(report)) == text
    for wanted in (
        "| words wrong | 0.250 (0.125 to 0.375) |", "Words were recognised by faster-whisper/tiny.en@1.", "pitch: left out.",
        "| L1, nats, ann | 0.300 (0.200 to 0.400) |", "| ann | 3.500 | 6.000 |", "seeds 0, 1, 2",
    ):  # fmt: skip
        assert wanted in text


def test_a_card_without_the_block_is_refused() -> None:
    with pytest.raises(SystemExit, match="expected one block 'evaluate'"):
        with_block("# m\n", "evaluate", "figures")
