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


def temperature(logits, truth):
    """The temperature at which the truth is likeliest, from 0.5 to 10 (section 4.2).

    logits float [n, k]; truth int [n], below 0 where it is not known. 1.0 if nothing is.
    """
    known = truth >= 0
    if not known.any():
        return 1.0
    logits, truth = logits[known].astype(np.float64), truth[known]
    losses = [-np.mean(np.log(softmax(logits, t)[np.arange(len(truth)), truth] + 1e-12))
              for t in _CANDIDATES]
    return float(_CANDIDATES[int(np.argmin(losses))])


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
