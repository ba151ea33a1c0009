import { describe, expect, it } from 'vitest';
import { toApprovalView } from '../../../../src/agent/graph/proposal-view.ts';
import { shortSubjectDetails, subjectFields } from '../../../../src/cli/text/approval-subject.ts';
import type { Proposal } from '../../../../src/trading/proposal.ts';
import { approval } from '../sample-events.ts';

const valuesOf = (one: typeof approval) => subjectFields(one).map(([, value]) => value);

describe('what the AI chose', () => {
  it('is the first thing that the terminal says to look at twice', () => {
    const provenance = {
      fields: { symbol: { source: 'other' }, qty: { source: 'user' }, type: { source: 'default' } },
    };
    const { order: subject, ...rest } = approval;
    const proposal = { ...rest, state: 'requested', subject, warnings: ['It is a large order.'], provenance };
    const view = toApprovalView(proposal as unknown as Proposal, '');
    expect(view.chosen_by_ai).toEqual(['symbol']);
    const warnings = subjectFields(view).filter(([label]) => label === 'warning');
    expect(warnings.map(([, value]) => value)).toEqual([
      'Chosen by the AI, not by you: symbol',
      'It is a large order.',
    ]);
  });

  it('is nothing where all of it is the person’s own', () => {
    const provenance = { fields: { symbol: { source: 'user' } } };
    const proposal = { ...approval, state: 'requested', subject: approval.order, provenance };
    expect(toApprovalView(proposal as unknown as Proposal, '')).not.toHaveProperty('chosen_by_ai');
  });
});

describe('the account of what is to be approved', () => {
  it('is named with its broker where a person can have several', () => {
    const several = { ...approval, account_at: 'PA3ALICE01 at Second paper account' };
    expect(valuesOf(several)).toContain('PA3ALICE01 at Second paper account PAPER');
    expect(shortSubjectDetails(several)[0]).toBe('PA3ALICE01 at Second paper account');
  });

  it('is its number where there can be but one', () => {
    expect(valuesOf(approval)).toContain('PA3ALICE01 PAPER');
    expect(shortSubjectDetails(approval)[0]).toBe('PA3ALICE01');
  });

  it('is what the gateway shows, and of no other number that it says', () => {
    const { order, ...view } = { ...approval, account_at: 'PA3 at Alpaca' };
    expect(valuesOf({ ...view, order })).toContain('PA3ALICE01 PAPER');
    const proposal = {
      ...approval,
      state: 'requested',
      subject: order,
      shows: { Account: 'PA3ALICE01 at Alpaca' },
    };
    expect(toApprovalView(proposal as unknown as Proposal, '').account_at).toBe('PA3ALICE01 at Alpaca');
    expect(toApprovalView({ ...proposal, shows: {} } as unknown as Proposal, '')).not.toHaveProperty('account_at');
  });
});
