import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
  formatTodayChange,
} from '../trading/amounts.ts';
import { Dec } from '../trading/decimal.ts';
import type { MessageRequest } from '../trading/kinds/message.ts';
import { checkRecipient, type MessageService } from '../trading/message.ts';
import type { Account, Position } from '../trading/views.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { connectionRequiredError } from './gateway/gateway-problem.ts';

/**
 * Composes the text of a summary from the gateway's figures. Only the note is free text, and the person sees it on the
 * phone.
 * @param now epoch milliseconds
 * @throws {TradeAgentError} `invalid_message`, `connection_required`, and the gateway's errors
 */
export async function composeSummary(
  service: MessageService,
  { recipient, note }: { readonly recipient: string; readonly note: string | undefined },
  gateway: GatewayClient,
  now: number,
): Promise<MessageRequest> {
  checkRecipient(service, recipient);
  // Checked first, so that nobody is asked to approve a message that can't be sent.
  if (!(await gateway.isConnected(service))) throw connectionRequiredError(service);
  const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
  return {
    service,
    recipient,
    ...(service === 'gmail' ? { subject: `Portfolio summary of ${new Date(now).toISOString().slice(0, 10)}` } : {}),
    text: formatCompactSummary({ account, positions, now, note }),
  };
}

/** Maximum number of positions in a summary, which people read on a phone. */
const MAX_POSITIONS = 20;

export function formatCompactSummary(summary: {
  account: Account;
  positions: readonly Position[];
  /** Epoch milliseconds. */
  now: number;
  note: string | undefined;
}): string {
  const { account, positions, now, note } = summary;
  const day = account.last_equity === null ? null : new Dec(account.equity).minus(account.last_equity).toFixed(2);
  const sorted = positions.toSorted((a, b) => new Dec(b.market_value).comparedTo(a.market_value));
  const shown = sorted.slice(0, MAX_POSITIONS);
  const more = sorted.length - shown.length;
  return [
    `Portfolio on ${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC (${account.environment} account${account.simulated ? ', simulated prices' : ''})`,
    `Equity ${formatDollarAmount(account.equity)} (${formatTodayChange(day, null)}), cash ${formatDollarAmount(account.cash)}`,
    ...shown.map(
      ({ symbol, qty, current_price, market_value, unrealized_pl, unrealized_plpc }) =>
        `${symbol}: ${formatShares(qty)} at ${formatSharePrice(current_price)} = ${formatDollarAmount(market_value)} (${formatSignedDollars(unrealized_pl)}, ${formatSignedPercent(unrealized_plpc)})`,
    ),
    ...(positions.length === 0 ? ['No positions.'] : []),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(note === undefined ? [] : ['', note]),
  ].join('\n');
}

/** Returns the note of a summary, which starts after the first blank line. */
export function extractNote(text: string): string | undefined {
  const end = text.indexOf('\n\n');
  return end < 0 ? undefined : text.slice(end + 2);
}
