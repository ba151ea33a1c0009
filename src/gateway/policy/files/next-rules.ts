import { isDeepStrictEqual } from 'node:util';
import { isTradeAgentError } from '../../../errors/errors.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import type { PolicyChangeRequest } from '../../../trading/kinds/policy-change.ts';
import { defined } from '../../../values/defined.ts';
import { type CedarEngine, loadCedar } from '../cedar/cedar-engine.ts';
import { parseRules, type RuleText } from '../cedar/rule-text.ts';
import {
  type AccountLimits,
  accountLimitsSchema,
  findAccountLimits,
  hasLimits,
  type Limits,
  OTHER_ACCOUNTS_KEY,
} from '../rules.ts';
import { buildRules, type LoadedRules, rulePath } from './rules-source.ts';

interface WantedRules {
  readonly account: string;
  /** Undefined if the limits don't change. */
  readonly limits: AccountLimits | undefined;
  /** New contents by file name; null deletes the file. */
  readonly policies: NonNullable<PolicyChangeRequest['policies']>;
}

export interface NextRules {
  readonly rules: LoadedRules;
  /** Undefined if the limits don't change. */
  readonly limits: AccountLimits | undefined;
}

/**
 * Returns the rules as changed, after the same checks as at startup. Other people's rules do not change, because the
 * change can set limits of this account only, and can change a rule file only if each of its rules is about this
 * account.
 * @param folder the folder with the rule files; undefined if the rules are in a database
 * @throws {HttpProblem} 422 `invalid_policy`, 503 `service_busy` if Cedar can't be loaded
 */
export async function computeNextRules(
  folder: string | undefined,
  before: LoadedRules,
  wanted: WantedRules,
): Promise<NextRules> {
  const { account, policies } = wanted;
  const { limits: all, texts } = before.written;
  const now = findAccountLimits(all, account) ?? {};
  const limits = wanted.limits === undefined || isDeepStrictEqual(wanted.limits, now) ? undefined : wanted.limits;
  const changed = Object.entries(policies).map(([name, text]) => ({
    file: rulePath(folder, `policies/${name}`),
    text,
  }));
  const engine = texts.length === 0 && changed.length === 0 ? undefined : await cedar();
  for (const { file, text } of changed) {
    const old = texts.find((one) => one.file === file);
    const both = [...(old === undefined ? [] : [old]), ...(text === null ? [] : [ruleText(file, text)])];
    for (const one of both) requireOwn(engine as CedarEngine, one, account);
  }
  const written = {
    limits: limits === undefined ? all : withAccount(all, account, limits),
    texts: [
      ...texts.filter(({ file }) => !changed.some((one) => one.file === file)),
      ...changed.flatMap(({ file, text }) => (text === null ? [] : [ruleText(file, text)])),
    ],
  };
  try {
    return { rules: await buildRules(written, engine ?? (await cedar())), limits };
  } catch (error) {
    throw invalidPolicy(error);
  }
}

/** Parses an account's limits. @throws {HttpProblem} 422 `invalid_policy`, with the name of the invalid key */
export function parseLimits(limits: unknown): AccountLimits {
  const parsed = accountLimitsSchema.safeParse(limits);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw new HttpProblem(422, 'invalid_policy', `these limits are invalid: ${path} ${issue?.message ?? ''}`.trim(), {
    hint: 'See docs/guide/POLICY.md for the values of each key.',
    fields: parsed.error.issues.map((one) => ['limits', ...one.path].join('.')),
  });
}

/**
 * Returns all limits, with this account's limits replaced. The entry lists them in full, because an account with an
 * entry inherits nothing from `*`. If there were no limits before, adds an entry `*` without limits, because
 * otherwise the orders of accounts without an entry would be denied.
 */
function withAccount(all: Limits | undefined, account: string, limits: AccountLimits): Limits {
  if (account === OTHER_ACCOUNTS_KEY) throw new HttpProblem(422, 'invalid_policy', '"*" is not an account');
  const isFirst = !hasLimits(all) && !Object.hasOwn(all?.accounts ?? {}, OTHER_ACCOUNTS_KEY);
  const others = isFirst ? { [OTHER_ACCOUNTS_KEY]: {} } : {};
  return { version: 1, ...all, accounts: { ...others, ...all?.accounts, [account]: limits } };
}

function ruleText(file: string, text: string): RuleText {
  return { origin: 'policies', file, text };
}

/** Rejects rules about other accounts, whose owners were not asked. @throws {HttpProblem} 422 `invalid_policy` */
function requireOwn(engine: CedarEngine, text: RuleText, account: string): void {
  let rules: ReturnType<typeof parseRules>;
  try {
    rules = parseRules(engine, [text]);
  } catch (error) {
    throw invalidPolicy(error);
  }
  const other = rules.find(({ form }) => findRuleAccount(form) !== account);
  if (other === undefined) return;
  throw new HttpProblem(422, 'invalid_policy', `the rule "${other.id}" is about more than the account ${account}`, {
    hint: `Write resource == Account::"${account}" in the rule’s scope. Rules for all accounts can be changed only on the gateway’s machine.`,
    members: { rule: other.id },
  });
}

/** Returns the account that a rule's scope (Cedar's `resource ==`) names, if any. */
export function findRuleAccount(form: string): string | undefined {
  const { body } = JSON.parse(form) as {
    body?: { resource?: { op?: string; entity?: { type?: string; id?: string } } };
  };
  const { op, entity } = body?.resource ?? {};
  return op === '==' && entity?.type === 'Account' ? entity.id : undefined;
}

async function cedar(): Promise<CedarEngine> {
  try {
    return await loadCedar();
  } catch {
    throw cedarUnavailableProblem();
  }
}

export function cedarUnavailableProblem(): HttpProblem {
  return new HttpProblem(503, 'service_busy', 'the rules can’t be evaluated at the moment', {
    hint: 'Ask the gateway’s operator to run "trade-agent doctor".',
  });
}

/** Returns an error that names only the file, because the folder's location is private. */
function invalidPolicy(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (!isTradeAgentError(error)) throw error;
  const { message, hint, details } = error;
  const { file, line, column } = details;
  const name = typeof file === 'string' ? (file.split(/[\\/]/).at(-1) ?? '') : '';
  return new HttpProblem(422, 'invalid_policy', typeof file === 'string' ? message.replaceAll(file, name) : message, {
    ...defined({ hint }),
    members: { file: name, line, column },
  });
}
