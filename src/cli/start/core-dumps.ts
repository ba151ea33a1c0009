import { writeFileSync } from 'node:fs';

/**
 * Keeps this process's memory, and so its tokens, out of core dumps, and its children's too: on Linux a process may say
 * which of its memory is ever dumped (core(5), `coredump_filter`), and this one says none. Elsewhere nothing is done.
 */
export function keepMemoryOutOfCoreDumps(platform: NodeJS.Platform = process.platform): void {
  if (platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // A kernel without core dumps, or without /proc: there is nothing to keep out.
  }
}
