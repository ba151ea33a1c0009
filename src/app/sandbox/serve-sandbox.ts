import { CONNECT_PATH } from '../../home/identity-provider/protocol/protocol.ts';
import { createMcpMount } from '../../mcp/http/mcp-mount.ts';
import type { SandboxReadyInfo } from '../../sandbox/ready-file.ts';
import { type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import type { App } from '../app.ts';
import { serve } from '../serve.ts';
import { version } from '../version.ts';

export interface ServeSandboxOptions extends Omit<SandboxOptions, 'clock' | 'mounts' | 'onError'> {
  /** Idle time in milliseconds after which the sandbox exits. */
  readonly idleExitMs?: number;
  readonly ready: (ready: SandboxReadyInfo) => Promise<void>;
}

/**
 * Serves a sandbox until the signal aborts or the sandbox has been idle for `idleExitMs`.
 * @throws {TradeAgentError} `busy` if another sandbox uses the folder, `port_in_use`, `invalid_config`
 */
export async function serveSandbox(
  { clock, signal, tell }: Pick<App, 'clock' | 'signal' | 'tell'>,
  { ready, idleExitMs, ...options }: ServeSandboxOptions,
): Promise<void> {
  // Makes SQLite's files private. SQLite's default permissions depend only on the umask.
  process.umask(0o077);
  let idle: ((ms: number) => Promise<void>) | undefined;
  await serve({
    signal,
    ready,
    async open(onClose) {
      const mcp = { version: version(), readOnly: false };
      const sandbox = await startSandbox({
        ...options,
        clock,
        onError: (message) => tell(`sandbox: ${message}`),
        mounts: [createMcpMount({ ...mcp, clock, environment: 'paper', connectPath: CONNECT_PATH })],
      });
      onClose(() => sandbox.close());
      idle = async (ms) => {
        for (;;) {
          const left = sandbox.lastRequestAt() + ms - clock.now();
          if (left <= 0) return;
          await clock.sleep(left, signal);
        }
      };
      return sandbox.ready;
    },
    done: idleExitMs === undefined ? undefined : async () => idle?.(idleExitMs),
  });
}
