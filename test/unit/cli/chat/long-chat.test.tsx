import { Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import type { ChatDriver } from '../../../../src/cli/chat/chat-driver.ts';
import { systemClock } from '../../../../src/machine/clock.ts';
import { doneResult } from '../sample-events.ts';
import { openScreen, status } from './chat-screen.tsx';

const ROUNDS = 10;
const LINES = 1000;
/** Lines that come in one piece, and are drawn together. */
const AT_ONCE = 10;
/** A line's text takes some hundred bytes, and the note that it was written as much again. */
const MOST_BYTES_A_LINE = 700;

/** Answers each prompt with so many lines, as a model streams them. */
function talkative(): Pick<ChatDriver, 'run' | 'status' | 'orders' | 'approvals' | 'events'> {
  return {
    async *run(): AsyncGenerator<AgentEvent> {
      for (let line = 1; line <= LINES; line += AT_ONCE) {
        const text = (n: number) => `Line ${line + n} of the answer, about **AAPL** and what it is worth today.\n\n`;
        yield { type: 'text', delta: Array.from({ length: AT_ONCE }, (_, n) => text(n)).join('') };
        // Ink draws now, as it does while a model answers.
        await new Promise((resolve) => setImmediate(resolve));
      }
      yield { type: 'result', result: { ...doneResult, text: '', orders: [], approvals: [] } };
    },
    status: async () => status,
    orders: async () => [],
    events: async () => undefined,
    approvals: async () => [],
  };
}

it('10,000 lines of chat take no longer at the end than at the start, and little memory each', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let rows = 0;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      rows += chunk.toString().split('what it is worth today').length - 1;
      done();
    },
  });
  const { session } = openScreen(talkative() as ChatDriver, { clock: systemClock, color: false, output });
  void session.connect();
  await expect.poll(() => session.snapshot().busy).toBe(false);

  const took: number[] = [];
  const heap: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const started = process.cpuUsage();
    session.submit('tell me');
    await expect.poll(() => rows, { timeout: 60_000, interval: 5 }).toBeGreaterThanOrEqual(round * LINES);
    await expect.poll(() => session.snapshot().busy, { interval: 5 }).toBe(false);
    took.push(process.cpuUsage(started).user / 1000);
    collect();
    heap.push(process.memoryUsage().heapUsed);
  }

  // The first round compiles. Work that grew with what is above would be some five times as much in the last.
  expect(median(took.slice(-4)) / median(took.slice(1, 5))).toBeLessThan(2);
  const lines = (ROUNDS - 2) * LINES;
  expect(((heap.at(-1) ?? Infinity) - (heap[1] ?? 0)) / lines).toBeLessThan(MOST_BYTES_A_LINE);
}, 120_000);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
