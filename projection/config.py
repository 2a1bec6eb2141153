"""The knobs of projection, and the learning rate that follows from them; see `project`."""

import dataclasses

import numpy as np

from dnnlib.files import UserError
from dnnlib.knobs import knob


@dataclasses.dataclass(frozen=True)
class Projection:
    """How styles are searched for."""
    space: str = knob('w', 'w: one style for all layers, to be edited and mixed; w+: one for each '
                      'layer, which fits better and edits worse')
    steps: int = knob(200, 'steps of Adam')
    lrate: float = knob(0.1, 'learning rate of Adam at its height')
    ramp_up: float = knob(0.05, 'share of the steps in which the learning rate rises')
    ramp_down: float = knob(0.5, 'share of the steps in which it falls, at the end')
    w_noise: float = knob(0.0, 'noise added to w at first, in units of its spread; 0.05 is usual '
                          'for networks that have noise planes')
    noise_until: float = knob(0.75, 'share of the steps in which that noise fades away')
    noise_weight: float = knob(1e5, 'how much noise planes have to look like noise')
    pull: float = knob(0.003, 'w+: how much the styles are drawn to the mean of w')
    candidates: int = knob(1000, 'random pictures among which the start is chosen; 0 starts from '
                           'the mean of w')
    newton: int = knob(5, 'steps of Gauss and Newton at the end, in w; each draws as many pictures '
                       'as w has numbers')
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


def lrate(t, how):
    """The learning rate at the share t in 0..1 of the search."""
    down = 0.5 - 0.5 * np.cos(np.pi * min(1, (1 - t) / how.ramp_down))
    return how.lrate * down * (min(1, t / how.ramp_up) if how.ramp_up else 1)
