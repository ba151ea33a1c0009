import { setTimeout as sleep } from 'node:timers/promises';
import { isSettledState, type Proposal } from '../../../src/trading/proposal.ts';
import { MINUTES, TTL_S, WRITE_OFF_MS } from '../constants.ts';
import { type Facts, factsOf, Story } from '../facts.ts';
import type { GatewayProcess } from '../gateway.ts';
import type { Namespaces } from '../namespaces.ts';
import { maybe, until } from '../until.ts';
import { startWorld } from '../world.ts';
import { approvedOrder, type By, grantMandate, secondUse, settled, shownAnswer } from './asking.ts';

export interface FrozenPlay {
  readonly by: By;
  /**
   * Where the process is stopped. `before the last look`: at the failpoint before it looks whether the order may still go out.
   * `connected`: after that look, as soon as there is a connection for the request. `writing`: right before write(2), where no
   * program can look any more.
   */
  readonly at: 'before the last look' | 'connected' | 'writing';
  readonly postgres: { readonly address: string; readonly tenant: string };
}

const SOON_MS = 60_000;
/** The failpoint holds the process this long, for the signal to find it there. */
const STAND_MS = 2_000;
/** How much of an approval's time is left when the process is stopped: too little for another gateway to send the order. */
const LEFT_MS = 15_000;
/** After it goes on: longer than any request of the process takes. */
const AFTERWARDS_MS = 30_000;

/** One of two gateways is stopped with the order about to go out, while the other one works on. */
export async function playFrozen(namespaces: Namespaces, { by, at, postgres }: FrozenPlay): Promise<Facts> {
  const story = new Story();
  // Each request opens a connection, so that there is one to wait for.
  const world = await startWorld({ namespaces, gateways: 2, postgres, closesConnections: true });
  try {
    const { alice, gateways } = world;
    const [one, two] = gateways as [GatewayProcess, GatewayProcess];
    // Nobody taps at the end of a mandate's time: its second gateway comes when the time is over.
    if (by === 'tap') await two.start();
    const mandate = by === 'mandate' ? await grantMandate(alice) : undefined;
    for (const gateway of [one, two]) {
      if (at === 'writing') gateway.order({ on: 'write', stop: true });
      else gateway.failpoint(`gateway.before_submit=delay:${STAND_MS}`);
    }
    const first = await approvedOrder(alice, mandate, async ({ expires_at }) => {
      await sleep(Math.max(0, Date.parse(expires_at) - LEFT_MS - Date.now()));
    });
    const victim = await stopped([one, two], at);
    const other = victim === one ? two : one;
    const frozenAt = Date.now();
    story.begin(frozenAt);
    story.note(`gateway ${gateways.indexOf(victim)} stands still`);
    if (by === 'mandate') {
      await sleep(Math.max(0, Date.parse(first.expires_at) - Date.now()));
      await two.start();
      story.note('the approval has expired, and the second gateway was started');
    }
    const end = frozenAt + MINUTES * 60_000;
    const others: Proposal[] = [];
    const writtenOff = await maybe(Math.min(end - Date.now(), TTL_S * 1000 + 2 * WRITE_OFF_MS), async () => {
      const now = await alice.proposal(first.id);
      return isSettledState(now.state) && now;
    });
    story.note(`the other gateway says ${writtenOff?.state ?? (await alice.proposal(first.id)).state}`);
    if (mandate !== undefined) {
      const answer = await secondUse(alice, mandate, '1.9');
      story.note(`a second order under the mandate: ${shownAnswer(answer)}`);
      if ('id' in answer) others.push(answer);
    }
    await sleep(Math.max(0, end - Date.now()));
    const arrived = (await world.broker()).arrivals.length;
    const wires = victim.wire().length;
    victim.continue();
    story.note(`gateway ${gateways.indexOf(victim)} goes on`);
    await sleep(AFTERWARDS_MS);
    const lines = victim
      .wire()
      .slice(wires)
      .flatMap(({ event, line = '' }) => (event === 'write' ? [line] : []));
    const { arrivals } = await world.broker();
    const sent = lines.filter((line) => line === 'POST /v2/orders').length;
    story.note(
      `it sent ${sent} orders and ${lines.length - sent} other requests; ${arrivals.length - arrived} orders arrived`,
    );
    await settled(alice, first.id, TTL_S * 1000 + WRITE_OFF_MS);
    for (const { id } of others) await settled(alice, id, TTL_S * 1000 + WRITE_OFF_MS);
    // What arrived late is found at the latest when a gateway starts.
    const isAdopted = () =>
      maybe(SOON_MS, async () => {
        const { orders } = await factsOf(world, story, [first, ...others], mandate);
        return orders.every(({ booked, state }) => booked === 0 || state === 'executed');
      });
    if ((await isAdopted()) === undefined) {
      await other.end();
      await other.start();
      story.note('the other gateway was started again');
      await isAdopted();
    }
    return await factsOf(world, story, [first, ...others], mandate);
  } finally {
    await world.close();
  }
}

/** Waits until one of them stands still where it is to. */
async function stopped(gateways: readonly GatewayProcess[], at: FrozenPlay['at']): Promise<GatewayProcess> {
  const stands = (gateway: GatewayProcess) =>
    at === 'writing'
      ? gateway.wire().some(({ event }) => event === 'stopping')
      : gateway.said().includes('failpoint gateway.before_submit: delay');
  const victim = await until('a gateway is about to send the order', 2 * SOON_MS, () => gateways.find(stands));
  for (const gateway of gateways) {
    if (gateway === victim) continue;
    gateway.failpoint('');
    gateway.order({ on: 'write', run: ['true'] });
  }
  if (at === 'connected') {
    // It is within the failpoint still: the next connection is the one for the order.
    victim.order({ on: 'connected', stop: true });
    await until('it connects', SOON_MS, () => victim.wire().some(({ event }) => event === 'stopping'));
  }
  // Keeps the balancer away from it.
  victim.stop();
  return victim;
}
