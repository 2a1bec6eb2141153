"""Calibrated probabilities: temperature scaling, logit adjustment, expected calibration error.

Guo et al. 2017, "On calibration of modern neural networks".
"""

import numpy as np

# At least 0.5: if all predictions are correct, the likelihood has no maximum.
_CANDIDATES = np.exp(np.linspace(np.log(0.5), np.log(10), 151))


def softmax(logits, temperature=1.0):
    """float [n, k] logits -> probabilities; a temperature above 1 makes them less confident."""
    scaled = (logits - logits.max(-1, keepdims=True)) / temperature
    powers = np.exp(scaled)
    return powers / powers.sum(-1, keepdims=True)


def _loss(logits, truth, temperature):
    """Mean negative log-likelihood of the known labels; 0 if there are none."""
    known = np.flatnonzero(truth >= 0)
    probabilities = softmax(logits[known].astype(np.float64), temperature)
    total = -np.log(probabilities[np.arange(len(known)), truth[known]] + 1e-12).sum()
    return total / max(1, len(known))


def temperature(logits, truth):
    """The temperature from 0.5 to 10 that maximises the likelihood of the truth (section 4.2).

    logits: float [n, k]. truth: int [n], below 0 where unknown. 1.0 if nothing is known.
    """
    if not (truth >= 0).any():
        return 1.0
    losses = [_loss(logits, truth, candidate) for candidate in _CANDIDATES]
    return float(_CANDIDATES[int(np.argmin(losses))])


def adjustment(logits, truth, offsets):
    """(factor, temperature) of maximum likelihood; the factor, 0..1, scales the offsets.

    logits: float [n, k]. truth: int [n], below 0 where unknown. offsets: [k], the logarithms of
    the values' frequencies: added to the logits, they undo the bias of class weights in training
    (Menon et al. 2021, "Long-tail learning via logit adjustment").
    """
    candidates = []
    for factor in np.linspace(0, 1, 11):
        adjusted = logits + factor * offsets
        best = temperature(adjusted, truth)
        candidates.append((_loss(adjusted, truth, best), float(factor), best))
    return min(candidates)[1:]


def expected_error(probabilities, truth, bins=10):
    """Expected calibration error, 0..1 (section 2): the mean of |confidence - accuracy| over bins.

    probabilities: float [n, k]. truth: int [n], below 0 where unknown. bins: of equal width.
    """
    known = truth >= 0
    confidence, correct = probabilities.max(1)[known], (probabilities.argmax(1) == truth)[known]
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs((confidence[which == i] - correct[which == i]).sum()) for i in range(bins)]
    return float(sum(gaps) / max(1, len(correct)))
