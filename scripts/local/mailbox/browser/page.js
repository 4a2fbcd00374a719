// The mailbox's page: asks for the mails, lists them, and shows the one that the address names.
const askEveryMs = 1_500;
const openedKey = 'mailbox.opened';

const element = (id) => document.getElementById(id);
const filter = element('filter');
const reader = element('reader');

let mails = [];
/** The answer that the list was made from; empty before the first. */
let answered = '';
/** What the reader shows now, so that it is not built anew under somebody's eyes. */
let shown = null;
let view = 'page';
const opened = new Set(JSON.parse(sessionStorage.getItem(openedKey) ?? '[]'));

/** An element with attributes and children; texts stay texts. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'medium',
});

function timeOf(mail) {
  const at = new Date(mail.receivedAt);
  const isToday = at.toDateString() === new Date().toDateString();
  const text = isToday ? clock.format(at) : dayAndClock.format(at);
  return make('time', { datetime: mail.receivedAt, title: dayAndClock.format(at) }, text);
}

function wanted() {
  const word = filter.value.trim().toLowerCase();
  return mails.filter(({ to, subject }) =>
    [...to, subject].some((text) => text.toLowerCase().includes(word)),
  );
}

function renderList() {
  const found = wanted();
  const selected = location.hash.slice(1);
  const focused = document.activeElement?.closest('.mail')?.getAttribute('href');
  element('mails').replaceChildren(
    ...found.map((mail) => {
      const link = make(
        'a',
        { class: opened.has(mail.id) ? 'mail' : 'mail new', href: `#${mail.id}` },
        make('span', { class: 'dot' }),
        make('span', { class: 'mail-subject' }, mail.subject),
        timeOf(mail),
        make('span', { class: 'mail-to' }, mail.to.join(', ')),
      );
      if (mail.id === selected) link.setAttribute('aria-current', 'true');
      return make('li', {}, link);
    }),
  );
  if (focused) element('mails').querySelector(`[href="${focused}"]`)?.focus();
  element('count').textContent = mails.length > 0 ? String(mails.length) : '';
  element('nothing').hidden = answered === '' || found.length > 0;
  element('nothing-title').textContent = mails.length > 0 ? 'No such mail' : 'No mail yet';
  element('nothing-text').textContent =
    mails.length > 0
      ? 'Nobody of this name has got one, and no subject says it.'
      : 'Register in LivePanty, or ask for a new password: what it sends comes here.';
}

/** The text with its addresses as links. */
function linked(text) {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part, at) =>
      at % 2 === 0
        ? part
        : make('a', { href: part, target: '_blank', rel: 'noopener noreferrer' }, part),
    );
}

function sheetOf(mail) {
  if (view === 'page' && mail.html !== null) {
    return make('iframe', {
      class: 'sheet frame',
      title: mail.subject,
      sandbox: 'allow-popups allow-popups-to-escape-sandbox',
      src: `/mails/${mail.id}/html`,
    });
  }
  return make('div', { class: 'sheet text' }, ...linked(mail.text));
}

function viewSwitch(mail) {
  const choices =
    mail.html === null
      ? []
      : [
          ['page', 'Page'],
          ['text', 'Text'],
        ];
  return make(
    'div',
    { class: 'switch', role: 'group', 'aria-label': 'Show as' },
    ...choices.map(([name, label]) => {
      const button = make(
        'button',
        { type: 'button', 'aria-pressed': String(view === name) },
        label,
      );
      button.addEventListener('click', () => {
        view = name;
        shown = null;
        renderReader();
      });
      return button;
    }),
  );
}

function renderReader() {
  const id = location.hash.slice(1);
  const mail = mails.find((one) => one.id === id);
  element('panes').classList.toggle('reading', id !== '');
  const showing = `${id} ${mail !== undefined} ${mails.length > 0}`;
  if (shown === showing) return;
  shown = showing;
  const back = make('a', { class: 'back', href: '#' }, '← All mails');
  if (!mail) {
    const chooseOne = mails.length > 0 ? 'Choose a mail to read it.' : '';
    const words = id === '' ? chooseOne : 'This mail is not here any more.';
    reader.replaceChildren(back, make('div', { class: 'nothing' }, make('p', {}, words)));
    if (id === '') back.remove();
    return;
  }
  const facts = [
    ['To', mail.to.join(', ')],
    ['From', mail.from],
    ['Came', `${dayAndClock.format(new Date(mail.receivedAt))}, by ${mail.via.toUpperCase()}`],
  ];
  reader.replaceChildren(
    make(
      'div',
      { class: 'reader-head' },
      back,
      make('h2', {}, mail.subject),
      make(
        'dl',
        {},
        ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
      ),
    ),
    make('div', { class: 'views' }, viewSwitch(mail)),
    sheetOf(mail),
  );
}

function open() {
  const id = location.hash.slice(1);
  if (id !== '') {
    opened.add(id);
    sessionStorage.setItem(openedKey, JSON.stringify([...opened]));
  }
  renderList();
  renderReader();
  if (id !== '') reader.focus({ preventScroll: true });
  reader.scrollTop = 0;
}

function take(text) {
  if (text === answered) return;
  const before = new Set(mails.map(({ id }) => id));
  ({ mails } = JSON.parse(text));
  const newest = mails.find(({ id }) => !before.has(id));
  if (answered !== '' && newest) element('news').textContent = `New mail: ${newest.subject}`;
  answered = text;
  renderList();
  renderReader();
}

async function ask() {
  try {
    take(await (await fetch('/mails')).text());
    element('away').hidden = true;
  } catch {
    // It is being started again; the mails that it had are gone with it.
    element('away').hidden = false;
  }
  setTimeout(ask, askEveryMs);
}

filter.addEventListener('input', renderList);
addEventListener('hashchange', open);
open();
ask();
