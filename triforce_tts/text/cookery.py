"""Amounts in recipes: ``1 (8 oz.) can``, ``8 oz. Cheddar``, ``2 c. brown sugar``, ``1 pkg. yeast``."""

import re

from triforce_tts.text.abbreviation_names import OPENERS
from triforce_tts.text.numbers import START, Rule, number_words, rule
from triforce_tts.text.unit_names import UNITS

_AMOUNT = r"(?:[0-9]{1,4}(?:[ -][0-9]{1,2}/[0-9]{1,2}|[./][0-9]{1,2})?|[0-9]{0,2}[½¼¾⅓⅔⅛⅜⅝⅞])"
_WEIGHT = r"oz|lbs?|pts?|qts?|gals?|[tT]bsps?|[tT]sps?|g|kg|ml|c|T|t|pkgs?|doz"
# What is measured stands behind an amount at the beginning of a line: '8 oz. Cheddar cheese'.
INGREDIENT = re.compile(rf"^\W*{_AMOUNT} ?(?:{_WEIGHT})\.$")
_PACKED = (
    "cans?|tins?|jars?|bottles?|box(?:es)?|bags?|packages?|pkgs?|packets?|cartons?|containers?|envelopes?|sticks?|blocks?|tubs?"
    "|pieces?|loa(?:f|ves)|fillets?|steaks?"
)
_FOOD = (
    r"(?:[a-z-]{2,15} ){0,2}(?:sugar|flour|milk|water|butter|buttermilk|cream|oil|salt|pepper|soda|powder|cocoa|vanilla|nuts|walnuts"
    r"|pecans|almonds|rice|honey|molasses|syrup|vinegar|broth|stock|cheese|oats|oatmeal|raisins|cornmeal|cornstarch|shortening"
    r"|margarine|lard|juice|cinnamon|nutmeg|ginger|cloves|yeast|onions?|celery|carrots?|potatoes|tomatoes|beans|coconut|berries"
    r"|apples|crumbs|mayonnaise|mustard|ketchup|wine|sherry|parsley|garlic|chocolate|mushrooms)\b"
)
# Before a small measure stands a small amount: no year, and no tonnes of a cargo. Behind these words 'c' is cents.
_FEW = r"(?:(?:1[0-2]|[0-9])(?:[ -][0-9]{1,2}/[0-9]{1,2}|[./][0-9]{1,2})?|[0-9]{0,2}[½¼¾⅓⅔⅛⅜⅝⅞])"
_NO_CENTS = r"(?<!\b[Aa]t )(?<!\b[Ff]or )(?<!\b[Aa] )(?<!\b[Tt]he )"
_MEASURES = {"c": "cup", "t": "teaspoon", "T": "tablespoon", "pkg": "package", "pkgs": "package"}


def _say_measure(match: re.Match[str]) -> str:
    amount, unit = match.group(1, 2)
    is_one = amount == "1" or re.fullmatch(r"[0-9]/[0-9]{1,2}|[½¼¾⅓⅔⅛⅜⅝⅞]", amount)
    return f"{amount} {_MEASURES[unit]}{'' if is_one else 's'}"


RULES: list[Rule] = [
    rule(
        rf"{START}([0-9]{{1,2}}) \(([0-9]{{1,4}}(?:\.[0-9]{{1,2}})?)[ -]?(oz|lb|g|kg|ml)\b\.?\) (?=(?:{_PACKED})\b)",
        lambda m: f"{number_words(m[1])} {number_words(m[2])}-{UNITS[m[3]][0]} ",
    ),
    rule(rf"^(\W{{0,3}}{_AMOUNT} ?(?:{_WEIGHT}))\.(?= (?!(?:{OPENERS})\b)[A-Z][a-z])", lambda m: m[1]),
    rule(rf"{START}{_NO_CENTS}({_FEW}) (c(?=\.? )|[Tt](?=\.))\.? (?={_FOOD})", lambda m: f"{_say_measure(m)} "),
    rule(rf"{START}({_AMOUNT}) (c)\b(?= [A-Z][a-z]+ (?:cheese|cream|sauce|sugar|rice)\b)", _say_measure),
    rule(rf"{START}({_AMOUNT}) (pkgs?)\b\.?", _say_measure),
    rule(r"\b(ounce|gram|pound|oz\.?|lb\.?|g) pkg(s?)\b\.?", lambda m: f"{m[1]} package{m[2]}"),
]
