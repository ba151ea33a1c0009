import { describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../../src/home/identity-provider/approval-requests.ts';
import { requestCard } from '../../../src/home/phone/decision/request-card.ts';
import { details } from '../../integration/sandbox/identity-provider-fixture.ts';
import { proposalDetails } from '../../integration/sandbox/proposal-fixture.ts';

const request = (changes: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  id: 'r1',
  authReqId: 'a1',
  user: 'alice',
  clientId: 'c1',
  clientName: 'order gateway',
  code: 'K7QP',
  bindingMessage: 'BUY 5 AAPL LMT 180.00 K7QP',
  details: proposalDetails('order'),
  requestedAt: 0,
  expiresAt: Date.UTC(2026, 10, 25, 14, 35),
  decidedAt: undefined,
  status: 'pending',
  evidence: undefined,
  outcome: undefined,
  ...changes,
});
const state = { formToken: 't', codes: undefined, confirm: false, cannot: undefined } as const;
const card = async (
  changes: Partial<ApprovalRequest> = {},
  given: Partial<Parameters<typeof requestCard>[1]> = {},
) => String(await requestCard(request(changes), { ...state, ...given }));

describe('the card of a request', () => {
  it('says of a program that is new here that it is, and from where, in nothing but text', async () => {
    const text = 'New program, unverified, says it is at <b>evil.example</b>\u202e.';
    expect(await card()).not.toContain('client-note');
    expect(await card({ clientNote: { text } })).toContain(
      'data-testid="client-note">New program, unverified, says it is at &lt;b&gt;evil.example&lt;/b&gt;\ufffd.<',
    );
  });

  it('has the code nowhere where it is to be picked, but among the three', async () => {
    const codes = ['M3XD', 'K7QP', '0000'];
    const shown = await card({}, { codes });
    expect(shown.match(/K7QP/g)).toHaveLength(2);
    expect(shown).toContain('BUY 5 AAPL LMT 180.00 ····');
    for (const code of codes) expect(shown).toContain(`value="${code}"`);
  });

  it('of a client that asks by itself works out the worst case, too', async () => {
    const shown = await card({ details: details({ limit_price: '180.00', qty: '5' }) });
    expect(shown).toContain('data-testid="amount">$900.00<');
    expect(shown).toContain('Costs at most $900.00: nothing is bought above $180.00 a share.');
  });

  it.each([
    ['no_key', 'pair this phone'],
    ['signed_in_otherwise', 'sign in with your passkey'],
  ] as const)(
    'that can’t be approved here (%s) says what to do in the button’s place',
    async (cannot, words) => {
      const shown = await card({}, { cannot });
      expect(shown).toContain(words);
      expect(shown).not.toContain('value="approve"');
      expect(shown).toContain('value="deny"');
    },
  );

  it('whose money is not known is shown as live', async () => {
    expect(await card({ details: proposalDetails('order', { subject: { memo: 'x' } }) })).toContain(
      'LIVE (unknown)',
    );
  });
});
