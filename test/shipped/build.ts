import { execFileSync } from 'node:child_process';
import { SHIPPED } from './modules.ts';

/** Builds the sources as they are shipped, once, before the integration tests run on them. */
export default function setup(): void {
  const root = new URL('../..', import.meta.url).pathname;
  execFileSync(process.execPath, ['scripts/build-modules.mjs', SHIPPED], { cwd: root, stdio: 'inherit' });
}
