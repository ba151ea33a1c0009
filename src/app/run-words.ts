import type { ConnectionView } from '../agent/events.ts';
import { safeLine } from '../text/sanitize.ts';
import { formatDollarAmount } from '../trading/amounts.ts';

/* Texts for a run's events. All chats use the same texts. */

/** Returns whether a tool proposes something. The outcome of such a call is shown with its approval. */
export function isProposalTool(tool: string): boolean {
  return [
    'place_order',
    'place_orders',
    'place_standing_order',
    'close_position',
    'replace_order',
    'cancel_order',
    'send_slack_summary',
    'send_gmail_summary',
  ].includes(tool);
}

/**
 * Formats a tool call as one short line, such as `Look up prices (AAPL)` or `Propose an order (buy 5 AAPL)`. For tools
 * of other MCP servers, shows the tool's name, because such tools have no title.
 */
export function toolCallText({
  name,
  title,
  args,
}: {
  readonly name: string;
  readonly title?: string | undefined;
  readonly args: Record<string, unknown>;
}): string {
  const values = sortArguments(args)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter((value) => ['string', 'number', 'boolean'].includes(typeof value))
    .map((value) => safeLine(String(value)));
  const label = safeLine(title ?? name);
  return values.length === 0 ? label : `${label} (${safeLine(values.join(' '), MAX_ARGUMENTS_LENGTH)})`;
}

const MAX_ARGUMENTS_LENGTH = 50;

/** Sorts a trade's arguments in a fixed order, because models vary it. Other arguments keep their order. */
function sortArguments(args: Record<string, unknown>): unknown[] {
  const first = ['side', 'qty', 'notional', 'symbol', 'order_class', 'type'];
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length);
  return Object.entries(args)
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, value]) => {
      if (name === 'notional') return formatAmount(String(value));
      // For `true`, shows the argument's name, because the value alone says nothing.
      if (value === true) return name.replaceAll('_', ' ');
      const words = legLabels[name];
      return words === undefined ? value : `${words} ${String(value)}`;
    });
}

const legLabels: Readonly<Record<string, string>> = {
  take_profit_limit_price: 'take profit',
  stop_loss_stop_price: 'stop loss',
  stop_loss_limit_price: 'not below',
};

function formatAmount(value: string): string {
  return /^\d{1,15}(\.\d{1,2})?$/.test(value) ? formatDollarAmount(value) : `$${value}`;
}

export function connectionLine({ name, status, command }: ConnectionView): string {
  const account = safeLine(name);
  return {
    needed: `Your account "${account}" is not connected; waiting. In another terminal: ${command}`,
    connected: `${account} is connected`,
    missing: `${account} was not connected in time`,
  }[status];
}

/** Extracts the error message from the result of a failed tool call. */
export function failureMessage(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === 'string') return safeLine(error.message);
  } catch {
    // The text is not JSON.
  }
  return 'failed';
}
