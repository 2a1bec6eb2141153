"""The options of the taggers: network, training, and held-out products."""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob


@dataclasses.dataclass(frozen=True)
class Config:
    """The network of the image tagger, and its training."""
    side: int = knob(64, 'side of its input', 'pixels', least=16, most=1024)
    fmaps: int = knob(16, 'channels of the first convolution; later ones have up to 8 times that',
                      least=1, most=1024)
    features: int = knob(96, 'width of the hidden layer', least=1, most=8192)
    steps: int = knob(1600, 'updates', least=1)
    batch: int = knob(64, 'batch size', 'images', least=1)
    learning_rate: float = knob(0.004, 'peak learning rate of Adam, with cosine decay to 0',
                                above=0)
    weight_decay: float = knob(0.02, 'decoupled weight decay (AdamW)', least=0)
    class_weights: bool = knob(True, 'weigh rare values as much as frequent ones in the loss')
    augment: bool = knob(True, 'data augmentation: flips, shifts, scaling, brightness, blur')
    seed: int = seed_knob('seed of weights, batches, augmentation and split')
    threads: int = knob(0, 'CPU threads; 0 takes all', least=0)

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class Split:
    """Which products are not for training."""
    held_out: float = knob(0.2, 'fraction of products held out for the report', least=0, below=1)
    validation: float = knob(0.1, 'fraction of products to calibrate the probabilities on',
                             least=0, below=1)

    def __post_init__(self):
        check(self)
        if self.held_out + self.validation > 0.9:
            raise UserError('--held-out and --validation together must be at most 0.9')
