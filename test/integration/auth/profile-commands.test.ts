import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';
import { startLyingProvider } from './lying-provider.ts';
import { typing } from './typing.ts';

let world: CliWorld;
beforeEach(async () => {
  world = await openCliWorld();
});
afterEach(() => world.close());

const configFile = () => join(world.env.TRADE_AGENT_HOME ?? '', 'config.yaml');
const config = () => readFileSync(configFile(), 'utf8');
const add = (...more: string[]) =>
  world.run([
    ...['profile', 'add', 'work', '--issuer', world.sandbox.ready.issuer],
    ...['--gateway', world.sandbox.ready.gateway, '--login-client', 'trade-agent'],
    ...['--credential-store', 'file', '--output', 'json', ...more],
  ]);
const credentials = () =>
  openFileStore({ folder: world.env.TRADE_AGENT_HOME ?? '', profile: 'work' }).get(['refresh_token', 'dpop_key']);

describe('profile add', () => {
  it('finds the provider, writes the profile beside what is there, and keeps comments', async () => {
    await add();
    await world.run(['profile', 'remove', 'work', '--yes']);
    writeFileSync(configFile(), '# mine\nhistory: false # quiet\n');
    const { exitCode, stdout } = await add();
    expect(exitCode).toBe(0);
    const { profile, findings } = JSON.parse(stdout);
    expect(profile).toEqual({
      provider: 'standard',
      issuer: world.sandbox.ready.issuer,
      gateway: world.sandbox.ready.gateway,
      environment: 'paper',
      login_client: { client_id: 'trade-agent' },
      credential_store: 'file',
    });
    expect(findings.map(({ feature, status }: Record<string, string>) => [feature, status])).toEqual([
      ['device', 'ok'],
      ['ciba', 'ok'],
      ['details', 'ok'],
      ['dpop', 'ok'],
      ['token_exchange', 'ok'],
    ]);
    expect(config()).toMatch(/^# mine\nhistory: false # quiet\nprofiles:\n {2}work:\n/);
  });

  it('writes a profile that can only read, ends with 0, and warns of what will not work', async () => {
    const provider = await startLyingProvider();
    provider.lies.metadata = ({ backchannel_authentication_endpoint: _, ...metadata }) => metadata;
    try {
      const { exitCode, stdout, stderr } = await world.run([
        ...['profile', 'add', 'work', '--issuer', provider.issuer, '--gateway', world.sandbox.ready.gateway],
        ...['--login-client', 'login', '--credential-store', 'file', '--output', 'json'],
      ]);
      expect(exitCode).toBe(0);
      expect(stderr).toContain('warning: no phone approvals (CIBA), so no order can be placed');
      expect(JSON.parse(stdout).findings).toContainEqual(
        expect.objectContaining({ feature: 'ciba', status: 'fail', fix: expect.any(String) }),
      );
      const check = await world.run(['profile', 'check', 'work']);
      expect(check.exitCode).toBe(3);
      expect(check.stdout).toContain('✗ no phone approvals (CIBA)');
      expect(check.stdout).toContain('→ Turn on CIBA');
    } finally {
      await provider.close();
    }
  });

  it('ends with 2 and writes nothing where nobody could sign in', async () => {
    const provider = await startLyingProvider();
    provider.lies.metadata = ({ device_authorization_endpoint: _, ...metadata }) => metadata;
    try {
      const { exitCode, stderr } = await world.run([
        ...['profile', 'add', 'work', '--issuer', provider.issuer, '--gateway', world.sandbox.ready.gateway],
        ...['--login-client', 'login', '--credential-store', 'file'],
      ]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/error: http:\S+ can't be used: no device login/);
      expect(stderr).toContain('Turn on the device authorization grant');
      expect(config).toThrow('ENOENT');
    } finally {
      await provider.close();
    }
  });

  it('asks for what it was not told, on a terminal', async () => {
    const { issuer, gateway } = world.sandbox.ready;
    const stderr = await typing(
      world.env,
      ['profile', 'add', 'work', '--credential-store', 'file'],
      [
        [/Issuer[^:]*: $/, issuer],
        [/Gateway[^:]*: $/, gateway],
        [/Login client ID: $/, 'trade-agent'],
      ],
    );
    expect(stderr).toContain(`Found a standard provider at ${issuer}`);
    expect(config()).toContain('client_id: trade-agent');
  });

  it.each(['--issuer', '--gateway', '--login-client'])(
    'says that %s is missing where nobody can be asked',
    async (option) => {
      const all = {
        '--issuer': world.sandbox.ready.issuer,
        '--gateway': world.sandbox.ready.gateway,
        '--login-client': 'trade-agent',
      };
      const given = Object.entries(all).filter(([name]) => name !== option);
      const { exitCode, stderr } = await world.run(['profile', 'add', 'work', ...given.flat()]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`${option} is missing`);
    },
  );

  it('writes nothing for an issuer that is no identity provider', async () => {
    const { exitCode } = await world.run([
      ...['profile', 'add', 'work', '--issuer', world.sandbox.ready.broker],
      ...['--gateway', world.sandbox.ready.gateway, '--login-client', 'x'],
    ]);
    expect(exitCode).toBe(1);
    expect(config).toThrow('ENOENT');
  });

  it.each(['work', 'sandbox'])('refuses a name that is taken (%s)', async (name) => {
    await add();
    const before = config();
    const { exitCode, stderr } = await world.run(['profile', 'add', name, '--issuer', 'https://x.example']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`a profile "${name}" already exists`);
    expect(config()).toBe(before);
  });

  it('makes a profile one can sign in with, beside the sandbox’s own session of another user', async () => {
    await world.login('bob');
    await add();
    await world.login('alice', ['--profile', 'work']);
    const who = async (...args: string[]) =>
      JSON.parse((await world.run(['whoami', '--output', 'json', ...args])).stdout).user.sub;
    expect([await who(), await who('--profile', 'work')]).toEqual(['bob', 'alice']);
    expect((await world.run(['portfolio', '--profile', 'work'])).exitCode).toBe(0);
    expect((await world.run(['logout', '--profile', 'work'])).exitCode).toBe(0);
    expect((await world.run(['portfolio'])).exitCode).toBe(0);
  });
});

describe('profile check', () => {
  it('says what works, and that the gateway trusts the provider', async () => {
    await add();
    const { exitCode, stdout } = await world.run(['profile', 'check', 'work']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('✓ device login');
    expect(stdout).toContain('is up and trusts the provider');
  });

  it('notices that the gateway is another’s', async () => {
    await add('--audience', 'https://elsewhere.example');
    const { exitCode, stdout } = await world.run(['profile', 'check', 'work', '--output', 'json']);
    expect(exitCode).toBe(3);
    const gateway = JSON.parse(stdout).findings.find(({ feature }: { feature: string }) => feature === 'gateway');
    expect(gateway).toMatchObject({
      status: 'fail',
      fix: `Set the profile's audience to ${world.sandbox.ready.gateway}`,
    });
  });
});

describe('profile remove', () => {
  it('asks first, signs out, forgets the keys and takes the profile out', async () => {
    await add();
    await world.login('alice', ['--profile', 'work']);
    expect((await world.run(['profile', 'remove', 'work'])).exitCode).toBe(2);
    expect(await credentials()).toMatchObject({ refresh_token: expect.any(String) });
    await world.run(['profile', 'use', 'work']);
    expect((await world.run(['profile', 'remove', 'work', '--yes'])).exitCode).toBe(0);
    expect(Object.values(await credentials()).filter((value) => value !== undefined)).toEqual([]);
    expect(config()).not.toContain('work');
  });

  it('knows no profile that is not in the file', async () => {
    expect((await world.run(['profile', 'remove', 'sandbox', '--yes'])).exitCode).toBe(2);
  });
});
