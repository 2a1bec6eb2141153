"""The text tagger: what category and attributes a description names, and what it leaves open.

In two steps, numpy alone. First the evidence: for every value the few phrases of up to three words
that name it, found by sequential covering (Fuernkranz 1999): the phrase that stands in most of the
value's texts and hardly in others, then the one for the rest. Then a softmax over each head's
phrases gives probabilities. A text without a phrase says nothing, whatever is likely.
"""

import collections
import copy
import dataclasses
import re

import numpy as np

from tagger import calibration
from dnnlib import archive
from dnnlib.knobs import knob

_FORMAT = 'text-tagger'
_LONGEST = 3  # words of a phrase
_PURITIES = (0.995, 0.95)  # phrases that are never wrong are taken before those that mostly fit


@dataclasses.dataclass(frozen=True)
class Config:
    """How phrases are chosen and weighed."""
    fewest: int = knob(4, 'texts in which a phrase must stand')
    precision: float = knob(0.9, 'share of these that must have the value')
    threshold: float = knob(0.5, 'probability from which on a text says a value')
    steps: int = knob(400, 'updates of the weights')
    decay: float = knob(1e-3, 'how much large weights cost')


def phrases(text):
    """The set of all phrases of a text: 1 to 3 words in lower case, not across punctuation."""
    found = set()
    for part in re.split(r'[^\w\s\'-]|\n', text.lower()):
        words = re.findall(r'[^\W_]+', part)
        for length in range(1, _LONGEST + 1):
            found.update(' '.join(words[i:i + length]) for i in range(len(words) - length + 1))
    return found


class _Table:
    """Which phrases stand in which texts, as pairs; phrases of fewer than `fewest` texts are out.

    Attributes: phrases (list of str), text, phrase (int [pairs]).
    """

    def __init__(self, texts, fewest):
        each = [phrases(text) for text in texts]
        counts = collections.Counter(phrase for some in each for phrase in some)
        self.phrases = sorted(phrase for phrase, count in counts.items() if count >= fewest)
        number = {phrase: index for index, phrase in enumerate(self.phrases)}
        pairs = [(i, number[phrase]) for i, some in enumerate(each) for phrase in some
                 if phrase in number]
        self.text, self.phrase = np.array(pairs, int).reshape(-1, 2).T

    def count(self, texts):
        """In how many of some texts (bool [n]) each phrase stands."""
        return np.bincount(self.phrase[texts[self.text]], minlength=len(self.phrases))

    def texts(self, phrase, count):
        """The texts with a phrase: bool [count]."""
        result = np.zeros([count], bool)
        result[self.text[self.phrase == phrase]] = True
        return result

    def only(self, phrases):
        """The same table with some phrases alone (bool [phrases])."""
        result = copy.copy(self)
        kept = phrases[self.phrase]
        result.text, result.phrase = self.text[kept], self.phrase[kept]
        return result


def _surely(right, count):
    """The share of right ones that we may count on: Wilson's lower bound, 95 %, one-sided."""
    count, z = np.maximum(count, 1), 1.645
    share = right / count
    return (share + z * z / (2 * count) - z * np.sqrt(
        share * (1 - share) / count + z * z / (4 * count * count))) / (1 + z * z / count)


def _covering(table, has, known, config):
    """The numbers of the phrases that name one value, the purest first.

    has, known: bool [n] over the texts: those with the value, and those whose value is known.
    """
    in_all, right, count = table.count(known), table.count(has), len(has)
    base = has.sum() / max(1, known.sum())
    # A phrase of a value that most texts have anyway proves little by its precision alone.
    surely = (_surely(right, in_all) > base + 0.5 * (1 - base)) & (in_all >= config.fewest)
    left, chosen, table = has.copy(), [], table.only(surely)
    for precision in _PURITIES + (config.precision,):
        good = surely & (right >= precision * in_all)
        while good.any():
            gain = np.where(good, table.count(left), 0)
            if gain.max() < max(config.fewest, 0.005 * has.sum()):
                break
            # Of phrases that cover about as much the shortest: "dress", not "dress in".
            equal = np.flatnonzero(gain >= 0.995 * gain.max())
            phrase = min(equal, key=lambda i: (len(table.phrases[i].split()), -gain[i],
                                               len(table.phrases[i]), table.phrases[i]))
            chosen.append(int(phrase))
            left &= ~table.texts(phrase, count)
    return chosen


def _softmax_weights(x, labels, count, config):
    """Weights [f + 1, count] of a softmax over features x [n, f] and a constant one, by Adam."""
    x = np.concatenate([x, np.ones([len(x), 1])], 1)
    wanted = np.eye(count)[labels]
    weights = np.zeros([x.shape[1], count])
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, config.steps + 1):
        gradient = x.T @ (calibration.softmax(x @ weights) - wanted) / len(x)
        gradient[:-1] += config.decay * weights[:-1]
        mean += 0.1 * (gradient - mean)
        square += 0.01 * (gradient ** 2 - square)
        rate = 0.3 * (1 - step / (config.steps + 1))
        weights -= rate * (mean / (1 - 0.9 ** step)) / (
            np.sqrt(square / (1 - 0.99 ** step)) + 1e-8)
    return weights


class TextTagger:
    """A trained text tagger. path: an `.npz` that `save` wrote. Raises UserError.

    Attributes: heads {name: (value, ...)}, about (dict).
    """

    def __init__(self, path):
        with archive.reading(path, 'text tagger of this program', 'give the path of a '
                             'texttagger.npz, as run.py train-tagger writes it') as values:
            about = archive.about(values)
            if about['format'] != _FORMAT:
                raise ValueError(f"it is a {about['format']}")
            self._open(values, about)

    @classmethod
    def of(cls, values, about):
        """A tagger from weights and what is known about them, see `fit`."""
        tagger = cls.__new__(cls)
        tagger._open(values, about)
        return tagger

    def _open(self, values, about):
        self.values, self.about = values, about
        self.heads = {name: tuple(known) for name, known in about['heads']}
        self._threshold = about['config']['threshold']
        self._naming = {}  # phrase -> list of (head, value, row)
        for name in self.heads:
            for row, (value, phrase) in enumerate(about['evidence'][name]):
                self._naming.setdefault(phrase, []).append((name, value, row))

    def evidence(self, text):
        """What a text names, and by which phrases: {head: {value: [phrase, ...]}}."""
        found = {}
        for phrase in sorted(phrases(text) & set(self._naming)):
            for name, value, _ in self._naming[phrase]:
                found.setdefault(name, {}).setdefault(value, []).append(phrase)
        return {name: found[name] for name in self.heads if name in found}

    def logits(self, texts):
        """{head: float [n, values]}, before the temperature."""
        features = {name: np.zeros([len(texts), len(self.about['evidence'][name]) + 1])
                    for name in self.heads}
        for index, text in enumerate(texts):
            for phrase in phrases(text) & set(self._naming):
                for name, _, row in self._naming[phrase]:
                    features[name][index, row] = 1
        for some in features.values():
            some[:, -1] = 1  # the bias
        return {name: features[name] @ self.values[name] for name in self.heads}

    def probabilities(self, texts):
        """{head: float32 [n, values]}, calibrated; of a text that says nothing, what is usual."""
        return {name: calibration.softmax(values, self.about['temperatures'][name]).astype(
            np.float32) for name, values in self.logits(texts).items()}

    def said(self, text):
        """All that the text names: {head: values, the likeliest first}, [] where it is silent.

        '' (does not apply) is never said.
        """
        probabilities, found = self.probabilities([text]), self.evidence(text)
        return {name: sorted(found.get(name, {}), key=lambda value: -probabilities[name][
            0, values.index(value)]) for name, values in self.heads.items()}

    def mentions(self, text):
        """What the text really says: {head: (value, probability)}.

        A head is left out where the text has no phrase for the likeliest value, or where that is
        not likely enough, as in a text that names two.
        """
        probabilities, result = self.probabilities([text]), {}
        for name, found in self.evidence(text).items():
            row = probabilities[name][0]
            value = self.heads[name][int(row.argmax())]
            if value in found and row.max() >= self._threshold:
                result[name] = value, float(row.max())
        return result


def fit(texts, labels, heads, config=Config(), *, validation=None):
    """Train a text tagger -> TextTagger.

    texts: list of str. labels: {head: int [n]}, UNKNOWN where nothing is known.
    validation: (texts, labels) by which the probabilities are calibrated, or None.
    """
    table, evidence, values = _Table(texts, config.fewest), {}, {}
    for name, known_values in heads.items():
        known = labels[name] >= 0
        chosen = [(value, phrase) for number, value in enumerate(known_values) if value
                  for phrase in _covering(table, labels[name] == number, known, config)]
        evidence[name] = [(value, table.phrases[phrase]) for value, phrase in chosen]
        x = np.zeros([len(texts), len(chosen)])
        for row, (_, phrase) in enumerate(chosen):
            x[:, row] = table.texts(phrase, len(texts))
        values[name] = _softmax_weights(x[known], labels[name][known], len(known_values),
                                        config).astype(np.float32)
    about = {'format': _FORMAT, 'heads': [[name, list(known)] for name, known in heads.items()],
             'config': dataclasses.asdict(config), 'evidence': evidence,
             'temperatures': dict.fromkeys(heads, 1.0)}
    tagger = TextTagger.of(values, about)
    if validation is not None:
        logits = tagger.logits(validation[0])
        about['temperatures'] = {name: calibration.temperature(logits[name], validation[1][name])
                                 for name in heads}
    return tagger


def save(path, tagger, **made):
    """Write a TextTagger as an `.npz`. made: JSON-able facts for its `about`."""
    archive.write(path, tagger.values, dict(tagger.about, **made))
