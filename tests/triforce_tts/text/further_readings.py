"""Tables of `test_readings.py`: lists, orders, messages, programs, codes and comparisons, with what only looks like them."""

# Each line: as printed | as spoken.
TABLES = {
    "days in lists": """
        Mon., Wed. & Fri. | Monday, Wednesday and Friday.
        Open Mon., Wed. and Fri. at noon; 9 a.m. Mon. | Open Monday, Wednesday and Friday at noon; nine A M Monday.
        Moved to 3pm Thurs, Room B. It opens 9-5 Mon-Fri. | Moved to three P M Thursday, Room B. It opens nine to five Monday to Friday.
        The sun and Sat; I sat in the sun. | The sun and Sat; I sat in the sun.
        """,
    "short forms of orders, posts and places": """
        Qty 2 @ $3.50 ea. | Quantity two at three dollars fifty each.
        Sr. Director and Jr. Developer met Sr. Mary. | Senior Director and Junior Developer met Sister Mary.
        Assoc. Prof. Lee; She's 25 y.o. and he's a 30 y.o. nurse. | Associate Professor Lee; She's twenty five years old and he's a thirty year old nurse.
        Mr. T. J. O'Neil-Smith III; Dr. Smith II came; Act II. | Mister T J O'Neil-Smith the third; Doctor Smith the second came; Act two.
        the Rt. Hon. B. Johnson; Attn: J. Doe, the A/C unit | the Right Honorable B Johnson; Attention: J Doe, the A C unit
        Room 1408, bldg. 3, apt. 4B, the 3rd fl. of it, App. A | Room fourteen oh eight, building three, apartment four B, the third floor of it, Appendix A
        The temp. dropped to -5; in WW3 and WWIII | The temperature dropped to minus five; in World War three and World War three
        """,
    "messages and emoji": """
        omg thx! Thx, see u 2moro, btw idk | O M G thanks! Thanks, see u tomorrow, B T W I D K
        Imo State is in Nigeria, said Luv Sharma | Imo State is in Nigeria, said Luv Sharma
        ✅ Done ❌ Not done; ⭐⭐⭐⭐⭐ great, ⚡ fast ☀️ and ☕ hot; 2 ➕ 2 | check Done cross Not done; five stars great, fast and hot; two plus two
        order #A-10293 and case #17; #2024goals #1fan #1 fan | order number A-one zero two nine three and case number seventeen; hashtag twenty twenty four goals hashtag one fan number one fan
        $TSLA to the moon; $AAPL, and "...and then," she said | dollar T S L A to the moon; dollar A A P L, and "and then," she said
        ~~~ wow ~~~ and [...] then, so (...) it went | wow and, then, so, it went
        from A-Z, the A–Z of it, [a-z] | from A to Z, the A to Z of it, a to z
        すし つなみ ふじ | sushi tsunami fuji
        """,
    "signs of programs and of HTML": """
        a && b || !c; if (!done && x) stop | a and b or not c; if, not done and x, stop
        getUserName() and foo() run, ~/Documents/file.txt | getUserName and foo run, tilde slash Documents slash file dot txt
        version 2.0-beta.3, 0b1010 | version two point zero-beta point three, zero b one zero one zero
        00:01:23,456 --> 00:01:25,789 | zero hours one minute and twenty three point four five six seconds to zero hours one minute and twenty five point seven eight nine seconds
        Tom &amp;amp; Jerry &amp;quot;hi&amp;quot; | Tom and Jerry "hi"
        Error 404; a 404 error; 404 Not Found; HTTP 500; 404 errors | Error four oh four; a four oh four error; four oh four Not Found; HTTP five hundred; four hundred and four errors
        """,
    "comparisons without a side": """
        6 is > 5 and < 7; <1% and >99% | six is greater than five and less than seven; less than one percent and greater than ninety nine percent
        x > 3 and y < 4 | x is greater than three and y is less than four
        ≈ 3.14, it is ≥ 5 and ≤ 9 | approximately equal to three point one four, it is greater than or equal to five and less than or equal to nine
        5 × 4 ≠ 21; a ratio of 3.5:1; a 60/40 split, 70/30, 3/97 | five times four is not equal to twenty one; a ratio of three point five to one; a sixty forty split, seventy thirty, three ninety sevenths
        -5 - -3 = -2; 9 - 4 = 5 | minus five minus minus three equals minus two; nine minus four equals five
        what matters and is greater than that | what matters and is greater than that
        """,
    "codes sign by sign": """
        1-800-FLOWERS or 1-800-GOT-JUNK; Text STOP to 12345. | one, eight zero zero, FLOWERS or one, eight zero zero, GOT JUNK; Text STOP to one two three four five.
        My VIN 1HGCM82633A004352 is here. | My VIN one H G C M eight two six three three A zero zero four three five two is here.
        my account DE89 3704 0044 0532 0130 00 here | my account D E eight nine, three seven zero four, zero zero four four, zero five three two, zero one three zero, zero zero here
        Ticket no. 0001234 and Part 02, no. 007 | Ticket number zero zero zero one two three four and Part two, number seven
        """,
    "money with spaces, dashes and shared magnitudes": """
        1 299,00 €, 12\u202f345,67 €; 49,- or € 19,-, 4.999,- € | one thousand two hundred and ninety nine euros, twelve thousand three hundred and forty five euros sixty seven; forty nine or nineteen euros, four thousand nine hundred and ninety nine euros
        $20–$30K; $1-$2 million; $500-$1 million | twenty thousand dollars to thirty thousand dollars; one million dollars to two million dollars; five hundred dollars to one million dollars
        """,
    "measures, times and music": """
        in Q1-Q3, H1–H2; UTC+2 and GMT-5 | in Q one to Q three, H one to H two; U T C plus two and G M T minus five
        48°51'04"N 2°21'03"E | forty eight degrees fifty one minutes four seconds north two degrees twenty one minutes three seconds east
        50mg 2x daily, 1x a day; 3 ft. x 5 ft. wide | fifty milligrams twice daily, once a day; three feet by five feet wide
        a 27" 4K TV; it rained 1.2" on Monday and 0.5" on Friday | a twenty seven inch four K TV; it rained one point two inches on Monday and zero point five inches on Friday
        He said "it is 1.2" and left. | He said "it is one point two" and left.
        ½ an hour, 1/2 a cup, 1/2 the size, 1/2 of it, 3 1/2 an hour | half an hour, half a cup, half the size, one half of it, three and a half an hour
        at 1/250s or 1/60 sec. of it; 5 ft 10 in. | at one two hundred fiftieth of a second or one sixtieth of a second of it; five feet ten inches.
        in 4/4, 6/8 and 3/4 time; in Eb major; a Bb clarinet | in four four, six eight and three four time; in E flat major; a B flat clarinet
        """,
}
