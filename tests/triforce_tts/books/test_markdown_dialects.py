"""Signs of the dialects of Markdown that are no text, and text that looks like them."""

from pathlib import Path

import pytest

from tests.books import read_text, reasons, spoken


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("> [!NOTE]\n> Mind the lamp.", ["NOTE", "Mind the lamp."]),
        ("> [!warning]+ The Lamp\n> Mind it.", ["The Lamp Mind it."]),
        ("See [[Hull|the town]] and [[York]] now.", ["See the town and York now."]),
        ("[[A long name|The town]] is old.", ["The town is old."]),
        ("A lamp ![[lamp.png]] here.", ["A lamp here."]),
        ("A lamp %%not yet%% here.", ["A lamp here."]),
        ("One.\n\n%%\nNot this.\n\nNor this.\n%%\n\nTwo.", ["One.", "Two."]),
        ("A :smile: lamp.", ["A lamp."]),
        ('One.\n\n{{< figure src="a.png" title="No" >}}\n\nTwo {% include x %} three.', ["One.", "Two three."]),
        ("One.\n{: .style }\n\n*[NHS]: National Health\n\nTwo.", ["One.", "Two."]),
    ],
)
def test_signs_of_dialects_are_silent(text: str, lines: list[str], tmp_path: Path) -> None:
    assert [" ".join(line.split()) for line in spoken(read_text(tmp_path, "x.md", text))] == lines


@pytest.mark.parametrize(
    "text",
    [
        "It is 50%% of it, and 20%% more.",
        "At 10:30:45 he left: so:it:was.",
        "He said [so] and [[",
        "Take `:a:` and `[[b|c]]`.",
        "A note! [!] Stop.",
    ],
)
def test_what_only_looks_like_signs_is_read(text: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.md", text)
    assert spoken(book) == [text.replace("`", "")]
    assert not reasons(book)
