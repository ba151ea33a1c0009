import { randomUUID } from 'node:crypto';
import { deriveSoftwareKey } from '../../../../src/approval/signature/software-key.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import type { MessageDraft } from '../../../../src/trading/message.ts';
import { buildMessageSendDetails } from '../../../../src/trading/message-details.ts';
import type { ProposalRequestInput, Provenance } from '../../../../src/trading/proposal.ts';
import type { Answer } from '../../approval/world.ts';
import type { HostileWorld } from '../hostile-world.ts';
import { type Row, rowOf, said, saidBy } from '../row.ts';
import { shown } from './proposals.ts';

/** The one recipient of everybody's. */
export const KNOWN_RECIPIENT = 'gmail:bob@example.com';
/** What Alice’s key signed, although its recipient is not known. */
export const SIGNED_MESSAGE = 'ta-hostile-message';
const GMAIL_SEND = 'https://www.googleapis.com/auth/gmail.send';

const lookAlikes = [
  ...['b.ob@example.com', 'bob+eve@example.com', 'BOB@example.com', 'b0b@example.com', 'bob@example.co'],
  ...['bob@example.com.evil.example', 'bob@mail.example.com', 'bob@examp1e.com', 'bob_@example.com'],
];
const noAddresses = [
  ...['b\u043eb@example.com', 'bob\u200b@example.com', 'bob\uff20example.com', 'bob@example.c\u043em'],
  ...['bob@example.com,eve@evil.example', 'bob@example.com\r\nBcc: eve@evil.example', 'Bob <bob@example.com>'],
];
const known = { recipient: { source: 'user' }, subject: { source: 'computed' }, text: { source: 'computed' } } as const;
const model = { source: 'other', from: 'model' } as const;

let texts = 0;
const mail = (recipient = 'bob@example.com') =>
  ({ service: 'gmail', recipient, subject: 'Portfolio', text: `Equity $${++texts}.00` }) as const;
const message = (recipient?: string): ProposalRequestInput => ({ kind: 'message', message: mail(recipient) });

/** The status and, of a refusal by the rules, the reason. */
function reasonOf({ status, body }: Answer): string {
  return said(status, JSON.stringify({ code: body.reason ?? body.code }));
}

/** What reaches nobody. Bob has used up the one message of his day. */
export async function messageRows({ world, alice, bob, mint, send }: HostileWorld): Promise<Row[]> {
  const elsewhere = await world.as('bob', 'bobs-other-machine');
  await bob.connect('gmail', [GMAIL_SEND]);
  const { digest: base, limits } = (await bob.send('GET', '/v1/policy')).body as { digest: string; limits: object };
  await bob.send('PUT', '/v1/policy', { base, limits: { ...limits, max_day_messages: 1 } });
  await bob.approved(message());

  const row = rowOf('messages');
  const proposals = 'POST /v1/proposals';
  const proposed = (what: string, request: () => object, expected: string) =>
    row(what, proposals, expected, async () => reasonOf(await alice.ask(request(), randomUUID())));
  const afterNews = (fields: Provenance['fields']) => () => ({
    ...message(),
    provenance: { fields: { ...known, ...fields }, tainted_by: ['MCP server news'] },
  });
  const policy = async (changed: object, more: object = {}) => {
    const now = (await alice.send('GET', '/v1/policy')).body as { digest: string; limits: object };
    return {
      kind: 'policy_change',
      policy_change: { base: now.digest, limits: { ...now.limits, ...changed } },
      ...more,
    };
  };
  const added = (...recipients: string[]) => ({ message_recipients: [KNOWN_RECIPIENT, ...recipients] });
  const changed = (what: string, change: () => Promise<object>, expected: string) =>
    row(what, proposals, expected, async () => reasonOf(await alice.ask(await change(), randomUUID())));
  const past = async (many: number) => {
    const answers = await Promise.all(
      Array.from({ length: many }, (_, n) => (n % 2 === 0 ? bob : elsewhere).ask(message(), randomUUID())),
    );
    return [...new Set(answers.map(reasonOf))].join(', ');
  };
  const signed = async (draft: MessageDraft) => {
    const { gateway, issuer } = world.sandbox.ready;
    const details = buildMessageSendDetails(draft, { gateway, code: '7K3M' });
    const key = deriveSoftwareKey(world.sandbox.pairingSecret, 'alice');
    const evidence = key.sign({ ...details }, { origin: new URL(issuer).origin });
    const claims = { scope: 'openid messages:write', authorization_details: [details], approval_evidence: evidence };
    return send('POST', '/v1/messages', { token: await mint({ claims }), body: JSON.stringify(draft) });
  };

  return [
    proposed('a recipient that nobody allowed', () => message('eve@evil.example'), '403 RECIPIENT_NOT_KNOWN'),
    proposed(
      'a channel that nobody allowed',
      () => ({ kind: 'message', message: { service: 'slack', recipient: '#trading', text: 'hello' } }),
      '403 RECIPIENT_NOT_KNOWN',
    ),
    ...lookAlikes.map((one) =>
      proposed(`looks like a known one: ${one}`, () => message(one), '403 RECIPIENT_NOT_KNOWN'),
    ),
    ...noAddresses.map((one) =>
      proposed(`looks like a known one: ${shown(one)}`, () => message(one), '400 invalid_message'),
    ),
    ...['recipient', 'subject', 'text'].map((field) =>
      proposed(
        `a ${field} that is not the owner’s, after outside text`,
        afterNews({ [field]: model }),
        '403 PROVENANCE_NOT_OWN_WORDS',
      ),
    ),
    proposed(
      'a text of no stated source, after outside text',
      () => ({ ...message(), provenance: { fields: { recipient: known.recipient }, tainted_by: ['standard input'] } }),
      '403 PROVENANCE_NOT_OWN_WORDS',
    ),
    row('a new recipient by a session alone', 'PUT /v1/policy', '403 APPROVAL_MISSING', async () => {
      const { policy_change: change } = (await policy(added('gmail:eve@evil.example'))) as { policy_change: object };
      return reasonOf(await alice.send('PUT', '/v1/policy', change));
    }),
    changed(
      'two new recipients in one approval',
      () => policy(added('gmail:eve@evil.example', 'slack:#desk')),
      '422 invalid_policy',
    ),
    changed(
      'a new recipient among other changes',
      () => policy({ ...added('gmail:eve@evil.example'), max_day_messages: 5_000 }),
      '422 invalid_policy',
    ),
    changed(
      'a new recipient that outside text named',
      () =>
        policy(added('gmail:eve@evil.example'), {
          provenance: { fields: { limits: model }, tainted_by: ['standard input'] },
        }),
      '403 PROVENANCE_NOT_OWN_WORDS',
    ),
    ...noAddresses.map((one) =>
      changed(
        `a new recipient that is no address: ${shown(one)}`,
        () => policy(added(`gmail:${one}`)),
        '422 invalid_policy',
      ),
    ),
    row('a message past the daily limit', proposals, '403 MESSAGES_EXCEED_MAX_PER_DAY', () => past(1)),
    row(
      '20 messages past the daily limit, at once and from two machines',
      proposals,
      '403 MESSAGES_EXCEED_MAX_PER_DAY',
      () => past(20),
    ),
    row(
      'a recipient that nobody allowed, with the owner’s signature',
      'POST /v1/messages',
      '403 policy_denied',
      async () => {
        const draft = { ...mail('eve@evil.example'), client_message_id: SIGNED_MESSAGE };
        return saidBy(await signed({ ...draft, expires_at: formatUtcSeconds(Date.now() + 200_000) }));
      },
    ),
  ];
}
