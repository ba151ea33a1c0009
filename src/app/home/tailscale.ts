import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import type { TailscaleMode } from '../../home/settings/home-settings.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { App } from '../app.ts';
import { explainTailscaleOutput, TAILSCALE_CONSOLE, tailscaleError } from './tailscale-error.ts';
import { endRecordedProcess, recordProcess, removeProcessRecord } from './tailscale-process.ts';

const COMMAND_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const STOP_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** The program's usual locations, because a service's PATH is often short. */
const USUAL_PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    '/usr/local/bin/tailscale',
    '/opt/homebrew/bin/tailscale',
    '/Applications/Tailscale.app/Contents/MacOS/Tailscale',
  ],
  linux: ['/usr/bin/tailscale', '/usr/local/bin/tailscale', '/usr/sbin/tailscale'],
  win32: ['C:\\Program Files\\Tailscale\\tailscale.exe'],
};

/** The part of Tailscale's `ipnstate.Status` that a home needs. Go writes null for an absent list or object. */
const statusSchema = z.object({
  BackendState: z.string(),
  AuthURL: z.string().nullish(),
  Self: z
    .object({
      DNSName: z.string(),
      CapMap: z.record(z.string(), z.unknown()).nullish(),
      Capabilities: z.array(z.string()).nullish(),
    })
    .nullish(),
});
export type TailscaleStatus = z.output<typeof statusSchema>;

/** The part of Tailscale's `ipn.ServeConfig` that lists what is served at each name. */
const webConfigSchema = z.object({
  Web: z
    .record(z.string(), z.object({ Handlers: z.record(z.string(), z.object({ Proxy: z.string().optional() })) }))
    .nullish(),
  AllowFunnel: z.record(z.string(), z.boolean()).nullish(),
});
const serveConfigSchema = webConfigSchema.extend({
  Foreground: z.record(z.string(), webConfigSchema).nullish(),
});
export type ServeConfig = z.output<typeof serveConfigSchema>;

type TailscaleApp = Pick<App, 'env'>;

/** Returns the path of the Tailscale program. @throws {TradeAgentError} `not_found` if Tailscale is not installed */
export function findTailscale({ env }: TailscaleApp, platform: NodeJS.Platform = process.platform): string {
  const name = platform === 'win32' ? 'tailscale.exe' : 'tailscale';
  const folders = (env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const places = [...folders.map((folder) => join(folder, name)), ...(USUAL_PLACES[platform] ?? [])];
  const found = places.find(isProgram);
  if (found !== undefined) return found;
  throw new TradeAgentError('not_found', 'Tailscale is not installed on this machine', {
    hint: 'Install it from https://tailscale.com/download and run "tailscale up", or choose another place for your phone: --phone browser, domain or proxy.',
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Returns the program's environment, which excludes the person's keys and tokens. */
function tailscaleEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = /^(PATH|HOME|USER|LOGNAME|USERPROFILE|SYSTEMROOT|PROGRAMDATA|LOCALAPPDATA|TMPDIR|TEMP|TMP)$/i;
  // On macOS, the app's binary acts as the command line tool only if TAILSCALE_BE_CLI is set.
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => kept.test(name))),
    TAILSCALE_BE_CLI: '1',
    LC_ALL: 'C',
  };
}

function readJson<T>(
  { env }: TailscaleApp,
  program: string,
  args: readonly string[],
  schema: z.ZodType<T>,
): Promise<T> {
  const options = {
    env: tailscaleEnvironment(env),
    timeout: COMMAND_TIMEOUT_MS,
    killSignal: 'SIGKILL' as const,
    maxBuffer: MAX_OUTPUT_BYTES,
    windowsHide: true,
  };
  return new Promise((resolve, reject) => {
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error?.killed === true) reject(tailscaleError('Tailscale did not respond in time', 'Is Tailscale running?'));
      else if (error !== null) reject(explainTailscaleOutput(stderr, 'Tailscale can’t be started'));
      else resolve(parseJson(stdout, schema));
    });
  });
}

function parseJson<T>(text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const { data } = schema.safeParse(json);
  if (data !== undefined) return data;
  throw tailscaleError('the output of Tailscale has an unknown format', 'Update Tailscale, and try again.');
}

export async function readTailscaleStatus(app: TailscaleApp, program: string): Promise<TailscaleStatus> {
  return await readJson(app, program, ['status', '--json', '--peers=false'], statusSchema);
}

/**
 * Returns this machine's name in its Tailscale network.
 * @throws {TradeAgentError} `invalid_config` that names the missing step, or if the name can't have a certificate
 */
export function tailscaleName(status: TailscaleStatus): string {
  requireConnected(status);
  const name = status.Self?.DNSName.replace(/\.$/, '').toLowerCase() ?? '';
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name)) {
    throw tailscaleError(
      'this machine has no name in your Tailscale network',
      `Turn on MagicDNS: ${TAILSCALE_CONSOLE}/dns`,
    );
  }
  // Tailscale's own control server can turn certificates on.
  if (name.endsWith('.ts.net') || hasCapability(status, 'https')) return name;
  throw tailscaleError(
    `the Tailscale network of ${name} issues no HTTPS certificates, which phones need`,
    'A network that Headscale runs has none. Choose another place for your phone: --phone domain or proxy.',
  );
}

/** @throws {TradeAgentError} `invalid_config` unless the machine is connected to its Tailscale network */
function requireConnected({ BackendState: state, AuthURL: url }: TailscaleStatus): void {
  if (state === 'NeedsLogin') {
    const page = url ? `Open ${safeLine(url)}, or run` : 'Run';
    throw tailscaleError('this machine is not signed in to Tailscale', `${page} "tailscale up" and sign in.`);
  }
  if (state === 'NeedsMachineAuth') {
    throw tailscaleError(
      'this machine is not approved in your Tailscale network',
      `Approve it: ${TAILSCALE_CONSOLE}/machines`,
    );
  }
  if (state === 'Stopped') throw tailscaleError('Tailscale is off', 'Turn it on: "tailscale up".');
  if (state === 'InUseOtherUser')
    throw tailscaleError('another user of this machine is using Tailscale', 'Sign that user out of Tailscale.');
  if (state !== 'Running') throw tailscaleError('Tailscale is starting', 'Try again in a few seconds.');
}

/**
 * Returns the features that the tailnet does not allow yet. Tailscale's own command looks for the same capabilities,
 * and shows a link to enable them.
 */
export function missingFeatures(status: TailscaleStatus, mode: TailscaleMode): string[] {
  return [
    ...(hasCapability(status, 'https') ? [] : ['HTTPS certificates']),
    ...(mode === 'serve' || hasCapability(status, 'funnel') ? [] : ['Funnel']),
  ];
}

function hasCapability({ Self: self }: TailscaleStatus, name: 'https' | 'funnel'): boolean {
  return self?.CapMap?.[name] !== undefined || self?.Capabilities?.includes(name) === true;
}

/** Returns whether a name already forwards to this address because of an earlier command. */
export function isAlreadyServed(config: ServeConfig, name: string, target: string, mode: TailscaleMode): boolean {
  const key = `${name}:443`;
  return [config, ...Object.values(config.Foreground ?? {})].some(
    ({ Web: web, AllowFunnel: funnel }) =>
      web?.[key]?.Handlers['/']?.Proxy === target && (mode === 'serve') === (funnel?.[key] !== true),
  );
}

/**
 * An event of the running command. A link leads to a page where the owner must allow something once. Until then, the
 * command may wait, or it may end, which is not an error.
 */
type TailscaleEvent =
  | { readonly type: 'available' }
  | { readonly type: 'link'; readonly url: string }
  | { readonly type: 'ended'; readonly error: TradeAgentError | undefined };

/**
 * Starts `tailscale funnel` or `tailscale serve` in the foreground, so that the name is no longer served when the
 * command ends.
 */
function startCommand(
  { env }: TailscaleApp,
  { program, mode, target }: { readonly program: string; readonly mode: TailscaleMode; readonly target: string },
  report: (event: TailscaleEvent) => void,
): ChildProcess {
  const child = spawn(program, [mode, target], {
    env: tailscaleEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let isAvailable = false;
  let isLinkShown = false;
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (/^Available (on the internet|within your tailnet):/.test(line)) {
        isAvailable = true;
        said = '';
        report({ type: 'available' });
      }
      // From then on, standard output is no reason to end.
      if (!isAvailable || stream === child.stderr) said = `${said}\n${line}`.slice(-2_000);
      const [link] = /https:\/\/login\.tailscale\.com\/\S+/.exec(line) ?? [];
      if (isAvailable || link === undefined) return;
      isLinkShown = true;
      report({ type: 'link', url: safeLine(link, 300) });
    });
  }
  // Node emits "close" after "error".
  child.once('error', (error: NodeJS.ErrnoException) => {
    said = `${program} can't be started (${error.code})`;
  });
  child.once('close', () => {
    const isAsking = isLinkShown && !isAvailable;
    report({ type: 'ended', error: isAsking ? undefined : explainTailscaleOutput(said, `"tailscale ${mode}" ended`) });
  });
  return child;
}

interface KeptTailscale {
  readonly mode: TailscaleMode;
  /** The home's public address. */
  readonly address: string;
  /** The local address that the home listens on. */
  readonly target: string;
  /** The file that records the running command, so that the next start can end one that a killed home left running. */
  readonly record: string;
  readonly tell: (line: string) => void;
}

/**
 * Serves the home at its Tailscale name until the returned function is called. Restarts the command if it ends.
 * @throws {TradeAgentError} `not_found` if Tailscale is not installed; `invalid_config` if it can't serve this address
 */
export async function runTailscale(
  app: Pick<App, 'env' | 'clock'>,
  { mode, address, target, record, tell }: KeptTailscale,
): Promise<() => Promise<void>> {
  const program = findTailscale(app);
  const reach = { mode, address };
  requireReach(await readTailscaleStatus(app, program), reach);
  const left = await endRecordedProcess(record, app.clock);
  if (left !== undefined) tell(`Stopped the Tailscale command of a home that was killed (process ${left}).`);
  const stop = new AbortController();
  let child: ChildProcess | undefined;
  let told = '';
  const tellOnce = (line: string) => {
    if (line !== told) tell(line);
    told = line;
  };
  const tellProblem = (error: Error) => {
    const hint = error instanceof TradeAgentError ? error.hint : undefined;
    tellOnce(`Phones can't reach this home, trying again: ${error.message}. ${hint ?? ''}`.trimEnd());
  };
  /** Resolves when the command has ended, with the delay before the next attempt, or with undefined after a failure. */
  const run = async (): Promise<number | undefined> => {
    // The program only prints "Logged out." or "Tailscale is stopped."
    const name = requireReach(await readTailscaleStatus(app, program), reach);
    const config = await readJson(app, program, ['serve', 'status', '--json'], serveConfigSchema.nullable());
    if (stop.signal.aborted) return undefined;
    if (config !== null && isAlreadyServed(config, name, target, mode)) {
      tellOnce(`Tailscale serves ${address}.`);
      return MAX_RETRY_MS;
    }
    let wasAvailable = false;
    await new Promise<void>((resolve) => {
      child = startCommand(app, { program, mode, target }, (event) => {
        if (event.type === 'available') {
          wasAvailable = true;
          tellOnce(`Tailscale serves ${address}.`);
        } else if (event.type === 'link') {
          tellOnce(`To let your phone reach this home, open ${event.url} once and allow it.`);
        } else {
          removeProcessRecord(record);
          if (!stop.signal.aborted && event.error !== undefined) tellProblem(event.error);
          resolve();
        }
      });
      // Without a record, the next start just can't find the command.
      void recordProcess(record, child.pid).catch(() => undefined);
    });
    child = undefined;
    return wasAvailable ? FIRST_RETRY_MS : undefined;
  };
  const running = (async () => {
    let backoff = FIRST_RETRY_MS;
    while (!stop.signal.aborted) {
      const next = await run().catch((error: Error) => {
        tellProblem(error);
        return undefined;
      });
      if (!stop.signal.aborted) await app.clock.sleep(next ?? backoff, stop.signal).catch(() => undefined);
      backoff = next === undefined ? Math.min(backoff * 2, MAX_RETRY_MS) : FIRST_RETRY_MS;
    }
  })();
  return async () => {
    stop.abort();
    const last = child;
    last?.kill('SIGINT');
    const timer = setTimeout(() => last?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await running;
    clearTimeout(timer);
  };
}

/**
 * Returns the machine's name.
 * @throws {TradeAgentError} `invalid_config` if Tailscale can't serve the home's address
 */
function requireReach(status: TailscaleStatus, { mode, address }: Pick<KeptTailscale, 'mode' | 'address'>): string {
  const name = tailscaleName(status);
  if (address !== `https://${name}`) {
    throw tailscaleError(
      `this machine's name in Tailscale is ${name}, but the home's address is ${address}`,
      `Stop the home, and run "trade-agent home address set --phone ${mode}".`,
    );
  }
  return name;
}
