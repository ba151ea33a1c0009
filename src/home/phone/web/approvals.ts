import { createRoom, type Room } from './room.ts';
import { measureBar, show } from './stage.ts';
import { handleTaps } from './taps.ts';
import { localTimes, tick } from './times.ts';

/*
 * The pages of requests and of history. It keeps the page in step with the server by an event stream and touches only
 * what changed, so that nothing loses its focus or moves under a thumb; shows one request at a time, counts down, has
 * the person's key sign an approval, and keeps a second tap from being sent. Without it the pages read and deny.
 */

let room: Room | undefined;

/** Starts, and starts again where the page was swapped. */
function start(): void {
  const root = document.getElementById('phone');
  if (room !== undefined && room.root === root) return;
  room?.leave();
  room = undefined;
  localTimes(document);
  tick();
  measureBar();
  if (root === null) return;
  const here = createRoom(root);
  room = here;
  const stop = window.tradeAgent.listen('/phone/events', {
    requests(data) {
      here.tell('Connected');
      show(here, JSON.parse(data));
    },
    alive: () => here.tell('Connected'),
    signed_out: () => location.assign('/signin'),
    error: () => here.tell('Not connected, trying again'),
  });
  here.onLeave(stop);
}

handleTaps(() => room);
setInterval(() => tick((text) => room?.announce(text)), 500);
new MutationObserver(start).observe(document.body, { childList: true });
start();
