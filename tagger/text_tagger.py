"""The text tagger: classifies the category and attributes that a description mentions.

Two steps, in numpy. Sequential covering (Fürnkranz 1999) selects, for each value, the few phrases
of up to three words that name it: the phrase that occurs in most texts of the value and hardly in
any other, then the next for the texts that remain. Softmax regression on the phrases of each head
gives probabilities. A value is only mentioned if one of its phrases is, however probable it is.
"""

import collections
import copy
import dataclasses
import re

import numpy as np

from dnnlib import archive, progress
from dnnlib.adam import Adam
from dnnlib.knobs import check, knob
from tagger import calibration, labels

_FORMAT = 'text-tagger'
_LONGEST = 3  # words of a phrase
_PRECISIONS = (0.995, 0.95)  # the most precise phrases are chosen before the others


@dataclasses.dataclass(frozen=True)
class Config:
    """Options of the selection of phrases and of the regression."""
    fewest: int = knob(4, 'least number of texts with a phrase', least=1)
    precision: float = knob(0.9, 'least fraction of these that have the value', least=0, most=1)
    threshold: float = knob(0.5, 'least probability of a mentioned value', least=0, most=1)
    steps: int = knob(400, 'updates of the weights', least=1)
    decay: float = knob(1e-3, 'L2 regularisation of the weights', least=0)

    def __post_init__(self):
        check(self)


def phrases(text):
    """The set of all phrases of a text: 1 to 3 words in lower case, not across punctuation."""
    found = set()
    for part in re.split(r'[^\w\s\'-]|\n', text.lower()):
        words = re.findall(r'[^\W_]+', part)
        for length in range(1, _LONGEST + 1):
            found.update(' '.join(words[i:i + length]) for i in range(len(words) - length + 1))
    return found


class _Table:
    """The (text, phrase) pairs of a corpus, without phrases in fewer than `fewest` texts.

    Attributes: phrases (list of str), text, phrase (int [pairs]).
    """

    def __init__(self, texts, fewest):
        found = [phrases(text) for text in texts]
        counts = collections.Counter(phrase for each in found for phrase in each)
        self.phrases = sorted(phrase for phrase, count in counts.items() if count >= fewest)
        number = {phrase: index for index, phrase in enumerate(self.phrases)}
        pairs = [(i, number[phrase]) for i, each in enumerate(found) for phrase in each
                 if phrase in number]
        self.text, self.phrase = np.array(pairs, int).reshape(-1, 2).T

    def count(self, texts):
        """How many of these texts (bool [n]) have each phrase: int [phrases]."""
        return np.bincount(self.phrase[texts[self.text]], minlength=len(self.phrases))

    def texts(self, phrase, count):
        """Which of `count` texts have a phrase: bool [count]."""
        result = np.zeros([count], bool)
        result[self.text[self.phrase == phrase]] = True
        return result

    def only(self, phrases):
        """The table of these phrases (bool [phrases])."""
        result = copy.copy(self)
        kept = phrases[self.phrase]
        result.text, result.phrase = self.text[kept], self.phrase[kept]
        return result


def _lower_bound(correct, count):
    """The lower bound of a precision: Wilson's one-sided 95 % confidence interval."""
    count, z = np.maximum(count, 1), 1.645
    precision = correct / count
    return (precision + z * z / (2 * count) - z * np.sqrt(
        precision * (1 - precision) / count + z * z / (4 * count * count))) / (1 + z * z / count)


def _covering(table, has, known, config):
    """Indices of the phrases that name one value, the most precise first.

    has, known: bool [n] over the texts: those with the value, and those whose value is known.
    """
    in_all, correct, count = table.count(known), table.count(has), len(has)
    prior = has.sum() / max(1, known.sum())
    # For a frequent value, precision alone proves little.
    significant = (_lower_bound(correct, in_all) > prior + 0.5 * (1 - prior)) & (
        in_all >= config.fewest)
    left, chosen, table = has.copy(), [], table.only(significant)
    for precision in (*_PRECISIONS, config.precision):
        precise = significant & (correct >= precision * in_all)
        while precise.any():
            gain = np.where(precise, table.count(left), 0)
            if gain.max() < max(config.fewest, 0.005 * has.sum()):
                break
            # Among phrases that cover about the same texts, the shortest: "dress", not "dress in".
            equal = np.flatnonzero(gain >= 0.995 * gain.max())
            phrase = min(equal, key=lambda i: (len(table.phrases[i].split()), -gain[i],
                                               len(table.phrases[i]), table.phrases[i]))
            chosen.append(int(phrase))
            left &= ~table.texts(phrase, count)
    return chosen


def _regression(x, labels, count, config):
    """Weights [f + 1, count] of softmax regression on features x [n, f]; the last row is the bias.

    labels: int [n], 0 to count - 1.
    """
    x = np.concatenate([x, np.ones([len(x), 1])], 1)
    one_hot = np.eye(count)[labels]
    weights = np.zeros([x.shape[1], count])
    adam = Adam([weights], beta2=0.99)
    for step in range(1, config.steps + 1):
        gradient = x.T @ (calibration.softmax(x @ weights) - one_hot) / len(x)
        gradient[:-1] += config.decay * weights[:-1]
        weights, = adam.step([weights], [gradient], 0.3 * (1 - step / (config.steps + 1)))
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
            self._open(archive.finite(values), about)
            if not all(0 < about['temperatures'][name] < np.inf for name in self.heads):
                raise ValueError('a temperature is not a positive number')

    @classmethod
    def of(cls, values, about):
        """A tagger from the weights and `about` that `fit` makes."""
        tagger = cls.__new__(cls)
        tagger._open(values, about)
        return tagger

    def _open(self, values, about):
        self.values, self.about = values, about
        self.heads = labels.read_heads(about)
        self._threshold = Config(**about['config']).threshold
        self._evidence = {}  # phrase -> list of (head, value, row)
        for name, classes in self.heads.items():
            evidence = about['evidence'][name]
            if values[name].shape != (len(evidence) + 1, len(classes)):
                raise ValueError(f"the weights of '{name}' are not those of its phrases")
            for row, (value, phrase) in enumerate(evidence):
                classes.index(value)  # of another value: ValueError
                self._evidence.setdefault(phrase, []).append((name, value, row))

    def evidence(self, text):
        """The phrases by which a text names values: {head: {value: [phrase, ...]}}."""
        found = {}
        for phrase in sorted(phrases(text) & set(self._evidence)):
            for name, value, _ in self._evidence[phrase]:
                found.setdefault(name, {}).setdefault(value, []).append(phrase)
        return {name: found[name] for name in self.heads if name in found}

    def logits(self, texts):
        """{head: float [n, values]}, before the temperature."""
        features = {name: np.zeros([len(texts), len(self.about['evidence'][name]) + 1])
                    for name in self.heads}
        for index, text in enumerate(texts):
            for phrase in phrases(text) & set(self._evidence):
                for name, _, row in self._evidence[phrase]:
                    features[name][index, row] = 1
        for matrix in features.values():
            matrix[:, -1] = 1  # the bias
        return {name: features[name] @ self.values[name] for name in self.heads}

    def probabilities(self, texts):
        """{head: float32 [n, values]}, calibrated; for a text without a phrase, the prior."""
        return {name: calibration.softmax(values, self.about['temperatures'][name]).astype(
            np.float32) for name, values in self.logits(texts).items()}

    def answered(self, texts):
        """Which predictions say something: {head: bool [n]}.

        The text has a phrase of the head, or the prediction is '' (does not apply). Any other
        prediction is a guess, the most frequent value.
        """
        found = [self.evidence(text) for text in texts]
        return {name: np.array([name in each for each in found], bool) | np.array([
            not self.heads[name][index] for index in logits.argmax(1)], bool)
                for name, logits in self.logits(texts).items()}

    def named(self, text):
        """All values that the text names, most probable first: {head: [value, ...]}, [] for none.

        '' (does not apply) is never named.
        """
        probabilities, found = self.probabilities([text]), self.evidence(text)
        return {name: sorted(found.get(name, {}), key=lambda value: -probabilities[name][
            0, values.index(value)]) for name, values in self.heads.items()}

    def mentions(self, text):
        """The value of each head that the text mentions: {head: (value, probability)}.

        A head is left out if the text has no phrase for its most probable value, or if that is
        below the threshold, as in a text that names two.
        """
        probabilities, result = self.probabilities([text]), {}
        for name, found in self.evidence(text).items():
            row = probabilities[name][0]
            value = self.heads[name][int(row.argmax())]
            if value in found and row.max() >= self._threshold:
                result[name] = value, float(row.max())
        return result


def fit(texts, truth, heads, config=Config(), *, validation=None):
    """Train a text tagger -> TextTagger.

    texts: list of str. truth: {head: int [n]}, UNKNOWN without a label.
    validation: (texts, labels) to calibrate the probabilities on, or None.
    """
    table, evidence, values = _Table(texts, config.fewest), {}, {}
    for name, classes in progress.bar(heads.items(), what='text tagger', unit='attribute',
                                      leave=False, delay=2):
        known = truth[name] >= 0
        chosen = [(value, phrase) for number, value in enumerate(classes) if value
                  for phrase in _covering(table, truth[name] == number, known, config)]
        evidence[name] = [(value, table.phrases[phrase]) for value, phrase in chosen]
        x = np.zeros([len(texts), len(chosen)])
        for row, (_, phrase) in enumerate(chosen):
            x[:, row] = table.texts(phrase, len(texts))
        values[name] = _regression(x[known], truth[name][known], len(classes),
                                   config).astype(np.float32)
    about = {'format': _FORMAT, 'heads': [[name, list(classes)] for name, classes in heads.items()],
             'config': dataclasses.asdict(config), 'evidence': evidence,
             'temperatures': dict.fromkeys(heads, 1.0)}
    tagger = TextTagger.of(values, about)
    if validation is not None:
        logits = tagger.logits(validation[0])
        about['temperatures'] = {name: calibration.temperature(logits[name], validation[1][name])
                                 for name in heads}
    return tagger


def save(path, tagger, **made):
    """Write a TextTagger as an `.npz`. made: JSON-able facts to add to `about`."""
    archive.write(path, tagger.values, dict(tagger.about, **made))
