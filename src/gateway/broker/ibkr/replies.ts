import { safeLine } from '../../../net/shown-text.ts';
import type { OrderDraft } from '../../../trading/order.ts';

/** "Order Reply Messages": a question that is asked before an order goes to work. */
export interface ReplyMessage {
  readonly id: string;
  readonly message: readonly string[];
  readonly messageIds: readonly string[];
}

/** Whether what the person approved says yes to a message already: they approved how many, and within which price. */
type Covers = (order: OrderDraft) => boolean;

const bounded: Covers = ({ limit_price }) => limit_price !== undefined;
const counted: Covers = ({ qty }) => qty !== undefined;

/**
 * The messages that an approved order may answer ("Suppressible Message IDs"). What is not here is refused: a market order's
 * risks, fractions, cash quantities, others' accounts, whatever is new.
 */
const covered: Readonly<Record<string, Covers>> = {
  /** The price exceeds a percentage of the market's. */
  o163: bounded,
  /** The order is without market data. */
  o354: bounded,
  /** The size exceeds a limit of the account's presets. */
  o383: counted,
  /** It will most likely trigger and fill at once. */
  o403: bounded,
  /** The value exceeds a limit of the account's presets. */
  o451: (order) => bounded(order) && counted(order),
  /** What stop orders may come to: here they have a limit. */
  o10152: bounded,
  o10331: bounded,
  /** The broker may cap the price: it can only be better. */
  o10153: bounded,
  /** The broker may reject it for its price. */
  p12: bounded,
};

/** Whether the approved order answers all that is asked. */
export function coversReply(order: OrderDraft, { messageIds }: ReplyMessage): boolean {
  return (
    messageIds.length > 0 &&
    messageIds.every((id) => Object.hasOwn(covered, id) && covered[id]?.(order) === true)
  );
}

/** What is asked, on one line without markup. */
export function replyText({ message }: ReplyMessage): string {
  return safeLine(message.join(' ').replace(/<[^>]*>/g, ' '), 300);
}
