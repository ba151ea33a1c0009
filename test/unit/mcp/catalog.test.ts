import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { listToolsForCaller } from '../../../src/mcp/tools/catalog.ts';
import { MCP_SCOPES } from '../../../src/oauth/scopes.ts';

const all = listToolsForCaller({ scopes: new Set(MCP_SCOPES) }, false);
const named = (...names: string[]) => names.sort();
const names = (scopes: readonly string[], readOnly = false) =>
  listToolsForCaller({ scopes: new Set(scopes) }, readOnly)
    .map(({ name }) => name)
    .sort();

describe('the tools of other people’s agents', () => {
  it.each([
    [[], named('whoami')],
    [
      ['market:read'],
      named(
        'whoami',
        'get_quote',
        'get_bars',
        'market_clock',
        'search_symbols',
        'get_calendar',
        'get_asset',
        'get_news',
        'get_option_contracts',
        'get_corporate_actions',
      ),
    ],
    [['portfolio:read'], named('whoami', 'list_accounts', 'get_portfolio', 'get_watchlist')],
    [['watchlist:write'], named('whoami', 'set_watchlist')],
    [['orders:read'], named('whoami', 'list_orders', 'get_order', 'list_proposals', 'check_approval')],
    [['orders:propose'], named('whoami')],
    [
      ['orders:read', 'orders:cancel'],
      named('whoami', 'list_orders', 'get_order', 'list_proposals', 'check_approval', 'cancel_order'),
    ],
  ])('by %j are %j', (scopes, expected) => {
    expect(names(scopes)).toEqual(expected);
  });

  it('that only read are those that a read-only server has', () => {
    expect(names(MCP_SCOPES, true)).toHaveLength(25);
  });

  it('has findings only where the rules file is at hand', () => {
    expect(names(MCP_SCOPES)).not.toContain('get_findings');
    const ownRules = { findings: async () => ({}) as never, targets: async () => undefined };
    const here = listToolsForCaller({ scopes: new Set(MCP_SCOPES), ownRules }, true).map(({ name }) => name);
    expect(here).toContain('get_findings');
  });

  it('that change the watchlist are no client’s over HTTP', () => {
    expect(names(MCP_SCOPES)).not.toContain('set_watchlist');
  });

  it.each(all.map((tool) => [tool.name, tool] as const))('%s has a strict schema that JSON can say', (_, tool) => {
    const schema = z.toJSONSchema(tool.schema, { io: 'input' });
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(tool.schema.safeParse({ nobody_knows: 1 }).success).toBe(false);
  });
});
