// The wall: products that do not exist, of seeds one after another.

import {$, roving, tile} from './dom.js';
import {get, picture} from './server.js';
import {complain, open} from './product.js';

const LARGEST_SEED = 2 ** 32 - 1;
let count = 24;  // products at a time
let first = 0;  // the seed of the next one
let drawing = false;
let generation = 0;  // rises when the wall begins anew: late answers are dropped
let settle = () => {};

export async function more() {
  if (drawing) return;
  drawing = true;
  const mine = generation;
  try {
    const {items} = await get('wall', {first, count, psi: $('#psi').value});
    if (mine !== generation) return;
    first = (first + items.length) % (LARGEST_SEED + 1);
    $('#wall .tiles').append(...items.map(each => tile(
      picture(each.item), `Product, ${each.caption}`, () => choose(each))));
    settle();
  } catch (error) {
    complain(error);
  } finally {
    drawing = false;
    if (mine !== generation) more();
  }
}

function choose(each) {
  open(each);
  if (narrow()) location.hash = 'product';
  $('#product').focus({preventScroll: !narrow()});
}

export const narrow = () => matchMedia('(max-width: 60rem)').matches;

export async function anew() {
  generation += 1;
  first = Math.min(LARGEST_SEED, Math.max(0, Math.trunc(Number($('#seed').value)) || 0));
  $('#wall .tiles').replaceChildren();
  await more();
}

export async function start(wall) {
  count = wall;
  settle = roving($('#wall .tiles'));
  $('#wall form').addEventListener('submit', event => event.preventDefault());
  $('#seed').addEventListener('change', anew);
  $('#psi').addEventListener('input', () => {
    $('#wall output').textContent = Number($('#psi').value).toFixed(2).replace(/0$/, '');
  });
  $('#psi').addEventListener('change', anew);
  $('#shuffle').onclick = () => {
    $('#seed').value = crypto.getRandomValues(new Uint32Array(1))[0];
    anew();
  };
  $('#more').onclick = more;
  await anew();
  new IntersectionObserver(shown => {
    if (shown.some(entry => entry.isIntersecting)) more();
  }, {root: narrow() ? null : $('#wall'), rootMargin: '300px'}).observe($('#more'));
}
