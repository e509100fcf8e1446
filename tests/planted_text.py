"""The text that is shipped, written by a seeded generator: topics of words, and a grammar of two features.

Words are syllables. Each of ``TOPICS`` topics has ``WORDS`` words; a sentence has a topic, and draws most of its words
from it, by a Zipf law, the rest from all. Two words of one topic are alike (score 1 if of neighbouring frequency, 0.8
otherwise), of neighbouring topics, which share sentences, 0.4, and of others 0.
"""

import numpy as np

TOPICS, WORDS, FILLERS = 8, 14, 12
SENTENCES, LENGTH = 1500, 11
SEED = 20
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


def vocabulary(rng):
    """Topics of words, and words that are everywhere, all different."""
    found = []
    while len(found) < TOPICS * WORDS + FILLERS:
        word = "".join(
            rng.choice(list(CONSONANTS)) + rng.choice(list(VOWELS)) for _ in range(2 + int(rng.random() < 0.4))
        )
        if word not in found:
            found.append(word)
    topics = [found[k * WORDS : (k + 1) * WORDS] for k in range(TOPICS)]
    return topics, found[TOPICS * WORDS :]


def written():
    """The text, and the list of pairs with their scores as CSV."""
    rng = np.random.default_rng(SEED)
    topics, fillers = vocabulary(rng)
    zipf = 1.0 / np.arange(2, WORDS + 2)
    zipf /= zipf.sum()
    lines = []
    for _ in range(SENTENCES):
        topic = int(rng.integers(TOPICS))
        sentence = []
        for _ in range(LENGTH):
            u = rng.random()
            if u < 0.25:
                sentence.append(fillers[int(len(fillers) * rng.random() ** 2)])
            else:
                shift = 0 if u < 0.8 else int(rng.choice([-1, 1])) if u < 0.95 else int(rng.integers(TOPICS))
                sentence.append(topics[(topic + shift) % TOPICS][int(rng.choice(WORDS, p=zipf))])
        lines.append(" ".join(sentence).capitalize() + ".")
    rows = []
    for _ in range(160):
        kind = int(rng.integers(3))
        a = int(rng.integers(TOPICS))
        b = (a + (0, 1, 3)[kind]) % TOPICS
        i, j = (int(k) for k in rng.choice(WORDS, 2, replace=False))
        score = (1.0 if abs(i - j) == 1 else 0.8, 0.4, 0.0)[kind]
        rows.append(f"{topics[a][i]},{topics[b][j]},{score:g}")
    comment = "# pairs of the planted text: 1 and 0.8 within a topic, 0.4 in neighbouring topics, 0 in others"
    return "\n".join(lines) + "\n", "\n".join([comment, "word1,word2,score", *dict.fromkeys(rows)]) + "\n"
