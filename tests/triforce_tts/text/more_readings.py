"""Tables of `test_readings.py`: more kinds of numbers, signs and short forms, with readings that their neighbours must not take."""

# Each line: as printed | as spoken.
TABLES = {
    "short forms and numbers that are no times, millions, stones or verses": """
        The stock opened at 12.50. The dollar closed at 1.25 today. The shop opened at 9.30 today. | The stock opened at twelve point five zero. The dollar closed at one point two five today. The shop opened at nine thirty today.
        the 100m men's final; the 30m men's gap; 30m men; 100m people | the one hundred meters men's final; the thirty meters men's gap; thirty million men; one hundred million people
        Robert S. James met John S. Mark at S. Paul's. | Robert S James met John S Mark at Saint Paul's.
        Firefox, v. 12, and the app (v. 3); verses (v. 3). In chapter 2, v. 5, he says | Firefox, v. twelve, and the app, version three; verses, verse three. In chapter two, verse five, he says
        a 3 yo boy, 50 yo-yos, a man of 25yo. He left. | a three year old boy, fifty yo-yos, a man of twenty five years old. He left.
        He is 6 ft 4 in boots, 5 ft 2 in. tall. | He is six feet four in boots, five feet two inches tall.
        an AM/FM radio; I AM here; (am/pm) | an A M F M radio; I AM here; A M or P M
        """,
    "calibres, averages and models in pairs": """
        a .45-caliber pistol; his .38; a .357 Magnum and a .22 rifle; a .30-06 round | a forty five-caliber pistol; his thirty eight; a three fifty seven Magnum and a twenty two rifle; a thirty oh six round
        He drew his .45 and fired. The .44 was empty. | He drew his forty five and fired. The forty four was empty.
        a correlation of .45, p = .05, a .45 share, and .8125 more | a correlation of zero point four five, p equals zero point zero five, a zero point four five share, and zero point eight one two five more
        She hit .305 and batted .300; a .275 hitter; hit .5 mm | She hit three oh five and batted three hundred; a two seventy five hitter; hit zero point five millimeters
        a Boeing 747 and a Boeing 737-800; a 777 landed; two 747s | a Boeing seven forty seven and a Boeing seven thirty seven eight hundred; a seven seventy seven landed; two seven forty sevens
        It holds 747 people; a 747 page book | It holds seven hundred and forty seven people; a seven hundred and forty seven page book
        an Airbus A320, an F-150, the A303, a Porsche 911, an Xbox 360, BMW 520i | an Airbus A three twenty, an F-one fifty, the A three oh three, a Porsche nine eleven, an Xbox three sixty, BMW five twenty i
        Flight 370, flight BA123, Room 237, Suite 300, Apt. 5, Rm. 101, Bldg. 12 | Flight three seventy, flight B A one twenty three, Room two thirty seven, Suite three hundred, Apartment five, Room one oh one, Building twelve
        Route 101, Hwy. 401, Interstate 405; US 101 north; a road for US 500 men | Route one oh one, Highway four oh one, Interstate four oh five; U S one oh one north; a road for U S five hundred men
        room 200 people use; bus 100 miles | room two hundred people use; bus one hundred miles
        The bus 300 km north; Lockers 200 cm tall; Cabin 300 ft long; Route 500 km long | The bus three hundred kilometers north; Lockers two hundred centimeters tall; Cabin three hundred feet long; Route five hundred kilometers long
        channel 500 kHz wide; The Room 400 sq. ft.; the bus 300km north; Route 101 W | channel five hundred kilohertz wide; The Room four hundred square feet; the bus three hundred kilometers north; Route one oh one W
        1080p and 720p; H.264; 802.11ac; F16s and MP3s; WW2 | ten eighty p and seven twenty p; H dot two sixty four; eight oh two point eleven A C; F sixteens and M P threes; World War two
        uranium-235, U-238 and Cs-137 | uranium-two thirty five, U-two thirty eight and Cs-one thirty seven
        1024x768; 10W-40 oil; 20/40 vision; the year 2525; Form 1040; f/2.8; 401(k) and 403(b) | ten twenty four by seven sixty eight; ten W forty oil; twenty forty vision; the year twenty five twenty five; Form ten forty; f two point eight; four oh one k and four oh three b
        """,
    "times of the armed forces": """
        at 0530; at 0800 hours; by 1730 hrs; 1830h; from 0800 to 1700; open 0900-1730 | at zero five thirty; at zero eight hundred hours; by seventeen thirty hours; eighteen thirty hours; from zero eight hundred to seventeen hundred; open zero nine hundred to seventeen thirty
        It maps to 0111. Permissions went from 0755 to 0644. | It maps to zero one one one. Permissions went from zero seven five five to zero six four four.
        We worked 1400 hours. After 2000 hours of it we left. | We worked fourteen hundred hours. After two thousand hours of it we left.
        Replace the filter after 1000 hours. After 2000 hours, replace it; around 1000 hours; 1050h | Replace the filter after one thousand hours. After two thousand hours, replace it; around one thousand hours; ten fifty hours
        tested after 1050 hours, from 1000 hours to 2000 hours, within 1000h; at 1000 hours | tested after one thousand and fifty hours, from one thousand hours to two thousand hours, within one thousand hours; at ten hundred hours
        from 0800 hours to 1000 hours; from 0800 to 1000 hours | from zero eight hundred hours to ten hundred hours; from zero eight hundred to ten hundred hours
        PIN 0530; call 0800 123 456; 0800-1234 | PIN zero five three zero; call zero eight zero zero, one two three, four five six; zero eight zero zero, one two three four
        """,
    "marks out of a whole": """
        rated 4.5/5; she scored 85/100; a 9/10 score | rated four point five out of five; she scored eighty five out of one hundred; a nine out of ten score
        odds of 5/2; in 3/4 time; √2/2; xᵢ and x″; a 2/4 share | odds of five to two; in three four time; the square root of two over two; x i and x double prime; a two quarters share
        9/10 of them; got 1/5 of it | nine tenths of them; got one fifth of it
        I've got 1/5 left. He got 2/5 more. She got 1/10 the pay. | I've got one fifth left. He got two fifths more. She got one tenth the pay.
        He got 18/20 on the test and 9/10 of it; I got 4/5. | He got eighteen out of twenty on the test and nine tenths of it; I got four out of five.
        """,
    "clocks that measure": """
        in 2014-01, in 2001–02, 2010-12; Lee (2010a); Jan 1–Feb 2; a 1:50,000 map | in January twenty fourteen, in two thousand one to oh two, twenty ten to twelve; Lee, twenty ten a; January first to February second; a one to fifty thousand map
        1H21, Q4'21, the '00s, c1066, b.1901; 18h30 | one H twenty one, Q four twenty one, the two thousands, circa ten sixty six, born nineteen oh one; eighteen thirty
        100 BC–AD 50; the 5th c. BC; mid-19th c. art | one hundred B C to A D fifty; the fifth century B C; mid-nineteenth century art
        1h 20m, 1hr30, 2m 30s, 1h05m, 3d 4h | one hour twenty minutes, one hour thirty minutes, two minutes thirty seconds, one hour five minutes, three days four hours
        won in 3:59.4; 1:02:03.5; ran it in 9.58s | won in three fifty nine point four; one hour two minutes and three point five seconds; ran it in nine point five eight seconds
        noon-5pm, 9am-midnight; July '69; Sept. '04; Tues. 3 March; Wed, 5 Apr 2023 | noon to five P M, nine A M to midnight; July sixty nine; September oh four; Tuesday the third of March; Wednesday, the fifth of April, twenty twenty three
        """,
    "counts in short": """
        1.5M users, 2.5bn people, 5mn, 7B people; 3M; plan 5B; 10K steps | one point five million users, two point five billion people, five million, seven billion people; three M; plan five B; ten K steps
        the 100M finals, 200M heats, 100M sprints and 50M lengths; 20 mn later | the one hundred M finals, two hundred M heats, one hundred M sprints and fifty M lengths; twenty mn later
        Section 1.10, Fig. 2.12 and Table 3.4; 1.10 of it | Section one point ten, Figure two point twelve and Table three point four; one point one zero of it
        """,
    "codes with signs inside": """
        the ISBN 0-8044-2957-X; ISSN 1234-5678; ISBN 978 0 306 40615 7 | the ISBN zero, eight zero four four, two nine five seven X; I S S N one two three four, five six seven eight; ISBN nine seven eight, zero, three zero six, four zero six one five, seven
        localhost:8080; Release 3.4.5.6; 0x1F and 0xA0; 10x10 | localhost port eighty eighty; Release three point four point five point six; zero x one F and zero x A zero; ten by ten
        1'000'000 and 2_500_000; 50-50 and 2-2; 100s of men; 5! = 120; 5'8 tall | one million and two million five hundred thousand; fifty-fifty and two-two; hundreds of men; five factorial equals one hundred and twenty; five foot eight tall
        221B Baker Street; No. 10 Downing Street; Senator Lee (D-NY) | two twenty one B Baker Street; number ten Downing Street; Senator Lee, D, New York
        """,
    "money of many countries": """
        Rs. 500, ₹2.5 crore, ₹50 lakh, Rs 20/kg | five hundred rupees, two point five crore rupees, fifty lakh rupees, twenty rupees per kilogram
        250 Kč, 5 zł, 100 kr, RM50, KSh 200, Rp 10.000, Fr. 20 | two hundred and fifty korunas, five zlotys, one hundred kroner, fifty ringgit, two hundred Kenyan shillings, ten thousand rupiah, twenty francs
        $2½ million, £3/4 million, $1/2, $5 3/4; $1.50–2.00; €1 500; $-5; 10¢/min; 15 %-20 % | two and a half million dollars, three quarters of a million pounds, half a dollar, five and three quarters dollars; one dollar fifty to two dollars; one thousand five hundred euros; minus five dollars; ten cents per minute; fifteen to twenty percent
        1.234,56 €; €2,50; €1,5 million; €1.250; 2,5 million; 3,5 %; pages 1,25 and 30 | one thousand two hundred and thirty four euros fifty six; two euros fifty; one point five million euros; one thousand two hundred and fifty euros; two point five million; three point five percent; pages one, twenty five and thirty
        Petrol is €1.799 a litre, or €1.759 per litre; €1.500 a month | Petrol is one point seven nine nine euros a litre, or one point seven five nine euros per litre; one thousand five hundred euros a month
        """,
    "more units": """
        3 ms⁻¹, 9.81 m s⁻², 50 mol L⁻¹; 5 J/kg, 3 W/m²; W/L record | three meters per second, nine point eight one meters per second squared, fifty moles per liter; five joules per kilogram, three watts per square meter; W slash L record
        20 deg C, 68 degrees F, 20° C; 12 pct; 5 nmi; 29.9 inHg; 120/80 mmHg; 25 mM and 5 µM | twenty degrees Celsius, sixty eight degrees Fahrenheit, twenty degrees Celsius; twelve percent; five nautical miles; twenty nine point nine inches of mercury; one hundred and twenty over eighty millimeters of mercury; twenty five millimolar and five micromolar
        20 cm x 30 cm; 8½" x 11"; a 10' pole; a 55" TV; 5/8" bolt; a depth of 100'. | twenty centimeters by thirty centimeters; eight and a half inches by eleven inches; a ten foot pole; a fifty five inch TV; five eighths-inch bolt; a depth of one hundred feet.
        1½-2 hrs, 2-2½ lb, ½–¾, 5-1/2 inches; in kΩ and °F; 30°W–40°W; N40°26′; 5 · 3 | one and a half to two hours, two to two and a half pounds, one half to three quarters, five and a half inches; in kilo-ohms and degrees Fahrenheit; thirty degrees west to forty degrees west; north forty degrees twenty six minutes; five times three
        33⅓ rpm; 1.2×10³; rose 3% m/m; ±5, +/- 3 and 4 +/- 2 | thirty three and a third revolutions per minute; one point two times ten cubed; rose three percent m slash m; plus or minus five, plus or minus three and four plus or minus two
        Run "/x/,30", then 'a 5', `b 10', and "--a=1". | Run " slash x slash, thirty", then "a five", "b ten", and " - a equals one".
        6" and 8"; the 5' and 100'. It is 5". | six" and eight inches; the five' and one hundred feet. It is five inches.
        5 mg/100 ml; 50/60Hz; 9.8N/kg; 5 cells/mm³; 5 kg·m/s; 2 tsps; 15/16 mm; 30'' wide | five milligrams per one hundred milliliters; fifty slash sixty hertz; nine point eight newtons per kilogram; five cells per cubic millimeter; five kilogram meters per second; two teaspoons; fifteen sixteenths of a millimeter; thirty inches wide
        60 m.p.h. and 5 l/100 km | sixty miles per hour and five liters per one hundred kilometers
        "Take 5", he said. He read 'Room 5'. She said "it is 5". | "Take five", he said. He read "Room five". She said "it is five".
        """,
    "numerals in lists and ranges": """
        Louis XIV, XV and XVI; James VI and I; George V and VI | Louis the fourteenth, fifteenth and sixteenth; James the sixth and first; George the fifth and sixth
        So Henry V and I went. Act V—I saw it. | So Henry the fifth and I went. Act five - I saw it.
        Books I–III, Volumes IV–VI, pp. xii–xv; Chapters I and II; Parts I, II and IV | Books one to three, Volumes four to six, pages twelve to fifteen; Chapters one and two; Parts one, two and four
        (ii) two; iii) three; Vietnamese (vi) too; (i) one | two, two; three, three; Vietnamese, vi, too; i, one
        Section IV.2, Table II.3; Saturn V; a type I error; the type I like | Section four point two, Table two point three; Saturn five; a type one error; the type I like
        Ⅳ and ⅻ; Chapter Ⅶ; Louis Ⅳ | four and twelve; Chapter seven; Louis the fourth
        """,
    "raised signs beside letters": """
        ¹⁴C, ²³⁸U, ³√8, Ca²⁺, SO₄²⁻, Cl⁻ and Na⁺; x² and x⁻¹; ¹Note | fourteen C, two hundred and thirty eight U, the cube root of eight, Ca two plus, S O four two minus, Cl minus and Na plus; x squared and x to the minus first; one Note
        “Hi.”² She left. ‘So.’³ He stayed. | "Hi." She left. "So." He stayed.
        NaCl, CaCO₃, Fe2O3 and C₂H₅OH | N A C L, C A C O three, F E two O three and C two H five O H
        ＄5, ￥100, Ｍｒ．Ｓｍｉｔｈ, １２３; 🅰 and 🄱; ``so'' and ''so''; ~~gone~~ | five dollars, one hundred yen, Mister Smith, one hundred and twenty three; A and B; "so" and "so"; gone
        &amp; &lt;5 &pound;5 &eacute;t&eacute;; a&b;c | and less than five five pounds ete; a and b; c
        5 – 3 = 2 | five minus three equals two
        """,
    "short forms": """
        approx. 5, max. 10, min. 3, avg. 4, temp. 20°C; It took 10 min. 30 sec. | approximately five, maximum ten, minimum three, average four, temperature twenty degrees Celsius; It took ten minutes thirty seconds.
        incl. tax, excl. VAT, misc. items, esp. now; cont. on p. 3 | including tax, excluding VAT, miscellaneous items, especially now; continued on page three
        ed. by Lee, trans. by Hall, 2nd ed., rev. ed.; Est. 1875; pl. 5, ll. 5-7, Nr. 4 | edited by Lee, translated by Hall, second edition, revised edition; Established eighteen seventy five; plate five, lines five to seven, Number four
        Eq. (5), No. (3), Table C.3, C. 1850; Symphony No 9; no. of men | Equation five, Number three, Table C point three, Circa eighteen fifty; Symphony number nine; number of men
        (b. 1950), d. 1988, (fl. 1600, r. 1509–1547); Correa, J. C. (1995) | born nineteen fifty, died nineteen eighty eight, flourished sixteen hundred, reigned fifteen oh nine to fifteen forty seven; Correa, J. C. nineteen ninety five
        est. 1875, est. 5 people, est. value; R. v. Smith | established eighteen seventy five, estimated five people, estimated value; R versus Smith
        est. 1500 people, est. 15000 men; est. 1842 as a club | estimated fifteen hundred people, estimated fifteen thousand men; established eighteen forty two as a club
        Add 5 l. 20 minutes later stir. See l. 20. | Add five liters. twenty minutes later stir. See line twenty.
        He said No 10 times. We met No 10 people. Bus No 10 goes. Oh no. of course not. | He said No ten times. We met No ten people. Bus number ten goes. Oh no. of course not.
        On the 4th C. Smith came. The 5th C. S. Lewis book; the 4th C. BC; the 5th C. It ended. | On the fourth C Smith came. The fifth C S Lewis book; the fourth century B C; the fifth century. It ended.
        Rev. 21 and 22 | Reverend twenty one and twenty two
        Roe v. Wade; Smith v Jones; I saw Anna v. It was so. | Roe versus Wade; Smith versus Jones; I saw Anna v. It was so.
        N/A, AC/DC, TCP/IP, c/o Mr. Hall, b/c of it, w/out it, PO Box 12 | N A, A C D C, T C P I P, care of Mister Hall, because of it, without it, P O Box twelve
        A+ and B-; an A- grade; type O-; A- and B-sides; in LA; an MA; the ER | A plus and B minus; an A minus grade; type O minus; A and B-sides; in L A; an M A; the E R
        "LA LA LA," she sang. "ER... I don't know." He cried "MA! MA!" twice. | "LA LA LA," she sang. "ER. I don't know." He cried "MA! MA!" twice.
        She sang DA, DA, DA! TA-DA! MA! We saw the ER... and LA! | She sang DA, DA, DA! TA-DA! MA! We saw the E R, and L A!
        iOS 17.2, IPv6, BSc and MSc; MI5 and MI6; 9:05 AM EST | i O S seventeen point two, I P v six, B S C and M S C; M I five and M I six; nine oh five A M E S T
        John St. James; 123 St. Clair Rd.; Wall St. Journal; On Oak St. John was seen. | John Saint James; one twenty three Saint Clair Road; Wall Street Journal; On Oak Street. John was seen.
        the Dr. is in; Mulholland Dr. is long; Times Sq.; K St. NW; S. Elm St. | the Doctor is in; Mulholland Drive is long; Times Square; K Street Northwest; South Elm Street.
        """,
    "places of the Bible and labels": """
        Jn 3:16, Mt. 5:3, Lk 2:1, Rev 22:21, Ps. XXIII, Rom. VIII. 28, 2 Sam. 11, Gen. 1-3 | John three sixteen, Matthew five three, Luke two one, Revelation twenty two twenty one, Psalm twenty three, Romans eight twenty eight, Second Samuel eleven, Genesis one to three
        Mt. Hood, Gen. Lee, Rev. Hall, Rev. 5, Mk II and Mk. IV | Mount Hood, General Lee, Reverend Hall, Revision five, Mark two and Mark four
        Table 2-1, fig. 3-4 and Figures 2-4; at table 5-6 times | Table two-one, figure three-four and Figures two to four; at table five to six times
        IV. Results | four. Results
        V. Woolf and I. Asimov wrote | V Woolf and I. Asimov wrote
        the Xth and XVIIth; Louis XIII-XVI; nos. I-IV | the tenth and seventeenth; Louis the thirteenth to sixteenth; numbers one to four
        ¹ See Smith. 1, 2, 3etc. | one See Smith. one, two, three et cetera.
        """,
    "among capitals": """
        LOUIS XIV'S COURT AND HENRY VIII'S WIVES | louis the fourteenth's court and henry the eighth's wives
        CHARLES I AND CHARLES II MET | charles the first and charles the second met
        1ST AND 21ST PLACE | first and twenty first place
        THE '90S | THE nineties
        the 1990S; 24 HRS; MR. T; ETC. | the nineteen nineties; twenty four hours; Mister T; et cetera.
        ST. LOUIS, MO | saint louis, missouri
        PH.D. THESIS | P H D thesis
        EGP 50, KES 200, 30 QAR, ARS 500 | fifty egyptian pounds, two hundred kenyan shillings, thirty qatari riyals, five hundred argentine pesos
        US AND UK SIGN DEAL | U S and UK sign deal
        US WINS GOLD | U S wins gold
        US TOO | us too
        AD 500 WAS THE YEAR | A D five hundred was the year
        THE UN'S PLAN AND THE EU'S | the U N's plan and the E U's
        HE LOST $5 MILLION. THE COST IS $3.5 BILLION. | he lost five million dollars. the cost is three point five billion dollars.
        EST. 1920 | Established nineteen twenty
        WWI–WWII | world war one - world war two
        """,
    "letters behind a quotation mark": """
        "LA is nice," he said. "LA?" "LA, Boston and Rome," she said. | "L A is nice," he said. "L A?" "L A, Boston and Rome," she said.
        “ER is crowded.” “MA degrees help.” "TA for that"; "BA flights" | "E R is crowded." "M A degrees help." "T A for that"; "B A flights"
        "LA," she sang. "ER, well." "MA, come!" "DA!" | "LA," she sang. "ER, well." "MA, come!" "DA!"
        'LA is nice,' he said. ‘XKQ is old,’ said Ann. | "L A is nice," he said. "X K Q is old," said Ann.
        'TWAS here; O'NEIL; 'EM | 'TWAS here; O'NEIL; 'EM
        """,
    "quotations beside each other": """
        "Yes." "No." | "Yes." "No."
        ‘Now,’ ‘then,’ and “soon” “later” | "Now," "then," and "soon" "later"
        “ ‘Yes,’ he said, ‘no.’ ” The end. | "Yes," he said, "no." The end.
        """,
    "numerals behind names": """
        He plays Grand Theft Auto V all day; GTA IV, Final Fantasy X, Rocky V, Saw X, Star Wars IV | He plays Grand Theft Auto five all day; G T A four, Final Fantasy ten, Rocky five, Saw ten, Star Wars four
        Sins of the Solar Empire V is out; Street Fighter V's story | Sins of the Solar Empire five is out; Street Fighter five's story
        Malcolm X; Plan B; Planet X; Delta V; the letter V; Agent V; Mary Jane Watson V; Rocky I liked | Malcolm X; Plan B; Planet X; Delta V; the letter V; Agent V; Mary Jane Watson V; Rocky I liked
        King George V, Henry V; Chapter V; Board of Education V. Smith | King George the fifth, Henry the fifth; Chapter five; Board of Education V Smith
        Henry Ford II, John D. Rockefeller III's house, Robert Hall IV; Paul Part II; Charles World War II | Henry Ford the second, John D Rockefeller the third's house, Robert Hall the fourth; Paul Part two; Charles World War two
        He served King George V. The war began. Vitamin C. The next. Ask Group B. Smith left. Mark E. Smith sang. | He served King George the fifth. The war began. Vitamin C. The next. Ask Group B. Smith left. Mark E Smith sang.
        Letter X. To my sister | Letter ten. To my sister
        Stave V. The End of It; Sermon IX, Theorem V | Stave five. The End of It; Sermon nine, Theorem five
        Lesson I learned; The Book I read; Book I begins; World War I saw it | Lesson I learned; The Book I read; Book one begins; World War one saw it
        WW II, WWI, Windows 95 | World War two, World War one, Windows ninety five
        """,
    "measures behind a noun": """
        A locker 200 cm tall; a 200 cm locker; a 200 cm tall locker; a big 200 cm tall locker | A locker two hundred centimeters tall; a two hundred centimeter locker; a two hundred centimeter tall locker; a big two hundred centimeter tall locker
        a man 6 ft tall, a rope 30 m long, a box 5 kg heavier, a ticket $20 cheaper | a man six feet tall, a rope thirty meters long, a box five kilograms heavier, a ticket twenty dollars cheaper
        Each wall 5 km long fell. Two, each 5 km long, fell. Each 5 km long wall fell. | Each wall five kilometers long fell. Two, each five kilometers long, fell. Each five kilometer long wall fell.
        a house 5 km beyond the town; a mere 5 km longer; a 5 m below-deck pipe | a house five kilometers beyond the town; a mere five kilometers longer; a five meter below-deck pipe
        """,
    "the word I and cries behind words that may be counted or spelled": """
        The Lecture I gave was dull. The Sermon I heard. The Class I took. Act I began | The Lecture I gave was dull. The Sermon I heard. The Class I took. Act one began
        the Phase I trial, a Class I railroad, the Act I finale | the Phase one trial, a Class one railroad, the Act one finale
        'ELLO, said he | "ELLO, said he
        'IT IS HERE,' she said | "IT IS HERE," she said
        "LA, la, la," hummed he | "LA, la, la," hummed he
        """,
    "screenplays, calls for help and quotations of LaTeX": """
        INT. KITCHEN - NIGHT | interior, kitchen - night
        INT./EXT. CAR | interior and exterior, car
        John (CONT'D) runs | John, continued, runs
        He called 999 people. They called 911 times. She called 112 of them. I called 999 yesterday | He called nine hundred and ninety nine people. They called nine hundred and eleven times. She called one hundred and twelve of them. I called nine nine nine yesterday
        Ext. 45 please | Extension forty five please
        Int. Kitchen - Night | Interior, Kitchen - Night
        Int. phone calls | Int phone calls
        0x12ff; 3a9ff; #00ff; p. 12ff | zero x one two F F; three a nine ff; number zero zero ff; page twelve and following
        He called 911. They dialed 999. A film called 101 Dalmatians | He called nine one one. They dialed nine nine nine. A film called one hundred and one Dalmatians
        `Hi,' he said. the `x' key; Run `ls'; don`t | "Hi," he said. the "x" key; Run "ls"; don't
        """,
    "places in holy books, shillings with a dash, numbers of telephones with a country": """
        1 Cor 13, Ps 23, Ps 119:105, Qur'an 2:255, Surah 2:25 | First Corinthians thirteen, Psalm twenty three, Psalm one hundred and nineteen, one hundred and five, Qur'an two, two hundred and fifty five, Surah two twenty five
        pp. 33ff., p. 7 ff; 10/- a week, 1/- | pages thirty three and following, page seven and following; ten shillings a week, one shilling
        (+49) 30 123456 | plus four nine, three zero, one two three four five six
        "Wait—" "No!" | "Wait - " "No!"
        """,
    "initials behind the first names of kings, and streets with a numeral": """
        George V. Higgins, Henry V. Poor, Paul V. McNutt, William X. Kienzle, John X. O'Brien | George V Higgins, Henry V Poor, Paul V McNutt, William X Kienzle, John X O'Brien
        George V. K. Higgins; King George V. England mourned | George V K Higgins; King George the fifth. England mourned
        In 1910 George V. The king died; Henry V. Act 1; Philip V. of Spain | In nineteen ten George the fifth. The king died; Henry the fifth. Act one; Philip the fifth of Spain
        under Charles V Spain grew; the George V Hotel; Charles V Hamilton | under Charles the fifth Spain grew; the George the fifth Hotel; Charles V Hamilton
        He read Henry V. Henry V is a play | He read Henry the fifth. Henry the fifth is a play
        How Charles V Became Emperor | How Charles the fifth Became Emperor
        Charles Street II, Henry Ford II | Charles Street two, Henry Ford the second
        """,
    "chess": """
        1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 | one, e four, e five, two, knight f three, knight c six, three, bishop b five, a six
        1.e4 c5 4.Nxd4 Nf6 | one, e four, c five, four, knight takes d four, knight f six
        White played 12. O-O and Black replied 12... O-O-O. | White played, twelve, castles and Black replied, twelve, castles queenside.
        He ended it with Qxh7#. exd5 won; ♘f3 | He ended it with queen takes h seven mate. e takes d five won; knight f three
        After 23. Rxe8+ Kxe8 24. e8=Q | After, twenty three, rook takes e eight check, king takes e eight, twenty four, e eight becomes a queen
        White castled O-O. | White castled kingside.
        The O-O bond; Na2; room b4 2 go | The O-O bond; Na two; room b four two go
        """,
    "hearts and comparisons": """
        I <3 you. Thanks <3 | I heart you. Thanks heart
        Great! <3 <3 | Great! heart heart
        values <3 fell; (<3 km); we <3 km | values is less than three fell; less than three kilometers; we is less than three kilometers
        """,
    "prices in shillings with a slash": """
        It cost 2/6 new. The price was 12/6. | It cost two shillings and sixpence new. The price was twelve shillings and sixpence.
        Seats at 1/6 each, cloth at 7/11 a yard, a half-crown (2/6) | Seats at one shilling and sixpence each, cloth at seven shillings and eleven pence a yard, a half-crown, two shillings and sixpence
        He had £1/2/6 and £3/10/-. | He had one pound two shillings and sixpence and three pounds ten shillings.
        He paid 1/3 of it. It cost 3/4 more. Add 2/6 | He paid one third of it. It cost three quarters more. Add two sixths
        """,
    "times of day with hrs": """
        Departed 1230 hrs, arrived 1415 hrs. | Departed twelve thirty hours, arrived fourteen fifteen hours.
        from 1300 hrs to 1415 hrs | from thirteen hundred hours to fourteen fifteen hours
        1230 hrs: ship sank. | twelve thirty hours: ship sank.
        He logged 1500 hrs of it. It took 1230 hrs | He logged one thousand five hundred hours of it. It took one thousand two hundred and thirty hours
        """,
    "catalogues of composers": """
        Schubert's D.960 and D. 958 | Schubert's D nine sixty and D nine fifty eight
        Mozart's K. 331, K.545, KV 299 | Mozart's K three thirty one, K five forty five, K V two ninety nine
        BWV 565, BWV 1007; a trio, D 898 | B W V five sixty five, B W V ten oh seven; a trio, D eight ninety eight
        Op. 27 No. 2, op. posth., Hob. XVI:52 | Opus twenty seven Number two, opus posthumous, Hoboken sixteen fifty two
        Room D 960, Table S 12 | Room D nine hundred and sixty, Table S twelve
        """,
    "formulas in plain text": """
        (a+b)/c, x = (x - y)/(x + y) | a plus b, over c, x equals, x minus y, over, x plus y
        n = 5-10, x^2 - 4 = y, y = 5-2x | n equals five to ten, x squared minus four equals y, y equals five minus two x
        (x+1)(x-1) = x^2 - 1 | x plus one, x minus one, equals x squared minus one
        y = 2x - 3, v = d/t | y equals two x minus three, v equals d over t
        (his)/her, plan a - b, and/or | his, slash her, plan a - b, and or
        """,
    "recipes": """
        An 8 oz. can of beans, two 8 oz. cans; a 6 in. pan; one 5 km long | An eight ounce can of beans, two eight ounce cans; a six inch pan; one five kilometers long
        2 (14 oz.) cans of beans, 1 pkg. yeast | two fourteen-ounce cans of beans, one package yeast
        8 oz. Cheddar cheese | eight ounces Cheddar cheese
        At 100 C water boils, 5 t salt | At one hundred C water boils, five t salt
        8 oz. The box | eight ounces. The box
        1 c. Parmesan cheese, 1/2 c. brown sugar, 2 T. butter, 1 t. salt | one cup Parmesan cheese, one half cup brown sugar, two tablespoons butter, one teaspoon salt
        """,
    "doctors and saints behind a short word": """
        Where's Dr. Smith? It's Dr. Jones; here's St. Paul's | Where's Doctor Smith? It's Doctor Jones; here's Saint Paul's
        Dr. No (1962), "Dr. Who" | Doctor No, nineteen sixty two, "Doctor Who"
        He lives on Elm Dr. The road; 742 Oak Dr. Springfield | He lives on Elm Drive. The road; seven forty two Oak Drive. Springfield
        """,
    "places in laws": """
        Fed. R. Civ. P. 12(b)(6), Rule 12(b), section 5(a), 501(c)(3) | Federal Rule of Civil Procedure twelve b six, Rule twelve b, section five a, five oh one c three
        Art. 5(1)(a), 410 F. Supp. 2d 123 (9th Cir. 1999), 12 F.3d 45 | Article five one a, four hundred and ten Federal Supplement second one hundred and twenty three, ninth Circuit nineteen ninety nine, twelve F third forty five
        Rule 4(k)(ii), section 12(3)(a) | Rule four k two, section twelve three a
        12 (b) apples | twelve, b, apples
        """,
    "scores of cricket, odds, and minutes of a match": """
        India were 287/4 after 50 overs; 153/6 dec. at stumps | India were two hundred and eighty seven for four after fifty overs; one hundred and fifty three for six declared at stumps
        The horse at 11/4 beat the 100/1 outsider | The horse at eleven to four beat the one hundred to one outsider
        a goal (Rooney 23', Giggs 45+2'); a goal of wall 12', | a goal, Rooney twenty three minutes, Giggs forty five plus two minutes; a goal of wall twelve feet
        He bet on 12/5 | He bet on twelve fifths
        It runs 24/7; over 12/5; Oak 10' | It runs twenty four seven; over twelve fifths; Oak ten feet
        a bet of 3/4 cup | a bet of three quarters cup
        """,
    "signs before numbers": """
        +0.312s, +12.345%, +1.25, +1 555 123 4567 | plus zero point three one two seconds, plus twelve point three four five percent, plus one point two five, plus one, five five five, one two three, four five six seven
        y = -x and x = −y; = −RT | y equals minus x and x equals minus y; equals minus R T
        """,
    "money and rates": """
        ₹1,00,000, and a $10-million deal; $2.5-billion | one hundred thousand rupees, and a ten million dollar deal; two point five billion dollars
        The yield rose 5bps; a 25 bp cut by the Fed; a 9600bps modem | The yield rose five basis points; a twenty five basis points cut by the Fed; a nine thousand six hundred bit per second modem
        sales of 8.4M, 1.2M HCl | sales of eight point four million, one point two M H C L
        """,
    "short forms before numbers, and ranges of dates": """
        fn. 12, fol. 3, (pop. 1,234), S.W.1 and N.W.3 | footnote twelve, folio three, population one thousand two hundred and thirty four, S W one and N W three
        24 Dec–2 Jan, the T-34/85, 1st c. A.D. | the twenty fourth of December to the second of January, the T-thirty four eighty five, first century A D.
        Take 2x/day, 1x/week; a 6-ft.-tall man | Take twice a day, once a week; a six-foot-tall man
        I, II, III and IV; I, a man | one, two, three and four; I, a man
        f(x) = 2, g(n); dog(s) | f of x equals two, g of n; dogs
        """,
    "rows of short numbers, and numbers of telephones": """
        a 10-4-2 record; 68-70-71-69; 01-42-68-53-00 | a ten, four, two record; sixty eight, seventy, seventy one, sixty nine; zero one, four two, six eight, five three, zero zero
        +33 (0)1 42 68 53 00 | plus three three, zero, one, four two, six eight, five three, zero zero
        €1.234,56, 1.234,56 €, BTC/USD 43,210 | one thousand two hundred and thirty four euros fifty six, one thousand two hundred and thirty four euros fifty six, B T C slash U S D forty three thousand two hundred and ten
        Pub. L. 111-14, AD1066, Fig. S3 | Public Law one eleven-fourteen, A D ten sixty six, Figure S three
        Australia 212/7d all out | Australia two hundred and twelve for seven declared all out
        """,
    "states behind a town": """
        TAMPA, Fla. (AP), Springfield, Ill., and Detroit, Mich. He left | TAMPA, Florida, AP, Springfield, Illinois, and Detroit, Michigan. He left
        in Calif. and Minn. now; Yes, Miss. Smith; No, Pa. I am | in California and Minnesota now; Yes, Miss. Smith; No, Pa. I am
        """,
    "emoticons, and stops at the end": """
        Hello :) How are you? :-( Bad; (a) and :D. | Hello How are you? Bad; a, and.
        He has a Ph.D. The man has a Ph.D. from Yale | He has a P H D. The man has a P H D from Yale
        """,
    "marks of references": """
        "He left."[3] She stayed.[4] | "He left." She stayed.
        It is old.[1][2] Then it fell.[a] | It is old. Then it fell.
        It has people.[citation needed] In list[0] and [1] | It has people. In list, zero, and, one
        """,
    "addresses in the head of a mail": """
        John <john@example.com> wrote | John, john at example dot com, wrote
        """,
    "prices, scores and odds, and what only stands near them": """
        They pay 24/7 attention to it. It is worth 10/10. It cost 10/6. | They pay twenty four seven attention to it. It is worth ten ten. It cost ten shillings and sixpence.
        The jockey's blood pressure was 120/8. The horses stood behind a 15/8 inch rope. | The jockey's blood pressure was one hundred and twenty eight. The horses stood behind a fifteen eighths inch rope.
        Betting closes 11/4 at noon. He backed it at 9/2. | Betting closes eleven quarters at noon. He backed it at nine to two.
        The wicket gate at 12/4 Baker Street was open; of overs see page 120/3. | The wicket gate at twelve four Baker Street was open; of overs see page one hundred and twenty three.
        She scored with the Alpha 23', which sank. Goals: Rooney 23', Giggs 50' | She scored with the Alpha twenty three feet, which sank. Goals: Rooney twenty three minutes, Giggs fifty minutes
        The bank's modem ran at 300 bps, the data rate. | The bank's modem ran at three hundred bits per second, the data rate.
        Inflation data lifted yields by 5 bps, in line with bets. | Inflation data lifted yields by five basis points, in line with bets.
        The cells were kept in 0.25M sucrose. The tests used 2.5M urea. Sales rose to 8.4M last year. | The cells were kept in zero point two five M sucrose. The tests used two point five M urea. Sales rose to eight point four million last year.
        He left 1000 hrs. of work behind. The film began 1500 hrs ago. | He left one thousand hours of work behind. The film began one thousand five hundred hours ago.
        In 1850 c. milk was dear, at 2 c. sugar was cheap; 2 c. brown sugar | In eighteen fifty c. milk was dear, at two c. sugar was cheap; two cups brown sugar
        Let x = 5 - I think so. A = B - a fine thing; y = x - a | Let x equals five - I think so. A equals B - a fine thing; y equals x minus a
        """,
    "kings with a full stop or a name behind them": """
        James V. Mary, Queen of Scots, was his heir. | James the fifth. Mary, Queen of Scots, was his heir.
        Shakespeare wrote Henry V. Olivier filmed it. | Shakespeare wrote Henry the fifth. Olivier filmed it.
        After Charles V France was poor. The Hotel George V Paris was full. | After Charles the fifth France was poor. The Hotel George the fifth Paris was full.
        George V. Higgins wrote it. My friend Edward X. Brown came. | George V Higgins wrote it. My friend Edward X Brown came.
        They said grace, Grace, Miss. (She nodded.) He is from Jackson, Miss. (pop. 500). | They said grace, Grace, Miss. She nodded. He is from Jackson, Mississippi, population five hundred.
        [who?] asked the ghost. Some say it is old. [who?] | who? asked the ghost. Some say it is old.
        """,
    "times with a point": """
        He took the 9.15 from Paddington and was back by the 6.45. | He took the nine fifteen from Paddington and was back by the six forty five.
        Dinner was at 8.15, from 9.30 to 11.00 in the evening. | Dinner was at eight fifteen, from nine thirty to eleven o'clock in the evening.
        Shares closed at 7.45. At 1.25 twice as many are wrong. | Shares closed at seven point four five. At one point two five twice as many are wrong.
        """,
    "units in words, and millions": """
        a few kg, several km, hundreds of km away, per kg, one km | a few kilograms, several kilometers, hundreds of kilometers away, per kilogram, one kilometer
        30m people and 5m tonnes; 30m deep | thirty million people and five million tonnes; thirty meters deep
        1 g/cm3, 9.8 m s-2, 3 people/km2, 20 ºC, a 45º turn | one gram per cubic centimeter, nine point eight meters per second squared, three people per square kilometer, twenty degrees Celsius, a forty five degree turn
        60 km/h-80 km/h; a 2-3-day trip; 1⅛; 3/4s and two 5ths | sixty kilometers per hour to eighty kilometers per hour; a two to three-day trip; one and an eighth; three quarters and two fifths
        He is 25yo, a 30 y/o nurse; 6 ft. 2 in his socks | He is twenty five years old, a thirty year old nurse; six feet two in his socks
        """,
    "numbers of telephones, keys and cards": """
        Tel.: 01234 567890; 07700 900123 | Telephone: zero one two three four, five six seven eight nine zero; zero seven seven zero zero, nine zero zero one two three
        Dial *69 or press #. | Dial star sixty nine or press hash.
        MAC 00:1A:2B:3C:4D:5E; No. 17-1234; Washington, D.C. 20500 | MAC zero zero, one A, two B, three C, four D, five E; Number seventeen-twelve thirty four; Washington, D C two zero five zero zero
        """,
    "money with a code or in old pounds": """
        $5 CAD, CAD $7, Rs. 250/- only, Dhs 20 | five Canadian dollars, seven Canadian dollars, two hundred and fifty rupees only, twenty dirhams
        He had 300l. a year and paid 50l. for it. It holds 50l. of oil. | He had three hundred pounds a year and paid fifty pounds for it. It holds fifty liters of oil.
        06/2024, 05-Jun-24 | June twenty twenty four, the fifth of June, twenty four
        """,
    "numerals that were letters": """
        George III.'s reign; World Wars I and II; Peter I the Great; Charles the Ist | George the third's reign; World Wars one and two; Peter the first the Great; Charles the first
        Nicholas I (1796-1855); (i) one, (ii) two | Nicholas the first, seventeen ninety six to eighteen fifty five; one, one, two, two
        """,
    "titles and short words": """
        Dr. and Mrs. Lee, Drs. Hall and Oates, Det. Ann Kay, Msgr. Ryan | Doctor and Missus Lee, Doctors Hall and Oates, Detective Ann Kay, Monsignor Ryan
        By Smith et al. It was good. The T&C; tea, &c. | By Smith and others. It was good. The T and C; tea, et cetera.
        cont'd, Gov't, int'l | continued, Government, international
        Acts 2:1-4:3; Pss. 1-3; S. John iii. 16; (v. 3); (2d Cir. 1999) | Acts two one to four three; Psalms one to three; Saint John three sixteen; verse three; second Circuit nineteen ninety nine
        """,
    "acronyms that are words too": """
        the SAT; She SAT down; an LED lamp; He LED them; AM radio; I AM here | the S A T; She SAT down; an L E D lamp; He LED them; A M radio; I AM here
        the IRA, the RAF, a CT scan, NGOs; 9 AM ET | the I R A, the R A F, a C T scan, N G O's; nine A M E T
        """,
    "names of files, and parts of words in brackets": """
        a .pdf file, the .NET app, ASP.NET, a .gitignore | a dot pdf file, the dot NET app, ASP dot NET, a dot gitignore
        "[T]he book[s]", the word(s), list[int], either/or | "The books", the words, list, int, either or
        Rated ★★★☆☆; ♪ la la ♪; the 5'-end; 3′ UTR | Rated three out of five stars; la la; the five prime-end; three prime U T R
        'Nuff said, good ol' boy. | 'Nuff said, good ol' boy.
        """,
    "modern short forms": """
        The 15st striker; 12 st 4 lb; 21st | The fifteen stone striker; twelve stone four pounds; twenty first
        up 2% y/y; 5 died (est.); 70-85m people, 5m new homes | up two percent year on year; five died, estimated; seventy to eighty five million people, five million new homes
        a 1,450-sq.-ft. ranch; 2'-3' deep; b² - 4ac; under cl. 3 of it | a one thousand four hundred and fifty-square-foot ranch; two to three feet deep; b squared minus four ac; under clause three of it
        (b. 12 Mar. 1845, d. 3 Nov. 1910); Mr & Mrs Jones; in C min., it | born the twelfth of March, eighteen forty five, died the third of November, nineteen ten; Mister and Missus Jones; in C minor, it
        M.D.s and Ph.D.s; Attn.: HR; Col. (ret.); 20 kts; 7 bn. people; $20/mo. + tax | M D's and P H Ds; Attention: H R; Colonel, retired; twenty knots; seven billion people; twenty dollars per month plus tax
        Mon. thru Fri. all day; Mon. to Wed.; 1.000.000.000; Wis. 3:1 | Monday through Friday all day; Monday to Wednesday; one billion; Wisdom three one
        hit #1 on it; tea&c. were sold; N.Y., N.Y. 10036; elev. 223 ft. | hit number one on it; tea et cetera were sold; N Y, N Y one zero zero three six; elevation two hundred and twenty three feet.
        """,
}
