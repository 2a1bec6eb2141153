// Mix: styles of another product, or a walk towards it.

import {$, roving, tile} from './dom.js';
import {get, picture, post} from './server.js';
import {complain, current, follower, onChange, push, recent, show} from './product.js';
import {picks} from './tray.js';

const ABOUT = {coarse: 'Its shape', middle: 'Its parts', fine: 'Its colour and cloth'};
let second = null;  // {item, caption}
let asked = 0;  // counts the requests for mixes: a late answer is dropped
let settleSeconds = () => {};
let playing = 0;

export function showSeconds() {
  const own = current();
  if (!own || $('#mix').hidden) return;
  const known = new Map([...picks(), ...recent].map(each => [each.item, each]));
  if (second) known.set(second.item, second);
  known.delete(own.item);
  $('#seconds').replaceChildren(...[...known.values()].map(each => {
    const one = tile(picture(each.item), `Mix with ${each.caption}`, () => choose(each));
    one.firstChild.setAttribute('aria-pressed', String(second && second.item === each.item));
    return one;
  }));
  settleSeconds();
}

async function choose(each) {
  second = each;
  showSeconds();
  $('#seconds [aria-pressed=true]').focus();
  await showMixes();
}

async function showMixes() {
  stop();
  $('#mixes').hidden = !second || $('#mix').hidden || second.item === current().item;
  if ($('#mixes').hidden) return;
  $('#way').value = 0;
  const focused = [...$('#mixes .tiles').children].indexOf(document.activeElement.parentElement);
  $('#mixes .tiles').replaceChildren();  // those of another product
  asked += 1;
  const mine = asked;
  try {
    const {items} = await post('mixed', {source: second.item, target: current().item});
    if (mine !== asked) return;
    $('#mixes .tiles').replaceChildren(...Object.entries(items).map(([band, each]) => tile(
      picture(each.item), `${ABOUT[band]}: ${band} styles`, () => push(each), ABOUT[band])));
    if (focused >= 0) $('#mixes .tiles').children[focused].firstChild.focus();
  } catch (error) {
    complain(error);
  }
}

// --- The walk.

function follow() {
  follower.show(`walked/${current().item}/${second.item}.png`, {t: $('#way').value});
}

function stop() {
  cancelAnimationFrame(playing);
  playing = 0;
  $('#play').setAttribute('aria-pressed', 'false');
}

function play() {
  $('#play').setAttribute('aria-pressed', 'true');
  const began = performance.now() - 4000 * Number($('#way').value);
  const frame = now => {  // there and back in eight seconds
    const t = (now - began) / 4000 % 2;
    $('#way').value = t < 1 ? t : 2 - t;
    if (!follower.running) follow();
    playing = requestAnimationFrame(frame);
  };
  playing = requestAnimationFrame(frame);
}

async function take() {
  stop();
  try {
    push(await post('walked', {
      first: current().item, last: second.item, t: Number($('#way').value)}));
  } catch (error) {
    complain(error);
  }
}

async function any() {
  const first = crypto.getRandomValues(new Uint32Array(1))[0];
  try {
    const {items} = await get('wall', {first, count: 1, psi: $('#psi').value});
    await choose(items[0]);
  } catch (error) {
    complain(error);
  }
}

export function refresh() {
  showSeconds();
  showMixes();
}

export function leave() {
  if (playing || Number($('#way').value)) show();
  stop();
}

export function start() {
  settleSeconds = roving($('#seconds'));
  onChange(() => {
    if (!$('#mix').hidden) refresh();
  });
  $('#any-second').onclick = any;
  $('#way').addEventListener('input', () => {
    stop();
    follow();
  });
  $('#play').onclick = () => (playing ? stop() : play());
  $('#take').onclick = take;
}
