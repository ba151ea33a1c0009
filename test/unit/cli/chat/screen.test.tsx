import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink';
import { afterEach, describe, expect, it } from 'vitest';
import type { AgentEvent, ApprovalView } from '../../../../src/agent/events.ts';
import { ChatApp } from '../../../../src/cli/chat/chat-app.tsx';
import type { ChatDriver, ChatStatus } from '../../../../src/cli/chat/chat-driver.ts';
import { ChatSession } from '../../../../src/cli/chat/chat-session.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { manualClock } from '../manual-clock.ts';
import { approval, doneResult, executed, NOW } from '../sample-events.ts';

const status: ChatStatus = {
  connected: true,
  profile: 'sandbox',
  environment: 'PAPER',
  simulated: true,
  withheld: undefined,
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
  /** Approvals there are, and what was taken back, in order. */
  const left: ApprovalView[] = [];
  const cancelled: string[] = [];
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
      qr: [],
      warning: 'Only go on if you started this yourself.',
      machine: 'desk-7',
      asks: ['see quotes'],
      sandboxCommand: 'trade-agent phone login WDJB-MJHT',
      expiresAt: NOW + 600_000,
      complete: (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }),
    portfolio: async () => 'the portfolio',
    ordersReport: async () => 'No orders.',
    mcpServers: async () => 'No MCP servers.',
    chart: async (symbol, range) => `a chart of ${symbol} ${range}`,
    orders: async () => [],
    approvals: async () => left,
    cancelApproval: async (id) => {
      cancelled.push(id);
      return { ...approval, id, status: 'cancelled' };
    },
    threads: async () => [],
    profiles: async () => [
      { name: 'sandbox', environment: 'PAPER', current: true },
      { name: 'live', environment: 'LIVE', current: false },
    ],
    checkProfile: async (name) => {
      if (name === 'live') throw new TradeAgentError('invalid_config', 'profile "live" lacks gateway');
    },
    chooseModel: async () => undefined,
    chooseTheme: () => undefined,
    events: async () => undefined,
    halt: async () => {
      cancelled.push('halted');
    },
    liftHalt: async (asked) => {
      asked({ ...approval, code: 'L7FT' });
      cancelled.push('lifted');
      return 'active';
    },
  };
  return { driver, runs, end, left, cancelled };
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function openScreen(
  driver: ChatDriver,
  size: { columns: number; rows: number },
  first = status,
  look: { unicode?: boolean; color?: boolean; spoken?: boolean } = {},
) {
  const clock = manualClock(NOW);
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
  });
  const frames: string[] = [];
  const kept: string[] = [];
  const stdout = Object.assign(new PassThrough(), { isTTY: true, ...size });
  stdout.on('data', (chunk: Buffer) => frames.push(chunk.toString('utf8')));
  const session = new ChatSession({ driver, clock, status: first, onQuit: () => app.unmount() });
  const app = render(
    <ChatApp
      session={session}
      clock={clock}
      version="1.2.3"
      unicode={look.unicode ?? true}
      color={look.color ?? true}
      spoken={look.spoken ?? false}
      history={{ entries: ['an earlier line'], add: (entry) => kept.push(entry) }}
      phoneQr={[]}
    />,
    {
      stdin,
      stdout,
      debug: true,
      exitOnCtrlC: false,
      patchConsole: false,
      interactive: true,
      isScreenReaderEnabled: look.spoken ?? false,
    },
  );
  cleanups.push(() => app.unmount());
  return {
    session,
    kept,
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
      '$179.50 now, $900.00 at most; not placed if it rises over 1%',
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
    await expect
      .poll(() => chat.session.snapshot().state.runs[0]?.answer, { timeout: 5000 })
      .toContain('on and on');
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
    await chat.shows('● Bought 5 AAPL at $179.51');
    await chat.shows('Bought 5 AAPL.');
    expect(chat.screen()).not.toContain('waiting for your phone');
  });

  it('stays usable while an order waits: the next wish is a conversation of its own', async () => {
    const script = scriptedDriver(pendingEvents);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('waiting for your phone, 5:00 left');
    chat.type('what do I own\r');
    await chat.shows('#2 ❯ what do I own');
    expect(script.runs[1]).toEqual({ prompt: 'what do I own', thread: undefined });
    await chat.shows('#1 PAPER order: waiting for your phone, 5:00 left');
  });

  it('goes on waiting for the phone when the model is told to stop', async () => {
    const chat = openScreen(scriptedDriver(pendingEvents).driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('waiting for your phone, 5:00 left');
    chat.session.interrupt();
    chat.type('typed after');
    await chat.shows('typed after');
    expect(chat.screen()).toContain('waiting for your phone, 5:00 left');
  });

  it('stops the model on Esc, and drops what was to come next', async () => {
    const working: AgentEvent[] = [{ type: 'tool_call', id: 'c1', name: 'get_quote', args: {} }];
    const script = scriptedDriver(working);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('quote AAPL\r');
    await chat.shows('Esc stops');
    chat.type('and then\r');
    await chat.shows('next: and then');
    chat.type('\u001b');
    await chat.session.idle();
    await chat.shows('/help');
    expect(script.runs).toHaveLength(1);
    expect(chat.screen()).not.toContain('next:');
  });

  it('takes what was typed ahead as soon as the model is done', async () => {
    const script = scriptedDriver([{ type: 'tool_call', id: 'c1', name: 'get_quote', args: {} }]);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('quote AAPL\r');
    await chat.shows('Esc stops');
    chat.type('and then\r');
    await chat.shows('next: and then');
    script.end([{ type: 'result', result: doneResult }]);
    await expect.poll(() => script.runs.map(({ prompt }) => prompt)).toEqual(['quote AAPL', 'and then']);
  });

  it('shows two orders that wait at once: both codes, both conversations', async () => {
    const script = scriptedDriver(pendingEvents);
    const chat = openScreen(script.driver, { columns: 100, rows: 40 });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('waiting for your phone, 5:00 left');
    chat.type('buy 5 more\r');
    await chat.shows('#2 PAPER order');
    expect(chat.screen()).toContain('#1 PAPER order');
    expect(chat.screen()).toContain('2 on your phone');
  });

  it('halts only after a yes, and says what is taken back', async () => {
    const script = scriptedDriver([]);
    script.left.push(approval);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('/halt\r');
    await chat.shows('Halt? (y/n)');
    expect(chat.screen()).toContain('K7QP');
    chat.type('n\r');
    await chat.shows('Not halted');
    expect(script.cancelled).toEqual([]);
    chat.type('/halt\r');
    await chat.shows(/Not halted[\s\S]*Halt\? \(y\/n\)/);
    chat.type('y\r');
    await chat.shows('HALTED');
    await chat.session.idle();
    // The gateway takes back what waits.
    expect(script.cancelled).toEqual(['halted']);
  });

  it('asks the phone to let trading go on', async () => {
    const script = scriptedDriver([]);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('/halt lift\r');
    await chat.shows('trading goes on');
    expect(chat.screen()).toContain('L7FT');
    expect(script.cancelled).toEqual(['lifted']);
  });

  it('sends several lines as one, and a paste of several lines not by itself', async () => {
    const script = scriptedDriver([]);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('\u001b[200~what\rdo I\r\u001b[201~');
    await chat.shows('do I');
    expect(script.runs).toEqual([]);
    chat.type('own\n');
    await chat.shows('own');
    chat.type('today\\');
    await chat.shows('today\\');
    chat.type('\r');
    await chat.shows(/today\n/);
    chat.type('please');
    await chat.shows('please');
    expect(script.runs).toEqual([]);
    chat.type('\r');
    await expect.poll(() => script.runs[0]?.prompt).toBe('what\ndo I\nown\ntoday\nplease');
    expect(chat.kept).toEqual(['what\ndo I\nown\ntoday\nplease']);
  });

  it('does not send lines pasted on a terminal that doesn’t mark pastes', async () => {
    const script = scriptedDriver([]);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('buy 5 AAPL\rsell all\r');
    await chat.shows('sell all');
    expect(script.runs).toEqual([]);
  });

  it('heeds control keys that arrive together with letters', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('sell\u0015buy 5 XXXX\u0017AAPL');
    await chat.shows('❯ buy 5 AAPL');
  });

  it('lists commands while one is typed, and completes them', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/p');
    await chat.shows('/profile [NAME]');
    chat.type('\u001b[B');
    await chat.shows('▸ /profile');
    chat.type('\t');
    await chat.shows('❯ /profile');
    chat.type('\r');
    await chat.shows('* sandbox');
  });

  it('brings back what was typed in an earlier session', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('\u001b[A');
    await chat.shows('❯ an earlier line');
    // What replaces it is new again: completed, not looked up.
    chat.type('\u0015/hal\t');
    await chat.shows('❯ /halt');
  });

  it('says by words and form, not by colour alone, that the money is real', async () => {
    const live = { ...status, environment: 'LIVE', simulated: false };
    const chat = openScreen(scriptedDriver([], live).driver, { columns: 80, rows: 24 }, live, {
      color: false,
    });
    await chat.shows('LIVE: REAL MONEY  · sandbox');
    await chat.shows('LIVE: REAL MONEY  · Alice');
  });

  it('writes nothing but ASCII where there is no Unicode', async () => {
    const events: AgentEvent[] = [{ type: 'text', delta: 'Zoë’s “5 · 6”…\n' }, ...pendingEvents];
    const chat = openScreen(scriptedDriver(events).driver, { columns: 80, rows: 24 }, status, {
      unicode: false,
    });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('waiting for your phone');
    await chat.shows('Zoe\'s "5 | 6"...');
    expect(chat.screen()).toContain('| code     ');
    expect(chat.screen()).toMatch(/^[\x00-\x7f]*$/);
  });

  it('draws no frames and nothing that moves for a screen reader', async () => {
    const chat = openScreen(scriptedDriver(pendingEvents).driver, { columns: 80, rows: 24 }, status, {
      spoken: true,
    });
    chat.type('buy 5 AAPL limit 180\r');
    await chat.shows('waiting for your phone');
    expect(chat.screen()).not.toMatch(/[╭│╰⠋-⠿]/);
    expect(chat.screen()).toContain('done: get_quote AAPL');
  });

  it('quits on the second Ctrl-C, and only then', async () => {
    const chat = openScreen(scriptedDriver(pendingEvents).driver, { columns: 80, rows: 24 });
    chat.type('buy 5 AAPL\r');
    await chat.shows('waiting for your phone');
    chat.type('\u0003');
    await chat.shows('Ctrl-C again to quit');
    chat.type('\u0003');
    await chat.exited();
    expect(chat.session.snapshot().state.pending).toMatchObject([{ thread: 'th_1' }]);
  });

  it('quits on two Ctrl-C that arrive as one', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('\u0003\u0003');
    await chat.exited();
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
    await chat.shows('stopped');
  });

  it('tells a misspelt command from a wish', async () => {
    const script = scriptedDriver([]);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    chat.type('/portfolo\r');
    await chat.shows('there is no /portfolo');
    expect(script.runs).toEqual([]);
  });

  it('shows a command above what it brought, as it does with what is said to the agent', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/orders\r');
    await chat.shows(/❯ \/orders\n\nNo orders\./);
  });

  it('runs the command that is marked on Enter, and asks for what it wants first', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/ord');
    await chat.shows('▸ /orders');
    chat.type('\r');
    await chat.shows('No orders.');
    chat.type('/ch');
    await chat.shows('▸ /chart');
    chat.type('\r');
    await chat.shows('❯ /chart');
    chat.type('KO 5d\r');
    await chat.shows('a chart of KO 5d');
    expect(chat.kept).toEqual(['/orders', '/chart KO 5d']);
  });

  it('tells what may be typed from what is, without colour too', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 }, status, { color: false });
    await chat.shows(/^❯ _ try "what do I own"$/m);
  });

  it('keeps no yes and no no for the next time', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/halt\r');
    await chat.shows('y or n');
    chat.type('n\r');
    await chat.shows('Not halted');
    chat.type('\u001b[A');
    await chat.shows('❯ /halt');
    expect(chat.kept).toEqual(['/halt']);
  });

  it('makes no conversation of one that does not exist', async () => {
    const script = scriptedDriver([]);
    const threads = [{ thread: 'th_abc', status: 'done', prompt: 'who am I', updated_at: '' }] as const;
    const chat = openScreen({ ...script.driver, threads: async () => threads }, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/resume th_abd\r');
    await chat.shows('Did you mean th_abc? /threads lists yours.');
    expect(chat.session.snapshot().state.talks).toBe(1);
  });

  it('asks which approval is to be taken back where none is named', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/approvals cancel\r');
    await chat.shows('cancel which approval?');
    chat.type('/approvals cancel zzzz\r');
    await chat.shows('there is no approval zzzz');
    chat.type('/approvals drop\r');
    await chat.shows('there is no /approvals drop');
  });

  it('goes on after Esc though the gateway does not answer', async () => {
    const script = scriptedDriver([]);
    const never = () => new Promise<never>(() => undefined);
    let asked = 0;
    const chat = openScreen(
      {
        ...script.driver,
        portfolio: never,
        status: async () => (asked++ === 0 ? status : never()),
      },
      { columns: 80, rows: 24 },
    );
    await chat.session.connect();
    chat.type('who am I\r');
    await chat.shows('Esc stops');
    script.end([{ type: 'result', result: doneResult }]);
    await chat.shows(/\/help$/);
    chat.type('/portfolio\r');
    await chat.shows('Esc stops');
    chat.type('\u001b');
    await chat.shows(/stopped[\s\S]*\/help$/);
  });

  it('goes on saying that it was halted, or may only read', async () => {
    const script = scriptedDriver([]);
    let withheld: ChatStatus['withheld'];
    const driver: ChatDriver = {
      ...script.driver,
      status: async () => ({ ...status, withheld }),
      halt: async () => {
        withheld = 'HALTED';
      },
      liftHalt: async () => {
        withheld = 'REDUCING';
        return 'reducing';
      },
    };
    const chat = openScreen(driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/halt\r');
    await chat.shows('y or n');
    chat.type('y\r');
    await chat.shows(/^PAPER \(simulated\) · HALTED · Alice Adams/m);
    chat.type('/halt lift\r');
    await chat.shows('positions may still only be made smaller');
    await chat.shows(/^PAPER \(simulated\) · REDUCING · Alice Adams/m);
    const reading = openScreen(
      scriptedDriver([]).driver,
      { columns: 80, rows: 24 },
      { ...status, withheld: 'read-only' },
    );
    await reading.shows('PAPER (simulated) · read-only · sandbox');
  });

  it('says how to sign in from within', async () => {
    const { driver } = scriptedDriver([]);
    const portfolio = async () => {
      throw new TradeAgentError('login_required', 'nobody is signed in', {
        hint: 'Sign in with "trade-agent login".',
      });
    };
    const chat = openScreen({ ...driver, portfolio }, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/portfolio\r');
    await chat.shows('hint: Press Enter on an empty line, or type /login.');
  });

  it('stays open where the other profile could not be', async () => {
    const chat = openScreen(scriptedDriver([]).driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('/profile live\r');
    await chat.shows('error: profile "live" lacks gateway');
    await chat.session.idle();
    expect(chat.session.nextProfile).toBeUndefined();
  });

  it('leaves on a plain exit', async () => {
    const script = scriptedDriver([]);
    const chat = openScreen(script.driver, { columns: 80, rows: 24 });
    await chat.shows('/help');
    chat.type('exit\r');
    await chat.exited();
    expect(script.runs).toEqual([]);
  });
});
