import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSettledState, type Proposal } from '../../../src/trading/proposal.ts';
import { TTL_S, WRITE_OFF_MS } from '../constants.ts';
import { type Facts, factsOf, Story } from '../facts.ts';
import type { Cable, Namespaces } from '../namespaces.ts';
import { maybe, until } from '../until.ts';
import { BROKER_PORT, startWorld } from '../world.ts';
import { approvedOrder, type By, grantMandate, secondUse, settled, shownAnswer } from './asking.ts';

export interface CablePlay {
  readonly by: By;
  /** How long the cable is out. */
  readonly seconds: number;
  /** Whether the gateway is killed right after it wrote the request, or waits for its answer in vain. */
  readonly kill: boolean;
}

const SOON_MS = 60_000;
/** Longer than the kernel keeps a request of a dead process: eight retransmissions, from 0.2 s, each twice as long. */
const KERNEL_MS = 240_000;

/** The cable is pulled at the moment at which the gateway writes the order, and comes back later. */
export async function playCable(namespaces: Namespaces, { by, seconds, kill }: CablePlay): Promise<Facts> {
  const cable = namespaces.cable as Cable;
  const story = new Story();
  const world = await startWorld({ namespaces, gateways: 1 });
  try {
    const { alice, gateways } = world;
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error('there is no gateway');
    const mandate = by === 'mandate' ? await grantMandate(alice) : undefined;
    gateway.order({ on: 'write', run: cable.pull });
    const first = await approvedOrder(alice, mandate);
    const written = await until('the gateway writes the order', SOON_MS, () =>
      gateway.wire().find(({ event }) => event === 'written'),
    );
    story.begin(written.at);
    const queued = await until('the order is in the send queue', SOON_MS, () => stuck(namespaces.gateway));
    story.note(`the cable is out, and the kernel holds ${queued}`);
    if (kill) {
      await gateway.kill();
      story.note('the gateway was killed');
    } else {
      await until('the request times out', SOON_MS, () =>
        gateway.wire().find(({ event, port }) => event === 'closed' && port === written.port),
      );
      story.note(`the request timed out; the kernel holds ${stuck(namespaces.gateway) ?? 'nothing'}`);
    }
    await sleep(Math.max(0, written.at + seconds * 1000 - Date.now()));
    story.note(`before the cable is back the kernel holds ${stuck(namespaces.gateway) ?? 'nothing'}`);
    const [program, ...args] = cable.reconnect;
    execFileSync(program as string, args);
    story.note('the cable is back');
    if (kill) {
      await gateway.start();
      story.note('the gateway was started again');
    }
    const others: Proposal[] = [];
    if (mandate !== undefined) {
      const answer = await secondUse(alice, mandate, '1.9');
      story.note(`a second order under the mandate: ${shownAnswer(answer)}`);
      if ('id' in answer) others.push(answer);
    }
    const arrived = await maybe(KERNEL_MS, async () => {
      const isGone = stuck(namespaces.gateway) === undefined;
      const { arrivals } = await world.broker();
      return isGone ? arrivals.length : undefined;
    });
    story.note(`the kernel holds nothing any more; ${arrived} requests arrived`);
    const ended = await settled(alice, first.id, TTL_S * 1000 + 2 * WRITE_OFF_MS);
    story.note(`the order's proposal is ${ended.state} (${ended.reason?.code})`);
    if (mandate !== undefined) {
      const answer = await secondUse(alice, mandate, '1.8');
      story.note(`a third order under the mandate: ${shownAnswer(answer)}`);
      if ('id' in answer) others.push(answer);
    }
    for (const { id } of others) {
      await until('the others are settled', TTL_S * 1000 + 2 * WRITE_OFF_MS, async () =>
        isSettledState((await alice.proposal(id)).state),
      );
    }
    await maybe(SOON_MS, async () => {
      const told = await alice.told(first.id);
      return told === undefined || told.outcome === ended.state;
    });
    return await factsOf(world, story, [first, ...others], mandate);
  } finally {
    await world.close();
  }
}

/** Connections to the broker with unsent data, as the kernel tells of them; undefined if there are none. */
function stuck(namespace: string): string | undefined {
  const sockets = execFileSync('ip', [
    ...['netns', 'exec', namespace, 'ss', '-H', '-t', '-n', 'state', 'all'],
    ...['dport', '=', `:${BROKER_PORT}`],
  ]);
  const held = sockets
    .toString()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    // A connection that is being opened has an unanswered SYN, and no data.
    .filter(([state, , queued]) => state !== 'SYN-SENT' && Number(queued) > 0)
    .map(([state, , queued]) => `${queued} bytes (${state})`);
  return held.length === 0 ? undefined : held.join(', ');
}
