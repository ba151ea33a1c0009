import { describe, expect, it } from 'vitest';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import { approvalRequestLines, outcomeLine } from '../../../src/cli/commands/phone/phone-decision.ts';
import { outcomeText, toProposalView } from '../../../src/home/phone/page/proposal-view.ts';
import type { PhoneRequest } from '../../../src/home/phone/phone-request.ts';
import { type ProposalKind, proposalKinds } from '../../../src/trading/proposal.ts';
import { proposalDetails, stopOrder, subjectOf } from '../../integration/sandbox/proposal-fixture.ts';

function leaves(value: unknown): unknown[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value];
}

describe('a proposal as a person sees it', () => {
  it.each<[ProposalKind, string, string]>([
    ['order', 'Buy 5 AAPL', 'Limit order at $180.00 · Day'],
    ['message', 'Send to #trading', 'Via Slack, as you'],
    [
      'cancel',
      'Cancel the order to sell 5 AAPL',
      'Stop order at $170.00 · Good till canceled. This order protects a position: without it, you could lose more.',
    ],
    ['replace', 'Change: Sell 5 AAPL', 'Stop price: $170.00 a share → $172.00 a share'],
    ['lift', 'Resume trading', 'Trading was halted at 2026-11-25 14:30:00 UTC'],
    [
      'access',
      'Allow bob as advisor of acme',
      'bob: can see the account and propose orders, which you approve; can cancel orders and halt trading · until 2027-01-01T00:00:00Z',
    ],
    [
      'mandate',
      'Buy AAPL, MSFT without asking again',
      'At most $200.00 per order, $400.00 a day, 12 orders total · once a week for each symbol and side · market, limit · AAPL up to $250.00',
    ],
    ['policy_change', 'Loosen the rules: Maximum per order $1,000.00 → $5,000.00', 'Allows more: 1 looser, 0 tighter'],
  ])('of kind %s says %s: %s', (kind, headline, terms) => {
    expect(toProposalView(proposalDetails(kind))).toMatchObject({ headline, terms });
  });

  it.each(proposalKinds)('of kind %s leaves no field of its subject out', (kind) => {
    const subject = subjectOf(kind);
    const { fields } = toProposalView(proposalDetails(kind, { subject }));
    expect(new Set(fields.map(({ name }) => name)).size).toBe(fields.length);
    const shown = leaves(subject).filter((value) => value !== null);
    const own = fields.filter(({ name }) => !name.startsWith('details.'));
    // The change of a replacement is shown beside the order it leads to.
    expect(own).toHaveLength(shown.length);
  });

  it.each<[ProposalKind, string | undefined]>([
    ['order', 'paper'],
    ['cancel', 'paper'],
    ['replace', 'paper'],
    ['mandate', 'paper'],
    ['message', undefined],
    ['lift', undefined],
    ['policy_change', 'paper'],
    ['access', undefined],
  ])('of kind %s is of the environment %s', (kind, environment) => {
    expect(toProposalView(proposalDetails(kind)).environment).toBe(environment);
  });

  it('shows a subject of another shape field by field, and never as paper', () => {
    const view = toProposalView(proposalDetails('order', { subject: { memo: 'x' } }));
    expect(view).toMatchObject({ headline: 'Unknown order', environment: 'unknown' });
    expect(view.fields).toContainEqual({ name: 'memo', label: 'memo', text: 'x', technical: false });
  });

  it('says nothing of protection where an order protects nothing', () => {
    const subject = { ...subjectOf('cancel'), order: { ...stopOrder, side: 'buy' }, protects: false };
    const { terms } = toProposalView(proposalDetails('cancel', { subject }));
    expect(terms).toBe('Stop order at $170.00 · Good till canceled');
  });

  it('says where a field comes from that stands in no words of the person', () => {
    const provenance: ProposalDetails['provenance'] = {
      fields: {
        symbol: { source: 'user' },
        side: { source: 'default' },
        qty: { source: 'computed', from: 'half of the cash' },
        limit_price: { source: 'other' },
        time_in_force: { source: 'other', from: 'MCP client claude' },
      },
      sentence: 'half my cash into AAPL',
      tainted_by: ['standard input', 'news server'],
    };
    const view = toProposalView(proposalDetails('order', { provenance }));
    expect(view).toMatchObject({
      chosenByAi: 'Chosen by the AI, not by you: limit price, time in force',
      origins: [
        { label: 'Quantity', text: 'calculated from half of the cash' },
        { label: 'Time in force', text: 'chosen by MCP client claude' },
      ],
      sentence: 'half my cash into AAPL',
      tainted: 'standard input, news server',
    });
  });

  it.each([
    [undefined, undefined],
    [1, undefined],
    [2, 'Second identical request in the last hour'],
    [3, 'Third identical request in the last hour'],
    [60, '60 identical requests in the last hour'],
  ])('that was proposed %s times says %s', (again, said) => {
    expect(toProposalView(proposalDetails('order', again === undefined ? {} : { again })).again).toBe(said);
  });

  it('makes visible what would turn the rest around', () => {
    const hidden = { warnings: ['a\u202eb'], shows: { 'C\u200bash': '1\n2' } };
    const view = toProposalView(proposalDetails('order', hidden));
    expect(view.warnings).toEqual(['a\ufffdb']);
    expect(view.shows).toEqual([{ label: 'C\ufffdash', text: '1\ufffd2' }]);
  });
});

describe('what became of it', () => {
  it.each([
    ['executing', '', 'sending…'],
    ['executed', 'filled 5 at $180.12', 'filled 5 at $180.12'],
    ['blocked', 'price moved', 'refused: price moved'],
    ['blocked', 'refused by the broker', 'refused by the broker'],
    ['cancelled', 'withdrawn', 'withdrawn'],
    ['expired', '', 'too late, nothing was done'],
    ['unknown', 'the broker did not answer', 'outcome unknown: the broker did not answer'],
  ] as const)('%s with "%s" is told as "%s"', (state, text, said) => {
    expect(outcomeText({ state, text })).toBe(said);
  });
});

describe('a proposal in the terminal', () => {
  const far = { warnings: ['The limit is far away.'], shows: { Company: 'Apple Inc.' }, again: 2 };
  const request = (changes: Partial<PhoneRequest> = {}): PhoneRequest => ({
    ...{ id: 'r1', user: 'alice', client_note: null, client_name: 'order gateway', code: 'K7QP' },
    binding_message: 'BUY 5 AAPL LMT 180.00 K7QP',
    details: proposalDetails('order', far),
    ...{ requested_at: '2026-11-25T14:30:00Z', expires_at: '2026-11-25T14:35:00Z', status: 'pending' },
    ...{ kind: 'order', worst_case: null, warnings: [], shows: {}, requested_by: 'chat' },
    ...{ client: 'trade-agent', provenance: null, outcome: null },
    ...changes,
  });

  it('shows the same facts as the page, what matters first', () => {
    const lines = approvalRequestLines(request());
    expect(lines[0]).toBe('PAPER order for alice to approve:');
    const text = lines.map((line) => line.replace(/\s+/g, ' ').trim());
    expect(text.slice(1, 8)).toEqual([
      'code K7QP',
      'request Buy 5 AAPL',
      'at worst At most $900.00 in all',
      'terms Limit order at $180.00 · Day',
      'again Second identical request in the last hour',
      'warning The limit is far away.',
      'Company Apple Inc.',
    ]);
    expect(text).toContain('requested by trade-agent (chat), through order gateway');
    expect(text).toContain('limit_price $180.00 a share');
  });

  it.each<[ProposalKind, string]>([
    ['message', 'message for alice to approve:'],
    ['cancel', 'PAPER cancellation of an order for alice to approve:'],
    ['replace', 'PAPER change to an order for alice to approve:'],
    ['lift', 'end of a halt for alice to approve:'],
    ['access', 'access to your account for alice to approve:'],
  ])('of kind %s begins "%s"', (kind, first) => {
    expect(approvalRequestLines(request({ kind, details: proposalDetails(kind) }))[0]).toBe(first);
  });

  it('tells what became of it only where that is known', () => {
    expect(outcomeLine(request())).toBeUndefined();
    const outcome = { state: 'executed', text: 'filled 5 at $180.12', at: '2026-11-25T14:31:00Z' } as const;
    expect(outcomeLine(request({ outcome }))).toBe('filled 5 at $180.12');
  });
});
