"""The classifier that `evaluate` puts to the test: the tagger's network with one question, the
category. One training graph serves all trainings."""

from tagger import image_tagger, net
from tagger.config import Config

_HEAD = 'category'


class Classifiers:
    """Trains classifiers of one kind; use it in a `with` block.

    classes: names. how: catalog.evaluate.Evaluate, of which side, fmaps, steps, batch and threads
    count.
    """

    def __init__(self, classes, how):
        self._heads = {_HEAD: tuple(classes)}
        self._config = dict(side=how.side, fmaps=how.fmaps, steps=how.steps, batch=how.batch,
                            threads=how.threads)
        self._training = net.Training(self._heads, Config(**self._config))

    def __enter__(self):
        self._training.__enter__()
        return self

    def __exit__(self, *error):
        return self._training.__exit__(*error)

    def fit(self, pictures, labels, *, weights, augment, seed):
        """Train one -> Classifier.

        pictures: uint8 [n, side, side, 3]; labels: int [n]; weights: let classes weigh the same;
        augment: distort what is shown.
        """
        config = Config(class_weights=weights, augment=augment, seed=seed, **self._config)
        return Classifier(image_tagger.fit(pictures, {_HEAD: labels}, self._heads, config,
                                     training=self._training, quiet=True))


class Classifier:
    """A function pictures uint8 [n, h, w, 3] -> probabilities float32 [n, classes]."""

    def __init__(self, trained):
        self._tagger = trained
        self.close = trained.close

    def __call__(self, pictures):
        if not len(pictures):
            return self._tagger.logits(pictures)[_HEAD]
        return self._tagger.probabilities(pictures)[_HEAD]
