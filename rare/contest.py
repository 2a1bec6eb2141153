"""Do synthetic images help a classifier with a rare class? A contest with rules laid down before.

The same network is trained for the same number of updates on the same photos, and only what is done
about the rare class differs:
    real              nothing
    class weights     rare classes count as much as frequent ones
    augmentation      photos are shown mirrored, moved, resized, brightened and blurred
    duplicates        so many copies of the rare photos are added as others get synthetic pictures:
                      the placebo, which brings nothing new but as many rare images
    synthetic         images from the rare region of the latent space are added, as they come
    filtered          the same, without those that do not look like the class or are too unusual
    synthetic only    the rare class has no photo at all, only the filtered images
The test photos are real, of other products, and seen by nothing that takes part: no generator, no
direction, no filter. If the generator has learnt from a catalogue, test on another one.

How the synthetic images get their label: a classifier of its own (the scout, with seeds of its
own) learns from the same photos as the arms do, so with ten rare photos it knows ten; it tells
which of many generated images lie in the rare region; new ones are drawn from there. No image
is labelled by a classifier that is under test. The generator has learnt from all training photos
without any label; at low counts it has therefore seen rare photos that the classifiers have not.

Each result is saved, so a stopped contest can be resumed.
"""

import contextlib
import hashlib
import json

import numpy as np

from dnnlib import archive, files, images, progress
from dnnlib.files import UserError
from rare.config import Rare
from rare.region import Region
from stylegan import labelled
from stylegan.metrics import measure
from tagger import image_tagger, labels, net
from tagger.config import Config

PLAIN = ('real', 'class weights', 'augmentation', 'duplicates')
SYNTHETIC = ('synthetic', 'filtered', 'synthetic only')
ARMS = PLAIN + SYNTHETIC
_HEAD = 'category'
_BATCH = 64


class Photos:
    """Labelled images: pictures uint8 [n, side, side, 3], labels int [n] into classes."""

    def __init__(self, pictures, labels, classes):
        assert len(pictures) == len(labels), (len(pictures), len(labels))
        self.pictures, self.labels, self.classes = pictures, labels, tuple(classes)

    def __len__(self):
        return len(self.labels)

    def digest(self):
        """A short fingerprint of all of it."""
        parts = hashlib.sha256(repr(self.classes).encode('utf-8'))
        for array in (self.pictures, self.labels):
            parts.update(np.ascontiguousarray(array).tobytes())
        return parts.hexdigest()[:16]

    def part(self, chosen):
        """Those with these indices."""
        return Photos(self.pictures[chosen], self.labels[chosen], self.classes)

    def plus(self, pictures, label):
        """With more images of one class."""
        more = np.full(len(pictures), label, self.labels.dtype)
        return Photos(np.concatenate([self.pictures, pictures]),
                      np.concatenate([self.labels, more]), self.classes)


def photos_of(products, pictures, classes):
    """Photos of those products (catalog.source.Product) whose category is one of `classes`.

    pictures: uint8 [n, side, side, 3], one of each product.
    """
    known = [index for index, product in enumerate(products) if product.category in classes]
    return Photos(pictures[known], np.array([classes.index(products[i].category) for i in known],
                                            np.int32), classes)


def split(products, share, seed):
    """Products to train on and to test on; equal keys, the same product, stay together."""
    train, test = labels.split([p.key for p in products], (share,), seed)
    return [products[i] for i in train], [products[i] for i in test]


def class_index(classes, name):
    """The index of a class. Raises UserError that lists the known ones."""
    if not any(classes):
        raise UserError('the catalogue names no categories; give one with folders or a column '
                        'category in products.csv')
    if name not in classes:
        raise UserError(f"there is no category '{name}'; known are: "
                        + ', '.join(value or "''" for value in classes))
    return classes.index(name)


def few(train, rare, count, seed):
    """Photos with `count` of those of class `rare` only, drawn by `seed`; all others stay."""
    ours = np.flatnonzero(train.labels == rare)
    chosen = np.random.RandomState([seed, count, 72]).permutation(ours)[:count]
    return train.part(np.sort(np.concatenate([np.flatnonzero(train.labels != rare), chosen])))


def at(pictures, side):
    """Images at `side` pixels."""
    if pictures.shape[1] == side or not len(pictures):
        return pictures.reshape([len(pictures), side, side, 3])
    return np.stack([images.square(picture, side) for picture in pictures])


class Classifiers:
    """Trains classifiers of one kind, in a `with` block: the tagger's network with the category as
    its only head. One training graph serves all trainings.

    classes: names. config: Evaluate, of which side, fmaps, steps, batch and threads count.
    """

    def __init__(self, classes, config):
        self._heads = {_HEAD: tuple(classes)}
        self._config = dict(side=config.side, fmaps=config.fmaps, steps=config.steps,
                            batch=config.batch, threads=config.threads)
        self._training = net.Training(self._heads, Config(**self._config))

    def __enter__(self):
        self._training.__enter__()
        return self

    def __exit__(self, *error):
        return self._training.__exit__(*error)

    def fit(self, pictures, labels, *, weights, augment, seed):
        """Train one -> Classifier.

        pictures: uint8 [n, side, side, 3]; labels: int [n]; weights: let classes weigh the same;
        augment: data augmentation.
        """
        config = Config(class_weights=weights, augment=augment, seed=seed, **self._config)
        return Classifier(image_tagger.fit(pictures, {_HEAD: labels}, self._heads, config,
                                           training=self._training, quiet=True))


class Classifier:
    """A trained classifier of the category; `close` ends its session."""

    def __init__(self, tagger):
        self._tagger = tagger

    def probabilities(self, pictures):
        """uint8 [n, h, w, 3] -> float32 [n, classes]."""
        if not len(pictures):
            return self._tagger.logits(pictures)[_HEAD]
        return self._tagger.probabilities(pictures)[_HEAD]

    def close(self):
        """End the session."""
        self._tagger.close()


class _Scout:
    """Scores images of any size by the probability that a classifier gives to the rare class."""

    def __init__(self, classifier, rare, side):
        self._classifier, self._rare, self._side = classifier, rare, side

    def scores(self, pictures):
        """uint8 [n, h, w, 3] -> float [n]."""
        return self._classifier.probabilities(at(pictures, self._side))[:, self._rare]


def arm(name, photos, rare, drawn, number):
    """(Photos to train on, class weights?, augmentation?) of an arm.

    photos: the few. drawn: {'synthetic': images, 'filtered': images}, uint8 [m, ...].
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
    """The contest on one pair of training and test photos, in a folder with a file per result.

    folder: of the results; one that holds a contest with other facts is refused. generator:
    stylegan.generator.Generator; with another one, only what depends on it is made anew. train,
    test: Photos. category: the rare class. config: Evaluate; more counts and seeds may come later.
    Attributes: train, test, rare (the index of the class), counts (of rare photos, ascending).
    Raises UserError, before anything is written, if the contest would show nothing.
    """

    def __init__(self, folder, generator, train, test, category, config):
        self.train, self.test, self.rare = train, test, class_index(train.classes, category)
        self.counts = config.sweep(int((train.labels == self.rare).sum()))
        if not (test.labels == self.rare).any():
            raise UserError(f"no product to test on is of the category '{category}'; name another "
                            'catalogue with --test-data')
        self._folder, self._generator, self._config = folder / 'results', generator, config
        self._suffix = f'{files.digest(generator.path)}-psi{config.psi:g}-{config.pool}'
        path, facts = folder / 'contest.json', json.loads(json.dumps(dict(
            config.decisive(), category=category, train=train.digest(), test=test.digest())))
        old = files.read_json(path) if path.exists() else facts
        changed = sorted(name for name in set(old) | set(facts) if old.get(name) != facts.get(name))
        if changed:
            raise UserError(f"{folder} holds a contest with another {', '.join(changed)}; repeat "
                            'that or name another --out')
        files.write_json(path, facts)

    def run(self, classifiers):
        """Hold it -> ({(arm, count, seed): probabilities float32 [tests, classes]}, audit).

        classifiers: an entered Classifiers. audit: {count: bool [n]}, whether an auditor takes the
        filtered images for the class: a classifier that learnt from all photos, with class
        weights and other seeds than the arms.
        """
        seeds = range(self._config.seed, self._config.seed + self._config.seeds)
        each = [(count, seed) for seed in seeds for count in reversed(self.counts)]
        todo = [(name, count, seed) for count, seed in each for name in PLAIN] + [
            (name, count, seed) for count, seed in each for name in ('pictures',) + SYNTHETIC] + [
                ('audit', self.counts[-1], seed) for seed in seeds]
        results, audit = {}, []
        with progress.bar(total=len(todo), what='contest', unit='training') as bar:
            for name, count, seed in todo:
                bar.set_postfix(count=count, seed=seed, arm=name)
                result = self._saved(name, count, seed)
                if result is None:
                    result = self._save(name, count, seed,
                                        self._result(classifiers, name, count, seed))
                if name == 'audit':
                    audit.append(result)
                elif name != 'pictures':
                    results[name, count, seed] = result['test']
                bar.update()
        return results, {count: np.concatenate([
            result[f'{count}'].argmax(1) == self.rare for result in audit])
            for count in self.counts}

    def pictures(self, count, seed):
        """Synthetic images of the rare class, saved by `run`, from that many rare photos:
        {'synthetic', 'filtered': uint8 [n, side, side, 3]}."""
        return self._saved('pictures', count, seed)

    def copies(self, pictures):
        """Are synthetic images copies of photos? Median and least distance to the nearest ones.

        pictures: uint8 [n, side, side, 3]. JSON-able: from them to train and to test photos of the
        class and, for comparison, from test to train photos, in units of the usual distance
        between photos.
        """
        train, test = [photos.pictures[photos.labels == self.rare]
                       for photos in (self.train, self.test)]
        pairs = {'synthetic to train': (pictures, train), 'synthetic to test': (pictures, test),
                 'test to train': (test, train)}
        distances = {name: measure.nearest(some, others, count=1)[1]
                     for name, (some, others) in pairs.items() if len(some)}
        return {name: {'median': float(np.median(each)), 'least': float(each.min())}
                for name, each in distances.items()}

    def _path(self, name, count, seed):
        parts = [name.replace(' ', '-'), f'{count}', f'{seed}']
        return self._folder / ('-'.join(parts + [self._suffix] * (name not in PLAIN)) + '.npz')

    def _saved(self, name, count, seed):
        """A result as {name: array}, or None where there is none yet."""
        path = self._path(name, count, seed)
        if not path.exists():
            return None
        return archive.read(path, 'result of a contest', 'delete it and type the same command '
                            'again')

    def _save(self, name, count, seed, arrays):
        archive.write(self._path(name, count, seed), arrays)
        return self._saved(name, count, seed)

    def _result(self, classifiers, name, count, seed):
        """What `_save` saves: of an arm, of 'pictures' or of the 'audit'."""
        photos = few(self.train, self.rare, count, seed)
        if name == 'pictures':
            return self._synthesise(classifiers, photos, seed)
        if name == 'audit':
            return _predictions(classifiers, photos, True, False, 20000 + seed, {
                f'{count}': self.pictures(count, seed)['filtered'] for count in self.counts})
        synthetic = self.pictures(count, seed) if name in SYNTHETIC else {}
        photos, weights, augment = arm(name, photos, self.rare, synthetic, self._config.synthetic)
        return _predictions(classifiers, photos, weights, augment, seed,
                            {'test': self.test.pictures})

    def _pool(self):
        """Generated images to search through: {'w': [n, w], 'pictures': uint8 [n, side, ...]}.

        They are those of the seeds from config.seed on.
        """
        config, gan = self._config, self._generator
        saved = self._saved('pool', config.pool, config.seed)
        if saved:
            return saved
        w = labelled.truncated(gan, gan.w(gan.seeded(
            range(config.seed, config.seed + config.pool))), config.psi)
        pictures = [at(gan.pictures(labelled.layered(w[i:i + _BATCH], gan.layers)), config.side)
                    for i in progress.bar(range(0, config.pool, _BATCH), what='drawing',
                                          unit='batch')]
        return self._save('pool', config.pool, config.seed,
                          {'w': w, 'pictures': np.concatenate(pictures)})

    def _synthesise(self, classifiers, photos, seed):
        """Synthetic images of the rare class, as `pictures` gives them: mixes of codes whose
        images the scout takes for the class, as they come, and those that it accepts.

        Where the class cannot be found at all, both are empty. The scout is trained with class
        weights and augmentation.
        """
        gan, side, pool = self._generator, self._config.side, self._pool()
        rare = Rare(count=self._config.synthetic, seed=seed, most=6, sure=0.5)
        with contextlib.closing(classifiers.fit(photos.pictures, photos.labels, weights=True,
                                                augment=True, seed=10000 + seed)) as classifier:
            scout = _Scout(classifier, self.rare, side)
            try:
                found = Region(gan, scout, pool['w'], scout.scores(pool['pictures']),
                               rare).sample('mix')
            except UserError:
                return dict.fromkeys(('synthetic', 'filtered'), pool['pictures'][:0])
        return {'synthetic': at(found.raw, side), 'filtered': at(found.pictures, side)}


def _predictions(classifiers, photos, weights, augment, seed, pictures):
    """Train on Photos -> {name: float32 [n, classes]} of images {name: uint8 [n, ...]}."""
    with contextlib.closing(classifiers.fit(photos.pictures, photos.labels, weights=weights,
                                            augment=augment, seed=seed)) as classifier:
        return {name: np.float32(classifier.probabilities(some))
                for name, some in pictures.items()}
