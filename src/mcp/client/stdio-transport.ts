import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { McpServerConfig } from '../../config/mcp-servers.ts';
import { safeLine } from '../../text/shown-text.ts';
import { defined } from '../../values/defined.ts';

/** Bytes that one message of a server may have, by whichever transport. */
export const LONGEST_MESSAGE = 4 * 1024 * 1024;

/** A server that was told to end, by the end of its input, has this long; milliseconds. */
const END_MS = 500;
/** Of what it wrote to its standard error, so many of the last bytes are kept. */
const KEPT_STDERR = 2048;

/**
 * A server as a child process. It has the variables that are named, beside HOME, LOGNAME, PATH, SHELL, TERM and USER, and
 * none of ours; the owner's home is its folder. Its standard error goes nowhere but into {@link said}.
 */
export class ChildTransport extends StdioClientTransport {
  #stderr = '';

  constructor({ command = '', args = [], env: names = [] }: McpServerConfig, env: NodeJS.ProcessEnv) {
    super({
      command,
      args: [...args],
      env: Object.fromEntries(
        names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name] as string]])),
      ),
      ...defined({ cwd: env.HOME }),
      stderr: 'pipe',
      maxBufferSize: LONGEST_MESSAGE,
    });
    // Read to the end: a child whose pipe is full stands still.
    this.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString('utf8')}`.slice(-KEPT_STDERR);
    });
  }

  /** The last of what it wrote to its standard error, fit to be shown. */
  get said(): string {
    return safeLine(this.#stderr).slice(-300);
  }

  override async close(): Promise<void> {
    const { pid } = this;
    const late = setTimeout(() => {
      if (pid !== null) kill(pid);
    }, END_MS);
    try {
      await super.close();
    } finally {
      clearTimeout(late);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
