"""Probabilities that mean what they say: softmax with a temperature, and how to find it.

Guo et al. 2017, "On calibration of modern neural networks".
"""

import numpy as np

# Not below a half: guesses that are all right would have it fall for ever.
_CANDIDATES = np.exp(np.linspace(np.log(0.5), np.log(10), 151))


def softmax(logits, temperature=1.0):
    """float [n, k] logits -> probabilities; a temperature above 1 makes them less sure."""
    scaled = (logits - logits.max(-1, keepdims=True)) / temperature
    powers = np.exp(scaled)
    return powers / powers.sum(-1, keepdims=True)


def _loss(logits, truth, temperature):
    """Mean negative log-likelihood of what is known of the truth; 0 if nothing is."""
    known = np.flatnonzero(truth >= 0)
    likely = softmax(logits[known].astype(np.float64), temperature)
    return -np.log(likely[np.arange(len(known)), truth[known]] + 1e-12).sum() / max(1, len(known))


def temperature(logits, truth):
    """The temperature at which the truth is likeliest, from 0.5 to 10 (section 4.2).

    logits float [n, k]; truth int [n], below 0 where it is not known. 1.0 if nothing is.
    """
    if not (truth >= 0).any():
        return 1.0
    losses = [_loss(logits, truth, candidate) for candidate in _CANDIDATES]
    return float(_CANDIDATES[int(np.argmin(losses))])


def share(logits, truth, offsets):
    """How much of the offsets to add to the logits, 0..1, and the temperature then: the pair at
    which the truth is likeliest.

    logits float [n, k]; truth int [n], below 0 where it is not known; offsets [k]. Where rare
    values were given weight in training, the logarithms of their frequencies put right what that
    did to the probabilities (Menon et al. 2021, "Long-tail learning via logit adjustment").
    """
    found = []
    for part in np.linspace(0, 1, 11):
        moved = logits + part * offsets
        warmth = temperature(moved, truth)
        found.append((_loss(moved, truth, warmth), float(part), warmth))
    return min(found)[1:]


def error(probabilities, truth, bins=10):
    """How far from the truth probabilities are, 0..1: expected calibration error (section 2).

    The mean over bins of equal width of |confidence - accuracy|.
    probabilities: float [n, k]; truth: int [n], below 0 where it is not known.
    """
    known = truth >= 0
    confidence, right = probabilities.max(1)[known], (probabilities.argmax(1) == truth)[known]
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs((confidence[places == place] - right[places == place]).sum())
            for place in range(bins)]
    return float(sum(gaps) / max(1, len(right)))
