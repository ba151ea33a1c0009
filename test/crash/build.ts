import { execFileSync } from 'node:child_process';

/** Builds the program with its failpoints, once, before the crash tests. */
export default function setup(): void {
  const root = new URL('../..', import.meta.url).pathname;
  execFileSync(process.execPath, ['scripts/build.mjs', '--failpoints', 'dist-failpoints'], {
    cwd: root,
    stdio: 'inherit',
  });
}
