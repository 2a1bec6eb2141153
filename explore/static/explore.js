// The explorer's page: starts its parts, and shows what is not ready yet.

import {$} from './dom.js';
import {get} from './server.js';
import * as change from './change.js';
import * as describe from './describe.js';
import * as find from './find.js';
import * as mix from './mix.js';
import * as product from './product.js';
import * as tray from './tray.js';
import * as wall from './wall.js';

const SHOWN = {change: () => {}, describe: () => {}, find: find.refresh, mix: mix.refresh};

function select(tab) {
  if (!$('#mix').hidden) mix.leave();
  for (const other of document.querySelectorAll('[role=tab]')) {
    const chosen = other === tab;
    other.setAttribute('aria-selected', String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    $(`#${other.getAttribute('aria-controls')}`).hidden = !chosen;
  }
  SHOWN[tab.getAttribute('aria-controls')]();
}

function startTabs() {
  const tabs = [...document.querySelectorAll('[role=tab]')];
  tabs.forEach((tab, at) => {
    tab.onclick = () => select(tab);
    tab.addEventListener('keydown', event => {
      const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!by) return;
      const next = tabs[(at + by + tabs.length) % tabs.length];
      select(next);
      next.focus();
    });
  });
}

// What takes minutes the first time; asked again until all is ready.
async function prepare(state) {
  for (const place of document.querySelectorAll('.preparing')) {
    place.textContent = state.preparing[place.dataset.needs] || '';
    place.hidden = !place.textContent;
  }
  if (state.directions.length) product.forget();
  change.learn(state.directions);
  find.learn(state);
  if (!Object.keys(state.preparing).length) return;
  await new Promise(done => setTimeout(done, 3000));
  prepare(await get('state'));
}

// On a phone the product takes the place of the wall; the address tells which one is shown.
function startBack() {
  const turn = () => document.body.classList.toggle('closer', location.hash === '#product');
  addEventListener('hashchange', turn);
  turn();
  $('#back').onclick = () => { location.hash = 'wall'; };
}

async function start() {
  startTabs();
  startBack();
  product.start();
  tray.start();
  mix.start();
  describe.start();
  const state = await get('state');
  change.start(state);
  find.start(state);
  await wall.start(state.wall);
  if (!wall.narrow()) $('#wall .tile').click();
  await prepare(state);
}

start().catch(product.complain);
