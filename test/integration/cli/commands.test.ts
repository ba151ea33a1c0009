import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { pairByHttp } from '../home/http-browser.ts';
import { outcomeOf, suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld({ login: false });

const json = (text: string) => JSON.parse(text);

describe('before login', () => {
  it.each([[['run', 'who am I']], [['whoami']], [['portfolio']], [['orders']], [['quote', 'AAPL']]])(
    '%j says that nobody is logged in and how to, and ends 4',
    async (args) => {
      const text = await world.run(args);
      expect(text.exitCode).toBe(4);
      expect(text.stderr).toContain('trade-agent login');
      const object = json((await world.run([...args, '--output', 'json'])).stdout);
      expect(object.error).toMatchObject({ code: 'login_required', hint: expect.stringContaining('login') });
    },
  );

  it('shows a QR code on a terminal that fits it, and none elsewhere', async () => {
    const shown = await world.run(['login', '--timeout', '500ms'], { tty: true });
    const lines = stripVTControlCharacters(shown.stderr).split('\n');
    expect(lines.filter((line) => /^[▄▀█ ]{25,}$/.test(line)).length).toBeGreaterThan(12);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect((await world.run(['login', '--timeout', '300ms'])).stderr).not.toMatch(/[▄▀█]/);
  });

  it('gives up on a login after --timeout, with 124', async () => {
    const { exitCode, stderr } = await world.run(['login', '--timeout', '300ms']);
    expect(exitCode).toBe(124);
    expect(stderr).toContain('Continue only if you started this');
  });
});

describe('after login', () => {
  beforeAll(() => world.login());

  it('knows who it is', async () => {
    const { exitCode, stdout } = await world.run(['whoami', '--output', 'json']);
    expect(exitCode).toBe(0);
    expect(json(stdout)).toMatchObject({
      schema: 'trade-agent.whoami/1',
      user: { name: 'Alice Adams', email: 'alice@example.com' },
      profile: 'sandbox',
      environment: 'paper',
    });
    expect((await world.run(['run', 'who am I'])).stdout).toContain('Alice');
  });

  it('prints portfolio, quotes and orders as JSON and as text', async () => {
    const portfolio = json((await world.run(['portfolio', '--output', 'json'])).stdout);
    expect(portfolio).toMatchObject({
      schema: 'trade-agent.portfolio/1',
      account: { account: 'PA3ALICE01' },
    });
    expect((await world.run(['portfolio'])).stdout).toMatch(/PA3ALICE01 PAPER \(simulated\)[\s\S]*AAPL +40 /);
    const quotes = json((await world.run(['quote', 'aapl', 'MSFT', '--output', 'json'])).stdout);
    expect(quotes.quotes.map(({ symbol }: { symbol: string }) => symbol)).toEqual(['AAPL', 'MSFT']);
    expect((await world.run(['orders', 'list', '--status', 'open'])).stdout).toBe('No orders.\n');
  });

  it('reads standard input as context, and the prompt from it with "-"', async () => {
    const { exitCode, stdout } = await world.run(['run', '-'], { stdin: 'quote AAPL\n' });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('AAPL');
  });

  it('prints one event a line under stream-json, the result last', async () => {
    const { stdout } = await world.run(['run', 'quote AAPL', '--output', 'stream-json']);
    const lines = stdout.trim().split('\n').map(json);
    expect(lines.map(({ type }) => type)).toContain('tool_result');
    expect(lines.at(-1)).toMatchObject({ schema: 'trade-agent.run/1', status: 'done' });
  });

  it.each<[string[], number, string]>([
    [['run', 'buy 0 AAPL'], 2, 'above zero'],
    [['run', 'buy 5 ZZZZZZ'], 2, 'called "zzzzzz"'],
    [['run', 'frobnicate the market'], 2, 'understand'],
    [['run', 'buy 5 AAPL yesterday'], 2, 'yesterday'],
    [['run', 'buy 5 AAPL limit 180.001'], 2, '180.001'],
    [['run', 'buy 100000 NVDA'], 8, 'buying power'],
    [['run', 'sell 100000 AAPL'], 8, 'AAPL'],
    [['quote', 'ZZZZZZ'], 2, 'ZZZZZZ'],
    [['quote', 'no such'], 2, 'ticker symbol'],
    [['resume', 'th_nowhere'], 2, 'there is no thread'],
    [['approvals', 'show', 'ap_nowhere'], 2, 'there is no approval'],
    [['whoami', '--profile', 'sandbax'], 2, 'Did you mean "sandbox"'],
    [['qoute', 'AAPL'], 2, 'Did you mean quote'],
    [['run', 'x', '--aproval', 'wait'], 2, 'Did you mean --approval'],
    [['run', 'x', '--timeout', '90'], 2, '90s'],
    [['run', 'x', '--approval', 'perhaps'], 2, 'wait, detach'],
    [['portfolio', '--output', 'xml'], 2, 'json'],
    [['sandbox', '--fault', 'earthquake'], 2, 'slow_down'],
    [['run', '-'], 2, 'no prompt'],
    [['phone', '--user', 'mallory', '--decide', 'deny', '--once'], 2, 'mallory'],
    [['phone'], 2, '--decide'],
    [['chat'], 2, 'needs a terminal'],
  ])('%j ends %i and says what to do', async (args, exitCode, text) => {
    const result = await world.run(args);
    expect(result.stderr).toContain(text);
    expect(result.stderr).toMatch(/^hint: /m);
    expect(result.exitCode).toBe(exitCode);
  });

  it('prints a link that sets a phone up, once', async () => {
    const { stdout } = await world.run(['phone', 'link']);
    const { browser } = await pairByHttp(stdout.trim());
    expect((await browser.visit('/phone')).status).toBe(200);
    await expect(pairByHttp(stdout.trim())).rejects.toThrow('410');
  });

  it('names file and key of a configuration that is wrong', async () => {
    const home = join(world.folder, 'misconfigured');
    mkdirSync(home);
    writeFileSync(join(home, 'config.yaml'), 'profiles:\n  work:\n    isuer: https://id.example\n');
    const { exitCode, stderr } = await world.run(['whoami'], { env: { TRADE_AGENT_HOME: home } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('config.yaml');
    expect(stderr).toContain('isuer');
  });

  it('says that the sandbox it was pointed at is not there', async () => {
    const { exitCode, stderr } = await world.run(['portfolio'], {
      env: { TRADE_AGENT_SANDBOX: join(world.folder, 'nowhere.json') },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('trade-agent sandbox');
  });
});

describe('as a process', () => {
  it('does not hang on standard input that stays open', async () => {
    const result = await outcomeOf(world.spawn(['run', 'who am I']));
    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Alice') });
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const child = world.spawn(['quote', 'AAPL']);
    child.stdout.destroy();
    const { exitCode, stderr } = await outcomeOf(child);
    expect(stderr).toBe('');
    expect([0, 130]).toContain(exitCode);
  });

  it('ends 130 on Ctrl-C and says how to go on', async () => {
    const child = world.spawn(['run', 'buy 1 KO limit 60']);
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes('Approval needed')) child.kill('SIGINT');
    });
    const { exitCode, stderr } = await outcomeOf(child);
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/resume with: trade-agent resume th_/);
  });
});

describe('secrets', () => {
  it('are neither printed nor kept in the open: no token, no private key, no pairing secret', async () => {
    const printed = await Promise.all(
      [['run', 'who am I'], ['whoami', '--output', 'json'], ['profile', 'show'], ['threads'], ['phone', 'link']].map(
        (args) => world.run(args),
      ),
    );
    const kept = readdirSync(join(world.folder, 'agent'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString('latin1'));
    expect(kept.length).toBeGreaterThan(2);
    for (const text of [...printed.flatMap(({ stdout, stderr }) => [stdout, stderr]), ...kept]) {
      // How every JWT begins, and a JWK's private part.
      expect(text).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}\.|"d":"/);
      expect(text).not.toContain(world.sandbox.pairingSecret);
    }
  });
});

describe('logout', () => {
  it('signs out here and at the provider', async () => {
    const { exitCode, stdout } = await world.run(['logout', '--output', 'json']);
    expect(exitCode).toBe(0);
    expect(json(stdout)).toMatchObject({ user: { name: 'Alice Adams' }, revoked: true });
    expect((await world.run(['portfolio'])).exitCode).toBe(4);
  });
});
