"""The two sounds of words that are written alike, and the words around them that tell which one is meant."""

import re

from triforce_tts.text.homograph_signs import (
    COMMAND,
    DETERMINERS,
    HE,
    NOUN,
    OBJECTS,
    PHRASE,
    PLURAL,
    PLURAL_FIRST,
    TO_NOUN,
    TO_VERB,
    VERB,
)
from triforce_tts.text.phonemes import in_plural

Case = tuple[str, str, str]  # a sound, and patterns of what stands before and after; an empty one asks for nothing
Entry = tuple[str, tuple[Case, ...]]  # the usual sound, and the cases, of which the first that fits decides

# A line for each word with its usual sound; a word with a capital is one that has it within a sentence. Below it stand the cases: a sound, what stands before, what stands behind.
# Names in angle brackets are patterns of ``homograph_signs``.
_WORDS = r"""
lead: L IY1 D
  L EH1 D | | - (?:colou?red|lined|free|grey|gray)|(?:@leaden)
  L EH1 D | (?:of|like|molten|melted|sheet|contains?|contained|tin|zinc|silver|iron|copper|as|turn(?:ed|s|ing)?(?: in)?to)(?: and)? | [.,;:!?"-]|and|or|in|on|from|to
  L EH1 D | pencil|too much|so much |
  L EH1 D | (?:remov|contain|found|detect|measur)[a-z]* | in|from
  L EH1 D | (?!they|we|you|who|to|took|take|takes|a|his|her)[a-z]+ | in (?:(?:the|our|their|your|his|her|its|drinking|tap|old|house|some) ){0,2}(?:water|paints?|blood|soil|pipes?|petrol|gasoline|fuel|toys?|air|food|dust|glass|bones)
  L EH1 D | | is (?:an? )?(?:[a-z]+ )?(?:metal|element|poison|poisonous|toxic|heav(?:y|ier)|soft|softer)
  L EH1 D | molten|melted|sheet|(?:lumps?|pieces?|bars?|tons|pounds|made|full) of|heavy as |
  L EH1 D | | (?:and|or|,) (?:zinc|tin|silver|iron|copper|gold|steel|antimony|mercury|arsenic)
live: L IH1 V
  L AY1 V | (?:see|saw|seen|hear|heard|watch(?:ed)?) (?:them|him|her|it|you) | in (?!fear|poverty|peace|squalor|misery|harmony|exile|the |a |this )[^ ]+|at|on|last|again|once|twice|[.,;:!?]
  L AY1 V | (?:i'm|we're|you're|he's|she's|it's|they're|shown|aired|seen|screened|televised|transmitted|reporting|appear(?:s|ed|ing)?)(?: now)? |
  L IH1 V | <TO_VERB> |
  L AY1 V | | on (?:stage|screen|camera|air|tv|television|radio)
  L AY1 V | a|is|was|are|were|be|been|broadcast(?:ing)?|recorded|stream(?:ed|ing)|going|went|play(?:ed|ing)|perform(?:ed|ing)? |
  L AY1 V | the|these|of|with|by|go|watch(?:ing)?|some|any|no|few|most|two|three|real|your|<COMMAND> | (?:@alive) (?!the|a|my|his|your)[^ ]+
  L AY1 V | the|this|his|her|their|our|its|your | (?!in |on |at |here|there|with|and|by |for )[a-z]+
lives: L IH1 V Z
  L IH1 V Z | still | (?!of )[^ ]+
  L IH1 V Z | <HE>|where (?:the|my|his|her|our|your|their|an?) (?:[a-z]+ ){1,2} |
  L AY1 V Z | <NOUN> |
  L AY1 V Z | sav(?:es?|ed|ing)|los(?:t|e|ing)|costs?|risk(?:ed|ing)?|tak(?:es?|ing)|took|human|nine|past|innocent|million|thousand|hundred|dozen|all|both|[a-z]{2,}est |
  L AY1 V Z | (?:lived?|led|leads?|living|leading) (?:[a-z]+ ){0,2}[a-z]+|lived?|led|living |
  L AY1 V Z | (?:<DETERMINERS>|[a-z]+'s|of|whose) [a-z]+(?: [a-z]+)? | of|were|are|have|had|would|will|depend(?:ed)?|[.,;:!?"-]
  L AY1 V Z | | of|were|are|have|depend|lost
wind: W IH1 N D
  W AY1 N D | <TO_VERB> |
  W IH1 N D | <NOUN> |
  W AY1 N D | i|we|you|they|which|that|paths|roads|streets|stairs|rivers|and | @round|it|them|the|his|her|my|your
  W AY1 N D | <COMMAND> | up|it|the|your|his|her|my
winds: W IH1 N D Z
  W AY1 N D Z | it|he|she|which|that|road|path|river|stream|way|street|lane|stairs?|stair(?:case|way)|valley|trail|track |
  W AY1 N D Z | | up (?:his|her|its|the|with|by|in|as)
wound: W UW1 N D
  W AW1 N D | (?!to |will |would |a |the |this |no |his |her |my |any |deep |flesh |of |bullet |gunshot |head |neck |knife |stab |entry |exit |old |open )[a-z']+ | (?:[a-z]+ly )?(?:@round)
  W AW1 N D | he|she|it|they|we|i|had|was|were|and|is|be|been|which | (?:the|his|her|their|my|a) (?:[a-z]+ )?(?:clock|watch|rope|wool|thread|scarf|string|wire|turban|bandage|cord|cloth|reel|arms|line|handle|yarn|horn)
  W AW1 N D | path|road|street|river|stream|lane|trail|track|procession|way|valley|staircase|stairs |
tear: T IH1 R
  T EH1 R | | in (?:[a-z]+ ){1,2}(?:@coats)
  T EH1 R | <TO_VERB> |
  T EH1 R | wear and |
  T EH1 R | a | along
  T EH1 R | and | @away|about|around|in|<OBJECTS>|<DETERMINERS>
  T IH1 R | <NOUN> |
  T EH1 R | <VERB> |
  T IH1 R | single|lone|last |
  T EH1 R | | <OBJECTS>|<DETERMINERS>|up|off|apart|away|open|asunder|at|along|through|into|across
tears: T IH1 R Z
  T EH1 R Z | he|she|who|it|which|that | @away|<OBJECTS>|the|his|her|a|my|their
  T EH1 R Z | and | the|up|off|open|his|a
  T EH1 R Z | (?:the|this|an?) [a-z]+ | through|apart|open|asunder|along|across
  T EH1 R Z | | <OBJECTS>
bowing: B AW1 IH0 NG
bow: B AW1
  B OW1 | | - (?:legged|string|window|windows)
  B OW1 | | and arrows?|and (?:his |her |a |my |the )?(?:quiver|spear)|ties?|windows?|string|hunting|saw|street|bells
  B OW1 | | in (?:her|his|my|your|the) hair
  B OW1 | (?:w(?:ear|ore|earing|ears) an?|(?:lifted|raised|lowered) (?:her|his|my|the)) |
  B OW1 | (?:with a|violin|cello|fiddle|long|cross|bent|drew|strung|bend|draw|string|took up|arrow and|arrows and|ribbon in a|tied in a|silk|satin|ribbon|velvet|hair|black|red|white|blue|pink|butterfly)(?: (?:his|her|the|a))? | (?!to |of |and (?:a |he |she |left |went |withdrew))(?:[a-z]+|[.,;:!?"-])
close: K L OW1 S
  K L OW1 S | | friends?|friendships?|quarters|range|proximity|relations?|relatives?|family|attention|inspection|contact|behind|beside|upon|enough|together|by (?:him|her|me|us|them|the|a)
  K L OW1 Z | <TO_VERB> |
  K L OW1 Z | (?:at|towards?|by|until|till|before|since|near) (?:the|its) | of|[.,;:!?"-]|he|she|they|and|in|that
  K L OW1 Z | the|its | of
  K L OW1 Z | (?:draw|draws|drew|drawing|drawn|came|comes|come|brought|bring|brings) to (?:a|its|the)(?: [a-z]+)? |
  K L OW1 Z | i|we|you|they | (?!to|by|at|together|behind|upon|beside)[^ ]+
  K L OW1 Z | they|we|you|[a-z]{3,}s | early|late|down|slowly|again|at (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|noon|midnight|dusk|dawn|night|sunset)|on [a-z]+days?|for (?:lunch|the (?:day|night|winter|summer|season|weekend))
  K L OW1 Z | <COMMAND> | the|your|his|her|my|our|their|that|this|it|them|all|both
  K L OW1 Z | | (?:the|your|his|her|my|their|its|our) (?:[a-z]+ )?(?:doors?|windows?|gates?|books?|shutters?|lids?|eyes?|curtains?|shop|mouth|drawers?|hatch|box|deal|gap|ranks|valve|lips|hands?|fist|meeting|session)
  K L OW1 Z | | in (?:on|upon|around|swiftly|quickly|fast)
use: Y UW1 Z
  Y UW1 S | | of
  Y UW1 Z | <VERB> |
  Y UW1 S | <NOUN> |
  Y UW1 Z | | <OBJECTS>|<DETERMINERS>|that
  Y UW1 S | <PHRASE> |
  Y UW1 S | mak(?:es?|ing)|made|was|is|be|been|daily|and|land|drug|alcohol|end|find|found|as|public|water|energy |
used: Y UW1 Z D
  Y UW1 S T | (?:get|got|gets|getting|become|became|becoming|grown|grew)(?: so| quite)? | to
  Y UW1 S T | quite|so|not|more|long|well|be|been|am|was|were|is|are|always|[a-z]+'m|[a-z]+'s|[a-z]+'re | to (?:it|this|that|the|his|her|my|your|our|their|its|such|being|having|seeing|him|them|me|us|you|these|those|a|an|all|[a-z]+ing|[.,;:!?])
  Y UW1 S T | (?:i'm|(?:i|he|she|we|you) (?:am|is|are|was|were|wasn't|isn't|weren't|aren't))(?: not| now| so| quite| still| already| never)? | to
  Y UW1 Z D | (?:is|are|was|were|be|been|being|had|has|have|it's|they're)(?: [a-z]+ly| also| often| not| then)? |
  Y UW1 S T | (?:i|we|you|he|she|it|they|there|who|which|people|that|and|what|never|always)(?: [a-z]+ly| never| always| often)? | to
  Y UW1 S T | | to (?:be|have|like|live|say|do|go|come|call|sing|think|know|feel|love|want|look|play|talk|sit|stand|laugh|walk|wonder|work|dream|visit|happen)
uses: Y UW1 S IH0 Z
  Y UW1 Z IH0 Z | <HE> |
  Y UW1 S IH0 Z | <NOUN> |
  Y UW1 Z IH0 Z | | <OBJECTS>|an?|the
  Y UW1 Z IH0 Z | (?:the|an?|this|that|my|our|his|her|your|each|every|one)(?: [a-z]+){1,2} | (?!(?:of|for|in|on|at|by|from|with|as|are|were|is|was|have|had|will|would|can|could|may|might|and|or|to|that|which|but|include|included|vary|shown|made|found|listed|described|given) )[a-z]+
house: HH AW1 S
  HH AW1 Z | to|will|would|could|can|must | <OBJECTS>|<DETERMINERS>|all|more|many
excuse: IH0 K S K Y UW1 Z
  IH0 K S K Y UW1 Z | <VERB> |
  IH0 K S K Y UW1 S | <NOUN> |
  IH0 K S K Y UW1 Z | | <OBJECTS>|<DETERMINERS>
  IH0 K S K Y UW1 S | <PHRASE>|and |
refuse: R IH0 F Y UW1 Z
  R EH1 F Y UW2 Z | of |
  R EH1 F Y UW2 Z | the|of|other|all|any|this|and|street|kitchen|household|city | [.,;:!?"-]|of|from|heaps?|collection|collectors?|bins?|dumps?|pile|and|in|that|which|was|is
present: P R EH1 Z AH0 N T
  P R EH1 Z AH0 N T | at|all|those|people|men|women|everyone|others|anyone|be|been|was|were |
  P R IY0 Z EH1 N T | <TO_VERB>|i|we|you|they |
  P R EH1 Z AH0 N T | <NOUN> |
  P R IY0 Z EH1 N T | | <OBJECTS>|you|the (?:appearance|same)
  P R IY0 Z EH1 N T | <COMMAND>|<PLURAL> | <DETERMINERS>
  P R IY0 Z EH1 N T | which|that|none of them|who | <DETERMINERS>|such|strange|many|several|to|few|great
presents: P R EH1 Z AH0 N T S
  P R IY0 Z EH1 N T S | <HE> |
  P R EH1 Z AH0 N T S | the|their|his|her|my|your|our|birthday|christmas|wedding|costly|of|many|gave|giv(?:e|es|en|ing)|sen[dt]|sending|bring|brought|got|for|these|little|two|three|and |
  P R IY0 Z EH1 N T S | | <OBJECTS>|an?|the|several|one|some|no|its|few|many|nothing
content: K AA1 N T EH0 N T
  K AH0 N T EH1 N T | am|is|are|was|were|be|been|being|not|quite|perfectly|well|fully|so|more|rest|rested|remain|remained|feel|felt|seem|seemed|very|must|heart's|their|and|you|look|looks|looked|[a-z]+'m|[a-z]+ly | with|to|myself|himself|herself|itself|themselves|yourself|ourselves|[.,;:!?"-]|if|in|for|as|now
  K AH0 N T EH1 N T | , | [.!?]
  K AH0 N T EH1 N T | to | and|him|her|them|me|us|you
  K AH0 N T EH1 N T | | with|to|myself|himself|herself|itself|themselves|yourself|ourselves
desert: D EH1 Z ER0 T
  D IH0 Z ER1 T | <VERB> |
  D IH0 Z ER1 T | <COMMAND> | <DETERMINERS>
  D EH1 Z ER0 T | <NOUN> |
  D IH0 Z ER1 T | | <OBJECTS>|his|her|their|my|your
deserts: D EH1 Z ER0 T S
  D IH0 Z ER1 T S | <HE>|just|my|your|his|her|their |
minute: M IH1 N AH0 T
  M AY0 N UW1 T | so|very|most|more|exceedingly|extremely|these|such|in|and|with|of|the|too|infinitely|almost|a|any|every | details?|particles?|inspection|examination|attention|scrutiny|quantity|quantities|description|account|investigation|instructions|organisms|traces?|knowledge|specks?|creatures?|animals?|insects?|particulars|study|dots?|fragments|crystals
  M AY0 N UW1 T | | particles?|traces?|quantit(?:y|ies)|organisms|specks?|creatures?|insects?|fragments|crystals
  M AY0 N UW1 T | so|very|too|exceedingly|extremely|most|more|infinitely|singularly |
frequent: F R IY1 K W AH0 N T
  F R IY0 K W EH1 N T | to|who|they|will|would|could|[a-z]{3,}[a-rt-z]s | <OBJECTS>|the|this|that|these|such|his|her|my
invalid: IH0 N V AE1 L AH0 D
  IH1 N V AH0 L AH0 D | (?:an?|the|my|your|his|her|our|their|this|that|poor|old|permanent|confirmed|helpless|chronic|dreadful|elderly|bedridden|[a-z]+ed)(?: [a-z]+)? | [.,;:!?"-]|who|whom|and|was|is|had|has|in|at|on|to|for|called|chairs?|carriage|friends?|bed|mother|father|wife|husband|sister|brother|daughter|son|lady|gentleman|aunt|uncle|slept|lay|sat|looked|said
  IH1 N V AH0 L AH0 D | | chairs?|carriage|(?:mother|father|wife|husband|sister|brother|aunt|uncle)
learned: L ER1 N D
  L ER1 N D | | skills?|behaviou?rs?|responses?|habits?|reflex(?:es)?|helplessness
  L ER1 N AH0 D | the|a|most|very|more|your|our|his|my|this|some|these|of|any|and | (?!to |that |in |of |from |how |it |what |by |the |a |about |all |his |her |when |where |why )[a-z]+
  L ER1 N AH0 D | | friends?|gentlem[ae]n|men|man|judges?|professors?|doctors?|counsel|societ(?:y|ies)|brethren|authors?|clerk|professions?
aged: EY1 JH D
  EY1 JH AH0 D | the|an|his|her|my|their|our|your|this|and|some|several|many|two | (?!in |about |between |[a-z]+teen |twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|cheese |beef |ten |two |three |four |five |six |seven |eight |nine |one |rapidly|well |by )(?:[a-z]+|,)
  EY1 JH AH0 D | the|and | [.,;:!?]
  EY1 JH AH0 D | | and infirm
blessed: B L EH1 S T
  B L EH1 S AH0 D | the|a|this|that|every|of|my|our|his|your|some|each | (?!with |by |him |her |them |me |us |in )[a-z]+
  B L EH1 S AH0 D | <COMMAND> | are|is|be|virgin|lord|saint|sacrament|art|mary|relief
bass: B EY1 S
  B AE1 S | sea|striped|largemouth|black|river|(?:catch|caught|hooked|landed)(?: an?| the| two| some)?|fish|rock|fish(?:ing|ed)? for|grilled|perch and | (?!guitar|drum|clef|line|voice|player|notes?|strings|solo|viol|fiddle)(?:[a-z]+|[.,;:!?"-])
  B AE1 S | | fishing|fisherman|boat|fishery|- fishing
row: R OW1
  R AW1 | terrible|awful|frightful|fearful|infernal|blazing|dreadful|jolly|(?:devil|deuce|hell) of a|beastly|such a|what a|kick(?:ed|ing)? up a|ma(?:ke|de|king) a|ha(?:ve|d|ving) a|violent | (?!of |over the |across |home |houses |behind )(?:[a-z]+|[.,;:!?"-])
  R AW1 | a|the|this | broke out|about|blew over|going on|is about|was about|between
  R AW1 | noise of the |
sow: S OW1
  S AW1 | the|a|old|an|his|her|fat|my|big|wild |
polish: P AA1 L IH0 SH
  P OW1 L IH0 SH | | army|government|people|jews?|borders?|officers?|troops|soldiers?|wom[ae]n|m[ae]n|girls?|accent|language|noble(?:man|men|s)?|counts?|kings?|prince(?:ss)?|refugees?|villages?|towns?|cavalry|pilots?|embassy|resistance|parents|family|immigrants?|descent|origin|sausages?|nationality|republic|corridor|state|capital|parliament|citizens?|composer|poet|pope|crown|question|ambassador|lady|name
Polish: P OW1 L IH0 SH
  P AA1 L IH0 SH | nail|shoe|boot|floor|furniture|french |
moped: M OW1 P T
  M OW1 P EH2 D | a|the|his|her|my|your|their | (?!about |around )[^ ]+
resume: R IH0 Z UW1 M
  R IH0 Z UW1 M | <VERB> |
  R EH1 Z AH0 M EY2 | <NOUN> | (?!the |his |her |their |its |my |our )[^ ]+
resumes: R IH0 Z UW1 M Z
  R IH0 Z UW1 M Z | <HE> |
  R EH1 Z AH0 M EY2 Z | <NOUN>|all|and |
upset: AH0 P S EH1 T
  AH1 P S EH2 T | an?|the|this|that | [.,;:!?]|in|of|for|victory|win
  AH1 P S EH2 T | (?:an?|the|this|that) (?:major|huge|great|big|biggest|greatest|shock|stunning|stomach) |
dove: D AH1 V
  D OW1 V | i|he|she|it|we|they|who|and|then|[a-z]+ly | in|into|under|down|off|behind|for|from|deep|right|straight|headfirst|headlong|through
object: AA1 B JH EH0 K T
  AA1 B JH EH0 K T | <NOUN> |
  AH0 B JH EH1 K T | | to (?:the|this|that|these|it|his|her|him|them|my|your|our|their|being|having|such|any|an?|[a-z]+ing)
increases: IH1 N K R IY2 S IH0 Z
  IH1 N K R IY2 S IH0 Z | <NOUN>|significant|recent|modest|sharp|steep |
  IH0 N K R IY1 S IH0 Z | (?!(?:price|pay|wage|salary|tax|rent|fee|rate|cost|fare|further|annual|tariff) )[a-z]+ | with|as|when|if|until|from|by|because|rapidly|[.,]
decreases: D IY1 K R IY2 S IH0 Z
  D IY1 K R IY2 S IH0 Z | <NOUN>|significant|recent|modest|sharp|steep |
  D IH0 K R IY1 S IH0 Z | (?!(?:price|pay|wage|salary|tax|rent|fee|rate|cost|further|annual) )[a-z]+ | with|as|when|if|until|from|by|because|rapidly|[.,]
produce: P R AH0 D UW1 S
  P R OW1 D UW0 S | s(?:ell|old|elling|ells)|b(?:uy|ought|uying)|fresh|farm|garden|dairy|agricultural |
suspect: S AH0 S P EH1 K T
  S AH0 S P EH1 K T | <VERB>|some|many|most|others |
  S AH1 S P EH2 K T | prime|main|chief|murder|one|second|third|another |
  S AH1 S P EH2 K T | | was|is|has|had|who
permit: P ER0 M IH1 T
  P ER1 M IH2 T | building|parking|work|travel|residence|planning|fishing |
"""
_PARTS = {
    "@leaden": (
        "pipes?|piping|pencils?|poisoning|paint|roofs?|roofing|bullets?|shot|mines?|mining|ore|weights?|glass|oxide|acetate|foil"
        "|coffins?|sinkers?|solder|crystal|type|plates?|sheets?|sheeting|acid|pellets?|ingots?|balls?|dust|compounds?|miners?"
        "|batter(?:y|ies)|cisterns?|seals?|soldiers?|lining|white|hearts?"
    ),
    "@alive": (
        "music|wires?|coals?|animals?|shows?|broadcasts?|broadcasting|tv|television|radio|audiences?|stock|ammunition|ammo"
        "|performances?|albums?|concerts?|stream(?:s|ing)?|versions?|coverage|oaks?|bait|fire|steam|rounds?|births?|weight|birds?"
        "|lobsters?|recordings?|events?|chats?|news|feeds?|sessions?|cells?|virus|vaccines?|cameras?|video|bands?|theat(?:er|re)"
        "|bullets?|shells?|grenades?|rail|cattle|sheep|chickens?|poultry|plants?|creatures?|data|traffic|updates?|entertainment|on"
    ),
    "@round": "up|round|around|down|through|along|about|away|across|between|among|back|into|upon|tight|tightly|itself|(?:its|their|his|her|our) way",
    "@coats": (
        "coat|shirt|sleeve|dress|skirt|trousers|jeans|fabric|cloth|canvas|paper|page|curtain|sails?|net|jacket|stockings?|muscle"
        "|ligament|veil|tent|screen|carpet|lining|retina|tendon|cloak|gown|blouse|pants|knee|map|picture|wallpaper|hem|cartilage"
    ),
    "@away": "up|off|down|apart|out|away|open|asunder|loose|through|along|at|from|into|across",
    "<OBJECTS>": OBJECTS,
    "<DETERMINERS>": DETERMINERS,
}
_SIGNS = {
    "VERB": VERB,
    "TO_VERB": TO_VERB,
    "NOUN": NOUN,
    "PHRASE": PHRASE,
    "HE": HE,
    "COMMAND": COMMAND,
    "PLURAL": PLURAL,
}

# Nouns and verbs that differ in their stress: noun / verb.
_NOUNS = """
abuse: AH0 B Y UW1 S / AH0 B Y UW1 Z
record: R EH1 K ER0 D / R IH0 K AO1 R D
object: AA1 B JH EH0 K T / AH0 B JH EH1 K T
subject: S AH1 B JH IH0 K T / S AH0 B JH EH1 K T
conduct: K AA1 N D AH0 K T / K AH0 N D AH1 K T
conflict: K AA1 N F L IH0 K T / K AH0 N F L IH1 K T
contest: K AA1 N T EH0 S T / K AH0 N T EH1 S T
contract: K AA1 N T R AE2 K T / K AH0 N T R AE1 K T
contrast: K AA1 N T R AE0 S T / K AH0 N T R AE1 S T
convict: K AA1 N V IH0 K T / K AH0 N V IH1 K T
increase: IH1 N K R IY2 S / IH0 N K R IY1 S
decrease: D IY1 K R IY2 S / D IH0 K R IY1 S
insult: IH1 N S AH2 L T / IH0 N S AH1 L T
progress: P R AA1 G R EH2 S / P R AH0 G R EH1 S
project: P R AA1 JH EH0 K T / P R AH0 JH EH1 K T
protest: P R OW1 T EH2 S T / P R AH0 T EH1 S T
rebel: R EH1 B AH0 L / R IH0 B EH1 L
transfer: T R AE1 N S F ER0 / T R AE0 N S F ER1
transport: T R AE1 N S P AO0 R T / T R AE0 N S P AO1 R T
import: IH1 M P AO2 R T / IH2 M P AO1 R T
export: EH1 K S P AO0 R T / EH0 K S P AO1 R T
escort: EH1 S K AO0 R T / EH0 S K AO1 R T
extract: EH1 K S T R AE2 K T / IH0 K S T R AE1 K T
torment: T AO1 R M EH0 N T / T AO0 R M EH1 N T
attribute: AE1 T R AH0 B Y UW2 T / AH0 T R IH1 B Y UW2 T
survey: S ER1 V EY2 / S ER0 V EY1
estimate: EH1 S T AH0 M AH0 T / EH1 S T AH0 M EY2 T
advocate: AE1 D V AH0 K AH0 T / AE1 D V AH0 K EY2 T
delegate: D EH1 L AH0 G AH0 T / D EH1 L AH0 G EY2 T
associate: AH0 S OW1 S IY0 AH0 T / AH0 S OW1 S IY0 EY2 T
duplicate: D UW1 P L AH0 K AH0 T / D UW1 P L AH0 K EY2 T
graduate: G R AE1 JH AH0 W AH0 T / G R AE1 JH AH0 W EY2 T
subordinate: S AH0 B AO1 R D AH0 N AH0 T / S AH0 B AO1 R D AH0 N EY2 T
"""
_VERBS = """
converse: K AA1 N V ER0 S / K AH0 N V ER1 S
convert: K AA1 N V ER0 T / K AH0 N V ER1 T
console: K AA1 N S OW0 L / K AH0 N S OW1 L
permit: P ER1 M IH2 T / P ER0 M IH1 T
produce: P R OW1 D UW0 S / P R AH0 D UW1 S
recall: R IY1 K AO2 L / R IH0 K AO1 L
suspect: S AH1 S P EH2 K T / S AH0 S P EH1 K T
"""
_QUALITIES = """
separate: S EH1 P R AH0 T / S EH1 P ER0 EY2 T
deliberate: D IH0 L IH1 B ER0 AH0 T / D IH0 L IH1 B ER0 EY2 T
alternate: AO1 L T ER0 N AH0 T / AO1 L T ER0 N EY2 T
moderate: M AA1 D ER0 AH0 T / M AA1 D ER0 EY2 T
elaborate: IH0 L AE1 B R AH0 T / IH0 L AE1 B ER0 EY2 T
appropriate: AH0 P R OW1 P R IY0 AH0 T / AH0 P R OW1 P R IY0 EY2 T
articulate: AA0 R T IH1 K Y AH0 L AH0 T / AA0 R T IH1 K Y AH0 L EY2 T
intimate: IH1 N T AH0 M AH0 T / IH1 N T AH0 M EY2 T
approximate: AH0 P R AA1 K S AH0 M AH0 T / AH0 P R AA1 K S AH0 M EY2 T
perfect: P ER1 F IH2 K T / P ER0 F EH1 K T
diffuse: D IH0 F Y UW1 S / D IH0 F Y UW1 Z
"""


def _noun(noun: str, verb: str) -> Entry:
    """A word that is a noun or an adjective, unless the words around show a verb."""
    possessive, thing = " (?:its|their|our) ", rf" (?:{OBJECTS}|{DETERMINERS}|everything|everyone|that) "
    return noun, (
        (noun, TO_NOUN, ""),
        (verb, VERB, ""),
        (noun, NOUN, ""),
        (verb, "", rf" (?:{OBJECTS}) "),
        (verb, "", possessive),
        (verb, COMMAND, thing),
        (verb, PLURAL, thing),
        (verb, PLURAL_FIRST, r" (?!(?:is|was|has|had|will|would|of|between|that) )[^ ]+ "),
    )


def _quality(adjective: str, verb: str) -> Entry:
    """An adjective, unless a word that only a verb follows stands before it."""
    return adjective, (
        (verb, TO_VERB, ""),
        (verb, " (?:we|they) $", ""),
        (adjective, NOUN, ""),
        (verb, COMMAND, rf" (?:{OBJECTS}|{DETERMINERS}|that) "),
        (verb, PLURAL, rf" (?:{OBJECTS}|{DETERMINERS}) "),
    )


def _verb(noun: str, verb: str) -> Entry:
    """A word that is a verb, unless the words before show a noun."""
    return verb, (
        (verb, VERB, ""),
        (noun, NOUN, ""),
        (verb, "", rf" (?:{OBJECTS}|{DETERMINERS}|that) "),
        (noun, PHRASE, ""),
    )


def _third_person(usual: str, noun: str, verb: str) -> Entry:
    """'records' is a verb behind 'he' or before an object."""
    return usual, (
        (verb, HE, ""),
        (noun, rf"{NOUN}| (?:all|both) $", ""),
        (verb, "", rf" (?:{OBJECTS}|{DETERMINERS}) "),
    )


def _read_pairs() -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for table, build in ((_NOUNS, _noun), (_VERBS, _verb), (_QUALITIES, _quality)):
        for line in table.strip().split("\n"):
            word, first, second = re.split(": | / ", line)
            entries[word] = build(first, second)
            if table != _QUALITIES:
                plurals = [" ".join(in_plural(tuple(sound.split()))) for sound in (first, second)]
                entries[f"{word}s"] = _third_person(plurals[table == _VERBS], *plurals)
    return entries


def _read_words() -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for entry in re.split(r"\n(?=[A-Za-z])", _WORDS.strip()):
        heading, *lines = entry.split("\n")
        word, usual = heading.split(": ")
        entries[word] = usual, tuple(_read_case(line) for line in lines)
    return entries


def _read_case(line: str) -> Case:
    for name, part in _PARTS.items():
        line = line.replace(name, part)
    sound, before, after = (part.strip() for part in re.split(r" \| ?(?= )| \|$", line, maxsplit=2))
    signs = [_SIGNS[name] for name in re.findall("<([A-Z_]+)>", before)]
    words = re.sub(r"\|?<[A-Z_]+>\|?", "", before)
    patterns = [*signs, *([rf" (?:{words}) $"] if words else [])]
    return sound, "|".join(patterns), rf" (?:{after}) " if after else ""


def _merged() -> dict[str, Entry]:
    """All words; the cases of its own that a word of the pairs has go before those of its kind."""
    pairs = _read_pairs()
    own = {
        word: (usual, (*cases, *(pairs[word][1] if word in pairs else ())))
        for word, (usual, cases) in _read_words().items()
    }
    return pairs | own


WORDS = _merged()
"""The words with their entries; ``read`` has rules of its own."""
