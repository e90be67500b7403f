from benchmarks import presets


def row(preset: str, text: str, wrong: float, work_s: float) -> presets.Row:
    return {
        "preset": preset, "text": text, "seed": 0, "figures": {"word_error": [wrong, 10.0], "unsaid": [0.0, 1.0]}, "sound_s": 2.0,
        "work_s": work_s, "stages": {"gpt": work_s / 2},
    }  # fmt: skip


def test_presets_are_compared_sentence_by_sentence() -> None:
    rows = [row("fast", "A.", 3.0, 1.0), row("fast", "B.", 5.0, 1.0), row("standard", "A.", 2.0, 2.0), row("standard", "B.", 4.0, 2.0)]  # fmt: skip
    lines = presets.table(rows).splitlines()
    assert lines[0] == "|  | fast | standard | fast less standard |"
    assert lines[2] == "| words wrong | 0.400 (0.300 to 0.500) | 0.300 (0.200 to 0.400) | 0.100 (0.100 to 0.100) |"
    assert lines[3] == "| DNSMOS |  |  |  |"  # nobody judged it
    assert lines[-2].startswith("| seconds a second of sound | 0.500 (0.500 to 0.500) | 1.000 ")
    assert lines[-1].startswith("| of it gpt | 0.250 ")


def test_a_sentence_with_several_seeds_is_drawn_once() -> None:
    rows = [row("standard", "A.", 2.0, 2.0), {**row("standard", "A.", 6.0, 2.0), "seed": 1}]
    found = presets.by_sentence(rows, "standard", "word_error")
    assert [[figure.amount for figure in figures] for figures in found.values()] == [[2.0, 6.0]]
