"""Amounts of money in words: ``$3.50``, ``A$5``, ``39.99 EUR``, ``₩460 billion``, ``a $20 bill``."""

import re
import unicodedata

from triforce_tts.text.attributes import is_attribute
from triforce_tts.text.numbers import NUMBER, START, Rule, cardinal, fraction, number_words, rule

# The names of one unit, of several units, of one hundredth and of several hundredths; the last two may be empty.
Names = tuple[str, str, str, str]

_DOLLAR = ("dollar", "dollars", "cent", "cents")


def _dollar(country: str) -> Names:
    return (f"{country} dollar", f"{country} dollars", "cent", "cents")


_SIGNS: dict[str, Names] = {
    "$": _DOLLAR,
    "US$": _DOLLAR,
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₨": ("rupee", "rupees", "paisa", "paise"),
    "₩": ("won", "won", "", ""),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "₺": ("lira", "lira", "kurus", "kurus"),
    "₿": ("bitcoin", "bitcoins", "", ""),
    "₫": ("dong", "dong", "", ""),
    "฿": ("baht", "baht", "satang", "satang"),
    "₪": ("shekel", "shekels", "agora", "agorot"),
    "₴": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "₦": ("naira", "naira", "kobo", "kobo"),
    "₱": ("peso", "pesos", "centavo", "centavos"),
    "₡": ("colon", "colones", "centimo", "centimos"),
    "₵": ("cedi", "cedis", "pesewa", "pesewas"),
    "₸": ("tenge", "tenge", "", ""),
    "₾": ("lari", "lari", "tetri", "tetri"),
    "₼": ("manat", "manats", "", ""),
    "₭": ("kip", "kip", "", ""),
    "₮": ("tugrik", "tugriks", "", ""),
    "₲": ("guarani", "guaranis", "", ""),
    "؋": ("afghani", "afghanis", "", ""),
    "﷼": ("rial", "rials", "", ""),
    "₣": ("franc", "francs", "centime", "centimes"),
    "R$": ("real", "reais", "centavo", "centavos"),
    **{
        "A$": _dollar("Australian"),
        "AU$": _dollar("Australian"),
        "C$": _dollar("Canadian"),
        "CA$": _dollar("Canadian"),
    },
    **{
        "CAD$": _dollar("Canadian"),
        "AUD$": _dollar("Australian"),
        "NZ$": _dollar("New Zealand"),
        "HK$": _dollar("Hong Kong"),
    },
    **{
        "S$": _dollar("Singapore"),
        "SG$": _dollar("Singapore"),
        "NT$": _dollar("New Taiwan"),
        "J$": _dollar("Jamaican"),
    },
    **{
        "Z$": _dollar("Zimbabwean"),
        "FJ$": _dollar("Fijian"),
        "TT$": _dollar("Trinidad and Tobago"),
        "BZ$": _dollar("Belize"),
    },
    **{
        "B$": _dollar("Bahamian"),
        "EC$": _dollar("East Caribbean"),
        "Bds$": _dollar("Barbadian"),
        "L$": _dollar("Liberian"),
    },
    **{
        "MX$": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
        "Mex$": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    },
    **dict.fromkeys(("Rs.", "Rs"), ("rupee", "rupees", "paisa", "paise")),
    **dict.fromkeys(("Rp.", "Rp"), ("rupiah", "rupiah", "", "")),
    **{"TSh": ("Tanzanian shilling", "Tanzanian shillings", "", "")},
    **{"USh": ("Ugandan shilling", "Ugandan shillings", "", "")},
    **dict.fromkeys(("Dhs.", "Dhs", "Dh"), ("dirham", "dirhams", "fils", "fils")),
    **dict.fromkeys(("KSh", "Ksh"), ("Kenyan shilling", "Kenyan shillings", "cent", "cents")),
    **dict.fromkeys(("SFr.", "Fr."), ("franc", "francs", "centime", "centimes")),
    **{"RM": ("ringgit", "ringgit", "sen", "sen"), "Kc": ("koruna", "korunas", "haler", "halers")},
    **{"zl": ("zloty", "zlotys", "grosz", "groszy"), "kr": ("krone", "kroner", "ore", "ore")},
    **{"CN¥": ("yuan", "yuan", "", ""), "RMB¥": ("yuan", "yuan", "", ""), "JP¥": ("yen", "yen", "", "")},
}
CODES: dict[str, Names] = {
    "USD": ("U S dollar", "U S dollars", "cent", "cents"),
    "EUR": _SIGNS["€"],
    "GBP": ("British pound", "British pounds", "penny", "pence"),
    "JPY": ("Japanese yen", "Japanese yen", "", ""),
    "INR": ("Indian rupee", "Indian rupees", "paisa", "paise"),
    "CNY": ("Chinese yuan", "Chinese yuan", "", ""),
    "RMB": ("renminbi", "renminbi", "", ""),
    "KRW": ("Korean won", "Korean won", "", ""),
    "RUB": ("Russian ruble", "Russian rubles", "kopeck", "kopecks"),
    "TRY": ("Turkish lira", "Turkish lira", "kurus", "kurus"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "SEK": ("Swedish krona", "Swedish kronor", "ore", "ore"),
    "NOK": ("Norwegian krone", "Norwegian kroner", "ore", "ore"),
    "DKK": ("Danish krone", "Danish kroner", "ore", "ore"),
    "PLN": ("Polish zloty", "Polish zlotys", "grosz", "groszy"),
    "CZK": ("Czech koruna", "Czech korunas", "haler", "halers"),
    "HUF": ("Hungarian forint", "Hungarian forints", "", ""),
    "ZAR": ("South African rand", "South African rand", "cent", "cents"),
    "BRL": ("Brazilian real", "Brazilian reais", "centavo", "centavos"),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "PHP": ("Philippine peso", "Philippine pesos", "centavo", "centavos"),
    "THB": ("Thai baht", "Thai baht", "satang", "satang"),
    "IDR": ("Indonesian rupiah", "Indonesian rupiah", "", ""),
    "MYR": ("Malaysian ringgit", "Malaysian ringgit", "sen", "sen"),
    "ILS": ("Israeli shekel", "Israeli shekels", "agora", "agorot"),
    "UAH": ("Ukrainian hryvnia", "Ukrainian hryvnias", "kopiyka", "kopiykas"),
    "AED": ("Emirati dirham", "Emirati dirhams", "fils", "fils"),
    "SAR": ("Saudi riyal", "Saudi riyals", "halala", "halalas"),
    "PKR": ("Pakistani rupee", "Pakistani rupees", "paisa", "paise"),
    "VND": ("Vietnamese dong", "Vietnamese dong", "", ""),
    "NGN": ("Nigerian naira", "Nigerian naira", "kobo", "kobo"),
    "ARS": ("Argentine peso", "Argentine pesos", "centavo", "centavos"),
    "CLP": ("Chilean peso", "Chilean pesos", "", ""),
    "EGP": ("Egyptian pound", "Egyptian pounds", "piaster", "piasters"),
    "KES": ("Kenyan shilling", "Kenyan shillings", "cent", "cents"),
    "KWD": ("Kuwaiti dinar", "Kuwaiti dinars", "", ""),
    "QAR": ("Qatari riyal", "Qatari riyals", "dirham", "dirhams"),
    "BGN": ("Bulgarian lev", "Bulgarian leva", "stotinka", "stotinki"),
    "ISK": ("Icelandic krona", "Icelandic kronur", "", ""),
    "LKR": ("Sri Lankan rupee", "Sri Lankan rupees", "cent", "cents"),
    "BDT": ("Bangladeshi taka", "Bangladeshi taka", "poisha", "poisha"),
    "NPR": ("Nepalese rupee", "Nepalese rupees", "paisa", "paise"),
    "GHS": ("Ghanaian cedi", "Ghanaian cedis", "pesewa", "pesewas"),
    "JOD": ("Jordanian dinar", "Jordanian dinars", "", ""),
    "KZT": ("Kazakh tenge", "Kazakh tenge", "", ""),
    "BTC": ("bitcoin", "bitcoins", "", ""),
    "AUD": _dollar("Australian"),
    "CAD": _dollar("Canadian"),
    "NZD": _dollar("New Zealand"),
    "HKD": _dollar("Hong Kong"),
    "SGD": _dollar("Singapore"),
    "TWD": _dollar("New Taiwan"),
}
_MAGNITUDES = {
    **{
        "k": "thousand",
        "m": "million",
        "mn": "million",
        "mio": "million",
        "mm": "million",
        "b": "billion",
        "bn": "billion",
    },
    **{
        "t": "trillion",
        "tn": "trillion",
        "trn": "trillion",
        "mil": "million",
        "bil": "billion",
        "bln": "billion",
        "mln": "million",
    },
}
# Nouns that an amount describes without an article: 'two $20 bills', 'his $5 million house'.
_NOUNS = (
    "bill note coin loan fee fine house home mansion deal project budget prize reward check cheque ticket tax investment"
    " lawsuit settlement grant gift contract bond fund mortgage deposit price salary bonus donation debt question program"
    " programme package increase cut stake bet jackpot ransom subsidy bailout valuation campaign penalty charge rebate"
    " discount coupon voucher card menu meal lunch dinner"
)
_NOUN_AFTER = re.compile(rf" (?:{_NOUNS.replace(' ', '|')})s?\b")


def is_money(character: str) -> bool:
    """Whether a character is a sign of a currency."""
    return character in _SIGNS or unicodedata.category(character) == "Sc"


def currency_names(sign: str) -> Names:
    """The names of a currency's parts; for a sign without an entry those that Unicode gives it."""
    if sign in _SIGNS or sign in CODES:
        return _SIGNS.get(sign) or CODES[sign]
    name = re.sub(" sign$", "", unicodedata.name(sign).lower()).replace("-", " ")
    return (name, f"{name}s", "", "")


def _sign_class() -> str:
    """Every sign of a currency in Unicode's first planes, without the cent."""
    others = "".join(map(chr, range(0x20A0, 0x20D0)))
    extra = "".join(sign for sign in _SIGNS if len(sign) == 1 and sign not in others)
    return f"[{re.escape(extra)}¤৳៛{others}]"


def _scale(magnitude: str | None) -> str:
    scale = (magnitude or "").strip(" -").lower()
    return _MAGNITUDES.get(scale, scale)


def _amount(names: Names, amount: str, scale: str, singular: bool = False) -> str:
    """An amount of money: 'three dollars fifty', 'three dollars and five cents', 'five million dollars'."""
    one, several, hundredth, hundredths = names
    whole, _, cents = amount.replace(",", "").partition(".")
    if len(cents) == 1 and hundredth and not scale:
        cents += "0"  # '$20.5' means fifty cents
    if len(cents) == 2 and hundredth and not scale:
        minor = f"{cardinal(int(cents))} {hundredth if int(cents) == 1 else hundredths}"
        if int(cents) and not whole.strip("0") and len(whole) < 2:
            return minor
        major = f"{number_words(whole)} {one if whole == '1' or (singular and not int(cents)) else several}"
        if not int(cents):
            return major
        return f"{major} {cardinal(int(cents))}" if int(cents) >= 10 else f"{major} and {minor}"
    scaled = f"{number_words(amount)} {scale}".rstrip()
    return f"{scaled} {one if singular or (amount == '1' and not scale) else several}"


def _say_share_of_money(match: re.Match[str]) -> str:
    """``$2 1/2 million`` as two and a half million dollars, ``£3/4 million`` as three quarters of a million pounds."""
    whole, top, bottom = match.group("whole", "top", "bottom")
    one, several = currency_names(match["sign"])[:2]
    scale = _scale(match["magnitude"])
    if int(top) >= int(bottom):
        return match[0]
    share = fraction(int(top), int(bottom))
    if not whole:
        share = "half" if share == "one half" else f"{share} of"
        return f"{share} a {scale} {several}" if scale else f"{share} a {one}"
    share = f"a{share.removeprefix('one')}" if top == "1" else share
    return f"{number_words(whole)} and {share} {scale} {one if _is_singular(match) else several}".replace("  ", " ")


def _say_money(match: re.Match[str]) -> str:
    sign, amount, second, upper, magnitude = match.group("sign", "amount", "second", "upper", "magnitude")
    code = match["code"] if sign == "$" and match["code"] != "USD" else None
    names, scale = currency_names(code or sign), _scale(magnitude)
    if upper and second:
        # '$20-$30K' names its thousands once; in '$500-$1 million' the first amount is the smaller one only without them.
        shared = scale if float(amount.replace(",", "")) < float(upper.replace(",", "")) else ""
        return f"{_amount(names, amount, _scale(match['first_magnitude']) or shared)} to {_amount(names, upper, scale)}"
    if upper and not scale and "." in amount + upper and names[2]:
        return f"{_amount(names, amount, '')} to {_amount(names, upper, '')}"
    if upper:
        low = f"{number_words(amount)} {_scale(match['first_magnitude'])}".rstrip()
        return f"{low} to {_amount(names, upper, scale or ' ').replace('  ', ' ')}"
    return _amount(names, amount, scale or _scale(match["first_magnitude"]), _is_singular(match))


def _is_singular(match: re.Match[str]) -> bool:
    after = match.string[match.end() : match.end() + 16]
    return is_attribute(match) or bool(_NOUN_AFTER.match(after) or re.match("-[a-z]", after))


def _say_money_behind(match: re.Match[str]) -> str:
    sign, amount = match["sign"], match["amount"]
    if sign == "¢":
        return f"{number_words(amount)} cent{'' if amount == '1' or _is_singular(match) else 's'}"
    return _amount(currency_names(sign), amount, _scale(match["magnitude"]), _is_singular(match))


SIGN = _sign_class()
_WORDS = r"[ -](?:hundred|thousand|million|billion|trillion|lakhs?|crores?)(?: (?:million|billion|trillion|crores?))?\b"
_SHORT = r" ?(?:[kKmMbBtT]|[mM][nN]|[bB][nN]|[tT][rR]?[nN]|[mM][iI][oO]|mm|MM|[mb]il|[mb]ln)\b(?!['/]?[0-9])"
MAGNITUDE = rf"(?:{_WORDS}|{_SHORT})"
_LONG_SIGN = "|".join(
    sorted((re.escape(sign) for sign in _SIGNS if len(sign) > 1 and sign != "zl"), key=len, reverse=True)
)
_CODE = "|".join(CODES)
_BEHIND = rf"{_CODE}|Kc|zl|kr|Rs"
RULES: list[Rule] = [
    rule(r"\b(USD|CAD|AUD|NZD|HKD|SGD|TWD) ?\$ ?(?=[0-9])", lambda m: f"{m[1]} "),
    rule(
        rf"(?P<sign>(?<![A-Za-z.])(?:{_LONG_SIGN})|{SIGN}) ?(?:(?P<whole>[0-9]{{1,3}}) )?(?P<top>[1-7])/(?P<bottom>[2348])(?![0-9/])(?P<magnitude>{MAGNITUDE})?",
        _say_share_of_money,
    ),
    rule(
        rf"(?P<sign>(?<![A-Za-z.])(?:{_LONG_SIGN})|{SIGN}) ?(?P<amount>{NUMBER})(?P<first_magnitude>{MAGNITUDE}(?= ?-))?"
        rf"(?: ?- ?(?P<second>{SIGN})?(?P<upper>{NUMBER}))?(?P<magnitude>{MAGNITUDE})?(?: ?(?:US|(?P<code>USD|CAD|AUD|NZD|HKD|SGD|TWD))\b)?",
        _say_money,
    ),
    rule(rf"(?P<sign>¢) ?(?P<amount>{NUMBER})(?![0-9])", _say_money_behind),
    rule(rf"(?<!/)\b(?P<sign>{_CODE}) ?(?P<amount>{NUMBER})()(?P<magnitude>{MAGNITUDE})?", _say_money_behind),
    rule(
        rf"{START}(?P<amount>{NUMBER})(?P<magnitude>{MAGNITUDE})?(?: ?(?=[^$£])| (?=[$£](?![0-9])))(?P<sign>{SIGN}|¢)(?![0-9A-Za-z])",
        _say_money_behind,
    ),
    rule(rf"{START}(?P<amount>{NUMBER})(?P<magnitude>{MAGNITUDE})?(?P<sign>[$£])(?![0-9])", _say_money_behind),
    rule(rf"{START}(?P<amount>{NUMBER})(?P<magnitude>{MAGNITUDE})? ?(?P<sign>{_BEHIND})\b", _say_money_behind),
]
