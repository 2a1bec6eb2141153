// The tray: products that are kept, until they are saved.

import {$, make, tile} from './dom.js';
import {picture, post} from './server.js';
import {complain, current, onChange, open} from './product.js';
import {textOf} from './describe.js';

const NAME = 'tray';
let kept = JSON.parse(sessionStorage.getItem(NAME) || '[]');  // {item, caption, text}

export const picks = () => kept;

function keep() {
  const {item, caption} = current();
  const known = kept.some(each => each.item === item);
  set(known ? kept.filter(each => each.item !== item) : [...kept, {item, caption}]);
}

function set(next) {
  kept = next;
  sessionStorage.setItem(NAME, JSON.stringify(kept));
  show();
}

function show() {
  $('#show-tray .count').textContent = kept.length;
  const entry = current();
  const is = Boolean(entry) && kept.some(each => each.item === entry.item);
  $('#keep').textContent = is ? 'Kept' : 'Keep';
  $('#keep').setAttribute('aria-pressed', String(is));
  $('#tray .empty').hidden = kept.length > 0;
  $('#saving').hidden = !kept.length;
  $('#picks').replaceChildren(...kept.map(each => {
    const one = tile(picture(each.item), `Look at ${each.caption}`, () => {
      $('#tray').close();
      open(each);
    }, each.caption);
    one.querySelector('img').onerror = () => {  // of a server that has ended since
      set(kept.filter(other => other !== each));
    };
    one.append(make('button', {
      type: 'button', className: 'remove', 'aria-label': `Remove ${each.caption}`,
      onclick: () => {
        set(kept.filter(other => other !== each));
        $('#tray .close').focus();
      }
    }, '✕'));
    return one;
  }));
}

async function save(event) {
  event.preventDefault();
  const say = words => { $('#tray .tray .said').textContent = words; };
  say('Saving…');
  try {
    const {folder, count} = await post('tray', {
      name: $('#name').value,
      picks: kept.map(({item}) => ({item, text: textOf(item)}))
    });
    const products = count === 1 ? '1 product is' : `${count} products are`;
    say(`${products} saved in ${folder}: open its index.html, or give the folder to any command.`);
  } catch (error) {
    say(error.message);
  }
}

export function start() {
  onChange(show);
  show();
  $('#keep').onclick = keep;
  $('#show-tray').onclick = () => {
    $('#tray .tray .said').textContent = '';
    $('#tray').showModal();
  };
  $('#tray').addEventListener('click', event => {
    if (event.target === $('#tray') || event.target.closest('.close')) $('#tray').close();
  });
  $('#saving').addEventListener('submit', event => save(event).catch(complain));
}
