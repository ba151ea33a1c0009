import { describe, expect, it } from 'vitest';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import type { GatewayEvent } from '../../../src/tools/gateway/event-requests.ts';
import { followEvents } from '../../../src/tools/gateway/follow-events.ts';
import type { Proposal } from '../../../src/trading/proposal.ts';
import { manualClock } from '../cli/manual-clock.ts';

const told = (id: string): GatewayEvent => ({ type: 'proposal', id, proposal: { id: `p${id}` } as Proposal });
const alive: GatewayEvent = { type: 'alive' };
const down = new TradeAgentError('gateway_unreachable', 'down');

/** A gateway whose streams are these, one after the other: events, then how each ends; `open` goes on for ever. */
function following(...streams: { events: GatewayEvent[]; end: 'closed' | 'open' | Error }[]) {
  const clock = manualClock(0);
  const stop = new AbortController();
  const asked: (string | undefined)[] = [];
  const changed: string[] = [];
  const standing: boolean[] = [];
  const done = followEvents(
    {
      async *events(until, last) {
        const stream = streams[asked.length];
        asked.push(last);
        yield* stream?.events ?? [];
        if (stream?.end instanceof Error) throw stream.end;
        if (stream?.end === 'closed') return;
        until.throwIfAborted();
        await new Promise((_, reject) => {
          until.addEventListener('abort', () => reject(new DOMException('ended', 'AbortError')));
        });
      },
    },
    {
      clock,
      signal: stop.signal,
      changed: ({ id }) => changed.push(id),
      onLive: (live) => standing.push(live),
    },
  );
  return { clock, stop, asked, changed, standing, done };
}

describe('following what the gateway tells', () => {
  it('goes on after a lost connection from the last event seen, each time a little later', async () => {
    const { clock, stop, asked, changed, standing, done } = following(
      { events: [alive, told('7')], end: down },
      { events: [], end: down },
      { events: [alive, told('9')], end: 'open' },
    );
    await clock.slept(1000);
    clock.advance(1000);
    await clock.slept(2000);
    clock.advance(2000);
    await expect.poll(() => changed).toEqual(['p7', 'p9']);
    expect(asked).toEqual([undefined, '7', '7']);
    expect(standing).toEqual([true, false, false, true]);
    stop.abort();
    await done;
  });

  it('goes on from the last sign of life where nothing had changed yet', async () => {
    const { clock, asked, stop, done } = following(
      { events: [alive, { type: 'alive', id: '5' }], end: 'closed' },
      { events: [alive], end: 'closed' },
      { events: [], end: 'open' },
    );
    await clock.slept(1000);
    clock.advance(1000);
    await expect.poll(() => asked).toEqual([undefined, '5']);
    await clock.slept(1000);
    clock.advance(1000);
    await expect.poll(() => asked).toEqual([undefined, '5', '5']);
    stop.abort();
    await done;
  });

  it('takes the end of a token for no failure, and does not ask again at once', async () => {
    const { clock, asked, standing, stop, done } = following(
      { events: [alive, told('1')], end: 'closed' },
      { events: [alive], end: 'open' },
    );
    await clock.slept(1000);
    expect(asked).toEqual([undefined]);
    clock.advance(1000);
    await expect.poll(() => asked).toEqual([undefined, '1']);
    expect(standing).not.toContain(false);
    stop.abort();
    await done;
  });

  it('gives up a connection on which nothing is heard', async () => {
    const { clock, asked, stop, done } = following({ events: [alive], end: 'open' }, { events: [alive], end: 'open' });
    await clock.slept(45_000);
    clock.advance(45_000);
    await clock.slept(1000);
    clock.advance(1000);
    await expect.poll(() => asked.length).toBe(2);
    stop.abort();
    await done;
  });

  it('ends where the gateway refuses for good', async () => {
    const refusal = new TradeAgentError('login_required', 'not signed in');
    const { done } = following({ events: [], end: refusal });
    await expect(done).rejects.toBe(refusal);
  });
});
