// Shared code of the benchmarks: processes of the built program and their measurements.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

export const launcher = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin', 'trade-agent.js');

/** Timeout in milliseconds for anything that a benchmark waits for. */
const LIMIT_MS = 60_000;

export const fastest = (values) => Math.min(...values);
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
export const ended = (child) => new Promise((resolve) => child.once('close', resolve));

/** Whether `script` (util-linux) is available to create a terminal. */
export const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

/** Resolves with the first match in the output of a process. */
export function output(child, pattern) {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (why) => reject(new Error(`${why} before ${pattern}: ${text.slice(-2000)}`));
    const timer = setTimeout(() => fail(`nothing for ${LIMIT_MS / 1000} s`), LIMIT_MS);
    const onData = (chunk) => {
      text += chunk;
      const match = pattern.exec(text);
      if (match === null) return;
      stop();
      resolve(match);
    };
    const onClose = (code) => {
      stop();
      fail(`ended with ${code}`);
    };
    const stop = () => {
      clearTimeout(timer);
      child.stdout.off('data', onData);
      child.stderr?.off('data', onData);
      child.off('close', onClose);
    };
    child.stdout.on('data', onData);
    child.stderr?.on('data', onData);
    child.on('close', onClose);
  });
}

/** Runs `work` with a temporary sandbox and a signed-in user. */
export async function withWorld(work) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-bench-'));
  const readyFile = join(folder, 'ready.json');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    TRADE_AGENT_HOME: join(folder, 'agent'),
    TRADE_AGENT_SANDBOX: readyFile,
  };
  const cli = (args) => spawn(process.execPath, [launcher, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const sandbox = cli(['sandbox', '--home', join(folder, 'sandbox'), '--port', '0', '--ready-file', readyFile]);
  try {
    const deadline = performance.now() + LIMIT_MS;
    while (!existsSync(readyFile)) {
      if (performance.now() > deadline) throw new Error('the sandbox does not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const ready = JSON.parse(readFileSync(readyFile, 'utf8'));
    const secret = readFileSync(join(ready.home, 'pairing-secret'), 'utf8').trim();
    const phone = async (path, body) => {
      const response = await fetch(new URL(path, ready.issuer), {
        method: body ? 'POST' : 'GET',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return response.json();
    };
    const login = cli(['login']);
    const loggedIn = ended(login);
    const [code] = await output(login, /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
    await ended(cli(['phone', 'login', code]));
    await loggedIn;
    return await work({ env, cli, phone });
  } finally {
    const closed = ended(sandbox);
    sandbox.kill('SIGTERM');
    await closed;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts the chat in a terminal. It is quit with Ctrl-D, as a person would. */
export function chatInTerminal(env, args = []) {
  const command = [process.execPath, launcher, ...args].map((word) => `"${word}"`).join(' ');
  const child = spawn('script', ['-qfec', `exec ${command}`, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = ended(child);
  return {
    child,
    async leave() {
      const timer = setTimeout(() => child.kill(), 10_000);
      child.stdin.write('\x04');
      const code = await closed;
      clearTimeout(timer);
      if (code !== 0) throw new Error(`the chat ended with ${code}`);
    },
  };
}
