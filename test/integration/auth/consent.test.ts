import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toPrintableName } from '../../../src/machine/machine-name.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { pairByHttp } from '../home/http-browser.ts';

/** Who asks and where, as both sides of each request must say it. */
const ASKER = `trade-agent on ${toPrintableName(hostname())}`;

let world: CliWorld;
beforeEach(async () => {
  world = await openCliWorld();
});
afterEach(() => world.close());

const words = (text: string) => text.replace(/\s+/g, ' ');

describe('a sign-in', () => {
  it('says on the terminal who asks, at which provider, on which machine, for what, and warns', async () => {
    const login = world.start(['login']);
    const code = await login.says(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
    await world.run(['phone', 'login', code, '--user', 'alice']);
    const { stderr } = await login.done;
    expect(stderr).toContain(`Sign in to profile sandbox (PAPER) at ${new URL(world.sandbox.ready.issuer).host}`);
    expect(words(stderr)).toContain(`by ${ASKER}`);
    expect(words(stderr)).toContain('to know who you are, see your name');
    expect(words(stderr)).toContain('not to place orders: each order needs your approval');
    expect(words(stderr)).toContain('Continue only if you started this sign-in yourself');
    expect(words(stderr)).toContain('A code or link that someone sent you is an attempt');
  });

  it('gives the same to programs, and to the page where it is confirmed', async () => {
    const login = world.start(['login', '--output', 'stream-json']);
    const event = JSON.parse(await login.says(/\{"type":"device_code".*\}/));
    expect(event.device_name).toBe(toPrintableName(hostname()));
    const page = await (await fetch(event.verification_uri_complete)).text();
    // Nobody is told what is asked before they have signed in there.
    expect(page).not.toContain(ASKER);
    login.interrupt();
    await login.done;
  });
});

describe('connecting an account elsewhere', () => {
  it('says on the terminal and on the page who asks, on which machine, for what, and warns', async () => {
    await world.login();
    const add = world.start(['connections', 'add', 'slack']);
    const link = await add.says(/http\S+\/connections\/connect\?ticket=\S+/);
    const shown = await add.says(/Connect Slack[\s\S]+Waiting/);
    expect(words(shown)).toContain(`by ${ASKER}`);
    expect(words(shown)).toContain('to send messages (each still needs your approval)');
    expect(words(shown)).toContain('Only continue if you just started this yourself.');

    const { stdout } = await world.run(['phone', 'link', '--user', 'alice', '--output', 'json']);
    const { browser } = await pairByHttp(JSON.parse(stdout).url);
    const page = await (await browser.visit(link)).text();
    expect(page).toContain(toPrintableName(hostname()));
    expect(page).toContain('send messages');
    expect(page).toContain('Continue only if you started this yourself.');
    add.interrupt();
    await add.done;
  });
});

describe('an approval', () => {
  it('says on the terminal and on the phone who asks, for what, and warns', async () => {
    await world.login();
    const { stderr } = await world.run(['run', 'buy 1 AAPL', '--approval', 'detach']);
    expect(words(stderr)).toContain(`asked by ${ASKER}`);
    expect(words(stderr)).toContain('order BUY 1 AAPL');
    expect(words(stderr)).toContain('PAPER');
    expect(words(stderr)).toContain('Deny it on the phone if you did not make this request.');

    const phone = await world.run(['phone', '--decide', 'deny', '--once', '--user', 'alice']);
    expect(words(phone.stderr)).toContain('requested by trade-agent (run), through order gateway');
    expect(words(phone.stderr)).toContain('PAPER order for alice to approve');
    expect(words(phone.stderr)).toContain('Deny this request unless you made it yourself, just now.');
  });
});
