"""Steering: directions in W, edits, style mixing, walks, and projections of real images."""

import dataclasses
import pathlib
import shlex

from commands import inputs
from commands import options as common
from dnnlib import files, knobs
from dnnlib.files import UserError


def directions_options(parser):
    """What `directions` takes."""
    from steering.discover import Discovery
    common.stylegan(parser)
    common.tagger(parser)
    common.out(parser, 'out/directions')
    parser.add_argument('--labels', type=common.path, metavar='labels.csv', help='hand labels as '
                        'well: seed and a column of yes and no, as the page of run.py label saves')
    knobs.add_flags(parser, Discovery)


def directions(options):
    """Find directions in W that change one attribute, and measure what else they change."""
    from dnnlib import images, progress, runs
    from steering import directions, discover, entangle, hand_labels
    from stylegan import labelled
    config = knobs.from_flags(discover.Discovery(), options)
    by_hand = hand_labels.read(options.labels) if options.labels else {}
    discover.check_hand_labels(by_hand)
    gan, tagger, models = _generator_and_tagger(options, config.threads)
    sample = labelled.cached(options.out / 'tagged.npz', gan, tagger, count=config.count,
                             psi=config.psi, seed=config.seed, models=models)
    probe = entangle.Probe(gan, tagger, sample, config.probes, config.seed)
    found, figures = entangle.study_all(probe, discover.find(gan, sample, by_hand, config))
    directions.save(options.out / 'directions.npz', found, dict(models, made=runs.provenance()))
    origin = runs.origin_of(stylegan=gan.path.name, psi=config.psi, seed=config.seed)
    names = entangle.file_names(found)
    for name, direction in zip(names, progress.bar(found, what='strips', unit='direction',
                                                   leave=False)):
        images.write_png(options.out / 'strips' / f'{name}.png',
                         entangle.strip(gan, sample, direction),
                         dict(origin, direction=direction.name))
    print(entangle.write(options.out, found, figures))
    print(f"done: look at {options.out / 'strips'}; now try: python run.py edit --help")


def _generator_and_tagger(options, threads):
    """The generator, the tagger of its images, and {name: fingerprint} of both."""
    from stylegan.generator import Generator
    from tagger.image_tagger import ImageTagger
    gan = Generator(inputs.stylegan(options), threads)
    tagger = ImageTagger(inputs.tagger(options), threads)
    return gan, tagger, fingerprints(gan, tagger)


def fingerprints(gan, tagger):
    """{name: fingerprint} of a Generator and an ImageTagger, as directions are found for both."""
    return {'stylegan': inputs.fingerprint(gan.w_avg.tolist()),
            'tagger': inputs.fingerprint(sorted(tagger.about.items()))}


def label_options(parser):
    """What `label` takes."""
    common.stylegan(parser)
    common.threads(parser)
    common.psi(parser)
    common.out(parser, 'out/label')
    parser.add_argument('--name', required=True, help='name of the label, such as elegant or '
                        '"sleeve=long sleeves"')
    parser.add_argument('--count', type=knobs.number(int, 1), default=200,
                        help='images (default 200)')
    parser.add_argument('--seed', type=knobs.seed, default=0,
                        help='the first of their seeds (default 0)')


def label(options):
    """Make a page on which you label images yes or no, for directions --labels."""
    from dnnlib import runs
    from steering import hand_labels
    from stylegan import generator
    gan = generator.Generator(inputs.stylegan(options), options.threads)
    seeds = common.seeds(options.seed, options.count)
    pictures = gan.pictures(gan.truncate(gan.w(gan.seeded(seeds)), options.psi, gan.layers))
    hand_labels.write(options.out, options.name, pictures, seeds=seeds, psi=options.psi,
                      origin=runs.origin_of(stylegan=gan.path.name))
    same = f' --stylegan {shlex.quote(str(options.stylegan))}' if options.stylegan else ''
    print(f"done: open {options.out / 'index.html'}, then: "
          f'python run.py directions --labels labels.csv{same}')


def edit_options(parser):
    """What `edit` takes."""
    from steering.edit import Search
    common.stylegan(parser)
    common.tagger(parser)
    common.out(parser, 'out/edit')
    parser.add_argument('--seed', default='0', metavar='SEEDS|FILE', help='what to edit: 7, 1,5,9 '
                        'or 0-7, or an .npz with w or ws, as run.py project writes it (default 0)')
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE',
                        help='a value that the image should show; may be repeated')
    parser.add_argument('--direction', action='append', default=[], metavar='NAME=STRENGTH',
                        help='a direction to move along, such as pca3=+2; may be repeated')
    parser.add_argument('--layers', default='', help='for --direction: coarse, middle, fine, all '
                        'or numbers such as 0-3 (default: those of each direction)')
    parser.add_argument('--directions', type=common.path, default=pathlib.Path('out/directions'),
                        help='folder that run.py directions has written (default out/directions)')
    common.judge(parser, 'for --measure')
    parser.add_argument('--measure', type=knobs.number(int, 0), default=0, metavar='N',
                        help='instead, try N edits of random seeds and plausible values; print how '
                        'many worked')
    knobs.add_flags(parser, Search)


def edit(options):
    """Edit an image so that it shows a given attribute, or move it along directions."""
    from dnnlib import images, runs
    from steering import directions, edit
    from stylegan import figures, latent
    config = knobs.from_flags(edit.Search(), options)
    targets = edit.parse_values(options.set)
    if not (targets or options.direction or options.measure):
        raise UserError('there is nothing to change; add --set NAME=VALUE or --direction '
                        'NAME=STRENGTH, such as: python run.py edit --seed 7 '
                        '--set "sleeve=long sleeves"')
    if options.measure and (targets or options.direction):
        raise UserError('--measure chooses values itself; leave --set and --direction out')
    gan, tagger, models = _generator_and_tagger(options, config.threads)
    sample, known = directions.load_all(options.directions, models, len(gan.w_avg))
    editor = edit.Editor(gan, tagger, sample, known, config)
    if options.measure:
        _measure_edits(options, editor, models)
        return
    moves = edit.parse_moves(options.direction, known, options.layers)
    edits = [editor.edit(ws, targets, moves)
             for ws in latent.styles(gan, options.seed, config.psi)]
    origin = runs.origin_of(stylegan=gan.path.name, seed=options.seed, psi=config.psi,
                            edit='; '.join(options.set + options.direction))
    strips = [gan.pictures(edit.interpolated(each)) for each in edits]
    images.write_png(options.out / 'strip.png', figures.strips(strips), origin)
    for index, each in enumerate(edits):
        images.write_png(options.out / f'edited-{index}.png',
                         gan.pictures(each.ws[None])[0], origin)
        print(edit.report(each, targets))
    latent.save(options.out / 'edited.npz', [each.ws for each in edits])
    print(f"done: open {options.out / 'strip.png'}")


def _measure_edits(options, editor, models):
    """Try random edits, print how many worked, and keep the figures in measure.json."""
    from dnnlib import runs
    from steering import edit_check
    from stylegan import latent
    config, judge = editor.config, inputs.judge(options, editor.config.threads)
    judge = judge if judge and judge.heads == editor.tagger.heads else None
    models = dict(models, config=dataclasses.asdict(config),
                  judge=inputs.fingerprint(sorted(judge.about.items())) if judge else '',
                  directions=[files.digest(options.directions / name)
                              for name in ('directions.npz', 'tagged.npz')])
    result = edit_check.measure(
        editor, options.out / 'measure.jsonl', count=options.measure, psi=config.psi,
        seed=latent.seeds(options.seed)[0], judge=judge, models=models)
    judged = edit_check.judged(result)
    files.write_json(options.out / 'measure.json', dict(
        made=runs.provenance(), summary=edit_check.summary(result),
        judged=judged and edit_check.summary(judged)))
    print(edit_check.table(result))


def mix_options(parser):
    """What `mix` takes."""
    common.stylegan(parser)
    common.threads(parser)
    common.psi(parser)
    common.out(parser, 'out/mix')
    parser.add_argument('--from', dest='source', required=True, metavar='SEEDS|FILE',
                        help='sources of styles: 7, 1,5,9 or 0-7, or an .npz with w or ws')
    parser.add_argument('--onto', required=True, metavar='SEEDS|FILE',
                        help='targets, which get these styles')
    parser.add_argument('--layers', default='middle', help='which of them: coarse, middle, fine, '
                        'all, or numbers such as 0-3 (default middle)')
    parser.add_argument('--frames', type=knobs.number(int, 1), default=60,
                        help='frames per stop (default 60)')


def mix(options):
    """Mix styles of some images into others: a grid of all pairs, and the three-panel video."""
    from dnnlib import images, runs, video
    from steering import walks
    from stylegan import figures, generator, latent
    gan = generator.Generator(inputs.stylegan(options), options.threads)
    sources, targets = [latent.styles(gan, text, options.psi)
                        for text in (options.source, options.onto)]
    band = latent.band(options.layers, gan.layers)
    origin = runs.origin_of(
        stylegan=gan.path.name, psi=options.psi,
        mix=f'{options.source} onto {options.onto}, layers {options.layers}')
    images.write_png(options.out / 'mix.png', figures.mixes(gan, sources, targets, band), origin)
    video.write_mp4(options.out / 'mix.mp4', figures.three_panels(
        gan, walks.mixing(sources, targets, options.frames), band), origin=origin)
    latent.save(options.out / 'mix.npz', [
        latent.mixed(target[None], source[None], band)[0] for target in targets
        for source in sources])
    print(f"done: open {options.out / 'mix.png'}")


def walk_options(parser):
    """What `walk` takes."""
    from steering.walks import Walk
    common.stylegan(parser)
    common.tagger(parser)
    common.out(parser, 'out/walk')
    common.threads(parser)
    stops = parser.add_mutually_exclusive_group()
    stops.add_argument('--seeds', default='0-5', help='where to stop: 1,5,9 or 0-5 (default 0-5)')
    stops.add_argument('--keys', type=common.path, metavar='FILE.npz', help='stops with w or ws '
                       'instead, as run.py project writes them')
    knobs.add_flags(parser, Walk)


def walk(options):
    """Make a video of a latent walk, from image to image and back to the first."""
    from dnnlib import runs, video
    from steering import walks
    from stylegan import generator
    config, tagger = knobs.from_flags(walks.Walk(), options), None
    if config.constant_speed == 'tagger':
        from tagger.image_tagger import ImageTagger
        tagger = ImageTagger(inputs.tagger(options), options.threads)
    gan = generator.Generator(inputs.stylegan(options), options.threads)
    stops = walks.stops(gan, options.seeds, options.keys, config)
    t = walks.times(gan, stops, config, tagger)
    origin = runs.origin_of(stylegan=gan.path.name, psi=config.psi,
                            walk=options.keys or options.seeds)
    video.write_mp4(options.out / 'walk.mp4', walks.frames(gan, stops, t, config), fps=config.fps,
                    origin=origin)
    if config.gif:
        video.write_gif(options.out / 'walk.gif', walks.frames(gan, stops, t[::2], config),
                        fps=config.fps / 2, origin=origin)
    print(f"done: open {options.out / 'walk.mp4'}")


def project_options(parser):
    """What `project` takes."""
    from projection.config import Projection
    common.stylegan(parser)
    parser.add_argument('images', nargs='*', type=common.path, metavar='IMAGE',
                        help='images to project (default: some of --data)')
    common.out(parser, 'out/project')
    parser.add_argument('--data', type=common.path, help='a catalogue to take images from '
                        '(default: the demo)')
    parser.add_argument('--category', default='', help='only those of this category, or with this '
                        'value of any attribute')
    parser.add_argument('--where', default='', metavar='HEAD=VALUE,...',
                        help='only those that are all of this')
    parser.add_argument('--count', type=knobs.number(int, 1), default=12,
                        help='how many of the catalogue, the first ones (default 12)')
    common.fit(parser)
    parser.add_argument('--vgg', type=common.path, metavar='FILE.npz', help='compare by the '
                        'features of this VGG16, arrays conv1_1_W, conv1_1_b, ... (default: by '
                        'pixels and edges at several sizes)')
    parser.add_argument('--mix', type=knobs.number(int, 0), default=0, metavar='N',
                        help='make N new ones out of what was found, mixed.png (default 0)')
    parser.add_argument('--self-test', type=knobs.number(int, 0), default=0, metavar='N',
                        help='project N generated images, whose w is known, and N real '
                        'ones of --data, and compare the results')
    knobs.add_flags(parser.add_argument_group('search'), Projection)


def project(options):
    """Project images: find the w that reproduces each; run it again to resume."""
    from dnnlib import runs
    from projection import results, search
    from projection.config import Projection
    from stylegan import generator
    config = knobs.from_flags(Projection(), options)
    gan = generator.Generator(inputs.stylegan(options), config.threads)
    targets = _targets(options, gan.res)
    if options.mix and len(targets) + options.self_test < 2:
        raise UserError('--mix needs at least two images; give more, or leave it out')
    projector = search.Projector(gan, config, options.vgg)
    origin = runs.origin_of(stylegan=gan.path.name, seed=config.seed)
    if options.self_test:
        targets, found, figures = results.self_test(
            options.out, gan, projector, targets, count=options.self_test, seed=config.seed,
            origin=origin)
        files.write_json(options.out / 'self-test.json', figures)
        print(results.self_test_report(figures))
    else:
        found = results.project(options.out, targets, gan, projector, origin)
        print(results.report(targets, found))
    results.write_all(options.out, targets, found, origin)
    if options.mix:
        results.write_mixed(options.out, gan, found, options.mix, config.seed, origin)
    print(f"done: open {options.out / ('mixed.png' if options.mix else 'all.png')}")


def _targets(options, side):
    """The images to project as {name: uint8 [side, side, 3]}: files named, or of a catalogue."""
    from dnnlib import images
    from projection import results
    paths, most, found = options.images, options.self_test or options.count, {}
    for path in paths:
        if path.is_dir():
            raise UserError(f'{path} is a folder; to take images from it, type --data '
                            f'{shlex.quote(str(path))}')
    if paths and (options.data or options.category or options.where or options.self_test):
        raise UserError('--data, --category, --where and --self-test choose from a catalogue; '
                        'give them or images, not both')
    if not paths:
        products = inputs.pictured(options.data)
        if options.category or options.where:
            from tagger import target_class
            products = target_class.chosen(products, options.category, options.where)
        paths = [product.image for product in products]
    for name, path in zip(results.names(paths), paths):
        try:
            found[name] = images.square(images.open_rgb(path), side, options.fit)
        except images.Unreadable:
            if options.images:
                raise
        if not options.images and len(found) == most:
            break
    if not found:
        raise UserError(f'not one of the {len(paths)} images can be read')
    return found
