import { appendFileSync, chmodSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { resolveUserDirs } from '../../machine/directories.ts';
import { redactSecrets } from '../../text/redact.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { Cli, GlobalOptions } from './cli.ts';

/** Logs to the log file (unless `TRADE_AGENT_LOG=off`) and, with `--verbose`, to stderr. */
export function startLogging(
  { io, env, clock, fetch }: Pick<Cli, 'io' | 'env' | 'clock' | 'fetch'>,
  globals: GlobalOptions,
  command: string,
) {
  const started = clock.now();
  const log = env.TRADE_AGENT_LOG === 'off' ? undefined : createLogFile(logFile(env), clock);
  const tell = (event: string, facts: Record<string, unknown>) => {
    log?.write(event, { command, ...facts });
    if (globals.verbose !== true) return;
    const words = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`);
    io.talk(io.paint('stderr', 'dim', safeLine(redactSecrets(`[${event}] ${words.join(' ')}`))));
  };
  if (globals.verbose === true) tell('start', { node: process.versions.node, platform: process.platform });
  return {
    fetch: createTracedFetch(fetch, clock, (facts) => tell('request', facts)),
    redactedFetch: createTracedFetch(fetch, clock, (facts) => tell('request', facts), 'host'),
    end: (exit_code: number) => tell('end', { exit_code, ms: clock.now() - started }),
    fail: (error: unknown) => tell('error', { ...errorFacts(error), ms: clock.now() - started }),
  };
}

function logFile(env: NodeJS.ProcessEnv): string {
  return join(resolveUserDirs(env).log, 'trade-agent.log');
}

/**
 * Returns an error's facts for the log. Leaves out the message of an unexpected error, because it could contain
 * secrets. The stack shows where the error was thrown.
 */
function errorFacts(error: unknown): Record<string, unknown> {
  if (isTradeAgentError(error)) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: 'internal' };
  const stack = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    code: 'internal',
    name: error.name,
    at: stack
      .slice(0, 5)
      .map((line) => line.trim())
      .join('; '),
  };
}

/**
 * Wraps `fetch` to report each request without secrets: leaves out query, headers and body.
 * @param address how much of the address to report; `host` for incoming webhooks, because their path is a secret
 */
export function createTracedFetch(
  fetch: typeof globalThis.fetch,
  clock: Clock,
  tell: (facts: Record<string, unknown>) => void,
  address: 'path' | 'host' = 'path',
): typeof globalThis.fetch {
  return async (input, init) => {
    const started = clock.now();
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    const facts = {
      method: init?.method ?? request?.method ?? 'GET',
      url: address === 'path' ? `${url.origin}${url.pathname}` : url.origin,
    };
    try {
      const response = await fetch(input, init);
      tell({ ...facts, status: response.status, ms: clock.now() - started });
      return response;
    } catch (error) {
      tell({ ...facts, failure: failureCode(error), ms: clock.now() - started });
      throw error;
    }
  };
}

function failureCode(error: unknown): string {
  const { code, name } = (error instanceof Error ? (error.cause ?? error) : {}) as {
    code?: unknown;
    name?: unknown;
  };
  return String(code ?? name ?? 'failed');
}

/** Maximum size of the log file in bytes. With the older files kept after rotation, at most 4 MiB in total. */
const MAX_LOG_BYTES = 1024 * 1024;
const MAX_ROTATED_FILES = 3;

/**
 * Creates a log of what the program does, for debugging, without prompts, answers or credentials. Writes one JSON
 * object per line to `file` (mode 0600). Never throws: a command must not fail because of its log.
 */
export function createLogFile(file: string, clock: Clock) {
  let ready = false;
  return {
    write(event: string, facts: Readonly<Record<string, unknown>> = {}) {
      try {
        if (!ready) {
          mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
          rotate(file);
        }
        const line = JSON.stringify({
          at: new Date(clock.now()).toISOString(),
          pid: process.pid,
          event,
          ...facts,
        });
        // Writes each line with one append, so that lines of several processes never mix.
        appendFileSync(file, `${redactSecrets(line)}\n`, { mode: 0o600 });
        if (!ready) chmodSync(file, 0o600);
        ready = true;
      } catch {
        // The disk is full or read-only.
      }
    },
  };
}

function rotate(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size < MAX_LOG_BYTES) return;
  for (let n = MAX_ROTATED_FILES - 1; n >= 1; n--) {
    if (statSync(`${file}.${n}`, { throwIfNoEntry: false })) renameSync(`${file}.${n}`, `${file}.${n + 1}`);
  }
  renameSync(file, `${file}.1`);
}
