import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';

let world: CliWorld;
let file: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  world = await openCliWorld();
  file = join(world.folder, 'session');
  // A machine whose own credential store knows nobody.
  env = { TRADE_AGENT_HOME: join(world.folder, 'cron'), TRADE_AGENT_REFRESH_TOKEN_FILE: file };
});
afterEach(() => world.close());

async function login() {
  const started = world.start(['login'], { env });
  const code = await started.says(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  await world.run(['phone', 'login', code, '--user', 'alice']);
  expect((await started.done).exitCode).toBe(0);
}
const portfolio = (more: NodeJS.ProcessEnv = {}) => world.run(['portfolio'], { env: { ...env, ...more } });
const stored = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;

describe('a session in a file of its own', () => {
  it('is written by a sign-in, readable by its owner alone, and used by later commands', async () => {
    await login();
    expect(Object.keys(stored()).sort()).toEqual(['dpop_key', 'refresh_token', 'session']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await portfolio()).exitCode).toBe(0);
    expect((await world.run(['portfolio'])).exitCode).toBe(4);
  });

  it('gets each new refresh token written back, also by commands that run side by side', async () => {
    await login();
    const first = stored().refresh_token;
    const runs = Array.from({ length: 4 }, () => world.run(['orders', 'list'], { env }));
    expect((await Promise.all(runs)).map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    const second = stored().refresh_token;
    expect(second).not.toBe(first);
    const { access_token: _, ...rest } = stored();
    writeFileSync(file, JSON.stringify(rest));
    expect((await portfolio()).exitCode).toBe(0);
    expect(stored().refresh_token).not.toBe(second);
  });

  it('is ended and emptied by a sign-out', async () => {
    await login();
    expect((await world.run(['logout'], { env })).exitCode).toBe(0);
    expect(stored()).toEqual({});
    expect((await portfolio()).exitCode).toBe(4);
  });

  it('that is a refresh token alone is ended by a sign-out all the same', async () => {
    await login();
    const whole = stored();
    writeFileSync(file, whole.refresh_token ?? '');
    const { exitCode, stdout, stderr } = await world.run(['logout'], { env });
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: 'Signed out.\n', stderr: '' });
    writeFileSync(file, JSON.stringify(whole));
    expect((await portfolio()).exitCode).toBe(4);
  });

  it('can be read from a descriptor; that a new refresh token is lost there is said', async () => {
    await login();
    const handle = openSync(file, 'r');
    try {
      const { exitCode, stderr } = await portfolio({ TRADE_AGENT_REFRESH_TOKEN_FILE: `fd:${handle}` });
      expect(exitCode).toBe(0);
      expect(stderr).toContain("can't be updated");
    } finally {
      closeSync(handle);
    }
  });

  it('from a pipe that nobody closes is waited for no longer than the command may take', async () => {
    const path = join(world.folder, 'pipe');
    execFileSync('mkfifo', [path]);
    // For reading and writing: so it never ends.
    const handle = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const pipe = { ...env, TRADE_AGENT_REFRESH_TOKEN_FILE: `fd:${handle}` };
    const { exitCode } = await world.run(['portfolio', '--timeout', '1s'], { env: pipe });
    expect(exitCode).toBe(124);
  });

  it('where nothing can be kept is told before anybody is asked to sign in', async () => {
    writeFileSync(file, '', { mode: 0o600 });
    const { exitCode, stderr } = await world.run(['login'], {
      env: { ...env, TRADE_AGENT_REFRESH_TOKEN_FILE: join(file, 'below-a-file') },
    });
    expect(exitCode).toBe(11);
    expect(stderr).toContain("credentials can't be stored in");
    expect(stderr).not.toContain('bug');
  });

  it.each([
    ['a link', () => symlinkSync('/dev/null', file), 'it is a symbolic link'],
    ['one that others may read', () => writeFileSync(file, 'x', { mode: 0o644 }), 'chmod 600'],
    ['one of something else', () => writeFileSync(file, 'two words', { mode: 0o600 }), 'neither a refresh token'],
    ['JSON of something else', () => writeFileSync(file, '{"token":"planted-0815"}', { mode: 0o600 }), 'neither'],
  ])('is refused in %s', async (_what, make, why) => {
    make();
    const { exitCode, stderr } = await portfolio();
    expect(exitCode).toBe(11);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain('planted-0815');
  });

  it('is not taken from the environment itself', async () => {
    const { exitCode, stdout, stderr } = await portfolio({ TRADE_AGENT_REFRESH_TOKEN: 'planted-4711' });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('TRADE_AGENT_REFRESH_TOKEN is not supported');
    expect(stdout + stderr).not.toContain('planted-4711');
  });
});
