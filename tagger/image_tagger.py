"""The picture tagger: what category and attributes a picture shows, with calibrated probabilities.

The stand-in for a shop's own taxonomy service. `fit` trains one from arrays, `Tagger` reads one
from an `.npz`: the variables of `tagnet` as float16, and `about`, a JSON text with the heads, the
config, the temperatures and what made it.
"""

import dataclasses

import numpy as np

from tagger import labels as catalogue_labels
from tagger import calibration, combinations, net
from tagger.config import Config
from dnnlib import archive, images, knobs, progress
from dnnlib.files import UserError
from dnnlib.runs import Interrupted

_FORMAT = 'picture-tagger'
_SAVE_EVERY = 200  # updates


def _rate(step, config):
    """Step size of the update after `step` updates: a short rise, then half a wave of a cosine."""
    rise = min(1.0, (step + 1) / (0.05 * config.steps + 1))
    return config.learning_rate * rise * (0.5 + 0.5 * np.cos(np.pi * step / config.steps))


def sample(count, step, config):
    """Which pictures the update after `step` updates looks at: passes in ever new order."""
    places = np.arange(step * config.batch, (step + 1) * config.batch)
    orders = {turn: np.random.RandomState([config.seed, 43, int(turn)]).permutation(count)
              for turn in np.unique(places // count)}
    return np.array([orders[place // count][place % count] for place in places])


def weigh(labels, heads, config, sample_weights):
    """How much each picture counts in each head: {head: float32 [n]}."""
    weights = {}
    for name, values in heads.items():
        weights[name] = (labels[name] >= 0).astype(np.float32)
        if config.class_weights:
            each = catalogue_labels.class_weights(labels[name], len(values))
            weights[name] *= each[np.maximum(labels[name], 0)]
        if sample_weights is not None:
            weights[name] = weights[name] * np.asarray(sample_weights, np.float32)
    return weights


def _update(training, pictures, labels, weights, config, step):
    """The update after `step` updates. Raises UserError if its loss is no number."""
    chosen = sample(len(pictures), step, config)
    loss = training.step(
        pictures[chosen], {name: np.maximum(known[chosen], 0) for name, known in labels.items()},
        {name: each[chosen] for name, each in weights.items()}, rate=_rate(step, config),
        how=net.distortions(len(chosen), config.augment,
                               np.random.RandomState([config.seed, 44, step])))
    if not np.isfinite(loss):
        raise UserError('the loss became %s at update %d; try a smaller --learning-rate'
                        % (loss, step + 1))
    return loss


def _train(training, pictures, labels, weights, config, *, run, quiet):
    """Train a `tagnet.Training`, from its beginning or a run's checkpoint -> name -> array."""
    step = training.start(config.seed, run and run.latest())
    with progress.bar(total=config.steps, initial=step, what='tagger', unit='step',
                      disable=quiet) as bar:
        while step < config.steps and not (run and run.stopping):
            loss = _update(training, pictures, labels, weights, config, step)
            step += 1
            if run and (run.stopping or step % _SAVE_EVERY == 0 or step == config.steps):
                run.save(training.session, step)
            bar.set_postfix(loss=f'{loss:.3f}', refresh=False)
            bar.update()
    if step < config.steps:
        raise Interrupted('%s is saved at update %d; run the same command again to go on'
                          % (run.folder, step))
    return training.values()


class Tagger:
    """A trained tagger, ready to look at pictures; `close` ends its session.

    path: an `.npz` that `save` wrote. threads: CPU threads, 0 takes all.
    Attributes: heads {name: (value, ...)}, side (pixels), about (dict). Raises UserError.
    """

    def __init__(self, path, threads=0):
        with archive.reading(path, 'picture tagger of this program', 'give the path of a '
                             'tagger.npz, as run.py train-tagger writes it') as values:
            about = archive.about(values)
            if about['format'] != _FORMAT:
                raise ValueError(f"it is a {about['format']}")
            self._open(values, about, threads)

    @classmethod
    def of(cls, values, about, threads=0):
        """A tagger from variables and what is known about them, see `fit`."""
        tagger = cls.__new__(cls)
        tagger._open(values, about, threads)
        return tagger

    def _open(self, values, about, threads):
        self.about, self.values = about, values
        self.heads = {name: tuple(known) for name, known in about['heads']}
        config = knobs.from_dict(Config, about['config'])
        self.side, self._net = config.side, net.Use(self.heads, config, values, threads)

    def _seen(self, pictures):
        """Pictures of any square size as the network takes them."""
        pictures = np.asarray(pictures)
        if pictures.shape[1:3] != (self.side, self.side):
            pictures = np.stack([images.square(picture, self.side) for picture in pictures])
        return pictures

    def logits(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> {head: float32 [n, values]}, before the temperature."""
        return {name: values + np.float32(self.about['offsets'][name])
                for name, values in self._net(self._seen(pictures))[1].items()}

    def probabilities(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> {head: float32 [n, values]}, calibrated."""
        found = {name: calibration.softmax(values, self.about['temperatures'][name])
                 for name, values in self.logits(pictures).items()}
        return {name: values.astype(np.float32) for name, values in found.items()}

    def features(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> float32 [n, d], of the layer before the heads."""
        return self._net(self._seen(pictures))[0]

    def tags(self, pictures):
        """The likeliest values that go together: list of {head: (value, probability)}."""
        return combinations.decode(self.probabilities(pictures), self.heads,
                                   self.about['impossible'])

    def close(self):
        """End the session; the tagger cannot look at anything after that."""
        self._net.close()


def _calibrate(tagger, pictures, truth, weighed):
    """Set the temperatures of a tagger, and the offsets of the heads whose values were `weighed`
    by their frequency in these training labels."""
    logits = tagger.logits(pictures)
    for name, values in tagger.heads.items():
        counts = np.bincount(weighed[name][weighed[name] >= 0], minlength=len(values)) + 0.5 if (
            name in weighed) else np.ones([len(values)])
        rarity = np.log(counts / counts.max())
        part, warmth = calibration.share(logits[name], truth[name], rarity)
        tagger.about['temperatures'][name] = warmth
        tagger.about['offsets'][name] = (part * rarity).round(4).tolist()


def fit(pictures, labels, heads, config=Config(), *, validation=None, sample_weights=None,
        training=None, run=None, quiet=False):
    """Train a tagger from arrays -> Tagger.

    pictures:       uint8 [n, side, side, 3], n > 0.
    labels:         {head: int [n]}, UNKNOWN where it teaches nothing.
    validation:     (pictures, labels) by which the probabilities are calibrated, or None.
    sample_weights: float [n], how much each picture counts, or None for 1.
    run:            dnnlib.runs.Run to save in and to continue, or None: it takes a few minutes.
    training:       an entered `tagnet.Training` of the same heads and sizes to use again, without
                    a run; or None.
    quiet:          no progress bar.
    Raises Interrupted if the run was asked to stop, when everything has been saved.
    """
    assert pictures.shape[1:] == (config.side, config.side, 3), pictures.shape
    labels = {name: labels[name] for name in heads}
    weights = weigh(labels, heads, config, sample_weights)
    if training is None:
        with net.Training(heads, config) as training:
            if run:
                run.prepare_saving()
            values = _train(training, pictures, labels, weights, config, run=run, quiet=quiet)
    else:
        values = _train(training, pictures, labels, weights, config, run=None, quiet=quiet)
    about = {'format': _FORMAT, 'heads': [[name, list(known)] for name, known in heads.items()],
             'config': dataclasses.asdict(config), 'temperatures': dict.fromkeys(heads, 1.0),
             'offsets': {name: [0.0] * len(known) for name, known in heads.items()},
             'impossible': combinations.impossible(labels, heads)}
    tagger = Tagger.of(values, about, config.threads)
    if validation is not None and len(validation[0]):
        _calibrate(tagger, *validation, labels if config.class_weights else {})
    return tagger


def save(path, tagger, **made):
    """Write a Tagger as an `.npz`. made: JSON-able facts for its `about`."""
    archive.write(path, {name: value.astype(np.float16) for name, value in tagger.values.items()},
                  dict(tagger.about, **made))
