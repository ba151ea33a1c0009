import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { folderOfTest } from '../folders.ts';
import { missingKeychainTool, sessionEnvironment } from '../integration/auth/keychain-session.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_MS = 3000;

let home: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  home = folderOfTest();
  const agent = join(home, 'agent');
  mkdirSync(agent);
  // Never asked: the store is tried before anybody is.
  const profile = 'issuer: https://id.invalid, gateway: https://gw.invalid, login_client: {client_id: x}';
  writeFileSync(join(agent, 'config.yaml'), `default_profile: work\nprofiles: {work: {${profile}}}\n`);
  // What an earlier sign-in left: without it a locked keyring would look like an empty one.
  writeFileSync(join(agent, 'keychain-work.json'), '{"stored":["refresh_token","session"]}\n', {
    mode: 0o600,
  });
  env = { ...sessionEnvironment(home), TRADE_AGENT_HOME: agent };
});

interface Outcome {
  readonly code: number;
  readonly stderr: string;
  readonly ms: number;
}

/** Runs shell commands, among them `$PROGRAM ARGS`, which is timed; other programs' output goes nowhere. */
async function play(
  args: string,
  around: { wrap?: readonly string[]; before?: string; env?: NodeJS.ProcessEnv; root?: string } = {},
): Promise<Outcome> {
  const program = `"${process.execPath}" "${join(around.root ?? checkout, 'bin', 'trade-agent.js')}" ${args}`;
  const script = `${around.before ?? ''}
    start=$(date +%s%N); ${program} 2>"$HOME/stderr" >/dev/null; code=$?
    echo "$code $(( ($(date +%s%N) - start) / 1000000 ))"`;
  const [command = '', ...rest] = [...(around.wrap ?? []), 'bash', '-c', script];
  const child = spawn(command, rest, {
    env: { ...env, ...around.env },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 30_000,
  });
  const [code, ms] = (await text(child.stdout)).trim().split(' ').map(Number);
  return { code: code ?? -1, ms: ms ?? -1, stderr: readFileSync(join(home, 'stderr'), 'utf8') };
}

function expectRefusal(outcome: Outcome, message: string, hint: RegExp): void {
  expect(outcome.stderr).toContain(`error: ${message}`);
  expect(outcome.stderr).toMatch(hint);
  expect(outcome.code).toBe(11);
  expect(outcome.ms).toBeLessThan(LIMIT_MS);
  expect(leftProcesses()).toEqual([]);
}

/** Keychain helpers of this test that are still there. */
function leftProcesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isOurs = readFileSync(join('/proc', pid, 'environ'), 'latin1').includes(`HOME=${home}\0`);
        const line = readFileSync(join('/proc', pid, 'cmdline'), 'latin1');
        return isOurs && line.includes('keychain-child') ? [line] : [];
      } catch {
        return [];
      }
    });
}

const unlock = (password: string) =>
  `printf %s ${password} | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1`;
const session = ['dbus-run-session', '--'];

/** A session whose bus knows no services but those of this folder. */
function busWith(services: string, policy = ''): string[] {
  const config = join(home, 'bus.conf');
  writeFileSync(
    config,
    `<busconfig><type>session</type><listen>unix:tmpdir=${home}</listen><servicedir>${services}</servicedir>
     <policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/>${policy}</policy></busconfig>`,
  );
  return ['dbus-run-session', '--config-file', config, '--'];
}

async function makeKeyring(): Promise<void> {
  const made = await play('--version', { wrap: session, before: unlock('right') });
  expect(made.code).toBe(0);
}

const missing = missingKeychainTool();
describe.skipIf(missing !== undefined)('each state of the keychain', () => {
  it.each(['whoami', 'login', 'logout'])('locked: "%s" says so, and is gone', async (command) => {
    await makeKeyring();
    const outcome = await play(command, { wrap: session, before: unlock('wrong') });
    expectRefusal(outcome, 'the keychain is locked', /hint: Unlock the keychain/);
  });

  it('locked, with a prompt that nobody answers', async () => {
    await makeKeyring();
    // gnome-keyring waits for its prompter, which starts and never says a word.
    const services = join(home, 'services');
    mkdirSync(services);
    const prompter = '[D-BUS Service]\nName=org.gnome.keyring.SystemPrompter\nExec=/bin/sleep 4\n';
    writeFileSync(join(services, 'org.gnome.keyring.SystemPrompter.service'), prompter);
    const outcome = await play('login', { wrap: busWith(services), before: unlock('wrong') });
    expectRefusal(
      outcome,
      'the keychain did not respond within 2 seconds',
      /hint: The keychain may be waiting for you/,
    );
  });

  it.each(['whoami', 'login'])('a socket that nobody answers at ("%s")', async (command) => {
    const socket = join(home, 'bus');
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const outcome = await play(command, { env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}` } });
      expectRefusal(outcome, 'the keychain did not respond within 2 seconds', /hint: /);
    } finally {
      server.close();
    }
  });

  it('a socket that is dead', async () => {
    const outcome = await play('whoami', { env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${home}/nothing` } });
    expectRefusal(outcome, 'no keychain is available', /--credential-store file/);
  });

  it('no bus at all', async () => {
    expectRefusal(await play('whoami'), 'no keychain is available', /--credential-store file/);
  });

  it('a bus without the service', async () => {
    const services = join(home, 'services');
    mkdirSync(services);
    const outcome = await play('whoami', { wrap: busWith(services) });
    expectRefusal(outcome, 'no keychain service responds on the D-Bus session', /Start gnome-keyring/);
  });

  it('a policy that lets nobody ask it', async () => {
    const services = join(home, 'services');
    mkdirSync(services);
    const outcome = await play('whoami', {
      wrap: busWith(services, '<deny send_destination="org.freedesktop.secrets"/>'),
      before: unlock('right'),
    });
    expectRefusal(outcome, 'access to the keychain was denied', /hint: Allow access/);
  });

  it('open, and emptied by hand: nobody is signed in, which a sign-in mends', async () => {
    const outcome = await play('whoami', { wrap: session, before: unlock('right') });
    expect(outcome.stderr).toMatch(/error: you are not signed in\nhint: .*trade-agent login/);
    expect(outcome.code).toBe(4);
    expect(outcome.ms).toBeLessThan(LIMIT_MS);
  });

  it('a system without its library', async () => {
    const root = withoutLibrary();
    const outcome = await play('whoami', { root, wrap: session, before: unlock('right') });
    expectRefusal(outcome, 'the keychain library could not be loaded', /install libsecret/);
  });
});

/** The built program with a keytar that asks for a library no system has. */
function withoutLibrary(): string {
  const root = join(home, 'program');
  const modules = join(root, 'node_modules');
  mkdirSync(modules, { recursive: true });
  // Copies, not links: the helper's modules are looked for beside where it really is.
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(checkout, part), join(root, part), { recursive: true });
  }
  cpSync(join(checkout, 'node_modules', 'keytar'), join(modules, 'keytar'), {
    recursive: true,
    dereference: true,
  });
  let patched = 0;
  for (const name of readdirSync(join(modules, 'keytar', 'prebuilds'))) {
    const binary = join(modules, 'keytar', 'prebuilds', name, 'keytar.node');
    if (!existsSync(binary)) continue;
    const content = readFileSync(binary, 'latin1');
    if (!content.includes('libsecret-1.so.0')) continue;
    writeFileSync(binary, Buffer.from(content.replaceAll('libsecret-1.so.0', 'libsecret-9.so.9'), 'latin1'));
    patched += 1;
  }
  if (patched === 0) throw new Error('keytar no longer names libsecret');
  return root;
}
