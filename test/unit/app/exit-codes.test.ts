import { describe, expect, it } from 'vitest';
import { exitCodeForError, exitCodeForRun, exitCodeMeanings } from '../../../src/app/exit-codes.ts';
import { allExitCodes } from '../../../src/cli/options/help.ts';

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

  it('lists every code in the help', () => {
    const help = allExitCodes();
    for (const [code, meaning] of Object.entries(exitCodeMeanings)) {
      expect(help).toMatch(new RegExp(`^ +${code} +${meaning.replaceAll(/[()]/g, '.')}$`, 'm'));
    }
  });
});
