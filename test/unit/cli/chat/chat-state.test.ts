import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import {
  type ChatRun,
  type ChatState,
  chatReducer,
  emptyChat,
  findActiveRun,
  isRunWaiting,
} from '../../../../src/cli/chat/chat-state.ts';
import { approval, doneResult, executed, messageApproval, order } from '../sample-events.ts';

const asked = chatReducer(emptyChat, {
  type: 'start',
  talk: 1,
  title: 'buy 5 AAPL limit 180',
  text: 'buy 5 AAPL limit 180',
});
/** A run under way that has shown nothing yet. */
const begun = chatReducer(emptyChat, { type: 'start', talk: 1, title: 'resume' });

function stateAfter(events: readonly AgentEvent[], start: ChatState = begun, talk = 1): ChatState {
  return events.reduce((state, event) => chatReducer(state, { type: 'event', talk, event }), start);
}

/** The only run there is. */
function runOf(state: ChatState) {
  expect(state.runs).toHaveLength(1);
  return state.runs[0] as ChatRun;
}

describe('the chat’s state', () => {
  it('puts what the person said above, and a run is under way', () => {
    expect(asked.items).toEqual([{ type: 'prompt', text: 'buy 5 AAPL limit 180' }]);
    expect(findActiveRun(asked)?.talk).toBe(1);
  });

  it('keeps the answer live while it is written, and moves it up once it is whole', () => {
    const writing = stateAfter([
      { type: 'text', delta: 'Bought ' },
      { type: 'text', delta: '5 AAPL.' },
    ]);
    expect(runOf(writing).answer).toBe('Bought 5 AAPL.');
    expect(writing.items).toEqual([]);
    const done = stateAfter([{ type: 'result', result: doneResult }], writing);
    expect(done).toMatchObject({ runs: [], thread: 'th_1' });
    expect(done.items).toEqual([{ type: 'answer', text: 'Bought 5 AAPL.' }]);
  });

  it('shows the answer of a model that does not stream, once', () => {
    expect(stateAfter([{ type: 'result', result: doneResult }]).items).toEqual([
      { type: 'answer', text: 'Bought 5 AAPL.' },
    ]);
  });

  it('says which account a run stands still for, leaves the way free meanwhile, and tells when it goes on', () => {
    const connection = { name: 'broker', command: 'trade-agent connections add broker' };
    const waiting = stateAfter([
      { type: 'tool_call', id: 'c1', name: 'get_portfolio', args: {} },
      { type: 'connection', connection: { ...connection, status: 'needed' } },
    ]);
    expect(waiting.items).toMatchObject([
      { type: 'note', text: expect.stringContaining('trade-agent connections add broker') },
    ]);
    expect(isRunWaiting(runOf(waiting))).toBe(true);
    const on = stateAfter([{ type: 'connection', connection: { ...connection, status: 'connected' } }], waiting);
    expect(on.items.at(-1)).toMatchObject({ type: 'outcome', text: 'broker is connected', good: true });
    expect(isRunWaiting(runOf(on))).toBe(false);
  });

  it('waits for the phone about a message as about an order', () => {
    const waiting = stateAfter([
      { type: 'tool_call', id: 'c1', name: 'send_slack_summary', args: { recipient: '#trading' } },
      { type: 'approval', approval: messageApproval },
    ]);
    expect(isRunWaiting(runOf(waiting))).toBe(true);
    const denied = stateAfter([{ type: 'approval', approval: { ...messageApproval, status: 'denied' } }], waiting);
    expect(denied.items).toMatchObject([
      { type: 'outcome', text: 'message to #trading on Slack: denied on the phone: not sent', good: false },
    ]);
  });

  it('shows a tool while it runs, and its result on one line afterwards', () => {
    const call = { type: 'tool_call', id: 'c1', name: 'get_quote', args: { symbols: ['AAPL'] } } as const;
    const running = stateAfter([{ ...call, title: 'Look up prices' }]);
    expect(runOf(running).tools).toEqual([{ id: 'c1', name: 'get_quote', text: 'Look up prices (AAPL)' }]);
    expect(runOf(stateAfter([call])).tools).toMatchObject([{ text: 'get_quote (AAPL)' }]);
    const done = stateAfter(
      [{ type: 'tool_result', id: 'c1', name: 'get_quote', ok: true, summary: 'AAPL\n179.50', ms: 312 }],
      running,
    );
    expect(runOf(done).tools).toEqual([]);
    expect(done.items).toEqual([{ type: 'tool', text: 'Look up prices (AAPL): AAPL 179.50', ok: true, ms: 312 }]);
  });

  it('keeps an approval live until it is decided, whatever order several are decided in', () => {
    const second = { ...approval, id: 'ap_2', code: 'ZZZZ' };
    const both = stateAfter([
      { type: 'approval', approval },
      { type: 'approval', approval: second },
      { type: 'approval', approval: { ...second, status: 'approved' } },
    ]);
    expect(runOf(both).approvals.map(({ id, status }) => [id, status])).toEqual([
      [approval.id, 'requested'],
      ['ap_2', 'approved'],
    ]);
    const one = stateAfter([{ type: 'approval', approval: { ...second, status: 'denied' } }], both);
    expect(runOf(one).approvals.map(({ id }) => id)).toEqual([approval.id]);
    expect(one.items.at(-1)).toMatchObject({ type: 'outcome', good: false });
  });

  it('says what was filled', () => {
    const state = stateAfter([
      { type: 'approval', approval },
      { type: 'order', order, approval: approval.id },
      { type: 'approval', approval: executed },
    ]);
    expect(runOf(state).approvals).toEqual([]);
    expect(state.items).toEqual([{ type: 'outcome', text: 'Bought 5 AAPL at $179.51', good: true }]);
  });

  it('reports each of several fills and denials once, though the answer says them all again', () => {
    const other = { ...approval, id: 'ap_2', code: 'ZZZZ' };
    const [c1, c2] = ['c1', 'c2'].map((id) => ({ id, name: 'place_order', ms: 900 }));
    const text =
      'Bought 5 AAPL at $179.51.\n\nBUY 1 KO MKT was denied on the phone. Nothing was traded.\n\nYou are signed in as Alice.';
    const events: AgentEvent[] = [
      { type: 'tool_call', args: {}, ...c1 } as AgentEvent,
      { type: 'tool_call', args: {}, ...c2 } as AgentEvent,
      { type: 'approval', approval: executed },
      { type: 'approval', approval: { ...other, status: 'denied' } },
      { type: 'tool_result', ok: true, summary: 'filled', ...c1 } as AgentEvent,
      { type: 'tool_result', ok: false, summary: 'BUY 1 KO MKT was denied on the phone', ...c2 } as AgentEvent,
    ];
    const result: AgentEvent = { type: 'result', result: { ...doneResult, text } };
    const once = [
      { type: 'outcome', text: 'Bought 5 AAPL at $179.51', good: true },
      { type: 'outcome', text: 'BUY 5 AAPL, limit $180.00: denied on the phone; nothing was ordered', good: false },
      { type: 'answer', text: 'You are signed in as Alice.' },
    ];
    expect(stateAfter([...events, result]).items).toEqual(once);
    for (const size of [1, 7, 40, 200]) {
      const deltas = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const streamed = deltas.map((delta): AgentEvent => ({ type: 'text', delta }));
      expect(stateAfter([...events, ...streamed, result]).items).toEqual(once);
    }
  });

  it('keeps what an answer adds to an outcome', () => {
    const deltas: AgentEvent[] = [{ type: 'text', delta: 'Bought 5 AAPL at $179.51. That is half of your cash.\n' }];
    const state = stateAfter([{ type: 'approval', approval }, { type: 'approval', approval: executed }, ...deltas]);
    expect(state.items.at(-1)).toEqual({
      type: 'answer',
      text: 'Bought 5 AAPL at $179.51. That is half of your cash.',
    });
  });

  it.each([
    ['market', 'limit', 'Open: buy 5 AAPL for at most $225.70'],
    ['limit', 'limit', 'Open: buy 5 AAPL at $225.70 or less'],
    ['stop', 'stop_limit', 'Open: buy 5 AAPL once it trades at $220.00 for at most $225.70'],
  ] as const)('says of a %s order that went out as a %s what was approved', (type, sent, text) => {
    const terms = { type: sent, limit_price: '225.70', stop_price: sent === 'limit' ? null : '220.00' };
    const approved = type === sent ? {} : { approved_type: type };
    const placed = { ...order, ...terms, ...approved, status: 'new', filled_qty: '0', filled_avg_price: null };
    const state = stateAfter([
      { type: 'approval', approval: { ...executed, order: { ...approval.order, type }, placed } },
    ]);
    expect(state.items).toEqual([{ type: 'outcome', text, good: true }]);
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
    expect(interrupted.pending).toMatchObject([{ talk: 1, thread: 'th_1', approvals: [approval] }]);
    expect(interrupted.runs).toEqual([]);
    expect(interrupted.items.at(-1)).toMatchObject({
      type: 'note',
      text: expect.stringContaining('/resume'),
    });
  });

  it('counts the tokens of an answer, and what they cost', () => {
    const usage = { model: 'gpt-5-mini', input_tokens: 1234, output_tokens: 56, cost_usd: '0.0012' };
    const state = stateAfter([
      { type: 'thread', thread: 'th_1' },
      { type: 'result', result: { ...doneResult, usage } },
    ]);
    expect(state.items.at(-1)).toEqual({
      type: 'note',
      text: 'gpt-5-mini: 1,234 tokens in, 56 out, $0.0012',
    });
  });

  it('calls what the person stopped stopped, and no error', () => {
    const error = { code: 'interrupted', message: 'interrupted' } as const;
    const result = { ...doneResult, status: 'failed', text: '', error } as const;
    const state = stateAfter([
      { type: 'thread', thread: 'th_1' },
      { type: 'result', result },
    ]);
    expect(state.items.at(-1)).toEqual({ type: 'note', text: 'stopped' });
  });

  it('remembers it also where the run broke off without a result', () => {
    const live = stateAfter([
      { type: 'thread', thread: 'th_1' },
      { type: 'approval', approval },
    ]);
    const state = chatReducer(live, {
      type: 'failed',
      talk: 1,
      code: 'internal',
      message: 'broke off',
      hint: undefined,
    });
    expect(state).toMatchObject({ pending: [{ thread: 'th_1' }], runs: [] });
  });

  it('has nothing pending any more after what was left was carried out', () => {
    const left = stateAfter([
      { type: 'thread', thread: 'th_1' },
      { type: 'result', result: { ...doneResult, status: 'pending', text: '', approvals: [approval] } },
    ]);
    expect(left.pending).toHaveLength(1);
    const resumed = chatReducer(left, { type: 'start', talk: 1, title: 'resume', thread: 'th_1' });
    expect(stateAfter([{ type: 'result', result: doneResult }], resumed).pending).toEqual([]);
  });

  it('is waiting only while nothing but the phone is needed', () => {
    const proposing = stateAfter([
      { type: 'tool_call', id: 'c1', name: 'place_order', args: {} },
      { type: 'approval', approval: { ...approval, status: 'drafted' } },
    ]);
    expect(isRunWaiting(runOf(proposing))).toBe(false);
    const waiting = stateAfter([{ type: 'approval', approval }], proposing);
    expect(isRunWaiting(runOf(waiting))).toBe(true);
    expect(findActiveRun(waiting)).toBeUndefined();
    const placing = stateAfter([{ type: 'approval', approval: { ...approval, status: 'approved' } }], waiting);
    expect(isRunWaiting(runOf(placing))).toBe(false);
    const second = stateAfter([{ type: 'tool_call', id: 'c2', name: 'place_order', args: {} }], waiting);
    expect(isRunWaiting(runOf(second))).toBe(false);
  });

  it('numbers no conversation that is alone, as after the one before was cleared', () => {
    const over = stateAfter([{ type: 'result', result: doneResult }], asked);
    const cleared = chatReducer(over, { type: 'fresh' });
    const next = chatReducer(cleared, { type: 'start', talk: cleared.talk, title: 'b', text: 'what do I own' });
    expect(next).toMatchObject({
      talk: 1,
      thread: undefined,
      items: [{}, {}, { type: 'prompt', text: 'what do I own' }],
    });
    expect(next.items.at(-1)).not.toHaveProperty('talk');
  });

  it('keeps the number of each of several to their end, and gives none to what follows', () => {
    const first = stateAfter([{ type: 'approval', approval }], asked);
    const cleared = chatReducer(first, { type: 'fresh' });
    expect(cleared).toMatchObject({ talk: 2, thread: undefined });
    const two = chatReducer(cleared, { type: 'start', talk: 2, title: 'b', text: 'who am I' });
    const ended = stateAfter([{ type: 'result', result: doneResult }], two, 1);
    const told = stateAfter([{ type: 'text', delta: 'You are Alice.\n' }], ended, 2);
    expect(told.items.at(-1)).toMatchObject({ type: 'answer', talk: '#2' });
    const alone = stateAfter([{ type: 'result', result: doneResult }], told, 2);
    const next = chatReducer(alone, { type: 'start', talk: 2, title: 'c', text: 'quote KO' });
    expect(next.items.at(-1)).not.toHaveProperty('talk');
  });

  it('names the conversation of each item once there are several', () => {
    const first = stateAfter([{ type: 'approval', approval }], asked);
    const two = chatReducer(first, { type: 'start', talk: 2, title: 'b', text: 'what do I own' });
    expect(two.items.at(-1)).toEqual({ type: 'prompt', text: 'what do I own', talk: '#2' });
    const told = stateAfter([{ type: 'approval', approval: executed }], two, 1);
    expect(told.items.at(-1)).toMatchObject({ type: 'outcome', talk: '#1' });
    expect(told.runs.map(({ talk }) => talk)).toEqual([1, 2]);
  });

  it('keeps two answers that are written at the same time apart', () => {
    const two = chatReducer(begun, { type: 'start', talk: 2, title: 'b' });
    const one = stateAfter([{ type: 'text', delta: 'first\nof one\n' }], two, 1);
    const both = stateAfter([{ type: 'text', delta: 'second\n' }], one, 2);
    expect(both.items).toEqual([{ type: 'answer', text: 'second', talk: '#2' }]);
    const done = stateAfter([{ type: 'result', result: { ...doneResult, text: 'first\nof one\n' } }], both, 1);
    expect(done.items.at(-1)).toEqual({ type: 'answer', text: 'first\nof one', talk: '#1' });
  });

  it('writes lines that will not change any more at once, each just once, with the gaps between them', () => {
    const deltas = ['One\n', '\nTwo', ' more\n| A | B |\n', '| - | - |\n| 1 |', ' 2 |\n', '\nEnd'];
    const state = stateAfter(deltas.map((delta): AgentEvent => ({ type: 'text', delta })));
    const written = [...state.items.map((item) => ('text' in item ? item.text : '')), runOf(state).answer];
    expect(written).toEqual(['One', '\nTwo more', '| A | B |\n| - | - |\n| 1 | 2 |', '\nEnd']);
  });

  it('lets no escape sequence of a model or server through', () => {
    const state = stateAfter([
      { type: 'text', delta: 'ok\u001b[2J' },
      { type: 'tool_call', id: 'c1', name: 'get_quote', args: { symbols: ['\u001b[31mA'] } },
      { type: 'notice', message: 'slow\u0007\u202e' },
    ]);
    expect(JSON.stringify(state)).not.toMatch(/\\u001b|\\u0007|\u202e/);
    expect(runOf(state).tools[0]?.text).toBe('get_quote (A)');
  });
});
