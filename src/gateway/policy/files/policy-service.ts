import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, type Pair, parse, parseDocument, stringify, type YAMLMap } from 'yaml';
import type { Approval, Proposer } from '../../../approval/kind.ts';
import type { PlannedPolicyChange, PolicyPorts } from '../../../approval/kinds/policy-change/kind.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { AuditNote } from '../../../store/audit.ts';
import type { GatewayStores } from '../../../store/gateway-stores.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import {
  MAX_CHANGE_LINE_LENGTH,
  MAX_CHANGE_LINES,
  type PolicyChangeRequest,
} from '../../../trading/kinds/policy-change.ts';
import type { PolicyChangeView } from '../../../trading/policy-views.ts';
import type { Account } from '../../../trading/views.ts';
import type { Broker } from '../../broker/broker.ts';
import { requireAllowedAction } from '../decide.ts';
import type { DecisionSubject } from '../decision.ts';
import type { KnownAccounts } from '../limited-accounts.ts';
import { type AccountLimits, findAccountLimits, hasLimits, OTHER_ACCOUNTS_KEY, type RulesSource } from '../rules.ts';
import { type ComparedRules, compareRules, describeRuleChanges } from './compare.ts';
import { cedarUnavailableProblem, computeNextRules, type NextRules, parseLimits } from './next-rules.ts';
import { LIMITS_FILE } from './rule-folder.ts';
import {
  digestRules,
  type LoadedRules,
  parseRuleTexts,
  type StoredRules,
  type StoredRulesSource,
} from './rules-source.ts';

interface PolicyDeskOptions {
  readonly rules: StoredRulesSource;
  /** Returns the proposer's account with this number, or the proposer's default account. */
  readonly accountOf: (who: Proposer, account: string | undefined) => Promise<Pick<Account, 'account' | 'environment'>>;
  /** Writes an entry to the audit log. */
  readonly note: (note: AuditNote, now: number) => Promise<void>;
  readonly clock: Clock;
}

export interface PolicyService extends PolicyPorts {
  /**
   * Changes the rules immediately if the change allows nothing new.
   * @throws {HttpProblem} for the same reasons as `plan`; 403 `policy_denied` with reason `APPROVAL_MISSING` if the
   * change needs approval
   */
  tighten(who: Proposer, request: PolicyChangeRequest): Promise<PolicyChangeView>;
}

/*
 * Several gateways that share a database may change the rules at the same time, and people edit files by hand. A change
 * names the digest of the rules that it applies to, and is written only if the rules still have that digest. An
 * approved change also names the digest of the resulting rules, and is written only if it produces them. The rules are
 * read again before each decision (rules-source.ts).
 */

export function createPolicyService(options: PolicyDeskOptions): PolicyService {
  const { rules, clock } = options;
  return {
    async plan(who, request) {
      const planned = await plan(options, who, request);
      const { account, before, changes, rules: after } = planned;
      requireOwnRecipient(planned, who);
      if (changes.length === 0) throw unchanged('the change only tightens the rules: send it with PUT');
      const by = { ...of(who), approval: 'none', approvers: [] } as const;
      // Evaluates the rules, because they may forbid changes through the gateway. A firm's rules may do so.
      requireAllowedAction(before, by, 'change_policy', account, clock.now());
      const subject: PlannedPolicyChange = {
        account: account.account,
        environment: account.environment,
        previous: before.digest,
        digest: after.digest,
        changes: [...changes],
        limits: plainLimits(planned.limits ?? findAccountLimits(before.written.limits, account.account)),
        policies: request.policies ?? {},
      };
      requireDisplayable(subject);
      return subject;
    },
    apply: (change, owner) => apply(options, change, owner),
    digest: async () => (await rules.current()).digest,
    tighten: (who, request) => tighten(options, who, request),
  };
}

function of(who: Proposer | Approval): Pick<DecisionSubject, 'sub' | 'client' | 'owner' | 'membership'> {
  const { sub, clientId = '' } = who;
  const { membership } = 'membership' in who ? who : ((who as Approval).proposer ?? {});
  return { sub, client: clientId, owner: sub, membership };
}

async function plan(
  { rules, accountOf }: PolicyDeskOptions,
  who: Proposer,
  { account: named, base, limits, policies = {} }: PolicyChangeRequest,
) {
  const account = await accountOf(who, named);
  const before = await rules.current();
  requireSound(before, account.account);
  if (before.digest !== base) throw stale();
  const wanted = limits === undefined ? undefined : parseLimits(limits);
  const next = await computeNextRules(rules.store.folder, before, {
    account: account.account,
    limits: wanted,
    policies,
  });
  if (next.rules.digest === before.digest) throw unchanged('the change leaves the rules as they are');
  const [was, will] = [toComparedRules(before), toComparedRules(next.rules)];
  const { tighter } = compareRules(was, will);
  return { ...next, before, account, tighter, changes: describeRuleChanges(was, will, account.account) };
}

/** Returns the rules in the form that {@link compareRules} needs. @throws {HttpProblem} 503 if Cedar can't be loaded */
function toComparedRules({ written, cedarRules }: LoadedRules): ComparedRules {
  if (cedarRules === undefined) throw cedarUnavailableProblem();
  return { limits: written.limits, cedarRules };
}

async function tighten(
  options: PolicyDeskOptions,
  who: Proposer,
  request: PolicyChangeRequest,
): Promise<PolicyChangeView> {
  await options.rules.store.recover?.();
  const planned = await plan(options, who, request);
  const { before, tighter, changes, account, rules: after } = planned;
  if (!tighter) throw needsApproval(changes);
  const previous = before.digest;
  const { digest } = after;
  const facts = { sub: who.sub, client: who.clientId, account: account.account, previous, digest };
  const isWritten = await write(options, planned, {
    account: account.account,
    policies: request.policies ?? {},
    note: { event: 'rules_tightened', facts: { ...facts, changes } },
  });
  // If the rules have changed since they were read, starts over with the current rules.
  return isWritten ? { previous, digest, changes: [...changes] } : await tighten(options, who, request);
}

async function apply(options: PolicyDeskOptions, change: PlannedPolicyChange, owner: Approval): Promise<void> {
  const { rules, clock } = options;
  await rules.store.recover?.();
  const before = await rules.current();
  // The change was already written by a process that died before it could report the result.
  if (before.digest === change.digest) {
    await forgetLimitsOfFolder(rules, before);
    return;
  }
  requireSound(before, change.account);
  if (before.digest !== change.previous) throw stale();
  const by = { ...of(owner), approval: 'tap', approvers: [owner.sub], acr: owner.acr } as const;
  requireAllowedAction(before, by, 'change_policy', change, clock.now());
  const { account, policies } = change;
  const next = await computeNextRules(rules.store.folder, before, {
    account,
    limits: parseLimits(change.limits),
    policies,
  });
  if (next.rules.digest !== change.digest) {
    throw new HttpProblem(409, 'details_mismatch', 'the approved change results in different rules than it states', {
      hint: 'Nothing was changed. Propose the change again.',
      fields: ['digest'],
    });
  }
  // If the rules have changed since they were read, starts over with the current rules.
  if (!(await write(options, { ...next, before }, { account, policies }))) await apply(options, change, owner);
}

interface WrittenChange {
  readonly account: string;
  readonly policies: NonNullable<PolicyChangeRequest['policies']>;
  readonly note?: AuditNote;
}

/** Writes the rules, unless they have changed since they were read. @returns whether they were written */
async function write(
  { rules, note: record, clock }: PolicyDeskOptions,
  { before, limits, rules: after }: NextRules & { readonly before: StoredRules },
  { account, policies, note }: WrittenChange,
): Promise<boolean> {
  const { snapshot } = before;
  const text = limits === undefined ? undefined : updateLimitsYaml(snapshot.texts[LIMITS_FILE], account, limits);
  if (text !== undefined) await requireLimits(text, after);
  const isLimited = hasLimits(after.written.limits);
  const texts = {
    ...(text === undefined ? {} : { [LIMITS_FILE]: text }),
    ...Object.fromEntries(Object.entries(policies).map(([name, policy]) => [`policies/${name}`, policy])),
  };
  const change = { texts, isLimited, ...(note === undefined ? {} : { note }) };
  if (!(await rules.store.replace(snapshot.version, change, clock.now(), record))) return false;
  await forgetLimitsOfFolder(rules, after);
  return true;
}

/** Checks that the text of `limits.yaml` contains the limits that are to be written. */
async function requireLimits(text: string, { digest, written: { texts } }: LoadedRules): Promise<void> {
  const { limits } = await parseRuleTexts(undefined, { [LIMITS_FILE]: text });
  if (digestRules({ limits, texts }) === digest) return;
  throw new HttpProblem(500, 'state_corrupt', 'limits.yaml can’t be changed to these limits', {
    hint: 'Change it on the gateway’s machine: edit the file or, if it is in the database, use "trade-agent gateway rules".',
  });
}

/**
 * If no limit is left, records that the owner approved trading without limits: only an approval can loosen rules. A
 * database already records this in the transaction that changes the rules.
 */
async function forgetLimitsOfFolder(rules: StoredRulesSource, { written }: LoadedRules): Promise<void> {
  if (rules.store.folder !== undefined && !hasLimits(written.limits)) await rules.forgetLimits();
}

/**
 * Checks a change that adds a recipient of messages. A person who approves a long change may overlook a recipient in
 * it, so each new recipient needs a separate approval. If the conversation contains outside text, the recipient must be
 * in the owner's own words.
 * @throws {HttpProblem} 422 `invalid_policy`, 403 `policy_denied`
 */
function requireOwnRecipient(
  { before, account, limits, changes }: Awaited<ReturnType<typeof plan>>,
  { origin }: Pick<Proposer, 'origin'>,
): void {
  const { message_recipients: known = [] } = findAccountLimits(before.written.limits, account.account) ?? {};
  const { message_recipients: wanted = known } = limits ?? {};
  if (wanted.every((one) => known.includes(one))) return;
  if (changes.filter((line) => line.startsWith('looser: ')).length > 1) {
    throw new HttpProblem(422, 'invalid_policy', 'a new recipient needs an approval of its own', {
      hint: 'Propose each new recipient alone, and other changes separately.',
      fields: ['limits.message_recipients'],
    });
  }
  const { isOtherAgent = false, provenance } = origin ?? {};
  const { fields, tainted_by: outside = [] } = provenance ?? { fields: {} };
  if (!isOtherAgent && (outside.length === 0 || fields.limits?.source === 'user')) return;
  throw new HttpProblem(403, 'policy_denied', 'the recipient is not in the owner’s own words', {
    hint: 'Add the recipient yourself with "trade-agent policy set message_recipients+=gmail:NAME@DOMAIN".',
    members: { reason: 'PROVENANCE_NOT_OWN_WORDS', reasons: ['PROVENANCE_NOT_OWN_WORDS'], policy: before.digest },
    challenge: {},
  });
}

/** Rejects a change to rules that have errors, because its result would be unknown. */
function requireSound({ problem, limitsProblem }: LoadedRules, account: string): void {
  if (problem === undefined && limitsProblem?.(account) === undefined) return;
  throw new HttpProblem(409, 'invalid_policy', 'the current rules of the gateway are invalid', {
    hint: 'Fix the rules on the gateway’s machine. "trade-agent home doctor", "trade-agent gateway rules" or the gateway’s output shows the error.',
    members: { reason: 'POLICY_INVALID', reasons: ['POLICY_INVALID'] },
  });
}

/** Maximum length of a change as JSON. It is limited because the approval request and its token contain the change. */
const MAX_SUBJECT_LENGTH = 8 * 1024;

/** Rejects a change that is too long for a phone to display in full. @throws {HttpProblem} 422 `invalid_policy` */
function requireDisplayable(subject: PlannedPolicyChange): void {
  const { changes } = subject;
  const fits =
    changes.length <= MAX_CHANGE_LINES &&
    changes.every((line) => line.length <= MAX_CHANGE_LINE_LENGTH) &&
    JSON.stringify(subject).length <= MAX_SUBJECT_LENGTH;
  if (fits) return;
  throw new HttpProblem(422, 'invalid_policy', 'the change is too long for a phone', {
    hint: 'Propose several smaller changes, or change the rules on the gateway’s machine.',
  });
}

/** Returns the limits that are set. */
function plainLimits(limits: AccountLimits = {}): PlannedPolicyChange['limits'] {
  return JSON.parse(JSON.stringify(limits)) as PlannedPolicyChange['limits'];
}

function unchanged(text: string): HttpProblem {
  return new HttpProblem(409, 'rules_unchanged', text, { hint: 'There is nothing to approve.' });
}

function stale(): HttpProblem {
  return new HttpProblem(409, 'rules_stale', 'the rules have changed in the meantime', {
    hint: 'Check the current rules, and base the change on them.',
  });
}

function needsApproval(changes: readonly string[]): HttpProblem {
  return new HttpProblem(403, 'policy_denied', 'this loosens the rules, so it needs the owner’s approval', {
    hint: 'Propose the change: POST /v1/proposals with kind policy_change.',
    members: {
      reason: 'APPROVAL_MISSING',
      reasons: ['APPROVAL_MISSING'],
      kind: 'policy_change',
      changes: [...changes],
    },
    challenge: {},
  });
}

/** Creates the service that changes a gateway's rules. Static rules can't be changed. */
export function createGatewayPolicyService(
  rules: RulesSource,
  {
    audit,
    limits,
    brokerKeys,
    brokers,
    brokerFor,
    clock,
  }: Pick<GatewayStores, 'audit' | 'limits'> &
    KnownAccounts & {
      readonly brokerFor: (who: Proposer, account?: string) => Promise<Pick<Broker, 'account'>>;
      readonly clock: Clock;
    },
): PolicyService {
  if (!isStored(rules)) return fixedRules(rules);
  rules.rememberIn(limits, clock);
  rules.checkAccounts({ brokers, brokerKeys });
  return createPolicyService({
    rules,
    accountOf: async (who, account) => await (await brokerFor(who, account)).account(),
    note: audit.note,
    clock,
  });
}

function isStored(rules: RulesSource): rules is StoredRulesSource {
  return 'store' in rules;
}

function fixedRules(rules: RulesSource): PolicyService {
  const refuse = async () => {
    throw new HttpProblem(404, 'not_found', 'the rules of this gateway can’t be changed remotely');
  };
  return { plan: refuse, apply: refuse, tighten: refuse, digest: async () => (await rules.current()).digest };
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Returns the text of `limits.yaml` with one account's limits replaced. Keeps comments and order where possible. If the
 * limits are equal, the text stays the same.
 * @param text must be valid; undefined if there is no file
 */
export function updateLimitsYaml(text: string | undefined, account: string, limits: Json): string {
  const before = (text === undefined ? undefined : (parse(text) as Json | null)) ?? { version: 1 };
  const accounts = (before.accounts ?? {}) as Readonly<Record<string, Json>>;
  const isFirst = !hasLimits({ version: 1, accounts }) && !Object.hasOwn(accounts, OTHER_ACCOUNTS_KEY);
  const others = isFirst ? { [OTHER_ACCOUNTS_KEY]: {} } : {};
  const after = { ...before, accounts: { ...others, ...accounts, [account]: limits } };
  if (text !== undefined && isDeepStrictEqual(before, after)) return text;
  const document = parseDocument(text ?? 'version: 1\n');
  if (isFirst) changeAccount(document, OTHER_ACCOUNTS_KEY, {});
  changeAccount(document, account, limits);
  const edited = document.toString();
  // The file may contain YAML aliases, so the edit is used only if it parses to the intended limits.
  return isDeepStrictEqual(parse(edited), after) ? edited : stringify(after);
}

function changeAccount(document: Document, account: string, limits: Json): void {
  const accounts = document.get('accounts');
  if (!isMap(accounts)) {
    document.set('accounts', document.createNode({ [account]: limits }));
    return;
  }
  const pair = pairOf(accounts, account);
  if (pair === undefined) accounts.add(document.createPair(account, limits));
  else if (isMap(pair.value)) changeMap(document, pair.value, limits);
  else pair.value = document.createNode(limits);
}

/** Rewrites only the entries that differ, so that comments on other entries are preserved. */
function changeMap(document: Document, map: YAMLMap, values: Json): void {
  for (const { key } of [...map.items]) if (!Object.hasOwn(values, nameOf(key))) map.delete(key);
  for (const [name, value] of Object.entries(values)) {
    const pair = pairOf(map, name);
    if (pair === undefined) map.add(document.createPair(name, value));
    else if (isMap(pair.value) && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      changeMap(document, pair.value, value as Json);
    } else if (!isDeepStrictEqual(plain(pair.value), value)) {
      const node = document.createNode(value);
      const { value: old } = pair as Pair<unknown, { comment?: string | null } | null>;
      if (isScalar(node) && typeof old?.comment === 'string') node.comment = old.comment;
      pair.value = node;
    }
  }
}

/** Finds an entry by name, even if the file has an account's number as a YAML number, not as a string. */
function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find(({ key }) => nameOf(key) === name);
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function plain(node: unknown): unknown {
  const { toJSON } = (node ?? {}) as { toJSON?: () => unknown };
  return typeof toJSON === 'function' ? toJSON.call(node) : node;
}
