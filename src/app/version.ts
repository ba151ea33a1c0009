import { readFileSync } from 'node:fs';

/** Returns the version set by the build, or the version in package.json when running from source. */
export function version(): string {
  return process.env.TRADE_AGENT_VERSION ?? sourceVersion();
}

function sourceVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
