import { createHash } from 'node:crypto';
import type { RuleFiring } from '../store/check-store.ts';
import { defined } from '../values/defined.ts';
import { memoizePerObject } from '../values/memoize-per-object.ts';
import { fillMessage } from './message.ts';
import type { Observation } from './observation.ts';
import type { Observations } from './observe.ts';
import type { Rule, Severity } from './rules-schema.ts';

export interface Finding {
  readonly rule: string;
  readonly kind: Rule['kind'];
  readonly subject: string;
  readonly severity: Severity;
  readonly message: string;
  readonly facts: Readonly<Record<string, string>>;
  /** RFC 3339 time at which the rule fired. */
  readonly since: string;
  readonly problem?: string;
}

export interface FiredRules {
  readonly findings: readonly Finding[];
  /** Findings that were reported before and are still true. */
  readonly ongoing: readonly Finding[];
  readonly snoozed: readonly Finding[];
  /** Firing states to store. A rule is re-armed for each subject that has no stored state. */
  readonly states: readonly RuleFiring[];
  readonly stateOf: ReadonlyMap<Finding, RuleFiring>;
}

const NOT_SEEN_SUFFIX = ' (not seen)';

const stateKey = (rule: string, subject: string) => `${rule}\n${subject}`;

/**
 * Returns a digest of the parts of a rule that make it fire. Changing other parts, such as the rule's wording or times,
 * does not make the rule fire again.
 */
export const ruleDefinitionDigest = memoizePerObject((rule: Rule): string => {
  const { message: _m, severity: _s, when: _w, snooze: _z, enabled: _e, ...trigger } = rule;
  return createHash('sha256').update(JSON.stringify(trigger)).digest('base64url').slice(0, 16);
});

/** Returns the rule's digest, followed by the limit if the limit is set elsewhere in the file, such as a target. */
function observationDefinition({ rule, limitedBy }: Observation): string {
  const definition = ruleDefinitionDigest(rule);
  return limitedBy === undefined ? definition : `${definition} ${limitedBy}`;
}

/**
 * Makes each rule fire once per subject until it is re-armed. A triggered subject is a finding the first time, ongoing
 * while it stays triggered, and a finding again after it was `clear`. Rules that were skipped keep their state, unless
 * they are disabled or have ended.
 * @param inFile the names of the rules in the checked file; rules of other files keep their state
 */
export function fireRules(
  look: Observations,
  before: readonly RuleFiring[],
  now: number,
  inFile: ReadonlySet<string>,
): FiredRules {
  const known = new Map(before.map((state) => [stateKey(state.rule, state.subject), state]));
  const findings: Finding[] = [];
  const ongoing: Finding[] = [];
  const snoozed: Finding[] = [];
  const states: RuleFiring[] = [];
  const stateOf = new Map<Finding, RuleFiring>();

  const earlierOf = (rule: string, subject: string, definition: string) => {
    const found = known.get(stateKey(rule, subject));
    return found?.definition === definition ? found : undefined;
  };
  const see = (seen: Observation, subject = seen.subject, problem?: string) => {
    const { rule, state } = seen;
    if (state === 'clear') return;
    const definition = observationDefinition(seen);
    const earlier = earlierOf(rule.name, subject, definition);
    if (state === 'between' && earlier === undefined) return;
    const since = earlier?.since ?? now;
    const finding = toFinding(seen, since, problem);
    if (earlier === undefined && now < (rule.snooze ?? now)) return void snoozed.push(finding);
    const remembered = { rule: rule.name, subject, definition, since };
    states.push(remembered);
    if (state === 'between') return;
    if (earlier !== undefined) return void ongoing.push(finding);
    findings.push(finding);
    stateOf.set(finding, remembered);
  };

  for (const observation of look.observations) see(observation);
  for (const { rule, subject, code, text } of look.blind) {
    const say = () => ({ facts: { code }, text: `${text}, so rule "${rule.name}" can't be checked` });
    see({ rule, subject, state: 'triggered', say }, `${subject}${NOT_SEEN_SUFFIX}`, code);
    // The rule could not be checked. An earlier finding may still be true, so the rule keeps its state.
    const fired = known.get(stateKey(rule.name, subject));
    if (fired !== undefined) states.push(fired);
  }
  const skipped = new Set(
    look.skipped.filter(({ reason }) => reason !== 'over' && reason !== 'disabled').map(({ rule }) => rule.name),
  );
  states.push(...before.filter(({ rule }) => skipped.has(rule) || !inFile.has(rule)));
  return {
    findings: findings.sort(compareSeverity),
    ongoing: ongoing.sort(compareSeverity),
    snoozed,
    states,
    stateOf,
  };
}

function toFinding({ rule, subject, say }: Observation, since: number, problem?: string): Finding {
  const { name, kind, severity } = rule;
  const { facts, text } = say();
  const all = { rule: name, severity, ...facts };
  return {
    rule: name,
    kind,
    subject,
    severity,
    message: rule.message === undefined || problem !== undefined ? text : fillMessage(rule.message, all),
    facts,
    since: new Date(since).toISOString(),
    ...defined({ problem }),
  };
}

const rank: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** Sorts the most severe findings first. Findings of the same severity stay in the order of the rules. */
function compareSeverity(a: Finding, b: Finding): number {
  return rank[a.severity] - rank[b.severity];
}
