"""Every knob of writing, and what a written text is on record."""

import dataclasses
from typing import NamedTuple

from dnnlib.files import UserError
from dnnlib.knobs import knob


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How to choose the tokens of a text; the filters apply in this order, after the penalty."""
    temperature: float = knob(0.3, 'below 1 likelier words, above 1 rarer ones, 0 always the '
                                   'likeliest')
    top_k: int = knob(40, 'draw from the k likeliest tokens, 0 = all')
    top_p: float = knob(1.0, 'draw from the likeliest tokens that together reach p')
    repetition_penalty: float = knob(1.0, 'above 1 makes tokens rarer that the text already has; '
                                          '1.2 is usual, 1 does nothing')
    max_tokens: int = knob(0, 'longest text, 0 = what fits', unit='tokens')
    trim: bool = knob(False, 'shorten a prompt from the left until max-tokens, or half of what the '
                             'model holds, fit behind it; else one that fills it is refused')
    seed: int = knob(0, 'first seed; the next text has the next')
    threads: int = knob(0, 'CPU threads; 0 takes all')

    def __post_init__(self):
        if min(self.temperature, self.top_k, self.max_tokens, self.threads) < 0:
            raise UserError('temperature, top-k, max-tokens and threads are at least 0')
        if not 0 < self.top_p <= 1:
            raise UserError(f'--top-p {self.top_p:g} is no probability; 1 leaves all tokens')
        if self.repetition_penalty <= 0:
            raise UserError('--repetition-penalty %g must be above 0; 1 leaves all as it is'
                            % self.repetition_penalty)
        if not 0 <= self.seed < 2 ** 32:
            raise UserError('--seed %d lies outside of 0 to %d' % (self.seed, 2 ** 32 - 1))


class Sample(NamedTuple):
    """A written text.

    prompt:  what was asked for, as it was given.
    text:    what follows it.
    finish:  'end' at an end-of-text, 'length' where there was no more room.
    tokens:  how many were written, end-of-text counted.
    logprob: log-probability of these, in nats, summed: what the model gives them at temperature 1
             without any filter or penalty.
    """
    prompt: str
    text: str
    seed: int
    finish: str
    tokens: int
    logprob: float

    def record(self):
        """All fields and `logprob_per_token` as a dict for JSON."""
        return dict(self._asdict(), logprob_per_token=self.logprob / self.tokens)
