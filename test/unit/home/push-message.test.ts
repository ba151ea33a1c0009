import { describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../../src/home/identity-provider/approval-requests.ts';
import { isCodePicked } from '../../../src/home/phone/decision/approval-steps.ts';
import { askMessage, noticeWords } from '../../../src/home/phone/push/push-message.ts';
import { draft } from '../../integration/sandbox/identity-provider-fixture.ts';
import { proposalDetails } from '../../integration/sandbox/proposal-fixture.ts';

const request = (code: string, environment: 'paper' | 'live' = 'paper'): ApprovalRequest => ({
  id: 'r1',
  authReqId: 'a1',
  user: 'alice',
  clientId: 'c1',
  clientName: 'order gateway',
  code,
  bindingMessage: `BUY 5 AAPL LMT 180.00 ${code}`,
  details: proposalDetails('order', { subject: { ...draft({ environment }) } }),
  requestedAt: 0,
  expiresAt: Date.UTC(2026, 10, 25, 14, 35),
  decidedAt: undefined,
  status: 'pending',
  evidence: undefined,
  outcome: undefined,
});

describe('what rings', () => {
  it('tells the code where the card shows it', () => {
    expect(askMessage(request('K7QP'), 'full').body).toBe('At most $900.00 in all · Code K7QP');
    expect(noticeWords(request('K7QP'), 'short', 'https://home.example/phone').body).toMatch(
      /^Code K7QP, until /,
    );
  });

  it('does not where it is to be picked', () => {
    const hidden = request('');
    expect(askMessage(hidden, 'full').body).toBe('At most $900.00 in all');
    for (const content of ['full', 'short'] as const) {
      const { body } = noticeWords(hidden, content, 'https://home.example/phone');
      expect(body).not.toMatch(/code/i);
      expect(body).toContain('Approve it on your phone only if it shows what you want');
    }
  });
});

it.each([
  ['live', 'paper', false],
  ['live', 'live', true],
  ['always', 'paper', true],
  ['off', 'live', false],
] as const)(
  'with number matching %s the code of a %s order is picked: %s',
  (matching, environment, picked) => {
    expect(isCodePicked(request('K7QP', environment), matching)).toBe(picked);
  },
);
