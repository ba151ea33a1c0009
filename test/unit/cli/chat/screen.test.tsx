import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink';
import { afterEach, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events.ts';
import { ChatApp } from '../../../../src/cli/chat/chat-app.tsx';
import type { ChatDriver, ChatStatus } from '../../../../src/cli/chat/chat-driver.ts';
import { ChatSession } from '../../../../src/cli/chat/chat-session.ts';
import { manualClock } from '../manual-clock.ts';
import { approval, doneResult, executed, NOW } from '../sample-events.ts';

const status: ChatStatus = {
  profile: 'sandbox',
  environment: 'PAPER',
  simulated: true,
  model: 'built-in planner',
  user: 'Alice Adams',
  value: '$100,123.45',
  phone: 'http://127.0.0.1:4710/phone',
};

/** A driver whose run stays open after its events until it is told to end. */
function scriptedDriver(events: readonly AgentEvent[], changes: Partial<ChatStatus> = {}) {
  let end: (last: AgentEvent[]) => void = () => undefined;
  const ended = new Promise<AgentEvent[]>((resolve) => {
    end = resolve;
  });
  const runs: { prompt: string; thread: string | undefined }[] = [];
  const driver: ChatDriver = {
    async *run(prompt, thread, signal) {
      runs.push({ prompt, thread });
      yield* events;
      const stopped = new Promise<AgentEvent[]>((resolve) => {
        signal.addEventListener('abort', () =>
          resolve([
            { type: 'result', result: { ...doneResult, status: 'pending', text: '', approvals: [approval] } },
          ]),
        );
      });
      yield* await Promise.race([ended, stopped]);
    },
    async *resume() {},
    status: async () => ({ ...status, ...changes }),
    login: async () => ({
      userCode: 'WDJB-MJHT',
      address: 'http://127.0.0.1:4710/device',
      warning: 'Only go on if you started this yourself.',
      asks: ['see quotes'],
      sandboxCommand: 'trade-agent phone login WDJB-MJHT',
      expiresAt: NOW + 600_000,
      complete: (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }),
    portfolio: async () => ({ type: 'report', text: 'the portfolio' }),
    orders: async () => ({ type: 'report', text: 'No orders.' }),
    approvals: async () => ({ type: 'report', text: 'No approvals.' }),
  };
  return { driver, runs, end };
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function openScreen(driver: ChatDriver, size: { columns: number; rows: number }, first = status) {
  const clock = manualClock(NOW);
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
  });
  const frames: string[] = [];
  const stdout = Object.assign(new PassThrough(), { isTTY: true, ...size });
  stdout.on('data', (chunk: Buffer) => frames.push(chunk.toString('utf8')));
  const session = new ChatSession({ driver, clock, status: first, onQuit: () => app.unmount() });
  const app = render(<ChatApp session={session} clock={clock} version="1.2.3" unicode color />, {
    stdin,
    stdout,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
    interactive: true,
  });
  cleanups.push(() => app.unmount());
  return {
    session,
    type: (text: string) => stdin.write(text),
    exited: () => app.waitUntilExit(),
    /** The whole screen as last written, without colours. */
    screen: () => stripVTControlCharacters(frames.at(-1) ?? ''),
    async shows(text: string | RegExp) {
      await expect
        .poll(() => stripVTControlCharacters(frames.at(-1) ?? ''), { timeout: 5000 })
        .toMatch(
          typeof text === 'string' ? new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')) : text,
        );
    },
  };
}

const pendingEvents: AgentEvent[] = [
  { type: 'thread', thread: 'th_1' },
  { type: 'tool_call', id: 'c1', name: 'get_quote', args: { symbols: ['AAPL'] } },
  { type: 'tool_result', id: 'c1', name: 'get_quote', ok: true, summary: 'AAPL 179.50 (simulated)', ms: 120 },
  { type: 'approval', approval },
];

describe('the chat’s screen', () => {
  it('says at its head whose account and whose money it is', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('PAPER (simulated) · sandbox · Alice Adams · $100,123.45 · built-in planner');
  });

  it('shows an order that waits for the phone with all its fields, its code and the time left', async () => {
    const chat = openScreen(scriptedDriver(pendingEvents).driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('PAPER order: waiting for your phone, 5:00 left');
    for (const text of [
      'K 7 Q P',
      'BUY 5 AAPL, limit $180.00',
      'PA3ALICE01 PAPER',
      'day (until the close)',
      '$179.50 now, may move 1%',
      'ta-abcdefgh',
      'http://127.0.0.1:4710/phone',
      '✓ get_quote AAPL: AAPL 179.50 (simulated) (0.1 s)',
    ]) {
      expect(chat.screen()).toContain(text);
    }
  });

  it('shows the deciding fields on a narrow and low terminal, none of them cut off', async () => {
    const chat = openScreen(scriptedDriver(pendingEvents).driver, { columns: 40, rows: 10 });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('K 7 Q P');
    expect(chat.screen()).toContain('PAPER BUY 5 AAPL, limit $180.00');
    expect(chat.screen()).toContain('waiting for your phone');
  });

  it.each([
    [80, 24],
    [40, 24],
    [40, 10],
    [20, 6],
  ])('keeps its live part lower than a terminal of %i by %i', async (columns, rows) => {
    const many: AgentEvent[] = [
      { type: 'thread', thread: 'th_1' },
      ...['c1', 'c2', 'c3', 'c4', 'c5'].map(
        (id): AgentEvent => ({
          type: 'tool_call',
          id,
          name: 'get_quote',
          args: { symbols: ['AAPL', 'MSFT'] },
        }),
      ),
      ...['a', 'b', 'c', 'd', 'e', 'f'].map(
        (id): AgentEvent => ({ type: 'approval', approval: { ...approval, id } }),
      ),
      { type: 'text', delta: 'a long line of an answer that goes on and on '.repeat(60) },
    ];
    const driver = scriptedDriver(many);
    const chat = openScreen(driver.driver, { columns, rows });
    chat.type('x\r');
    await expect.poll(() => chat.session.snapshot().state.answer, { timeout: 5000 }).toContain('on and on');
    await chat.shows(/❯/);
    const screen = chat.screen();
    const live = screen.slice(screen.lastIndexOf('❯ x') + 3).split('\n');
    expect(live.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...live.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('shows the fill once the phone said yes', async () => {
    const script = scriptedDriver(pendingEvents);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('waiting for your phone');
    script.end([
      { type: 'approval', approval: executed },
      { type: 'result', result: doneResult },
    ]);
    await chat.shows('● BUY 5 AAPL, limit $180.00: order placed · filled 5 at $179.51');
    await chat.shows('Bought 5 AAPL.');
    expect(chat.screen()).not.toContain('waiting for your phone');
  });

  it('stops waiting on Esc, says that the approval is still pending, and starts the next wish afresh', async () => {
    const script = scriptedDriver(pendingEvents);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('waiting for your phone, 5:00 left');
    chat.type('\u001b');
    await chat.shows('(ap_k7qp2m4x); go on with');
    await chat.session.idle();
    chat.type('what do I own\r');
    await expect.poll(() => script.runs.length).toBe(2);
    expect(script.runs[1]).toEqual({ prompt: 'what do I own', thread: undefined });
  });

  it('quits on the second Ctrl-C, and only then', async () => {
    const chat = openScreen(scriptedDriver(pendingEvents).driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL\r');
    await chat.shows('waiting for your phone');
    chat.type('\u0003');
    await chat.shows('Ctrl-C again to quit');
    chat.type('\u0003');
    await chat.exited();
    expect(chat.session.snapshot().state.pendingThread).toBe('th_1');
  });

  it('quits on two Ctrl-C that arrive as one', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('\u0003\u0003');
    await chat.exited();
  });

  it('keeps a line that was sent while it is busy', async () => {
    const chat = openScreen(scriptedDriver(pendingEvents).driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL\r');
    await chat.shows('waiting for your phone');
    chat.type('and then\r');
    await chat.shows('❯ and then');
  });

  it('signs in from within: the code, the address and the warning', async () => {
    const nobody = { ...status, user: undefined, value: undefined };
    const chat = openScreen(scriptedDriver([], nobody).driver, { columns: 80, rows: 24 }, nobody);
    await chat.shows('Enter signs you in');
    chat.type('\r');
    await chat.shows('WDJB-MJHT');
    expect(chat.screen()).toContain('http://127.0.0.1:4710/device');
    expect(chat.screen()).toContain('Only go on if you started this yourself.');
    chat.type('\u001b');
    await chat.shows('error: interrupted');
  });

  it('tells a misspelt command from a wish', async () => {
    const script = scriptedDriver([]);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('/portfolo\r');
    await chat.shows('there is no /portfolo');
    expect(script.runs).toEqual([]);
  });
});
