import { describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../../src/home/identity-provider/approval-requests.ts';
import { createApprovalSteps, hidesCode } from '../../../src/home/phone/decision/approval-steps.ts';
import { renderRequestCard } from '../../../src/home/phone/decision/request-card.ts';
import { createApprovalNoticeText, createApprovalRequestMessage } from '../../../src/home/phone/push/push-message.ts';
import { details, draft } from '../../integration/sandbox/identity-provider-fixture.ts';
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
  given: Partial<Parameters<typeof renderRequestCard>[1]> = {},
) => String(await renderRequestCard(request(changes), { ...state, ...given }));

describe('the card of a request', () => {
  it('says of a program that is new here that it is, and from where, in nothing but text', async () => {
    const text = 'New app, unverified, claims to be <b>evil.example</b>\u202e.';
    expect(await card()).not.toContain('client-note');
    expect(await card({ clientNote: { text } })).toContain(
      'data-testid="client-note">New app, unverified, claims to be &lt;b&gt;evil.example&lt;/b&gt;\ufffd.<',
    );
  });

  it('has the code nowhere where it is to be picked, but among the three', async () => {
    const codes = ['M3XD', 'K7QP', '0000'];
    const shown = await card({}, { codes });
    expect(shown.match(/K7QP/g)).toHaveLength(2);
    expect(shown).toContain('BUY 5 AAPL LMT 180.00 ····');
    for (const code of codes) expect(shown).toContain(`value="${code}"`);
  });

  it('has the code nowhere where it is to be typed, but a field for it', async () => {
    const shown = await card({}, { codes: 'typed' });
    expect(shown).not.toContain('K7QP');
    expect(shown).toContain('BUY 5 AAPL LMT 180.00 ····');
    expect(shown).toContain('data-testid="typed-code"');
    expect(shown).not.toContain('type="radio"');
  });

  it('of a client that asks by itself works out the worst case, too', async () => {
    const shown = await card({ details: details({ limit_price: '180.00', qty: '5', max_fees: '1.03' }) });
    expect(shown).toContain('data-testid="amount">$901.03</strong> <span aria-hidden="true">at most<');
    expect(shown).toContain('Costs at most $901.03 including $1.03 in fees (limit $180.00 a share).');
  });

  it('says beside the amount that unknown fees are not in it', async () => {
    const shown = await card({ details: details({ limit_price: '180.00', qty: '5' }) });
    expect(shown).toContain('data-testid="amount">$900.00</strong> <span aria-hidden="true">at most, plus fees<');
    expect(shown).toContain('Costs at most $900.00 plus your broker’s fees (limit $180.00 a share).');
  });

  it.each([
    ['no_key', 'pair this phone'],
    ['signed_in_otherwise', 'sign in with your passkey'],
  ] as const)('that can’t be approved here (%s) says what to do in the button’s place', async (cannot, words) => {
    const shown = await card({}, { cannot });
    expect(shown).toContain(words);
    expect(shown).not.toContain('value="approve"');
    expect(shown).toContain('value="deny"');
  });

  it('whose money is not known is shown as live', async () => {
    expect(await card({ details: proposalDetails('order', { subject: { memo: 'x' } }) })).toContain('LIVE (unknown)');
  });
});

describe('holding the button', () => {
  const steps = (holdAbove?: string) =>
    createApprovalSteps({ database: {} as never, clock: {} as never, numberMatching: 'off', holdAbove });
  const costs = (cash: string | null, environment: 'paper' | 'live' = 'live') =>
    request({
      details: proposalDetails('order', {
        subject: { ...draft({ environment }) },
        worst_case: { cash, price: null, text: 'Costs this.' },
      }),
    });

  it.each([
    ['1000.00', undefined, true],
    ['999.99', undefined, false],
    [null, undefined, true],
    ['20.00', '20', true],
    ['1000000.00', 'off', false],
  ])('is asked for at %s with the limit %s: %s', (cash, limit, wants) => {
    expect(steps(limit).wantsHold(costs(cash))).toBe(wants);
  });

  it('is asked for with real money only, and where money moves', () => {
    expect(steps().wantsHold(costs('5000.00', 'paper'))).toBe(false);
    expect(steps().wantsHold(request({ details: proposalDetails('cancel') }))).toBe(false);
  });
});

describe('what rings', () => {
  it('tells the code where the card shows it', () => {
    expect(createApprovalRequestMessage(request(), 'full').body).toBe('At most $900.00 in all · Code K7QP');
    expect(createApprovalNoticeText(request(), 'short', 'https://home.example/phone').body).toMatch(
      /^Code K7QP, until /,
    );
  });

  it('does not where it is to be picked', () => {
    const hidden = request({ code: '' });
    expect(createApprovalRequestMessage(hidden, 'full').body).toBe('At most $900.00 in all');
    for (const content of ['full', 'short'] as const) {
      const { body } = createApprovalNoticeText(hidden, content, 'https://home.example/phone');
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
] as const)('with number matching %s the code of a %s order is picked: %s', (matching, environment, picked) => {
  const details = proposalDetails('order', { subject: { ...draft({ environment }) } });
  expect(hidesCode(request({ details }), matching)).toBe(picked);
});
