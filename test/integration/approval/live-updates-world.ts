import { expect } from 'vitest';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import type { SandboxOptions } from '../../../src/sandbox/sandbox.ts';
import { followEvents } from '../../../src/tools/gateway/follow-events.ts';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Proposal } from '../../../src/trading/proposal.ts';
import type { Order } from '../../../src/trading/views.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

/** How often an order is looked at while its changes are told: who rests so long asks for nothing meanwhile. */
const TOLD_MS = 120_000;

/** Before what a broker's reads may lag behind is looked at again: the paper broker's do not. */
const LAG_MS = [400, 1_500];

/** An event as its follower was told it. */
export interface Told {
  readonly at: number;
  readonly proposal: Proposal;
}

/** A sandbox whose gateway's requests to the broker are counted. */
export async function startLiveWorld(options: Partial<SandboxOptions> = {}) {
  const reads: string[] = [];
  const resting = new Set<object>();
  const real = globalThis.fetch;
  const broker = () => world.sandbox.ready.broker;
  // The gateway takes it when it is made.
  globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url.includes('/v2/orders/') && (init?.method ?? 'GET') === 'GET') reads.push(url);
    return real(input, init);
  };
  const clock: Clock = {
    now: () => systemClock.now(),
    monotonic: () => systemClock.now(),
    async sleep(ms, signal) {
      const rest = {};
      if (ms === TOLD_MS) resting.add(rest);
      await systemClock.sleep(LAG_MS.includes(ms) ? 1 : ms, signal).finally(() => resting.delete(rest));
    },
  };
  const world: ProposalWorld = await startProposalWorld({ clock, ...options });

  const send = (method: string, path: string, headers: Record<string, string>, body?: object) =>
    real(`${broker()}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const admin = { authorization: `Bearer ${world.sandbox.seed.admin_secret}` };
  return {
    ...{ world, reads },
    /** Looks at the broker for this order. */
    readsOf: (id: string) => reads.filter((url) => url.includes(id)).length,
    /** Until so many orders are left to be told of. */
    quiet: (orders: number) => expect.poll(() => resting.size, { timeout: 8000, interval: 5 }).toBe(orders),
    price: async (symbol: string, price: string) => {
      expect((await send('PUT', `/admin/prices/${symbol}`, admin, { price })).status).toBe(200);
    },
    /** At the broker itself, as its owner may by other means than ours. */
    async cancelElsewhere(user: string, id: string) {
      const key = world.sandbox.seed.users.find(({ username }) => username === user)?.broker_key;
      if (key === undefined) throw new Error(`${user} has no key`);
      const headers = { 'apca-api-key-id': key.key_id, 'apca-api-secret-key': key.secret };
      expect((await send('DELETE', `/v2/orders/${id}`, headers)).status).toBe(204);
    },
    /** Follows a person's events as every screen does. */
    async follow(person: Person) {
      const told: Told[] = [];
      const stop = new AbortController();
      let live = false;
      const following = followEvents(createGatewayClient(person.session), {
        clock: systemClock,
        signal: stop.signal,
        changed: (proposal) => told.push({ at: Date.now(), proposal }),
        onLive: (is) => {
          live = is;
        },
      });
      await expect.poll(() => live).toBe(true);
      return {
        told,
        /** The first time that it was told so of an order. */
        until: async (id: string, status: Order['status']): Promise<Told> => {
          const find = () => told.find((one) => one.proposal.id === id && statusOf(one.proposal) === status);
          await expect.poll(find, { timeout: 8000, interval: 2 }).toBeDefined();
          return find() as Told;
        },
        async stop() {
          stop.abort();
          await following;
        },
      };
    },
    async close() {
      globalThis.fetch = real;
      await world.close();
    },
  };
}

export const statusOf = ({ kind, result }: Proposal): string | undefined =>
  kind === 'order' ? result?.status : undefined;

/** An order that waits for its price, approved and placed. @param account their default one, unless it is named */
export async function placeWaiting(
  person: Person,
  order: { readonly symbol: string; readonly limit: string; readonly account?: string },
): Promise<Proposal & { order: Order }> {
  const { limit: limit_price, ...rest } = order;
  const asked = { ...rest, side: 'buy', qty: '2', type: 'limit', limit_price } as const;
  const proposed = await person.propose({ kind: 'order', order: asked });
  await person.tap(proposed.code);
  const placed = await person.until(proposed.id, 'executed');
  if (placed.kind !== 'order' || placed.result === undefined) throw new Error('it was not placed');
  return { ...placed, order: placed.result };
}
