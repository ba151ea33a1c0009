import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { McpServerConfig } from '../../config/mcp-servers.ts';
import { safeLine } from '../../text/shown-text.ts';
import { defined } from '../../values/defined.ts';

/** Bytes per message, by any transport. */
export const LONGEST_MESSAGE = 4 * 1024 * 1024;

/** Grace period after closing its input. */
const END_MS = 500;
/** Bytes. */
const KEPT_STDERR = 2048;

/**
 * A server as a child process in the owner's home. Its environment has the named variables and HOME, LOGNAME, PATH,
 * SHELL, TERM, USER. Its stderr goes only into {@link said}.
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
    // A child with a full pipe would block.
    this.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString('utf8')}`.slice(-KEPT_STDERR);
    });
  }

  /** The end of its stderr, sanitized. */
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
  } catch {}
}
