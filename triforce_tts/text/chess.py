"""Moves of chess as they are said: ``2. Nf3 Nc6`` as two, knight f three, knight c six."""

import re

_PIECES = {"K": "king", "Q": "queen", "R": "rook", "B": "bishop", "N": "knight"}
_FIGURES = dict(zip("♔♕♖♗♘♙♚♛♜♝♞♟", ["K", "Q", "R", "B", "N", ""] * 2, strict=True))
_FIGURE = re.compile(r"[♔-♟]️?(?=[a-h1-8]?x?[a-h][1-8](?![0-9A-Za-z]))")
_CASTLES = r"(?:O-O(?:-O)?|0-0(?:-0)?)"
_MOVE = (
    r"(?:(?P<piece>[KQRBN])(?P<from>[a-h]?[1-8]?)(?P<takes>[x:]?)|(?P<pawn>[a-h])x|)(?P<to>[a-h][1-8])"
    r"(?:=?(?P<becomes>[QRBN]))?"
)
_NUMBER = r"(?P<number>[1-9][0-9]{0,2})\.(?P<black>(?: ?\.\.)?) ?"
# A move by itself, and the number in front of it; a comma or full stop may follow.
_ANY = re.compile(
    rf"(?<![\w.,/=(-])(?P<open>\(?)(?:{_NUMBER})?(?:(?P<castles>{_CASTLES})|{_MOVE})(?P<check>[+#]?)(?P<mark>[!?]{{0,2}})(?![\w=/+#-])"
)
# What no other text has: a numbered move, a piece or pawn that takes, mate on a square. 'O-O' is also a bond of chemistry.
_SQUARE_MOVE = r"(?:[KQRBN][a-h]?[1-8]?x?[a-h][1-8]|[a-h]x[a-h][1-8])"
_CLEAR = re.compile(
    rf"(?<![\w.,-])(?:[1-9][0-9]{{0,2}}\.(?: ?\.\.)? ?(?:{_SQUARE_MOVE}|[a-h][1-8] (?:{_SQUARE_MOVE}|[a-h][1-8])|O-O)"
    r"|[KQRBN][a-h]?[1-8]?x[a-h][1-8]|[a-h]x[a-h][1-8]|[KQRBN][a-h]?[1-8]?[a-h][1-8]#)(?![\w-])"
)
_WORDS = re.compile(
    r"\b(?:(?i:chess|grandmasters?|checkmate|gambit|endgame|knights?|bishops?|rooks?|pawns?)"
    r"|(?:White|Black) (?:plays?|played|castle[sd]?|replie[sd]|answer(?:s|ed)|moves?|moved))\b"
)
_ONE_MOVE = re.compile(r"(?<![\w.,/-])(?:[KQRBN][a-h]?[1-8]?[a-h][1-8]|O-O(?:-O)?)(?![\w-])")
# The moves of a game do not end a sentence behind their numbers.
NUMBERED = re.compile(r"(?:^|[\s(])[1-9][0-9]{0,2}\.(?: ?\.\.)?$")
FIRST_MOVE = re.compile(
    r"(?:[KQRBN]?[a-h]?[1-8]?x?[a-h][1-8]|O-O(?:-O)?|0-0(?:-0)?)(?:=?[QRBN])?[+#]?[!?]{0,2}(?=\s|$|[.,;:)])"
)


def speak_moves(text: str) -> str:
    """The text with its moves in words, if something in it shows that they are moves of chess."""
    if not re.search("[a-h][1-8]|O-O", text):
        return text
    text = _FIGURE.sub(lambda figure: _FIGURES[figure[0][0]], re.sub(r"\s+", " ", text))
    is_game = _CLEAR.search(text) or (_WORDS.search(text) and _ONE_MOVE.search(text))
    return _ANY.sub(_say_move, text) if is_game else text


def _say_move(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()]
    words = _castling(match["castles"], before) if match["castles"] else _moving(match)
    words += {"+": " check", "#": " mate", "": ""}[match["check"]]
    if match["number"]:
        words = f"{',' if before.rstrip()[-1:].isalnum() else ''} {match['number']}, {words}"
    is_followed = not match["mark"] and FIRST_MOVE.match(match.string, match.end() + 1)
    return match["open"] + words + match["mark"] + ("," if is_followed else "")


def _castling(signs: str, before: str) -> str:
    """``O-O`` as 'castles', and behind that word as 'kingside'."""
    side = "queenside" if len(signs) > 3 else "kingside"
    if re.search(r"\bcastle[sd]? $", before):
        return side
    return "castles queenside" if side == "queenside" else "castles"


def _moving(match: re.Match[str]) -> str:
    start = match["from"] or ""
    mover = f"{_PIECES[match['piece']]} {' '.join(start)}".rstrip() if match["piece"] else match["pawn"]
    taken = " takes" if match["takes"] or match["pawn"] else ""
    move = f"{mover}{taken} {' '.join(match['to'])}" if mover else " ".join(match["to"])
    return move + (f" becomes a {_PIECES[match['becomes']]}" if match["becomes"] else "")
