"""Signs of the dialects of Markdown that are no text, and text that looks like them."""

import time
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
        ("%%not yet%% The lamp, 50 %% of the%% of the oil.", ["The lamp, 50 of the oil."]),
        ("   %%a comment%%    The lamp.\n\n- %%b%% Oil", ["The lamp.", "Oil"]),
        ("[[_TOC_]]\n\nOne.", ["One."]),
        ("One `\n` two.", ["One two."]),
        ('One.\n\n{{< figure src="a.png" title="No" >}}\n\nTwo {% include x %} three.', ["One.", "Two three."]),
        ("{frontmatter}\n\nOne.\n\n{width=60%}\n![A lamp](lamp.png)\n\nTwo.", ["One.", "Two."]),
        ('{class: warning, title: "No"}\nOne.\n\n{pagebreak}\n\nTwo.', ["One.", "Two."]),
        ("A> An aside about\nA> the lamp.\n\nC> THE END", ["An aside about the lamp.", "THE END"]),
        ("A> First.\nA>\nA> Second.", ["First.", "Second."]),
        ("One.\n\n#lamp #oil\n", ["One."]),
        ("One. ^block1\n\nTwo. ^37066d", ["One.", "Two."]),
        ("#lamp #oil/whale\n\nOne.", ["One."]),
        ("One {{#include lamp.rs:anchor}} two.", ["One two."]),
        ("It burns [@smith2004, p. 33; @doe99] well [see -@smith].", ["It burns well."]),
        (
            "One.\n\n![A lamp](lamp.png){#fig-lamp width=50%}\n\nA [small]{.smallcaps} lamp.",
            ["One.", "A [small] lamp."],
        ),
        ("$$\na = b\n$$ {#eq-lamp}\n\nTwo.", ["$$ a = b $$", "Two."]),
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
        "Write [to ada@lamp.org now], or [@ home].",
        "The set {a, b} and {so: it} was, 2 ^10.",
        "Her post said:\n\n#StopTheFerry #SaveTheLamp\n\nIt was late.",
        "A dictionary like\n{name: value}\nis small, and so is\nX> 5.",
        "They grow as 2 ^n\nand so on.",
        "{T AH0 M EY1 T OW0} is a fruit.",
        "A note! [!] Stop.",
        "It is x[[0]] here.",
        "::: is a sign, and ::: a name is one.",
    ],
)
def test_what_only_looks_like_signs_is_read(text: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.md", text)
    assert spoken(book) == [" ".join(part.replace("`", "").split("\n")) for part in text.split("\n\n")]
    assert not reasons(book)


@pytest.mark.parametrize(
    "sign",
    [
        *(":" * 9000 + "! x\n", "::: " + " " * 300_000 + "x y\n"),
        *(
            "{#a" + ".b" * 3000 + "! x\n",
            "{a=b" + " c=d" * 9000 + "! x\n",
            "x" + " " * 90_000 + "[@\n",
            "x" + "){a=b" * 900 + "\n",
            "$${a=b" * 900 + "\n",
        ),
    ],
)
def test_many_signs_take_no_time(sign: str, tmp_path: Path) -> None:
    start = time.process_time()
    read_text(tmp_path, "x.md", sign * (200_000 // len(sign) + 1) + "\nThe lamp.")
    assert time.process_time() - start < 5
