import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { decodeSigningKey } from '../../../src/config/signing-key.ts';
import type { Notice } from '../../../src/notify/notice.ts';
import { ntfyMessage } from '../../../src/notify/ntfy.ts';
import { createSignatureHeaders, webhookMessage } from '../../../src/notify/signed-webhook.ts';
import { slackMessage } from '../../../src/notify/slack.ts';

const notice: Notice = {
  id: 'nt_abc-123',
  type: 'finding',
  severity: 'info',
  title: 'a <b> & c',
  body: 'ünïcode <!here>',
  at: '2026-11-24T17:00:00.000Z',
  data: { findings: [] },
};

describe('a signed webhook', () => {
  it('has the signature that Standard Webhooks’ own library makes of the same', () => {
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const body = webhookMessage(notice);
    const now = Date.parse('2026-11-24T17:00:05.900Z');
    const headers = createSignatureHeaders(decodeSigningKey(secret) ?? Buffer.alloc(0), notice.id, body, now);
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(now / 1000)));
    expect(headers['webhook-signature']).toBe(new Webhook(secret).sign(notice.id, new Date(now), body));
  });

  it('takes keys of 24 to 64 bytes alone', () => {
    const ofBytes = (count: number) => decodeSigningKey(`whsec_${Buffer.alloc(count, 1).toString('base64')}`)?.length;
    expect([23, 24, 64, 65].map(ofBytes)).toEqual([undefined, 24, 64, undefined]);
    expect(decodeSigningKey(Buffer.alloc(32).toString('base64'))).toBe(undefined);
    expect(decodeSigningKey('whsec_not base64 but long enough to be a key')).toBe(undefined);
  });
});

it('Slack calls nobody', () => {
  expect(JSON.parse(slackMessage(notice))).toEqual({
    text: '*a &lt;b&gt; &amp; c*\nünïcode &lt;!here&gt;',
  });
});

it('ntfy rings on for what is critical and for approvals', () => {
  const priority = (more: Partial<Notice>) =>
    (JSON.parse(ntfyMessage({ topic: 't', tags: [] }, { ...notice, ...more })) as { priority: number }).priority;
  expect(
    [{}, { severity: 'warning' }, { severity: 'critical' }, { type: 'approval' }].map((more) =>
      priority(more as Partial<Notice>),
    ),
  ).toEqual([2, 4, 5, 5]);
});
