import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { typing } from './typing.ts';

const PASSPHRASE = 'planted passphrase of several words';

let world: CliWorld;
beforeEach(async () => {
  world = await openCliWorld();
});
afterEach(() => world.close());

const agentHome = () => world.env.TRADE_AGENT_HOME ?? '';
const config = () => readFileSync(join(agentHome(), 'config.yaml'), 'utf8');
const credentialFiles = () =>
  readdirSync(agentHome()).filter((name) => /^(credentials|keychain).*\.(json|key)$/.test(name));
const json = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await world.run([...args, '--output', 'json'], { env: world.env });
  return { exitCode, stderr, ...JSON.parse(stdout) };
};
/** The environment with the passphrase in a file. */
function withPassphrase(text = PASSPHRASE): NodeJS.ProcessEnv {
  const file = join(world.folder, 'passphrase');
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return { ...world.env, TRADE_AGENT_PASSPHRASE_FILE: file };
}

describe('profile store', () => {
  it('says where the sandbox’s credentials are, moves them under a passphrase, and back', async () => {
    await world.login();
    const before = await json('profile', 'store', 'show');
    expect(before).toMatchObject({ store: 'file', key: null, kept: true, leftovers: [] });

    const questions = await typing(
      world.env,
      ['profile', 'store', 'move', 'sandbox', '--to', 'file', '--key', 'passphrase'],
      [
        [/New passphrase[^:]*\(not shown\): $/, PASSPHRASE],
        [/Enter the passphrase again: $/, PASSPHRASE],
      ],
    );
    expect(questions).not.toContain(PASSPHRASE);
    expect(config()).toContain('credential_key: passphrase');
    expect(credentialFiles()).toEqual(['credentials-sandbox.passphrase.json']);
    expect(await json('profile', 'store', 'show')).toMatchObject({ store: 'file', key: 'passphrase' });

    // Signed in as before, and asked once however much a command reads and writes.
    await typing(world.env, ['portfolio'], [[/Passphrase for profile sandbox \(not shown\): $/, PASSPHRASE]]);
    const env = withPassphrase();
    expect((await world.run(['whoami'], { env })).exitCode).toBe(0);

    const moved = await world.run(['profile', 'store', 'move', 'sandbox', '--to', 'file', '--output', 'json'], { env });
    expect(JSON.parse(moved.stdout)).toMatchObject({
      name: 'sandbox',
      from: { store: 'file', key: 'passphrase' },
      to: { store: 'file', key: null },
      moved: expect.arrayContaining(['refresh_token', 'session']),
      warning: null,
    });
    expect(config()).not.toContain('credential_key');
    expect(credentialFiles()).toEqual(['credentials-sandbox.json', 'credentials-sandbox.key']);
    expect((await world.run(['whoami'])).exitCode).toBe(0);
  });

  it('ends with 11 for a wrong passphrase, and for one that nobody can be asked for', async () => {
    await world.login();
    const env = withPassphrase();
    await world.run(['profile', 'store', 'move', 'sandbox', '--to', 'file', '--key', 'passphrase'], { env });
    const nobody = await json('whoami');
    expect(nobody).toMatchObject({ exitCode: 11, error: { code: 'credential_store_locked' } });
    expect(nobody.error.hint).toContain('TRADE_AGENT_PASSPHRASE_FILE');
    const wrong = await world.run(['whoami', '--output', 'json'], {
      env: withPassphrase('something else altogether'),
    });
    expect(wrong.exitCode).toBe(11);
    expect(JSON.parse(wrong.stdout).error).toMatchObject({
      code: 'credential_store_locked',
      message: expect.stringMatching(/^wrong passphrase for /),
    });
    expect(wrong.stdout + wrong.stderr).not.toContain('something else altogether');
    const value = await world.run(['whoami'], { env: { ...world.env, TRADE_AGENT_PASSPHRASE: PASSPHRASE } });
    expect(value.exitCode).toBe(2);
    expect(value.stderr).not.toContain(PASSPHRASE);
  });

  it('lists what a move that was cut off left behind, and the same command erases it', async () => {
    await world.login();
    const old = join(agentHome(), 'credentials-sandbox.json');
    const text = readFileSync(old, 'utf8');
    const keyFile = join(world.folder, 'stick', 'key');
    const move = ['profile', 'store', 'move', 'sandbox', '--to', 'file', '--key', keyFile];
    expect((await world.run(move)).exitCode).toBe(0);
    expect((await world.run(move)).exitCode).toBe(2);
    writeFileSync(old, text, { mode: 0o600 });
    expect(await json('profile', 'store', 'show')).toMatchObject({
      key: keyFile,
      leftovers: [{ store: 'file', key: null, file: old }],
    });
    expect((await world.run(move)).stdout).toContain('Erased what an interrupted move left behind');
    expect(existsSync(old)).toBe(false);
    expect((await world.run(['whoami'])).exitCode).toBe(0);
  });

  it('never erases the only copy: not when the profile points to where nothing is', async () => {
    await world.login();
    const keyFile = join(world.folder, 'stick', 'key');
    await world.run(['config', 'set', 'profiles.sandbox.credential_key', keyFile]);
    const move = ['profile', 'store', 'move', 'sandbox', '--to', 'file', '--key', keyFile];
    const { exitCode, stderr } = await world.run(move);
    expect(exitCode).toBe(11);
    expect(stderr).toContain('the store named in the profile is empty');
    await world.run(['config', 'unset', 'profiles.sandbox.credential_key']);
    expect((await world.run(['whoami'])).exitCode).toBe(0);
  });

  it('refuses a key for the keychain, and a move that names no store', async () => {
    const run = (...more: string[]) => world.run(['profile', 'store', 'move', 'sandbox', ...more]);
    expect((await run('--to', 'keychain', '--key', 'passphrase')).exitCode).toBe(2);
    expect(await run()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--to is missing') });
    await world.run(['config', 'set', 'profiles.sandbox.credential_key', 'passphrase']);
    await world.run(['config', 'set', 'profiles.sandbox.credential_store', 'keychain']);
    const { exitCode, stderr } = await world.run(['whoami']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("credential_key can't be used with the keychain");
  });
});

describe('profile add with --credential-key', () => {
  const add = (...more: string[]) =>
    world.run([
      ...['profile', 'add', 'work', '--issuer', world.sandbox.ready.issuer],
      ...['--gateway', world.sandbox.ready.gateway, '--login-client', 'trade-agent', ...more],
    ]);

  it('writes what opens the file, a path whole', async () => {
    expect((await add('--credential-store', 'file', '--credential-key', 'passphrase')).exitCode).toBe(0);
    expect(config()).toContain('credential_key: passphrase');
    await world.run(['profile', 'remove', 'work', '--yes']);
    await add('--credential-store', 'file', '--credential-key', 'work.key');
    expect(config()).toContain(`credential_key: ${join(process.cwd(), 'work.key')}`);
  });

  it('is refused without a file to open', async () => {
    expect((await add('--credential-key', 'passphrase')).exitCode).toBe(2);
    expect(config).toThrow('ENOENT');
  });
});
