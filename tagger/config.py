"""The knobs of the taggers: their network, its training, and what is set aside; see `tagging`."""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob


@dataclasses.dataclass(frozen=True)
class Config:
    """The network that looks at pictures, and its training."""
    side: int = knob(64, 'side of the pictures it looks at', 'pixels', least=16, most=1024)
    fmaps: int = knob(16, 'maps of the first convolution; later ones have up to 8 times as many',
                      least=1, most=1024)
    features: int = knob(96, 'width of the hidden layer', least=1, most=8192)
    steps: int = knob(1600, 'updates', least=1)
    batch: int = knob(64, 'pictures per update', least=1)
    learning_rate: float = knob(0.004, 'step size of Adam at first; it falls to 0 by a cosine',
                                above=0)
    weight_decay: float = knob(0.02, 'how fast weights shrink, in units of the step size', least=0)
    class_weights: bool = knob(True, 'let rare values weigh as much as frequent ones')
    augment: bool = knob(True, 'show pictures mirrored, moved, resized, brightened and blurred')
    seed: int = seed_knob('another seed, another network')
    threads: int = knob(0, 'CPU threads; 0 takes all', least=0)

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class Split:
    """Which products teach nothing, so that they can judge."""
    held_out: float = knob(0.2, 'share of the products kept for the report', least=0, below=1)
    validation: float = knob(0.1, 'share by which the probabilities are calibrated',
                             least=0, below=1)

    def __post_init__(self):
        check(self)
        if self.held_out + self.validation > 0.9:
            raise UserError('--held-out and --validation are together at most 0.9')
