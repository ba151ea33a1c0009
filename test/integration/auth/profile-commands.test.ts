import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileStore } from '../../../src/auth/credential-store/file-store.ts';
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
  openFileStore({ folder: world.env.TRADE_AGENT_HOME ?? '', profile: 'work' }).get([
    'approval_client',
    'approval_secret',
    'refresh_token',
    'dpop_key',
  ]);

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
      ['approval_client', 'ok'],
      ['token_exchange', 'ok'],
    ]);
    expect(config()).toMatch(/^# mine\nhistory: false # quiet\nprofiles:\n {2}work:\n/);
  });

  it('writes a profile that can only read, ends with 0, and warns of what will not work', async () => {
    const { exitCode, stdout, stderr } = await add('--details-type', 'payment');
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      'warning: authorization details of type payment are unknown (it knows trade_order',
    );
    expect(JSON.parse(stdout).findings).toContainEqual(
      expect.objectContaining({ feature: 'details', status: 'fail', fix: expect.any(String) }),
    );
    expect(config()).toContain('details_type: payment');
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
        [/Login client id: $/, 'trade-agent'],
        [/Approval client id[^:]*:[^:]*: $/, ''],
      ],
    );
    expect(stderr).toContain(`Found a standard provider at ${issuer}`);
    expect(config()).toContain('client_id: trade-agent');
    expect(config()).not.toContain('approval_client');
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
      ...['profile', 'add', 'work', '--issuer', world.sandbox.ready.gateway],
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
    expect(stderr).toContain(`there is a profile "${name}" already`);
    expect(config()).toBe(before);
  });

  it('makes a profile one can sign in with, beside the sandbox’s own session of another user', async () => {
    await world.login('bob');
    await add();
    const login = world.start(['login', '--profile', 'work']);
    const code = await login.says(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
    await world.run(['phone', 'login', code, '--user', 'alice']);
    expect((await login.done).exitCode).toBe(0);
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

  it('ends with 3 and names the setting where something is missing', async () => {
    await add('--details-type', 'payment');
    const { exitCode, stdout } = await world.run(['profile', 'check', 'work']);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/✗ authorization details of type payment are unknown \(it knows\s+trade_order/);
    expect(stdout).toContain('→ Add the details type');
  });

  it('notices that the gateway is another’s', async () => {
    await add('--audience', 'https://elsewhere.example');
    const { exitCode, stdout } = await world.run(['profile', 'check', 'work', '--output', 'json']);
    expect(exitCode).toBe(3);
    const gateway = JSON.parse(stdout).findings.find(
      ({ feature }: { feature: string }) => feature === 'gateway',
    );
    expect(gateway).toMatchObject({ status: 'fail', fix: `Set audience: ${world.sandbox.ready.gateway}` });
  });
});

describe('profile remove', () => {
  it('asks first, signs out, forgets the keys and takes the profile out', async () => {
    await add();
    const login = world.start(['login', '--profile', 'work']);
    const code = await login.says(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
    await world.run(['phone', 'login', code, '--user', 'alice']);
    await login.done;
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

describe('profile rotate-key', () => {
  it('registers a client anew where the provider lets it', async () => {
    await add();
    const rotate = async () =>
      JSON.parse((await world.run(['profile', 'rotate-key', 'work', '--output', 'json'])).stdout);
    const [first, second] = [await rotate(), await rotate()];
    expect(first).toMatchObject({ status: 'rotated', public_key: { kty: 'EC', alg: 'ES256' } });
    expect(second.client_id).not.toBe(first.client_id);
    expect(second.public_key.kid).not.toBe(first.public_key.kid);
    expect(second.public_key).not.toHaveProperty('d');
    expect((await credentials()).approval_client).toContain(second.client_id);
  });

  it('of a client the profile names: prints the key, and switches once the provider knows it', async () => {
    // What the provider knows: this client, under the keys of `jwks`.
    const provider = await startLyingProvider();
    try {
      await world.run([
        ...['profile', 'add', 'named', '--issuer', provider.issuer, '--gateway', world.sandbox.ready.gateway],
        ...['--login-client', 'login', '--approval-client', 'approvals', '--credential-store', 'file'],
      ]);
      const run = async (...args: string[]) => {
        const { exitCode, stdout, stderr } = await world.run([
          'profile',
          'rotate-key',
          'named',
          '--output',
          'json',
          ...args,
        ]);
        return { exitCode, stderr, ...JSON.parse(stdout) };
      };
      const shown = await run('--show');
      expect(shown).toMatchObject({ status: 'in_use', client_id: 'approvals' });
      const waiting = await run();
      expect(waiting).toMatchObject({ exitCode: 0, status: 'waiting' });
      expect(waiting.public_key.kid).not.toBe(shown.public_key.kid);
      expect((await run()).public_key).toEqual(waiting.public_key);

      provider.lies.tokenError = { status: 401, body: '{"error":"invalid_client"}' };
      const refused = await run('--confirm');
      expect(refused).toMatchObject({ exitCode: 1, error: { code: 'provider_error' } });
      expect((await run('--show')).public_key).toEqual(shown.public_key);

      provider.lies.tokenError = { status: 400, body: '{"error":"invalid_grant"}' };
      expect(await run('--confirm')).toMatchObject({
        exitCode: 0,
        status: 'rotated',
        public_key: waiting.public_key,
      });
      expect((await run('--show')).public_key).toEqual(waiting.public_key);
      expect((await run('--confirm')).exitCode).toBe(2);
    } finally {
      await provider.close();
    }
  });
});

describe('profile set-secret', () => {
  it('asks for it on a terminal without showing it', async () => {
    await add('--approval-client', 'approvals');
    const secret = 'typed-client-secret-0815';
    const stderr = await typing(world.env, ['profile', 'set-secret', 'work'], [[/\(not shown\): $/, secret]]);
    expect(stderr).not.toContain(secret);
    expect((await credentials()).approval_secret).toContain(secret);
  });

  it('reads it from standard input, keeps it in the credential store, and shows it nowhere', async () => {
    await add('--approval-client', 'approvals');
    const secret = 'planted-client-secret-0815';
    const { exitCode, stdout, stderr } = await world.run(['profile', 'set-secret', 'work', '--verbose'], {
      stdin: `${secret}\n`,
    });
    expect(exitCode).toBe(0);
    expect(stdout + stderr + config()).not.toContain(secret);
    expect(config()).toContain('authentication: client_secret');
    expect(JSON.parse((await credentials()).approval_secret ?? '')).toEqual({
      issuer: world.sandbox.ready.issuer,
      client_id: 'approvals',
      secret,
    });
  });

  it.each([
    ['nothing', ''],
    ['two lines', 'one\ntwo'],
    ['spaces', 'a b'],
  ])('refuses %s', async (_what, stdin) => {
    await add('--approval-client', 'approvals');
    expect((await world.run(['profile', 'set-secret', 'work'], { stdin })).exitCode).toBe(2);
    expect(config()).not.toContain('authentication');
  });

  it('takes none as an argument', async () => {
    await add('--approval-client', 'approvals');
    expect((await world.run(['profile', 'set-secret', 'work', 'hunter2'])).exitCode).toBe(2);
  });
});
