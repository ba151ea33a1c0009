import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, type Pair, parse, parseDocument, stringify, type YAMLMap } from 'yaml';
import { AuditChain } from '../../../approval/audit-chain.ts';
import type { Approval, Proposer } from '../../../approval/kind.ts';
import type { PlannedPolicyChange, PolicyPorts } from '../../../approval/kinds/policy-change/kind.ts';
import { isTradeAgentError } from '../../../errors/errors.ts';
import type { Clock } from '../../../machine/clock.ts';
import { readPrivateFile } from '../../../machine/private-file.ts';
import { withProcessLock } from '../../../machine/process-lock.ts';
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
import { type AccountLimits, findAccountLimits, hasLimits, type RulesSource } from '../rules.ts';
import { type FileContents, finishInterruptedWrite, writeFilesAtomically } from './atomic-write.ts';
import { type ComparedRules, compareRules, describeRuleChanges } from './compare.ts';
import { cedarUnavailableProblem, computeNextRules, type NextRules, parseLimits } from './next-rules.ts';
import type { FolderRulesSource, LoadedRules } from './rules-source.ts';

interface PolicyDeskOptions {
  readonly rules: FolderRulesSource;
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

/** Maximum wait for the lock, in milliseconds. A change holds it only for a few file operations. */
const LOCK_WAIT_MS = 10_000;

/*
 * The rules are read and written under a lock on the folder, because changes are concurrent and people edit the files
 * by hand. A change names the digest of the rules that it applies to. An approved change also names the digest of the
 * resulting rules, and is written only if it produces them. The files are read again before each decision
 * (rules-source.ts).
 */

export function createPolicyService(options: PolicyDeskOptions): PolicyService {
  const { rules, clock, note } = options;
  const alone = <T>(work: () => Promise<T>) => withFolderLock(rules.folder, work);
  return {
    async plan(who, request) {
      const planned = await plan(options, who, request);
      const { account, before, changes, rules: after } = planned;
      if (changes.length === 0) throw unchanged('the change only tightens the rules: send it with PUT');
      const by = { ...of(who), approval: 'none', approvers: [] } as const;
      // Evaluates the rules, because they may forbid changes through the gateway, as a firm's rules may do.
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
    apply: (change, owner) => alone(() => apply(options, change, owner)),
    digest: async () => (await rules.current()).digest,
    tighten: (who, request) =>
      alone(async () => {
        const planned = await plan(options, who, request);
        const { before, tighter, changes, account, rules: after } = planned;
        if (!tighter) throw needsApproval(changes);
        const previous = before.digest;
        const { digest } = after;
        const facts = { sub: who.sub, client: who.clientId, account: account.account, previous, digest };
        // Writes the audit log first, so that no change is made without a record.
        await note({ event: 'rules_tightened', facts: { ...facts, changes } }, clock.now());
        await write(options, planned, account.account, request.policies ?? {});
        return { previous, digest, changes: [...changes] };
      }),
  };
}

function of(who: Proposer | Approval): Pick<DecisionSubject, 'sub' | 'client' | 'owner' | 'membership'> {
  const { sub, clientId = '' } = who;
  const { membership } = 'membership' in who ? who : ((who as Approval).proposer ?? {});
  return { sub, client: clientId, owner: sub, membership };
}

/** Runs `work` while holding the folder's lock, after completing a write that was interrupted. */
async function withFolderLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    const options = { what: 'the rules', waitMs: LOCK_WAIT_MS };
    return await withProcessLock(join(folder, 'policy.lock'), options, async () => {
      writeRules(() => finishInterruptedWrite(folder));
      return await work();
    });
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw new HttpProblem(503, 'service_busy', 'somebody else is changing the rules', {
      hint: 'Try again in a moment.',
      cause: error,
    });
  }
}

/** @throws {HttpProblem} 500 `service_busy` */
function writeRules(write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw new HttpProblem(500, 'service_busy', 'the rules can’t be written at the moment', {
      hint: 'Ask the gateway’s operator to check the disk and the permissions of its folder.',
      cause,
    });
  }
}

async function plan(
  { rules, accountOf }: PolicyDeskOptions,
  who: Proposer,
  { account: named, base, limits, policies = {} }: PolicyChangeRequest,
) {
  const account = await accountOf(who, named);
  const before = await rules.current();
  requireSound(before);
  if (before.digest !== base) throw stale();
  const wanted = limits === undefined ? undefined : parseLimits(limits);
  const next = await computeNextRules(rules.folder, before, { account: account.account, limits: wanted, policies });
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

async function apply(options: PolicyDeskOptions, change: PlannedPolicyChange, owner: Approval): Promise<void> {
  const { rules, clock } = options;
  const before = await rules.current();
  // The change was already written by a process that died before it could report the result.
  if (before.digest === change.digest) {
    if (!hasLimits(before.written.limits)) await rules.forgetLimits();
    return;
  }
  requireSound(before);
  if (before.digest !== change.previous) throw stale();
  const by = { ...of(owner), approval: 'tap', approvers: [owner.sub], acr: owner.acr } as const;
  requireAllowedAction(before, by, 'change_policy', change, clock.now());
  const { account, policies } = change;
  const next = await computeNextRules(rules.folder, before, {
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
  await write(options, next, account, policies);
}

async function write(
  { rules }: PolicyDeskOptions,
  { limits, rules: after }: NextRules,
  account: string,
  policies: NonNullable<PolicyChangeRequest['policies']>,
): Promise<void> {
  const texts: FileContents = {
    ...(limits === undefined ? {} : { 'limits.yaml': updateLimitsYaml(limitsFile(rules.folder), account, limits) }),
    ...Object.fromEntries(Object.entries(policies).map(([name, text]) => [`policies/${name}`, text])),
  };
  writeRules(() => writeFilesAtomically(rules.folder, texts));
  // Only an approval can loosen rules, so if no limit is left, the owner approved trading without limits.
  if (!hasLimits(after.written.limits)) await rules.forgetLimits();
  if ((await rules.current()).digest !== after.digest) {
    throw new HttpProblem(500, 'state_corrupt', 'the rules are not the ones that were just written', {
      hint: 'Somebody changed the rules at the same time. Check them with "trade-agent policy show".',
    });
  }
}

function limitsFile(folder: string): string | undefined {
  return readPrivateFile(
    join(folder, 'limits.yaml'),
    64 * 1024,
    (why) => new HttpProblem(500, 'service_busy', `limits.yaml can't be used: ${why}`),
  );
}

/** Rejects a change to rules that have errors, because its result would be unknown. */
function requireSound({ problem }: LoadedRules): void {
  if (problem === undefined) return;
  throw new HttpProblem(409, 'invalid_policy', 'the current rules of the gateway are invalid', {
    hint: 'Fix the rules on the gateway’s machine. "trade-agent home doctor" or the gateway’s output shows the error.',
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
    hint: 'Propose several smaller changes, or edit the files on the gateway’s machine.',
  });
}

/** Leaves out limits that are not set. */
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

/** Creates the service that changes the rules in the gateway's folder. Static rules can't be changed. */
export function createFolderPolicyService(
  rules: RulesSource,
  {
    auditFile,
    audit,
    limits,
    brokerFor,
    clock,
  }: Pick<GatewayStores, 'audit' | 'limits'> & {
    readonly auditFile: string | undefined;
    readonly brokerFor: (who: Proposer, account?: string) => Promise<Pick<Broker, 'account'>>;
    readonly clock: Clock;
  },
): PolicyService {
  if (!isInFolder(rules)) return fixedRules(rules);
  rules.rememberIn(limits, clock);
  const record = auditFile === undefined ? undefined : new AuditChain(auditFile, audit);
  return createPolicyService({
    rules,
    accountOf: async (who, account) => await (await brokerFor(who, account)).account(),
    note: async (note, now) => {
      await audit.note(note, now);
      await record?.flush();
    },
    clock,
  });
}

function isInFolder(rules: RulesSource): rules is FolderRulesSource {
  return 'folder' in rules;
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
  const after = { ...before, accounts: { ...accounts, [account]: limits } };
  if (text !== undefined && isDeepStrictEqual(before, after)) return text;
  const document = parseDocument(text ?? 'version: 1\n');
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

/** Finds an entry by name. In the file, an account's number may be a YAML number. */
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
