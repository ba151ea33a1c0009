import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import { type ChatState, chatReducer, emptyChat } from '../../../../src/cli/chat/chat-state.ts';
import { approval, doneResult, executed, order } from '../sample-events.ts';

function stateAfter(events: readonly AgentEvent[], start: ChatState = emptyChat): ChatState {
  return events.reduce((state, event) => chatReducer(state, { type: 'event', event }), start);
}

const asked = chatReducer(emptyChat, { type: 'prompt', text: 'buy 5 AAPL limit 180' });

describe('the chat’s state', () => {
  it('puts what the person said above, and is busy', () => {
    expect(asked.items).toEqual([{ type: 'prompt', text: 'buy 5 AAPL limit 180' }]);
    expect(asked.busy).toBe(true);
  });

  it('keeps the answer live while it is written, and moves it up once it is whole', () => {
    const writing = stateAfter([
      { type: 'text', delta: 'Bought ' },
      { type: 'text', delta: '5 AAPL.' },
    ]);
    expect(writing).toMatchObject({ answer: 'Bought 5 AAPL.', items: [] });
    const done = stateAfter([{ type: 'result', result: doneResult }], writing);
    expect(done).toMatchObject({ answer: '', busy: false, thread: 'th_1' });
    expect(done.items).toEqual([{ type: 'answer', text: 'Bought 5 AAPL.' }]);
  });

  it('shows the answer of a model that does not stream, once', () => {
    expect(stateAfter([{ type: 'result', result: doneResult }]).items).toEqual([
      { type: 'answer', text: 'Bought 5 AAPL.' },
    ]);
  });

  it('shows a tool while it runs, and its result on one line afterwards', () => {
    const running = stateAfter([
      { type: 'tool_call', id: 'c1', name: 'get_quote', args: { symbols: ['AAPL'] } },
    ]);
    expect(running.tools).toEqual([{ id: 'c1', text: 'get_quote AAPL' }]);
    const done = stateAfter(
      [{ type: 'tool_result', id: 'c1', name: 'get_quote', ok: true, summary: 'AAPL\n179.50', ms: 312 }],
      running,
    );
    expect(done.tools).toEqual([]);
    expect(done.items).toEqual([{ type: 'tool', text: 'get_quote AAPL: AAPL 179.50', ok: true, ms: 312 }]);
  });

  it('keeps an approval live until it is decided, whatever order several are decided in', () => {
    const second = { ...approval, id: 'ap_2', code: 'ZZZZ' };
    const both = stateAfter([
      { type: 'approval', approval },
      { type: 'approval', approval: second },
      { type: 'approval', approval: { ...second, status: 'approved' } },
    ]);
    expect(both.approvals.map(({ id, status }) => [id, status])).toEqual([
      [approval.id, 'requested'],
      ['ap_2', 'approved'],
    ]);
    const one = stateAfter([{ type: 'approval', approval: { ...second, status: 'denied' } }], both);
    expect(one.approvals.map(({ id }) => id)).toEqual([approval.id]);
    expect(one.items.at(-1)).toMatchObject({ type: 'outcome', good: false });
  });

  it('says what was filled', () => {
    const state = stateAfter([
      { type: 'approval', approval },
      { type: 'order', order, approval: approval.id },
      { type: 'approval', approval: executed },
    ]);
    expect(state.approvals).toEqual([]);
    expect(state.items).toEqual([
      { type: 'outcome', text: 'BUY 5 AAPL, limit $180.00: order placed · filled 5 at $179.51', good: true },
    ]);
  });

  it('remembers the thread of an approval that was left pending', () => {
    const interrupted = stateAfter([
      { type: 'thread', thread: 'th_1' },
      { type: 'approval', approval },
      {
        type: 'result',
        result: { ...doneResult, status: 'pending', text: '', approvals: [approval], orders: [] },
      },
    ]);
    expect(interrupted.pendingThread).toBe('th_1');
    expect(interrupted.approvals).toEqual([]);
    expect(interrupted.items.at(-1)).toMatchObject({
      type: 'note',
      text: expect.stringContaining('/resume'),
    });
  });

  it('remembers it also where the run broke off without a result', () => {
    const live = stateAfter([
      { type: 'thread', thread: 'th_1' },
      { type: 'approval', approval },
    ]);
    const state = chatReducer(live, { type: 'failed', message: 'interrupted', hint: undefined });
    expect(state).toMatchObject({ pendingThread: 'th_1', busy: false });
  });

  it('has no pending thread after one that was carried out', () => {
    const pending: ChatState = { ...emptyChat, thread: 'th_1', pendingThread: 'th_1' };
    expect(stateAfter([{ type: 'result', result: doneResult }], pending).pendingThread).toBeUndefined();
  });

  it('lets no escape sequence of a model or server through', () => {
    const state = stateAfter([
      { type: 'text', delta: 'ok\u001b[2J' },
      { type: 'tool_call', id: 'c1', name: 'get_quote', args: { symbols: ['\u001b[31mA'] } },
      { type: 'notice', message: 'slow\u0007\u202e' },
    ]);
    expect(JSON.stringify(state)).not.toMatch(/\\u001b|\\u0007|\u202e/);
    expect(state.tools[0]?.text).toBe('get_quote A');
  });
});
