"""Formulas and commands of LaTeX are read, and nothing else is taken for LaTeX."""

import itertools
import random

import pytest

from triforce_tts.text.latex import places, read_latex
from triforce_tts.text.normalize import normalize

READINGS = [
    (r"The angle $\alpha \leq \beta$ is small.", "The angle alpha is less than or equal to beta is small."),
    (r"\textbf{Hello} world and \emph{good} night.", "Hello world and good night."),
    (r"We get \frac{1}{2} of it.", "We get one half of it."),
    (r"\frac{a+b}{c}", "a plus b over c"),
    (r"E = mc^2 and $\sqrt{2}$.", "E equals mc squared and the square root of two."),
    (r"\sqrt[3]{8} and \sqrt[n]{x}", "the cube root of eight and the nth root of x"),
    (r"\[ \int_0^1 x \, dx \]", "the integral from zero to one of x dx"),
    (r"\sum_{i=1}^{n} a_i", "the sum from i equals one to n of a sub i"),
    (r"\lim_{x \to \infty} f(x)", "the limit as x goes to infinity of f, x"),
    ("x_1 and x_{n+1}", "x sub one and x sub n plus one"),
    ("10^{-3} and x^{2}", "ten to the minus third and x squared"),
    (r"90^\circ", "ninety degrees"),
    (r"e^{-x^2} - y", "e to the power of minus x squared - y"),
    (r"$a - b_{n-1} = -\frac{1}{2}$", "a minus b sub n minus one equals minus one half"),
    (r"\(f'(x) = \sigma/\sqrt{n}\)", "f prime, x, equals sigma over the square root of n"),
    (r"\text{It's a well-known and/or} $\alpha$", "It's a well-known and or alpha"),
    (r"$2\pi r$ and area $A=\pi r^{2}$.", "two pi r and area A equals pi r squared."),
    (r"the $n^{th}$ item", "the nth item"),
    (r"\hat{x}, \bar{y} and \vec{E}", "x hat, y bar and vector E"),
    (r"$\mathbf{x} \in \mathbb{R}^{d}$", "x is in R to the power of d"),
    (r"\sin\theta + \cos^2\theta", "sin theta plus cos squared theta"),
    (r"P(A \mid B) = \frac{P(B)}{P(A)}", "P, A given B, equals P, B, over P, A"),
    (r"\begin{equation} E = mc^2 \end{equation}", "E equals mc squared"),
    (r"Water is \ce{H2O}.", "Water is H two O."),
    (r"139 fb$^{-1}$ of $^{13}$C", "one hundred and thirty nine fb to the minus first of thirteen C"),
    (r"$\Lambda$CDM is $\sim$10\% or 10$\times$ more", "lambda C D M is about ten percent or ten times more"),
    (r"It costs $5 and the angle $\alpha$ is small.", "It costs five dollars and the angle alpha is small."),
    ("I paid $5, $6 and $x_i$ of $10^5$.", "I paid five dollars, six dollars and x sub i of ten to the fifth."),
    (
        r"{\displaystyle f=\sum _{n=0}^{\infty }{\frac {a_{n}}{n}}}",
        "f equals the sum from n equals zero to infinity of a sub n over n",
    ),
    (r"$1{,}000$ and $\{1,2\}$ and ${n \choose k}$", "one thousand and, one, two, and n choose k"),
    (r"Poincar\'{e} and Erd\H{o}s", "Poincare and Erdos"),
    (r"{\it words} and Fig.~\ref{fig:b} of \emph {more words}", "words and Fig. of more words"),
    (r"{\text{if }}x\geq 0, $t=1\text{ km}$", "if x is greater than or equal to zero, t equals one kilometer"),
    (r"x\not\in A", "x is not in A"),
    (r"\sum\limits_{i=1}^n x_i", "the sum from i equals one to n of x sub i"),
    (r"$K^-\pi^+$", "K minus pi plus"),
    (r"\frac{\frac{a}{b}}{c}", "a over b all over c"),
    (r"\href{http://example.com/page}{this link}", "this link"),
    (r"\emph{This is 5% of it all} and more.", "This is five percent of it all and more."),
    (r"50\% of \$5 & \#3", "fifty percent of five dollars and number three"),
    (
        r"Let $n$ and $m>2$, $α$ and $a − b$, $x≤3$.",
        "Let n and m is greater than two, alpha and a minus b, x is less than or equal to three.",
    ),
    (r"$x$=a_1,$y$ and $k$=5 for $5", "x equals a sub one, y and k equals five for five dollars"),
    (r"Pay $a and $b or $A to $B+ more.", "Pay dollars a and dollars b or dollars A to dollars B plus more."),
    (r"as \cite{knuth} says", "as says"),
    (r"\nosuchcommand{x} is read.", "x is read."),
    (r"{T AH0 M EY1 T OW0} and $\alpha$", "{T AH0 M EY1 T OW0} and alpha"),
]


@pytest.mark.parametrize(("written", "spoken"), READINGS)
def test_readings(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@pytest.mark.parametrize(
    "text",
    [r"C:\Users\bob\beta.txt", r"\\server\share\alpha", r"D:\data\text", "snake_case_name", "a_1", r"Use \n here.", r"either\or", r"\[0-9\]", r"\big fish", r"\left the room", r"%APPDATA%\text",
     r're.sub(r"\sim", x)',
     "$5 and $10", "{T AH0}", "2^10", "x^2", "", "$", "\\", "\\\\"],
)  # fmt: skip
def test_other_text_is_left_alone(text: str) -> None:
    assert places(text) == [] and read_latex(text) == text


def test_any_heap_of_commands_is_read_without_a_brace() -> None:
    """No input stops it, and text outside of the places stays to the character."""
    words = [
        r"\frac",
        r"{",
        r"}",
        r"[",
        r"]",
        r"_",
        r"^",
        r"\alpha",
        r"\sum",
        r"x",
        r"1",
        r"$",
        r"$$",
        r"\(",
        r"\)",
        r"\[",
        r"\]",
        r"\begin{a}",
        r"\end{a}",
        r"&",
        r"\\",
        r"~",
        r"%",
        r"\sqrt",
        r"\left",
        r"\verb",
        r"\hat",
        r"word",
        r"\,",
        r"#",
        r"\int",
        r"\to",
        r"'",
        r"é",
    ]
    rng = random.Random(0)
    for _ in range(2000):
        text = "".join(rng.choice([*words, " "]) for _ in range(rng.randint(1, 14)))
        found = places(text)
        assert all(begin < end for begin, end in found)
        assert all(one[1] <= next_one[0] for one, next_one in itertools.pairwise(found))
        ends = [0, *(end for _, end in found)]
        outside = "".join(
            text[end:begin] for end, begin in zip(ends, [*(begin for begin, _ in found), len(text)], strict=True)
        )
        spoken = read_latex(text)
        assert [spoken.count(brace) for brace in "{}"] == [outside.count(brace) for brace in "{}"]
