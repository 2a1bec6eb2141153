"""What a person can do on the page, in terms of the other packages.

Everything here runs in the worker's thread. For equal seeds and settings it gives what the commands
write: `wall` the images of `run.py samples`, `edited` those of `run.py edit`, and so on.
"""

import dataclasses
import time

import numpy as np

from dnnlib import images, runs
from dnnlib.files import UserError
from explore.items import Store, item
from gpt2.config import Sampling
from gpt2.write import Writer, redraw_seed, redrawn
from projection.config import Projection
from projection.search import Projector
from steering import directions, edit, edit_check, walks
from stylegan import generator, latent
from tagger.agreement import Comparison, ProductTagger

STRONGEST = 4.0  # units that a slider goes to, both ways
# Within 20 seconds.
PROJECTION = Projection(starts=1, steps=120, candidates=400, newton=4, frames=0)
_FIRST_TOKENS = 10  # of a text that is shown while it grows
_ADAM = 3  # images that a step of Adam, forward and backward, takes the time of
_SHOWN_EVERY = 0.6  # seconds between two images of a projection


class Generator(generator.Generator):
    """A generator that gives way: it calls `between()` before each chunk of images."""

    def __init__(self, path, threads, between):
        super().__init__(path, threads)
        self._between = between

    def images(self, ws):
        """As its base, with the same bits: in the same chunks."""
        parts = []
        for i in range(0, len(ws), generator.CHUNK):
            self._between()
            parts.append(super().images(ws[i:i + generator.CHUNK]))
        return np.concatenate(parts)


class Studio:
    """The models, and what is done with them.

    stylegan, gpt2, tagger: the paths of the models. threads: CPU threads, 0 takes all.
    between: called many times a second by whatever takes long, see `Worker.between`.
    Attributes: gan, taggers, writer, store; editor and catalogue (a library.Library), None until
    they are there.
    """

    def __init__(self, stylegan, gpt2, tagger, threads, between):
        self._between, self._threads = between, threads
        self.gan = Generator(stylegan, threads, between)
        self.taggers = ProductTagger(tagger, threads)
        self.store, self.editor, self.catalogue = Store(), None, None
        self.writer = Writer(gpt2, threads)
        self._projector = None
        self._origin = runs.origin_of(stylegan=self.gan.path.name)

    # --- Images.

    def png(self, ws, origin):
        """The PNG of styles [layers, w], as bytes; it tells its origin."""
        return images.png(self.gan.pictures(ws[np.newaxis])[0], dict(self._origin, **origin))

    def wall(self, seeds, psi):
        """The Items of seeds at truncation psi; their images are drawn at once."""
        styles = self.gan.truncate(self.gan.w(self.gan.seeded(seeds)), psi)
        made = [item(ws, seed=seed, psi=psi) for seed, ws in zip(seeds, styles)]
        return [self.store.put(each, images.png(picture, dict(self._origin, **each.origin)))
                for each, picture in zip(made, self.gan.pictures(styles))]

    def picture(self, name):
        """The PNG of an item. Raises items.Gone."""
        held = self.store.get(name)
        png = self.store.png(name) or self.png(held.ws, held.origin)
        self.store.put(held, png)
        return png

    def drawn(self, ws, origin):
        """The Item of styles [layers, w], with its image."""
        new = item(ws, **origin)
        return self.store.put(new, self.png(ws, origin))

    def seen(self, name):
        """What the tagger sees in an item's image, a dict for the page.

        attributes, probabilities, tags: see tagger.agreement.Prediction. possible: the values of
        each visible head that an edit can reach, {head: [value, ...]}; {} without directions.
        """
        held = self.store.get(name)
        predicted, = self.taggers.describe(self.gan.pictures(held.ws[np.newaxis]))
        possible = {}
        if self.editor:
            sample = self.editor.sample
            possible, first = {head: [] for head in self.editor.heads}, next(iter(sample.heads))
            possible[first] = [value for index, value in enumerate(sample.heads[first])
                               if (sample.values[first] == index).sum() >= edit_check.FEWEST]
            for head, value in edit_check.plausible_values(sample, predicted.attributes):
                possible[head].append(value)
        return dict(predicted._asdict(), possible=possible, origin=held.origin)

    # --- Changes.

    def learn(self, folder, models):
        """Read what `run.py directions` has found for these models, which edits and sliders need.

        models: see `directions.load_all`. Raises UserError.
        """
        sample, known = directions.load_all(folder, models, len(self.gan.w_avg))
        self.editor = edit.Editor(self.gan, self.taggers.images, sample, known)

    def _along(self, name, moves):
        """(Item, its styles moved). moves: {direction: strength}. Raises UserError."""
        held = self.store.get(name)
        if not moves:
            return held, held.ws
        if self.editor is None:
            raise UserError('the directions are not found yet; wait a moment')
        for direction, strength in moves.items():
            if not (isinstance(strength, (int, float)) and abs(strength) <= STRONGEST):
                raise UserError(f"'{direction}' can be moved by up to {STRONGEST:g}")
        known = [directions.named(self.editor.directions, direction) for direction in moves]
        return held, self.editor.along(held.ws, [
            (direction, moves[direction.name], direction.band) for direction in known])

    def moved_png(self, name, moves):
        """The PNG of an item moved along directions, which is not kept."""
        held, ws = self._along(name, moves)
        return self.png(ws, _edited(held.origin, _described(moves)))

    def moved(self, name, moves):
        """The Item moved along directions: {direction: strength in units}. Raises UserError."""
        held, ws = self._along(name, moves)
        if not moves:
            return held
        return self.store.put(item(ws, **_edited(held.origin, _described(moves))))

    def edited(self, name, head, value):
        """An item changed so that its image shows a value -> (Item, did it succeed).

        Raises UserError.
        """
        held = self.store.get(name)
        if self.editor is None:
            raise UserError('the directions are not found yet; wait a moment')
        origin = _edited(held.origin, f'{head}={value}')
        found = self.editor.edit(held.ws, {head: value})
        return self.drawn(found.ws, origin), found.shown[head] == value

    def mixed(self, source, target):
        """The styles of a source laid on a target: {band: Item} for coarse, middle and fine."""
        source, target = self.store.get(source), self.store.get(target)
        made = {}
        for band, layers in latent.bands(self.gan.layers).items():
            ws = latent.mixed(target.ws[np.newaxis], source.ws[np.newaxis], layers)[0]
            caption = f'{_short(source)} onto {_short(target)}, layers {band}'
            made[band] = self.store.put(item(ws, mix=caption))
        return made

    def _between_two(self, first, last, t):
        first, last = self.store.get(first), self.store.get(last)
        ws = walks.straight([first.ws, last.ws], False, [t])[0]
        return ws, {'walk': f'{_short(first)} to {_short(last)}, at {t:.3f}'}

    def walked_png(self, first, last, t):
        """The PNG at t, 0 to 1, of the way from one item to another; it is not kept."""
        return self.png(*self._between_two(first, last, t))

    def walked(self, first, last, t):
        """The Item at t, 0 to 1, of the way from one item to another."""
        ws, origin = self._between_two(first, last, t)
        return self.store.put(item(ws, **origin))

    # --- Texts.

    def described(self, name, words, attempt, report):
        """Write about an item -> a dict of text, prompt, seed, agreement and unjudged.

        words: what the text is to be about; '': the tags of the image. attempt: 0, 1, ... for
        another text each. report: called with the text so far. Raises UserError.
        """
        held = self.store.get(name)
        predicted, = self.taggers.describe(self.gan.pictures(held.ws[np.newaxis]))
        prompt = words or ' '.join(predicted.tags)
        seed = redraw_seed(held.origin.get('seed', 0), attempt)
        count = _FIRST_TOKENS
        while True:  # a longer text of the same seed begins as a shorter one does
            sample, = self.writer.samples([prompt], seeds=[seed], sampling=dataclasses.replace(
                redrawn(Sampling(), attempt), max_tokens=count))
            report(sample.text)
            if sample.finish == 'end' or sample.tokens < count:
                break
            self._between()
            count *= 4
        return dict(self.taggers.check(predicted, sample.text)._asdict(), text=sample.text,
                    prompt=prompt, seed=seed)

    def picked(self, names, texts):
        """Everything that `tray.save` takes about items with their texts: list of dicts."""
        held = [self.store.get(name) for name in names]
        seen = self.taggers.describe(self.gan.pictures(np.stack([each.ws for each in held])))
        verdicts = [self.taggers.check(predicted, text) if text else Comparison({}, [])
                    for predicted, text in zip(seen, texts)]
        return [dict(predicted._asdict(), item=each, png=self.picture(each.name), text=text,
                     prompt='', **verdict._asdict())
                for each, text, predicted, verdict in zip(held, texts, seen, verdicts)]

    # --- Real images.

    def projected(self, picture, target, report):
        """The Item that reproduces an image, with the search of `run.py project`.

        picture: uint8 [res, res, 3]; target: its name. report: called with the fraction done and
        every second with the name of the Item so far, else ''.
        """
        if self._projector is None:
            self._projector = Projector(
                self.gan, dataclasses.replace(PROJECTION, threads=self._threads),
                between=self._between)
        newton = len(self.gan.w_avg)  # images of a Gauss-Newton step
        adam = PROJECTION.candidates + _ADAM * PROJECTION.steps
        total = adam + newton * PROJECTION.newton
        done, shown = 0, time.time()

        def advance(images, ws):
            nonlocal done, shown
            done, name = done + images, ''
            if time.time() - shown >= _SHOWN_EVERY:
                name, shown = self.drawn(ws[0], {'target': target}).name, time.time()
            report(min(1, done / total), name)

        def on_steps(count, ws):
            advance(_ADAM if done < adam else newton, ws)
        features = self._projector.features(picture[np.newaxis])
        starts = self._projector.starts(features, advance)
        found = self._projector.search(picture[np.newaxis], starts, on_steps)
        return self.drawn(found.ws[0], {'target': target})

    def neighbours(self, name, category, colour, count):
        """The catalogue's products most like an item: list of (index, similarity).

        See `library.Library.nearest`. Raises UserError while the catalogue is being read.
        """
        if self.catalogue is None:
            raise UserError('the catalogue is still being read; wait a moment')
        pictures = self.gan.pictures(self.store.get(name).ws[np.newaxis])
        return self.catalogue.nearest(pictures, self.taggers.images, category, colour, count)


def _described(moves):
    return '; '.join(f'{direction}={strength:+g}' for direction, strength in moves.items())


def _edited(origin, words):
    """An origin after one more edit."""
    return dict(origin, edit='; '.join(filter(None, [origin.get('edit'), words])))


def _short(made):
    """An item in few words, such as its seed."""
    plain = set(made.origin) == {'seed', 'psi'}
    return str(made.origin['seed']) if plain else made.name
