// Find: the catalogue's products most like this one; and the other way, from a photo.

import {$, make, roving, tile} from './dom.js';
import {get} from './server.js';
import {complain, current, labour, onChange, open} from './product.js';

let largest = 0;  // bytes of an upload
let ready = false;
let asked = 0;
let settle = () => {};

export async function refresh() {
  const entry = current();
  if (!entry || !ready || $('#find').hidden) return;
  asked += 1;
  const mine = asked;
  try {
    const {products} = await get(`neighbours/${entry.item}`, {
      category: $('#category').value, colour: $('#colour').value, count: 24});
    if (mine !== asked) return;
    $('#found').replaceChildren(...products.map(each => {
      const likeness = `${Math.round(100 * each.similarity)} %`;
      return tile(`products/${each.index}.png`,
        `${each.category} ${likeness}: start from it`,
        () => project('projected', {product: each.index}), `${each.category} ${likeness}`);
    }));
    settle();
  } catch (error) {
    complain(error);
  }
}

async function project(address, body) {
  const result = await labour('Looking for it in the network…', address, body);
  if (!result) return;
  open(result);
  $('#product').focus({preventScroll: true});
}

export function upload(file) {
  if (file.size > largest) {
    complain(new Error(`${file.name} is larger than ${largest >> 20} MB; give a smaller image`));
    return;
  }
  project(`uploaded?${new URLSearchParams({name: file.name})}`, file);
}

export function learn({categories, products}) {
  if (!products || ready) return;
  ready = true;
  $('#category').append(...categories.map(name => make('option', {value: name}, name)));
  refresh();
}

export function start(state) {
  settle = roving($('#found'));
  largest = state.largest;
  learn(state);
  onChange(refresh);
  $('#finding').addEventListener('input', () => {
    $('#finding output').textContent = $('#colour').value;
  });
  $('#finding').addEventListener('change', refresh);
  $('#finding').addEventListener('submit', event => event.preventDefault());
  $('#photo').addEventListener('change', () => {
    if ($('#photo').files.length) upload($('#photo').files[0]);
    $('#photo').value = '';
  });
  document.addEventListener('dragover', event => event.preventDefault());
  document.addEventListener('drop', event => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && current()) upload(file);
  });
}
