import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { McpCaller } from '../mcp-caller.ts';
import { createAccountQuestions } from '../server/account-questions.ts';
import { createMcpServer } from '../server/mcp-server.ts';
import { type McpServerOptions, RESPONSE_HOLD_MS } from '../server/server-options.ts';
import { createProposalUpdates } from './proposal-updates.ts';

/** Maximum number of `subscriptions/listen` that are open at a time. */
const MAX_STREAMS = 4;

interface StdioOptions extends Omit<McpServerOptions, 'accounts' | 'holdMs' | 'run' | 'subscriptions'> {
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
  const over = new AbortController();
  const updates = createProposalUpdates(callerOf, {
    clock: options.clock,
    signal: AbortSignal.any([signal, over.signal]),
  });
  const { subscriptions } = updates;
  const server = { ...options, run, holdMs: RESPONSE_HOLD_MS, accounts: createAccountQuestions(), subscriptions };
  const gone = Promise.race([
    once(stdin, 'end', { signal }),
    once(stdin, 'close', { signal }),
    once(stdout, 'close', { signal }),
  ]).catch(() => undefined);
  const handle = serveStdio(
    async (context) => {
      const created = createMcpServer(await callerOf(), context, server);
      updates.attach(created, context.era);
      return created;
    },
    {
      transport: updates.observe(new StdioServerTransport(stdin, stdout)),
      maxSubscriptions: MAX_STREAMS,
    },
  );
  await gone;
  over.abort();
  await handle.close();
}
