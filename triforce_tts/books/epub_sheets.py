"""The style sheets of an epub's pages, with those that they import."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from triforce_tts.errors import TextError

from .epub import EpubFiles, resolve
from .styles import MOST_LETTERS, mark_hidden, sheets_in

_DEEPEST = 5  # sheets that are imported through so many others are not followed
_MOST_SHEETS = 50  # the most sheets that a sheet imports, itself or through others, each as often as it is imported


def hide(files: EpubFiles, pages: list[tuple[str, Any]]) -> list[str]:
    """Mark what the style sheets of the pages hide; remarks on the sheets that are damaged."""
    sheets = _Sheets(files)
    for document, root in pages:
        mark_hidden(root, sheets.of(document, root))
    return sheets.faults


class _Sheets:
    """The texts of sheets by their names, each read once."""

    def __init__(self, files: EpubFiles) -> None:
        self._files = files
        self._texts: dict[str, str] = {}
        self._imports: dict[str, list[tuple[str, str]]] = {}
        self._whole: dict[tuple[str, str], list[str]] = {}
        self.faults: list[str] = []

    def of(self, document: str, root: Any) -> list[str]:
        """The sheets that hold for a page, in order; one that is imported stands before the sheet that does so."""
        found: list[str] = []
        for address, text in sheets_in(root):
            if address:
                found += self._with_imports(resolve(document, address)[0], "")
                continue
            for other, condition in islice(_imports(text), _MOST_SHEETS):
                found += self._with_imports(resolve(document, other)[0], condition)
            found.append(text)
        return found

    def _with_imports(self, name: str, condition: str) -> list[str]:
        """A sheet and what it imports; the pages of a book share them."""
        if (name, condition) not in self._whole:
            self._whole[name, condition] = []
            self._add(name, (), self._whole[name, condition], condition)
        return self._whole[name, condition]

    def _add(self, name: str, around: tuple[str, ...], found: list[str], condition: str) -> None:
        """Add a sheet and what it imports, unless it imports itself, or too many or too deep others."""
        if name in around or len(around) > _DEEPEST or len(found) >= _MOST_SHEETS:
            return
        if name not in self._texts:
            self._texts[name] = self._read(name)
            named = islice(_imports(self._texts[name]), _MOST_SHEETS)
            self._imports[name] = [(resolve(name, other)[0], when) for other, when in named]
        for other, when in self._imports[name]:
            self._add(other, (*around, name), found, _both(condition, when))
        text = self._texts[name]
        found.append(f"{condition}{{{text}}}" if condition else text)

    def _read(self, name: str) -> str:
        try:
            return (self._files.content(name) or b"").decode("utf-8-sig", "replace")
        except TextError as error:
            self.faults.append(f"The style sheet {name!r} is left out: {error}.")
            return ""


def _both(outer: str, inner: str) -> str:
    """The rule around a sheet that is imported under two conditions; of several queries none holds for certain."""
    if not outer or not inner or outer == inner:
        return outer or inner
    return "@layer"


def _imports(sheet: str) -> Iterator[tuple[str, str]]:
    """The sheets that a sheet imports at its begin: the address of each, and the rule in which it then stands, or nothing."""
    import tinycss2

    if "@import" not in sheet.lower() or len(sheet) > MOST_LETTERS:
        return
    for part in tinycss2.parse_stylesheet(sheet, True, True):
        if part.type != "at-rule" or part.lower_at_keyword not in ("charset", "import", "layer") or part.content:
            return
        prelude = [token for token in part.prelude if token.type != "whitespace"]
        address = _address(prelude[0]) if prelude else ""
        if part.lower_at_keyword == "import" and address:
            behind = part.prelude[part.prelude.index(prelude[0]) + 1 :]
            yield address, _condition(tinycss2.serialize(behind).strip(), prelude[1:])


def _address(token: Any) -> str:
    if token.type in ("string", "url"):
        return str(token.value)
    arguments: Sequence[Any] = token.arguments if token.type == "function" and token.lower_name == "url" else ()
    return next((str(argument.value) for argument in arguments if argument.type == "string"), "")


def _condition(words: str, tokens: Sequence[Any]) -> str:
    """The rule around what is imported under a condition; a layer or a feature of a browser hides nothing for certain."""
    is_doubtful = any(
        getattr(token, "lower_name", getattr(token, "lower_value", "")) in ("layer", "supports") for token in tokens
    )
    return ("@layer" if is_doubtful else f"@media {words}") if words else ""
