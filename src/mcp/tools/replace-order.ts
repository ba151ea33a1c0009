import type { z } from 'zod';
import { TradeAgentError } from '../../trading/errors.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { propose, withKey } from './propose.ts';

export const replaceOrder = defineMcpTool({
  name: 'replace_order',
  title: 'Propose to change an order',
  description:
    'Proposes to change an open order: its quantity, prices or time in force, as decimal strings. The owner sees the order as it is and as it would be, and approves or denies it on their phone; nothing changes before.',
  schema: withKey(kinds.replace.requestSchema.unwrap() as z.ZodObject),
  scopes: ['orders:propose', 'orders:read'],
  effect: 'asks',
  async run(call, { idempotency_key, ...changes }) {
    const replace = kinds.replace.requestSchema.parse(changes);
    if (Object.keys(changes).length < 2) {
      throw new TradeAgentError('invalid_order', 'there is nothing to change', {
        hint: 'Give at least one of qty, limit_price, stop_price, trail and time_in_force.',
      });
    }
    return propose(call, { kind: 'replace', replace }, replace, idempotency_key as string | undefined);
  },
});
