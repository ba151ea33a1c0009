import { lstatSync, readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loadCedar } from '../../gateway/policy/cedar/cedar-engine.ts';
import type { RuleText } from '../../gateway/policy/cedar/rule-text.ts';
import { evaluatePolicy } from '../../gateway/policy/decide.ts';
import type { DecisionFacts, DecisionSubject, PolicyAction } from '../../gateway/policy/decision.ts';
import { compareRules, describeRuleChanges } from '../../gateway/policy/files/compare.ts';
import { buildRules, type LoadedRules, type RuleFileContents } from '../../gateway/policy/files/rules-source.ts';
import {
  type AccountLimits,
  accountLimitsSchema,
  findAccountLimits,
  type Limits,
  limitsSchema,
} from '../../gateway/policy/rules.ts';
import type { PolicyView, RecordedDecision } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';

export type PolicyDiff = Awaited<ReturnType<typeof diffPolicy>>;

const MAX_REPLAYED_DECISIONS = 500;

/**
 * Returns the differences between a file's rules and the active rules. If `replay` is set, also returns the past orders
 * that the file's rules would decide differently, based on the facts recorded for each order. Changes nothing.
 * @throws {TradeAgentError} `invalid_config`, with the line; `login_required`
 */
export async function diffPolicy(app: Pick<App, 'gateway'>, path: string, { replay }: { readonly replay: boolean }) {
  const candidate = await readCandidate(path);
  const gateway = await app.gateway();
  const view = await gateway.policy();
  const before = await compileActiveRules(view);
  const after = await compileCandidateRules(view, candidate);
  const [was, will] = [comparableRules(before), comparableRules(after)];
  const past = replay ? latestPerOrder(await gateway.decisions({ limit: MAX_REPLAYED_DECISIONS })) : [];
  return {
    account: view.account,
    policy: view.digest,
    tighter: compareRules(was, will).tighter,
    changes: describeRuleChanges(was, will, view.account),
    replayed: replay ? past.length : null,
    flips: past.flatMap((decision) => findFlip(decision, before, after) ?? []),
  };
}

function comparableRules({ written, cedarRules = [] }: LoadedRules) {
  return { limits: written.limits, cedarRules };
}

/** Returns the last decision on each order, newest first. Skips decisions that this version can't read. */
function latestPerOrder(decisions: readonly RecordedDecision[]): RecordedDecision[] {
  const seen = new Set<string>();
  return decisions.filter(({ client_order_id: id, facts }) => {
    if (seen.has(id) || !factsSchema.safeParse(facts).success) return false;
    seen.add(id);
    return true;
  });
}

const factsSchema = z.lazy(() =>
  z.looseObject({
    at: z.string(),
    account: z.string(),
    order: z.looseObject({ symbol: z.string(), side: z.enum(['buy', 'sell']), type: z.string() }),
    counted: z.looseObject({ state: z.string() }),
    more: z.looseObject({}),
  }),
);

/** If the new rules would decide a past order differently, returns both decisions and the reasons for a denial. */
function findFlip(recorded: RecordedDecision, before: LoadedRules, after: LoadedRules) {
  const facts = recorded.facts as unknown as DecisionFacts;
  const { sub, client, stage, at, client_order_id: id } = recorded;
  const approved = stage === 'order';
  const subject: DecisionSubject = {
    sub,
    client,
    owner: sub,
    approval: approved ? 'tap' : 'none',
    approvers: approved ? [sub] : [],
  };
  const [was, would] = [before, after].map((rules) =>
    evaluatePolicy(rules, subject, recorded.action as PolicyAction, facts),
  );
  if (was === undefined || would === undefined || (was.effect === 'deny') === (would.effect === 'deny'))
    return undefined;
  const word = (effect: string): 'allow' | 'deny' => (effect === 'deny' ? 'deny' : 'allow');
  return {
    at,
    id,
    order: orderText(facts),
    before: word(was.effect),
    after: word(would.effect),
    reasons: [...(was.effect === 'deny' ? was : would).reasons],
  };
}

/** Describes the order, as in `BUY 5 AAPL limit`. */
function orderText({ order }: DecisionFacts): string {
  if (order === null) return '';
  const { side, qty, notional, symbol, type } = order;
  return `${side.toUpperCase()} ${qty ?? `$${notional ?? '?'} of`} ${symbol} ${type}`;
}

/* The code below evaluates rules on this machine with the gateway's own code. */

const FORMAT_HINT = 'See docs/guide/POLICY.md for the format.';

interface CandidateRules {
  readonly limits: Limits | undefined;
  /** Contents of the rule files, by name. Undefined if the candidate leaves the active rule files unchanged. */
  readonly policies: Readonly<Record<string, string>> | undefined;
  /** Whether the candidate is a folder, which replaces all active rules. */
  readonly whole: boolean;
}

/**
 * Reads `limits.yaml`, a `*.cedar` file, or a folder with `limits.yaml` and `policies/`.
 * @throws {TradeAgentError} `invalid_config`, with the line
 */
async function readCandidate(path: string): Promise<CandidateRules> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return await readFolder(path);
  if (extname(path) === '.cedar') {
    return {
      limits: undefined,
      policies: { [basename(path)]: readRequiredFile(path, 'rules file', FORMAT_HINT) },
      whole: false,
    };
  }
  return { limits: await readLimitsFile(path), policies: undefined, whole: false };
}

/** Reads and validates a limits file. @throws {TradeAgentError} `invalid_config` */
export async function readLimitsFile(file: string): Promise<Limits> {
  return await parseYaml(limitsSchema, readRequiredFile(file, 'limits file', FORMAT_HINT), file);
}

/** Reads a folder's `*.cedar` files, or a single file. @throws {TradeAgentError} `invalid_config` */
export function readPolicyFiles(path: string): Record<string, string> {
  const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const files = isFolder
    ? readdirSync(path)
        .filter((name) => name.endsWith('.cedar'))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return Object.fromEntries(files.map((file) => [basename(file), readRequiredFile(file, 'rules file', FORMAT_HINT)]));
}

async function readFolder(folder: string): Promise<CandidateRules> {
  const names = readdirSync(folder);
  const has = { limits: names.includes('limits.yaml'), policies: names.includes('policies') };
  if (!has.limits && !has.policies) {
    throw new TradeAgentError('invalid_config', `${folder} has neither limits.yaml nor policies/`, {
      hint: FORMAT_HINT,
    });
  }
  return {
    limits: has.limits ? await readLimitsFile(join(folder, 'limits.yaml')) : { version: 1, accounts: {} },
    policies: has.policies ? readPolicyFiles(join(folder, 'policies')) : {},
    whole: true,
  };
}

/** Compiles the active rules of an account. @throws {TradeAgentError} `invalid_config` */
export async function compileActiveRules(view: PolicyView): Promise<LoadedRules> {
  return await compileRules(toWrittenRules(view));
}

/** Compiles the active rules with the candidate's changes. @throws {TradeAgentError} `invalid_config` */
async function compileCandidateRules(view: PolicyView, candidate: CandidateRules): Promise<LoadedRules> {
  const { account } = view;
  const now = toWrittenRules(view);
  const limits =
    candidate.limits === undefined ? now.limits : toLimits(account, findAccountLimits(candidate.limits, account));
  const { policies: changed = {} } = candidate;
  const owners = candidate.whole ? changed : { ...view.policies, ...changed };
  return await compileRules({
    limits,
    texts: [...toRuleTexts('policies', owners), ...toRuleTexts('firm', view.firm)],
  });
}

export async function compileRules(written: RuleFileContents): Promise<LoadedRules> {
  return await buildRules(written, await loadCedar());
}

function toWrittenRules({ account, limits, policies, firm }: PolicyView): RuleFileContents {
  return {
    limits: toLimits(account, parseLimits(limits)),
    texts: [...toRuleTexts('policies', policies), ...toRuleTexts('firm', firm)],
  };
}

/** Rejects limits that this version doesn't know, because ignoring them would report denied orders as allowed. */
function parseLimits(limits: PolicyView['limits']): AccountLimits {
  const parsed = accountLimitsSchema.safeParse(limits);
  if (parsed.success) return parsed.data;
  throw new TradeAgentError('gateway_refused', 'the gateway has limits that this version does not support', {
    hint: 'Install the same version of trade-agent as the gateway.',
  });
}

function toLimits(account: string, limits: AccountLimits | undefined): Limits | undefined {
  return limits === undefined ? undefined : { version: 1, accounts: { [account]: limits } };
}

export function toRuleTexts(origin: 'policies' | 'firm', files: Readonly<Record<string, string>>): RuleText[] {
  return Object.entries(files).map(([file, text]) => ({ origin, file, text }));
}
