import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Who can still write into the pipe that is standard input: | - `beside`: a program that isn't our ancestor, as in
 * `producer | trade-agent`: it will say something or end.
 * - `above`: only our ancestors (a CI runner, a service, a script's `exec 3<>pipe`), which may leave the pipe open and
 * silent as long as they live.
 * - `unknown`: no pipe (the socket of Node's `spawn`, or an ssh session's), or nobody can be seen.
 */
type PipeWriters = 'beside' | 'above' | 'unknown';

/** From /proc on Linux; elsewhere every pipe counts as one from beside. @param descriptor 0, except in tests */
export function pipeWriters(descriptor = 0, platform: NodeJS.Platform = process.platform): PipeWriters {
  try {
    if (!fstatSync(descriptor).isFIFO()) return 'unknown';
    if (platform !== 'linux') return 'beside';
    const pipe = readlinkSync(`/proc/self/fd/${descriptor}`);
    const above = ancestors();
    const others = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && !above.has(name));
    const group = processOf('self')?.group;
    const isBeside = (pid: string) => {
      const writes = holdsForWriting(pid, pipe);
      // Another user's, as in "sudo producer | trade-agent": told by the shell's process group.
      return writes ?? (group !== undefined && processOf(pid)?.group === group);
    };
    if (others.some(isBeside)) return 'beside';
    return [...above].some((pid) => holdsForWriting(pid, pipe) === true) ? 'above' : 'unknown';
  } catch {
    return 'unknown';
  }
}

function ancestors(): ReadonlySet<string> {
  const found = new Set<string>();
  for (let pid = String(process.pid); pid !== '0' && !found.has(pid); ) {
    found.add(pid);
    pid = processOf(pid)?.parent ?? '0';
  }
  return found;
}

/** proc_pid_stat(5): after the name, which is in parentheses: state, parent, process group. */
function processOf(pid: string): { readonly parent: string; readonly group: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, parent = '0', group = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent, group };
  } catch {
    return undefined;
  }
}

/** Undefined where this user may not look. */
function holdsForWriting(pid: string, pipe: string): boolean | undefined {
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
