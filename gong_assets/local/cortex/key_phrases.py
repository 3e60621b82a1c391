"""Topics of a sales call: names of common topics whose words occur, followed by key phrases of the call.

Key phrases are sequences of content words, ranked by TextRank over words that occur near each other (Mihalcea
and Tarau 2004). Names come first, because they are the same in every call and can be counted.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from gong_assets.local.cortex.sentences import terms
from gong_assets.local.cortex.summary import text_rank

# A topic in a single sentence is only mentioned.
MIN_SENTENCES = 2
# Distance in words up to which two words are linked.
WINDOW_WORDS = 3
MAX_PHRASE_WORDS = 3

_TOPIC_WORDS = {
    "Pricing": r"pric(?:e|es|ing|ey)|discounts?|costs?|budget|expensive|list price|quote|fees?",
    "Return on investment": r"roi|pays? off|paid for itself|business case|savings?|payback|investment",
    "Competition": r"competitors?|vendors?|alternatives?|compared? (?:with|to)|switch(?:ed)? (?:to|from)",
    "Security": r"security|encrypt\w*|single sign-on|sso|saml|penetration|audit log|permissions",
    "Data protection": (
        r"gdpr|privacy|data (?:protection|cent(?:er|re))|personal data|subprocessors?|residency"
    ),
    "Integration": r"integrat\w*|apis?|connectors?|webhooks?|erp|crm|synchroni[sz]\w*|interfaces?",
    "Implementation": r"implement\w*|rollout|roll out|go-live|go live|migrat\w*|kick-?off|pilot|onboarding",
    "Training": r"train(?:ing|er|ings)|key users?|workshop|webinar",
    "Adoption": r"adoption|usage|log(?:s|ged)? in|active users",
    "Support": r"support|tickets?|help ?desk|response times?",
    "Reliability": r"outages?|downtime|reliab\w*|uptime|incident|bugs?|crash\w*",
    "Contract": r"contracts?|legal|lawyers?|liability|clauses?|terms|agreement|notice period|redlines?",
    "Timeline": r"timeline|deadline|schedule|by the end of|season|steering committee|sign(?:ed|ature)? by",
    "Renewal": r"renew\w*|churn|terminat\w*|cancel\w*|extension",
    "Reporting": r"reports?|reporting|dashboards?|charts?|figures|analytics",
    "Roadmap": r"roadmap|beta|feature requests?|next release",
    "Mobile app": r"mobile|app|phones?|offline|android|iphones?",
    "Planning": r"planning|planners?|dispatch\w*|optimi[sz]er|routes?|routing|crews?",
}
_TOPICS = {name: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for name, words in _TOPIC_WORDS.items()}

_PIECE = re.compile(r"[,.;:!?()\"“”]|\s[-–—]\s")
_WORD = re.compile(r"[^\W\d_][\w'’-]+")
# Words that are frequent in speech and do not indicate a topic, in addition to the stop words.
_GENERIC_WORDS = frozenset(
    _WORD.findall(
        "able actually already another anything around ask back bit bring call came come day days different "
        "easy enough every everybody everything exactly fact far feel few find first fine full getting give "
        "glad go going good great happen happy hard hear hello help hope idea keep kind last later little "
        "long look lot love made make many maybe mean meeting might minutes month months morning much must "
        "myself name need never new next nice nobody nothing often old only other part people place please "
        "point put question quite rather real said say second see send set share should show side somebody "
        "someone something soon sorry sound sounds start started still take talk team tell thank thanks "
        "thing things through time times today together told tomorrow try two understand until use used "
        "usually want wants way week weeks while whole without wonderful work works worth year years "
        "yesterday yet"
    )
)


def topics(sentences: list[str], limit: int) -> list[str]:
    """Return up to ``limit`` topics: names of common topics by frequency, then key phrases."""
    counts = Counter({name: sum(1 for s in sentences if words.search(s)) for name, words in _TOPICS.items()})
    min_count = min(MIN_SENTENCES, max(1, len(sentences) // 10))
    found = [name for name, count in counts.most_common(limit) if count >= min_count]
    used_words = {word for name in found for word in terms(name)}
    for phrase in key_phrases(sentences):
        if len(found) >= limit:
            break
        covered = any(_TOPICS[name].search(phrase) for name in found if name in _TOPICS)
        if not covered and not used_words.intersection(terms(phrase)):
            found.append(phrase)
            used_words.update(terms(phrase))
    return found


def key_phrases(sentences: list[str]) -> list[str]:
    """Return phrases of up to three content words, most central first; single words need three mentions."""
    runs = [run for sentence in sentences for piece in _PIECE.split(sentence) for run in _runs(piece)]
    words = sorted({word for run in runs for word in run})
    if not words:
        return []
    index = {word: position for position, word in enumerate(words)}
    links = np.zeros((len(words), len(words)))
    for sentence in sentences:
        positions = [index[word] for word in _content(sentence) if word in index]
        for first, word in enumerate(positions):
            for neighbour in positions[first + 1 : first + 1 + WINDOW_WORDS]:
                links[word, neighbour] += 1
                links[neighbour, word] += 1
    rank = text_rank(links)
    counts = Counter(" ".join(run) for run in runs)
    weights = {
        phrase: sum(rank[index[word]] for word in phrase.split()) * count
        for phrase, count in counts.items()
        if count > 2 or " " in phrase
    }
    return sorted(weights, key=lambda phrase: (-round(weights[phrase], 9), phrase))


def _runs(piece: str) -> list[list[str]]:
    """Return the sequences of up to three adjacent content words."""
    runs: list[list[str]] = [[]]
    for word in _WORD.findall(piece.lower()):
        if _is_content(word):
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if 0 < len(run) <= MAX_PHRASE_WORDS]


def _content(sentence: str) -> list[str]:
    return [word for word in _WORD.findall(sentence.lower()) if _is_content(word)]


def _is_content(word: str) -> bool:
    return (
        len(word) > 2
        and word not in _GENERIC_WORDS
        and bool(terms(word))
        and "'" not in word
        and "’" not in word
    )
