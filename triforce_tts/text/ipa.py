"""English pronunciations in the phonetic alphabet (IPA), or in X-SAMPA, as ARPAbet phones: a table, sound by sound."""

import re

from triforce_tts.errors import TextError
from triforce_tts.text.arpabet import VOWELS

_PRIMARY, _SECONDARY = "ˈ'", "ˌ"
_IGNORED = ".͜͡ːˑʰ‿ \u200d"  # marks of syllables, ties, length and breath, which ARPAbet does not write
# This mark stands under a consonant that is a syllable of its own.
_SYLLABIC = "\u0329"
# The vowel or the phones that a sign means. A vowel has no digit here, because its stress comes from the stress marks.
_SOUNDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ɑ", "ɒ"), ("AA",)),
    **{"æ": ("AE",), "a": ("AE",), "ʌ": ("AH",), "ə": ("AH",), "ɐ": ("AH",), "ɔ": ("AO",)},
    **{
        "aʊ": ("AW",),
        "aɪ": ("AY",),
        "ɛ": ("EH",),
        "e": ("EH",),
        "eɪ": ("EY",),
        "ɪ": ("IH",),
        "ᵻ": ("IH",),
        "ɨ": ("IH",),
    },
    **dict.fromkeys(("ɝ", "ɚ", "ɜ", "ɜr", "ɜɹ", "ɜːr", "ɜːɹ", "ər", "əɹ"), ("ER",)),
    **{
        "i": ("IY",),
        "oʊ": ("OW",),
        "əʊ": ("OW",),
        "o": ("OW",),
        "ɔɪ": ("OY",),
        "ʊ": ("UH",),
        "u": ("UW",),
        "ʉ": ("UW",),
    },
    **{"ɪə": ("IH", "R"), "eə": ("EH", "R"), "ɛə": ("EH", "R"), "ʊə": ("UH", "R")},
    **{"b": ("B",), "tʃ": ("CH",), "ʧ": ("CH",), "d": ("D",), "ð": ("DH",), "f": ("F",), "g": ("G",), "ɡ": ("G",)},
    **{"h": ("HH",), "dʒ": ("JH",), "ʤ": ("JH",), "k": ("K",), "x": ("K",), "l": ("L",), "ɫ": ("L",), "m": ("M",)},
    **{"n": ("N",), "ŋ": ("NG",), "p": ("P",), "r": ("R",), "ɹ": ("R",), "ɻ": ("R",), "s": ("S",), "ʃ": ("SH",)},
    **{
        "t": ("T",),
        "ɾ": ("T",),
        "θ": ("TH",),
        "v": ("V",),
        "w": ("W",),
        "ʍ": ("W",),
        "j": ("Y",),
        "z": ("Z",),
        "ʒ": ("ZH",),
    },
}
_LONGEST = max(map(len, _SOUNDS))
_X_SAMPA = {
    **{"A": "ɑ", "Q": "ɒ", "{": "æ", "V": "ʌ", "@": "ə", "6": "ɐ", "O": "ɔ", "E": "ɛ", "3": "ɜ", "3`": "ɝ", "@`": "ɚ"},
    **{
        "I": "ɪ",
        "1": "ɨ",
        "U": "ʊ",
        "}": "ʉ",
        "D": "ð",
        "N": "ŋ",
        "r\\": "ɹ",
        "r\\`": "ɻ",
        "S": "ʃ",
        "4": "ɾ",
        "T": "θ",
    },
    **{"W": "ʍ", "Z": "ʒ", "5": "ɫ", "l_G": "ɫ", ":": "ː", ":\\": "ˑ", "_h": "ʰ", "=": _SYLLABIC, "_=": _SYLLABIC},
    **{'"': "ˈ", "%": "ˌ", "-": "", "_": "͡"},
}
_X_SAMPA_SIGN = re.compile("|".join(sorted(map(re.escape, _X_SAMPA), key=len, reverse=True)) + "|.", re.DOTALL)


def phones_of_x_sampa(text: str) -> tuple[str, ...]:
    """The ARPAbet phones of a word in X-SAMPA, such as ``t@"mA:toU``.

    Raises:
        TextError: a sign has no English sound in the table.
    """
    if strange := re.search(r"[^\x20-\x7e]|[BCFGHJKLMPRXY]", text):
        raise TextError(f"'{text[:60]}' holds '{strange[0]}', which is no sound of English in X-SAMPA")
    return phones_of_ipa("".join(_X_SAMPA.get(sign, sign) for sign in _X_SAMPA_SIGN.findall(text)))


def phones_of_ipa(text: str) -> tuple[str, ...]:
    """The ARPAbet phones of an English word in the phonetic alphabet, such as ``təˈmeɪtoʊ``.

    A mark of stress belongs to the next vowel. Without a mark the first vowel that is not ə is stressed.

    Raises:
        TextError: a sign has no English sound in the table, or there is no sound.
    """
    signs = [sign for sign in text if sign not in _IGNORED]
    phones, stress, is_marked, at = list[str](), "0", False, 0
    while at < len(signs):
        if signs[at] in _PRIMARY + _SECONDARY:
            stress, is_marked, at = "1" if signs[at] in _PRIMARY else "2", True, at + 1
            continue
        length = next((n for n in range(_LONGEST, 0, -1) if "".join(signs[at : at + n]) in _SOUNDS), 0)
        if not length:
            raise TextError(
                f"'{text[:60]}' holds '{signs[at]}', which has no English sound; expected signs such as təˈmeɪtoʊ"
            )
        sounds = _SOUNDS["".join(signs[at : at + length])]
        at += length
        if at < len(signs) and signs[at] == _SYLLABIC:
            sounds, at = ("AH", *sounds), at + 1
        for sound in sounds:
            phones.append(sound + stress if sound in VOWELS else sound)
            stress = "0" if sound in VOWELS else stress
    if not phones:
        raise TextError(f"'{text[:60]}' holds no sound; expected signs such as təˈmeɪtoʊ")
    return tuple(phones if is_marked else _with_stress(phones))


def _with_stress(phones: list[str]) -> list[str]:
    """``phones`` with a stress on the first vowel that is not AH, or on the first one."""
    vowels = [place for place, phone in enumerate(phones) if phone[-1] == "0"]
    full = [place for place in vowels if phones[place] != "AH0"] or vowels
    return [phone[:-1] + "1" if place in full[:1] else phone for place, phone in enumerate(phones)]
