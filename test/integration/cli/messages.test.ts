import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { knowRecipients } from '../../fixtures/known-recipients.ts';
import { linesIn } from '../../fixtures/record-lines.ts';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();
beforeAll(async () => {
  knowRecipients(
    ...[world.sandbox.ready.home, 'slack:#trading', 'slack:#general', 'slack:#nowhere', 'gmail:bob@example.com'],
  );
  await connect('slack');
  await connect('gmail');
});
beforeEach(() => world.sandbox.faults.clear());

const TICKET = /phone connect ([\w-]+)/;

async function connect(name: string): Promise<void> {
  const command = world.start(['connections', 'add', name]);
  const ticket = TICKET.exec(await command.says(TICKET))?.[1] ?? '';
  await world.run(['phone', 'connect', ticket]);
  const { exitCode, stderr } = await command.done;
  if (exitCode !== 0) throw new Error(stderr);
}

const ask = (prompt: string, ...more: readonly string[]) => world.json('run', prompt, ...more);
const sent = () => world.sandbox.sentMessages();
const audit = () => linesIn(join(world.sandbox.ready.home, 'gateway.db'));

describe('a summary for Slack', () => {
  it('shows recipient and whole text on the phone, and sends just that, once', async () => {
    const before = sent().length;
    const run = ask('send my portfolio to slack #trading');
    const phone = await world.decide('approve');
    const { exitCode, body, stderr } = await run;
    expect([exitCode, stderr]).toMatchObject([0, expect.stringContaining('message to #trading on Slack')]);
    const { type, subject: details } = phone.details;
    expect(type).toBe('message_send');
    expect(details).toMatchObject({ service: 'slack', recipient: '#trading' });
    expect(details.text).toContain('Equity $');
    // As people in the channel read it, which is what was approved, to the letter.
    expect(sent().slice(before)).toMatchObject([
      { service: 'slack', user: 'alice', recipient: '#trading', text: details.text },
    ]);
    expect(body).toMatchObject({
      status: 'done',
      messages: [{ service: 'slack', recipient: '#trading', service_id: expect.any(String) }],
      approvals: [{ kind: 'message', status: 'executed', message: { text: details.text } }],
      orders: [],
    });
    // On the terminal, too, every line of the text was shown beforehand, under the same code.
    for (const line of details.text.split('\n')) expect(stderr).toContain(line);
    expect(stderr).toContain(phone.code);
    expect(
      audit()
        .slice(-6)
        .map(({ event }) => event),
    ).toEqual(['proposed', 'requested', 'signed', 'approved', 'executing', 'executed']);

    const again = await world.json('resume', body.thread);
    expect([again.exitCode, sent().length]).toEqual([0, before + 1]);
  });

  it('is not sent when it is denied', async () => {
    const before = sent().length;
    const run = ask('send my portfolio to slack #trading');
    await world.decide('deny');
    const { exitCode, body } = await run;
    expect([exitCode, body.error]).toMatchObject([6, { hint: 'Nothing was sent.' }]);
    expect(sent()).toHaveLength(before);
  });

  it('to a channel that is none is refused by Slack, and says so', async () => {
    const run = ask('send my portfolio to slack #nowhere');
    await world.decide('approve');
    const { exitCode, body } = await run;
    expect([exitCode, body]).toMatchObject([
      1,
      { status: 'failed', error: { code: 'message_rejected' }, approvals: [{ status: 'blocked' }] },
    ]);
  });

  it('whose answer Slack never gave is of unknown outcome, and never sent twice', async () => {
    const before = sent().length;
    world.sandbox.faults.set('message_timeout_after_accept', 1);
    const run = ask('send my portfolio to slack #trading');
    await world.decide('approve');
    const { exitCode, body } = await run;
    expect([exitCode, body]).toMatchObject([
      10,
      {
        status: 'unknown',
        error: { code: 'outcome_unknown', hint: 'It is not sent a second time.' },
        messages: [],
      },
    ]);
    for (let i = 0; i < 2; i++) await world.json('resume', body.thread);
    await world.run(['approvals', 'reconcile']);
    expect(sent()).toHaveLength(before + 1);
  });

  it('is read again from the approvals, and waits there for its decision', async () => {
    const { exitCode, body } = await ask('send my portfolio to slack #general', '--approval', 'detach');
    expect(exitCode).toBe(5);
    const { approvals, thread } = body;
    const { id, code } = approvals[0];
    const list = await world.run(['approvals']);
    expect(list.stdout).toMatch(new RegExp(`${id} +${code} +message to #general on Slack +requested`));
    const shown = await world.run(['approvals', 'show', id]);
    for (const line of approvals[0].message.text.split('\n')) expect(shown.stdout).toContain(line);
    await world.decide('approve');
    const waited = await world.json('approvals', 'wait', id);
    expect([waited.exitCode, waited.body.messages]).toMatchObject([0, [{ recipient: '#general' }]]);
    expect(waited.body.thread).toBe(thread);
  });

  it('can be taken back before it is decided', async () => {
    const before = sent().length;
    const { body } = await ask('send my portfolio to slack #general', '--approval', 'detach');
    const { approvals, thread } = body;
    await world.run(['approvals', 'cancel', approvals[0].id]);
    expect((await world.decide('approve', '1s')).error.code).toBe('timeout');
    const resumed = await world.json('resume', thread);
    expect([resumed.exitCode, resumed.body.approvals[0].status]).toEqual([6, 'cancelled']);
    expect(sent()).toHaveLength(before);
  });
});

describe('a summary by Gmail', () => {
  it('arrives with the approved subject and text, from the account of who approved it', async () => {
    const before = sent().length;
    const run = ask('email my portfolio to bob@example.com');
    const phone = await world.decide('approve');
    const { exitCode } = await run;
    const { subject: details } = phone.details;
    expect(exitCode).toBe(0);
    expect(sent().slice(before)).toMatchObject([
      {
        service: 'gmail',
        user: 'alice',
        recipient: 'bob@example.com',
        subject: details.subject,
        text: details.text,
      },
    ]);
  });
});

describe('an account that is not connected', () => {
  it('keeps the run from asking for an approval until it is', async () => {
    await world.run(['connections', 'remove', 'slack']);
    const before = sent().length;
    const run = world.start(['run', 'send my portfolio to slack #trading', '--output', 'json']);
    await run.says(/"slack" is not connected; waiting/);
    expect((await world.json('approvals')).body.approvals).not.toContainEqual(
      expect.objectContaining({ status: 'requested' }),
    );
    await connect('slack');
    await world.decide('approve');
    expect((await run.done).exitCode).toBe(0);
    expect(sent()).toHaveLength(before + 1);
  });

  it('after the approval leaves that standing: connected again, the message goes out', async () => {
    const before = sent().length;
    const { body } = await ask('send my portfolio to slack #trading', '--approval', 'detach');
    await world.run(['connections', 'remove', 'slack']);
    await world.decide('approve');
    const { thread } = body;
    const early = await world.json('resume', thread, '--approval', 'detach');
    expect(early.body).toMatchObject({ messages: [] });
    expect(early.exitCode).not.toBe(0);
    expect(sent()).toHaveLength(before);
    await connect('slack');
    expect((await world.run(['resume', thread, '--timeout', '30s'])).exitCode).toBe(0);
    expect(sent()).toHaveLength(before + 1);
  });
});
