"""Web and mail addresses and the names of files in words: ``example.org/a-1`` as example dot org slash a dash one."""

import re

from triforce_tts.text.numbers import Rule, rule, spell_digits

_WORDS = {
    **{".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", "?": "question mark", "=": "equals"},
    **{
        "&": "ampersand",
        "#": "hash",
        ":": "colon",
        "%": "percent",
        "~": "tilde",
        "+": "plus",
        "*": "star",
        "$": "dollar",
    },
    **{"!": "exclamation mark", "\\": "backslash", "|": "bar"},
}
_TOP = "com|org|net|edu|gov|mil|int|io|uk|dev|info|biz|fr|de|it|es|nl|eu|us|ca|au|jp|cn|ru|br|ch|se|dk|pl|ie|nz|tv|ai|app|xyz|sm|ly|gg"
_FILES = "txt|pdf|exe|html?|docx?|xlsx?|jpe?g|png|gif|mp3|mp4|wav|csv|json|xml|zip|py|js|css|md|php|yaml|yml|svg|log|ini|cfg|bat|sh"


def _say_address(match: re.Match[str]) -> str:
    """An address with its signs in words and its digits one by one; the scheme is left out."""
    address = match[0].rstrip(".,!?;:)'\"]*`>")
    rest = match[0][len(address) :]
    address = re.sub(r"^[a-zA-Z]+://+", "", address).rstrip("/")
    words: list[str] = []
    for part in re.findall(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]", address):
        if part.isdigit():
            words.append(spell_digits(part))
        else:
            words.append("W W W" if part.lower() == "www" else _WORDS.get(part, part))
    return " ".join(words) + rest


def _say_dot(match: re.Match[str]) -> str:
    return " dot "


RULES: list[Rule] = [
    # The brackets of an address in the head of a mail.
    rule(
        r"<((?:https?://|mailto:)?[\w.+-]{1,64}[@.][\w.-]{1,100}(?:/[^\s<>\"]{0,200})?)>",
        lambda m: f", {m[1].removeprefix('mailto:')},",
    ),
    rule(r"\b(?:https?://|ftp://|file://|www\.)[^\s<>\"]+", _say_address, re.IGNORECASE),
    rule(
        r"(?<![\w.+&'-])[A-Za-z0-9][\w.+&'-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}(?:/[^\s<>\"]*)?",
        _say_address,
    ),
    rule(rf"(?<![\w.@-])(?:[A-Za-z0-9-]{{1,63}}\.){{1,4}}(?:{_TOP})\b(?!\.[a-z])(?:/[^\s<>\"]*)?", _say_address),
    rule(
        rf"(?:^|(?<=[ (\"'`*]))\.(?=(?:{_FILES}|com|org|net|edu|gov|io|gitignore|env|bashrc|dmg|deb|rpm|tex|epub|mobi|NET)\b(?!\.))",
        lambda m: "dot ",
    ),
    rule(r"(?<=[A-Z])\.(?=NET\b)", _say_dot),
    rule(rf"(?<=[A-Za-z0-9])\.(?=(?i:{_FILES})\b(?!\.))", _say_dot),
    # Two words of small letters with only a dot between are a name, not the end of a sentence: 'node.js'.
    rule(r"(?<=[A-Za-z0-9][A-Za-z])\.(?=[a-z]{2})", _say_dot),
]
