"""The options of projection, and its learning-rate schedule."""

import dataclasses

import numpy as np

from dnnlib.knobs import check, knob, seed_knob


@dataclasses.dataclass(frozen=True)
class Projection:
    """Options of the search for w."""
    space: str = knob('w', 'w: one w for all layers, to edit and mix; w+: one for each layer, '
                      'which fits better and edits worse', choices=('w', 'w+'))
    starts: int = knob(4, 'searches by Adam for each image, from the nearest candidates, of which '
                       'the best is kept; w+: one search takes the steps of all', least=1)
    steps: int = knob(100, 'steps of Adam in each', least=1)
    lrate: float = knob(0.1, 'peak learning rate of Adam', above=0)
    ramp_up: float = knob(0.05, 'fraction of the steps in which the learning rate rises',
                          least=0, most=1)
    ramp_down: float = knob(0.5, 'fraction of the steps in which it falls, at the end',
                            above=0, most=1)
    w_noise: float = knob(0.0, 'initial noise added to w, in units of its standard deviation; '
                          '0.05 is usual for networks with noise inputs', least=0)
    noise_until: float = knob(0.75, 'fraction of the steps over which that noise decays', above=0)
    noise_weight: float = knob(1e5, 'weight of the noise regularisation, which keeps structure out '
                               'of the noise inputs', least=0)
    pull: float = knob(0.003, 'w+: weight of the squared distance of the styles from the mean w',
                       least=0)
    candidates: int = knob(1000, 'random w among which the starts are chosen; 0: start from the '
                           'mean w alone', least=0)
    newton: int = knob(10, 'final Gauss-Newton steps, in W only; each draws one image per '
                       'dimension of w', least=0)
    batch: int = knob(8, 'images per batch', least=1)
    frames: int = knob(60, 'frames of the video of a search; 0: none', least=0)
    seed: int = seed_knob('the same seed, engine and one thread give the same bytes')
    threads: int = knob(0, 'CPU threads; 0 takes all', least=0)

    def __post_init__(self):
        check(self)

    @property
    def searches(self):
        """The number of searches by Adam for an image, and the steps of each."""
        if self.space == 'w+':  # has more to fit, and no Gauss-Newton steps
            return 1, self.starts * self.steps
        return min(self.starts, self.candidates + 1), self.steps  # the mean w is a candidate too


def learning_rate(t, config):
    """The learning rate at t, the fraction of steps done: linear warm-up, cosine decay."""
    decay = 0.5 - 0.5 * np.cos(np.pi * min(1, (1 - t) / config.ramp_down))
    return config.lrate * decay * (min(1, t / config.ramp_up) if config.ramp_up else 1)
