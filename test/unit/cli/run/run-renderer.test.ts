import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import { RunRenderer } from '../../../../src/cli/run/run-renderer.ts';
import { fakeTerminal } from '../fake-terminal.ts';
import { approval, NOW } from '../sample-events.ts';

const REASON = 'AAPL is not on the list of what may be bought';
const call: AgentEvent = { type: 'tool_call', id: 'c1', name: 'place_order', args: { symbol: 'AAPL' } };
const refused: AgentEvent = {
  ...{ type: 'tool_result', id: 'c1', name: 'place_order', ok: false, ms: 100 },
  summary: `BUY 5 AAPL: ${REASON}`,
};
const answer = `BUY 5 AAPL: ${REASON}. No order was placed.`;

/** What a run shows of these events and of its answer, on both streams. */
function shown(events: readonly AgentEvent[], text: string, tty: boolean): string {
  const { io, stdout, stderr } = fakeTerminal({ tty, columns: 200 });
  const clock = { now: () => NOW } as ConstructorParameters<typeof RunRenderer>[1];
  const renderer = new RunRenderer(io, clock, { format: 'text', phone: undefined });
  for (const event of events) renderer.show(event);
  renderer.finish(text);
  return stdout() + stderr();
}

const times = (text: string, part: string) => text.split(part).length - 1;

describe('a refusal is told once', () => {
  const blocked = { ...approval, status: 'blocked', reason: REASON } as const;
  it.each<[string, readonly AgentEvent[]]>([
    ['of a call', [call, refused]],
    ['of an approval', [call, { type: 'approval', approval: blocked }, refused]],
  ])('%s, by the answer', (_, events) => {
    expect(times(shown([...events, { type: 'text', delta: answer }], answer, true), REASON)).toBe(1);
    expect(times(shown(events, answer, false), REASON)).toBe(1);
  });

  it.each([true, false])('by its own line where the answer does not say it (terminal: %s)', (tty) => {
    const other = 'I could not do that.';
    const text = shown([call, refused, { type: 'text', delta: other }], other, tty);
    expect(times(text, REASON)).toBe(1);
    expect(text).toContain(other);
  });

  it('before what happens next', () => {
    const text = shown([call, refused, call, { ...refused, ok: true, summary: 'placed' } as AgentEvent], answer, false);
    expect(text.indexOf(REASON)).toBeLessThan(text.indexOf('placed'));
  });
});
