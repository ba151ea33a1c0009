/**
 * The phone page's script, sent as it stands. It keeps the page in step with the server by an event stream and touches
 * only what changed, so that nothing loses its focus or moves under a thumb; it counts down, sends a decision without
 * leaving the page, and keeps a second tap from being sent. Without it the page works by reloading.
 */
export const phoneScript = `
'use strict';
const pending = document.getElementById('pending');
const recent = document.getElementById('recent');
const empty = document.getElementById('empty');
const more = document.getElementById('more');
const state = document.getElementById('state');
const template = document.createElement('template');
/** Milliseconds that a button which moved takes no tap: longer than a thumb that was on its way. */
const SETTLE = 700;
const shown = new Map();

function made(html) {
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** Puts a new element in an old one's place; what had the focus keeps it. */
function swap(old, html) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const fresh = made(html);
  old.replaceWith(fresh);
  if (focused) (fresh.querySelector('[data-testid="' + focused.dataset.testid + '"]') || fresh).focus({ preventScroll: true });
  return fresh;
}

/** Brings the children of a list in step with [{id, html}], by the key that each child carries. */
function patch(list, wanted, key, keep) {
  const old = new Map([...list.children].map((child) => [child.dataset[key], child]));
  const ids = new Set(wanted.map((one) => one.id));
  for (const [id, child] of old) {
    if (ids.has(id) || (keep && keep(child))) continue;
    child.remove();
    shown.delete(key + id);
  }
  let at = null;
  for (const { id, html } of wanted) {
    let child = old.get(id);
    const before = shown.get(key + id);
    if (child === undefined) {
      child = made(html);
      if (key === 'requestId') list.append(child);
      else list.insertBefore(child, at ? at.nextSibling : list.firstChild);
    } else if (before !== undefined && before !== html) child = swap(child, html);
    if (key !== 'requestId' && (at ? at.nextElementSibling : list.firstElementChild) !== child) {
      list.insertBefore(child, at ? at.nextSibling : list.firstChild);
    }
    shown.set(key + id, html);
    at = child;
  }
}

let latest;
function show(update) {
  latest = update;
  const tops = new Map([...pending.querySelectorAll('form')].map((form) => [form, form.getBoundingClientRect().top]));
  const results = new Map(update.results.map((result) => [result.id, result.html]));
  const waits = new Set(update.pending.map((request) => request.id));
  for (const card of pending.children) {
    const id = card.dataset.requestId;
    if (card.dataset.sent && !waits.has(id) && results.has(id)) settle(card, results.get(id));
  }
  // A card that was tapped stays to tell what its tap came to.
  patch(pending, update.pending, 'requestId', (card) => card.dataset.testid !== 'request' || card.dataset.sent);
  patch(recent, update.recent, 'id');
  for (const [form, top] of tops) if (form.isConnected && Math.abs(form.getBoundingClientRect().top - top) > 8) rest(form);
  more.textContent = update.more > 0 ? 'And ' + update.more + ' more, when these are decided.' : '';
  count();
  tick();
}

function count() {
  const waiting = pending.querySelectorAll('[data-testid=request]').length;
  empty.hidden = pending.children.length > 0;
  document.title = (waiting > 0 ? '(' + waiting + ') ' : '') + document.querySelector('main').dataset.title;
}

/** The buttons' place tells what became of it. */
function settle(card, html) {
  if (card.dataset.result === html) return;
  const bar = card.querySelector('.actions');
  const { height } = bar.getBoundingClientRect();
  const hadFocus = bar.contains(document.activeElement) || document.activeElement === bar;
  const fresh = made(html);
  fresh.style.minHeight = height + 'px';
  bar.replaceWith(fresh);
  if (hadFocus) fresh.focus({ preventScroll: true });
  card.dataset.testid = 'decided';
  card.dataset.result = html;
}

function rest(form) {
  for (const button of form.querySelectorAll('button')) button.setAttribute('aria-disabled', 'true');
  clearTimeout(form.settling);
  form.settling = setTimeout(() => {
    for (const button of form.querySelectorAll('button')) button.removeAttribute('aria-disabled');
  }, SETTLE);
}

function tick() {
  for (const countdown of document.querySelectorAll('[data-expires]')) {
    const left = Math.ceil((Number(countdown.dataset.expires) - Date.now()) / 1000);
    const clock = left < 3600 ? Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0') : Math.floor(left / 3600) + ' h ' + Math.floor((left % 3600) / 60) + ' min';
    const text = left <= 0 ? 'expired' : 'in ' + clock;
    if (countdown.textContent !== text) countdown.textContent = text;
    if (left <= 0) for (const button of countdown.closest('form').querySelectorAll('button')) button.disabled = true;
  }
}
tick();
setInterval(tick, 500);

/** Says in the buttons' place why nothing was decided; the text is never markup. */
function refused(card, title, text) {
  settle(card, '<div class="actions result" data-testid="result" data-status="refused" role="status" tabindex="-1"><p><strong></strong><br><span data-testid="outcome"></span></p><button type="button" class="quiet" data-put-away>Put away</button></div>');
  card.querySelector('.result strong').textContent = title;
  card.querySelector('.result span').textContent = text;
}

async function send(form, data) {
  const card = form.closest('[data-request-id]');
  try {
    const answer = await window.tradeAgent.fetch(form.getAttribute('action'), { method: 'POST', body: data, headers: { accept: 'application/json' } });
    const said = await answer.json().catch(() => ({ title: 'Nothing was decided', text: 'This page is out of date: load it again.' }));
    if (!answer.ok) refused(card, said.title, said.text);
    // What the events have told meanwhile is newer than this answer.
    else if (card.isConnected && !card.dataset.result) settle(card, said.result);
  } catch {
    // Perhaps it arrived: the same tap again changes nothing, and the other one is refused.
    delete card.dataset.sent;
    for (const button of form.querySelectorAll('button')) button.disabled = false;
    state.textContent = 'Not sent, tap again';
    if (latest) show(latest);
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  const card = form.closest('[data-request-id]');
  if (!card) return;
  event.preventDefault();
  const button = event.submitter;
  if (card.dataset.sent || !button || button.getAttribute('aria-disabled')) return;
  card.dataset.sent = 'yes';
  const data = new URLSearchParams(new FormData(form));
  data.set(button.name, button.value);
  for (const one of form.querySelectorAll('button')) one.setAttribute('aria-busy', 'true');
  send(form, data);
});

document.addEventListener('click', (event) => {
  if (event.target.dataset.putAway === undefined) return;
  event.target.closest('[data-request-id]').remove();
  for (const form of pending.querySelectorAll('form')) rest(form);
  count();
});

const stop = window.tradeAgent.listen('/phone/events', {
  requests(data) { state.textContent = 'Connected'; show(JSON.parse(data)); },
  alive() { state.textContent = 'Connected'; },
  signed_out() { stop(); location.assign('/signin'); },
  error() { state.textContent = 'Not connected, trying again'; },
});
`;
