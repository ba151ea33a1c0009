import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { slowModelServer } from './slow-model-server.ts';
import { suiteWorld } from './suite-world.ts';
import { frame, hasTmux, openTerminal, type Terminal } from './tmux.ts';
import { launcher } from './world.ts';

type ChatOptions = Partial<Parameters<typeof openTerminal>[0]>;

describe.skipIf(!hasTmux())('the chat in a terminal', () => {
  const world = suiteWorld({ login: false });

  async function chat(options: ChatOptions = {}): Promise<Terminal> {
    const terminal = start(options);
    await terminal.shows(/^(PAPER|LIVE)[^\n]* [·|] (Alice|not signed in)/m);
    return terminal;
  }

  function start(options: ChatOptions): Terminal {
    return openTerminal({ ...options, env: { ...world.env, ...options.env } });
  }

  /** Decides on the one request there is, or on the one for an order of this symbol. */
  async function decide(decision: 'approve' | 'deny', symbol?: string): Promise<void> {
    const pending = await world.phone.requests('alice', { waitSeconds: 10 });
    const request = pending.find(
      ({ details }) => symbol === undefined || JSON.stringify(details.subject).includes(`"${symbol}"`),
    );
    if (request === undefined) throw new Error('there is nothing to decide on');
    await world.phone.decide(request.id, decision);
  }

  it('signs in', async () => {
    const terminal = await chat();
    expect(frame(terminal.screen())).toMatchSnapshot('before signing in');
    terminal.press('Enter');
    const screen = await terminal.shows(/code +[A-Z0-9]{4}-[A-Z0-9]{4}/);
    expect(frame(screen)).toMatchSnapshot('signing in');
    await world.phone.completeDevice('alice', /[A-Z0-9]{4}-[A-Z0-9]{4}/.exec(screen)?.[0] ?? '');
    await terminal.shows(/signed in as Alice Adams/);
    await terminal.shows(/PAPER \(simulated\) · Alice Adams · \$[\d,.]+ · \/help$/m);
  });

  it('shows the portfolio and a chart', async () => {
    // Far enough apart that no walk of the prices changes which position is the largest.
    for (const [symbol, price] of Object.entries({
      MSFT: '500',
      AAPL: '250',
      NVDA: '120',
      JPM: '290',
      KO: '50',
    })) {
      await world.setPrice(symbol, price);
    }
    const terminal = await chat();
    const portfolio = await terminal.turn('/portfolio\n', /SYMBOL[\s\S]*\/help$/m);
    expect(frame(portfolio)).toMatchSnapshot('portfolio, 80 by 24');
    const screen = await terminal.turn(
      '/chart AAPL 3m\n',
      /AAPL 3m {2}\$[\s\S]*\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d[\s\S]*\/help$/m,
    );
    expect(screen).toMatch(/[\u2801-\u28ff]{2}/);
    expect(frame(screen)).toMatchSnapshot('chart, 80 by 24');
  });

  it('places an order that the phone approves, and none that it denies', async () => {
    const terminal = await chat();
    terminal.type('buy 3 KO\n');
    expect(frame(await terminal.shows(/waiting for your phone, \d/))).toMatchSnapshot('an order waits');
    await decide('approve');
    await terminal.shows(/● Bought 3 KO at \$[\s\S]*\/help$/m);
    await terminal.turn('buy 1 JPM\n', /BUY 1 JPM, market[\s\S]*approve/);
    await decide('deny');
    const screen = await terminal.shows(/denied on the phone; nothing was ordered[\s\S]*\/help$/m);
    expect(frame(screen)).toMatchSnapshot('after a fill and a denial');
    const placed = (await world.book()).map(({ symbol }) => symbol);
    expect(placed).toContain('KO');
    expect(placed).not.toContain('JPM');
    // The broker has it as a limit order, at the bound that was approved.
    await terminal.turn('/orders\n', /BUY +3 +KO +market, at most +/);
  });

  it('stays usable while two orders wait, and tells them apart', async () => {
    const terminal = await chat({ columns: 200, rows: 50 });
    await terminal.turn('buy 2 KO\n', /waiting for your phone, \d/);
    await terminal.turn('sell 1 MSFT\n', /#2 PAPER order: waiting for your phone/);
    const screen = await terminal.turn(
      'who am I\n',
      /signed in as Alice Adams \([\s\S]*2 on your phone[\s\S]*\/help$/m,
    );
    expect(screen).toMatch(/[▀▄█]{10}/);
    // The QR code leads to a free port, so it differs from run to run.
    expect(frame(screen.replace(/[▀▄█]+/g, '')).replace(/^[│ ]+\n/gm, '')).toMatchSnapshot(
      'two orders wait, 200 by 50',
    );
    await decide('deny', 'MSFT');
    await terminal.shows(/#2 ● SELL 1 MSFT, market: denied/);
    await decide('approve', 'KO');
    await terminal.shows(/#1 ● Bought 2 KO at/);
    await terminal.hides(/on your phone ·|waiting for your phone/);
  });

  it('says what is pending on Ctrl-C twice, and goes on with it the next time', async () => {
    const terminal = await chat();
    await terminal.turn('buy 4 KO\n', /waiting for your phone, \d/);
    terminal.press('C-c');
    await terminal.shows(/Ctrl-C again to quit/);
    terminal.press('C-c');
    const left = await terminal.ended();
    expect(left).toMatch(/Still pending: BUY 4 KO, market: waiting for your phone/);
    expect(left.replace(/\s+/g, ' ')).toMatch(/resume with: trade-agent resume th_/);
    // What was typed into is gone: only what was said stays.
    expect(left).not.toMatch(/Ctrl-C again|try "what do I own"/);

    const again = await chat();
    await again.shows(/from an earlier session: BUY 4 KO/);
    await again.turn('/resume\n', /waiting for your phone, \d/);
    await decide('approve');
    await again.shows(/● Bought 4 KO at/);
    const fours = (await world.book()).filter(({ symbol, qty }) => symbol === 'KO' && qty === '4');
    expect(fours).toHaveLength(1);
  });

  it('stops all trading on /halt, also what waits, until the phone lifts it', async () => {
    const terminal = await chat();
    await terminal.turn('buy 6 KO\n', /waiting for your phone, \d/);
    await terminal.turn('/halt\n', /Halt\? \(y\/n\)/);
    await terminal.turn(
      'y\n',
      /BUY 6 KO, market: canceled[\s\S]*HALTED: no orders are placed[\s\S]*^PAPER \(simulated\) · HALTED · Alice.*\/help$/m,
    );
    expect(await world.phone.requests('alice', { waitSeconds: 0 })).toEqual([]);
    await terminal.turn('buy 7 KO\n', /Trading is halted\. Propose lifting the halt with/);
    terminal.type('/halt lift\n');
    await decide('approve');
    await terminal.shows(/The halt is lifted\. Trading is active\.[\s\S]*^PAPER \(simulated\) · Alice.*\/help$/m);
    const book = (await world.book()).filter(({ qty }) => qty === '6' || qty === '7');
    expect(book).toEqual([]);
  });

  it('survives being resized while an answer streams in, and writes every line once', async () => {
    const model = await slowModelServer();
    try {
      const terminal = await chat({
        args: ['--model', 'slow', '--base-url', model.url],
        env: { TRADE_AGENT_API_KEY: 'not-a-key' },
      });
      terminal.type('tell me\n');
      await model.asked();
      model.say('## Outlook\n\nLine **one** is long enough to wrap on a narrow terminal, and then some.\n');
      await terminal.shows(/then some/);
      model.say('\n| Symbol | Last |\n| --- | --- |\n| AAPL | $1.00 |\n');
      await terminal.shows(/AAPL +\$1\.00/);
      terminal.resize(44, 20);
      // Ink has heard of it once the lowest row is cut to size.
      await terminal.shows(/^PAPER.*…$/m);
      model.say('| MSFT | $22.00 |\n');
      await terminal.shows(/MSFT +\$22\.00/);
      terminal.resize(120, 30);
      await terminal.shows(/^PAPER.*Esc to stop.*\$[\d,.]+$/m);
      model.say('\nThe end.');
      await terminal.shows(/The end\./);
      terminal.resize(80, 24);
      model.finish();
      const last = await terminal.shows(/The end\.[\s\S]*\/help$/m);
      for (const once of ['Outlook', 'Line one is', 'AAPL', 'MSFT', 'The end.', 'tell me']) {
        expect(terminal.everything().split(once).length - 1, once).toBe(1);
      }
      expect(frame(last)).toMatchSnapshot('an answer in Markdown, after three sizes');
    } finally {
      await model.close();
    }
  });

  it('keeps what was printed in the scrollback, however much follows', async () => {
    const terminal = await chat();
    for (let round = 1; round <= 3; round++) {
      terminal.type('/help\n');
      await expect.poll(() => terminal.everything().split('/portfolio ').length - 1, { timeout: 10_000 }).toBe(round);
    }
    await terminal.turn('/clear\n', /New conversation\. Earlier messages/);
    expect(terminal.everything().split('/portfolio ').length - 1).toBe(3);
    expect(terminal.screen()).not.toContain('/portfolio ');
  });

  it('keeps what was typed for the next time, pastes several lines as one entry, and edits', async () => {
    const terminal = await chat();
    terminal.paste('quote AAPL\nquote KO\n');
    await terminal.shows(/❯ quote AAPL\n {2}quote KO/);
    terminal.press('C-e', 'BSpace', 'Enter');
    await terminal.shows(/^KO +\$[\s\S]*\/help$/m);
    terminal.press('C-c', 'C-c');
    await terminal.ended();
    expect(statSync(join(world.agentHome, 'history.jsonl')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(world.agentHome, 'history.jsonl'), 'utf8')).toContain('quote AAPL\\nquote KO');
    const again = await chat();
    again.press('Up');
    await again.shows(/❯ quote AAPL\n {2}quote KO/);
    again.press('C-u');
    again.press('BSpace', 'C-u');
    await again.turn('/po', /▸ \/portfolio/);
    again.press('Tab');
    await again.shows(/❯ \/portfolio/);
  });

  it('says its reports in figures where they are read aloud', async () => {
    const terminal = await chat({ args: ['chat', '--screen-reader'], columns: 120, rows: 40 });
    await terminal.turn('/portfolio\n', /^SYMBOL[^\n]*\n(\w+ +\d+ [^\n]*\n)+/m);
    await terminal.turn('/chart AAPL 3m\n', /^from \d{4}-\d\d-\d\d at \$[\d.]+ to \d{4}-\d\d-\d\d at \$[\d.]+$/m);
    const screen = await terminal.turn('buy 9 KO limit 1\n', /waiting for your phone, \d/);
    expect(screen).not.toMatch(/[▁-█⠁-⣿]/);
    await decide('deny');
    await terminal.shows(/denied\s+on\s+the\s+phone/);
  });

  it('keeps the model it has where another could not be asked', async () => {
    const terminal = await chat();
    await terminal.turn('/model openai/gpt-none\n', /there is no API key for gpt-none at api\.openai\.com/);
    await terminal.turn('/model\n', /Model for this session \(now built-in planner\)[\s\S]*▸ builtin/);
    terminal.press('Escape');
    await terminal.shows(/\/help$/m);
  });

  it('tells what --verbose asks for above what goes on, not into it', async () => {
    const terminal = await chat({ args: ['--verbose', 'chat'], columns: 120, rows: 40 });
    await terminal.turn('quote KO\n', /^KO +\$[\s\S]*\[request\] method=GET url=\S+\/v1\/account[\s\S]*\/help$/m);
    // Each frame was erased before the next: only the last one's line stands.
    expect(terminal.everything().split('try "what do I own"').length - 1).toBe(1);
    expect(terminal.everything()).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Look up prices/);
  });

  it('ends as a command does where a time limit ends it', async () => {
    const terminal = start({
      command: ['sh', '-c', '"$@"; echo "exit code $?"', 'sh', process.execPath, launcher],
      args: ['chat', '--timeout', '3s'],
    });
    expect(await terminal.ended()).toMatch(/error: did not finish within 3s[\s\S]*exit code 124/);
  });

  it('opens on no terminal that does not support the chat', async () => {
    const said = await start({ env: { TERM: 'dumb' } }).ended();
    expect(said).toMatch(/error: this terminal \(TERM=dumb\) does not support the chat\nhint: .*trade-agent run/);
  });

  it.each([
    ['40 columns', { columns: 40, rows: 16 }],
    ['no Unicode and no color', { env: { LANG: 'C', TERM: 'linux', NO_COLOR: '1' } }],
    ['a screen reader', { args: ['chat', '--screen-reader'] }],
  ])('is readable with %s', async (name, options) => {
    const terminal = await chat(options);
    const screen = await terminal.turn('buy 9 KO limit 1\n', /waiting for your phone, \d/);
    expect(frame(screen)).toMatchSnapshot(name);
    if (name.startsWith('no Unicode')) expect(screen).toMatch(/^[\x00-\x7f]*$/);
    await decide('deny');
    await terminal.shows(/denied\s+on\s+the\s+phone/);
  });
});
