'use strict';
const page = document.querySelector('main').dataset;
const cards = Array.from(document.querySelectorAll('fieldset'));
const storageKey = 'labels of ' + page.name + ' at ' + page.psi + ' of ' + page.content;
let current = 0;
let history = [];

function answer(card) {
  const chosen = card.querySelector('input:checked');
  return chosen ? chosen.value : '';
}

function show() {
  let yes = 0;
  let no = 0;
  cards.forEach(function (card, index) {
    const value = answer(card);
    yes += value === 'yes';
    no += value === 'no';
    card.classList.toggle('yes', value === 'yes');
    card.classList.toggle('no', value === 'no');
    card.classList.toggle('current', index === current);
    if (index === current) { card.setAttribute('aria-current', 'true'); }
    else { card.removeAttribute('aria-current'); }
  });
  document.getElementById('count').textContent =
    yes + ' yes, ' + no + ' no, ' + (cards.length - yes - no) + ' open';
  document.getElementById('save').disabled = yes + no === 0;
}

function save() {
  const answers = {};
  cards.forEach(function (card) { if (answer(card)) { answers[card.dataset.seed] = answer(card); } });
  try { localStorage.setItem(storageKey, JSON.stringify(answers)); }
  catch (error) { /* a browser that keeps nothing still downloads */ }
  show();
}

function restore() {
  let answers = {};
  try { answers = JSON.parse(localStorage.getItem(storageKey)) || {}; }
  catch (error) { answers = {}; }
  cards.forEach(function (card) { set(card, answers[card.dataset.seed] || ''); });
}

function set(card, value) {
  card.querySelectorAll('input').forEach(function (input) {
    input.checked = input.value === value;
  });
}

function go(index) {
  current = Math.max(0, Math.min(cards.length - 1, index));
  const card = cards[current];
  const chosen = card.querySelector('input:checked') || card.querySelector('input');
  chosen.focus({preventScroll: true});
  card.scrollIntoView({block: 'nearest'});
  show();
}

function columns() {
  const top = cards[0].offsetTop;
  return cards.filter(function (card) { return card.offsetTop === top; }).length;
}

function choose(value) {
  history.push([current, answer(cards[current])]);
  set(cards[current], value);
  save();
  go(current + 1);
}

function cell(text) {
  return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

function table() {
  const lines = cards.filter(answer).map(function (card) {
    return card.dataset.seed + ',' + page.psi + ',' + answer(card);
  });
  return ['seed,psi,' + cell(page.name)].concat(lines).join('\n') + '\n';
}

document.addEventListener('keydown', function (event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !cards.length) { return; }
  const moves = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns()};
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === 'y') { choose('yes'); }
  else if (key === 'n') { choose('no'); }
  else if (key === 's') { go(current + 1); }
  else if (key === 'u') {
    const last = history.pop();
    if (last) { set(cards[last[0]], last[1]); save(); go(last[0]); }
  } else if (key in moves) { go(current + moves[key]); }
  else { return; }
  event.preventDefault();
});

cards.forEach(function (card, index) {
  card.addEventListener('focusin', function () { current = index; show(); });
  card.addEventListener('change', save);
});

document.getElementById('clear').addEventListener('click', function () {
  cards.forEach(function (card) { set(card, ''); });
  history = [];
  save();
});

document.getElementById('save').addEventListener('click', function () {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([table()], {type: 'text/csv'}));
  link.download = 'labels.csv';
  link.click();
  setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
});

restore();
show();
