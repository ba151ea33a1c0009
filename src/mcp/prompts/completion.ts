import type { CompleteResult, Server } from '@modelcontextprotocol/server';
import { safeLine } from '../../text/sanitize.ts';
import type { McpCaller } from '../mcp-caller.ts';

/** Maximum number of values in one response (MCP, "Completion"). */
const MAX_VALUES = 100;

type Complete = (caller: McpCaller, typed: string) => Promise<readonly string[]>;

const startsWith = (typed: string) => (value: string) => value.toLowerCase().startsWith(typed.toLowerCase());

const completeAccount: Complete = async (caller, typed) => {
  if (!caller.scopes.has('portfolio:read')) return [];
  const accounts = await caller.gateway.accounts();
  return accounts.flatMap((entry) => {
    const names = [entry.account ?? '', entry.label, entry.broker];
    return entry.account !== null && names.some(startsWith(typed)) ? [entry.account] : [];
  });
};

/** Completes a company's name too. Suggests the account's positions before anything is typed. */
const completeSymbol: Complete = async ({ scopes, gateway }, typed) => {
  if (typed === '') return scopes.has('portfolio:read') ? (await gateway.positions()).map(({ symbol }) => symbol) : [];
  return scopes.has('market:read') ? (await gateway.searchAssets(typed)).map(({ symbol }) => symbol) : [];
};

const completeProposalId: Complete = async (caller, typed) => {
  if (!caller.scopes.has('orders:read')) return [];
  const proposals = await caller.gateway.proposals({ state: 'all', limit: MAX_VALUES });
  return proposals.filter((one) => caller.owns(one) && one.id.startsWith(typed)).map(({ id }) => id);
};

/** Completions by the argument of a prompt, or the variable of a resource template. */
const completions: ReadonlyMap<string, Complete> = new Map([
  ['account', completeAccount],
  ['symbol', completeSymbol],
  ['id', completeProposalId],
]);

/**
 * Serves the completion of accounts, symbols and proposal IDs. What the caller may not read is not suggested, and if
 * the gateway can't be reached, nothing is, because a person is typing.
 */
export function serveCompletion(server: Server, caller: McpCaller): void {
  server.setRequestHandler('completion/complete', async ({ params: { argument } }): Promise<CompleteResult> => {
    const complete = completions.get(argument.name);
    const typed = safeLine(argument.value, 64);
    const found = (await complete?.(caller, typed).catch(() => [])) ?? [];
    const all = [...new Set(found)];
    const values = all.slice(0, MAX_VALUES);
    return { completion: { values, total: all.length, hasMore: all.length > values.length } };
  });
}
