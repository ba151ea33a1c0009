import { join, parse } from 'node:path';
import type { CheckResult } from '../../check/result-schema.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/shown-text.ts';
import { inOne, type KnownAccount, type MissingAccount } from '../accounts/each-account.ts';
import type { App } from '../app.ts';
import {
  type Basis,
  type Checked,
  type CheckListener,
  type CheckOptions,
  type CheckOutcome,
  checkAndTell,
  checkBy,
  withBasis,
} from './run-check.ts';

/** Checks of several accounts, and the accounts that could not be looked at. */
export interface CheckOutcomes {
  readonly checks: readonly CheckOutcome[];
  readonly missing: readonly MissingAccount[];
}

/**
 * As `runCheck`, of each of the person's accounts where they named all; one after the other, and each with a report of its
 * own. One that can't be looked at is named, and the others are checked.
 * @param told is given all results, before any is remembered
 * @throws {TradeAgentError} as `runCheck`; `broker_unreachable` where none could be looked at
 */
export async function runChecks(
  app: App,
  options: CheckOptions,
  listener: Omit<CheckListener, 'told'>,
  told: (results: readonly CheckResult[], missing: CheckOutcomes['missing']) => void | Promise<void>,
): Promise<CheckOutcomes> {
  return await withBasis(app, options, (basis) => checksBy(app, options, listener, told, basis));
}

/** As {@link runChecks}, by what they go by. */
export async function checksBy(
  app: App,
  options: CheckOptions,
  listener: Omit<CheckListener, 'told'>,
  told: (results: readonly CheckResult[], missing: CheckOutcomes['missing']) => void | Promise<void>,
  basis: Basis,
): Promise<CheckOutcomes> {
  if (!app.ofAll) {
    const one = { ...listener, told: (result: CheckResult) => told([result], []) };
    return { checks: [await checkBy(app, options, one, basis)], missing: [] };
  }
  const checked: Checked[] = [];
  const missing: MissingAccount[] = [];
  for (const entry of await app.accounts()) {
    const one = await inOne(app, entry, (own, at) => checkIn(own, at, options, listener, basis));
    if ('at' in one) checked.push(one.value);
    else missing.push(one);
  }
  if (checked.length === 0) throw noneLookedAt(missing);
  const checks = checked.map(({ outcome }) => outcome);
  await told(
    checks.map(({ result }) => result),
    missing,
  );
  for (const { remember } of checked) await remember();
  return { checks, missing };
}

/** Of one of several accounts, with the agent and the report of that one. */
async function checkIn(
  own: App,
  { account, broker, label }: KnownAccount,
  { report, ...options }: CheckOptions,
  listener: Omit<CheckListener, 'told'>,
  basis: Basis,
): Promise<Checked> {
  try {
    const file = report === undefined ? {} : { report: reportOf(report, account) };
    return await checkAndTell(own, { ...options, ...file }, listener, { ...basis, at: { broker, label } });
  } finally {
    await own.close();
  }
}

/** `report.html` as `report.PA3ALICE01.html` */
function reportOf(path: string, account: string): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${account.replace(/[^\w-]/g, '_')}${ext}`);
}

function noneLookedAt(missing: readonly MissingAccount[]): TradeAgentError {
  const why = missing.map(({ label, message }) => `${safeLine(label)}: ${safeLine(message)}`).join('; ');
  return new TradeAgentError('broker_unreachable', `no account could be looked at (${why})`, {
    hint: 'Try again in a moment; "trade-agent accounts" lists yours.',
  });
}
