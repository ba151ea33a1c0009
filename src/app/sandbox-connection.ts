import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TradeAgentError } from '../errors/errors.ts';
import { systemClock } from '../machine/clock.ts';
import { defaultReadyFile, readReadyFile, type SandboxReadyInfo } from '../sandbox/ready-file.ts';
import { launcherPath } from './launcher.ts';

/** Idle time after which a sandbox that was started in the background exits. */
const IDLE_EXIT = '60m';

/** Timeout for starting a sandbox, in milliseconds. Starting usually takes a second or two. */
const START_TIMEOUT_MS = 30_000;

/**
 * Finds the running sandbox: the one whose ready file `TRADE_AGENT_SANDBOX` names, or else the one in the user's own
 * folder. If the latter is not running and `start` is set, starts it in the background.
 * @param options.sandboxHome the user's own sandbox folder
 * @throws {TradeAgentError} `provider_unreachable` if no sandbox is running or it does not start
 */
export async function ensureSandbox(options: {
  sandboxHome: string;
  env: NodeJS.ProcessEnv;
  start: boolean;
  notice?: (message: string) => void;
}): Promise<SandboxReadyInfo> {
  const named = options.env.TRADE_AGENT_SANDBOX;
  if (named) {
    const ready = readReadyFile(named);
    if (ready === undefined || !isProcessRunning(ready.pid)) {
      throw new TradeAgentError('provider_unreachable', `no sandbox is running for ${named}`, {
        hint: `Start one with "trade-agent sandbox --ready-file ${named}", or unset TRADE_AGENT_SANDBOX.`,
      });
    }
    return ready;
  }

  const file = defaultReadyFile(options.sandboxHome);
  const running = readReadyFile(file);
  if (running !== undefined && isProcessRunning(running.pid)) return running;
  if (!options.start) {
    throw new TradeAgentError('provider_unreachable', 'the sandbox is not running', {
      hint: 'Start it with "trade-agent sandbox".',
    });
  }
  options.notice?.('Starting the sandbox…');
  return startInBackground(options.sandboxHome, file, options.env);
}

export function isProcessRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function startInBackground(
  sandboxHome: string,
  readyFile: string,
  env: NodeJS.ProcessEnv,
): Promise<SandboxReadyInfo> {
  mkdirSync(sandboxHome, { recursive: true, mode: 0o700 });
  const logFile = join(sandboxHome, 'sandbox.log');
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn(process.execPath, [launcherPath(), 'sandbox', '--home', sandboxHome, '--idle-exit', IDLE_EXIT], {
    detached: true,
    stdio: ['ignore', log, log],
    env: buildChildEnvironment(env),
  });
  closeSync(log);
  let ended = false;
  for (const event of ['exit', 'error'])
    child.once(event, () => {
      ended = true;
    });
  child.unref();

  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    // Another command may have started a sandbox at the same moment. That sandbox can be used too.
    const ready = readReadyFile(readyFile);
    if (ready !== undefined && isProcessRunning(ready.pid)) return ready;
    if (Date.now() > deadline || (ended && !(await anotherIsStarting(readyFile)))) {
      throw new TradeAgentError('provider_unreachable', 'the sandbox did not start', {
        hint: `${lastLine(logFile)} See the log in ${logFile}, or run "trade-agent sandbox" to start it in the foreground.`.trim(),
      });
    }
    await systemClock.sleep(25);
  }
}

/** Waits up to two seconds for the ready file of a sandbox that locked the folder first. Returns whether it exists. */
async function anotherIsStarting(readyFile: string): Promise<boolean> {
  for (let i = 0; i < 80; i++) {
    if (readReadyFile(readyFile) !== undefined) return true;
    await systemClock.sleep(25);
  }
  return false;
}

/** Returns the environment variables that a child process needs, without the user's keys and tokens. */
export function buildChildEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept =
    /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|LANG|LC_.*|TZ|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CI|XDG_.*|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|APPDATA|LOCALAPPDATA|USERPROFILE|SYSTEMROOT|PATHEXT|NODE_COMPILE_CACHE|TRADE_AGENT_HOME|TRADE_AGENT_SANDBOX|TRADE_AGENT_PROFILE)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => kept.test(name)));
}

function lastLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}
