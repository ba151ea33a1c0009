import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

/** Not looked up in `PATH`, because a program of that name elsewhere would run with the service's rights. */
const NOTIFY_PROGRAMS = ['/usr/bin/systemd-notify', '/bin/systemd-notify', '/run/current-system/sw/bin/systemd-notify'];
const NOTIFY_TIMEOUT_MS = 5_000;

/**
 * Reports to systemd that the service is ready, and then that it is alive if the unit has a watchdog (sd_notify(3)).
 * Does nothing unless systemd asked for it by `NOTIFY_SOCKET`. Node can't open such a socket, so `systemd-notify` does;
 * it gets no other environment variable, because the service's may contain secrets. Never throws.
 * @param tell receives a warning if systemd can't be reached
 * @returns functions to report that the service stops, and to stop answering the watchdog
 */
export async function reportReady(
  { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID = `${process.pid}` }: NodeJS.ProcessEnv = process.env,
  tell: (line: string) => unknown = (line) => process.stderr.write(`${line}\n`),
) {
  if (!NOTIFY_SOCKET) return { stopping: async () => undefined, close: () => undefined };
  const send = async (state: string) => {
    const program = NOTIFY_PROGRAMS.find((file) => existsSync(file));
    if (program === undefined) return tell(`warning: systemd did not get ${state}: systemd-notify is not installed`);
    const options = { env: { NOTIFY_SOCKET }, timeout: NOTIFY_TIMEOUT_MS };
    await promisify(execFile)(program, [state], options).catch(() =>
      tell(`warning: systemd did not get ${state}: systemd-notify failed`),
    );
  };
  await send('READY=1');
  /** Half of the time that systemd allows, in milliseconds. */
  const interval = WATCHDOG_PID === `${process.pid}` ? Number(WATCHDOG_USEC ?? 0) / 2_000 : 0;
  const timer = interval > 0 ? setInterval(() => void send('WATCHDOG=1'), interval).unref() : undefined;
  return { stopping: () => send('STOPPING=1'), close: () => clearInterval(timer) };
}
