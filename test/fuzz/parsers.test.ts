import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callsWithin, readWritten } from '../../src/agent/model/written-calls.ts';
import { parsePrompt } from '../../src/agent/planner/sentence.ts';
import { NoReceipt } from '../../src/approval/receipts/receipt-form.ts';
import { verifyReceipt } from '../../src/approval/receipts/verify-receipt.ts';
import { evidenceSchema } from '../../src/approval/signature/evidence.ts';
import { parseAccessToken } from '../../src/auth/session/access-token.ts';
import { parseSlashCommand } from '../../src/cli/chat/slash-commands.ts';
import { parseAge, parseDuration } from '../../src/cli/options/duration.ts';
import { parseLimits } from '../../src/gateway/policy/change/next-rules.ts';
import { readSubject } from '../../src/home/identity-provider/approval-subject.ts';
import { UnacceptableDetails } from '../../src/home/identity-provider/order-details.ts';
import { readAssertion, readRegistration } from '../../src/home/phone/credential-json.ts';
import { safeLine, safeText } from '../../src/net/shown-text.ts';
import { parseAlert } from '../../src/trading/alert.ts';
import { tradeOrderDetails } from '../../src/trading/approval-details.ts';
import { decimal, decimalString, plain } from '../../src/trading/decimal.ts';
import { isTradeAgentError } from '../../src/trading/errors.ts';
import { messageDraftSchema } from '../../src/trading/message.ts';
import { messageSendDetails } from '../../src/trading/message-details.ts';
import { checkOrder, orderDraftSchema, orderRequestSchema } from '../../src/trading/order.ts';
import { proposalRequestSchema } from '../../src/trading/proposal.ts';
import { ProblemError } from '../../src/trading/refusal.ts';
import { draft, RESOURCE } from '../integration/sandbox/identity-provider-fixture.ts';
import { proposalDetails, subjectOf } from '../integration/sandbox/proposal-fixture.ts';
import { createAuthenticator } from '../unit/approval/signature/authenticator.ts';
import { signed } from '../unit/approval/signature/signing-world.ts';
import { forShare, like, text } from './support.ts';

const target = { resource: RESOURCE, now: Date.now() };
const details = proposalDetails('order', { locations: [RESOURCE] });
const messageDetails = messageSendDetails(messageDraftSchema.parse(subjectOf('message')), {
  gateway: RESOURCE,
});
const evidence = signed(createAuthenticator(), { ...details });
const request = {
  kind: 'order',
  order: { symbol: 'KO', side: 'buy', qty: '1', type: 'limit', limit_price: '20' },
};
const receipt = {
  signature: { protected: 'x', signature: 'x' },
  gateway: RESOURCE,
  proposal: details,
  orders: [],
  approvals: [],
  record: [],
};

/** What reads text from outside. It may refuse, by an error that is made for it. */
const ofText: Readonly<Record<string, (text: string) => unknown>> = {
  'a sentence': parsePrompt,
  'a slash command': parseSlashCommand,
  'an alert': parseAlert,
  'a duration': parseDuration,
  'an age': parseAge,
  'calls of a model': callsWithin,
  'a written call': (some) => readWritten(some, ['get_quote', 'place_order'], true),
  'an access token as it is kept': parseAccessToken,
  'a receipt': (some) => verifyReceipt(some, () => true),
  'an assertion': readAssertion,
  'a registration': readRegistration,
  'details as text': (some) => readSubject(some, target),
  'a decimal': (some) => {
    if (decimalString.safeParse(some).success) expect(decimal(plain(some)).eq(decimal(some))).toBe(true);
  },
  'text to be shown': (some) => {
    const shown = safeText(some);
    expect(safeText(shown)).toBe(shown);
    // Nothing that draws, rings or turns around; and a line is one.
    expect(safeLine(some)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b]/u);
  },
};

/** What reads JSON from outside, and something sound of it. */
const ofJson: Readonly<Record<string, readonly [sound: unknown, read: (value: unknown) => unknown]>> = {
  'a proposal’s request': [request, (value) => proposalRequestSchema.safeParse(value)],
  'an order': [
    request.order,
    (value) => {
      const parsed = orderRequestSchema.safeParse(value);
      if (parsed.success) checkOrder(parsed.data);
    },
  ],
  'a drafted order': [
    draft(),
    (value) => {
      const parsed = orderDraftSchema.safeParse(value);
      if (parsed.success) checkOrder(parsed.data);
    },
  ],
  evidence: [evidence, (value) => evidenceSchema.safeParse(value)],
  'a proposal’s details': [details, (value) => readSubject(JSON.stringify([value]), target)],
  'an order’s details': [
    tradeOrderDetails(draft(), { gateway: RESOURCE }),
    (value) => readSubject(JSON.stringify([value]), target),
  ],
  'a message’s details': [messageDetails, (value) => readSubject(JSON.stringify([value]), target)],
  limits: [{ max_order_notional: '5000', max_day_orders: 10, symbols: { allow: ['KO'] } }, parseLimits],
  'a receipt': [receipt, (value) => verifyReceipt(JSON.stringify(value), () => true)],
  'an assertion': [createAuthenticator().assert('x'), (value) => readAssertion(JSON.stringify(value))],
};

const isForIt = (error: unknown) =>
  isTradeAgentError(error) ||
  [ProblemError, NoReceipt, UnacceptableDetails, InvalidArgumentError].some((kind) => error instanceof kind);

async function readsOrRefuses(read: () => unknown): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!isForIt(error)) throw error;
  }
}

const share = 0.5 / (Object.keys(ofText).length + Object.keys(ofJson).length);

describe('any text', () => {
  it.each(Object.entries(ofText))('is read or refused as %s', async (_, read) => {
    await fc.assert(
      fc.asyncProperty(text, (some) => readsOrRefuses(() => read(some))),
      forShare(share),
    );
  });
});

describe('any JSON', () => {
  it.each(Object.entries(ofJson))('is read or refused as %s', async (_, [sound, read]) => {
    await fc.assert(
      fc.asyncProperty(like(sound), (some) => readsOrRefuses(() => read(some))),
      forShare(share),
    );
  });
});
