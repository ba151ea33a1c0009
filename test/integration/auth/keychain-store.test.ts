import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeychainStore } from '../../../src/secrets/keychain/keychain-store.ts';
import {
  type DriverInput,
  missingKeychainTool,
  type Step,
  sessionEnvironment,
  withEmptyBus,
  withKeyring,
  withoutSession,
} from './keychain-session.ts';

const SECRET = 'planted-secret-91c7';
const PASSWORD = 'keyring-password';
const childSource = fileURLToPath(new URL('../../../src/secrets/keychain/keychain-child.ts', import.meta.url));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'trade-agent-keychain-'));
  mkdirSync(join(home, 'config'));
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

const input = (steps: Step[], options: Partial<DriverInput['options']> = {}): DriverInput => ({
  options: { folder: join(home, 'config'), profile: 'work', ...options },
  steps,
});
const marker = () => readFileSync(join(home, 'config', 'keychain-work.json'), 'utf8');
const get: Step = { do: 'get', names: ['refresh_token'] };

const missing = missingKeychainTool();
if (missing !== undefined) {
  if (process.env.CI === 'true') throw new Error(`the keychain tests are required here, but ${missing}`);
  console.warn(`keychain tests skipped: ${missing}`);
}

describe.skipIf(missing !== undefined)('the keychain, with a Secret Service', () => {
  it('keeps, replaces and removes values over several sessions', async () => {
    const set: Step = { do: 'set', values: { refresh_token: SECRET, session: 'me' } };
    const first = await withKeyring(home, PASSWORD, input([{ do: 'probe' }, set, get]));
    expect(first.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    const removal: Step = { do: 'delete', names: ['refresh_token'] };
    const both: Step = { do: 'get', names: ['refresh_token', 'session', 'dpop_key'] };
    const second = await withKeyring(home, PASSWORD, input([get, removal, both]));
    expect(second.map(({ value }) => value)).toEqual([{ refresh_token: SECRET }, true, { session: 'me' }]);
    expect(marker()).toBe('{"stored":["session"]}\n');
  });

  it('writes only while it holds what is expected', async () => {
    const steps: Step[] = [
      { do: 'set', values: { refresh_token: 'newer' } },
      { do: 'set', values: { refresh_token: 'mine' }, expected: { refresh_token: 'older' } },
      get,
    ];
    const results = await withKeyring(home, PASSWORD, input(steps));
    expect(results.map(({ value }) => value)).toEqual([true, false, { refresh_token: 'newer' }]);
  });

  it('that is locked is told from one that is empty, for reading, writing, removing and trying', async () => {
    await withKeyring(home, PASSWORD, input([{ do: 'set', values: { refresh_token: SECRET } }]));
    const steps: Step[] = [
      get,
      { do: 'set', values: { refresh_token: 'new' } },
      { do: 'delete', names: ['refresh_token'] },
      { do: 'probe' },
    ];
    const locked = await withKeyring(home, 'wrong', input(steps));
    for (const { error } of locked) {
      expect(error).toMatchObject({ code: 'credential_store_locked', message: 'the keychain is locked' });
    }
    const [after] = await withKeyring(home, PASSWORD, input([get]));
    expect(after?.value).toEqual({ refresh_token: SECRET });
  });

  it('reads an entry that somebody removed by hand as absent', async () => {
    // The marker lists what was never stored, or is gone since: the keyring itself is open.
    writeFileSync(join(home, 'config', 'keychain-work.json'), '{"stored":["refresh_token"]}');
    const [result] = await withKeyring(home, PASSWORD, input([get]));
    expect(result).toMatchObject({ value: {} });
    expect(result?.error).toBeUndefined();
  });

  it('writes no secret to disk beside the keyring', async () => {
    await withKeyring(home, PASSWORD, input([{ do: 'set', values: { refresh_token: SECRET } }]));
    const found = execFileSync('sh', ['-c', `grep -rl ${SECRET} "${home}" || true`], { encoding: 'utf8' });
    expect(found).toBe('');
  });

  it('reports a bus on which no keychain service answers', async () => {
    const results = await withEmptyBus(home, input([get, { do: 'probe' }]));
    for (const { error } of results) {
      expect(error).toMatchObject({
        code: 'credential_store_unavailable',
        message: 'no keychain service responds on the D-Bus session',
        details: { state: 'no_service' },
      });
    }
  });
});

describe.skipIf(missing !== undefined)('the keychain, without a Secret Service', () => {
  it('reports that there is no bus, and starts none', async () => {
    const env = sessionEnvironment(home);
    for (const address of [undefined, 'autolaunch:', 'unix:path=/nonexistent/bus']) {
      const [result] = await withoutSession({ ...env, DBUS_SESSION_BUS_ADDRESS: address }, input([get]));
      expect(result?.error).toMatchObject({
        code: 'credential_store_unavailable',
        details: { state: 'no_bus' },
      });
      expect(result?.error?.hint).toContain('--credential-store file');
    }
  });

  it('is given up on after its time limit when the service hangs, and its process is gone', async () => {
    const socket = join(home, 'dead-bus');
    const server: Server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      // Under a name of its own, to be found in the list of processes.
      const child = join(home, 'keychain-child.ts');
      copyFileSync(childSource, child);
      linkModules(home);
      const env = { ...sessionEnvironment(home), DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}` };
      const [result] = await withoutSession(env, input([get], { child }));
      expect(result?.error).toMatchObject({
        code: 'credential_store_unavailable',
        message: 'the keychain did not respond within 2 seconds',
        details: { state: 'hung' },
      });
      expect(result?.ms).toBeGreaterThan(1900);
      expect(result?.ms).toBeLessThan(3500);
      expect(commandLines().filter((line) => line.includes(child))).toEqual([]);
    } finally {
      server.close();
    }
  });
});

describe('the keychain’s helper process', () => {
  it('reports a library that can’t be loaded', async () => {
    const child = join(home, 'keychain-child.ts');
    copyFileSync(childSource, child);
    const store = openKeychainStore({ folder: home, profile: 'work', child, env: anyBus() });
    await expect(store.get(['refresh_token'])).rejects.toMatchObject({
      code: 'credential_store_unavailable',
      message: 'the keychain library could not be loaded',
      details: { state: 'library_missing' },
    });
  });

  it('gets secrets by pipe only, and no secret of the environment', async () => {
    const seen = join(home, 'seen.json');
    const child = join(home, 'spy.mjs');
    writeFileSync(
      child,
      `import { writeFileSync } from 'node:fs';
       let input = ''; for await (const chunk of process.stdin) input += chunk;
       writeFileSync(${JSON.stringify(seen)}, JSON.stringify({ argv: process.argv, env: process.env, input }));
       process.stdout.write(JSON.stringify({ ok: true, changed: true, values: {} }));`,
    );
    const env = { ...anyBus(), OPENAI_API_KEY: 'planted-env-secret', NODE_OPTIONS: '--no-deprecation' };
    await openKeychainStore({ folder: home, profile: 'work', child, env }).set({ refresh_token: SECRET });
    const { input: given, ...rest } = JSON.parse(readFileSync(seen, 'utf8')) as { input: string };
    expect(given).toContain(SECRET);
    expect(JSON.stringify(rest)).not.toContain(SECRET);
    expect(JSON.stringify(rest)).not.toContain('planted-env-secret');
    expect(JSON.stringify(rest)).not.toContain('NODE_OPTIONS');
  });

  it.each([
    ['crashes', 'process.kill(process.pid, "SIGSEGV")', 'exited with SIGSEGV'],
    ['ends with an error', 'process.exit(3)', 'exited with code 3'],
    ['answers nonsense', `process.stdout.write('${SECRET}')`, 'an unusable response'],
  ])('that %s is reported without quoting what it wrote', async (_, program, reason) => {
    const child = join(home, 'bad.mjs');
    writeFileSync(child, program);
    const store = openKeychainStore({ folder: home, profile: 'work', child, env: anyBus() });
    const error = await store.set({ refresh_token: SECRET }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'credential_store_unavailable',
      message: expect.stringContaining(reason),
    });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(SECRET);
  });
});

/** An address that lets the helper start; what it does then is up to the test. */
function anyBus(): NodeJS.ProcessEnv {
  return { ...sessionEnvironment(home), DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' };
}

/** Makes the checkout's packages visible to a program that lies in `folder`. */
function linkModules(folder: string): void {
  const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
  symlinkSync(modules, join(folder, 'node_modules'));
}

/** The command lines of all processes. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(join('/proc', pid, 'cmdline'), 'utf8')];
      } catch {
        return [];
      }
    });
}
