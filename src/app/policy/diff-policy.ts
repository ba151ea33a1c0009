import { z } from 'zod';
import { decide } from '../../gateway/policy/decide.ts';
import type { Action, Facts, Subject } from '../../gateway/policy/decision.ts';
import { changeLines, compareRules } from '../../gateway/policy/files/compare.ts';
import type { ReadRules } from '../../gateway/policy/files/rules-source.ts';
import type { RecordedDecision } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';
import { readCandidate, rulesOf, rulesWith } from './rules-here.ts';

/** A past order that other rules would have decided otherwise. */
export interface FlippedOrder {
  readonly at: string;
  /** Its client_order_id. */
  readonly id: string;
  readonly order: string;
  readonly before: 'allow' | 'deny';
  readonly after: 'allow' | 'deny';
  /** What stands against it, by whichever rules refuse it. */
  readonly reasons: readonly string[];
}

export interface PolicyDiff {
  readonly account: string;
  /** Digest of the rules in force. */
  readonly policy: string;
  /** Whether nothing becomes possible: such a change takes no tap. */
  readonly tighter: boolean;
  readonly changes: readonly string[];
  /** How many past orders were decided again; null where none was to be. */
  readonly replayed: number | null;
  readonly flips: readonly FlippedOrder[];
}

/** As many decisions as a gateway tells at once. */
const MOST = 500;

/**
 * What a file's rules would change, and with `replay` which past orders: each is decided by the rules in force and by the
 * others, from what was recorded with it. Nothing is changed.
 * @throws {TradeAgentError} `invalid_config`, with the line; `login_required`
 */
export async function diffPolicy(
  app: Pick<App, 'gateway'>,
  path: string,
  { replay }: { readonly replay: boolean },
): Promise<PolicyDiff> {
  const candidate = await readCandidate(path);
  const gateway = await app.gateway();
  const view = await gateway.policy();
  const before = await rulesOf(view);
  const after = await rulesWith(view, candidate);
  const [was, will] = [compared(before), compared(after)];
  const past = replay ? onceEach(await gateway.decisions({ limit: MOST })) : [];
  return {
    account: view.account,
    policy: view.digest,
    tighter: compareRules(was, will).tighter,
    changes: changeLines(was, will, view.account),
    replayed: replay ? past.length : null,
    flips: past.flatMap((decision) => flipOf(decision, before, after) ?? []),
  };
}

function compared({ written, cedarRules = [] }: ReadRules) {
  return { limits: written.limits, cedarRules };
}

/** The last word about each order, newest first; what this version can't read is left out. */
function onceEach(decisions: readonly RecordedDecision[]): RecordedDecision[] {
  const seen = new Set<string>();
  return decisions.filter(({ client_order_id: id, facts }) => {
    if (seen.has(id) || !factsSchema.safeParse(facts).success) return false;
    seen.add(id);
    return true;
  });
}

/** As much as deciding takes; what else there is of each is as the gateway wrote it. */
const factsSchema = z.lazy(() =>
  z.looseObject({
    at: z.string(),
    account: z.string(),
    order: z.looseObject({ symbol: z.string(), side: z.enum(['buy', 'sell']), type: z.string() }),
    counted: z.looseObject({ state: z.string() }),
    more: z.looseObject({}),
  }),
);

function flipOf(recorded: RecordedDecision, before: ReadRules, after: ReadRules): FlippedOrder | undefined {
  const facts = recorded.facts as unknown as Facts;
  const { sub, client, stage, at, client_order_id: id } = recorded;
  const approved = stage === 'order';
  const subject: Subject = {
    ...{ sub, client, owner: sub },
    approval: approved ? 'tap' : 'none',
    approvers: approved ? [sub] : [],
  };
  const [was, would] = [before, after].map((rules) =>
    decide(rules, subject, recorded.action as Action, facts),
  );
  if (was === undefined || would === undefined || (was.effect === 'deny') === (would.effect === 'deny'))
    return undefined;
  const word = (effect: string) => (effect === 'deny' ? 'deny' : 'allow');
  return {
    ...{ at, id, order: orderText(facts) },
    before: word(was.effect),
    after: word(would.effect),
    reasons: [...(was.effect === 'deny' ? was : would).reasons],
  };
}

/** `BUY 5 AAPL limit` */
function orderText({ order }: Facts): string {
  if (order === null) return '';
  const { side, qty, notional, symbol, type } = order;
  return `${side.toUpperCase()} ${qty ?? `$${notional ?? '?'} of`} ${symbol} ${type}`;
}
