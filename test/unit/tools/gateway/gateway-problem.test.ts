import { expect, it } from 'vitest';
import { exitCodeForError } from '../../../../src/app/exit-codes.ts';
import { gatewayError, toErrorCode } from '../../../../src/tools/gateway/gateway-problem.ts';

const problem = (code: string, members: object) => ({
  ...{ type: `urn:trade-agent:problem:${code}`, title: code, status: 409, code, detail: 'there is no order' },
  ...members,
});

it('an order that nobody sent in time has expired, and one that a rule stopped on its way is blocked', () => {
  expect(toErrorCode('not_placed')).toBe('approval_expired');
  expect(toErrorCode('not_placed', { reason: 'TRADING_HALTED' })).toBe('blocked');
  const late = gatewayError(409, problem('not_placed', {}));
  const stopped = gatewayError(409, problem('not_placed', { reason: 'TRADING_HALTED' }));
  expect([late, stopped].map(({ code }) => exitCodeForError(code))).toEqual([7, 8]);
});

it('a refusal by the rules carries on by which, and what they measured', () => {
  const members = {
    ...{
      reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
      reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER', 'SYMBOL_DENIED'],
    },
    ...{ limit: '900.00', value: '900.01', policy: 'digest of the rules' },
  };
  const error = gatewayError(403, problem('policy_denied', { ...members, secret: 'not a member' }));
  expect(error).toMatchObject({ code: 'blocked', details: members });
  expect(error.details).not.toHaveProperty('secret');
  expect(exitCodeForError(error.code)).toBe(8);
});
