import { type AccountEntry, isAccountCalled } from '../../trading/account-entry.ts';
import type { Standing } from '../../trading/mandate/standing.ts';
import { STANDING_TIME } from '../../trading/mandate/standing.ts';
import { endOf, type SaidEnd } from '../../trading/mandate/standing-end.ts';
import { orderDefaults } from '../../trading/order-defaults.ts';
import type { Provenance } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import { withoutAccount } from '../planner/account-named.ts';
import { readingsOf } from '../planner/person-words.ts';
import { clausesOf, writtenOutClauses } from '../planner/sentence.ts';
import { type SaidWhen, type Timed, takeWhen } from '../planner/standing-when.ts';
import { type NameFound, symbolIfNamed } from '../planner/symbols-by-name.ts';
import { NotUnderstood } from '../planner/words.ts';
import { provenanceOf } from './provenance.ts';

/*
 * Decides whether a standing order is the person's own: the order by provenance.ts, its schedule by the planner's
 * grammar. What is not recognized counts as not said.
 */

interface StandingWords {
  readonly standing: Standing;
  readonly end: SaidEnd | undefined;
  readonly account?: AccountEntry | undefined;
  readonly said: readonly string[];
  readonly names?: readonly NameFound[] | undefined;
  readonly now: number;
}

export interface StandingProvenance {
  /** Per field of the order and its schedule; `other` for what nobody said. */
  readonly fields: Provenance['fields'];
  readonly sentence: string | undefined;
}

export function standingWords({
  standing,
  end,
  account,
  said,
  names,
  now,
}: StandingWords): StandingProvenance {
  const { order, when } = standing;
  const turns = said.map((turn) => turnAbout(turn, standing, names));
  const { fields, sentence } = provenanceOf({
    kind: 'order',
    request: order,
    userTurns: turns.map(({ rest }) => rest),
    from: 'model',
    taintedBy: [],
    defaults: orderDefaults(order.symbol),
    ...defined({ names }),
  });
  const newest = (about: (when: SaidWhen) => boolean): SaidWhen =>
    turns.findLast((turn) => about(turn.when))?.when ?? {};
  const due = newest(({ every, below, above }) => (every ?? below ?? above) !== undefined);
  const { at } = newest((one) => one.at !== undefined);
  const ends = newest((one) => (one.until ?? one.before) !== undefined);
  const dueTurn = turns.findLastIndex(({ when: one }) => one === due);
  const whole = said.at(dueTurn) ?? sentence;
  return {
    fields: {
      ...fields,
      ...accountSaid(account, turns.at(dueTurn)?.account),
      when: isDue(when, due) ? user : other,
      ...('every' in when ? { at: timeSaid(when.at, at) } : {}),
      ...endSaid(end, ends, now),
    },
    sentence: whole,
  };
}

const user = { source: 'user' } as const;
const other = { source: 'other', from: 'model' } as const;

function isDue(when: Standing['when'], said: SaidWhen): boolean {
  if ('every' in when) return said.every === when.every;
  return Number(said[when.price] ?? Number.NaN) === Number(when.at);
}

/** @param said the newest time the person named, which must match */
function timeSaid(at: string, said: string | undefined): Provenance['fields'][string] {
  if (said !== undefined) return said === at ? user : other;
  return at === STANDING_TIME ? { source: 'default' } : other;
}

/** An account the person named must not be left out, and none may be added. */
function accountSaid(
  account: AccountEntry | undefined,
  called: string | undefined,
): Partial<Record<'account', Provenance['fields'][string]>> {
  if (account === undefined && called === undefined) return {};
  const isSame = account !== undefined && called !== undefined && isAccountCalled(account, called);
  return { account: isSame ? user : other };
}

/** An end the person named must not be left out, and none may be added. */
function endSaid(
  end: SaidEnd | undefined,
  { until, before }: SaidWhen,
  now: number,
): Partial<Record<'end', Provenance['fields'][string]>> {
  const said = before !== undefined ? { before } : until !== undefined ? { until } : undefined;
  if (end === undefined && said === undefined) return {};
  const isSame = end !== undefined && said !== undefined && endOf(end, now) === endOf(said, now);
  return { end: isSame ? user : other };
}

/** Of several clauses with a schedule, the one most similar to the standing order. */
function turnAbout(turn: string, { order, when }: Standing, names: readonly NameFound[] | undefined): Said {
  const timed = clausesIn(turn).flatMap((clause) => timedIn(clause) ?? []);
  if (timed.length === 0) return { rest: turn, when: {} };
  const likeness = (one: Said) => {
    const said = readingsOf([one.rest], order.symbol, names);
    const size = order.notional ?? order.qty;
    const isSize = said.some(({ numbers }) => numbers.some(({ value }) => Number(value) === Number(size)));
    return (isDue(when, one.when) ? 1 : 0) + (isSize ? 1 : 0) + (said.some(({ symbol }) => symbol) ? 2 : 0);
  };
  // The watched price is that of the ordered symbol.
  const [best] = timed
    .filter(({ of }) => of === undefined || isSymbol(of, order.symbol, names))
    .toSorted((one, two) => likeness(two) - likeness(one));
  return best ?? { rest: '', when: {} };
}

/** Clauses with lists expanded: "every Friday buy $50 of VTI and $30 of BND". */
function clausesIn(turn: string): string[] {
  try {
    return writtenOutClauses(turn);
  } catch (error) {
    if (error instanceof NotUnderstood) return clausesOf(turn);
    throw error;
  }
}

type Said = Timed & { readonly account?: string };

function timedIn(clause: string): Said | undefined {
  if (/\b(?:don['’]?t|do not|never|not|no|stop|cancel|instead of|except|unless)\b/i.test(clause))
    return undefined;
  try {
    const { rest, ...named } = withoutAccount(clause);
    const timed = takeWhen(rest);
    return timed === undefined ? undefined : { ...timed, ...named };
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

function isSymbol(said: string, symbol: string, names: readonly NameFound[] = []): boolean {
  return said.toUpperCase() === symbol || symbolIfNamed(said.toLowerCase(), names) === symbol;
}
