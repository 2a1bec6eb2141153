// Finds products and shows one closely. Everything it shows stands in the page already.
(() => {
  'use strict';
  const grid = document.querySelector('.products');
  const dialog = document.getElementById('closer');
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  if (still.matches) {
    for (const video of document.querySelectorAll('video')) {
      video.removeAttribute('autoplay');
      video.pause();
    }
  }
  if (!grid || !dialog.showModal) return;  // an old browser keeps the page without a script
  document.documentElement.classList.add('scripted');

  // --- Finding: facets, words and an order.

  const form = document.querySelector('.filters');
  const search = document.getElementById('search');
  const order = document.getElementById('order');
  const cards = [...grid.children].map((element, made) => ({
    element, made, facets: new Map(Object.entries(JSON.parse(element.dataset.facets))),
    words: [...element.querySelectorAll('h3, .tags li, .words, .origin')]
      .map(piece => piece.textContent).join(' ').toLowerCase()
  }));
  const choices = [...form.querySelectorAll('[data-facet]')].flatMap(
    field => [...field.options || [field]].map(option => ({
      option, facet: field.dataset.facet, value: option.value,
      label: field === option ? option.nextElementSibling : option
    })));
  const falling = name => (a, b) => (b.element.dataset[name] || 0) - (a.element.dataset[name] || 0);
  const orders = {
    '': () => 0,
    category: (a, b) => a.facets.get('category')[0].localeCompare(b.facets.get('category')[0]),
    sure: falling('sure'),
    apart: falling('apart')
  };
  let found = cards;

  function sort() {
    const before = orders[order.value];
    cards.sort((a, b) => before(a, b) || a.made - b.made);
    grid.append(...cards.map(card => card.element));
  }

  function chosen() {
    return choices.filter(({option, value}) => value && (option.selected || option.checked));
  }

  function has(card, {facet, value}) {
    return (card.facets.get(facet) || []).includes(value);
  }

  // How many products a choice would leave, if given in place of its facet's present one.
  function count(choice, matching, selected) {
    const others = selected.filter(({facet}) => facet !== choice.facet);
    return matching.filter(
      card => has(card, choice) && others.every(other => has(card, other))).length;
  }

  function find() {
    const selected = chosen();
    const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = cards.filter(card => terms.every(term => card.words.includes(term)));
    found = matching.filter(card => selected.every(choice => has(card, choice)));
    for (const card of cards) card.element.hidden = true;
    for (const card of found) card.element.hidden = false;
    for (const choice of choices.filter(({value}) => value)) {
      const left = count(choice, matching, selected);
      choice.option.disabled = !left && !selected.includes(choice);
      const small = choice.label.querySelector('small');
      if (small) small.textContent = left;
      else choice.label.textContent = `${choice.value} (${left})`;
    }
    for (const field of form.querySelectorAll('select[data-facet]')) {
      field.classList.toggle('chosen', Boolean(field.value));
    }
    const narrowed = selected.length + terms.length;
    const all = cards.length === 1 ? '1 product' : `${cards.length} products`;
    form.querySelector('[role=status]').textContent = !found.length ? 'Nothing matches.'
      : narrowed ? `${found.length} of ${all}` : all;
    form.querySelector('.clear').hidden = !narrowed;
  }

  form.hidden = false;
  order.addEventListener('input', sort);
  form.addEventListener('input', find);
  form.addEventListener('submit', event => event.preventDefault());
  form.querySelector('.clear').addEventListener('click', () => {
    form.reset();
    sort();
    find();
    search.focus();  // the button is about to go
  });
  sort();  // a reloaded page may have kept what was typed and chosen
  find();
  form.querySelector('.attributes').open = Boolean(form.querySelector('.chosen'));

  // --- Looking closely: a dialog with the pieces of a card.

  let shown = null;

  function fill(selector, pieces) {
    const place = dialog.querySelector(selector);
    place.replaceChildren(...pieces.filter(Boolean));
    for (const button of place.querySelectorAll('[hidden]')) button.hidden = false;
  }

  function show(card) {
    const clone = card.element.cloneNode(true);
    const piece = name => clone.querySelector(name);
    const at = found.indexOf(card);
    shown = card;
    dialog.querySelector('h2').textContent = piece('h3').textContent;
    dialog.querySelector('[role=status]').textContent = `${at + 1} of ${found.length}`;
    fill('.left', [piece('.picture img'), piece('.beside')]);
    fill('.rest', ['.tags', '.words', '.origin', '.seen', '.again'].map(piece));
    // Not `disabled`, which would take the focus, and with it the keys, away from the button.
    dialog.querySelector('.previous').setAttribute('aria-disabled', at === 0);
    dialog.querySelector('.next').setAttribute('aria-disabled', at === found.length - 1);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }

  function step(by) {
    const next = found[found.indexOf(shown) + by];
    if (next) show(next);
  }

  async function copy(button) {
    const code = button.parentElement.querySelector('code');
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch (refused) {  // where pages may not: the old way, of what has just been selected
      document.execCommand('copy');
    }
    button.textContent = 'Copied';
  }

  for (const card of cards) {
    const link = card.element.querySelector('.picture');
    link.setAttribute('aria-haspopup', 'dialog');
    card.element.addEventListener('click', event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection())) return;
      event.preventDefault();
      show(card);
    });
    link.addEventListener('keydown', event => {
      const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      const next = by && found[found.indexOf(card) + by];
      if (next) next.element.querySelector('.picture').focus();
    });
  }

  dialog.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (event.target === dialog || (button && button.matches('.close'))) dialog.close();
    else if (button && button.matches('.previous')) step(-1);
    else if (button && button.matches('.next')) step(1);
    else if (button && button.matches('.copy')) copy(button);
  });
  document.addEventListener('keydown', event => {  // also when nothing in the dialog has the focus
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (by && dialog.open) step(by);
  });
  dialog.addEventListener('close', () => shown.element.querySelector('.picture').focus());
})();
