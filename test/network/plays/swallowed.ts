import { setTimeout as sleep } from 'node:timers/promises';
import { isSettledState, type Proposal } from '../../../src/trading/proposal.ts';
import { MINUTES, TTL_S, WRITE_OFF_MS } from '../constants.ts';
import { type Facts, factsOf, Story } from '../facts.ts';
import type { Namespaces } from '../namespaces.ts';
import { startSwallowingProxy } from '../swallowing-proxy.ts';
import { maybe, until } from '../until.ts';
import { BROKER_PORT, startWorld } from '../world.ts';
import { approvedOrder, type By, grantMandate, secondUse, settled, shownAnswer } from './asking.ts';

export interface SwallowedPlay {
  readonly by: By;
}

const SOON_MS = 60_000;
const PROXY_PORT = BROKER_PORT + 1;

/** A proxy between gateway and broker keeps an order to itself, however often it is sent, and delivers it after it was written off. */
export async function playSwallowed(namespaces: Namespaces, { by }: SwallowedPlay): Promise<Facts> {
  const story = new Story();
  const proxy = await startSwallowingProxy(PROXY_PORT, BROKER_PORT);
  const world = await startWorld({ namespaces, gateways: 1, brokerAt: PROXY_PORT });
  try {
    const { alice, gateways } = world;
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error('there is no gateway');
    const mandate = by === 'mandate' ? await grantMandate(alice) : undefined;
    proxy.arm();
    const first = await approvedOrder(alice, mandate);
    const swallowedAt = await until('the proxy swallows the order', SOON_MS, () => proxy.swallowedAt());
    story.begin(swallowedAt);
    const end = swallowedAt + MINUTES * 60_000;
    await sleep(Math.max(0, Math.min(end, Date.parse(first.expires_at)) - Date.now()));
    const writtenOff = await maybe(Math.min(end - Date.now(), TTL_S * 1000 + 2 * WRITE_OFF_MS), async () => {
      const now = await alice.proposal(first.id);
      return isSettledState(now.state) && now;
    });
    const told = await alice.told(first.id);
    story.note(`the proposal is ${writtenOff?.state ?? 'open'}, the phone says ${told?.outcome}`);
    proxy.disarm();
    const others: Proposal[] = [];
    if (mandate !== undefined) {
      const answer = await secondUse(alice, mandate, '1.9');
      story.note(`a second order under the mandate: ${shownAnswer(answer)}`);
      if ('id' in answer) others.push(answer);
    }
    await sleep(Math.max(0, end - Date.now()));
    const { length: before } = (await world.broker()).book;
    const delivered = await proxy.deliver();
    story.note(`the proxy delivered ${delivered} requests`);
    const { book } = await world.broker();
    story.note(`the broker took ${book.length - before} more`);
    const isAdopted = () =>
      maybe(SOON_MS, async () => {
        const { orders } = await factsOf(world, story, [first, ...others], mandate);
        return orders.every(
          ({ booked, state, told: phone }) =>
            booked === 0 || (state === 'executed' && (phone === undefined || phone.outcome === 'executed')),
        );
      });
    if (await isAdopted()) story.note('it is adopted');
    else {
      await gateway.end();
      await gateway.start();
      story.note('it was not adopted: the gateway was started again');
      if (await isAdopted()) story.note('it is adopted');
      else story.note('it was not adopted');
    }
    for (const { id } of [first, ...others]) await settled(alice, id, TTL_S * 1000 + WRITE_OFF_MS);
    return await factsOf(world, story, [first, ...others], mandate);
  } finally {
    await world.close();
    proxy.close();
  }
}
