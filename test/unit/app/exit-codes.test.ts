import { describe, expect, it } from 'vitest';
import type { RunStatus } from '../../../src/agent/events.ts';
import {
  exitCodeForCheck,
  exitCodeForChecks,
  exitCodeForError,
  exitCodeForRun,
  exitCodeForRuns,
  exitCodeMeanings,
  exits,
} from '../../../src/app/exit-codes.ts';
import { allExitCodeText } from '../../../src/cli/options/help.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';

describe('exit codes', () => {
  it.each([
    ['usage', 2],
    ['invalid_order', 2],
    ['unknown_symbol', 2],
    ['invalid_config', 2],
    ['login_required', 4],
    ['login_expired', 4],
    ['credential_store_locked', 11],
    ['credential_store_unavailable', 11],
    ['approval_pending', 5],
    ['approval_denied', 6],
    ['approval_expired', 7],
    ['blocked', 8],
    ['insufficient_funds', 8],
    ['price_moved', 8],
    ['market_closed', 9],
    ['outcome_unknown', 10],
    ['busy', 12],
    ['provider_unreachable', 1],
    ['timeout', 124],
    ['interrupted', 130],
  ])('maps the error %s to %i', (code, exitCode) => {
    expect(exitCodeForError(code)).toBe(exitCode);
  });

  it.each(['something_new', 'constructor', '__proto__'])(
    'maps an error it does not know (%s) to 1',
    (code) => {
      expect(exitCodeForError(code)).toBe(1);
    },
  );

  it.each([
    ['done', 0],
    ['pending', 5],
    ['denied', 6],
    ['expired', 7],
    ['blocked', 8],
    ['unknown', 10],
    ['failed', 1],
  ] as const)('maps a run that ended %s to %i', (status, exitCode) => {
    expect(exitCodeForRun({ status })).toBe(exitCode);
  });

  it('prefers the error of a run, which is the more exact', () => {
    expect(exitCodeForRun({ status: 'blocked', error: { code: 'market_closed' } })).toBe(9);
    expect(exitCodeForRun({ status: 'pending', error: { code: 'timeout' } })).toBe(124);
  });

  it('lets nothing hide that an order’s outcome is unknown', () => {
    expect(exitCodeForRun({ status: 'unknown', error: { code: 'interrupted' } })).toBe(10);
  });

  it('ends with what must be looked after first, of several runs', () => {
    const denied = { status: 'denied' } as const;
    expect(exitCodeForRuns([])).toBe(0);
    expect(exitCodeForRuns([{ status: 'done' }, denied])).toBe(6);
    expect(exitCodeForRuns([denied, { status: 'failed', error: { code: 'busy' } }])).toBe(12);
    expect(exitCodeForRuns([{ status: 'pending' }, { status: 'unknown' }])).toBe(10);
  });

  it('ends a check by what is gravest: an unknown outcome, its own end, its orders, its report, its findings', () => {
    const running = new AbortController().signal;
    const stopped = AbortSignal.abort(new TradeAgentError('timeout', 'not finished within 10m'));
    const clear = { result: { findings: [] }, runs: [], failure: undefined };
    const found = { ...clear, result: { findings: [{}] } };
    const unwritten = { ...found, failure: { code: 'usage' } };
    const pending = { ...unwritten, runs: [{ status: 'done' }, { status: 'pending' }] as const };
    const unknown = { ...unwritten, runs: [{ status: 'pending' }, { status: 'unknown' }] as const };
    const ends = [clear, found, unwritten, pending, unknown].map((check) => [
      exitCodeForCheck(check, running),
      exitCodeForCheck(check, stopped),
    ]);
    expect(ends).toEqual([
      [0, 124],
      [3, 124],
      [2, 124],
      [5, 124],
      [10, 10],
    ]);
  });

  it('lists every code in the help', () => {
    const help = allExitCodeText();
    for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
      expect(help).toMatch(new RegExp(`^ +${code} +${meaning.replaceAll(/[()]/g, '.')}$`, 'm'));
    }
  });
});

describe('how checks of several accounts end', () => {
  const check = (findings: number, statuses: readonly RunStatus[] = []) => ({
    result: { findings: Array.from({ length: findings }) },
    runs: statuses.map((status) => ({ status, orders: [] })),
    failure: undefined,
  });
  const running = new AbortController().signal;
  it.each<[string, Parameters<typeof exitCodeForChecks>[0], number]>([
    ['nothing found', { checks: [check(0), check(0)], missing: [] }, exits.done],
    ['something found in one', { checks: [check(0), check(2)], missing: [] }, exits.found],
    ['an account that could not be looked at', { checks: [check(0)], missing: [{}] }, exits.found],
    [
      'an order that waits, whatever was found',
      { checks: [check(2), check(0, ['pending'])], missing: [] },
      exits.pending,
    ],
    [
      'an unknown outcome before all',
      { checks: [check(0, ['pending']), check(0, ['unknown'])], missing: [] },
      exits.unknown,
    ],
  ])('%s', (_, outcomes, code) => {
    expect(exitCodeForChecks(outcomes, running)).toBe(code);
  });
});
