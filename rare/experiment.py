"""Do synthetic images help a classifier with a rare class? A controlled experiment.

Every arm trains the same network for the same number of updates on the same photos. The arms
differ only in the treatment of the rare class:
    real              none: the baseline
    class weights     the loss weighs all classes equally
    augmentation      photos are flipped, moved, resized, brightened and blurred
    duplicates        as many copies of rare photos as the other arms add synthetic images: the
                      control for class balance, without new information
    synthetic         adds images from the region of the class in W, unfiltered
    filtered          adds only those that the filter classifier accepts
    synthetic only    the filtered images in place of all photos of the class
The test photos are real and of other products; no direction, filter or classifier has seen them.
The generator should not have either: if it was trained on this catalogue, test on another one.

Synthetic images are labelled by the filter classifier, trained with a seed of its own on the photos
that the arms have: with ten rare photos, it has ten. It scores a pool of generated images to find
the region of the class, then accepts or rejects new ones that are sampled there. No classifier
under test labels anything. At low counts the generator has an advantage: it was trained, without
labels, on all training photos, including rare ones that the classifiers lack.

Each result is saved, so a stopped experiment can be resumed.
"""

import contextlib
import hashlib
import json

import numpy as np

from dnnlib import archive, files, images, knobs, progress
from dnnlib.files import UserError
from rare.config import Rare
from rare.region import Region
from stylegan import labelled
from stylegan.metrics import measure
from tagger import image_tagger, labels, net
from tagger.config import Config

BASELINES = ('real', 'class weights', 'augmentation', 'duplicates')
SYNTHETIC = ('synthetic', 'filtered', 'synthetic only')
ARMS = BASELINES + SYNTHETIC
_HEAD = 'category'
_BATCH = 64


class Dataset:
    """Labelled images: pictures uint8 [n, side, side, 3], labels int [n], indices of classes."""

    def __init__(self, pictures, labels, classes):
        assert len(pictures) == len(labels), (len(pictures), len(labels))
        self.pictures, self.labels, self.classes = pictures, labels, tuple(classes)

    def __len__(self):
        return len(self.labels)

    def digest(self):
        """A digest of images, labels and class names, 16 hex digits."""
        parts = hashlib.sha256(repr(self.classes).encode('utf-8'))
        for array in (self.pictures, self.labels):
            parts.update(np.ascontiguousarray(array).tobytes())
        return parts.hexdigest()[:16]

    def subset(self, indices):
        """The Dataset of these indices."""
        return Dataset(self.pictures[indices], self.labels[indices], self.classes)

    def extended(self, pictures, label):
        """The Dataset with more images of one class."""
        more = np.full(len(pictures), label, self.labels.dtype)
        return Dataset(np.concatenate([self.pictures, pictures]),
                       np.concatenate([self.labels, more]), self.classes)


def dataset_of(products, pictures, classes):
    """The Dataset of those products (catalog.source.Product) whose category is in `classes`.

    pictures: uint8 [n, side, side, 3], one of each product.
    """
    known = [index for index, product in enumerate(products) if product.category in classes]
    return Dataset(pictures[known], np.array([classes.index(products[i].category) for i in known],
                                             np.int32), classes)


def split(products, fraction, seed):
    """(training, test) products; rows of one product, which share a key, stay together.

    Raises UserError if there are too few.
    """
    train, test = labels.split([p.key for p in products], (fraction,), seed)
    if not len(train):
        raise UserError(f'{len(products)} product(s) are too few to train on some and test on '
                        'others; give more, or another catalogue with --test-data')
    return [products[i] for i in train], [products[i] for i in test]


def class_index(classes, name):
    """The index of a class. Raises UserError that lists the known ones."""
    if not any(classes):
        raise UserError('the catalogue names no categories; give one with folders or a column '
                        'category in products.csv')
    if name not in classes:
        raise UserError(f"there is no category '{name}'; {knobs.did_you_mean(name, classes)}known "
                        'are: '
                        + ', '.join(value or "''" for value in classes))
    return classes.index(name)


def subsampled(train, rare, count, seed):
    """The Dataset with only `count` images of class `rare`, drawn by `seed`; all others stay."""
    own = np.flatnonzero(train.labels == rare)
    chosen = np.random.RandomState([seed, count, 72]).permutation(own)[:count]
    return train.subset(np.sort(np.concatenate([np.flatnonzero(train.labels != rare), chosen])))


def resized(pictures, side):
    """Images uint8 [n, h, w, 3] as [n, side, side, 3]."""
    if pictures.shape[1] == side or not len(pictures):
        return pictures.reshape([len(pictures), side, side, 3])
    return np.stack([images.square(picture, side) for picture in pictures])


class Classifiers:
    """Trains classifiers, in a `with` block: the tagger's network with the category as its only
    head. All training runs share one graph.

    classes: names. config: Evaluate; only side, fmaps, steps, batch and threads matter.
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

        pictures: uint8 [n, side, side, 3]; labels: int [n]; weights: class weights; augment: data
        augmentation.
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
            return np.zeros([0, len(self._tagger.heads[_HEAD])], np.float32)
        return self._tagger.probabilities(pictures)[_HEAD]

    def close(self):
        """End the session."""
        self._tagger.close()


class _Filter:
    """Scores images of any size by a classifier's probability of the rare class."""

    def __init__(self, classifier, rare, side):
        self._classifier, self._rare, self._side = classifier, rare, side

    def scores(self, pictures):
        """uint8 [n, h, w, 3] -> float [n]."""
        return self._classifier.probabilities(resized(pictures, self._side))[:, self._rare]


def training_set(arm, photos, rare, synthetic, number):
    """(Dataset to train on, class weights?, augmentation?) of an arm.

    photos: the subsampled Dataset. synthetic: {'synthetic', 'filtered': uint8 [m, ...]}. number:
    how many images to add; fewer are repeated.
    """
    own = photos.labels == rare
    if arm == 'duplicates':
        photos = photos.extended(_repeated(photos.pictures[own], number), rare)
    elif arm in ('synthetic', 'filtered'):
        photos = photos.extended(_repeated(synthetic[arm], number), rare)
    elif arm == 'synthetic only':
        photos = photos.subset(np.flatnonzero(~own)).extended(
            _repeated(synthetic['filtered'], number), rare)
    return photos, arm == 'class weights', arm == 'augmentation'


def _repeated(pictures, number):
    return pictures[np.arange(number if len(pictures) else 0) % max(1, len(pictures))]


class Experiment:
    """All arms on one training and one test set, in a folder with a file per result.

    folder: of the results; refused if it holds an experiment on other data or with other options.
    generator: stylegan.generator.Generator; with another one, results of baselines are reused.
    train, test: Dataset. category: the rare class. config: Evaluate; counts and seeds may be added
    when it is resumed. Attributes: train, test, rare (index of the class), photos (how many of it
    in train), counts (how many of these a classifier gets, ascending).
    Raises UserError, before anything is written, if nothing could be measured.
    """

    def __init__(self, folder, generator, train, test, category, config):
        self.train, self.test, self.rare = train, test, class_index(train.classes, category)
        self.photos = int((train.labels == self.rare).sum())
        self.counts = config.sweep(self.photos)
        if not (test.labels == self.rare).any():
            raise UserError(f"no product to test on is of the category '{category}'; name another "
                            'catalogue with --test-data')
        self._folder, self._generator, self._config = folder / 'results', generator, config
        self._suffix = (f'{files.digest(generator.path)}-psi{config.psi:g}-{config.pool}-'
                        f'{config.seed}')
        path, identity = folder / 'experiment.json', json.loads(json.dumps(dict(
            config.fixed(), category=category, train=train.digest(), test=test.digest())))
        saved = [p for p in (path, folder / 'contest.json') if p.exists()]  # its name before 0.4
        old = files.read_json(saved[0]) if saved else identity
        changed = sorted(name for name in set(old) | set(identity)
                         if old.get(name) != identity.get(name))
        if changed:
            raise UserError(f"{folder} holds an experiment with another {', '.join(changed)}; "
                            'repeat that or name another --out')
        files.write_json(path, identity)

    def run(self, classifiers):
        """Train every arm -> ({(arm, count, seed): test probabilities [n, classes]}, audit).

        classifiers: an entered Classifiers. audit: {count: bool [n]}, whether an independent
        classifier, trained on all photos with class weights and other seeds, assigns each filtered
        image to the class.
        """
        seeds = range(self._config.seed, self._config.seed + self._config.seeds)
        each = [(count, seed) for seed in seeds for count in reversed(self.counts)]
        todo = [(name, count, seed) for count, seed in each for name in BASELINES] + [
            (name, count, seed) for count, seed in each for name in ('pictures',) + SYNTHETIC] + [
                ('audit', self.photos, seed) for seed in seeds]
        results, audit, counts = {}, [], set(map(str, self.counts))
        with progress.bar(total=len(todo), what='experiment', unit='training') as bar:
            for name, count, seed in todo:
                bar.set_postfix(count=count, seed=seed, arm=name)
                result = self._saved(name, count, seed)
                if result is None or (name == 'audit' and not counts <= set(result)):
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
        """Synthetic images of the rare class that `run` has saved for this count of rare photos:
        {'synthetic', 'filtered': uint8 [n, side, side, 3]}."""
        return self._saved('pictures', count, seed)

    def copies(self, pictures):
        """Whether synthetic images are copies: median and least distance to the nearest photo.

        pictures: uint8 [n, side, side, 3]. JSON-able: from them to training and test photos of the
        class and, as a reference, from test to training photos; 1 is the usual distance between
        photos.
        """
        train, test = [photos.pictures[photos.labels == self.rare]
                       for photos in (self.train, self.test)]
        if self._config.side > measure.THUMBNAIL:  # of any size
            pictures, train, test = [resized(each, measure.THUMBNAIL)
                                     for each in (pictures, train, test)]
        pairs = {'synthetic to train': (pictures, train), 'synthetic to test': (pictures, test),
                 'test to train': (test, train)}
        distances = {name: measure.nearest(some, others, count=1)[1]
                     for name, (some, others) in pairs.items() if len(some)}
        return {name: {'median': float(np.median(each)), 'least': float(each.min())}
                for name, each in distances.items()}

    def _path(self, name, count, seed):
        parts = [name.replace(' ', '-'), f'{count}', f'{seed}']
        return self._folder / ('-'.join(parts + [self._suffix] * (name not in BASELINES)) + '.npz')

    def _saved(self, name, count, seed):
        """A result as {name: array}, or None where there is none yet."""
        path = self._path(name, count, seed)
        if not path.exists():
            return None
        return archive.read(path, 'result of an experiment', 'delete it and type the same command '
                            'again')

    def _save(self, name, count, seed, arrays):
        archive.write(self._path(name, count, seed), arrays)
        return self._saved(name, count, seed)

    def _result(self, classifiers, name, count, seed):
        """{name: array} of an arm, of its synthetic 'pictures' or of the 'audit'."""
        photos = subsampled(self.train, self.rare, count, seed)
        if name == 'pictures':
            return self._synthesise(classifiers, photos, seed)
        if name == 'audit':
            return _predictions(classifiers, photos, True, False, 20000 + seed, {
                f'{count}': self.pictures(count, seed)['filtered'] for count in self.counts})
        synthetic = self.pictures(count, seed) if name in SYNTHETIC else {}
        photos, weights, augment = training_set(
            name, photos, self.rare, synthetic, self._config.synthetic)
        return _predictions(classifiers, photos, weights, augment, seed,
                            {'test': self.test.pictures})

    def _pool(self):
        """Random images to search: {'w': [n, w], 'pictures': uint8 [n, side, side, 3]}."""
        config, gan = self._config, self._generator
        saved = self._saved('pool', config.pool, config.seed)
        if saved:
            return saved
        w = labelled.truncated(gan, gan.w(gan.seeded(
            range(config.seed, config.seed + config.pool))), config.psi)
        pictures = [resized(gan.pictures(labelled.layered(w[i:i + _BATCH], gan.layers)),
                            config.side)
                    for i in progress.bar(range(0, config.pool, _BATCH), what='drawing',
                                          unit='batch')]
        return self._save('pool', config.pool, config.seed,
                          {'w': w, 'pictures': np.concatenate(pictures)})

    def _synthesise(self, classifiers, photos, seed):
        """The result of `pictures`: mixes of codes that the filter takes for the class, unfiltered
        and filtered.

        Both are empty if the pool has none. The filter is trained with class weights and
        augmentation.
        """
        gan, side, pool = self._generator, self._config.side, self._pool()
        sampling = Rare(count=self._config.synthetic, seed=seed, most=6, sure=0.5)
        with contextlib.closing(classifiers.fit(photos.pictures, photos.labels, weights=True,
                                                augment=True, seed=10000 + seed)) as classifier:
            scorer = _Filter(classifier, self.rare, side)
            try:
                found = Region(gan, scorer, pool['w'], scorer.scores(pool['pictures']),
                               sampling).sample('mix')
            except UserError:
                return dict.fromkeys(('synthetic', 'filtered'), pool['pictures'][:0])
        return {'synthetic': resized(found.raw, side), 'filtered': resized(found.pictures, side)}


def _predictions(classifiers, photos, weights, augment, seed, pictures):
    """Train on a Dataset -> probabilities {name: float32 [n, classes]} of images {name: uint8
    [n, side, side, 3]}."""
    with contextlib.closing(classifiers.fit(photos.pictures, photos.labels, weights=weights,
                                            augment=augment, seed=seed)) as classifier:
        return {name: np.float32(classifier.probabilities(some))
                for name, some in pictures.items()}
