"""The knobs of projection, and its learning-rate schedule."""

import dataclasses

import numpy as np

from dnnlib.files import UserError
from dnnlib.knobs import knob


@dataclasses.dataclass(frozen=True)
class Projection:
    """How w is searched for."""
    space: str = knob('w', 'w: one w for all layers, to be edited and mixed; w+: one for each '
                      'layer, which fits better and edits worse')
    steps: int = knob(200, 'steps of Adam')
    lrate: float = knob(0.1, 'highest learning rate of Adam')
    ramp_up: float = knob(0.05, 'share of the steps in which the learning rate rises')
    ramp_down: float = knob(0.5, 'share of the steps in which it falls, at the end')
    w_noise: float = knob(0.0, 'noise added to w at first, in units of its standard deviation; '
                          '0.05 is usual for networks with noise inputs')
    noise_until: float = knob(0.75, 'share of the steps in which that noise fades out')
    noise_weight: float = knob(1e5, 'weight of the noise regularisation, which keeps noise inputs '
                               'free of structure')
    pull: float = knob(0.003, 'w+: weight of the squared distance of the styles from the mean w')
    candidates: int = knob(1000, 'random w among which the start is chosen; 0 starts from the '
                           'mean w')
    newton: int = knob(5, 'Gauss-Newton steps at the end, in W; each draws one picture per '
                       'dimension of w')
    batch: int = knob(8, 'pictures searched for at a time')
    frames: int = knob(60, 'frames of the video of a search; 0: none')
    seed: int = knob(0, 'the same seed, engine and one thread give the same bytes')
    threads: int = knob(0, 'CPU threads; 0 takes all')

    def __post_init__(self):
        if self.space not in ('w', 'w+'):
            raise UserError(f"space is '{self.space}'; it must be w or w+")
        if self.lrate <= 0 or min(self.steps, self.batch) < 1 or min(
                self.candidates, self.newton, self.frames) < 0:
            raise UserError('steps, batch and lrate must be above zero; candidates, newton and '
                            'frames not below it')
        if self.ramp_down <= 0 or self.noise_until <= 0:
            raise UserError('ramp-down and noise-until must be above zero')
        if not 0 <= self.seed < 2 ** 32:
            raise UserError('seed must be from 0 to 4294967295')


def learning_rate(t, config):
    """The learning rate at the share t in 0..1 of the steps: linear warm-up, cosine decay."""
    decay = 0.5 - 0.5 * np.cos(np.pi * min(1, (1 - t) / config.ramp_down))
    return config.lrate * decay * (min(1, t / config.ramp_up) if config.ramp_up else 1)
