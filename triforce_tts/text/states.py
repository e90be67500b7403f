"""States of the United States as newspapers shorten them behind a town: ``Tampa, Fla.``, ``Springfield, Ill.``"""

import re

from triforce_tts.text.abbreviation_names import OPENERS
from triforce_tts.text.numbers import Rule

_SHORT = (
    "Ala:Alabama,Ariz:Arizona,Ark:Arkansas,Calif:California,Cal:California,Colo:Colorado,Conn:Connecticut,Del:Delaware,Fla:Florida,"
    "Ga:Georgia,Ill:Illinois,Ind:Indiana,Kan:Kansas,Kans:Kansas,Ky:Kentucky,La:Louisiana,Md:Maryland,Mass:Massachusetts,"
    "Mich:Michigan,Minn:Minnesota,Miss:Mississippi,Mo:Missouri,Mont:Montana,Neb:Nebraska,Nebr:Nebraska,Nev:Nevada,"
    "Okla:Oklahoma,Ore:Oregon,Pa:Pennsylvania,Penn:Pennsylvania,Tenn:Tennessee,Tex:Texas,Vt:Vermont,Va:Virginia,"
    "Wash:Washington,Wis:Wisconsin,Wyo:Wyoming,Ont:Ontario,Que:Quebec"
)
_STATES = dict(pair.split(":") for pair in _SHORT.split(","))
# No word and no name is written so.
_CLEAR = ("Calif", "Fla", "Ariz", "Okla", "Wyo", "Minn", "Tenn", "Conn")
# People are called so, or these are words: 'Yes, Miss.', 'No, Pa. I am'. They need a comma or a bracket behind them.
_NAMES_TOO = (
    "Miss",
    "Pa",
    "Cal",
    "Del",
    "Tex",
    "Mo",
    "La",
    "Ark",
    "Wash",
    "Ore",
    "Ill",
    "Mass",
    "Penn",
    "Ind",
    "Ga",
    "Va",
    "Kan",
)


def _say_state(match: re.Match[str]) -> str:
    """The name; the stop stays where it ends the sentence too."""
    after = match.string[match.end() : match.end() + 16]
    town = re.search(r"(?:^|[ (])[A-Z][\w'.]*, $", match.string[max(0, match.start() - 24) : match.start()])
    goes_on = re.match(r",| \((?![A-Z][a-z])", after)
    if match[1] not in _CLEAR and (not town or (match[1] in _NAMES_TOO and not goes_on)):
        return match[0]
    is_end = re.match(rf"[\"')\] ]*$|[\"')\]]* [\"']?(?:{OPENERS})\b", after)
    return _STATES[match[1]] + ("." if is_end else "")


RULES: list[Rule] = [
    # The party and the state of a member of Congress: '(D-Mass.)'.
    (re.compile(rf"(?<=\()([DRI])-({'|'.join(_STATES)})\.(?=\))"), lambda m: f"{m[1]}, {_STATES[m[2]]}"),
    (re.compile(rf"(?<=[A-Za-z], )({'|'.join(_STATES)})\.(?!\w)"), _say_state),
    (re.compile(rf"\b({'|'.join(_CLEAR)})\.(?!\w)"), _say_state),
]
