import { describe, expect, it } from 'vitest';
import { streamRunEvents } from '../../../../src/agent/remote/remote-agent.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { manualClock } from '../../cli/manual-clock.ts';
import { doneResult } from '../../cli/sample-events.ts';

const result = { type: 'result', result: doneResult };
const body = (text: string) => new Response(text).body as ReadableStream<Uint8Array>;
const last = (id: number) => body(`id: ${id}\ndata: ${JSON.stringify(result)}\n\n`);
const silent = (until: AbortSignal) =>
  new ReadableStream<Uint8Array>({
    start: (controller) => until.addEventListener('abort', () => controller.error(until.reason)),
  });

describe('a run’s stream', () => {
  it('that is silent for 45 s is opened again, after the last event seen', async () => {
    const clock = manualClock(0);
    const asked: (string | undefined)[] = [];
    const events = streamRunEvents(
      {
        events: async (_, after, until) => {
          asked.push(after);
          return asked.length === 1 ? silent(until) : last(1);
        },
      },
      'rn_1',
      { clock, signal: new AbortController().signal, notice: () => undefined },
    );
    const next = events.next();
    await clock.slept(45_000);
    clock.advance(45_000);
    await clock.slept(1_000);
    clock.advance(1_000);
    expect((await next).value).toEqual(result);
    expect(asked).toEqual([undefined, undefined]);
  });

  it('is given up once the server could not be reached for ten minutes', async () => {
    const clock = manualClock(0);
    const down = new TradeAgentError('gateway_unreachable', 'the server is down');
    const notices: string[] = [];
    let tries = 0;
    const events = streamRunEvents(
      {
        events: async () => {
          tries += 1;
          throw down;
        },
      },
      'rn_1',
      { clock, signal: new AbortController().signal, notice: (message) => notices.push(message) },
    );
    const next = events.next();
    next.catch(() => undefined);
    for (const pause of [1, 2, 4, 8, 16, ...Array<number>(19).fill(30)]) {
      await clock.slept(pause * 1_000);
      clock.advance(pause * 1_000);
    }
    await expect(next).rejects.toBe(down);
    expect(clock.now()).toBe(601_000);
    expect(tries).toBe(25);
    expect(notices).toEqual(['The server cannot be reached; the run continues there.']);
  });

  it('ends with a refusal that waiting does not mend', async () => {
    const refused = new TradeAgentError('login_required', 'you have been signed out');
    const events = streamRunEvents({ events: () => Promise.reject(refused) }, 'rn_1', {
      clock: manualClock(0),
      signal: new AbortController().signal,
      notice: () => undefined,
    });
    await expect(events.next()).rejects.toBe(refused);
  });
});
