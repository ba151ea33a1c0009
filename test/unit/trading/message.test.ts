import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMessage, type MessageDraft, messageDraftSchema } from '../../../src/trading/message.ts';
import {
  buildMessageSendDetails,
  messageBindingText,
  messageDigest,
  messageSendDetailsSchema,
} from '../../../src/trading/message-details.ts';
import { always } from '../../fixtures/always.ts';

const slack: MessageDraft = {
  service: 'slack',
  recipient: '#trading',
  text: 'Equity $1.00\nAAPL: 5',
  client_message_id: 'ta-12345678',
  expires_at: '2026-01-30T14:35:00Z',
};
const mailed = { service: 'gmail', recipient: 'bob@example.com', subject: 'Portfolio summary' } as const;
const gmail: MessageDraft = { ...slack, ...mailed };

describe('a message', () => {
  it.each([
    ['slack', '#trading', true],
    ['slack', '#my_desk-2.x', true],
    ['slack', 'C0123456789', true],
    ['slack', '#Trading', false],
    ['slack', 'trading', false],
    ['slack', '#a b', false],
    ['slack', '@bob', false],
    ['slack', 'everyone', false],
    ['gmail', 'bob@example.com', true],
    ['gmail', 'b.o+b_x-1@mail.example.co.uk', true],
    ['gmail', `bob@${'a.'.repeat(123)}info`, true],
    ['gmail', `bob@${'a.'.repeat(123)}infos`, false],
    ['gmail', 'bob@localhost', false],
    ['gmail', 'bob@example.com ', false],
    ['gmail', 'bob@@example.com', false],
    ['gmail', 'bob@example.com,eve@example.com', false],
    ['gmail', 'Bob <bob@example.com>', false],
    ['gmail', 'bob@example.com\nBcc: eve@example.com', false],
    ['gmail', '"a b"@example.com', false],
    ['gmail', 'bоb@example.com', false],
  ] as const)('by %s to %j: %s', (service, recipient, allowed) => {
    const draft = { ...(service === 'slack' ? slack : gmail), recipient };
    if (allowed) expect(() => checkMessage(draft)).not.toThrow();
    else expect(() => checkMessage(draft)).toThrow(expect.objectContaining({ code: 'invalid_message' }));
  });

  it('may have nothing in it that a reader does not see', () => {
    const controls = ['\u0000', '\u001b[2K', '\r', '\t'];
    const hidden = [...controls, '\u200b', '\u202e', '\u2066', '\ufeff', '\u2028', '\ud800'];
    for (const piece of [...hidden, '\u{e0041}']) {
      expect(() => checkMessage({ ...slack, text: `a${piece}b` }), JSON.stringify(piece)).toThrow();
      expect(() => checkMessage({ ...gmail, subject: `a${piece}b` }), JSON.stringify(piece)).toThrow();
    }
    expect(() => checkMessage({ ...gmail, subject: 'a\nb' })).toThrow();
    expect(() => checkMessage({ ...slack, text: 'ä 株 🎉\n\n€ <b>&amp;' })).not.toThrow();
  });

  it('fits into a token: its text in bytes has a limit too', () => {
    expect(() => checkMessage({ ...slack, text: '株'.repeat(1334) })).toThrow(/too long/);
    expect(() => checkMessage({ ...slack, text: '株'.repeat(1333) })).not.toThrow();
    expect(messageDraftSchema.safeParse({ ...slack, text: 'a'.repeat(2001) }).success).toBe(false);
  });

  it('has a subject as an email, and none on Slack', () => {
    const { subject: _, ...bare } = gmail;
    expect(() => checkMessage(bare)).toThrow(/needs a subject/);
    expect(() => checkMessage({ ...slack, subject: 'x' })).toThrow(/no subject/);
  });
});

describe('a message’s details', () => {
  it('are the whole message, for one gateway, to be sent', () => {
    const details = buildMessageSendDetails(gmail, { gateway: 'https://gateway.example' });
    expect(messageSendDetailsSchema.parse(details)).toEqual({
      ...gmail,
      type: 'message_send',
      locations: ['https://gateway.example'],
      actions: ['send'],
      identifier: 'ta-12345678',
      digest: messageDigest(gmail),
    });
  });

  it('have a digest that any change of any field changes, and the order of fields does not', () => {
    const digest = messageDigest(gmail);
    const turned = Object.fromEntries(Object.entries(gmail).reverse()) as MessageDraft;
    expect(messageDigest(turned)).toBe(digest);
    const changes: Partial<MessageDraft>[] = [
      { recipient: 'bob@example.co' },
      { subject: 'Portfolio summary.' },
      { text: `${gmail.text} ` },
      { client_message_id: 'ta-12345679' },
      { expires_at: '2026-01-30T14:35:01Z' },
    ];
    for (const change of changes) expect(messageDigest({ ...gmail, ...change })).not.toBe(digest);
    expect(messageDigest(slack)).not.toBe(digest);
  });

  it('have a binding message that every provider takes, whoever it goes to', () => {
    expect(messageBindingText(gmail)).toBe('SEND gmail bob at example.com');
    always(fc.emailAddress({ size: 'large' }), (recipient) => {
      const draft = { ...gmail, recipient };
      try {
        checkMessage(draft);
      } catch {
        return;
      }
      expect(messageBindingText(draft)).toMatch(/^[A-Za-z0-9 +\-_.,:#]{1,59}$/);
    });
  });
});
