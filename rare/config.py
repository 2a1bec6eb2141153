"""The options of `rare` and `evaluate`; help is printed without TensorFlow."""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob

METHODS = ('mix', 'gaussian', 'shift', 'search')


@dataclasses.dataclass(frozen=True)
class Rare:
    """How the class is searched for and sampled."""
    method: str = knob('mix', 'sampling method; all: every method, for a comparison',
                       choices=METHODS + ('all',))
    count: int = knob(200, 'products to generate with each method', least=1)
    search: int = knob(8000, 'random images to search for the class', least=20)
    sure: float = knob(0.8, 'acceptance threshold on the predicted probability of the class',
                       above=0, below=1)
    few: int = knob(60, 'if the search finds fewer, mix and gaussian first refine to this many',
                    least=1)
    tau: float = knob(1.0, 'scale of the Gaussian; below 1: more typical, above: more varied',
                      above=0)
    margin: float = knob(1.0, 'how far shifted codes go past the boundary; 1: as far as found ones')
    most: int = knob(50, 'images to draw per product before giving up', least=1)
    psi: float = knob(0.7, 'truncation, in all layers; 1: none')
    seed: int = seed_knob()
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)

    def __post_init__(self):
        check(self)

    def methods(self):
        """The methods to use, in order."""
        return METHODS if self.method == 'all' else (self.method,)


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """The experiment: arms, training runs and bootstrap."""
    counts: str = knob('10,25,50,all', 'numbers of real photos of the rare class to train on, '
                       'comma-separated')
    synthetic: int = knob(100, 'synthetic images (or duplicates) to add', least=1)
    seeds: int = knob(5, 'training runs per arm and count, each with its own rare photos', least=1)
    pool: int = knob(4000, 'generated images to search for the rare class', least=40)
    test: float = knob(0.3, 'fraction of the products to hold out, without --test-data',
                       above=0, below=1)
    side: int = knob(32, 'side of the images', 'pixels', least=16, most=1024)
    psi: float = knob(0.7, 'truncation of the generated images; 1: none')
    fmaps: int = knob(6, "feature maps of the classifier's first convolution", least=1)
    steps: int = knob(300, 'updates per training run, the same for all arms', least=1)
    batch: int = knob(48, 'batch size', least=1)
    bootstrap: int = knob(1000, 'bootstrap samples', least=100)
    seed: int = knob(0, 'first seed', least=0, most=2 ** 31)  # those of the pool follow it
    threads: int = knob(1, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)

    def __post_init__(self):
        check(self)
        self._numbers(1)

    def fixed(self):
        """The options that a resumed experiment must repeat, {name: value}."""
        free = ('psi', 'pool', 'counts', 'seeds', 'seed', 'test', 'bootstrap', 'threads')
        return {name: value for name, value in dataclasses.asdict(self).items()
                if name not in free}

    def _numbers(self, available):
        try:
            return {available if part.strip() == 'all' else int(part)
                    for part in self.counts.split(',')}
        except ValueError:
            raise UserError(f"--counts '{self.counts}' is not a list like 10,25,50,all")

    def sweep(self, available):
        """The numbers of rare photos to train on, ascending; 'all' means all the available."""
        counts = sorted(count for count in self._numbers(available) if count <= available)
        if not counts or counts[0] < 1:
            raise UserError(f'there are {available} rare photos to train on; --counts asks for '
                            f'{self.counts}')
        return counts
