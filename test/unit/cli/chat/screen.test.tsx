import { describe, expect, it } from 'vitest';
import type { AgentEvent, ApprovalView } from '../../../../src/agent/events.ts';
import type { ChatDriver, ChatStatus } from '../../../../src/cli/chat/chat-driver.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import { manualClock } from '../manual-clock.ts';
import { approval, doneResult, executed, NOW, order } from '../sample-events.ts';
import { type ChatLook, openScreen, status } from './chat-screen.tsx';

/** A driver whose run stays open after its events until it is told to end. */
function scriptedDriver(events: readonly AgentEvent[], shown: ChatStatus = status) {
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
          resolve([{ type: 'result', result: { ...doneResult, status: 'pending', text: '', approvals: [approval] } }]),
        );
      });
      yield* await Promise.race([ended, stopped]);
    },
    async *resume() {},
    status: async () => shown,
    login: async () => ({
      userCode: 'WDJB-MJHT',
      address: 'http://127.0.0.1:4710/device',
      issuer: 'http://127.0.0.1:4710',
      company: null,
      clockWarning: undefined,
      qr: [],
      warning: 'Continue only if you started this yourself.',
      machine: 'desk-7',
      asks: ['see quotes'],
      sandboxCommand: 'trade-agent phone login WDJB-MJHT',
      expiresAt: NOW + 600_000,
      complete: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
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
      { name: 'sandbox', sandbox: true, environment: 'PAPER', current: true },
      { name: 'live', sandbox: false, environment: 'LIVE', current: false },
    ],
    checkProfile: async (name) => {
      if (name === 'live') throw new TradeAgentError('invalid_config', 'profile "live" is missing gateway');
    },
    symbols: async () => [
      { label: 'AAPL', what: '5, worth $897.55' },
      { label: 'KO', what: 'on your watchlist' },
    ],
    searchSymbols: async () => [],
    models: async () => [
      { label: 'builtin', what: 'the built-in planner: works offline' },
      { label: 'gpt-mini', what: 'api.openai.com' },
    ],
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

type OpenLook = ChatLook & { readonly driver?: Partial<ChatDriver> };

function openChat(events: readonly AgentEvent[] = [], { driver = {}, ...look }: OpenLook = {}) {
  const script = scriptedDriver(events, look.status);
  return { ...script, ...openScreen({ ...script.driver, ...driver }, look) };
}

async function readyChat(events?: readonly AgentEvent[], look?: OpenLook) {
  const chat = openChat(events, look);
  await chat.shows('/help');
  return chat;
}

const pendingEvents: AgentEvent[] = [
  { type: 'thread', thread: 'th_1' },
  { type: 'tool_call', id: 'c1', name: 'get_quote', title: 'Look up prices', args: { symbols: ['AAPL'] } },
  { type: 'tool_result', id: 'c1', name: 'get_quote', ok: true, summary: 'AAPL 179.50 (simulated)', ms: 120 },
  { type: 'approval', approval },
];

describe('the chat’s screen', () => {
  it('says at its head whose account and whose money it is', async () => {
    const chat = openChat();
    await chat.shows('PAPER (simulated) · sandbox · Alice Adams · $100,123.45 · built-in planner');
  });

  it('shows an order that waits for the phone with all its fields, its code and the time left', async () => {
    const chat = openChat(pendingEvents);
    await chat.turn('buy 5 AAPL limit 180\r', 'PAPER order: waiting for your phone, 5:00 left');
    for (const text of [
      'K 7 Q P',
      'BUY 5 AAPL, limit $180.00',
      'PA3ALICE01 PAPER',
      'day (until the close)',
      '$179.50 now, $900.00 at most; not placed if it would fill over 1%',
      'ta-abcdefgh',
      'http://127.0.0.1:4710/phone',
      '✓ Look up prices (AAPL): AAPL 179.50 (simulated) (0.1 s)',
    ]) {
      expect(chat.screen()).toContain(text);
    }
  });

  it('shows the deciding fields on a narrow and low terminal, none of them cut off', async () => {
    const chat = openChat(pendingEvents, { columns: 40, rows: 10 });
    await chat.turn('buy 5 AAPL limit 180\r', 'K 7 Q P');
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
      ...['a', 'b', 'c', 'd', 'e', 'f'].map((id): AgentEvent => ({ type: 'approval', approval: { ...approval, id } })),
      { type: 'text', delta: 'a long line of an answer that goes on and on '.repeat(60) },
    ];
    const chat = openChat(many, { columns, rows });
    chat.type('x\r');
    await expect.poll(() => chat.session.snapshot().state.runs[0]?.answer, { timeout: 5000 }).toContain('on and on');
    await chat.shows(/❯/);
    const screen = chat.screen();
    const live = screen.slice(screen.lastIndexOf('❯ x') + 3).split('\n');
    expect(live.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...live.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('shows the fill once the phone said yes', async () => {
    const chat = openChat(pendingEvents);
    await chat.turn('buy 5 AAPL limit 180\r', 'waiting for your phone');
    chat.end([
      { type: 'approval', approval: executed },
      { type: 'result', result: doneResult },
    ]);
    await chat.shows('● Bought 5 AAPL at $179.51');
    await chat.shows('Bought 5 AAPL.');
    expect(chat.screen()).not.toContain('waiting for your phone');
  });

  it('stays usable while an order waits: the next wish is a conversation of its own', async () => {
    const chat = openChat(pendingEvents);
    await chat.turn('buy 5 AAPL limit 180\r', 'waiting for your phone, 5:00 left');
    await chat.turn('what do I own\r', '#2 ❯ what do I own');
    expect(chat.runs[1]).toEqual({ prompt: 'what do I own', thread: undefined });
    await chat.shows('#1 PAPER order: waiting for your phone, 5:00 left');
  });

  it('goes on waiting for the phone when the model is told to stop', async () => {
    const chat = openChat(pendingEvents);
    await chat.turn('buy 5 AAPL limit 180\r', 'waiting for your phone, 5:00 left');
    chat.session.interrupt();
    await chat.turn('typed after', 'typed after');
    expect(chat.screen()).toContain('waiting for your phone, 5:00 left');
  });

  it('stops the model on Esc, and drops what was to come next', async () => {
    const working: AgentEvent[] = [{ type: 'tool_call', id: 'c1', name: 'get_quote', args: {} }];
    const chat = openChat(working);
    await chat.turn('quote AAPL\r', 'Esc to stop');
    await chat.turn('and then\r', 'next: and then');
    chat.type('\u001b');
    await chat.session.idle();
    await chat.shows('/help');
    expect(chat.runs).toHaveLength(1);
    expect(chat.screen()).not.toContain('next:');
  });

  it('takes what was typed ahead as soon as the model is done', async () => {
    const chat = openChat([{ type: 'tool_call', id: 'c1', name: 'get_quote', args: {} }]);
    await chat.turn('quote AAPL\r', 'Esc to stop');
    await chat.turn('and then\r', 'next: and then');
    chat.end([{ type: 'result', result: doneResult }]);
    await expect.poll(() => chat.runs.map(({ prompt }) => prompt)).toEqual(['quote AAPL', 'and then']);
  });

  it('shows two orders that wait at once: both codes, both conversations', async () => {
    const chat = openChat(pendingEvents, { columns: 100, rows: 40 });
    await chat.turn('buy 5 AAPL limit 180\r', 'waiting for your phone, 5:00 left');
    await chat.turn('buy 5 more\r', '#2 PAPER order');
    expect(chat.screen()).toContain('#1 PAPER order');
    expect(chat.screen()).toContain('2 on your phone');
  });

  it('halts only after a yes, and says what is taken back', async () => {
    const chat = openChat();
    chat.left.push(approval);
    await chat.turn('/halt\r', 'Halt? (y/n)');
    expect(chat.screen()).toContain('K7QP');
    await chat.turn('n\r', 'Not halted');
    expect(chat.cancelled).toEqual([]);
    await chat.turn('/halt\r', /Not halted[\s\S]*Halt\? \(y\/n\)/);
    await chat.turn('y\r', 'HALTED');
    await chat.session.idle();
    // The gateway takes back what waits.
    expect(chat.cancelled).toEqual(['halted']);
  });

  it('asks the phone to let trading go on', async () => {
    const chat = openChat();
    await chat.turn('/halt lift\r', 'Trading is active');
    expect(chat.screen()).toContain('L7FT');
    expect(chat.cancelled).toEqual(['lifted']);
  });

  it('sends several lines as one, and a paste of several lines not by itself', async () => {
    const chat = await readyChat();
    await chat.turn('\u001b[200~what\rdo I\r\u001b[201~', 'do I');
    expect(chat.runs).toEqual([]);
    await chat.turn('own\n', 'own');
    await chat.turn('today\\', 'today\\');
    await chat.turn('\r', /today\n/);
    await chat.turn('please', 'please');
    expect(chat.runs).toEqual([]);
    chat.type('\r');
    await expect.poll(() => chat.runs[0]?.prompt).toBe('what\ndo I\nown\ntoday\nplease');
    expect(chat.kept).toEqual(['what\ndo I\nown\ntoday\nplease']);
  });

  it('does not send lines pasted on a terminal that doesn’t mark pastes', async () => {
    const chat = await readyChat();
    await chat.turn('buy 5 AAPL\rsell all\r', 'sell all');
    expect(chat.runs).toEqual([]);
  });

  it('heeds control keys that arrive together with letters', async () => {
    const chat = await readyChat();
    await chat.turn('sell\u0015buy 5 XXXX\u0017AAPL', '❯ buy 5 AAPL');
  });

  it('lists commands while one is typed, and completes them', async () => {
    const chat = await readyChat();
    await chat.turn('/p', '/profile [NAME]');
    await chat.turn('\u001b[B', '▸ /profile');
    await chat.turn('\t', '❯ /profile');
    await chat.turn('\r', /Which profile\?[\s\S]*▸ sandbox +PAPER, now/);
  });

  it('lists all commands at /, and says how many more there are than fit', async () => {
    const chat = await readyChat();
    await chat.turn('/', /▸ \/help[\s\S]*\n {2}7 more below/);
    await chat.turn('\u001b[A', /▸ \/quit/);
    expect(chat.screen()).toMatch(/\n {2}7 more above/);
    await chat.turn('hist', /▸ \/threads/);
    expect(chat.screen()).not.toContain('more');
  });

  it('searches the history as one types, and runs what it found', async () => {
    const chat = await readyChat();
    await chat.turn('/orders\r', 'No orders.');
    await chat.turn('\u0012', 'search history: ');
    await chat.turn('earl', /❯ an earlier line\nsearch history: earl/);
    await chat.turn('x', 'no more matches: earlx');
    await chat.turn('\u0007', /^❯ .*try/m);
    expect(chat.screen()).not.toContain('search history');
    await chat.turn('\u0012ord\r', /No orders\.[\s\S]*No orders\./);
    expect(chat.runs).toEqual([]);
  });

  it('cancels a search on Ctrl-C without counting it as one to quit', async () => {
    const chat = await readyChat();
    await chat.turn('\u0012earl', 'search history: earl');
    await chat.turn('\u0003', /^❯ .*try/m);
    expect(chat.screen()).not.toContain('again to quit');
  });

  it('offers the symbols that the person has, and any other by its name', async () => {
    const searchSymbols = async () => [{ label: 'SBUX', what: 'Starbucks Corporation' }];
    const clock = manualClock(NOW);
    const chat = await readyChat([], { clock, driver: { searchSymbols } });
    await chat.turn('/chart\r', /Chart of which symbol\?[\s\S]*▸ AAPL +5, worth \$897\.55/);
    await chat.turn('\r', 'a chart of AAPL undefined');
    await chat.turn('/chart\r', /Chart of which symbol\?/);
    await chat.turn('star', 'which symbol? star');
    await clock.slept(250);
    clock.advance(250);
    await chat.turn('bucks', '▸ SBUX');
    await chat.turn('\r', 'a chart of SBUX undefined');
  });

  it('offers models, and takes a name that is not listed', async () => {
    const chosen: string[] = [];
    const chooseModel = async (name: string) => void chosen.push(name);
    const chat = await readyChat([], { driver: { chooseModel } });
    await chat.turn('/model\r', /Model for this session \(now built-in planner\)[\s\S]*▸ builtin/);
    await chat.turn('mini\r', 'Switched to');
    await chat.turn('/model\r', /Model for this session/);
    await chat.turn('my-own', /▸ my-own +use the model with this name/);
    await chat.turn('\r', /Switched to[\s\S]*Switched to/);
    expect(chosen).toEqual(['gpt-mini', 'my-own']);
  });

  it('leaves everything as it is where a list is canceled', async () => {
    const chat = await readyChat();
    await chat.turn('/theme\r', /Theme for this session[\s\S]*color-blind/);
    await chat.turn('\u001b', /^❯ .*try/m);
    expect(chat.session.snapshot().theme).toBe('dark');
  });

  it('brings back what was typed in an earlier session', async () => {
    const chat = await readyChat();
    await chat.turn('\u001b[A', '❯ an earlier line');
    // What replaces it is new again: completed, not looked up.
    await chat.turn('\u0015/hal\t', '❯ /halt');
  });

  it('says by words and form, not by color alone, that the money is real', async () => {
    const live = { ...status, environment: 'LIVE', simulated: false };
    const chat = openChat([], { status: live, color: false });
    await chat.shows('LIVE: REAL MONEY  · sandbox');
    await chat.shows('LIVE: REAL MONEY  · Alice');
  });

  it('writes nothing but ASCII where there is no Unicode', async () => {
    const events: AgentEvent[] = [{ type: 'text', delta: 'Zoë’s “5 · 6”…\n' }, ...pendingEvents];
    const chat = openChat(events, { unicode: false });
    await chat.turn('buy 5 AAPL limit 180\r', 'waiting for your phone');
    await chat.shows('Zoe\'s "5 | 6"...');
    expect(chat.screen()).toContain('| code     ');
    expect(chat.screen()).toMatch(/^[\x00-\x7f]*$/);
  });

  it('draws no frames and nothing that moves for a screen reader', async () => {
    const chat = openChat(pendingEvents, { spoken: true });
    await chat.turn('buy 5 AAPL limit 180\r', 'waiting for your phone');
    expect(chat.screen()).not.toMatch(/[╭│╰⠋-⠿]/);
    expect(chat.screen()).toContain('done: Look up prices (AAPL)');
  });

  it('quits on the second Ctrl-C, and only then', async () => {
    const chat = openChat(pendingEvents);
    await chat.turn('buy 5 AAPL\r', 'waiting for your phone');
    await chat.turn('\u0003', 'Ctrl-C again to quit');
    chat.type('\u0003');
    await chat.exited();
    expect(chat.session.snapshot().state.pending).toMatchObject([{ thread: 'th_1' }]);
  });

  it('quits on two Ctrl-C that arrive as one', async () => {
    const chat = await readyChat();
    chat.type('\u0003\u0003');
    await chat.exited();
  });

  it('signs in from within: the code, the address and the warning', async () => {
    const nobody = { ...status, user: undefined, value: undefined };
    const chat = openChat([], { status: nobody });
    await chat.shows('press Enter to sign in');
    await chat.turn('\r', 'WDJB-MJHT');
    expect(chat.screen()).toContain('http://127.0.0.1:4710/device');
    expect(chat.screen()).toContain('Continue only if you started this yourself.');
    await chat.turn('\u001b', 'stopped');
  });

  it('tells a misspelt command from a wish', async () => {
    const chat = openChat();
    await chat.turn('/portfollio\r', /unknown command \/portfollio[\s\S]*Did you mean \/portfolio\?/);
    await chat.turn('/foo\r', /unknown command \/foo[\s\S]*Did you mean \/portfolio, \/orders, /);
    expect(chat.runs).toEqual([]);
  });

  it('shows a command above what it brought, as it does with what is said to the agent', async () => {
    const chat = await readyChat();
    await chat.turn('/orders\r', /❯ \/orders\n\nNo orders\./);
  });

  it('runs the command that is marked on Enter, and completes it on Tab', async () => {
    const chat = await readyChat();
    await chat.turn('/ord', '▸ /orders');
    await chat.turn('\r', 'No orders.');
    await chat.turn('/ch', '▸ /chart');
    await chat.turn('\t', '❯ /chart');
    await chat.turn('KO 5d\r', 'a chart of KO 5d');
    expect(chat.kept).toEqual(['/orders', '/chart KO 5d']);
  });

  it('tells what may be typed from what is, without color too', async () => {
    const chat = openChat([], { color: false });
    await chat.shows(/^❯ _ try "what do I own"$/m);
  });

  it('keeps no yes and no no for the next time', async () => {
    const chat = await readyChat();
    await chat.turn('/halt\r', 'y/n');
    await chat.turn('n\r', 'Not halted');
    await chat.turn('\u001b[A', '❯ /halt');
    expect(chat.kept).toEqual(['/halt']);
  });

  it('makes no conversation of one that does not exist', async () => {
    const thread = { thread: 'th_abc', status: 'done', prompt: 'who am I', updated_at: '' } as const;
    const chat = await readyChat([], { driver: { threads: async () => [thread] } });
    await chat.turn('/resume th_abd\r', 'Did you mean th_abc? Type /threads for the list.');
    expect(chat.session.snapshot().state.talks).toBe(1);
  });

  it('asks which approval is to be taken back where none is named', async () => {
    const chat = await readyChat();
    await chat.turn('/approvals cancel\r', 'cancel which approval?');
    await chat.turn('/approvals cancel zzzz\r', 'there is no approval zzzz');
    await chat.turn('/approvals drop\r', 'unknown command /approvals drop');
  });

  it('goes on after Esc though the gateway does not answer', async () => {
    const never = () => new Promise<never>(() => undefined);
    let asked = 0;
    const driver = { portfolio: never, status: async () => (asked++ === 0 ? status : never()) };
    const chat = openChat([], { driver });
    await chat.session.connect();
    await chat.turn('who am I\r', 'Esc to stop');
    chat.end([{ type: 'result', result: doneResult }]);
    await chat.shows(/\/help$/);
    await chat.turn('/portfolio\r', 'Esc to stop');
    await chat.turn('\u001b', /stopped[\s\S]*\/help$/);
  });

  it('goes on saying that it was halted, or may only read', async () => {
    let withheld: ChatStatus['withheld'];
    const driver: Partial<ChatDriver> = {
      status: async () => ({ ...status, withheld }),
      halt: async () => {
        withheld = 'HALTED';
      },
      liftHalt: async () => {
        withheld = 'REDUCING';
        return 'reducing';
      },
    };
    const chat = await readyChat([], { driver });
    await chat.turn('/halt\r', 'y/n');
    await chat.turn('y\r', /^PAPER \(simulated\) · HALTED · Alice Adams/m);
    await chat.turn('/halt lift\r', 'you can still only reduce positions');
    await chat.shows(/^PAPER \(simulated\) · REDUCING · Alice Adams/m);
    const reading = openChat([], { status: { ...status, withheld: 'read-only' } });
    await reading.shows('PAPER (simulated) · read-only · sandbox');
  });

  it('says how to sign in from within', async () => {
    const portfolio = async () => {
      throw new TradeAgentError('login_required', 'you are not signed in', {
        hint: 'Sign in with "trade-agent login".',
      });
    };
    const chat = await readyChat([], { driver: { portfolio } });
    await chat.turn('/portfolio\r', 'hint: Press Enter on an empty line, or type /login.');
  });

  it('stays open where the other profile could not be', async () => {
    const chat = await readyChat();
    await chat.turn('/profile live\r', 'error: profile "live" is missing gateway');
    await chat.session.idle();
    expect(chat.session.nextProfile).toBeUndefined();
  });

  it('tells of a later fill of a market order in its own words', async () => {
    const clock = manualClock(NOW);
    const market = { ...approval, order: { ...approval.order, type: 'market' } } as const;
    const sent = { ...order, client_order_id: market.order.client_order_id, type: 'limit', limit_price: '225.70' };
    const open = { ...sent, approved_type: 'market' as const, status: 'new', filled_qty: '0', filled_avg_price: null };
    const parts = [open, { ...open, status: 'canceled' }];
    const orders = async () => [parts.length > 1 ? (parts.shift() ?? open) : (parts[0] ?? open)];
    const chat = openChat([], {
      clock,
      driver: { orders, approvals: async () => [{ ...market, status: 'executed' }] },
    });
    void chat.session.connect();
    await clock.slept(5000);
    clock.advance(5000);
    await chat.shows('● Canceled: buy 5 AAPL for at most $225.70\n');
  });

  it('leaves on a plain exit', async () => {
    const chat = await readyChat();
    chat.type('exit\r');
    await chat.exited();
    expect(chat.runs).toEqual([]);
  });
});
