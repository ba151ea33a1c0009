import { afterAll, vi } from 'vitest';

/*
 * Files of one worker are one process, one after the other: what a file changes of the process (the clock, the console, the
 * umask that a server of the program's sets, the folder for temporary files that the browser takes) is put back at its end.
 */

const umask = process.umask();
const { TMPDIR } = process.env;

afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.umask(umask);
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
});
