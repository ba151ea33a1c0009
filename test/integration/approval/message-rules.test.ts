import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import { toProposalView } from '../../../src/home/phone/page/proposal-view.ts';
import type { Proposal, ProposalRequestInput, Provenance } from '../../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

/* Who an agent may write to, how often, and in whose words: a real gateway, provider and phone, and Slack and Gmail. */

const NEWS = 'MCP server news';
const rule = { source: 'computed', from: 'the portfolio when it was proposed' } as const;
const said = { source: 'user' } as const;
const model = { source: 'other', from: 'model' } as const;
const bob = { service: 'gmail', recipient: 'bob@example.com', subject: 'Portfolio' } as const;

let world: ProposalWorld;
let alice: Person;
let next = 0;
beforeAll(async () => {
  world = await startProposalWorld();
  alice = await world.as('alice');
  await alice.connect('slack', ['chat:write']);
  await alice.connect('gmail', ['https://www.googleapis.com/auth/gmail.send']);
});
afterAll(() => world.close());

/** A message with a text of its own, so that no two are the same. */
const message = (more: object = bob): ProposalRequestInput =>
  ({ kind: 'message', message: { ...more, text: `Equity $${++next}.00` } }) as ProposalRequestInput;
/** A message of our own agent, after text from outside. */
const afterNews = (fields: Provenance['fields'], more: object = bob) => ({
  ...message(more),
  provenance: { fields: { recipient: said, subject: rule, text: rule, ...fields }, tainted_by: [NEWS] },
});
const limits = async () => (await alice.send('GET', '/v1/policy')).body.limits as Record<string, unknown>;
const change = async (changed: object) => ({
  base: String((await alice.send('GET', '/v1/policy')).body.digest),
  limits: { ...(await limits()), ...changed },
});
const propose = async (changed: object, more: object = {}) =>
  alice.ask({ kind: 'policy_change', policy_change: await change(changed), ...more });
const tapped = async ({ body }: Awaited<ReturnType<typeof propose>>): Promise<Proposal> => {
  const { id, code } = body as unknown as Proposal;
  await alice.tap(code);
  return alice.until(id, 'executed');
};
const known = (...message_recipients: string[]) => ({ message_recipients });
const sent = () => world.sandbox.sentMessages();
const refused = (reason: string) => ({ status: 403, body: { code: 'policy_denied', reason } });
const pending = async () => (await world.phone.allRequests('alice')).filter(({ status }) => status === 'pending');

describe('a recipient of messages', () => {
  it('is nobody at first, and the refusal says how that is changed', async () => {
    const answer = await alice.ask(message());
    expect(answer).toMatchObject(refused('RECIPIENT_NOT_KNOWN'));
    expect(answer.body).toMatchObject({
      detail: expect.stringContaining('bob@example.com by email (Gmail)'),
      hint: expect.stringContaining('policy set message_recipients+=gmail:bob@example.com'),
      value: 'gmail:bob@example.com',
    });
    expect(await pending()).toEqual([]);
    const decisions = (await alice.send('GET', '/v1/decisions?effect=deny')).body.decisions;
    expect(decisions).toMatchObject([{ action: 'send_message', reasons: ['RECIPIENT_NOT_KNOWN'] }]);
  });

  it('is not added by a session, but by a tap that shows the whole address, which no message overtakes', async () => {
    const put = await alice.send('PUT', '/v1/policy', await change(known('gmail:bob@example.com')));
    expect(put).toMatchObject(refused('APPROVAL_MISSING'));
    const asked = await propose(known('gmail:bob@example.com'));
    expect(asked).toMatchObject({
      body: {
        subject: { changes: ['looser: Messages may be sent to bob@example.com by email (Gmail)'] },
        worst_case: {
          text: 'Messages may be sent to bob@example.com by email (Gmail). Check every character of the address. Each message still needs your approval.',
        },
      },
    });
    const [request] = await world.phone.requests('alice', { waitSeconds: 10 });
    expect(request?.binding_message).toBe(`MESSAGES TO bob at example.com by email .Gmail. ${request?.code}`);
    const view = toProposalView(request?.details as unknown as ProposalDetails);
    expect(view).toMatchObject({
      headline: 'Allow messages to bob@example.com by email (Gmail)',
      terms: 'Allows more: 1 looser, 0 tighter',
    });
    expect(view.fields).toContainEqual(
      expect.objectContaining({ label: 'Looser', text: 'Messages may be sent to bob@example.com by email (Gmail)' }),
    );
    // In the same breath: the message waits for no approval.
    expect(await alice.ask(message())).toMatchObject(refused('RECIPIENT_NOT_KNOWN'));
    await tapped(asked);
    await alice.approved(message());
    expect(sent()).toMatchObject([{ recipient: 'bob@example.com' }]);
    expect((await alice.send('GET', '/v1/policy')).body).toMatchObject({ today: { day_messages: 1 } });
  });

  it.each([
    ['a dot', 'b.ob@example.com'],
    ['a tag', 'bob+eve@example.com'],
    ['capitals', 'BOB@example.com'],
    ['a longer domain', 'bob@example.com.evil.example'],
    ['another digit', 'b0b@example.com'],
  ])('is not whoever looks like one, by %s', async (_, recipient) => {
    expect(await alice.ask(message({ ...bob, recipient }))).toMatchObject(refused('RECIPIENT_NOT_KNOWN'));
  });

  it.each([
    ['Cyrillic letters', 'b\u043eb@example.com'],
    ['an invisible letter', 'bob\u200b@example.com'],
    ['a full-width at sign', 'bob\uff20example.com'],
    ['a second address', 'bob@example.com,eve@evil.example'],
  ])('is not whoever looks like one, by %s: that is no address', async (_, recipient) => {
    const answer = await alice.ask(message({ ...bob, recipient }));
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_message' } });
    expect((await propose(known('gmail:bob@example.com', `gmail:${recipient}`))).status).toBe(422);
  });

  it('is not one of another service', async () => {
    const room = { service: 'slack', recipient: '#trading' };
    expect(await alice.ask(message(room))).toMatchObject(refused('RECIPIENT_NOT_KNOWN'));
  });

  it('has an approval of its own: neither two at once, nor one among looser limits', async () => {
    const two = await propose(known('gmail:bob@example.com', 'gmail:eve@evil.example', 'slack:#trading'));
    const among = await propose({ ...known('gmail:bob@example.com', 'gmail:eve@evil.example'), max_day_messages: 9 });
    for (const answer of [two, among]) {
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'invalid_policy', detail: 'a new recipient needs an approval of its own' },
      });
    }
    expect(await pending()).toEqual([]);
  });

  it('is not added by our own agent after text from outside, unless the owner said it', async () => {
    const eve = known('gmail:bob@example.com', 'gmail:carol@example.com');
    const from = (limits: Provenance['fields'][string]) => ({
      provenance: { fields: { base: { source: 'default' }, limits }, tainted_by: [NEWS] },
    });
    expect(await propose(eve, from(model))).toMatchObject(refused('PROVENANCE_NOT_OWN_WORDS'));
    expect((await propose(eve, from(said))).status).toBe(201);
    for (const { id } of await pending()) await world.phone.decide(id, 'deny');
  });

  it('is removed at once, and gets nothing that was approved before', async () => {
    const { id, code } = await alice.propose(message());
    const before = sent().length;
    const removed = await alice.send('PUT', '/v1/policy', await change(known()));
    expect(removed.body).toMatchObject({
      changes: ['tighter: Messages may no longer be sent to bob@example.com by email (Gmail)'],
    });
    await alice.tap(code);
    expect(await alice.until(id, 'blocked')).toMatchObject({
      reason: { code: 'policy_denied', members: { reason: 'RECIPIENT_NOT_KNOWN' } },
    });
    expect(sent()).toHaveLength(before);
    await tapped(await propose(known('gmail:bob@example.com')));
  });
});

describe('the text of a message', () => {
  it('is the owner’s or a rule’s after text from outside', async () => {
    for (const fields of [{ text: model }, { recipient: model }, { subject: model }]) {
      const answer = await alice.ask(afterNews(fields));
      expect(answer).toMatchObject(refused('PROVENANCE_NOT_OWN_WORDS'));
      expect(answer.body).toMatchObject({
        detail: expect.stringContaining(NEWS),
        hint: expect.stringContaining('Say it in your own words'),
      });
    }
    expect((await alice.ask(afterNews({}))).status).toBe(201);
    for (const { id } of await pending()) await world.phone.decide(id, 'deny');
  });
});

describe('a rule of the owner’s', () => {
  const folder = () => join(world.sandbox.ready.home, 'policies');
  const written = (text: string) => {
    mkdirSync(folder(), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder(), 'mail.cedar'), text, { mode: 0o600 });
  };
  afterEach(() => rmSync(folder(), { recursive: true }));

  it('can forbid messages', async () => {
    written('@id("no-mail") @message("no mail today") forbid (principal, action == Action::"send_message", resource);');
    const answer = await alice.ask(message());
    expect(answer).toMatchObject(refused('POLICY_FORBIDS'));
    expect(answer.body).toMatchObject({ detail: 'no mail today' });
  });

  it('that can’t be read keeps every message back', async () => {
    written('forbid (');
    expect(await alice.ask(message())).toMatchObject(refused('POLICY_INVALID'));
  });
});

describe('the messages of a day', () => {
  it('are no more than allowed, however many were approved at once', async () => {
    const before = sent().length;
    const asked = await propose({ max_day_messages: before + 7 });
    expect(asked.body).toMatchObject({ subject: { changes: [`looser: Messages per day 5 → ${before + 7}`] } });
    await tapped(asked);
    const put = await alice.send('PUT', '/v1/policy', await change({ max_day_messages: before + 2 }));
    expect(put.body).toMatchObject({
      changes: [`tighter: Messages per day ${before + 7} → ${before + 2}`],
    });
    const open = await Promise.all(Array.from({ length: 5 }, () => alice.propose(message())));
    for (const { code } of open) await alice.tap(code);
    const states: string[] = [];
    for (const { id } of open) {
      let found = await alice.proposal(id);
      while (!['executed', 'blocked'].includes(found.state)) {
        found = await alice.proposal(id, `?wait=20&since=${encodeURIComponent(found.updated_at)}`);
      }
      states.push(found.state);
      if (found.state === 'blocked') {
        expect(found.reason).toMatchObject({
          code: 'policy_denied',
          members: { reason: 'MESSAGES_EXCEED_MAX_PER_DAY' },
        });
      }
    }
    expect(states.toSorted()).toEqual([...Array(3).fill('blocked'), ...Array(2).fill('executed')]);
    expect(sent()).toHaveLength(before + 2);
    expect(await alice.ask(message())).toMatchObject(refused('MESSAGES_EXCEED_MAX_PER_DAY'));
  });
});
