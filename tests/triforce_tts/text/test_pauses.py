import pytest

from triforce_tts.errors import TextError
from triforce_tts.text.pauses import split_pauses


@pytest.mark.parametrize(
    ("text", "before_s", "stretches"),
    [
        ("One. Two.", 0.0, [("One. Two.", None)]),
        ("One [pause 500ms] two.", 0.0, [("One ", 0.5), (" two.", None)]),
        ("One.[PAUSE .25S]Two.[ pause  2 s ]", 0.0, [("One.", 0.25), ("Two.", 2.0)]),
        ("[pause 1s] [pause 250 ms] One [pause 0ms], [pause 1.5s]. Two", 1.25, [(" One ", 1.5), (". Two", None)]),
        ("A [pause for applause] b", 0.0, [("A [pause for applause] b", None)]),
        ("A [pauses 5] b", 0.0, [("A [pauses 5] b", None)]),
        ("{T AH0}[pause 60s]{K AE1 T} ☃", 0.0, [("{T AH0}", 60.0), ("{K AE1 T} ☃", None)]),
    ],
)
def test_stretches(text: str, before_s: float, stretches: list[tuple[str, float | None]]) -> None:
    found_s, found = split_pauses(text)
    assert found_s == pytest.approx(before_s)
    assert found == stretches


@pytest.mark.parametrize(
    "mark",
    ["[pause]", "[pause 500]", "[pause long]", "[pause -1s]", "[pause 1,5s]", "[pause 5m]", "[pause 1e3ms]", "[pause nans]",
     "[pause:1s]", "[pause 1s 2s]", "[pause for 2 seconds]", "[pause 5 seconds]"],
)  # fmt: skip
def test_a_bad_time_is_named(mark: str) -> None:
    with pytest.raises(TextError, match="expected a pause in seconds or milliseconds, such as") as error:
        split_pauses(f"One {mark} two.")
    assert str(error.value).startswith(f"'{mark}': ")


def test_bounds_and_texts_of_pauses_alone() -> None:
    with pytest.raises(
        TextError, match=r"'\[pause 61s\]': a pause in seconds, found 61.0: expected a number from 0 to 60"
    ):
        split_pauses("One [pause 61s] two.")
    with pytest.raises(TextError, match="holds pauses alone; give at least one word"):
        split_pauses(" [pause 1s] ... ")
