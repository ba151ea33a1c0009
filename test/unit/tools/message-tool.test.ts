import { describe, expect, it } from 'vitest';
import { createProposalRequest } from '../../../src/agent/graph/proposal-request.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import { parseMessageRequest, sendGmailSummary, sendSlackSummary } from '../../../src/tools/message-tool.ts';
import { formatCompactSummary } from '../../../src/tools/summary-message.ts';
import { MAX_MESSAGE_TEXT_LENGTH } from '../../../src/trading/message.ts';
import type { Position } from '../../../src/trading/views.ts';
import { anAccount, aPosition } from '../../fixtures/builders.ts';

describe('what a model asks to send', () => {
  it('is a recipient, and a note where there is one', () => {
    expect(parseMessageRequest(sendSlackSummary, { recipient: ' #trading ', note: null })).toEqual({
      recipient: '#trading',
      note: undefined,
    });
    const noted = { recipient: 'bob@example.com', note: 'As agreed.' };
    expect(parseMessageRequest(sendGmailSummary, noted)).toEqual(noted);
  });

  it.each([
    ['no recipient', {}],
    ['a text of its own', { recipient: '#trading', text: 'Send money to eve' }],
    ['several recipients', { recipient: ['#trading', '#general'] }],
    ['a person for a channel', { recipient: 'bob@example.com' }],
    ['a note longer than a note', { recipient: '#trading', note: 'x'.repeat(401) }],
  ])('is refused with %s', (_what, args) => {
    expect(() => parseMessageRequest(sendSlackSummary, args)).toThrow(
      expect.objectContaining({ code: 'invalid_message' }),
    );
  });
});

describe('the summary', () => {
  const account = anAccount({ equity: '112345.67', last_equity: '112000.00', cash: '5000.00' });
  const lost = { current_price: '100.00', unrealized_pl: '-12.50', unrealized_plpc: '-0.0123' };
  const position = (symbol: string, market_value: string) => aPosition({ symbol, market_value, ...lost });
  const summary = (positions: Position[], note?: string) =>
    formatCompactSummary({ account, positions, now: Date.UTC(2026, 0, 30, 14, 30), note });

  it('says what account, when, and what is in it, the largest first, and the note last', () => {
    expect(summary([position('AAPL', '500.00'), position('MSFT', '1000.00')], 'As agreed.')).toBe(
      [
        'Portfolio on 2026-01-30 14:30 UTC (paper account, simulated prices)',
        'Equity $112,345.67 (+$345.67 today), cash $5,000.00',
        'MSFT: 10 at $100.00 = $1,000.00 (-$12.50, -1.23%)',
        'AAPL: 10 at $100.00 = $500.00 (-$12.50, -1.23%)',
        '',
        'As agreed.',
      ].join('\n'),
    );
    expect(summary([])).toContain('No positions.');
  });

  it('stays short enough to be read, whatever is held', () => {
    const many = Array.from({ length: 60 }, (_, i) => position(`S${i}`, '123456789.00'));
    const text = summary(many, 'x'.repeat(400));
    expect(text).toContain('and 40 more');
    expect(text.length).toBeLessThanOrEqual(MAX_MESSAGE_TEXT_LENGTH);
  });
});

describe('where the text of a summary comes from', () => {
  const textOf = async (said: readonly string[], note?: string, composedBy?: string) => {
    const environment = { clock: { now: () => 0 }, requestedBy: 'test', ttl: 300 };
    const gateway = { isConnected: async () => true, account: async () => anAccount(), positions: async () => [] };
    const args = { recipient: '#trading', ...(note === undefined ? {} : { note }) };
    const { provenance } = await createProposalRequest(
      environment as unknown as Parameters<typeof createProposalRequest>[0],
      gateway as unknown as GatewayClient,
      sendSlackSummary,
      {
        call: { id: 'tc_1', name: 'send_slack_summary', args },
        facts: { said, composedBy, positions: [], names: [], openOrders: [] },
        tainted: ['standard input'],
      },
    );
    return provenance?.fields.text;
  };
  const rule = 'the portfolio when it was proposed';
  const dictated = { source: 'computed', from: `${rule}, with your own note` };

  it('is the program where there is no note', async () => {
    expect(await textOf(['send it to #trading'])).toEqual({ source: 'computed', from: rule });
  });

  it.each([
    ['send it to #trading and say: sold all of KO, more on Monday', 'Sold all of KO, more on Monday.'],
    ['send it to #trading with the note "As agreed."', '"As agreed."'],
    ['say   as\nagreed', 'as agreed'],
    ['sag: Ähnlich wie gestern', 'ähnlich wie gestern'],
  ])('is the person, who said "%s", for the note %j', async (said, note) => {
    expect(await textOf(['what is new?', said], note)).toEqual(dictated);
  });

  it.each([
    ['send it to #trading', 'As agreed.'],
    ['say as agreed', 'As agreed, and my account number is 123'],
    ['say that it went well', 'hat it went'],
    ['say as agreed', 'As Agreed'],
    ['say as agreed', 'as... agreed'],
    ['say as agreed', 'as agr\u0435ed'],
    ['say as agreed', '"."'],
  ])('is the model’s idea after "%s" for the note %j', async (said, note) => {
    expect(await textOf([said], note)).toMatchObject({ source: 'other' });
  });

  it('is a program’s where a program composed the prompt', async () => {
    expect(await textOf(['say as agreed'], 'as agreed', 'check')).toEqual({ source: 'computed', from: 'check' });
  });
});
