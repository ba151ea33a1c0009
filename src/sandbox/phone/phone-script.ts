/**
 * The phone page's script, sent as it stands. It keeps the list in step with the server by an event stream, counts
 * down, and keeps a second tap from being sent. Without it the page works by reloading.
 */
export const phoneScript = `
'use strict';
const pending = document.getElementById('pending');
const recent = document.getElementById('recent');
const empty = document.getElementById('empty');
const state = document.getElementById('state');
const template = document.createElement('template');

function show(update) {
  const wanted = new Map(update.pending.map((request) => [request.id, request.html]));
  for (const card of [...pending.children]) {
    if (!wanted.has(card.dataset.requestId)) card.remove();
    wanted.delete(card.dataset.requestId);
  }
  for (const html of wanted.values()) {
    template.innerHTML = html;
    pending.append(template.content);
  }
  recent.innerHTML = update.recent;
  empty.hidden = pending.children.length > 0;
  document.title = (pending.children.length > 0 ? '(' + pending.children.length + ') ' : '') + 'Approve orders · Sandbox';
  tick();
}

function tick() {
  for (const countdown of document.querySelectorAll('[data-expires]')) {
    const left = Math.ceil((Number(countdown.dataset.expires) - Date.now()) / 1000);
    countdown.textContent = left <= 0 ? 'expired' : 'in ' + Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0');
    if (left <= 0) for (const button of countdown.closest('form').querySelectorAll('button')) button.disabled = true;
  }
}
tick();
setInterval(tick, 500);

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = 'yes';
  // After the form's data were taken: a disabled button is not sent.
  setTimeout(() => { for (const button of form.querySelectorAll('button')) button.disabled = true; });
});

const events = new EventSource('/phone/events');
events.addEventListener('requests', (event) => { state.textContent = 'Connected'; show(JSON.parse(event.data)); });
events.addEventListener('signed_out', () => { events.close(); location.assign('/signin'); });
events.addEventListener('error', () => { state.textContent = 'Not connected, trying again'; });
`;
