"""Tables of `test_readings.py`: lists, orders, messages, games, programs, codes, initialisms and comparisons, with what only looks like them."""

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
    "initialisms behind a word or a name of the dictionary": """
        The UPS driver had an EEG on VE Day. | The U P S driver had an E E G on V E Day.
        CO poisoning, SI units, the NE corner, HMS Victory | C O poisoning, S I units, the N E corner, H M S Victory
        She has MS. He has ALS and IBS. | She has M S. He has A L S and I B S.
        MS Word, MS Lee, an ERA of 2.35, on SR 520, IL-6 | M S Word, MS Lee, an E R A of two point three five, on S R five hundred and twenty, I L-six
        That SOB has ADD. They ADD the SOB story. | That S O B has A D D. They ADD the SOB story.
        STOP THE UPS NOW. The "UPS!" and NE-VER; the UPS and downs | STOP THE UPS NOW. The "UPS!" and NE-VER; the UPS and downs
        Lee & CO, John DOE, MIS-understood, THE ERA OF KINGS | Lee and CO, John DOE, MIS-understood, THE ERA OF KINGS
        the angle BAD, triangle ABE, side BE, line CA | the angle B A D, triangle A B E, side B E, line C A
        the angle IS wrong, that line BAD, the triangle TRADE | the angle IS wrong, that line BAD, the triangle TRADE
        The arc FROM here, a love triangle GONE wrong, the segment MUST go | The arc FROM here, a love triangle GONE wrong, the segment MUST go
        SI senor. CA va bien. IL Divo sang. TI amo, she said. | SI senor. CA va bien. IL Divo sang. TI amo, she said.
        ASA: Come in. | ASA: Come in.
        corn on the COB, such a SAP, Cape COD, the key FOB, two PI, the end of an ERA, MS O'Brien | corn on the COB, such a SAP, Cape COD, the key FOB, two PI, the end of an ERA, MS O'Brien
        the INS and outs, UPS & downs, push UPS, Lady DI, URI Geller, DES Moines | the INS and outs, UPS and downs, push UPS, Lady DI, URI Geller, DES Moines
        """,
    "numbers with a letter that are no measures": """
        Fig. 3g, h shows; Figs. 2h–j and 3m; Figure 2e–2g; Zones 4b–8a | Figure three g, h shows; Figures two h to j and three m; Figure two e to two g; Zones four b to eight a
        Gate 12L, seat 14g, room 101L, Table 3m shows, Box 2l; Question 4m? | Gate twelve L, seat fourteen g, room one oh one L, Table three m shows, Box two l; Question four m?
        a table 3m long, a figure 5m high, Section 20m from it, Plate 5g of it | a table three meters long, a figure five meters high, Section twenty meters from it, Plate five grams of it
        runway 27L/09R, Runway 9L, runway 27 | runway two seven left, zero nine right, Runway nine left, runway twenty seven
        Hamlet III.i.56; see II.iii.45–50; Eqs. (1)–(3) | Hamlet three, one, fifty six; see two, three, forty five to fifty; Equations, one to three
        the I–IV–V progression, vi–IV–I–V; "I-I-I don't," v-v-v | the one, four, five progression, six, four, one, five; "I-I-I don't," v-v-v
        Section 3m in length; Zone 30m around it; the figure 20m in front; Item 250g bag | Section three meters in length; Zone thirty meters around it; the figure twenty meters in front; Item two hundred and fifty grams bag
        Room 60W bulb; In each room 12V lamps hang. | Room sixty watts bulb; In each room twelve volt lamps hang.
        """,
    "counts of a whole": """
        Part 1/3; Step 2/4: Mix. Page 3/12 and Day 14/30 | Part one of three; Step two of four: Mix. Page three of twelve and Day fourteen of thirty
        HP: 120/150, XP 1,450/2,000, Health 75/75, GCS 15/15, pain 8/10 | HP: one hundred and twenty out of one hundred and fifty, X P one thousand four hundred and fifty out of two thousand, Health seventy five out of seventy five, G C S fifteen out of fifteen, pain eight out of ten
        Kill rats (3/10). Find it (0/5). | Kill rats, three out of ten. Find it, zero out of five.
        (1/3) More below. | one of three, More below.
        More below. (2/3) | More below. two of three
        3/5 stars, a solid 8/10! It's a 7/10 for me. 10/10, would go again | three out of five stars, a solid eight out of ten! It's a seven out of ten for me. ten out of ten, would go again
        step 1/2 inch, part 1/3 of it, Health 1/2 of it, a 3/10 chance, a third (1/3), 10/10 | step one half inch, part one third of it, Health one half of it, a three tenths chance, a third, one third, ten ten
        Kill the cat (1/2 dead). That day 1/3 left. Score: 287/4 | Kill the cat, one half dead. That day one third left. Score: two hundred and eighty seven quarters
        Fuel 3/4 gone; Charges 1/2 price; Photo 3/4 view; Lives 1/3 longer | Fuel three quarters gone; Charges one half price; Photo three quarters view; Lives one third longer
        Find the probability of a six (1/6). A phase 1/2 trial. 3/10 don't know. On 1/10, never | Find the probability of a six, one sixth. A phase one two trial. three tenths don't know. On one tenth, never
        """,
    "names with a number": """
        Blink-182, STS-107, Kepler-452b, MIL-STD-810 | Blink-one eighty two, S T S-one oh seven, Kepler-four fifty two b, MIL-S T D-eight ten
        Under-150 cm, Sub-150cc, Over-120s, Top-100 | Under-one hundred and fifty centimeters, Sub-one hundred and fifty cc, Over-one hundred and twenties, Top-one hundred
        Top-250; Australia-350, India-298; Salt-250 grams; Over-150 entries | Top-two hundred and fifty; Australia-three hundred and fifty, India-two hundred and ninety eight; Salt-two hundred and fifty grams; Over-one hundred and fifty entries
        every 5 km Mary rested; for every $10 Tom saves; They claim 10000-20000 died. | every five kilometers Mary rested; for every ten dollars Tom saves; They claim ten thousand to twenty thousand died.
        She got 401k likes and paid 401k for it. | She got four hundred and one k likes and paid four hundred and one k for it.
        the F/A-18 and F/A-18E/F; FY24/25; a 401k plan; 401k followers | the F A-eighteen and F A-eighteen E F; F Y twenty four twenty five; a four oh one k plan; four hundred and one k followers
        a 9mm Glock, a 5 km London loop, a $20 Starbucks card, a 500 MB SSD | a nine millimeter Glock, a five kilometer London loop, a twenty dollar Starbucks card, a five hundred megabyte S S D
        every 5 km He rests; a 5 km Sunday run | every five kilometers He rests; a five kilometers Sunday run
        Model No. XJ-5, No. B12 is it, No. 1:23-cv-04567; order #2024-0113; order 100-200 units | Model number X J-five, No. B twelve is it, Number one, twenty three C V zero four five six seven; order number twenty twenty four, zero one one three; order one hundred to two hundred units
        WWI, WWII, WWIII | world war one, world war two, world war three
        """,
    "signs of programs and of formulas": """
        SELECT * FROM t; COUNT(*); import *; rep from * to end; a * b | SELECT star FROM t; COUNT, star; import star; rep from star to end; a times b
        self.x = 1, p.y), list.a[0]; the end.a new; e.g. x = 1 | self dot x equals one, p dot y, list dot a, zero; the end. a new; for example x equals one
        M*A*S*H, S*T*O*P, N*S*Y*N*C, x*y*z; a 4* hotel | MASH, STOP, N times S times Y times N times C, x times y times z; a four star hotel
        P(A|B) = 0.5, |x| < 5, n! = 6; wow! = great; a != b | P of A given B equals zero point five, the absolute value of x is less than five, n factorial equals six; wow! equals great; a is not equal to b
        ∫₀¹ x² dx; ∑ᵢ₌₁ⁿ i; ∫ x dx | the integral from zero to one of x squared dx; the sum from i equals one to n of i; the integral of x dx
        ¾ + ½ = 1¼; 1/2 = 0.5; 3/4 - 1/2 = 1/4; 2/3 × 6 = 4; 10/2 = 5 | three quarters plus one half equals one and a quarter; one half equals zero point five; three quarters minus one half equals one quarter; two thirds times six equals four; ten divided by two equals five
        5'-ATGC-3'; TL;DR: no; 4to and 8vo | five prime-A T G C-three prime; T L D R: no; quarto and octavo
        """,
    "measures, dates and scores in pairs": """
        10+ lbs, 5+ km, 2+ yrs. old, 50+ ft. high; 10+ bit | ten plus pounds, five plus kilometers, two plus years old, fifty plus feet high; ten plus bit
        10 mg/kg/day, CFU/mL, copies/mL, 10 mEq/L, 6ft4; −5–0°C; 5-0 | ten milligrams per kilogram per day, C F U per milliliter, copies per milliliter, ten milliequivalents per liter, six foot four; minus five to zero degrees Celsius; five-zero
        ¼–½ tsp; 12"–18" apart; 1″–2″ | one quarter to half a teaspoon; twelve to eighteen inches apart; one to two inches
        5 mi. N. of Boston, 10 miles SW of it | five miles north of Boston, ten miles southwest of it
        06/2018–05/2020; 9–10:30am; Mon 9am–Fri 5pm; 9–5 M–F; an M-F pair | June twenty eighteen to May twenty twenty; nine to ten thirty A M; Monday nine A M to Friday five P M; nine to five Monday to Friday; an M-F pair
        245-6 dec; he took 3/45 in 10 overs; Kane 90+3'; in the 90+3' minute | two hundred and forty five for six declared; he took three for forty five in ten overs; Kane ninety plus three minutes; in the ninety plus three minute
        the cake batter rose 7/16 in. high; a bowler of 9/11 fame; a 20+ ft drop; Figs 12 each | the cake batter rose seven sixteenths of an inch high; a bowler of nine eleven fame; a twenty plus foot drop; Figs twelve each
        -1/2 + 1 = 1/2; 1 1/2 + 2 = 3 1/2 | minus one divided by two plus one equals one half; one and one half plus two equals three and a half
        the letter s 12 of the words | the letter s twelve of the words
        """,
    "short forms of games, families and laws": """
        Lv. 12, lvl 99; Fig 3 and (fig 3); Figs 2-4; a Cat. 4 hurricane | Level twelve, level ninety nine; Figure three and, figure three; Figures two to four; a Category four hurricane
        b. 1820, m. 1845, d. 1901; b. abt. 1790; Mr/Mrs Lee and Cpt. Day | born eighteen twenty, married eighteen forty five, died nineteen oh one; born about seventeen ninety; Mister or Missus Lee and Captain Day
        (D-Mass.) and (I-Vt.); s. 12 of the Act; s.12(1)(b); ss 3-5 of the Act; it's 12 of the | D, Massachusetts, and, I, Vermont; section twelve of the Act; section twelve one b; sections three to five of the Act; it's twelve of the
        """,
}
