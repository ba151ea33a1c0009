import { fileURLToPath } from 'node:url';

/** Returns the path of bin/trade-agent.js, both from the bundle (dist/) and from the source (src/app/). */
export function launcherPath(): string {
  const up = new URL('.', import.meta.url).pathname.endsWith('/src/app/') ? '../../' : '../';
  return fileURLToPath(new URL(`${up}bin/trade-agent.js`, import.meta.url));
}
