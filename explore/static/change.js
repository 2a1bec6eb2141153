// Change: a button for each value that the tagger knows, and a slider for each direction.

import {$, make} from './dom.js';
import {post} from './server.js';
import {complain, current, follower, labour, look, onChange, push} from './product.js';

const STRONGEST = Number(document.body.dataset.strongest);
const FIRST = 6;  // sliders shown from the start
let directions = [];  // {name, kind}
let shown = [];  // names of directions that have a slider

// --- Values.

function unreachable(head, possible) {
  if (!Object.keys(possible).length) return 'This needs directions, which are not found yet';
  return head in possible ? 'Too few products like this one have this value'
    : 'The tagger can only guess this from such images';
}

function chip(head, value, now) {
  const is = now.attributes[head] === value;
  const can = is || (now.possible[head] || []).includes(value);
  const button = make('button', {
    type: 'button', className: 'chip', disabled: !can, 'aria-pressed': String(is),
    onclick: () => !is && edit(head, value)
  }, value);
  button.dataset.name = `${head}=${value}`;
  if (!can) button.title = unreachable(head, now.possible);
  if (head.startsWith('colo') && CSS.supports('color', value)) {
    const dot = make('span', {className: 'dot'});
    dot.style.backgroundColor = value;
    button.prepend(dot);
  }
  return button;
}

async function showValues({item}) {
  const now = await look(item);
  if (current().item !== item) return;
  const focused = document.activeElement.closest('#values .chip');
  $('#values').replaceChildren(...Object.entries(heads).map(([head, values]) => {
    const sure = Math.round(100 * (now.probabilities[head] || 0));
    return make('div', {className: 'head', role: 'group', 'aria-label': head},
      make('h3', {}, head, make('small', {}, ` ${sure} %`)),
      make('div', {className: 'chips'}, ...values.filter(Boolean).map(
        value => chip(head, value, now))));
  }));
  if (focused) {  // the keyboard's place is kept
    [...document.querySelectorAll('#values .chip')]
      .find(other => other.dataset.name === focused.dataset.name).focus();
  }
}

async function edit(head, value) {
  const {item} = current();
  const result = await labour(`Looking for ${value}…`, 'edited', {item, head, value});
  if (!result) return;
  push({item: result.item, caption: result.caption, head});
  if (!result.shown) complain(new Error(`No image shows ${value}; this is the nearest.`));
}

// --- Sliders.

function moves() {
  return Object.fromEntries([...document.querySelectorAll('#sliders input')]
    .map(slider => [slider.name, Number(slider.value)]).filter(([, strength]) => strength));
}

function follow() {
  follower.show(`moved/${current().base}.png`, {moves: JSON.stringify(moves())});
}

async function settle() {
  const {base} = current();
  const chosen = moves();
  try {
    const {item, caption} = await post('moved', {item: base, moves: chosen});
    if (current().base === base) push({item, caption, base, moves: chosen});
  } catch (error) {
    complain(error);
  }
}

const named = name => name.replace(/^pca(\d+)$/, (_, n) => `component ${Number(n) + 1}`)
  .replace(/^sefa-(\w+?)(\d+)$/, (_, band, n) => `${band} ${Number(n) + 1}`)
  .replace('=', ': ');

function addSlider(name) {
  const value = (current() && current().moves[name]) || 0;
  const output = make('output', {}, value.toFixed(1));
  const slider = make('input', {
    type: 'range', name, min: -STRONGEST, max: STRONGEST, step: 0.1, value,
    oninput: () => {
      output.textContent = Number(slider.value).toFixed(1);
      follow();
    },
    onchange: settle
  });
  $('#sliders').append(make('label', {title: name}, make('span', {}, named(name)), slider, output));
}

function showSliders({moves: chosen}) {
  for (const name of Object.keys(chosen)) if (!shown.includes(name)) include(name);
  for (const slider of document.querySelectorAll('#sliders input')) {
    const value = chosen[slider.name] || 0;
    slider.value = value;
    slider.nextElementSibling.textContent = value.toFixed(1);
  }
}

function include(name) {
  shown.push(name);
  addSlider(name);
  const option = [...$('#add-slider').options].find(each => each.value === name);
  if (option) option.remove();
}

const GROUPS = {ridge: 'From less to more', lda: 'Values', logistic: 'Values',
  pca: 'Principal components', sefa: 'From the weights (SeFa)'};

export function learn(found) {
  if (!found.length || directions.length) return;
  directions = found;
  const groups = new Map();
  for (const {name, kind} of directions) {
    const label = GROUPS[kind] || kind;
    if (!groups.has(label)) groups.set(label, make('optgroup', {label}));
    groups.get(label).append(make('option', {value: name}, named(name)));
  }
  $('#add-slider').append(...groups.values());
  const first = [...directions.filter(({kind}) => kind === 'ridge'),
    ...directions.filter(({kind}) => kind === 'pca')].slice(0, FIRST);
  for (const {name} of first) include(name);
  if (current()) showValues(current()).catch(complain);
}

let heads = {};

export function start(state) {
  heads = state.heads;
  learn(state.directions);
  onChange(entry => showValues(entry).catch(complain));
  onChange(showSliders);
  $('#add-slider').addEventListener('change', () => {
    const name = $('#add-slider').value;
    if (!name) return;
    include(name);
    $('#add-slider').value = '';
    $('#sliders label:last-child input').focus();
  });
}
