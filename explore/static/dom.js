// Elements, made and found.

export const $ = selector => document.querySelector(selector);

// An element with properties and children: make('button', {type: 'button'}, 'Keep').
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes('-') || name === 'role') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

// An image in a list, as a button.
export function tile(src, label, onclick, caption = '') {
  const button = make('button', {type: 'button', className: 'tile', onclick, 'aria-label': label},
    make('img', {src, alt: '', width: 128, height: 128, loading: 'lazy', draggable: false}));
  if (caption) button.append(make('span', {}, caption));
  return make('li', {}, button);
}

// Arrow keys move the focus among the buttons of a list, which Tab enters and leaves at once.
export function roving(list) {
  const buttons = () => [...list.querySelectorAll('.tile')];
  const enter = chosen => {
    for (const button of buttons()) button.tabIndex = button === chosen ? 0 : -1;
  };
  list.addEventListener('focusin', event => {
    if (event.target.matches('.tile')) enter(event.target);
  });
  list.addEventListener('keydown', event => {
    const all = buttons();
    const at = all.indexOf(event.target);
    if (at < 0) return;
    const top = all[0].offsetTop;
    const columns = all.findIndex(button => button.offsetTop > top);
    const row = columns < 0 ? all.length : columns;
    const by = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row}[event.key];
    if (!by || !all[at + by]) return;
    event.preventDefault();
    all[at + by].focus();
  });
  return () => {  // to be called when the list has changed
    const all = buttons();
    if (!all.some(button => button.tabIndex === 0 && button.matches('[tabindex]'))) enter(all[0]);
    else for (const button of all) if (!button.matches('[tabindex]')) button.tabIndex = -1;
  };
}
