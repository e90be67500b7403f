"""Lines of a text file that look like headings or titles and are none."""

from pathlib import Path

import pytest

from tests.books import read_text

PARAGRAPH = """The lamp was lit before nine, and it stood in the lighthouse on the
quay, where the keeper, who was an old and very quiet man, had met the
visitor in the afternoon of the storm.
"""
STORY = "\n".join([PARAGRAPH] * 4)


@pytest.mark.parametrize(
    "sentence",
    [
        "Being alone was what she liked.",
        "Giving up was not in her, and everyone on the quay knew that.",
        "Concerning the lamp he said nothing.",
        "Treats were rare in the house.",
    ],
)
@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_a_first_sentence_is_no_title(sentence: str, gap: str, tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{sentence}{gap}{STORY}\nCHAPTER II\n\n{STORY}\nCHAPTER III\n\n{STORY}"
    chapters = read_text(tmp_path, "x.txt", text).chapters
    assert [chapter.title for chapter in chapters] == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]
    assert chapters[0].blocks[1].text.startswith(sentence)


def test_titles_of_old_times_stay_titles(tmp_path: Path) -> None:
    heads = ("Being an account of the lamp, and of who lit it.", "Containing what was seen upon the quay.")
    text = "".join(f"CHAPTER {n}.\n\n{head}\n\n{STORY}\n\n" for n, head in zip(("I", "II"), heads, strict=True))
    assert [chapter.title for chapter in read_text(tmp_path, "x.txt", text).chapters] == [
        f"CHAPTER I. {heads[0]}",
        f"CHAPTER II. {heads[1]}",
    ]


ORDINALS = [("First.", "Second.", "Third."), ("First", "Second", "Third"), ("1.", "2.", "3."), ("One.", "Two.", "Three."), ("I.", "II.", "III.")]  # fmt: skip


@pytest.mark.parametrize("lines", ORDINALS)
@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
@pytest.mark.parametrize("head", ["CHAPTER {}", "{}. THE LAMP"])
def test_ordinals_on_lines_of_their_own_begin_no_chapter(
    lines: tuple[str, ...], suffix: str, head: str, tmp_path: Path
) -> None:
    inner = "".join(f"{line}\n\n{PARAGRAPH}\n" for line in lines)
    text = "".join(f"{head.format(n)}\n\n{STORY}\n{inner}\n{STORY}\n" for n in ("I", "II"))
    if suffix == "md":
        text = text.replace("CHAPTER", "## CHAPTER").replace("I. THE", "## I. THE").replace("I## I", "## II")
    if suffix == "html":
        text = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    titles = [chapter.title for chapter in read_text(tmp_path, f"x.{suffix}", text).chapters]
    assert titles == [head.format("I"), head.format("II")]
