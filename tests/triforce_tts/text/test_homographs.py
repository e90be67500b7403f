"""Words that are written alike: the words around decide which of two sounds is meant."""

import pytest

from triforce_tts.text.homograph_names import WORDS
from triforce_tts.text.phonemes import Lexicon, parse_phones
from triforce_tts.text.tokenizer import TextTokenizer

TOKENIZER = TextTokenizer()
NOW, PAST = "R IY1 D", "R EH1 D"
GUIDE, METAL = "L IY1 D", "L EH1 D"
BE_ALIVE, ALIVE = "L IH1 V", "L AY1 V"
NEAR, SHUT = "K L OW1 S", "K L OW1 Z"
CRYING, TEARING = "T IH1 R", "T EH1 R"
BREEZE, TURN = "W IH1 N D", "W AY1 N D"
INJURY, TURNED = "W UW1 N D", "W AW1 N D"
THE_USE, TO_USE = "Y UW1 S", "Y UW1 Z"


def sounds(text: str, word: str) -> list[str]:
    """The phones of each ``word`` in the text."""
    pieces = TOKENIZER.spell(text)
    words = [piece for piece in pieces if piece.is_word]
    written = [part.strip(".,!?;:\"'-") for part in text.lower().replace("-", " ").split()]
    return [" ".join(piece.symbols) for piece, name in zip(words, written, strict=True) if name == word]


@pytest.mark.parametrize(
    "word, text, expected",
    [
        ("read", "I will read what she read to him last night.", [NOW, PAST]),
        ("read", "Have you ever read it? Do you read much?", [PAST, NOW]),
        ("read", "She liked to sit and read. He read the letter and left.", [NOW, PAST]),
        ("read", "The book was read by all. It is widely read.", [PAST, PAST]),
        ("lead", "Roads lead to Rome; a lead pipe leaks.", [GUIDE, METAL]),
        ("lead", "It was made of lead. He took the lead.", [METAL, GUIDE]),
        ("live", "People live here, and live music is played.", [BE_ALIVE, ALIVE]),
        ("live", "The concert was live. She wants to live.", [ALIVE, BE_ALIVE]),
        ("lives", "He lives alone. They saved many lives.", ["L IH1 V Z", "L AY1 V Z"]),
        ("close", "Close the door. It is close to home.", [SHUT, NEAR]),
        ("close", "At the close of the day a close friend came.", [SHUT, NEAR]),
        ("tear", "A tear ran down. Do not tear it.", [CRYING, TEARING]),
        ("tear", "There was a tear in his coat.", [TEARING]),
        ("tears", "She burst into tears. He tears up the page.", ["T IH1 R Z", "T EH1 R Z"]),
        ("wind", "The wind blew. Wind up the clock.", [BREEZE, TURN]),
        ("wound", "The wound healed. The path wound up the hill.", [INJURY, TURNED]),
        ("use", "What is the use? We use it. Make use of this.", [THE_USE, TO_USE, THE_USE]),
        ("used", "I used to go. He used the key. She got used to it.", ["Y UW1 S T", "Y UW1 Z D", "Y UW1 S T"]),
        ("excuse", "Excuse me. That is no excuse.", ["IH0 K S K Y UW1 Z", "IH0 K S K Y UW1 S"]),
        ("record", "A record. They record it.", ["R EH1 K ER0 D", "R IH0 K AO1 R D"]),
        ("object", "An object fell. I object to that.", ["AA1 B JH EH0 K T", "AH0 B JH EH1 K T"]),
        ("present", "At present I present a friend.", ["P R EH1 Z AH0 N T", "P R IY0 Z EH1 N T"]),
        ("perfect", "A perfect day to perfect it.", ["P ER1 F IH2 K T", "P ER0 F EH1 K T"]),
        ("separate", "Two separate rooms; to separate them.", ["S EH1 P R AH0 T", "S EH1 P ER0 EY2 T"]),
        ("permits", "This permits it. The permits came.", ["P ER0 M IH1 T S", "P ER1 M IH2 T S"]),
        ("bow", "A bow and arrow. He made a low bow.", ["B OW1", "B AW1"]),
        ("minute", "Wait a minute. In minute detail.", ["M IH1 N AH0 T", "M AY0 N UW1 T"]),
        ("learned", "My learned friend learned it.", ["L ER1 N AH0 D", "L ER1 N D"]),
        ("read", "I read the paper every morning. I read it a day late.", [NOW, PAST]),
        ("read", "People who read books are happy. She likes to lie in bed and read.", [NOW, NOW]),
        ("live", "It was shown live. We saw them live in Paris. They live on a farm.", [ALIVE, ALIVE, BE_ALIVE]),
        (
            "lead",
            "There is lead in the water. Lead is a heavy metal. Workers lead in the polls.",
            [METAL, METAL, GUIDE],
        ),
        ("close", "Many shops close early. They close at six. The houses close by were old.", [SHUT, SHUT, NEAR]),
        ("used", "She is used to hard work. It is used to clean silver.", ["Y UW1 S T", "Y UW1 Z D"]),
        ("uses", "The machine uses power. It has other uses.", ["Y UW1 Z IH0 Z", "Y UW1 S IH0 Z"]),
        ("tears", "The wind tears through the trees. She smiled through her tears.", ["T EH1 R Z", "T IH1 R Z"]),
        ("record", "The cameras record every car. His record was broken.", ["R IH0 K AO1 R D", "R EH1 K ER0 D"]),
        (
            "contract",
            "Metals contract when cold. The contract is void.",
            ["K AH0 N T R AE1 K T", "K AA1 N T R AE2 K T"],
        ),
        ("estimate", "Experts estimate that half came. An estimate.", ["EH1 S T AH0 M EY2 T", "EH1 S T AH0 M AH0 T"]),
        ("progress", "It makes progress every year. As we progress.", ["P R AA1 G R EH2 S", "P R AH0 G R EH1 S"]),
        ("separate", "Walls separate the gardens. Separate rooms.", ["S EH1 P ER0 EY2 T", "S EH1 P R AH0 T"]),
        ("polish", "He has a Polish wife. Nail Polish. Polish the table.", ["P OW1 L IH0 SH", *["P AA1 L IH0 SH"] * 2]),
        ("resume", "Send us your resume. We resume at nine.", ["R EH1 Z AH0 M EY2", "R IH0 Z UW1 M"]),
        ("suspect", "The suspect was here. I suspect so.", ["S AH1 S P EH2 K T", "S AH0 S P EH1 K T"]),
        ("dove", "A dove flew up. He dove into the pool.", ["D AH1 V", "D OW1 V"]),
    ],
)
def test_a_word_of_two_sounds(word, text, expected):
    assert sounds(text, word) == expected


def test_every_sound_is_of_known_phones_and_every_word_has_two():
    for word, (usual, cases) in WORDS.items():
        assert parse_phones(usual)
        assert all(parse_phones(sound) for sound, _, _ in cases), word
        assert word == "bowing" or {sound for sound, _, _ in cases} - {usual}, word


def test_a_lexicon_of_the_user_goes_before(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("live  L AY1 V\n")
    tokenizer = TextTokenizer(Lexicon.load(file))
    assert tokenizer.decode(tokenizer.encode("we live")) == "{W IY1} {L AY1 V}"


def test_the_letter_a_before_a_mark_is_no_article():
    assert sounds("Plan A. A plan, vitamin A, and B.", "a") == ["EY1", "AH0", "EY1"]
