import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from './world.ts';

let world: World;
let ordersAtFirst: number;
beforeAll(async () => {
  world = await createWorld();
  await world.login();
  ordersAtFirst = (await world.book()).length;
});
afterAll(() => world.close());

/** What a person reads: the message on stderr, with a hint that says what to do. */
async function refused(args: string[], exit: number, message: RegExp, env: NodeJS.ProcessEnv = {}) {
  const text = await world.cli(args, { env });
  expect(text.code, text.stdout + text.stderr).toBe(exit);
  expect(text.stdout + text.stderr).toMatch(message);
  expect(text.stderr).toMatch(/hint: \S/);
  expect(text.stderr).not.toMatch(/\n\s+at /);
  const json = await world.cli([...args, '--output', 'json'], { env });
  expect(json.code, json.stdout).toBe(exit);
  expect(JSON.parse(json.stdout).error).toMatchObject({
    code: expect.stringMatching(/^[a-z_]+$/),
    message: expect.stringMatching(/\w/),
    hint: expect.stringMatching(/\w/),
  });
}

describe('an order that can’t be', () => {
  it.each<[string, string, number, RegExp]>([
    ['an unknown symbol', 'buy 5 ZZZZQ', 2, /ZZZZQ/],
    ['a quantity of zero', 'buy 0 AAPL', 2, /greater than zero|zero/],
    ['a negative quantity', 'buy -5 AAPL', 2, /-5|negative|zero/],
    ['an absurd quantity', 'buy 99999999 AAPL', 2, /1000000|1,000,000/],
    ['a quantity and an amount', 'buy 5 AAPL for $500', 2, /both|quantity|amount/],
    ['a limit price off the tick', 'buy 5 AAPL limit 180.001', 2, /180\.001/],
    ['more money than there is', 'buy 100000 AAPL', 8, /buying power|funds/],
    ['more shares than are held', 'sell 100000 AAPL', 8, /hold|shares|position|available/i],
    ['a sentence the planner can’t parse', 'make me rich quickly', 2, /understand/],
    ['an order with a word it does not know', 'buy 5 AAPL yesterday', 2, /yesterday/],
  ])('%s is refused with what to do', async (_what, prompt, exit, message) => {
    await refused(['run', prompt], exit, message);
  });

  it('leaves no approval waiting and no order in the broker’s book', async () => {
    expect(await world.book()).toHaveLength(ordersAtFirst);
    const { approvals } = JSON.parse((await world.cli(['approvals', 'list', '--output', 'json'])).stdout);
    expect(approvals.filter(({ status }: { status: string }) => status === 'requested')).toEqual([]);
  });
});

describe('a command line that can’t be', () => {
  it.each<[string, string[], RegExp]>([
    ['an unknown command', ['portfolioo'], /portfolio/],
    ['an unknown option', ['run', 'who am I', '--aproval', 'wait'], /--approval/],
    ['an unknown approval mode', ['run', 'who am I', '--approval', 'maybe'], /wait, detach/],
    ['a time-out without a unit', ['run', 'who am I', '--timeout', '5'], /5s|90s|unit/],
    ['an unknown output format', ['portfolio', '--output', 'xml'], /json/],
    ['an unknown fault', ['sandbox', '--fault', 'earthquake'], /slow_down/],
    ['an unknown thread', ['resume', 'th_nosuchthread'], /th_nosuchthread/],
    ['an unknown approval', ['approvals', 'show', 'pr_nosuch'], /pr_nosuch/],
  ])('%s is wrong usage, exit 2', async (_what, args, message) => {
    const { code, stdout, stderr } = await world.cli(args);
    expect(code, stdout + stderr).toBe(2);
    expect(stdout + stderr).toMatch(message);
    expect(stderr).toMatch(/hint: \S/);
  });
});

describe('surroundings that can’t be', () => {
  it('names the file, the key and the nearest right one in a wrong config', async () => {
    const home = join(world.folder, 'wrong-config');
    mkdirSync(home, { recursive: true });
    const env = { TRADE_AGENT_HOME: home };
    writeFileSync(join(home, 'config.yaml'), 'profiles:\n  work:\n    issuerr: https://id.example\n');
    await refused(['whoami'], 2, /issuerr[\s\S]*issuer/, env);
    writeFileSync(join(home, 'config.yaml'), 'profiles: [unclosed\n');
    await refused(['whoami'], 2, /config\.yaml/, env);
  });

  it('says how to start the sandbox where none runs', async () => {
    const file = join(world.folder, 'gone.json');
    writeFileSync(file, JSON.stringify({ ...world.ready, pid: 2 ** 22 - 1 }));
    await refused(['run', 'who am I'], 1, /sandbox/, { TRADE_AGENT_SANDBOX: file });
    await refused(['run', 'who am I'], 1, /sandbox/, {
      TRADE_AGENT_SANDBOX: join(world.folder, 'never.json'),
    });
  });

  it('says which port is in use, and what to do', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    try {
      const { code, stderr } = await world.cli([
        'sandbox',
        '--home',
        join(world.folder, 'second'),
        '--port',
        String(port),
      ]);
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(new RegExp(`${port}[\\s\\S]*--port`));
    } finally {
      taken.close();
    }
  });

  it('refuses a second sandbox on the same folder', async () => {
    const { code, stderr } = await world.cli(['sandbox', '--home', world.ready.home, '--port', '0']);
    expect(code, stderr).toBe(12);
    expect(stderr).toMatch(/another sandbox/);
  });

  it('needs a login for anything of the user’s, exit 4', async () => {
    const env = { TRADE_AGENT_HOME: join(world.folder, 'nobody') };
    await refused(['run', 'who am I'], 4, /nobody is signed in/i, env);
    await refused(['run', 'what do I own'], 4, /log ?in|sign/i, env);
    await refused(['portfolio'], 4, /trade-agent login/, env);
    await refused(['whoami'], 4, /trade-agent login/, env);
    expect((await world.cli(['run', 'who am I'], { env })).stdout).not.toMatch(/alice/i);
    expect((await world.cli(['run', 'who am I'])).stdout).toMatch(/Alice Adams/);
  });
});
