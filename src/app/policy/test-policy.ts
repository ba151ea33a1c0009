import { dirname, resolve } from 'node:path';
import { readNamedFile } from '../../config/named-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { decide } from '../../gateway/policy/decide.ts';
import type { ReadRules } from '../../gateway/policy/files/rules-source.ts';
import { limitsSchema } from '../../gateway/policy/limits.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { factsOf, type PolicyCase, policyCasesSchema } from './policy-cases.ts';
import { readLimitsFile, readPolicies, rulesHere, rulesOf, texts } from './rules-here.ts';

/** How one case came out. */
export interface TestedCase {
  readonly name: string;
  readonly ok: boolean;
  readonly effect: 'allow' | 'ask' | 'deny';
  readonly reasons: readonly string[];
  readonly expected: { readonly effect: 'allow' | 'ask' | 'deny'; readonly reasons?: readonly string[] };
}

export interface TestedPolicy {
  /** Digest of the rules that they were run against. */
  readonly policy: string;
  readonly cases: readonly TestedCase[];
}

/** Where a file names no account. */
const SOME_ACCOUNT = 'TEST';

/**
 * Runs a file of cases: against the rules that it names, with nobody asked; against those in force where it names none.
 * @throws {TradeAgentError} `invalid_config`, with the line; `login_required` where the gateway is asked
 */
export async function testPolicy(app: Pick<App, 'gateway'>, file: string): Promise<TestedPolicy> {
  const text = readNamedFile(file, 'file of cases', 'docs/guide/POLICY.md says what stands in one.');
  const suite = await parseYaml(policyCasesSchema, text, file);
  const { account, rules } = await rulesFor(app, suite, file);
  const named = suite.account ?? account;
  return { policy: rules.digest, cases: suite.cases.map((one) => tested(one, suite.facts, named, rules)) };
}

async function rulesFor(
  app: Pick<App, 'gateway'>,
  { limits, policies }: { readonly limits?: unknown; readonly policies?: string | undefined },
  file: string,
): Promise<{ readonly account: string; readonly rules: ReadRules }> {
  if (limits === undefined && policies === undefined) {
    const view = await (await app.gateway()).policy();
    return { account: view.account, rules: await rulesOf(view) };
  }
  const beside = (path: string) => resolve(dirname(file), path);
  const rules = await rulesHere({
    limits: limits === undefined ? undefined : await limitsOf(limits, beside, file),
    texts: policies === undefined ? [] : texts('policies', readPolicies(beside(policies))),
  });
  return { account: SOME_ACCOUNT, rules };
}

async function limitsOf(limits: unknown, beside: (path: string) => string, file: string) {
  if (typeof limits === 'string') return await readLimitsFile(beside(limits));
  return await parseYaml(limitsSchema, JSON.stringify(limits), `limits of ${file}`);
}

function tested(
  one: PolicyCase,
  general: PolicyCase['facts'],
  account: string,
  rules: ReadRules,
): TestedCase {
  const { name, approval, expect, reasons } = one;
  const subject = {
    ...{ sub: 'owner', client: 'trade-agent', owner: 'owner', approval },
    approvers: approval === 'tap' ? ['owner'] : [],
  };
  const decision = decide(rules, subject, 'place', knownFacts(one, general, account));
  const sameReasons =
    reasons === undefined ||
    (reasons.length === decision.reasons.length &&
      reasons.every((reason) => decision.reasons.includes(reason)));
  return {
    name,
    ok: decision.effect === expect && sameReasons,
    effect: decision.effect,
    reasons: decision.reasons,
    expected: { effect: expect, ...defined({ reasons }) },
  };
}

/** @throws {TradeAgentError} `invalid_config`, naming the case */
function knownFacts(one: PolicyCase, general: PolicyCase['facts'], account: string) {
  try {
    return factsOf(one, general, account);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    const { message, hint } = error;
    throw new TradeAgentError('invalid_config', `case "${one.name}": ${message}`, defined({ hint }));
  }
}
