import { randomUUID } from 'node:crypto';
import { createStaticRulesSource } from '../../../../src/gateway/policy/rules.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import type { MessageDraft } from '../../../../src/trading/message.ts';
import { buildMessageSendDetails } from '../../../../src/trading/message-details.ts';
import { limitsWithRecipients } from '../../../fixtures/known-recipients.ts';
import { type Reply, startServer } from './answering-server.ts';
import type { MintOptions } from './test-issuer.ts';
import { closedAfter, startWorld } from './world.ts';

export type MessageWorld = Awaited<ReturnType<typeof startMessageWorld>>;

/** A gateway between Slack and Gmail, which do as a test tells them; alice is connected to both. */
export async function startMessageWorld() {
  /** Their answers, first in line first; a success where there is none. */
  const answers: (Reply | Promise<Reply>)[] = [];
  const services = await startServer(({ path }) => {
    const slack = { ok: true, channel: 'C012345678', ts: `17.${services.asked.length}` };
    const gmail = { id: `mail-${services.asked.length}`, labelIds: ['SENT'] };
    return answers.shift() ?? { body: path.startsWith('/gmail/') ? gmail : slack };
  });
  const at = (url: string) => ({
    slack: { audience: 'slack', url: `${url}/api` },
    gmail: { audience: 'gmail', url },
  });
  const messages = at(services.url);
  const rules = createStaticRulesSource(limitsWithRecipients('slack:#trading', 'gmail:bob@example.com'));
  const world = await startWorld({ brokerTimeoutMs: 300, messages, rules });
  const { clock, issuer, url } = world;
  // Messages alone: nobody has an account at the broker.
  issuer.connected.clear();
  issuer.elsewhere.set('alice slack', 'slack-token-of-alice');
  issuer.elsewhere.set('alice gmail', 'gmail-token-of-alice');
  const draft = (changes: Partial<MessageDraft> = {}): MessageDraft => ({
    service: 'slack',
    recipient: '#trading',
    text: 'Equity $1.00\nAAPL: 5',
    client_message_id: `ta-${randomUUID()}`,
    expires_at: formatUtcSeconds(clock.now() + 240_000),
    ...changes,
  });
  const approve = (message: MessageDraft, { claims, ...rest }: MintOptions = {}) => {
    const details = buildMessageSendDetails(message, { gateway: url });
    const approved = { scope: 'openid messages:write', authorization_details: [details] };
    return issuer.mint({ ...rest, claims: { ...approved, ...claims } });
  };
  const send = (body: unknown, token: string | undefined) => world.send('POST', '/v1/messages', token, body);
  return closedAfter({
    clock,
    issuer,
    url,
    read: world.read,
    /** What reached Slack and Gmail, oldest first. */
    received: services.asked,
    answers,
    draft,
    approve,
    send,
    /** A message of alice's and her approval of it, as often as it is sent. */
    approved: async (changes: Partial<MessageDraft> = {}, claims: Record<string, unknown> = {}) => {
      const message = draft(changes);
      const token = await approve(message, { claims });
      return { draft: message, token, send: () => send(message, token) };
    },
    outcome: (id: string, claims: Record<string, unknown> = {}) =>
      world.read(`/v1/messages/${id}`, { scope: 'orders:read', ...claims }),
    restart: ({ serviceUrl = services.url } = {}) => {
      Object.assign(messages, at(serviceUrl));
      world.restart();
    },
    close: async () => {
      await world.close();
      await services.close();
    },
  });
}
