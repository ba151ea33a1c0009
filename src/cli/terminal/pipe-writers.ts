import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The processes that can still write to the pipe on standard input:
 * - `beside`: a process that isn't an ancestor, as in `producer | trade-agent`. It will write or exit.
 * - `above`: only ancestors (a CI runner, a service, a script's `exec 3<>pipe`), which may keep the pipe open without
 *   ever writing.
 * - `unknown`: standard input is not a pipe (a socket from Node's `spawn` or from ssh), or no writer was found.
 */
type PipeWriters = 'beside' | 'above' | 'unknown';

/**
 * Finds the processes that can write to the pipe. Reads /proc on Linux; on other platforms, returns `beside` for every
 * pipe.
 * @param descriptor 0, except in tests
 */
export function findPipeWriters(descriptor = 0, platform: NodeJS.Platform = process.platform): PipeWriters {
  try {
    if (!fstatSync(descriptor).isFIFO()) return 'unknown';
    if (platform !== 'linux') return 'beside';
    const pipe = readlinkSync(`/proc/self/fd/${descriptor}`);
    const above = ancestorPids();
    const others = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && !above.has(name));
    const group = processInfo('self')?.group;
    const isBeside = (pid: string) => {
      const writes = hasOpenForWriting(pid, pipe);
      // Another user's process can't be inspected, as in "sudo producer | trade-agent", but it has the same process
      // group.
      return writes ?? (group !== undefined && processInfo(pid)?.group === group);
    };
    if (others.some(isBeside)) return 'beside';
    return [...above].some((pid) => hasOpenForWriting(pid, pipe) === true) ? 'above' : 'unknown';
  } catch {
    return 'unknown';
  }
}

function ancestorPids(): ReadonlySet<string> {
  const found = new Set<string>();
  for (let pid = String(process.pid); pid !== '0' && !found.has(pid); ) {
    found.add(pid);
    pid = processInfo(pid)?.parent ?? '0';
  }
  return found;
}

/** Parses proc_pid_stat(5). State, parent and process group follow the name, which is in parentheses. */
function processInfo(pid: string): { readonly parent: string; readonly group: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, parent = '0', group = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent, group };
  } catch {
    return undefined;
  }
}

/** Returns whether the process has the pipe open for writing. Undefined if this user can't inspect the process. */
function hasOpenForWriting(pid: string, pipe: string): boolean | undefined {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? false : undefined;
  }
  return descriptors.some((fd) => {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== pipe) return false;
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))?.[1];
      // fcntl.h: the two lowest bits are O_RDONLY (0), O_WRONLY or O_RDWR.
      return (Number.parseInt(flags ?? '0', 8) & 3) !== 0;
    } catch {
      return false;
    }
  });
}
