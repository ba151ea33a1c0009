import { basename } from 'node:path';
import type { z } from 'zod';
import { readRequiredFile } from '../../config/required-file.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { findClosestMatch } from '../../text/closest-match.ts';
import type { PolicyChangeRequest } from '../../trading/kinds/policy-change.ts';
import { limitWords } from '../../trading/limit-words.ts';
import type { Proposal, ProposalRequestInput } from '../../trading/proposal.ts';
import type { App } from '../app.ts';

export interface SetPolicyResult {
  /** `pending`: the rules will apply after approval on the phone. `unchanged`: these rules were already active. */
  readonly outcome: 'applied' | 'pending' | 'unchanged';
  readonly account: string;
  readonly previous: string;
  readonly digest: string;
  /** One line per change, such as `looser: Maximum per order $1,000.00 → $5,000.00`. */
  readonly changes: readonly string[];
  readonly proposal?: Proposal;
}

interface PolicyEdit {
  /** Changes in the form `KEY=VALUE`. */
  readonly limits: readonly string[];
  /** Contents of the changed rule files, by name. Null removes a file. */
  readonly policies?: Readonly<Record<string, string | null>>;
}

/**
 * Changes the account's rules. Tighter rules apply immediately. Looser rules need approval.
 * @param ask requests the approval; resolves with the proposal, even if it was not approved
 * @throws {TradeAgentError} `usage` for an unknown limit, `blocked`, `invalid_config` for invalid rules, or the reason
 *   if the change was not approved
 */
export async function setPolicy(
  app: Pick<App, 'gateway'>,
  { limits: pairs, policies = {} }: PolicyEdit,
  ask: (request: ProposalRequestInput) => Promise<Proposal>,
): Promise<SetPolicyResult> {
  const gateway = await app.gateway();
  const before = await gateway.policy();
  const { accountLimitsSchema } = await import('../../gateway/policy/rules.ts');
  const limits = applyLimitChanges(before.limits, pairs, accountLimitsSchema);
  const change: PolicyChangeRequest = {
    base: before.digest,
    ...(pairs.length === 0 ? {} : { limits: limits as NonNullable<PolicyChangeRequest['limits']> }),
    ...(Object.keys(policies).length === 0 ? {} : { policies: { ...policies } }),
  };
  const { account, digest } = before;
  const unchanged = { account, previous: digest, digest };
  try {
    const changed = await gateway.changePolicy(change);
    return { outcome: 'applied', account, ...changed };
  } catch (error) {
    if (isTradeAgentError(error) && error.details.problem === 'rules_unchanged') {
      return { outcome: 'unchanged', ...unchanged, changes: [] };
    }
    if (!isTradeAgentError(error) || error.details.reason !== 'APPROVAL_MISSING') throw error;
  }
  const { base: _, ...said } = change;
  const { typedProvenance } = await import('../approvals/propose-and-wait.ts');
  const provenance = { fields: { ...typedProvenance(said).fields, base: { source: 'default' as const } } };
  const proposal = await ask({
    kind: 'policy_change',
    policy_change: change,
    requested_by: 'policy set',
    provenance,
  });
  if (proposal.kind !== 'policy_change')
    throw new TradeAgentError('internal', 'the gateway returned a different kind of proposal');
  const outcome = proposal.state === 'executed' ? 'applied' : 'pending';
  const now = outcome === 'applied' ? proposal.subject.digest : digest;
  return { outcome, ...unchanged, digest: now, changes: proposal.subject.changes, proposal };
}

type Limits = Readonly<Record<string, unknown>>;

/** Keys within `hours`. These are set one by one, because `hours` itself can't be set. */
const hourKeys = ['hours.zone', 'hours.from', 'hours.to', 'hours.days'];
const settableKeys = [...Object.keys(limitWords).filter((key) => key !== 'hours'), ...hourKeys];

/** The value that removes a limit, as in `max_day_loss=none`. */
const NONE = 'none';

/**
 * Applies `KEY=VALUE` changes with dotted keys. Lists are comma-separated, and `none` removes a limit. `KEY+=VALUE`
 * adds to a list, and `KEY-=VALUE` removes from it.
 * @param schema validates the values
 * @throws {TradeAgentError} `usage`, naming the key and its allowed values
 */
export function applyLimitChanges(limits: Limits, pairs: readonly string[], schema: z.ZodType): Limits {
  let changed = limits;
  for (const pair of pairs) {
    const [, key = '', sign = '', text = ''] = /^([\w.]+)([+-]?)=(.*)$/s.exec(pair) ?? [];
    if (!settableKeys.includes(key)) throw unknownLimit(pair, key);
    if (text === NONE && sign === '') changed = withoutLimit(changed, key);
    else
      changed = withValue(
        changed,
        key,
        sign === '' ? toForms(text) : [toEditedList(changed, key, sign, text)],
        text,
        schema,
      );
  }
  const parsed = schema.safeParse(changed);
  if (parsed.success) return changed;
  const [issue] = parsed.error.issues;
  throw new TradeAgentError(
    'usage',
    `these limits can't be combined: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
    { hint: 'See docs/guide/POLICY.md for the values of each key.' },
  );
}

function toList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Returns the text as a string, a list and, if possible, a number or `true`. The schema accepts at most one form. */
function toForms(text: string): readonly unknown[] {
  return [text, ...(/^\d{1,9}$/.test(text) ? [Number(text)] : []), ...(text === 'true' ? [true] : []), toList(text)];
}

/** Returns the list with items added or removed. A limit that is not set counts as an empty list. */
function toEditedList(limits: Limits, key: string, sign: string, text: string): readonly unknown[] {
  const found = key.split('.').reduce<unknown>((value, name) => (value as Limits | undefined)?.[name], limits);
  const words = toList(text);
  const others = (Array.isArray(found) ? found : []).filter((one) => !words.includes(one));
  return sign === '+' ? [...others, ...words] : others;
}

/** Sets a limit to the first of the given values that the schema accepts. */
function withValue(limits: Limits, key: string, forms: readonly unknown[], text: string, schema: z.ZodType): Limits {
  let complaint = '';
  for (const form of forms) {
    const changed = setAt(limits, key.split('.'), form);
    const parsed = schema.safeParse(changed);
    const own = parsed.success ? undefined : parsed.error.issues.find(({ path }) => isWithin(path, key));
    // Ignores problems with other keys here, because a later `KEY=VALUE` may fix them.
    if (own === undefined) return changed;
    complaint ||= own.message;
  }
  throw new TradeAgentError('usage', `${key} can't be "${text}": ${complaint}`, {
    hint: 'See docs/guide/POLICY.md for the values of each key. "none" removes a limit.',
  });
}

function isWithin(path: readonly PropertyKey[], key: string): boolean {
  return path.map(String).join('.').startsWith(key);
}

function setAt(limits: Limits, [name = '', ...rest]: readonly string[], value: unknown): Limits {
  if (rest.length === 0) return { ...limits, [name]: value };
  return { ...limits, [name]: setAt((limits[name] ?? {}) as Limits, rest, value) };
}

function withoutLimit(limits: Limits, key: string): Limits {
  const [name = '', inner] = key.split('.');
  const { [name]: value, ...rest } = limits;
  if (inner === undefined || value === undefined) return rest;
  const { [inner]: _, ...left } = value as Limits;
  return Object.keys(left).length === 0 ? rest : { ...rest, [name]: left };
}

function unknownLimit(pair: string, key: string): TradeAgentError {
  if (key === '')
    return new TradeAgentError('usage', `"${pair}" is not a limit setting`, {
      hint: 'Write KEY=VALUE, for example: trade-agent policy set max_order_notional=500',
    });
  const nearest = findClosestMatch(key, settableKeys);
  return new TradeAgentError('usage', `there is no limit "${key}"`, {
    hint: `${nearest === undefined ? '' : `Did you mean "${nearest}"? `}Limits: ${settableKeys.join(', ')}.`,
  });
}

/** Reads rule files by name, as the gateway stores them. @throws {TradeAgentError} `invalid_config` */
export function readRuleTexts(files: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    files.map((file) => [
      basename(file),
      readRequiredFile(file, 'rules file', 'See docs/guide/POLICY.md for the format.'),
    ]),
  );
}
