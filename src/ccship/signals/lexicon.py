"""Words of people who are not content, and of a model that admits a mistake.

English is measured. The other languages are untested: nearly all sessions that were read are in English. Patterns see
the first few hundred characters of a text, in any case.
"""

import re


def _any_of(*groups: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(pattern for group in groups for pattern in group), re.IGNORECASE)


_REFUSES = (
    (
        r"^(?:no|nope|nah)\b"
        r"(?! (?:problem|worries|rush|need|longer|changes|idea|issue|one))"
        r"(?!,? (?:i think )?(?:this|that|it)(?:'s| is) (?:fine|ok|good|great|correct|right))"
    ),
    r"^(?:wrong|incorrect|stop|wtf|ugh|please stop)\b",
    r"^(?:hm+|uh|ok|okay|well|but|wait|and)[,. ]+(?:no|wrong|stop|uh\. no)\b",
)
_SAYS_WRONG = (
    (
        r"\b(?:that|this|it)(?:'s| is|s| was) "
        r"(?:wrong|incorrect|not (?:right|correct|true|what i|how|good|working|fixed))"
    ),
    r"^that'?s not\b",
    r"\bit(?:'s| is) (?:still|broken|worse|not)\b",
    r"\bnot what i (?:asked|meant|wanted|said|want)",
    r"\b(?:is|are|was|were) (?:not|never) (?:correct|right|true)\b",
    r"\bmakes no sense\b",
    r"\bregression\b",
)
_SUBJECT = r"(?:^|[.,!?] |\b(?:i|we|it|its|it's|i'm|im|are|is|am|you|there(?:'s| is)?|but|that|this|tests?|ci|build) )"
_STILL_WRONG = (
    _SUBJECT + r"(?:still|again) (?:not|doesn'?t|does not|isn'?t|is not|fails?|failing|failed|broken|wrong|seeing|see|"
    r"getting|get|having|have (?:the|this)|happen\w*|the same|an? error|red|does the same)\b",
    r"\bstill (?:an?|the|seems?|same) (?:issue|problem|error|bug|to be|to)\b",
    r"\bthat did still\b",
    r"\b(?:get|gets|getting|got|see|seeing|hit|hitting|had) (?:exactly )?the same (?:error|issue|problem)\b",
    r"^same (?:error|issue|problem)\b",
    r"\b(?:have|has|had|got) (?:the|this|that) (?:issue|problem|error) again\b",
    r"\b(?:does ?n.?t|did ?n.?t|is ?n.?t|not|never) work(?:ing|ed)?\b",
    r"\b(?:something|you|that|this|it|which) (?:broke|has broken|breaks)\b",
    r"\bnothing (?:changed|happens|happened|works|showed up)\b",
)
_BLAMES = (
    (
        r"\b(?:you|u)(?:'ve| have)? (?:broke|forgot|missed|ignored|deleted|removed|misunderstood|skipped|failed|lost|"
        r"messed|hallucinat\w+|made (?:a|this) mistake)\b"
    ),
    (
        r"\byou (?:did ?n.?t|did not|have ?n.?t|were ?n.?t|should ?n.?t have|should (?:not )?have|were supposed|"
        r"'?re supposed|are supposed|keep)\b"
    ),
    r"^why (?:did|do|are|would|have|didn'?t|are ?n'?t) (?:you|u)\b",
    r"^why are ?n'?t ?you\b",
    r"\bare you (?:sure|kidding|stuck)\b|^are u sure\b",
)
_TAKES_BACK = (
    r"\b(?:revert|undo|roll back) (?:that|this|it|those|these|your|the last|all)\b",
    r"\b(?:i|thats why i|as i) (?:said|told you|already (?:said|told|asked)|asked you)\b(?! (?:yes|ok))",
    r"\bi (?:don'?t|do not|didn'?t) (?:like|want|ask)\b",
    r"^(?:wait,? )?i(?:'m| am) (?:confused|questioning)\b",
)
_PUSHBACK_ELSEWHERE = (
    # German
    r"^(?:nein|nee|falsch|stopp?)\b",
    r"\b(?:geht|funktioniert|klappt|stimmt|passt) (?:immer noch |noch immer |so |leider |das |es ){0,3}nicht\b",
    r"\b(?:immer noch|noch immer) (?:nicht|falsch|kaputt|der|derselbe|ein fehler)",
    r"\bdu (?:hast|solltest).{0,40}(?:vergessen|nicht|falsch|gelöscht)",
    r"\bdas (?:ist|war) (?:falsch|nicht)\b",
    r"\bmache? (?:das|es) rückgängig",
    r"\bwarum hast du\b",
    # French
    r"^non\b",
    r"\b(?:ça|cela|ca) ne (?:marche|fonctionne)",
    r"\bc'est (?:faux|pas)\b",
    r"\btoujours (?:pas|le même|une erreur)\b",
    r"\btu as (?:oublié|cassé|supprimé)",
    r"\bpourquoi (?:tu|as-tu)\b",
    # Spanish, Portuguese, Italian
    r"^no[,. ]+(?:eso|así|está|es)\b",
    r"\b(?:sigue|todavía|aún) (?:sin|no|fallando|igual|el mismo)",
    r"\bno (?:funciona|es (?:lo que|correcto)|está bien)",
    r"\b(?:está|esta|es) mal\b",
    r"\b(?:olvidaste|rompiste|te equivocaste)",
    r"^(?:não|nao)\b",
    r"\b(?:não|nao) (?:funciona|funcionou|está|era|é isso)",
    r"\bcontinua (?:com|sem|dando|não)",
    r"\bainda (?:não|nao|está|dá)",
    r"\bnon funziona|\bè sbagliato|\bancora (?:non|lo stesso)",
    # Russian
    r"^(?:нет|не надо|стоп|стой)\b",
    r"не работает|неправильно|не так|опять (?:ошибк|не)|вс[её] ещ[её] не|ты (?:забыл|сломал|удалил)|верни",
    # Chinese, Japanese, Korean
    r"^(?:不对|不是|不要|错了|别)",
    r"不对|错了|还是(?:不|有|报错|没)|没有(?:用|效果|生效)|不行|撤销|回滚|为什么你|你(?:忘|漏|没有|搞错)",
    r"違(?:う|い|います)|動(?:かない|きません|いていない)|間違|まだ(?:です|エラー|動)|おかしい|元に戻",
    r"아니(?:야|요|에요|,)|틀렸|안 ?(?:돼|됩니다|되네)|여전히|잘못",
)
PUSHBACK = _any_of(_REFUSES, _SAYS_WRONG, _STILL_WRONG, _BLAMES, _TAKES_BACK, _PUSHBACK_ELSEWHERE)
"""A prompt that rejects the answer before it."""

PASTED = re.compile(r"\s*(?:❯|\$ |\{|\[|<|#|```|error|traceback|time=|implement the following plan)", re.IGNORECASE)
"""How output, code and plans begin that somebody pasted: words in it are not theirs."""

_THING = (
    r"(?:pipeline|ci|builds?|tests?|suite|run|jobs?|checks?|workflow|actions?|deploy\w*|lint\w*|it|this|that|which|"
    r"[a-z]{0,30}test\w*)"
)
_AUXILIARIES = r"(?:(?:is|are|has|have|was|were|still|now|just|seems?|keeps?|to be|been|also|again) ){0,6}"
_FAILS = r"(?:fail(?:s|ed|ing)?|broken|crash(?:es|ed|ing)?|stuck|hang(?:s|ing)?|red|error(?:s|ed|ing)?)\b"
_REPORTS = (
    "".join(f"(?<!{word} )(?<!{word} the )" for word in ("when", "if", "why")) + rf"\b{_THING} {_AUXILIARIES}{_FAILS}",
    (
        r"\b(?:i|we)(?:'m| am| are|'re)? (?:(?:now|still|just|also|again) ){0,4}"
        r"(?:get|getting|got|see|seeing|saw|hit|have) (?:now |this |that |the |an? |these |those |following |\w+ )?"
        r"(?:errors?|exceptions?|failures?|crash|warnings?|traceback)\b"
    ),
    r"^(?:error|fatal|panic|traceback|exception|uncaught|failed|npm err!)\b",
)
_REPORTS_ELSEWHERE = (r"\b(?:fehler|schlägt fehl|échoue|erreur|falla|falhou|ошибк|报错|失败|エラー|오류)",)
REPORTED_FAILURE = _any_of(_REPORTS, _REPORTS_ELSEWHERE)
"""A prompt that says that something failed."""

SHELL_PROMPT = re.compile(r"\A\s*(?:❯|\$|>|%|➜|\[[\w:.-]+\] )|^❯ ", re.MULTILINE)
FAILURE_IN_OUTPUT = re.compile(
    r"\berror\b|\bfatal\b|\bpanic\b|traceback|\bfail|failed|cannot|not found|no such file", re.IGNORECASE
)
"""Pasted output of a terminal, and what in it is a failure."""

CONCEDES = re.compile(
    r"\W*(?:"
    r"you(?:'|’| a)re (?:absolutely |completely |totally |quite )?right\b(?! to (?:ask|be|wonder|want)| that this)"
    r"|(?:good|great|nice) catch|fair (?:point|enough|pushback|challenge|catch)"
    r"|(?:i )?apologi[sz]e|(?:i'm |i am )?sorry|my (?:mistake|bad|apologies)|that(?:'|’)s (?:a )?(?:my|fair|on me)"
    r"|i (?:was wrong|made a mistake|misread|misunderstood|missed|forgot|got that wrong|should have|overlooked|jumped)"
    r"|(?:du hast|sie haben) recht|tienes razón|tu as raison|vous avez raison|вы правы|ты прав|прости|извини"
    r"|你说得对|抱歉|是我)",
    re.IGNORECASE,
)
"""An answer that begins with a concession. `good point` and `good call` praise an idea; they are none."""
