"""Letters of other alphabets in Latin ones, and the emoji among the older signs of Unicode."""

GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        (
            *("alpha a", "beta b", "gamma g", "delta d", "epsilon e", "zeta z", "eta i", "theta th", "iota i"),
            *("kappa k", "lambda l", "mu m", "nu n", "xi x", "omicron o", "pi p", "rho r", "sigma s", "sigma s"),
            *("tau t", "upsilon y", "phi f", "chi ch", "psi ps", "omega o"),
        ),
        strict=True,
    )
)
GREEK |= {"ϑ": "theta th", "ϕ": "phi f", "ϵ": "epsilon e", "ϖ": "pi p", "ϱ": "rho r", "ϰ": "kappa k"}
_CYRILLIC_LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґўјљњћђџѓќѕѣѳ"
_CYRILLIC_IN_LATIN = (
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya i yi ye g u j lj nj c dj dz gj kj dz e f"
)
_CYRILLIC = dict(zip(_CYRILLIC_LETTERS, _CYRILLIC_IN_LATIN.split(), strict=True))
TRANSLITERATED = {letter: words.split()[1] for letter, words in GREEK.items()}
TRANSLITERATED |= {letter: "" if latin == "-" else latin for letter, latin in _CYRILLIC.items()} | {"ё": "yo"}

# Unicode names the syllables of Japanese by the rows of their table; these are written as they sound.
HEPBURN = {"SI": "shi", "TI": "chi", "TU": "tsu", "HU": "fu", "ZI": "ji", "DI": "ji", "DU": "zu"}

# Emoji that mean the same as a sign of print.
NAMES_OF_EMOJI = {
    **{"✅": "check", "❌": "cross", "❎": "cross", "➕": "plus", "➖": "minus", "➗": "divided by", "⭐": "star"},
}
# Signs that are drawn as emoji unless the text says otherwise; their names in Unicode ('high voltage sign') are not said.
SILENT_EMOJI = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✊✋✨❕❔➰➿⬛⬜⭕"
    "☀☁☃☄☹☺☝✌✍✈✉✂❄❣☘⛱⛷⛸⛹⛰⛴"
)
