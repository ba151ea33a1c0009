import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { CredentialName, ExpectedValues } from '../../../src/secrets/credential-store.ts';
import { asHere } from '../../shipped/modules.ts';

export interface Step {
  readonly do: 'get' | 'set' | 'delete' | 'probe';
  readonly names?: CredentialName[];
  readonly values?: Partial<Record<CredentialName, string>>;
  readonly expected?: ExpectedValues;
}
export interface DriverInput {
  readonly options: { folder: string; profile: string; timeoutMs?: number; child?: string };
  readonly steps: Step[];
}
export interface StepResult {
  readonly value?: unknown;
  readonly error?: {
    code: string;
    message: string;
    hint?: string | undefined;
    details: Record<string, unknown>;
  };
  readonly ms: number;
}

const driver = fileURLToPath(new URL('./keychain-driver.ts', import.meta.url));

/** Which of the tools the keychain tests need is missing here; `undefined` when all are there. */
export function missingKeychainTool(): string | undefined {
  if (process.platform !== 'linux') return 'the Secret Service is tested on Linux only';
  for (const tool of ['dbus-run-session', 'dbus-daemon', 'gnome-keyring-daemon']) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    } catch {
      return `${tool} is not installed (apt install gnome-keyring dbus libsecret-1-0)`;
    }
  }
  try {
    // Throws where libsecret is missing.
    createRequire(import.meta.url)('keytar');
  } catch {
    return 'libsecret is not installed (apt install libsecret-1-0)';
  }
  return undefined;
}

/** The environment of a login session whose home and run-time folder lie in `home`. */
export function sessionEnvironment(home: string): NodeJS.ProcessEnv {
  const run = join(home, 'run');
  mkdirSync(run, { recursive: true, mode: 0o700 });
  return { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: run, LANG: 'C.UTF-8' };
}

/** Runs the steps in a session with a keyring that is unlocked (or not) with this password. */
export function withKeyring(home: string, password: string, input: DriverInput): Promise<StepResult[]> {
  const script = `printf %s "$1" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; shift; exec "$@"`;
  const command = ['bash', '-c', script, 'bash', password, process.execPath, ...asHere, driver];
  return run('dbus-run-session', ['--', ...command], sessionEnvironment(home), input);
}

/** Runs the steps on a bus that knows no service at all. */
export function withEmptyBus(home: string, input: DriverInput): Promise<StepResult[]> {
  const config = join(home, 'bus.conf');
  writeFileSync(
    config,
    `<busconfig><type>session</type><listen>unix:tmpdir=${home}</listen>
     <policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  );
  const args = ['--config-file', config, '--', process.execPath, ...asHere, driver];
  return run('dbus-run-session', args, sessionEnvironment(home), input);
}

/** Runs the steps in this environment as it is. */
export function withoutSession(env: NodeJS.ProcessEnv, input: DriverInput): Promise<StepResult[]> {
  return run(process.execPath, [...asHere, driver], env, input);
}

async function run(command: string, args: string[], env: NodeJS.ProcessEnv, input: DriverInput): Promise<StepResult[]> {
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: 20_000 });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.end(JSON.stringify(input));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await closed;
  if (code !== 0) throw new Error(`the driver ended with ${code}: ${errors.slice(-2000)}`);
  return JSON.parse(output) as StepResult[];
}
