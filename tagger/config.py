"""The knobs of the taggers: their network, its training, and what is set aside; see `tagging`."""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import knob


@dataclasses.dataclass(frozen=True)
class Config:
    """The network that looks at pictures, and its training."""
    side: int = knob(64, 'side of the pictures it looks at', 'pixels')
    fmaps: int = knob(16, 'maps of the first convolution; later ones have up to 8 times as many')
    features: int = knob(96, 'width of the hidden layer')
    steps: int = knob(1600, 'updates')
    batch: int = knob(64, 'pictures per update')
    learning_rate: float = knob(0.004, 'step size of Adam at first; it falls to 0 by a cosine')
    weight_decay: float = knob(0.02, 'how fast weights shrink, in units of the step size')
    class_weights: bool = knob(True, 'let rare values weigh as much as frequent ones')
    augment: bool = knob(True, 'show pictures mirrored, moved, resized, brightened and blurred')
    seed: int = knob(0, 'another seed, another network')
    threads: int = knob(0, 'CPU threads; 0 takes all')

    def __post_init__(self):
        if self.side < 16 or min(self.fmaps, self.features, self.steps, self.batch) < 1:
            raise UserError('--side is at least 16; fmaps, features, steps and batch at least 1')


@dataclasses.dataclass(frozen=True)
class Split:
    """Which products teach nothing, so that they can judge."""
    held_out: float = knob(0.2, 'share of the products kept for the report')
    validation: float = knob(0.1, 'share by which the probabilities are calibrated')

    def __post_init__(self):
        if min(self.held_out, self.validation) < 0 or self.held_out + self.validation > 0.9:
            raise UserError('--held-out and --validation are shares, together at most 0.9')
