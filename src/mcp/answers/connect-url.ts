import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { McpCaller } from '../mcp-caller.ts';

/** Adds the URL to the error, for clients that can't open a URL but can show the error to the user. */
export async function withConnectUrl(error: unknown, caller: McpCaller): Promise<unknown> {
  const address = await connectUrl(error, caller);
  if (address === undefined || !isTradeAgentError(error)) return error;
  const { code, message, hint, details } = error;
  return new TradeAgentError(code, message, {
    hint: `${hint === undefined ? '' : `${hint} `}Or ask the user to open ${address} and sign in there, then try again.`,
    details,
  });
}

/** Returns the URL where the missing account can be connected. Undefined for other errors, and if there is no URL. */
export async function connectUrl(error: unknown, caller: McpCaller): Promise<string | undefined> {
  if (!isTradeAgentError(error) || error.code !== 'connection_required') return undefined;
  const { connection } = error.details;
  // If the URL can't be determined, the caller gets the original error.
  return typeof connection === 'string' ? await caller.connectAddress?.(connection).catch(() => undefined) : undefined;
}
