import { describe, expect, it } from 'vitest';
import { computeProvenance, type ProvenanceInput } from '../../../../src/agent/graph/provenance.ts';
import type { ProposalOrigin } from '../../../../src/approval/kind.ts';
import { evaluatePolicy } from '../../../../src/gateway/policy/decide.ts';
import type { DecisionFacts } from '../../../../src/gateway/policy/decision.ts';
import { loadOriginFacts, toMessageOriginFacts } from '../../../../src/gateway/policy/origin.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/rules.ts';
import { type MessageDraft, toRecipientKey } from '../../../../src/trading/message.ts';
import { factsOf, limitedTo, subject } from './sound-order.ts';

const NEWS = 'MCP server news';

/** Decides about an order as the gateway does for a proposal of our own agent. */
async function decided(origin: ProposalOrigin | undefined) {
  const facts = { ...factsOf(), more: await loadOriginFacts(origin, async () => false) };
  return evaluatePolicy(limitedTo({ own_words: true }), subject, 'place', facts);
}

function originOf(said: readonly string[], input: Partial<ProvenanceInput> = {}): ProposalOrigin {
  const provenance = computeProvenance({
    kind: 'order',
    request: { symbol: 'DAL', side: 'buy', qty: '3', type: 'market' },
    userTurns: said,
    from: 'model',
    taintedBy: [NEWS],
    defaults: { type: 'market' },
    ...input,
  });
  return { isOtherAgent: false, provenance };
}

const replacing = { kind: 'replace', request: { order_id: 'o-1', limit_price: '180' } } as const;
const other = { source: 'other', from: 'model' } as const;
const symbolByName: ProposalOrigin['provenance'] = {
  fields: { symbol: { source: 'computed', from: 'the asset list, by name' }, side: other, qty: other },
  tainted_by: [NEWS],
};
const close = {
  request: { symbol: 'DAL', side: 'sell', qty: '7' },
  computed: { side: 'the position is long', qty: 'the whole position' },
};
const refused: readonly [string, ProposalOrigin][] = [
  ['a plain yes', originOf(['what is new?', 'yes, do it'])],
  ['a sentence about something else', originOf(['what is new?'])],
  ['nothing at all', originOf([])],
  ['only the order type', originOf(['use a market order'])],
  ['only the limit price', originOf(['at $180'], { request: { symbol: 'DAL', side: 'buy', limit_price: '180' } })],
  ['another order', originOf(['sell 5 KO'])],
  ['a whole position that the model chose', originOf(['what should I do?'], close)],
  ['a batch', originOf(['yes, all of them'], { kind: 'batch', request: { orders: [], on_failure: 'stop' } })],
  ['a replacement', originOf(['fine'], replacing)],
  ['only the side', originOf(['buy what they recommend'])],
];
const passes: readonly [string, ProposalOrigin][] = [
  ['the whole order', originOf(['what is new?', 'yes, buy 3 DAL'])],
  ['only the symbol', originOf(['what about DAL?'])],
  ['a company that was found by its name', { isOtherAgent: false, provenance: symbolByName }],
  ['a symbol that a rule computed', originOf([], { computed: { symbol: 'check', side: 'check', qty: 'check' } })],
  ['the orders of a rule', originOf([], { kind: 'batch', request: { orders: [] }, computed: { orders: 'check' } })],
  ['a price for an open order', originOf(['change it to $180'], replacing)],
  ['a plain yes without outside text', originOf(['what is new?', 'yes, do it'], { taintedBy: [] })],
  ['another agent’s order', { ...originOf(['yes, do it']), isOtherAgent: true }],
];

describe('own_words, after text from outside', () => {
  it.each(refused)('refuses what the owner did not say: %s', async (_, origin) => {
    const decision = await decided(origin);
    expect(decision).toMatchObject({ effect: 'deny', reasons: ['PROVENANCE_NOT_OWN_WORDS'] });
    expect(decision.texts[0]).toContain(NEWS);
    expect(decision.hint).toContain('Say it in your own words');
  });

  it.each(passes)('lets through %s', async (_, origin) => {
    expect(await decided(origin)).toMatchObject({ effect: 'allow' });
  });

  it('is decided before the approval only', async () => {
    expect(await decided(undefined)).toMatchObject({ effect: 'allow' });
  });

  it('is a rule that the owner can leave out', async () => {
    const facts = { ...factsOf(), more: await loadOriginFacts(originOf(['yes, do it']), async () => false) };
    expect(evaluatePolicy(limitedTo({}), subject, 'place', facts)).toMatchObject({ effect: 'allow' });
  });
});

describe('own words of a message, after text from outside', () => {
  const draft: MessageDraft = {
    ...{ service: 'gmail', recipient: 'bob@example.com', subject: 'Portfolio', text: 'Equity $1.00' },
    ...{ client_message_id: 'ta-00000001', expires_at: '2026-11-24T17:05:00Z' },
  };
  const known: AccountLimits = { message_recipients: ['gmail:bob@example.com'] };
  const rule = { source: 'computed', from: 'the portfolio' } as const;
  const said = { source: 'user' } as const;
  const asked = (fields: ProposalOrigin['provenance']['fields'], more: object = { tainted_by: [NEWS] }) => ({
    isOtherAgent: false,
    provenance: { fields: { recipient: said, subject: rule, text: rule, ...fields }, ...more },
  });
  const decideMessage = (origin: ProposalOrigin | undefined, limits = known, message = draft, sent_today = 0) =>
    evaluatePolicy(limitedTo(limits), subject, 'send_message', {
      ...{ ...factsOf(), order: null, market: null, broker: null, holdings: null },
      message: { recipient: toRecipientKey(message), sent_today },
      more: toMessageOriginFacts(origin, message),
    });

  it.each([
    ['its recipient', asked({ recipient: other })],
    ['its text', asked({ text: other })],
    ['its subject', asked({ subject: other })],
    [
      'a text of no known source',
      { isOtherAgent: false, provenance: { fields: { recipient: said }, tainted_by: [NEWS] } },
    ],
  ])('are needed for %s', (_, origin) => {
    const decision = decideMessage(origin);
    expect(decision).toMatchObject({ effect: 'deny', reasons: ['PROVENANCE_NOT_OWN_WORDS'] });
    expect(decision.texts[0]).toContain(NEWS);
    expect(decision.hint).toContain('Say it in your own words');
  });

  it.each([
    ['the owner’s recipient and a rule’s text', asked({})],
    ['the owner’s recipient and text', asked({ text: said })],
    ['what a scheduled rule computed', asked({ recipient: { source: 'computed', from: 'check' } })],
    ['a text that the model wrote without outside text', asked({ text: other }, {})],
    ['another agent’s message, whose fields are all its own', { ...asked({ text: other }), isOtherAgent: true }],
    ['an approved message', undefined],
  ])('let through %s', (_, origin) => {
    expect(decideMessage(origin)).toMatchObject({ effect: 'allow' });
  });

  it.each([
    ['another person', 'eve@example.com'],
    ['a dot more', 'b.ob@example.com'],
    ['a tag', 'bob+eve@example.com'],
    ['another case of the name', 'Bob@example.com'],
    ['a longer domain', 'bob@example.com.co'],
    ['a subdomain', 'bob@mail.example.com'],
    ['a digit for a letter', 'b0b@example.com'],
  ])('send nothing to %s', (_, recipient) => {
    const decision = decideMessage(asked({}), known, { ...draft, recipient });
    expect(decision).toMatchObject({ effect: 'deny', reasons: ['RECIPIENT_NOT_KNOWN'], value: `gmail:${recipient}` });
    expect(decision.hint).toContain(`message_recipients+=gmail:${recipient}`);
  });

  it('know a domain in any case, and no recipient without a list', () => {
    expect(decideMessage(asked({}), known, { ...draft, recipient: 'bob@EXAMPLE.com' }).effect).toBe('allow');
    for (const limits of [{}, { message_recipients: [] }]) {
      expect(decideMessage(asked({}), limits)).toMatchObject({ reasons: ['RECIPIENT_NOT_KNOWN'] });
    }
  });

  it.each([
    ['five where nothing is said', known, 5],
    ['as many as the owner allows', { ...known, max_day_messages: 7 }, 7],
  ])('send in a day %s', (_, limits, most) => {
    expect(decideMessage(asked({}), limits, draft, most - 1).effect).toBe('allow');
    expect(decideMessage(asked({}), limits, draft, most)).toMatchObject({
      ...{ effect: 'deny', reasons: ['MESSAGES_EXCEED_MAX_PER_DAY'] },
      ...{ limit: String(most), value: String(most + 1) },
    });
  });
});

/** Five AAPL at $180 ($900), as `factsOf` has them, of another agent. */
const others: ProposalOrigin = {
  isOtherAgent: true,
  provenance: { fields: { symbol: other, side: other, qty: other } },
};

describe('number_matching_above', () => {
  /** Decides before anybody was asked. The owner holds `held` shares of the symbol, and has perhaps traded it. */
  async function needsCode(
    limits: AccountLimits,
    { origin = others, held = '0', traded = false, ...changes }: NeedsCodeCase = {},
  ) {
    const { holdings, ...rest } = factsOf();
    const more = await loadOriginFacts(origin, async () => traded);
    const facts = {
      ...rest,
      holdings: holdings && { ...holdings, qty: held },
      ...changes,
      more: { ...more, ...changes.more },
    };
    return evaluatePolicy(limitedTo(limits), { ...subject, approval: 'none', approvers: [] }, 'place', facts);
  }
  interface NeedsCodeCase extends Partial<Pick<DecisionFacts, 'order' | 'holdings' | 'more'>> {
    readonly origin?: ProposalOrigin;
    readonly held?: string;
    readonly traded?: boolean;
  }
  const above = (amount: string): AccountLimits => ({ number_matching_above: amount });
  const asks = { effect: 'ask', reasons: ['APPROVAL_NEEDS_CODE'] };
  const passes = { effect: 'ask', reasons: ['APPROVAL_MISSING'] };
  const { order } = factsOf();
  const unbounded = order && { ...order, notional: null };

  it.each<[string, AccountLimits, NeedsCodeCase]>([
    ['for a symbol that is neither held nor was ever traded or named', above('1000000'), {}],
    ['above the amount, for a symbol that is held', above('899.99'), { held: '10' }],
    ['above the amount, for a symbol that was traded', above('899.99'), { traded: true }],
    [
      'above the amount with the orders before it in a batch',
      above('1499.99'),
      { held: '1', more: { 'batch.before': '600.00' } },
    ],
    ['where the positions are not known', above('1000000'), { holdings: null }],
    ['where nothing bounds the order', above('1000000'), { held: '10', order: unbounded }],
    ['where the owner allows only other symbols', { ...above('1000000'), symbols: { deny: ['GME'] } }, {}],
  ])('asks for the code %s', async (_, limits, facts) => {
    expect(await needsCode(limits, facts)).toMatchObject(asks);
  });

  it.each<[string, AccountLimits, NeedsCodeCase]>([
    ['up to the amount, for a symbol that is held', above('900.00'), { held: '10' }],
    ['for one that was sold short', above('900.00'), { held: '-10' }],
    ['for one that was traded or named', above('900.00'), { traded: true }],
    ['for one in the owner’s list of allowed symbols', { ...above('900.00'), symbols: { allow: ['AAPL'] } }, {}],
    ['without the rule', {}, {}],
    ['for the owner’s own agent', above('1'), { origin: { ...others, isOtherAgent: false } }],
  ])('asks for none %s', async (_, limits, facts) => {
    expect(await needsCode(limits, facts)).toMatchObject(passes);
  });

  it('says which rule it is, the limit and the value', async () => {
    expect(await needsCode(above('500'), { held: '1' })).toMatchObject({ limit: '500.00', value: '900.00' });
    const { texts, value } = await needsCode(above('5000'));
    expect(value).toBe('AAPL');
    expect(texts[0]).toContain('neither holds nor has traded or named');
  });

  it('refuses the approval that a client requested directly, without a proposal', async () => {
    const facts = { ...factsOf(), more: await loadOriginFacts(others, async () => false) };
    expect(evaluatePolicy(limitedTo(above('500')), subject, 'place', facts)).toMatchObject(asks);
  });
});
