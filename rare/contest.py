"""Do synthetic pictures help a classifier with a rare class? A contest with rules laid down before.

The same network is trained for the same number of updates on the same photos, and only what is done
about the rare class differs:
    real              nothing
    class weights     rare classes count as much as frequent ones
    augmentation      photos are shown mirrored, moved, resized, brightened and blurred
    duplicates        so many copies of the rare photos are added as others get synthetic pictures:
                      the placebo, which brings nothing new but as many rare pictures
    synthetic         pictures from the rare region of the latent space are added, as they come
    filtered          the same, without those that do not look like the class or are too unusual
    synthetic only    the rare class has no photo at all, only the filtered pictures
The test photos are real, of other products, and seen by nothing that takes part: no generator, no
direction, no filter. If the generator has learnt from a catalogue, test on another one.

How the synthetic pictures get their label: a classifier of its own (the scout, with seeds of its
own) learns from the same photos as the arms do, so with ten rare photos it knows ten; it tells
which of many generated pictures lie in the rare region; new ones are drawn from there. No picture
is labelled by a classifier that is under test. The generator has learnt from all training photos
without any label; at low counts it has therefore seen rare photos that the classifiers have not.

Everything here is arrays and functions; each result is kept, so a stopped contest goes on.
"""

import contextlib
import dataclasses
import json

import numpy as np

from rare.photos import at, few
from dnnlib import archive, files, progress
from dnnlib.files import UserError
from dnnlib.knobs import knob

PLAIN = ('real', 'class weights', 'augmentation', 'duplicates')
SYNTHETIC = ('synthetic', 'filtered', 'synthetic only')
ARMS = PLAIN + SYNTHETIC


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """The contest."""
    counts: str = knob('10,25,50,all', 'how many rare photos there are, comma-separated: a sweep')
    synthetic: int = knob(100, 'synthetic pictures (or duplicates) to add')
    seeds: int = knob(5, 'trainings per arm and count; each draws its own rare photos')
    pool: int = knob(4000, 'generated pictures in which the scout looks for the rare region')
    test: float = knob(0.3, 'share of the products to test on, where --test-data gives none')
    side: int = knob(32, 'side of the pictures', 'pixels')
    psi: float = knob(0.7, 'truncation of the generated pictures; 1: none')
    fmaps: int = knob(6, 'maps of the first convolution of the classifier')
    steps: int = knob(300, 'updates per training, the same for all arms')
    batch: int = knob(48, 'pictures per update')
    bootstrap: int = knob(1000, 'bootstrap samples')
    seed: int = knob(0, 'another seed, another contest')
    threads: int = knob(1, 'CPU threads; 0 takes all, 1 makes the bytes repeatable')

    def __post_init__(self):
        if min(self.seeds, self.synthetic, self.bootstrap - 99, self.steps, self.batch) < 1:
            raise UserError('--seeds, --synthetic, --steps and --batch are at least 1, '
                            '--bootstrap 100')
        if self.pool < 40 or not 0 < self.test < 1:
            raise UserError('--pool is at least 40, and --test lies between 0 and 1')

    def decisive(self):
        """The knobs that decide a result of an arm without synthetic pictures, {name: value}."""
        free = ('psi', 'pool', 'counts', 'seeds', 'seed', 'test', 'bootstrap', 'threads')
        return {name: value for name, value in dataclasses.asdict(self).items()
                if name not in free}

    def sweep(self, there):
        """The counts of rare photos to try, ascending, when `there` are; 'all' is the last."""
        try:
            asked = {there if part.strip() == 'all' else int(part)
                     for part in self.counts.split(',')}
        except ValueError:
            raise UserError(f"--counts '{self.counts}' is to read like 10,25,50,all")
        counts = sorted(count for count in asked if count <= there)
        if not counts or counts[0] < 1:
            raise UserError('there are %d rare photos to train on; --counts asks for %s' % (
                there, self.counts))
        return counts


def arm(name, photos, rare, drawn, number):
    """(Photos to train on, class weights?, augmentation?) of an arm.

    photos: the few. drawn: {'synthetic': pictures, 'filtered': pictures}, uint8 [m, ...].
    number: how many to add; of fewer filtered ones, some come twice.
    """
    ours = photos.labels == rare
    if name == 'duplicates':
        photos = photos.plus(_repeated(photos.pictures[ours], number), rare)
    elif name in ('synthetic', 'filtered'):
        photos = photos.plus(_repeated(drawn[name], number), rare)
    elif name == 'synthetic only':
        photos = photos.part(np.flatnonzero(~ours)).plus(
            _repeated(drawn['filtered'], number), rare)
    return photos, name == 'class weights', name == 'augmentation'


def _repeated(pictures, number):
    return pictures[np.arange(number if len(pictures) else 0) % max(1, len(pictures))]


class Contest:
    """A folder of results, one file per arm, count and seed.

    facts: JSON-able, all that decides a result besides the generator; more counts and seeds may
    come later. Raises UserError if the folder holds a contest with other facts.
    generator: a fingerprint of what draws; with another one, only what depends on it is made anew.
    """

    def __init__(self, folder, facts, generator):
        self._folder, self._generator = folder / 'results', generator
        path, facts = folder / 'contest.json', json.loads(json.dumps(facts))
        if path.exists() and files.read_json(path) != facts:
            old = files.read_json(path)
            changed = sorted(name for name in set(old) | set(facts)
                             if old.get(name) != facts.get(name))
            raise UserError('%s holds a contest with another %s; repeat that or name another --out'
                            % (folder, ', '.join(changed)))
        files.write_json(path, facts)

    def kept(self, name, count, seed, make):
        """The arrays {name: array} of that result; made by `make` and written if it is missing."""
        parts = [name.replace(' ', '-'), '%d' % count, '%d' % seed]
        path = self._folder / ('-'.join(parts + [self._generator] * (name not in PLAIN)) + '.npz')
        if not path.exists():
            archive.write(path, make())
        return archive.read(path, 'result of a contest', 'delete it and type the same command '
                            'again')


def check(train, test, rare, how):
    """Raises UserError if a contest between these Photos would show nothing.

    rare: index of the class. how: Evaluate.
    """
    how.sweep(int((train.labels == rare).sum()))
    if not (test.labels == rare).any():
        raise UserError("no product to test on is of the category '%s'; name another catalogue "
                        'with --test-data' % train.classes[rare])


def drawn(photos, rare, *, fit, pool, synthesise, number, seed):
    """Synthetic pictures of the rare class -> {'synthetic', 'filtered': uint8 [m, side, side, 3]}.

    fit, pool, synthesise: as for `run`. The scout is trained with class weights and augmentation.
    """
    side = photos.pictures.shape[1]
    with contextlib.closing(fit(photos.pictures, photos.labels, weights=True, augment=True,
                                seed=10000 + seed)) as scout:
        plain, filtered = synthesise(scout(pool)[:, rare], lambda pictures: scout(
            at(pictures, side))[:, rare], number, seed)
    return {'synthetic': at(plain, side), 'filtered': at(filtered, side)}


def run(contest, train, test, rare, how, *, fit, pool, synthesise):
    """Hold the contest -> ({(arm, count, seed): probabilities float32 [tests, classes]}, audit).

    audit: {count: bool [n]}, whether an auditor takes the filtered pictures for the class: a
    classifier that learnt from all photos, with class weights and other seeds than the arms.
    contest:    a Contest. train, test: Photos. rare: index of the class. how: Evaluate.
    fit:        function (pictures, labels, weights, augment, seed) -> a classifier: a function
                pictures -> float [n, classes], with a method `close`.
    pool:       function -> uint8 [m, side, side, 3], generated pictures; called when needed.
    synthesise: function (scores [m] of the pool, look, number, seed) -> two uint8 [k, h, w, 3]:
                pictures as they come, and filtered ones. look: pictures -> scores [n].
    """
    counts = how.sweep(int((train.labels == rare).sum()))
    seeds = range(how.seed, how.seed + how.seeds)
    each = [(count, seed) for seed in seeds for count in reversed(counts)]
    todo = [(name, count, seed) for count, seed in each for name in PLAIN] + [
        (name, count, seed) for count, seed in each for name in ('pictures',) + SYNTHETIC] + [
            ('audit', counts[-1], seed) for seed in seeds]
    results, made = {}, {}

    def make(name, count, seed):
        photos = few(train, rare, count, seed)
        if name == 'pictures':
            return drawn(photos, rare, fit=fit, pool=pool(), synthesise=synthesise,
                         number=how.synthetic, seed=seed)
        if name == 'audit':
            return _guesses((photos, True, False), {
                '%d' % c: made[c, seed]['filtered'] for c in counts}, fit, 20000 + seed)
        return _guesses(arm(name, photos, rare, made.get((count, seed)), how.synthetic),
                        {'test': test.pictures}, fit, seed)
    with progress.bar(total=len(todo), what='contest', unit='training') as bar:
        for name, count, seed in todo:
            bar.set_postfix(count=count, seed=seed, arm=name)
            kept = contest.kept(name, count, seed, lambda: make(name, count, seed))
            if name == 'pictures':
                made[count, seed] = kept
            else:
                results[name, count, seed] = kept
            bar.update()
    audit = [results.pop(('audit', counts[-1], seed)) for seed in seeds]
    return {key: value['test'] for key, value in results.items()}, {
        count: np.concatenate([one['%d' % count].argmax(1) == rare for one in audit])
        for count in counts}


def _guesses(entrant, seen, fit, seed):
    """Train on an entrant's photos and look at the pictures {name: uint8 [n, ...]}."""
    photos, weights, augment = entrant
    with contextlib.closing(fit(photos.pictures, photos.labels, weights=weights, augment=augment,
                                seed=seed)) as classifier:
        return {name: np.float32(classifier(pictures)) for name, pictures in seen.items()}


def copies(made, train, test, rare, nearest):
    """Are synthetic pictures copies of photos? Median and least distance to the nearest ones.

    made: uint8 [n, side, side, 3]; nearest: function (pictures, photos) -> distances [n] in units
    of the usual one between photos. JSON-able: synthetic to train and to test photos of the class
    and, for comparison, test to train photos.
    """
    ours, theirs = [photos.pictures[photos.labels == rare] for photos in (train, test)]
    pairs = {'synthetic to train': (made, ours), 'synthetic to test': (made, theirs),
             'test to train': (theirs, ours)}
    gaps = {name: nearest(*pair) for name, pair in pairs.items() if len(pair[0])}
    return {name: {'median': float(np.median(each)), 'least': float(each.min())}
            for name, each in gaps.items()}
