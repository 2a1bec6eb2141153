// The product that is looked at: its history, its image, and what the tagger sees in it.

import {$, make} from './dom.js';
import {Follower, get, picture, work} from './server.js';

const listeners = [];
const seen = new Map();  // item -> what the tagger sees, a promise
let entries = [];  // {item, caption, base, moves, head}: the last two are of sliders and of edits
let at = -1;
let opened = 0;  // counts the products opened: an answer for an earlier one is not shown
let busy = null;  // the AbortController of the work in progress

export const current = () => entries[at];
export const recent = [];  // {item, caption} of products that were opened, the newest first
export const onChange = listener => listeners.push(listener);

export function say(sentence) {
  const place = $('body > .said');
  place.textContent = sentence;
  place.hidden = !sentence;
}

export const complain = error => {
  if (error.name !== 'AbortError') say(error.message);
};

export const follower = new Follower($('#picture'), complain);

// What the tagger sees in an item: see /seen.
export function look(item) {
  if (!seen.has(item)) {
    const asked = get(`seen/${item}`);
    seen.set(item, asked);
    asked.catch(() => seen.delete(item));
  }
  return seen.get(item);
}

export const forget = () => seen.clear();

// Open a product; its history begins.
export function open({item, caption}) {
  if (busy) busy.abort();
  entries = [];
  at = -1;
  opened += 1;
  const place = recent.findIndex(other => other.item === item);
  if (place >= 0) recent.splice(place, 1);
  recent.unshift({item, caption});
  recent.splice(24);
  document.body.classList.add('opened');
  $('#product').hidden = false;
  push({item, caption});
}

// The next entry of the history; what had been undone is forgotten.
export function push({item, caption, base = item, moves = {}, head = ''}) {
  entries.splice(at + 1, Infinity, {item, caption, base, moves, head});
  at = entries.length - 1;
  say('');
  show();
}

export function step(by) {
  if (!entries[at + by]) return;
  at += by;
  show();
}

export function show() {
  follower.stop();
  const {item, caption} = current();
  $('#picture').src = picture(item);
  $('#caption').textContent = caption;
  $('#undo').disabled = at === 0;
  $('#redo').disabled = at === entries.length - 1;
  $('#compare').disabled = at === 0;
  $('#compare').setAttribute('aria-pressed', 'false');
  for (const listener of listeners) listener(current());
  describe(item).catch(complain);
}

async function describe(item) {
  const [before, now] = await Promise.all([look(entries[0].item), look(item)]);
  if (current().item !== item) return;
  const name = now.category || 'product';
  $('#product-title').textContent = name[0].toUpperCase() + name.slice(1);
  $('#picture').alt = `Synthetic image: ${now.tags.join(', ')}`;
  $('#tags').replaceChildren(...now.tags.map(tag => make('li', {}, tag)));
  const wanted = new Set(entries.slice(0, at + 1).map(entry => entry.head));
  const changed = Object.keys(now.attributes)
    .filter(head => now.attributes[head] !== before.attributes[head]);
  $('#changes ul').replaceChildren(...changed.map(head => make(
    'li', {className: wanted.has(head) ? 'wanted' : ''},
    make('span', {}, head), ` ${before.attributes[head] || 'none'} → `,
    make('strong', {}, now.attributes[head] || 'none'))));
  $('#changes').hidden = !changed.length;
}

// Long work on the product: shows its progress and a button to cancel it. Returns its result, or
// null if it was cancelled or another product has been opened.
export async function labour(what, address, body, onEvent = () => {}) {
  if (busy) busy.abort();
  const own = new AbortController();
  const mine = opened;
  busy = own;
  const bar = $('#busy progress');
  const tell = words => { $('#busy span').textContent = words; };
  bar.removeAttribute('value');
  tell(what);
  $('#busy').hidden = false;
  say('');
  try {
    const result = await work(address, body, (kind, facts) => {
      if (own.signal.aborted) return;
      if (kind === 'waiting') tell(facts.before ? `${facts.before} before you` : what);
      if (kind === 'progress') {
        tell(what);
        bar.value = facts.done;
        if (facts.item) $('#picture').src = picture(facts.item);
      }
      onEvent(kind, facts);
    }, own.signal);
    return own.signal.aborted || mine !== opened ? null : result;
  } catch (error) {
    if (busy === own) {
      if (entries.length) show();
      complain(error);
    }
    return null;
  } finally {
    if (busy === own) {
      busy = null;
      $('#busy').hidden = true;
    }
  }
}

export function start() {
  $('#undo').onclick = () => step(-1);
  $('#redo').onclick = () => step(1);
  $('#cancel').onclick = () => busy && busy.abort();
  $('#compare').onclick = () => {
    const start = $('#compare').getAttribute('aria-pressed') !== 'true';
    $('#compare').setAttribute('aria-pressed', String(start));
    follower.stop();
    $('#picture').src = picture(start ? entries[0].item : current().item);
    $('#caption').textContent = start ? `the start: ${entries[0].caption}` : current().caption;
  };
  document.addEventListener('keydown', event => {
    if (!entries.length || !(event.ctrlKey || event.metaKey) || event.target.matches(
      'input[type=text], input[type=number]')) return;
    if (event.key === 'z' && !event.shiftKey) step(-1);
    else if (event.key === 'y' || event.key === 'Z') step(1);
    else return;
    event.preventDefault();
  });
}
