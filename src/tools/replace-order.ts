import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { PROPOSE_ORDERS_SCOPE } from '../oauth/scopes.ts';
import { kinds } from '../trading/kinds/kinds.ts';
import type { ReplaceRequest } from '../trading/kinds/replace.ts';
import { accountArgument } from './account-argument.ts';
import { normalizeArguments, parseProposalArguments } from './exact-numbers.ts';
import type { ProposalTool } from './tool.ts';

export const replaceOrder: ProposalTool<z.ZodLazy<z.ZodObject>> = {
  name: 'replace_order',
  title: 'Propose to change an order',
  description:
    'Proposes to change an open order: its quantity, prices or time in force, as decimal strings. The owner sees the order before and after the change, and approves or denies it on their phone; nothing changes before that.',
  schema: z.lazy(() => (kinds.replace.requestSchema.unwrap() as z.ZodObject).extend({ account: accountArgument })),
  scopes: [PROPOSE_ORDERS_SCOPE],
  risk: 'trade',
};

/** Parses a change to an order. @throws {TradeAgentError} `invalid_order` naming the field */
export function parseReplaceRequest(args: Record<string, unknown>): ReplaceRequest {
  const given = normalizeArguments(args);
  const change = parseProposalArguments('change', kinds.replace.requestSchema, given);
  if (Object.keys(given).length < 2) {
    throw new TradeAgentError('invalid_order', 'there is nothing to change', {
      hint: 'Give at least one of qty, limit_price, stop_price, trail and time_in_force.',
    });
  }
  return change;
}
