import random
import re
import sys
import time
import unicodedata

import pytest

from triforce_tts.errors import TextError
from triforce_tts.text.normalize import is_speakable, normalize
from triforce_tts.text.tokenizer import TextTokenizer

# Each line: as printed | as spoken.
TABLE = """
It cost $3.50, really. | It cost three dollars fifty, really.
$1 and $1.01 and $0.50 | one dollar and one dollar and one cent and fifty cents
$3.05 | three dollars and five cents
$1,234.56 | one thousand two hundred and thirty four dollars fifty six
$5 million or $3.5 billion | five million dollars or three point five billion dollars
$2M, $10k, $1 million | two million dollars, ten thousand dollars, one million dollars
£20.99, €5, 5 €, ¥100, 50¢ | twenty pounds ninety nine, five euros, five euros, one hundred yen, fifty cents
$5-10 or US$7 | five to ten dollars or seven dollars
He paid $ and left | He paid dollars and left

Jan. 5th, 1999 | January fifth, nineteen ninety nine
On January 5, 2020 it | On January fifth, twenty twenty it
On January 5 he came | On January fifth he came
5 January 2020 | the fifth of January, twenty twenty
on the 5th of May | on the fifth of May
May 5 people come? | May five people come?
on May 5 at noon | on May fifth at noon
on May 5th people | on May fifth people
2024-01-05 | January fifth, twenty twenty four
12/25/2024 and 25/12/2024 | December twenty fifth, twenty twenty four and December twenty fifth, twenty twenty four
in 1999, 2005, 1900, 1905, 2000 and 1066 | in nineteen ninety nine, two thousand five, nineteen hundred, nineteen oh five, two thousand and one thousand and sixty six
in 1066 | in ten sixty six
the 1990s and the '80s or 70s | the nineteen nineties and the eighties or seventies
1990–1995 and 1990-1995 | nineteen ninety to nineteen ninety five and nineteen ninety to nineteen ninety five
Sat., Jan. 5 | Saturday, January fifth
The Sun. It is hot. | The Sun. It is hot.

-$5 and -5° | minus five dollars and minus five degrees
WWII, Vol. III, Mary I. Smith | World War two, Volume three, Mary I. Smith

3:30 pm | three thirty P M
10 a.m. sharp | ten A M sharp
At 5 p.m. He left. | At five P M. He left.
15:45, 3:00, 3:05 | fifteen forty five, three o'clock, three oh five
3:00 PM | three P M
8:00-9:30 | eight o'clock to nine thirty
a 3:1 ratio | a three to one ratio

5 km and 1 km and 100m | five kilometers and one kilometer and one hundred meters
70 mph, 20 °C, 72°F, 90° | seventy miles per hour, twenty degrees Celsius, seventy two degrees Fahrenheit, ninety degrees
200 ft. of 5 in. pipe | two hundred feet of five inches pipe
a 10-km run, 10 m² | a ten-kilometer run, ten square meters
5GB, 50%, 3.5% | five gigabytes, fifty percent, three point five percent
He's 6'2" tall | He's six foot two tall
5 s or 1 s, 747s | five seconds or one second, seven forty sevens

1,234,567 | one million two hundred and thirty four thousand five hundred and sixty seven
12345 | twelve thousand three hundred and forty five
100,000,000,000,000 | one hundred trillion
3.14, .5, -5, 0 | three point one four, zero point five, minus five, zero
21st, 1,000th, 12th, 113th | twenty first, one thousandth, twelfth, one hundred thirteenth
1/2, 3 1/2, 1½, 2/3, 24/7, 9/11 | one half, three and a half, one and a half, two thirds, twenty four seven, nine eleven
007 | zero zero seven
pages 10-20 | pages ten to twenty
555-1234 | five five five, one two three four
(555) 123-4567 | five five five, one two three, four five six seven
1-800-555-1234 | one, eight zero zero, five five five, one two three four
B2B, mp3, v2.0, F-16, COVID-19 | B two B, M P three, v two point zero, F-sixteen, COVID-nineteen
2x4 and x² and x^3 | two by four and x squared and x cubed
192.168.0.1 | one ninety two dot one sixty eight dot zero dot one
٣ cats | three cats
#1 | number one

Dr. Watson met Mr. Smith, Mrs. Hall & Ms. Gray. | Doctor Watson met Mister Smith, Missus Hall and Miz Gray.
Mr Smith, Dr Who | Mister Smith, Doctor Who
On Main St. in St. Louis. | On Main Street in Saint Louis.
Visit St. Louis. | Visit Saint Louis.
He lives on Sunset Dr. | He lives on Sunset Drive.
No. 5, no. 6 and Vol. II, p. 3, pp. 4-5 | Number five, number six and Volume two, page three, pages four to five
No. I said no. | No. I said no.
e.g. this, i.e. that, cats vs. dogs, etc. | for example this, that is that, cats versus dogs, et cetera.
w/o it | without it
James Bond Jr. of Apple Inc. | James Bond Junior of Apple Incorporated.
J. K. Rowling, J.R.R. Tolkien and George W. Bush | J K Rowling, J R R Tolkien and George W Bush
a Ph.D. from the U.S. Army in the U.S. | a P H D from the U S Army in the U S.
Henry VIII, Louis XIV, World War II, Chapter IV, Rocky II | Henry the eighth, Louis the fourteenth, World War two, Chapter four, Rocky two
Elizabeth I, queen. Elizabeth I know. Malcolm X. | Elizabeth the first, queen. Elizabeth I know. Malcolm X.
I saw MIX and CIVIL | I saw MIX and CIVIL

NASA, the FBI, a QXF and BVGs | NASA, the FBI, a Q X F and B V G's
the US told us | the U S told us
STOP IT NOW, he said | STOP IT NOW, he said
HELLO WORLD | hello world
FBI | FBI
AT&T, R&B, salt & pepper | A T and T, R and B, salt and pepper
C++, C#, #fun, a+b=c | C plus plus, C sharp, hashtag fun, a plus b equals c
and/or, he/she | and or, he slash she
see https://example.com/a-b. | see example dot com slash a dash b.
www.example.org or me@example.com! | W W W dot example dot org or me at example dot com!

yes — no – maybe -- so | yes - no - maybe - so
a---b, a—b | a - b, a - b
well-known pre- and post-war | well-known pre and post-war
- a list item | a list item
Well... maybe. Wait… No . . . yes | Well, maybe. Wait. No, yes
What?! No!!! Oh?... | What? No! Oh?
“Hi,” he said. ‘Well’ it’s «so» | "Hi," he said. "Well" it's "so"
the dogs' 'bone' 'tis goin' on | the dogs' "bone" 'tis goin' on
rock 'n' roll | rock 'n' roll
(Hello) [world] he said (quietly). | Hello, world, he said, quietly.
Hello,world.Yes | Hello, world. Yes
naïve café, Łódź, Ærø, ﬁne, ＦＵＬＬ | naive cafe, Lodz, Aero, fine, FULL
😀 hi 日本 there 😀 | hi there
zero\u200bwidth soft\u00adhyphen | zerowidth softhyphen
{T AH0 M EY1 T OW0} soup, {T AH0}'s | {T AH0 M EY1 T OW0} soup, {T AH0}'s
"""
CASES = [tuple(part.strip() for part in line.split(" | ")) for line in TABLE.splitlines() if line.strip()]
SPOKEN = re.compile(r"(?:[A-Za-z'.,!?;:\-\" ]|\{[A-Z0-2 ]+\})+")


@pytest.mark.parametrize("printed, spoken", CASES)
def test_table(printed, spoken):
    assert normalize(printed) == spoken


@pytest.mark.parametrize("printed, spoken", CASES)
def test_spoken_text_stays_as_it_is(printed, spoken):
    assert normalize(spoken) == spoken


@pytest.mark.parametrize("printed, spoken", CASES)
def test_spoken_text_has_tokens(printed, spoken):
    assert TextTokenizer().encode(spoken)


# If the library gets the whole text, it damages or drops these parts.
@pytest.mark.parametrize(
    "printed, spoken",
    [
        ("1,234", "one thousand two hundred and thirty four"),
        ("100000000000000", "one hundred trillion"),
        ("#1", "number one"),
        ("two  spaces", "two spaces"),
        ("the 1990s", "the nineteen nineties"),
        ("may 5 people", "may five people"),
        ("100m", "one hundred meters"),
        ("$3.50", "three dollars fifty"),
    ],
)
def test_traps_of_the_library(printed, spoken):
    assert normalize(printed) == spoken


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "nothing in '' can be spoken"),
        (" \n ", "nothing in"),
        ("...", r"nothing in '\.\.\.' can be spoken"),
        ("😀 日本", "nothing in"),
        ("a {T AH} b", "unknown phone 'AH'.*the nearest is 'AH1'"),
        ("{hello}", "unknown phone 'hello'"),
        ("{}", "no phones given"),
        ("{T AH0", "a '{' without its partner"),
        ("T AH0}", "a '}' without its partner"),
        ("{T {AH0}}", "a '{' without its partner"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(TextError, match=message):
        normalize(text)


# ---- properties ----


@pytest.mark.parametrize("seed", range(4))
def test_letters_outside_numbers_survive(seed):
    rng = random.Random(seed)
    marks = [
        " ",
        " ",
        " ",
        ", ",
        "; ",
        "! ",
        "? ",
        " - ",
        "—",
        "... ",
        " (",
        ") ",
        "-",
        " “",
        "” ",
        "\n",
        " 12 ",
        " $5 ",
        " 3:30 ",
        " 1/2 ",
        " 1999 ",
    ]
    for _ in range(100):
        words = [
            "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(1, 9)))
            for _ in range(rng.randint(1, 20))
        ]
        words = [
            word
            for word in words
            if word not in ("vs", "s", "h", "m", "g", "l", "a", "p", "am", "pm", "x", "in") and normalize(word) == word
        ] or ["word"]
        spoken = iter(re.findall("[a-z]+", normalize("".join(word + rng.choice(marks) for word in words))))
        assert all(word in spoken for word in words)  # the words keep their order; number words stand between them


PIECES = [
    "a", "Ab", "US", "NASA", "it's", "'", '"', ".", ",", "-", "–", "—", "...", "5", "1,000", "$", "%", "€", "°C",
    " ", " ", "\n", "#", "&", "/", ":", "Dr.", "St.", "No.", "p.m.", "U.S.", "I", "IV", "Henry", "May", "1999",
    "0", "½", "²", "{AH0}", "st", "th", "km", "(", "]", "é", "日", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_any_text_is_spoken_or_refused(seed):
    rng = random.Random(seed)
    for _ in range(400):
        if rng.random() < 0.3:
            text = "".join(chr(rng.randrange(sys.maxunicode + 1)) for _ in range(20)).replace("{", "").replace("}", "")
        else:
            text = "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 25)))
        try:
            spoken = normalize(text)
        except TextError:
            assert not is_speakable(text)
            continue
        assert SPOKEN.fullmatch(spoken), (text, spoken)
        assert "  " not in spoken
        assert spoken == spoken.strip()


def test_every_character_alone_is_spoken_or_refused():
    for code in range(0x3000):
        try:
            assert SPOKEN.fullmatch(normalize(chr(code))), hex(code)
        except TextError:
            assert not unicodedata.category(chr(code)).startswith("L") or code > 0x7F


BIG = 50_000
LONG = [
    "a",
    "A",
    "1",
    "1 ",
    "1,",
    "1.",
    "1/",
    "1:",
    "1-",
    "$",
    "$1 ",
    ".",
    ". ",
    "-",
    "- ",
    "'",
    "' ",
    '"',
    "a.a.",
    "a.com",
    "a-",
    "a@",
    "www.",
    "http://",
]
LONG += [
    "A. ",
    "AB ",
    "Mr. ",
    "St. ",
    "(",
    "&",
    "é",
    "\u0301\u0323",
    "a\u0301\u0323",
    ", ",
    " ",
    "IVX ",
    "{AH0}",
    "'s",
    "'A",
    "1 1/2 ",
    "–",
    "1–",
    "...a",
    "x2",
    "_",
    "\\alpha ",
    "\\frac{1}{2} ",
    "x_{1} ",
]


@pytest.mark.parametrize("piece", LONG)
def test_long_input_is_quick(piece):
    normalize("NASA has 5")  # load the data that is loaded only once
    started = time.process_time()
    try:
        normalize(piece * (BIG // len(piece)))
    except TextError:
        assert not is_speakable(piece)
    assert time.process_time() - started < 2.0


def test_many_different_numbers_are_quick():
    rng = random.Random(0)
    text = " ".join(str(rng.randrange(10**6)) for _ in range(BIG // 7))
    started = time.process_time()
    normalize(text)
    assert time.process_time() - started < 4.0
