"""Texts alone: write some, export the model that writes them, measure it."""

import contextlib
import shlex

from commands import inputs
from commands import options as common
from dnnlib import files, knobs, lock
from dnnlib.files import UserError


def text_options(parser):
    """What `text` takes."""
    prompts = parser.add_mutually_exclusive_group()
    prompts.add_argument('--prompt', '--context', default='', help='attributes in plain words, '
                         'category last; or the first words, for a model trained without tags')
    prompts.add_argument('--prompts', type=common.path, metavar='FILE', help='prompts, one a '
                         'line; or a .csv with --tag-columns, one a row')
    prompts.add_argument('--interactive', action='store_true', help='ask for prompt after prompt; '
                         'an empty line ends it')
    parser.add_argument('--tag-columns', default='', help='columns of --prompts that make a '
                        'prompt, comma-separated, category last')
    parser.add_argument('--count', type=knobs.number(int, 1), default=4,
                        help='texts per prompt (default 4)')
    parser.add_argument('--json', type=common.file, metavar='OUT.jsonl', help='also write prompt, '
                        'text, seed, finish, tokens and log-probability, one sample a line')
    common.shard(parser)
    parser.add_argument('--keep-prompt', action='store_true', help='print the prompt as well')
    common.writing(parser)


def text(options):
    """Generate product descriptions, with or without prompts."""
    from catalog import source
    from gpt2.config import Sampling
    from gpt2.write import Writer, converse, json_lines, report
    sampling = knobs.from_flags(Sampling(), options)
    columns = common.listed(options.tag_columns)
    if columns and not options.prompts:
        raise UserError('--tag-columns names columns of a table; add --prompts FILE.csv')
    if options.interactive and options.json:
        raise UserError('--json goes with --prompt and --prompts, not with --interactive')
    if options.interactive and not options.shard.whole():
        raise UserError('--shard goes with --prompt and --prompts, not with --interactive')
    writer = Writer(inputs.gpt2(options), sampling.threads, sampling.int8)
    if options.interactive:
        converse(writer, sampling, options.count)
        return
    wanted = source.read_prompts(options.prompts, columns) if options.prompts else [options.prompt]
    repeated = [prompt for prompt in wanted for _ in range(options.count)]
    first, last = options.shard.range(len(repeated))
    seeds = common.seeds(sampling.seed, len(repeated))[first:last]
    if options.json:
        common.check_part(options.shard, options.json, seeds)
    with lock.new(options.json) if options.json else contextlib.nullcontext():
        samples = writer.samples(repeated[first:last], seeds=seeds, sampling=sampling)
        if options.json:
            files.write_text(options.json, json_lines(samples))
    texts = [writer.joined(sample) if options.keep_prompt else sample.text for sample in samples]
    print(report(texts, first + 1), end='')


def export_options(parser):
    """What `export` takes."""
    common.gpt2(parser)
    parser.add_argument('--to', choices=['released', 'transformers'], required=True,
                        help='for which programs')
    parser.add_argument('--out', type=common.path, required=True, help='new folder to write')


def export(options):
    """Export a text model for other programs: as GPT-2 was released, or for `transformers`."""
    from gpt2 import formats, snapshots
    formats.export(snapshots.read(inputs.gpt2(options)), options.out, options.to)
    print(f'done: the model is in {options.out}; to try it: '
          f'python run.py text --gpt2 {shlex.quote(str(options.out))}')


def check_text_options(parser):
    """What `check-text` takes."""
    common.data(parser, 'the catalogue it was trained on (default: the demo, drawn on first use)')
    parser.add_argument('--count', type=knobs.number(int, 1), default=200,
                        help='texts per test (default 200)')
    common.writing(parser)


def check_text(options):
    """Measure a demo text model: are its texts consistent, as prompted, and not memorised?"""
    from catalog import source
    from catalog.demo import words
    from gpt2.config import Sampling
    from gpt2.write import Writer
    sampling = knobs.from_flags(Sampling(), options)
    writer = Writer(inputs.gpt2(options), sampling.threads, sampling.int8)
    products = source.read(options.data or inputs.demo_drawn())
    seeds = common.seeds(sampling.seed, options.count)
    tags = words.random_prompts(options.count, sampling.seed)
    print(words.check_report(
        writer.texts([''] * options.count, seeds=seeds, sampling=sampling), tags,
        writer.texts([' '.join(each) for each in tags], seeds=seeds, sampling=sampling),
        [product.description for product in products]))
