import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

/** Absolute paths of `systemd-notify`. Another program of that name in `PATH` would run with the service's rights. */
const NOTIFY_PROGRAMS = ['/usr/bin/systemd-notify', '/bin/systemd-notify', '/run/current-system/sw/bin/systemd-notify'];
const NOTIFY_TIMEOUT_MS = 5_000;

/**
 * Reports to systemd that the service is ready, and then that it is alive if the unit has a watchdog (sd_notify(3)).
 * Does nothing unless systemd has set `NOTIFY_SOCKET`. Runs `systemd-notify`, because Node can't open this kind of
 * socket. `systemd-notify` does not get the service's other environment variables, which may contain secrets. Never
 * throws.
 * @param warn receives a warning if systemd can't be reached
 * @returns `stopping` reports that the service is stopping; `close` ends the reports to the watchdog
 */
export async function reportReady(
  { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID = `${process.pid}` }: NodeJS.ProcessEnv = process.env,
  warn: (line: string) => unknown = (line) => process.stderr.write(`${line}\n`),
) {
  if (!NOTIFY_SOCKET) return { stopping: async () => undefined, close: () => undefined };
  const send = async (state: string) => {
    const program = NOTIFY_PROGRAMS.find((file) => existsSync(file));
    if (program === undefined) return warn(`warning: systemd did not get ${state}: systemd-notify is not installed`);
    const options = { env: { NOTIFY_SOCKET }, timeout: NOTIFY_TIMEOUT_MS };
    await promisify(execFile)(program, [state], options).catch(() =>
      warn(`warning: systemd did not get ${state}: systemd-notify failed`),
    );
  };
  await send('READY=1');
  /** Interval of the reports to the watchdog: half of the time that systemd allows, in milliseconds. */
  const interval = WATCHDOG_PID === `${process.pid}` ? Number(WATCHDOG_USEC ?? 0) / 2_000 : 0;
  const timer = interval > 0 ? setInterval(() => void send('WATCHDOG=1'), interval).unref() : undefined;
  return { stopping: () => send('STOPPING=1'), close: () => clearInterval(timer) };
}
