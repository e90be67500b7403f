"""What stands beside a word and shows whether it is a verb, a noun or an adjective, as patterns.

The words and marks around are in small letters with single spaces, also at both ends.
"""

ADVERBS = r"(?: (?:not|never|ever|always|often|only|even|also|still|just|now|then|again|both|all|soon|rather|hardly|seldom|so|[a-z]{2,}ly))"
MODALS = (
    "will|would|shall|should|can|could|may|might|must|cannot|can't|won't|don't|doesn't|didn't|wouldn't|shouldn't"
    "|couldn't|shan't|mustn't|needn't|do|does|did|dare"
)
SUBJECTS = "i|we|you|they|he|she|it"
OBJECTS = "him|her|them|me|us|it|himself|herself|themselves|itself|myself|yourself|ourselves"
DETERMINERS = "a|an|the|this|these|those|my|your|his|her|its|our|their|no|some|any|each|every|another"

# What stands before a verb and before a noun or an adjective. Each pattern is matched at the end of the words before.
TO_VERB = (
    rf" (?:to|{MODALS}|let's|please|[a-z]+'ll|had best|had better|[a-z]+'d better){ADVERBS}{{0,2}} $"
    rf"| (?:{MODALS}) (?:{SUBJECTS}|people|men|this|that){ADVERBS}? $"
    rf"| (?:let|lets|make|makes|made|saw|see|seen|seeing|hear|heard|hearing|watch|watched|help|helped|bid|bade) (?:him|her|them|me|us|it|you) $"
    rf"| (?:to|will|would|can|could|must|may|might|shall|should) [a-z]+ (?:and|or) $"
)
VERB = TO_VERB + rf"| (?:i|we|you|they|who|i'd|we'd|you'd|they'd|he'd|she'd){ADVERBS}? $"
NOUN = (
    rf" (?:{DETERMINERS}|such|what|whose|in|of|with|without|for|from|by|on|at|into|under|two|three|four|five|six|ten|many|few|several"
    r"|more|most|less|much|little|sufficient|fresh|great|good|bad|old|new|young|first|last|own|same|other|long|short|large|big|small|high|low|common"
    r"|[a-z]+'s|[a-z]+s'|(?!(?:always|usual)\b)[a-z]{2,}(?:al|ous|ive|ful|ic|less|able|ible|ish|ary)) $"
)
# Words that go with a 'to' before a noun: 'a barrier to progress'.
TO_NOUN = (
    r" (?:barriers?|obstacles?|keys?|references?|regard|respect|addition|due|owing|according|close|next|similar|contrary|access"
    r"|responses?|resistance|objections?|commitment|led|leads?|leading|contribut[a-z]+) to $"
)
PHRASE = rf" (?:{DETERMINERS}|[a-z]+'s|of|in|for|with) [a-z]+ $"
HE = r" (?:he|she|it|who|which|that|this|everyone|everybody|nobody|one)(?: (?:also|never|only|always|[a-z]+ly))? $"
COMMAND = rf"(?:^|[.!?;:,\"-]| (?:and|or|then|but|just){ADVERBS}?) $"
# Plural nouns before a verb: 'the cameras record every', and at the start of a sentence 'metals contract when'.
_PLURAL_NOUN = (
    r"(?:people|police|men|women|children|(?!(?:was|has|its|his|yes|does|this|thus|plus|always|perhaps|towards|besides"
    r"|makes|shows|takes|gives|gets|wins|sets|signs|needs|brings|causes|sales|sports|arms|goods|savings|customs|news) )[a-z]{2,}[a-rt-z]s)"
)
PLURAL = rf" {_PLURAL_NOUN} $"
PLURAL_FIRST = rf"(?:^|[.!?;:]| (?:when|if|because|while|whenever|where)) {_PLURAL_NOUN} $"
