import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { Clock } from '../../machine/clock.ts';
import { readFileIfExists, writePrivateFile } from '../../machine/private-file.ts';

const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 50;
const PS_TIMEOUT_MS = 5_000;

/**
 * The Tailscale command that a home runs. A killed home leaves the command running, so the next start must find it. The
 * process ID alone is not enough, because an unrelated process may have reused the ID.
 */
const processSchema = z.object({
  pid: z.int().min(2),
  /** When the process started, in the operating system's format. */
  started: z.string().min(1),
  /** The process's program and arguments. */
  command: z.string().min(1),
});
type KnownProcess = z.output<typeof processSchema>;

/** Records a process in a file. Does nothing if the operating system does not report when the process started. */
export async function recordProcess(file: string, pid: number | undefined): Promise<void> {
  const found = pid === undefined ? undefined : await readProcess(pid);
  if (found !== undefined) writePrivateFile(file, `${JSON.stringify(found)}\n`);
}

export function removeProcessRecord(file: string): void {
  rmSync(file, { force: true });
}

/** Returns the ID of the recorded process if that same process is still running. */
export async function findRecordedProcess(file: string): Promise<number | undefined> {
  const recorded = readRecord(file);
  return recorded !== undefined && (await isSameProcess(recorded)) ? recorded.pid : undefined;
}

/** Ends the recorded process if that same process still runs. Returns its ID, or undefined if it has already ended. */
export async function endRecordedProcess(file: string, clock: Clock): Promise<number | undefined> {
  const recorded = readRecord(file);
  if (recorded === undefined || !(await isSameProcess(recorded))) {
    removeProcessRecord(file);
    return undefined;
  }
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    // Checked before each signal, because the ID may have been reused by another process in the meantime.
    if (await isSameProcess(recorded)) process.kill(recorded.pid, signal);
    const deadline = clock.monotonic() + STOP_TIMEOUT_MS;
    while ((await isSameProcess(recorded)) && clock.monotonic() < deadline) await clock.sleep(POLL_MS);
  }
  removeProcessRecord(file);
  return recorded.pid;
}

function readRecord(file: string): KnownProcess | undefined {
  try {
    return processSchema.safeParse(JSON.parse(readFileIfExists(file) ?? 'null')).data;
  } catch {
    return undefined;
  }
}

async function isSameProcess({ pid, started, command }: KnownProcess): Promise<boolean> {
  const found = await readProcess(pid);
  // A launcher, such as `env` in a script's first line, disappears from the command line after the process is recorded.
  return found?.started === started && (command === found.command || command.endsWith(` ${found.command}`));
}

/** Reads a process. Returns undefined if it has ended, or if the operating system does not report its start time. */
async function readProcess(pid: number): Promise<KnownProcess | undefined> {
  if (process.platform === 'linux') return readLinuxProcess(pid);
  return process.platform === 'darwin' ? readMacProcess(pid) : undefined;
}

function readLinuxProcess(pid: number): KnownProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name, in parentheses, may contain spaces. The state follows, and 19 fields later, the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ');
    // The start time is relative to the boot, so the boot's ID is included.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    if (fields[0] === 'Z' || command === '') return undefined;
    return { pid, started: `${boot} ${fields[19]}`, command };
  } catch {
    return undefined;
  }
}

function readMacProcess(pid: number): Promise<KnownProcess | undefined> {
  const args = ['-p', String(pid), '-o', 'lstart=', '-o', 'command='];
  const options = { timeout: PS_TIMEOUT_MS, env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' } };
  return new Promise((resolve) => {
    execFile('/bin/ps', args, options, (error, stdout) => {
      // `lstart` has a fixed width, as in "Wed Dec  2 20:59:01 2026".
      const [started, command] = [stdout.slice(0, 24).trim(), stdout.slice(24).trim()];
      resolve(error === null && command !== '' ? { pid, started, command } : undefined);
    });
  });
}
