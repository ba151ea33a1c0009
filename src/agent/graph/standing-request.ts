import { TradeAgentError } from '../../errors/errors.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import {
  readStandingRequest,
  type StandingAsked,
  standingCommand,
  standingExpiry,
} from '../../tools/place-standing-order.ts';
import { DEFAULT_DAYS, withStandingLimits } from '../../tools/standing-limits.ts';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { sharePrice } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import type { MandateRequestInput } from '../../trading/mandate/envelope.ts';
import { isRecurring, type Standing } from '../../trading/mandate/standing.ts';
import type { Provenance } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import { understand } from '../planner/conversation.ts';
import type { ProposalGraphValue } from './agent-state.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { type StandingProvenance, standingWords } from './standing-words.ts';

const LIMITS = 'the orders it places';

/**
 * A mandate for orders the gateway places by itself. Nobody watches those, so it is proposed only if every field is in
 * the person's own words or a default, and never once outside text is in the conversation. Otherwise the error's hint
 * has the command that the person can type.
 * @throws {TradeAgentError} `blocked` if it is not the person's own; `invalid_order`, `usage` if unreadable or
 * ambiguous; whatever the gateway's reads throw
 */
export async function standingRequest(
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
  const asked = readStandingRequest(args);
  const now = clock.now();
  const { standing, end } = asked;
  const refuse = (why: string): TradeAgentError =>
    new TradeAgentError('blocked', `${why}: no standing order is proposed`, {
      hint: `If it is what you want, type it yourself: ${standingCommand(asked, now, account?.account)}`,
    });
  const heard = tainted ?? [];
  if (heard.length > 0)
    throw refuse(`this conversation has taken in text from outside (${heard.join(', ')})`);
  if (facts.composedBy !== undefined) throw refuse(`it was put together by ${facts.composedBy}`);
  const said = model.builtin ? facts.said.map((_, at) => accepted(facts.said.slice(0, at + 1))) : facts.said;
  const words = standingWords({ standing, end, account, said, names: facts.names, now });
  const unsaid = Object.entries(words.fields).find(([, { source }]) => source === 'other')?.[0];
  if (unsaid !== undefined) throw refuse(`you have not said ${fieldWords[unsaid] ?? unsaid} like this`);
  await requireAhead(gateway, standing);
  const expires = standingExpiry(end, now);
  const mandate = (await withStandingLimits(gateway, now, {
    ...(account === undefined ? {} : { account: account.account }),
    environment: profile.environment,
    standing,
    ...defined({ expires_at: expires }),
  })) as MandateRequestInput;
  return { mandate, provenance: provenanceOfMandate(mandate, asked, words) };
}

const fieldWords: Readonly<Record<string, string>> = {
  account: 'which account it is in',
  symbol: 'its symbol',
  side: 'whether to buy or sell',
  qty: 'the number of shares',
  notional: 'the amount',
  type: 'the kind of order',
  limit_price: 'the limit price',
  when: 'when it is to be placed',
  at: 'the time of the day',
  end: 'when it is to end',
};

/** A "yes" to the planner's question stands for the sentence it asked about. */
function accepted(turns: readonly string[]): string {
  return understand(turns).accepted ?? turns.at(-1) ?? '';
}

/** A price that was already crossed would fire at once. @throws {TradeAgentError} `usage` with a question */
async function requireAhead(
  gateway: Pick<GatewayClient, 'quotes'>,
  { order, when }: Standing,
): Promise<void> {
  if (isRecurring(when)) return;
  const [quote] = await gateway.quotes([order.symbol]);
  if (quote === undefined || !new Dec(quote.last).gt(0)) return;
  const isCrossed =
    when.price === 'below' ? new Dec(quote.last).lt(when.at) : new Dec(quote.last).gt(when.at);
  if (!isCrossed) return;
  throw new TradeAgentError(
    'usage',
    `${order.symbol} is ${when.price} ${sharePrice(when.at)} already, at ${sharePrice(quote.last)}: do you want to ${order.side} now?`,
    { hint: 'Then leave the condition out. Or name a price that it has still to cross.' },
  );
}

function provenanceOfMandate(
  mandate: MandateRequestInput,
  { end }: StandingAsked,
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
    standing: isAllSaid
      ? { source: 'user' }
      : { source: 'computed', from: 'your words; 10:00 where no time is said' },
    expires_at:
      end === undefined
        ? { source: 'computed', from: `${DEFAULT_DAYS} days where no end is said` }
        : { source: 'user' },
  };
  return {
    fields: Object.fromEntries(
      Object.keys(mandate).map((name) => [name, own[name] ?? { source: 'computed', from: LIMITS }]),
    ),
    ...defined({ sentence }),
  };
}
