import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** Prism stands between a client and a server, and turns every breach of an OpenAPI document into an error. */
const prism = join(resolve(import.meta.dirname, '../..'), 'node_modules/@stoplight/prism-cli/dist/index.js');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Why it can't be started; undefined where it can. */
export const noPrism =
  !process.env.CI && (major < 24 || (major === 24 && minor < 18))
    ? `prism needs Node 24.18, this is ${process.versions.node}`
    : undefined;

const running: ChildProcess[] = [];

/** Starts prism and waits for the address it says it listens on. */
export async function startPrism(spec: string, upstream: string): Promise<string> {
  const child = spawn(
    process.execPath,
    [prism, 'proxy', spec, upstream, '--errors', '--host', '127.0.0.1', '--port', '0'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, NO_COLOR: '1' } },
  );
  running.push(child);
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    said += `${line}\n`;
    const [, address] = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line) ?? [];
    if (address !== undefined) {
      child.stdout.resume(); // or it stops when the pipe is full
      return address;
    }
  }
  throw new Error(`prism ended before it listened: ${said.slice(-2000)}`);
}

export async function stopPrisms(): Promise<void> {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
}
