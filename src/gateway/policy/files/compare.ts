import { Dec } from '../../../trading/decimal.ts';
import { formatLimitChange, type LimitName, toRecipientChange } from '../../../trading/limit-words.ts';
import type { CedarRule } from '../cedar/rule-text.ts';
import { DEFAULT_DAY_MESSAGES } from '../limit-table.ts';
import { type AccountLimits, findAccountLimits, type Limits, OTHER_ACCOUNTS_KEY } from '../rules.ts';

export interface ComparedRules {
  readonly limits: Limits | undefined;
  readonly cedarRules: readonly CedarRule[];
}

/**
 * Compares rules. A change is tighter if no limit becomes less strict, nothing that was denied becomes allowed, and
 * every rule still forbids for the same reason. Adding a limit is tighter, removing one is looser. If it is uncertain
 * which of two values is stricter, the change counts as looser.
 * @returns whether the change is tighter and therefore needs no approval, and a line for each difference:
 * `max_order_notional 1000 → 2500`
 */
export function compareRules(previous: ComparedRules, next: ComparedRules) {
  const changes = comparedLines(previous, next);
  return { tighter: changes.every(({ tighter }) => tighter), changes: changes.map(({ line }) => line) };
}

function comparedLines(previous: ComparedRules, next: ComparedRules): Change[] {
  const accounts = new Set([
    OTHER_ACCOUNTS_KEY,
    ...Object.keys(previous.limits?.accounts ?? {}),
    ...Object.keys(next.limits?.accounts ?? {}),
  ]);
  return [
    ...[...accounts].flatMap((account) =>
      limitChanges(
        findAccountLimits(previous.limits, account) ?? {},
        findAccountLimits(next.limits, account) ?? {},
      ).map(({ line, tighter }) => ({ tighter, line: account === OTHER_ACCOUNTS_KEY ? line : `${account}: ${line}` })),
    ),
    ...ruleChanges(previous.cedarRules, next.cedarRules),
  ];
}

interface Change {
  readonly line: string;
  readonly tighter: boolean;
}

type Comparison<Value> = (name: string, before: Value | undefined, after: Value | undefined) => Change[];

const NOT_LIMITED = 'not limited';

/** @param keeps whether `after` allows no more than `before` */
function ordered<Value>(
  same: (before: Value, after: Value) => boolean,
  keeps: (before: Value, after: Value) => boolean,
  shown: (value: Value) => string,
): Comparison<Value> {
  return (name, before, after) => {
    if (before === undefined && after === undefined) return [];
    if (before === undefined) {
      return [{ line: `${name} ${NOT_LIMITED} → ${shown(after as Value)}`, tighter: true }];
    }
    if (after === undefined) return [{ line: `${name} ${shown(before)} → ${NOT_LIMITED}`, tighter: false }];
    if (same(before, after)) return [];
    return [{ line: `${name} ${shown(before)} → ${shown(after)}`, tighter: keeps(before, after) }];
  };
}

const amount = (a: string | number, b: string | number) => new Dec(a).comparedTo(b);
const atMost = ordered<string | number>(
  (a, b) => amount(a, b) === 0,
  (a, b) => amount(b, a) <= 0,
  String,
);
const atLeast = ordered<string | number>(
  (a, b) => amount(a, b) === 0,
  (a, b) => amount(b, a) >= 0,
  String,
);
/** Compares values that can't be ranked by strictness, so any change counts as looser. */
const exactly = ordered<string | boolean>(
  (a, b) => a === b,
  () => false,
  String,
);

type Names = readonly string[];
const isSubset = (some: Names, all: Names) => some.every((one) => all.includes(one));
const sameSet = (a: Names, b: Names) => isSubset(a, b) && isSubset(b, a);
const oneOf = ordered<Names>(sameSet, (a, b) => isSubset(b, a), listed);
const noneOf = ordered<Names>(sameSet, (a, b) => isSubset(a, b), listed);

type Hours = NonNullable<AccountLimits['hours']>;
const hours = ordered<Hours>(
  (a, b) => a.zone === b.zone && a.from === b.from && a.to === b.to && sameSet(a.days, b.days),
  (a, b) => a.zone === b.zone && b.from >= a.from && b.to <= a.to && isSubset(b.days, a.days),
  ({ zone, from, to, days }) => `${from} to ${to} on ${days.join(' ')}, ${zone}`,
);

/** Compares recipients one by one. If there is no list, no recipient is known. */
const recipients: Comparison<Names> = (_, before = [], after = []) => [
  ...after
    .filter((one) => !before.includes(one))
    .map((one) => ({ line: toRecipientChange('added', one), tighter: false })),
  ...before
    .filter((one) => !after.includes(one))
    .map((one) => ({ line: toRecipientChange('removed', one), tighter: true })),
];

const comparisons: { readonly [Name in LimitName]: Comparison<NonNullable<AccountLimits[Name]>> } = {
  max_order_notional: atMost,
  max_order_qty: atMost,
  max_day_notional: atMost,
  max_day_orders: atMost,
  max_orders_per_minute: atMost,
  max_open_orders: atMost,
  max_day_loss: atMost,
  max_position_weight: atMost,
  max_price_deviation: atMost,
  min_seconds_between_same: atLeast,
  second_person_above: atMost,
  deny_opposing: exactly,
  own_words: exactly,
  message_recipients: recipients,
  max_day_messages: (name, before = DEFAULT_DAY_MESSAGES, after = DEFAULT_DAY_MESSAGES) => atMost(name, before, after),
  number_matching_above: atMost,
  symbols: (name, before, after) => [
    ...oneOf(`${name}.allow`, before?.allow, after?.allow),
    ...noneOf(`${name}.deny`, before?.deny, after?.deny),
  ],
  asset_classes: oneOf,
  sides: oneOf,
  types: oneOf,
  hours,
  live: (name, before, after) => [
    ...atMost(`${name}.mandate_up_to`, before?.mandate_up_to, after?.mandate_up_to),
    ...atMost(`${name}.second_person_above`, before?.second_person_above, after?.second_person_above),
    ...exactly(`${name}.acr`, before?.acr, after?.acr),
  ],
};

function limitChanges(before: AccountLimits, after: AccountLimits): Change[] {
  const names = Object.keys(comparisons) as LimitName[];
  const compare = <Name extends LimitName>(name: Name) =>
    comparisons[name](
      name,
      before[name] as NonNullable<AccountLimits[Name]> | undefined,
      after[name] as NonNullable<AccountLimits[Name]> | undefined,
    );
  return names.flatMap((name) => compare(name));
}

/** Compares rules by their normalized text. Each line names a rule by its id. */
function ruleChanges(before: readonly CedarRule[], after: readonly CedarRule[]): Change[] {
  const forms = (rules: readonly CedarRule[]) => new Set(rules.map(({ form }) => form));
  const [formsBefore, formsAfter] = [forms(before), forms(after)];
  const gone = before.filter(({ form }) => !formsAfter.has(form));
  const come = after.filter(({ form }) => !formsBefore.has(form));
  const isAmong = (id: string, rules: readonly CedarRule[]) => rules.some((rule) => rule.id === id);
  return [
    ...gone.map(({ id }) => ({
      line: `rule ${id} ${isAmong(id, come) ? 'changed' : 'removed'}`,
      tighter: false,
    })),
    ...come.filter(({ id }) => !isAmong(id, gone)).map(({ id }) => ({ line: `rule ${id} added`, tighter: true })),
  ];
}

function listed(names: Names): string {
  return names.length === 0 ? 'none' : [...names].sort().join(' ');
}

/**
 * Returns lines for people to read, looser changes first: `looser: Maximum per order $1,000.00 → $5,000.00`.
 * @param account lines about this account omit its number
 */
export function describeRuleChanges(previous: ComparedRules, next: ComparedRules, account: string): string[] {
  return comparedLines(previous, next)
    .sort((a, b) => Number(a.tighter) - Number(b.tighter))
    .map(({ line, tighter }) => {
      const own = line.startsWith(`${account}: `) ? line.slice(account.length + 2) : line;
      return `${tighter ? 'tighter' : 'looser'}: ${formatLimitChange(own)}`;
    });
}
