// Describe: a text about the product, and whether it agrees with the image.

import {$, make} from './dom.js';
import {complain, current, labour, look, onChange} from './product.js';

const NAME = 'texts';
// item -> {text, words, attempt, agreement, ...}: what was written last
const texts = new Map(JSON.parse(sessionStorage.getItem(NAME) || '[]'));

export const textOf = item => (texts.get(item) || {text: ''}).text;

function showText(text) {
  const runs = text.split('\n').map(line => line.trim()).filter(Boolean);
  const bullet = /^[-*•·–]\s+/;
  $('#text').replaceChildren(...runs.map(line => bullet.test(line)
    ? make('p', {className: 'bullet'}, line.replace(bullet, ''))
    : make('p', {}, line)));
}

const VERDICTS = {true: ['agrees', 'agrees'], false: ['differs', 'says otherwise']};

async function showVerdict(item, {agreement, unjudged}) {
  const {attributes} = await look(item);
  const rows = [...Object.entries(agreement).map(([head, agrees]) => [head, ...VERDICTS[agrees]]),
    ...unjudged.map(head => [head, '', 'not judged: the image is unclear'])];
  $('#verdict tbody').replaceChildren(...rows.map(([head, kind, words]) => make('tr', {},
    make('th', {scope: 'row'}, head), make('td', {}, attributes[head] || 'none'),
    make('td', {className: kind}, words))));
  $('#verdict').hidden = !rows.length;
}

async function write(event) {
  event.preventDefault();
  const {item} = current();
  const words = $('#words').value.trim();
  const before = texts.get(item);
  const attempt = before && before.words === words ? before.attempt + 1 : 0;
  $('#verdict').hidden = true;
  $('#text').setAttribute('aria-busy', 'true');
  const result = await labour('Writing…', 'described', {item, words, attempt}, (kind, facts) => {
    if (kind === 'words') showText(facts.text);
  });
  $('#text').setAttribute('aria-busy', 'false');
  if (!result) return;
  texts.set(item, {...result, words, attempt});
  sessionStorage.setItem(NAME, JSON.stringify([...texts].slice(-200)));
  if (current().item === item) showKnown(current()).catch(complain);
}

async function showKnown({item}) {
  const known = texts.get(item);
  $('#writing button').textContent = known ? 'Write again' : 'Write';
  $('#verdict').hidden = true;
  showText(known ? known.text : '');
  if (known) await showVerdict(item, known);
  const {tags} = await look(item);
  $('#words').placeholder = tags.join(' ');
}

export function start() {
  onChange(entry => showKnown(entry).catch(complain));
  $('#writing').addEventListener('submit', write);
}
