// Measures processes with Linux's /proc (proc(5)).
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second (USER_HZ). */
const TICKS = 100;

/** Returns a process's memory in bytes, with its proportional share of shared memory. */
export function memoryOf(pid) {
  const [, kibibytes = 0] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Returns a process's processor time in seconds, including ended children. */
export function processorOf(pid) {
  const [found] = statOf(pid);
  return found?.processor ?? 0;
}

/** Returns the processes of the PostgreSQL that this process started. */
export function serverProcesses() {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(statOf);
  const server = all.find(({ parent, name }) => parent === process.pid && name === 'postgres');
  return all.filter(({ pid, parent }) => pid === server?.pid || parent === server?.pid).map(({ pid }) => pid);
}

export const sumOf = (pids, figure) => pids.reduce((sum, pid) => sum + figure(pid), 0);

/** Returns undefined if the process has ended. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, name = '', rest = ''] = /\((.*)\) (.*)$/s.exec(text) ?? [];
    // From the third field on; utime, stime, cutime and cstime are the 14th to the 17th.
    const fields = rest.split(' ').map(Number);
    const processor = (fields[11] + fields[12] + fields[13] + fields[14]) / TICKS;
    return [{ pid: Number(pid), name, parent: fields[1], processor }];
  } catch {
    return [];
  }
}
