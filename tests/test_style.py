"""The written rules of the project, enforced: who imports whom, and what no file may contain."""

import ast
import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
# Which of our own packages the files of a place may import besides their own.
ARROWS = {
    'dnnlib': set(),
    'stylegan': {'dnnlib'},
    'gpt2': {'dnnlib'},
    'catalog': {'dnnlib'},
    'tagger': {'dnnlib', 'catalog'},
    'steering': {'dnnlib', 'stylegan', 'catalog'},  # the catalogue's reader of tables, for labels
    'projection': {'dnnlib', 'stylegan'},
    'rare': {'dnnlib', 'stylegan', 'catalog', 'tagger'},
    'bench': {'dnnlib', 'stylegan', 'gpt2', 'catalog'},
    # One page with what several commands do, so it may use what they use.
    'explore': {'dnnlib', 'stylegan', 'gpt2', 'catalog', 'tagger', 'steering', 'projection'},
}
ARROWS['commands'] = set(ARROWS)
ARROWS['run.py'] = set(ARROWS)
BORDER = 'dnnlib/tflib.py'  # the only file that may name TensorFlow's package
BEHIND = {'dnnlib.tflib', 'dnnlib.parallel', 'dnnlib.runs'}  # what brings TensorFlow along

PRODUCT = [ROOT / 'run.py'] + sorted(
    path for place in ARROWS if place != 'run.py' for path in (ROOT / place).glob('**/*.py'))
TESTS = sorted((ROOT / 'tests').glob('**/*.py'))
PAGES = sorted(ROOT.glob('*.md')) + sorted((ROOT / 'docs').glob('*.md'))


def _name(path):
    return path.relative_to(ROOT).as_posix()


@functools.lru_cache(maxsize=None)
def _text(path):
    return path.read_text(encoding='utf-8')


@functools.lru_cache(maxsize=None)
def _tree(path):
    return ast.parse(_text(path), _name(path))


def _nodes(kinds, paths=PRODUCT):
    """(node, 'file:line') of every node of these kinds."""
    for path in paths:
        for node in ast.walk(_tree(path)):
            if isinstance(node, kinds):
                yield node, f'{_name(path)}:{node.lineno}'


def _imports(tree):
    """Dotted names of everything imported anywhere; `from a import b` gives a and a.b."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, 'relative import'
            found.add(node.module)
            found.update(f'{node.module}.{alias.name}' for alias in node.names)
    return found


def test_there_is_something_to_check():
    assert {_name(path) for path in PRODUCT} >= {
        'run.py', BORDER, 'stylegan/graph.py', 'gpt2/model.py', 'catalog/prune/rules.py'}
    top = {path.parent.name for path in ROOT.glob('*/*.py')} - {'tests'}
    assert top == set(ARROWS) - {'run.py'}, 'a package that these rules do not know'


# --- The map.

def test_imports_follow_the_arrows():
    for path in PRODUCT:
        place = _name(path).split('/')[0]
        ours = {name.split('.')[0] for name in _imports(_tree(path))}
        ours &= set(ARROWS) | {'run', 'tests'}
        assert ours - {place} <= ARROWS[place], _name(path)


def test_the_map_of_the_documentation_shows_the_arrows():
    rows = re.findall(r'^\| `(\w+)` \| ([^|]*) \|', _text(ROOT / 'docs' / 'architecture.md'), re.M)
    shown = {place: set(re.findall(r'`(\w+)`', allowed)) for place, allowed in rows}
    assert rows[-1] == ('commands', 'all of them')
    assert dict(shown, commands=ARROWS['commands']) == {
        place: allowed for place, allowed in ARROWS.items() if place != 'run.py'}


def test_files_that_the_documentation_names_exist():
    for page in PAGES:
        for name in re.findall(r'`((?:[\w-]+/)+[\w-]+\.(?:py|js|html))`', _text(page)):
            assert (ROOT / name).exists(), f'{_name(page)} names {name}'


def test_tests_lie_where_their_modules_lie():
    names = [path.name for path in TESTS]
    assert len(names) == len(set(names)) and not list((ROOT / 'tests').glob('**/__init__.py'))
    places = {_name(path.parent) for path in PRODUCT} | {'.'}
    for path in TESTS:
        assert path.parent.relative_to(ROOT / 'tests').as_posix() in places, _name(path)


# --- TensorFlow.

def test_tensorflow_is_imported_at_one_border():
    for path in PRODUCT:
        named = {name.split('.')[0] for name in _imports(_tree(path))} & {'tensorflow', 'keras'}
        assert named == ({'tensorflow'} if _name(path) == BORDER else set()), _name(path)


def _at_the_top(tree):
    """A tree of the imports alone that stand outside of functions and classes."""
    return ast.Module(body=[node for node in tree.body
                            if isinstance(node, (ast.Import, ast.ImportFrom))], type_ignores=[])


def _reachable(path, part=lambda tree: tree):
    """Our own modules that a file, or a part of each file, imports, as dotted names."""
    waiting, seen = [path], set()
    while waiting:
        for name in _imports(part(_tree(waiting.pop()))):
            source = ROOT / (name.replace('.', '/') + '.py')
            if name not in seen and source.exists():
                seen.add(name)
                waiting.append(source)
    return seen


def test_the_catalogue_brings_no_tensorflow_along():
    for path in sorted((ROOT / 'catalog').glob('**/*.py')):
        assert not _reachable(path) & BEHIND, _name(path)


def test_run_py_loads_tensorflow_only_for_commands_that_need_it():
    loaded = _reachable(ROOT / 'run.py', _at_the_top)
    assert 'commands.training' in loaded and not loaded & BEHIND


# --- What no file may contain.

def test_no_exception_is_caught_whatever_it_is():
    for node, where in _nodes(ast.ExceptHandler):
        assert node.type is not None, where
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {part.id for part in caught if isinstance(part, ast.Name)}
        assert not names & {'Exception', 'BaseException'}, where


def test_no_code_is_hidden():
    for node, where in _nodes(ast.Call):
        called = getattr(node.func, 'id', '')
        assert called not in {'exec', 'eval', '__import__', 'compile'}, where
    for path in PRODUCT:
        assert not {name.split('.')[0] for name in _imports(_tree(path))} & {
            'pickle', 'cPickle', 'dill', 'joblib', 'shelve', 'marshal', 'importlib'}, _name(path)


def test_pickles_stay_closed():
    for node, where in _nodes(ast.Call):
        for keyword in node.keywords:
            if keyword.arg == 'allow_pickle':
                assert getattr(keyword.value, 'value', None) is False, where


def test_randomness_has_a_seed_of_its_own():
    """numpy's global generator and Python's are never used."""
    for path in PRODUCT:
        assert 'random' not in _imports(_tree(path)), _name(path)
    for node, where in _nodes(ast.Attribute):
        if (isinstance(node.value, ast.Attribute) and node.value.attr == 'random'
                and getattr(node.value.value, 'id', '') == 'np'):
            assert node.attr == 'RandomState', where


def test_functions_take_no_mutable_defaults():
    for node, where in _nodes(ast.FunctionDef):
        defaults = node.args.defaults + [d for d in node.args.kw_defaults if d]
        kinds = {type(default) for default in defaults}
        assert not kinds & {ast.List, ast.Dict, ast.Set}, f'{where}: {node.name}'


def test_functions_are_short():
    for node, where in _nodes(ast.FunctionDef):
        last = max(getattr(inner, 'lineno', 0) for inner in ast.walk(node))
        assert last - node.lineno < 60, f'{where}: {node.name}'


def test_lines_are_short_and_clean():
    for path in PRODUCT + TESTS:
        assert _text(path).endswith('\n'), _name(path)
        for number, line in enumerate(_text(path).split('\n'), 1):
            assert len(line) <= 100 and line == line.rstrip() and '\t' not in line, (
                f'{_name(path)}:{number}')


def test_nothing_is_left_to_do():
    for path in PRODUCT:
        assert not re.search(r'\b(TODO|FIXME|XXX|HACK)\b', _text(path)), _name(path)


# --- What every file says.

def test_files_say_what_they_own():
    for path in PRODUCT:
        assert ast.get_docstring(_tree(path)), _name(path)
        if path.name == '__init__.py':
            assert len(_tree(path).body) == 1, f'{_name(path)}: only a docstring'


def _public(tree):
    """(qualified name, node) of each public function, class and method."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith('_'):
            yield node.name, node
            for inner in getattr(node, 'body', []) if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith('_'):
                    yield f'{node.name}.{inner.name}', inner


def test_what_is_public_is_explained_or_plain():
    for path in PRODUCT:
        for name, node in _public(_tree(path)):
            plain = isinstance(node, ast.FunctionDef) and len(node.body) == 1
            assert ast.get_docstring(node) or plain, f'{_name(path)}: {name}'
