import { startTimeLimit } from '../../net/time-limit.ts';
import type { GatewayEvent } from '../../tools/gateway/event-requests.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { findSubscribedProposal } from './resources.ts';

/** Maximum number of resources that one session or stream may follow. */
export const MAX_SUBSCRIPTIONS = 20;

/** How long the gateway may take to open its stream of events, in milliseconds. */
const OPEN_TIMEOUT_MS = 10_000;

/**
 * Follows those of the URIs that name the caller's own proposals. Other URIs, and those of other clients' proposals, are
 * left out.
 * @returns after the gateway's events have begun, so that no later change is missed. `updates` ends with the gateway's
 *   stream, for example when the caller's token expires
 * @throws {TradeAgentError} the gateway's refusal
 */
export async function followProposals(caller: McpCaller, uris: readonly string[], signal: AbortSignal) {
  const named = await Promise.all(uris.map(async (uri) => [await findSubscribedProposal(caller, uri), uri] as const));
  const followed = new Map(named.flatMap(([id, uri]): [string, string][] => (id === undefined ? [] : [[id, uri]])));
  if (followed.size === 0) return { uris: [], updates: noUpdates() };
  const events = caller.gateway.events(signal)[Symbol.asyncIterator]();
  const limit = startTimeLimit(OPEN_TIMEOUT_MS, signal);
  try {
    await Promise.race([events.next(), aborted(limit.signal)]);
  } catch (error) {
    void events.return?.();
    throw error;
  } finally {
    limit.end();
  }
  return { uris: [...followed.values()], updates: updatesOf(events, followed) };
}

async function* noUpdates(): AsyncGenerator<string> {}

async function* updatesOf(
  events: AsyncIterator<GatewayEvent>,
  followed: ReadonlyMap<string, string>,
): AsyncGenerator<string> {
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    const uri = next.value.type === 'proposal' ? followed.get(next.value.proposal.id) : undefined;
    if (uri !== undefined) yield uri;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
