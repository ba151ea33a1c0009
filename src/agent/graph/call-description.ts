import { safeLine } from '../../text/sanitize.ts';
import { findTool } from '../../tools/catalog.ts';
import type { ToolCall } from './agent-state.ts';

const MAX_DESCRIPTION_LENGTH = 80;

type Call = Pick<ToolCall, 'name' | 'args'>;

interface NamedOrder {
  /** The side as the model wrote it, in lower case. */
  readonly side: string;
  readonly symbol: string;
}

export function findOrdersInCall({ name, args }: Call): NamedOrder[] {
  const orders = name === 'place_orders' && Array.isArray(args.orders) ? args.orders : [args];
  // Closing a position counts as selling it, because people use both words for it.
  if (name === 'close_position') return findOrdersInCall({ name: 'place_order', args: { ...args, side: 'sell' } });
  if (name !== 'place_order' && name !== 'place_orders') return [];
  return orders.flatMap((order: unknown) => {
    if (typeof order !== 'object' || order === null) return [];
    const { side, symbol } = order as Record<string, unknown>;
    return typeof symbol === 'string' && symbol !== ''
      ? [{ side: String(side ?? '').toLowerCase(), symbol: symbol.toUpperCase() }]
      : [];
  });
}

/** Returns the symbols, order ID or recipient of a proposing call, or undefined for a call that only reads. */
export function callSubject(call: Call): string | undefined {
  const risk = findTool(call.name)?.risk;
  if (risk === undefined || risk === 'read') return undefined;
  const symbols = findOrdersInCall(call).map(({ symbol }) => symbol);
  const { order_id, recipient } = call.args;
  return safeLine(symbols.length > 0 ? symbols.join(' ') : String(order_id ?? recipient ?? ''), MAX_DESCRIPTION_LENGTH);
}

export function describeCall(call: Call): string {
  const { name, args } = call;
  if (name === 'place_order') return safeLine(describeOrderArguments(args), MAX_DESCRIPTION_LENGTH);
  const values = Object.values(args).flatMap((value) =>
    Array.isArray(value)
      ? value.map((one: unknown) =>
          typeof one === 'object' && one !== null ? describeOrderArguments({ ...one }) : String(one),
        )
      : typeof value === 'object'
        ? []
        : [String(value)],
  );
  return safeLine([name, values.join(', ')].join(' ').trim(), MAX_DESCRIPTION_LENGTH);
}

function describeOrderArguments({ side, qty, notional, symbol }: Record<string, unknown>): string {
  const amount = qty ?? (notional === undefined || notional === null ? undefined : `$${notional}`);
  return [side, amount, symbol].filter((word) => word !== undefined && word !== null).join(' ');
}
