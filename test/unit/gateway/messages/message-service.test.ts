import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it } from 'vitest';
import type { Caller } from '../../../../src/gateway/auth/caller.ts';
import type { BrokerTokens } from '../../../../src/gateway/broker/broker-token.ts';
import type { MessageDeliveryOutcome } from '../../../../src/gateway/messages/delivery.ts';
import { createMessageSender } from '../../../../src/gateway/messages/message-service.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import type { MessageDraft } from '../../../../src/trading/message.ts';
import { buildMessageSendDetails } from '../../../../src/trading/message-details.ts';

const gateway = 'https://gateway.example';
const draft: MessageDraft = {
  service: 'slack',
  recipient: '#trading',
  text: 'Hello.',
  client_message_id: 'ta-00000001',
  expires_at: '2026-11-24T15:00:00Z',
};

const now = () => Date.parse('2026-11-24T14:58:00Z');
const deskWith = (deliver: (draft: MessageDraft, token: string) => Promise<MessageDeliveryOutcome>) => {
  const tokens = { tokenFor: async ({ sub }: Caller) => sub, forget: () => {} } as unknown as BrokerTokens;
  return createMessageSender({
    journal: createSqliteGatewayStores(new Database(':memory:')).messages,
    outlets: new Map([['slack', { tokens, deliver }]]),
    gateway,
    issuer: 'https://issuer.example',
    detailsType: 'message_send',
    rules: { requireAllowed: async () => ({ since: 0, max: 5 }) },
    clock: { now, monotonic: now, sleep: async () => {} },
  });
};
const caller = (sub: string, isOurs?: boolean): Caller => ({
  sub,
  clientId: 'client',
  scopes: new Set(['messages:write']),
  jti: `jti-of-${sub}`,
  authorizationDetails: [buildMessageSendDetails(draft, { gateway })],
  accessToken: 'token',
  expiresAt: now() + 60_000,
  ...(isOurs === undefined ? {} : { isOurs: async () => isOurs }),
});

it('nobody is answered with what becomes of another user’s message of the same id, which is under way', async () => {
  const bobsDelivery = Promise.withResolvers<MessageDeliveryOutcome>();
  const desk = deskWith(async (_, token) => (token === 'bob' ? bobsDelivery.promise : { outcome: 'unknown' }));
  const unknown = { code: 'outcome_unknown' };
  await expect(desk.send(caller('alice'), draft)).rejects.toMatchObject(unknown);
  const bobs = desk.send(caller('bob'), draft);
  // While bob's is under way: neither by the same message, nor by a look.
  await expect(desk.send(caller('alice'), draft)).rejects.toMatchObject(unknown);
  await expect(desk.outcome(caller('alice'), draft.client_message_id)).rejects.toMatchObject(unknown);
  bobsDelivery.resolve({ outcome: 'sent', serviceId: '17.1' });
  expect(await bobs).toMatchObject({ message: { service_id: '17.1' }, replay: false });
});

it('a message that another gateway has taken over is not sent, and may be sent again', async () => {
  let sent = 0;
  const desk = deskWith(async () => ({ outcome: 'sent', serviceId: `17.${++sent}` }));
  await expect(desk.send(caller('alice', false), draft)).rejects.toMatchObject({ code: 'service_busy' });
  expect(sent).toBe(0);
  expect(await desk.send(caller('alice', true), draft)).toMatchObject({ message: { service_id: '17.1' } });
});
