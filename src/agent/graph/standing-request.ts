import { TradeAgentError } from '../../errors/errors.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import {
  formatStandingOrderCommand,
  formatStandingOrderExpiry,
  parseStandingOrderRequest,
  type StandingOrderRequest,
} from '../../tools/place-standing-order.ts';
import { DEFAULT_DAYS, withDefaultStandingOrderLimits } from '../../tools/standing-limits.ts';
import { type AccountEntry, matchesAccountName } from '../../trading/account-entry.ts';
import { formatSharePrice } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import type { MandateRequestInput } from '../../trading/mandate/envelope.ts';
import { type MentionedEnd, parseMandateEnd } from '../../trading/mandate/mandate-end.ts';
import {
  DEFAULT_STANDING_ORDER_TIME,
  isRecurring,
  type StandingOrderTerms,
} from '../../trading/mandate/standing-order.ts';
import { orderDefaults } from '../../trading/order-defaults.ts';
import type { Provenance } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import { parseNewestTurn } from '../reader/conversation.ts';
import type { ScheduleMention } from '../reader/intent.ts';
import { findSymbol, type NameSearchResult } from '../reader/symbols-by-name.ts';
import { readSchedules, type TimedUtterance } from '../reader/utterance.ts';
import type { ProposalGraphValue } from './agent-state.ts';
import type { ConversationFacts } from './conversation-facts.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { computeProvenance } from './provenance.ts';

const LIMITS_RULE = 'the orders it places';

/**
 * Returns the mandate request for a standing order. Nobody reviews the orders that a standing order places. A standing
 * order is therefore proposed only if every field is in the person's own words or a default, and the conversation has
 * no text from outside sources. Otherwise, the error's hint contains the command that the person can type.
 * @throws {TradeAgentError} `blocked` if the request is not in the person's own words; `invalid_order`, `usage` if it
 * is unreadable or ambiguous; any error of a request to the gateway
 */
export async function createStandingOrderRequest(
  { profile, clock, model }: Pick<GraphEnvironment, 'profile' | 'clock' | 'model'>,
  gateway: Pick<GatewayClient, 'quotes'>,
  {
    args,
    account,
    facts,
    tainted,
  }: Pick<ProposalGraphValue, 'facts' | 'tainted'> & {
    readonly args: Record<string, unknown>;
    readonly account: (AccountEntry & { readonly account: string }) | undefined;
  },
): Promise<{ mandate: MandateRequestInput; provenance: Provenance }> {
  const asked = parseStandingOrderRequest(args);
  const now = clock.now();
  const { standing, end } = asked;
  const refuse = (why: string): TradeAgentError =>
    new TradeAgentError('blocked', `${why}, so no standing order was proposed`, {
      hint: `If this is what you want, type it yourself: ${formatStandingOrderCommand(asked, now, account?.account)}`,
    });
  const heard = tainted ?? [];
  if (heard.length > 0) throw refuse(`this conversation contains text from outside sources (${heard.join(', ')})`);
  if (facts.composedBy !== undefined) throw refuse(`it was composed by ${facts.composedBy}`);
  const said = model.builtin ? facts.said.map((_, at) => acceptedSentence(facts.said.slice(0, at + 1))) : facts.said;
  const words = standingProvenance({ standing, end, account, said, facts, now });
  const unsaid = Object.entries(words.fields).find(([, { source }]) => source === 'other')?.[0];
  if (unsaid !== undefined) throw refuse(`${fieldNames[unsaid] ?? unsaid} does not match your own words`);
  await requireNotCrossed(gateway, standing);
  const expires = formatStandingOrderExpiry(end, now);
  const mandate = (await withDefaultStandingOrderLimits(gateway, now, {
    ...(account === undefined ? {} : { account: account.account }),
    environment: profile.environment,
    standing,
    ...defined({ expires_at: expires }),
  })) as MandateRequestInput;
  return { mandate, provenance: mandateProvenance(mandate, asked, words) };
}

const fieldNames: Readonly<Record<string, string>> = {
  account: 'the account',
  symbol: 'the symbol',
  side: 'the side',
  qty: 'the number of shares',
  notional: 'the amount',
  type: 'the order type',
  limit_price: 'the limit price',
  when: 'the schedule or price',
  at: 'the time of day',
  end: 'the end date',
};

/** Returns the correction that the newest turn accepted with "yes", or else the newest turn itself. */
function acceptedSentence(turns: readonly string[]): string {
  return parseNewestTurn(turns).accepted ?? turns.at(-1) ?? '';
}

/**
 * Requires that the price has not yet reached the value that the order waits for. Otherwise, the order would be placed
 * immediately.
 * @throws {TradeAgentError} `usage` with a question
 */
async function requireNotCrossed(
  gateway: Pick<GatewayClient, 'quotes'>,
  { order, when }: StandingOrderTerms,
): Promise<void> {
  if (isRecurring(when)) return;
  const [quote] = await gateway.quotes([order.symbol]);
  if (quote === undefined || !new Dec(quote.last).gt(0)) return;
  const isCrossed = when.price === 'below' ? new Dec(quote.last).lt(when.at) : new Dec(quote.last).gt(when.at);
  if (!isCrossed) return;
  throw new TradeAgentError(
    'usage',
    `${order.symbol} is already ${when.price} ${formatSharePrice(when.at)}, at ${formatSharePrice(quote.last)}: do you want to ${order.side} now?`,
    { hint: 'If so, leave out the condition. Otherwise give a price that it has not crossed yet.' },
  );
}

function mandateProvenance(
  mandate: MandateRequestInput,
  { end }: StandingOrderRequest,
  { fields, sentence }: StandingProvenance,
): Provenance {
  const { account, symbol, side, type, at } = fields;
  const isAllSaid = at?.source !== 'default';
  const own: Readonly<Record<string, Provenance['fields'][string] | undefined>> = {
    account,
    symbols: symbol,
    sides: side,
    order_types: type,
    times_in_force: { source: 'default' },
    environment: { source: 'default' },
    standing: isAllSaid ? { source: 'user' } : { source: 'computed', from: 'your words; 10:00 by default' },
    expires_at:
      end === undefined ? { source: 'computed', from: `${DEFAULT_DAYS} days by default` } : { source: 'user' },
  };
  return {
    fields: Object.fromEntries(
      Object.keys(mandate).map((name) => [name, own[name] ?? { source: 'computed', from: LIMITS_RULE }]),
    ),
    ...defined({ sentence }),
  };
}

/*
 * Decides whether a standing order is in the person's own words. provenance.ts decides about the order, and the
 * planner's grammar about its schedule. Words that are not recognized count as not said.
 */

interface StandingUtterance {
  readonly standing: StandingOrderTerms;
  readonly end: MentionedEnd | undefined;
  readonly account?: AccountEntry | undefined;
  readonly said: readonly string[];
  readonly facts: Pick<ConversationFacts, 'names' | 'positions'>;
  readonly now: number;
}

interface StandingProvenance {
  /** The source of each field of the order and its schedule. It is `other` if the person did not specify the field. */
  readonly fields: Provenance['fields'];
  readonly sentence: string | undefined;
}

function standingProvenance({ standing, end, account, said, facts, now }: StandingUtterance): StandingProvenance {
  const { names, positions } = facts;
  const { order, when } = standing;
  const turns = said.map((_, at) => closestSchedule(said.slice(0, at + 1), standing, names));
  const { fields, sentence } = computeProvenance({
    kind: 'order',
    request: order,
    userTurns: said,
    from: 'model',
    taintedBy: [],
    defaults: orderDefaults(order.symbol),
    names,
    positions: new Map(positions.map(({ symbol, ...held }) => [symbol, held])),
  });
  const newest = (about: (when: ScheduleMention) => boolean): ScheduleMention =>
    turns.findLast((turn) => about(turn.when))?.when ?? {};
  const due = newest(({ every, below, above }) => (every ?? below ?? above) !== undefined);
  const { at } = newest((one) => one.at !== undefined);
  const ends = newest((one) => (one.until ?? one.before) !== undefined);
  const dueTurn = turns.findLastIndex(({ when: one }) => one === due);
  const whole = said.at(dueTurn) ?? sentence;
  return {
    fields: {
      ...fields,
      ...accountSource(account, turns.at(dueTurn)?.account),
      when: isSameSchedule(when, due) ? userSource : otherSource,
      ...('every' in when ? { at: timeSource(when.at, at) } : {}),
      ...endSource(end, ends, now),
    },
    sentence: whole,
  };
}

const userSource = { source: 'user' } as const;
const otherSource = { source: 'other', from: 'model' } as const;

function isSameSchedule(when: StandingOrderTerms['when'], said: ScheduleMention): boolean {
  if ('every' in when) return said.every === when.every;
  return Number(said[when.price] ?? Number.NaN) === Number(when.at);
}

/** Returns the source of a time. @param said the newest time that the person named */
function timeSource(at: string, said: string | undefined): Provenance['fields'][string] {
  if (said !== undefined) return said === at ? userSource : otherSource;
  return at === DEFAULT_STANDING_ORDER_TIME ? { source: 'default' } : otherSource;
}

/** Returns the source of the account: the user, if they named the request's account. */
function accountSource(
  account: AccountEntry | undefined,
  called: string | undefined,
): Partial<Record<'account', Provenance['fields'][string]>> {
  if (account === undefined && called === undefined) return {};
  const isSame = account !== undefined && called !== undefined && matchesAccountName(account, called);
  return { account: isSame ? userSource : otherSource };
}

/** Returns the source of the mandate's end: the user, if they named the end that is in the request. */
function endSource(
  end: MentionedEnd | undefined,
  { until, before }: ScheduleMention,
  now: number,
): Partial<Record<'end', Provenance['fields'][string]>> {
  const said = before !== undefined ? { before } : until !== undefined ? { until } : undefined;
  if (end === undefined && said === undefined) return {};
  const isSame = end !== undefined && said !== undefined && parseMandateEnd(end, now) === parseMandateEnd(said, now);
  return { end: isSame ? userSource : otherSource };
}

/** Returns the newest turn's schedule that is most similar to the standing order, or undefined if there is none. */
function closestSchedule(
  turns: readonly string[],
  { order, when }: StandingOrderTerms,
  names: readonly NameSearchResult[] | undefined,
): TimedUtterance {
  const isOwn = (symbol: string | undefined) => symbol !== undefined && isSymbol(symbol, order.symbol, names);
  const likeness = (one: TimedUtterance) =>
    (isSameSchedule(when, one.when) ? 1 : 0) +
    (Number(one.size) === Number(order.notional ?? order.qty) ? 1 : 0) +
    (isOwn(one.symbol) ? 2 : 0);
  // Leaves out schedules of another symbol's orders.
  const [best] = readSchedules(turns)
    .filter(({ symbol }) => symbol === undefined || isOwn(symbol))
    .toSorted((one, two) => likeness(two) - likeness(one));
  return best ?? { when: {} };
}

function isSymbol(said: string, symbol: string, names: readonly NameSearchResult[] = []): boolean {
  return said.toUpperCase() === symbol || findSymbol(said.toLowerCase(), names) === symbol;
}
