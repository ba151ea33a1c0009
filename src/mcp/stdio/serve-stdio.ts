import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { McpCaller } from '../mcp-caller.ts';
import { createAccountQuestions } from '../server/account-questions.ts';
import { createMcpServer } from '../server/mcp-server.ts';
import { type McpServerOptions, RESPONSE_HOLD_MS } from '../server/server-options.ts';

interface StdioOptions extends Omit<McpServerOptions, 'accounts' | 'holdMs' | 'run'> {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly signal: AbortSignal;
}

/** Serves one client until it disconnects or the signal aborts. The client's proposals remain open. */
export async function serveMcpStdio(
  callerOf: () => Promise<McpCaller>,
  { stdin, stdout, signal, ...options }: StdioOptions,
): Promise<void> {
  const run = randomUUID();
  const server = { ...options, run, holdMs: RESPONSE_HOLD_MS, accounts: createAccountQuestions() };
  const gone = Promise.race([
    once(stdin, 'end', { signal }),
    once(stdin, 'close', { signal }),
    once(stdout, 'close', { signal }),
  ]).catch(() => undefined);
  const handle = serveStdio(async (context) => createMcpServer(await callerOf(), context, server), {
    transport: new StdioServerTransport(stdin, stdout),
  });
  await gone;
  await handle.close();
}
