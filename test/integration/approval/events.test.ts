import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Proposal } from '../../../src/trading/proposal.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from './foreign-world.ts';

interface ProposalEvent {
  readonly id: number;
  readonly proposal: Proposal;
}

describe('what changes', () => {
  let world: ForeignWorld;
  let alice: Agent;
  let next = 0;
  beforeAll(async () => {
    world = await startForeignWorld();
    alice = world.agent('alice', 'trade-agent');
  });
  afterAll(() => world.close());

  const propose = async (agent = alice) => {
    const body = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: String(++next) } };
    return (await agent.propose(body, `k-${next}`)).body as unknown as Proposal;
  };
  const withdraw = (id: string) => alice.send('DELETE', `/v1/proposals/${id}`);

  /** Follows a person's events, until as many have come as are asked for. */
  async function follow(options: { last?: number; sub?: string; claims?: Record<string, unknown> } = {}) {
    const stop = new AbortController();
    const { sub = 'alice', claims = {} } = options;
    const token = await world.issuer.mint({
      claims: { sub, client_id: 'trade-agent', scope: 'orders:read', ...claims },
    });
    const response = await fetch(`${world.url}/v1/events`, {
      headers: {
        authorization: `Bearer ${token}`,
        ...(options.last === undefined ? {} : { 'last-event-id': String(options.last) }),
      },
      signal: stop.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    /** False where the stream has ended. */
    const read = async (): Promise<boolean> => {
      const { value, done = true } = (await reader?.read()) ?? {};
      text += value ?? '';
      return !done;
    };
    const events = (): ProposalEvent[] =>
      text
        .split('\n\n')
        .slice(0, -1)
        .filter((block) => block.includes('event: proposal'))
        .map((block) => ({
          id: Number(/^id: (\d+)$/m.exec(block)?.[1]),
          proposal: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as Proposal,
        }));
    // The first sign of life: from now on nothing is missed.
    if (options.last === undefined) await read();
    return {
      /** What the first sign of life was told under. */
      since: Number(/^id: (\d+)$/m.exec(text)?.[1]),
      async take(count: number) {
        while (events().length < count) if (!(await read())) break;
        return events();
      },
      async ended() {
        while (await read());
      },
      stop: () => stop.abort(),
    };
  }

  it('is told to who follows, in order, as it changes', async () => {
    const following = await follow();
    const { id } = await propose();
    await withdraw(id);
    const events = await following.take(3);
    expect(events.map(({ proposal }) => [proposal.id, proposal.state]).at(-1)).toEqual([id, 'cancelled']);
    const ids = events.map((event) => event.id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    following.stop();
  });

  it('and was missed is told first, in order, each as it stands now, and nothing twice', async () => {
    const before = await follow();
    const first = await propose();
    const last = (await before.take(1)).at(-1)?.id ?? 0;
    before.stop();
    const second = await propose();
    const third = await propose();
    await withdraw(second.id);
    await withdraw(first.id);
    const after = await follow({ last });
    const events = await after.take(3);
    expect(events.slice(-3).map(({ proposal }) => [proposal.id, proposal.state])).toEqual([
      [third.id, 'requested'],
      [second.id, 'cancelled'],
      [first.id, 'cancelled'],
    ]);
    expect(events.every(({ id }) => id > last)).toBe(true);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    after.stop();
    await withdraw(third.id);
  });

  it('after a stream that ended before anything had changed is told to who goes on from its sign of life', async () => {
    const before = await follow();
    before.stop();
    const { id } = await propose();
    const after = await follow({ last: before.since });
    expect((await after.take(1)).map(({ proposal }) => proposal.id)).toContain(id);
    after.stop();
    await withdraw(id);
  });

  it('of another person is not told', async () => {
    const following = await follow({ sub: 'bob', last: 0 });
    await withdraw((await propose()).id);
    const bobs = await propose(world.agent('bob', 'trade-agent'));
    const events = await following.take(1);
    expect(events.map(({ proposal }) => proposal.id)).toEqual([bobs.id]);
    following.stop();
  });

  it('is told no longer than the token lasts', async () => {
    const now = Math.floor(Date.now() / 1000);
    const following = await follow({ claims: { iat: now - 10, exp: now + 1 } });
    await following.ended();
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(now + 1);
  });

  it.each(['', 'x', '-1', '1.5', '9'.repeat(20)])('after the event %j follows from now on', async (last) => {
    const token = await world.issuer.mint({ claims: { scope: 'orders:read', client_id: 'trade-agent' } });
    const stop = new AbortController();
    const response = await fetch(`${world.url}/v1/events`, {
      headers: { authorization: `Bearer ${token}`, 'last-event-id': last },
      signal: stop.signal,
    });
    expect(response.status).toBe(200);
    const first = await response.body?.pipeThrough(new TextDecoderStream()).getReader().read();
    expect(first?.value).toMatch(/^: alive\nevent: alive\nid: \d+\ndata:\n\n$/);
    stop.abort();
  });

  it('is waited for by who asks with ?wait, and told at once where it came before', async () => {
    const proposal = await propose();
    const path = `/v1/proposals/${proposal.id}?wait=20&since=${encodeURIComponent(proposal.updated_at)}`;
    const waiting = alice.send('GET', path);
    await withdraw(proposal.id);
    expect((await waiting).body).toMatchObject({ state: 'cancelled' });
    // Seen before the change: no wait.
    expect((await alice.send('GET', path)).body).toMatchObject({ state: 'cancelled' });
  });

  it.each(['wait=26', 'wait=-1', 'wait=x', 'more=1'])('with ?%s is refused', async (query) => {
    const { id } = await propose();
    expect(await alice.send('GET', `/v1/proposals/${id}?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_query' },
    });
    await withdraw(id);
  });

  it('with a ttl beyond the gateway’s own is asked for as long as that', async () => {
    const body = { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '99' }, ttl: 86_400 };
    const { expires_at, id } = (await alice.propose(body, 'long')).body as unknown as Proposal;
    const left = (Date.parse(expires_at) - Date.now()) / 1000;
    expect(left).toBeGreaterThan(3_590);
    expect(left).toBeLessThanOrEqual(3_600);
    await withdraw(id);
  });
});
