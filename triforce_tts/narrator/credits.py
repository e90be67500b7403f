"""The opening and the closing credits of an audiobook, as shops such as ACX ask for them. They are no words of the book."""

from triforce_tts.books.chapters import Block, Chapter, Kind
from triforce_tts.text.normalize import is_speakable

OPENING, CLOSING = "Opening credits", "Closing credits"


def opening_credits(title: str, author: str, narrator: str | None) -> Chapter:
    """The title, author and narrator. Parts that are not known, or have no English reading, are left out."""
    return _chapter(OPENING, [("heading", title), *_people(author, narrator)])


def closing_credits(title: str, author: str, narrator: str | None) -> Chapter:
    """The same credits at the end, and a sentence that says that this is the end."""
    named: list[tuple[Kind, str]] = [("caption", f"This has been {title}")] if is_speakable(title) else []
    return _chapter(CLOSING, [*named, *_people(author, narrator), ("caption", "The End")])


def _people(author: str, narrator: str | None) -> list[tuple[Kind, str]]:
    written: list[tuple[Kind, str]] = [("caption", f"Written by {author}")] if is_speakable(author) else []
    is_named = narrator is not None and is_speakable(narrator)
    return [*written, ("caption", f"Narrated by {narrator if is_named else 'a synthetic voice'}")]


def _chapter(title: str, texts: list[tuple[Kind, str]]) -> Chapter:
    return Chapter(title, tuple(Block(kind, _sentence(text)) for kind, text in texts if is_speakable(text)))


def _sentence(text: str) -> str:
    """``text`` with a full stop, unless it ends with a mark."""
    text = text.rstrip(" ,;:-")
    return text if text.rstrip("\"'”’)")[-1:] in (".", "!", "?", "…") else f"{text}."
