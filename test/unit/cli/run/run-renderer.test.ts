import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import { RunRenderer } from '../../../../src/cli/run/run-renderer.ts';
import { fakeTerminal } from '../fake-terminal.ts';
import { approval, executed, NOW } from '../sample-events.ts';

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

describe('a fill is told once', () => {
  const filled: AgentEvent[] = [
    call,
    { type: 'approval', approval },
    { type: 'approval', approval: { ...approval, status: 'approved' } },
    { type: 'approval', approval: executed },
    { type: 'tool_result', id: 'c1', name: 'place_order', ok: true, ms: 100, summary: 'filled 5 at $179.51' },
  ];
  const fill = '$179.51';

  it.each([true, false])('by the answer (terminal: %s)', (tty) => {
    const said = 'Bought 5 AAPL at $179.51.';
    const text = shown([...filled, { type: 'text', delta: said }], said, tty);
    expect(times(text, fill)).toBe(1);
    expect(text).toContain('approved (K7QP)');
  });

  it.each([true, false])('by its own line where the answer has other words (terminal: %s)', (tty) => {
    const text = shown([...filled, { type: 'text', delta: 'Done.' }], 'Done.', tty);
    expect(times(text, fill)).toBe(1);
    expect(text).toMatch(/Done\.[\s\S]*Bought 5 AAPL at \$179\.51/);
  });

  it('by its own line before the agent goes on', () => {
    const next: AgentEvent = { type: 'tool_call', id: 'c2', name: 'get_quote', args: {} };
    expect(times(shown([...filled, next], '', true), fill)).toBe(1);
  });

  it('by its own line as well where the answer goes elsewhere', () => {
    const { io, stderr } = fakeTerminal({ tty: true, columns: 200 });
    const clock = { now: () => NOW } as ConstructorParameters<typeof RunRenderer>[1];
    const renderer = new RunRenderer({ ...io, stdoutIsTty: false }, clock, { format: 'text', phone: undefined });
    for (const event of filled) renderer.show(event);
    renderer.finish('Bought 5 AAPL at $179.51.');
    expect(times(stderr(), fill)).toBe(1);
  });
});
