import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Who can still write into the pipe that standard input is:
 *
 * - `beside`: a program that none of ours descends from, as in `producer | trade-agent`: it is there to say something, or
 *   it ends, and the pipe with it.
 * - `above`: only what started us, directly or not (a CI job's runner, a service, a script's `exec 3<>pipe`): the pipe was
 *   handed on, and may stay open and silent as long as that lives.
 * - `unknown`: it is no pipe (the socket that Node's `spawn` gives, an ssh session's), or nobody can be seen.
 */
type PipeWriters = 'beside' | 'above' | 'unknown';

/**
 * By what Linux shows under /proc; elsewhere, where nothing shows it, a pipe counts as one from beside.
 * @param descriptor 0, but in tests
 */
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
      // Another user's, as sudo's in "sudo producer | trade-agent": told by the shell's own grouping of a pipeline.
      return writes ?? (group !== undefined && processOf(pid)?.group === group);
    };
    if (others.some(isBeside)) return 'beside';
    return [...above].some((pid) => holdsForWriting(pid, pipe) === true) ? 'above' : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** This process and all it descends from, by their ids. */
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
