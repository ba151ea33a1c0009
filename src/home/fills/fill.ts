import type { StoredProposal } from '../../store/proposal-store.ts';
import { Dec } from '../../trading/decimal.ts';
import { outcomeOrders } from '../../trading/kinds/kind-words.ts';
import { getKindDefinition } from '../../trading/kinds/kinds.ts';
import type { Environment } from '../../trading/order.ts';
import { describeLegOutcome } from '../../trading/order-outcome.ts';
import { subjectAccount } from '../../trading/proposal.ts';
import { isFinalStatus, type OrderLeg } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';

/** A completed order with its total fill. Amounts are decimal strings. */
export interface Fill {
  /** Identifies the order, no matter which proposal reports it. */
  readonly key: string;
  readonly user: string;
  /** Text such as `Bought 5 AAPL at $179.51`. */
  readonly headline: string;
  /** Text such as `PA3ALICE01 at Alpaca`, or only the account number if a person can have just one account. */
  readonly account: string;
  readonly environment: Environment | undefined;
  /** RFC 3339. */
  readonly at: string;
  readonly facts: {
    readonly order_id: string;
    readonly proposal: string;
    readonly account: string | undefined;
    readonly symbol: string;
    readonly side: string;
    readonly qty: string;
    /** Average price in dollars per share. */
    readonly price: string | null;
    readonly status: string;
    readonly mandate_id?: string;
  };
}

/**
 * Returns the fills of a proposal's orders, including bracket legs. An order is reported only in its final state,
 * because an open order with a partial fill may fill further.
 */
export function proposalFills(proposal: StoredProposal): Fill[] {
  const { id, sub, kind, state, subject, result, shows, updatedAt } = proposal;
  if (state !== 'executed' || result === undefined) return [];
  const about = subjectAccount(subject);
  const words = getKindDefinition(kind);
  const mandate = words.mandate?.(subject);
  return outcomeOrders(words.toOutcome(result, subject))
    .flatMap((order): OrderLeg[] => [order, ...(order.legs ?? [])])
    .filter(({ status, filled_qty }) => isFinalStatus(status) && new Dec(filled_qty).gt(0))
    .map((order) => ({
      key: JSON.stringify([sub, about?.account, order.id]),
      user: sub,
      headline: describeLegOutcome(order),
      account: shows.Account ?? about?.account ?? '',
      environment: about?.environment,
      at: order.filled_at ?? new Date(updatedAt).toISOString(),
      facts: {
        order_id: order.id,
        proposal: id,
        account: about?.account,
        symbol: order.symbol,
        side: order.side,
        qty: order.filled_qty,
        price: order.filled_avg_price,
        status: order.status,
        ...defined({ mandate_id: mandate }),
      },
    }));
}
