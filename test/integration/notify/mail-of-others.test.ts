import { afterAll, beforeAll, expect, it } from 'vitest';
import { noticeChannelSchema } from '../../../src/config/notice-channels.ts';
import type { Notice } from '../../../src/notify/notice.ts';
import { createChannelSender } from '../../../src/notify/open-channel.ts';
import { findChannelProblem } from '../../../src/server/jobs/notice-job.ts';
import { type MailServer, openMailServer } from './mail-server.ts';

/** A mail server on this machine, and how often somebody connected to it. */
let mail: MailServer;
let connections = 0;
beforeAll(async () => {
  mail = await openMailServer({
    onConnect: (_session, done) => {
      connections += 1;
      done();
    },
  });
});
afterAll(() => mail.close());

const notice: Notice = {
  ...{ id: 'nt_1', type: 'test', severity: 'info', title: 'Test', body: 'Nothing happened.' },
  ...{ at: '2026-11-30T12:00:00Z', data: {} },
};

it('a mail server that a person named is not reached on this machine by a name that changes after the check', async () => {
  const channel = noticeChannelSchema.parse({
    ...{ kind: 'email', host: 'localhost', port: mail.port, from: 'a@example.com', to: ['b@example.com'] },
    ...{ security: 'none', timeout: 5 },
  });
  const answers = [['93.184.215.14'], ['127.0.0.1']];
  const resolveMail = async () => answers.shift() ?? [];
  expect(await findChannelProblem(channel, resolveMail)).toBeUndefined();
  const send = createChannelSender('mine', channel, undefined, {
    ...{ fetch, env: {}, platform: process.platform, now: Date.now, command: 'trade-agent notices' },
    resolveMail,
  });
  await expect(send(notice, new AbortController().signal)).rejects.toMatchObject({ code: 'unreachable' });
  expect(answers).toEqual([]);
  expect(connections).toBe(0);
});
