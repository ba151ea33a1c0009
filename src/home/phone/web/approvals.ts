import { createPageState, type PageState } from './page-state.ts';
import { applyUpdate, reserveBarSpace } from './stage.ts';
import { handleTaps } from './taps.ts';
import { convertToLocalTimes, updateCountdowns } from './times.ts';

/*
 * Script of the approvals and history pages. Keeps the page in sync with the server through an event stream, and
 * changes only what is different, so that nothing loses focus or moves under a thumb. Shows one request at a time,
 * counts down, signs approvals, and prevents double submission. Without it, people can only view and deny.
 */

let room: PageState | undefined;

/** Starts the script on the current page. Called again whenever the page is replaced. */
function start(): void {
  const root = document.getElementById('phone');
  if (room !== undefined && room.root === root) return;
  room?.leave();
  room = undefined;
  convertToLocalTimes(document);
  updateCountdowns();
  reserveBarSpace();
  if (root === null) return;
  const here = createPageState(root);
  room = here;
  const stop = window.tradeAgent.listen('/phone/events', {
    requests(data) {
      here.tell('Connected');
      applyUpdate(here, JSON.parse(data));
    },
    alive: () => here.tell('Connected'),
    signed_out: () => location.assign('/signin'),
    error: () => here.tell('Not connected, trying again'),
  });
  here.onLeave(stop);
}

handleTaps(() => room);
setInterval(() => updateCountdowns((text) => room?.announce(text)), 500);
new MutationObserver(start).observe(document.body, { childList: true });
start();
