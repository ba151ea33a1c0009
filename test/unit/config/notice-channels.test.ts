import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config-file.ts';

const profile = (notices: string) =>
  parseConfig(`profiles:\n  work:\n    notices:\n${notices.replace(/^/gm, '      ')}\n`, 'config.yaml');
const refusal = (notices: string) =>
  profile(notices).then(
    () => 'nothing',
    ({ message, hint }: { message: string; hint?: string }) => `${message} ${hint}`,
  );

describe('notices in config.yaml', () => {
  it('take every kind of channel, with defaults', async () => {
    const { profiles } = await profile(
      [
        'desk: {kind: desktop}',
        'mail: {kind: email, host: smtp.example.com, from: a@example.com, to: [b@example.com]}',
        'team: {kind: slack, min_severity: critical, rules: [drawdown]}',
        'hook: {kind: webhook, url: "https://example.com/hook"}',
        'push: {kind: ntfy, topic: alice}',
      ].join('\n'),
    );
    expect(profiles.work?.notices).toMatchObject({
      desk: { enabled: true, min_severity: 'warning', approvals: true, fills: true, timeout: 10 },
      mail: { security: 'starttls' },
      push: { server: 'https://ntfy.sh', tags: [] },
    });
  });

  it.each([
    [
      'push: {kind: ntfy, topc: alice}',
      /config\.yaml:4: unknown key "profiles\.work\.notices\.push\.topc" Did you mean "topic"\?/,
    ],
    ['desk: {kind: desktop, topic: alice}', /unknown key .*topic".*min_severity/],
    [
      'push: {kind: nfty, topic: a}',
      /config\.yaml:4: .*kind": must have a "kind": desktop, email(, [a-z]+)* or [a-z]+/,
    ],
    ['push: {topic: a}', /must have a "kind"/],
    [
      'desk: {kind: desktop, title: "{subjct} fell"}',
      /unknown placeholder \{subjct\}\. Did you mean \{subject\}\? Placeholders are \{severity\}/,
    ],
    ['desk: {kind: desktop, body: "{price}"}', /unknown placeholder \{price\}/],
    ['hook: {kind: webhook, url: "http://example.com"}', /must be an https address/],
    ['hook: {kind: webhook, url: "https://me:secret@example.com"}', /must not contain a user name or password/],
    ['push: {kind: ntfy, topic: a, server: "http://ntfy.example.com"}', /must be an https address/],
    ['push: {kind: ntfy, topic: "a/b"}', /must be 1 to 64 letters/],
    [
      'mail: {kind: email, host: smtp.example.com, from: a@b.de, to: [c@d.de], security: none}',
      /security": "none" is allowed only for a mail server on this machine/,
    ],
    [
      'mail: {kind: email, host: localhost, user: a, from: a@b.de, to: [c@d.de], security: none}',
      /user": needs "security: starttls" or "tls", because the password would otherwise be sent unencrypted/,
    ],
    ['mail: {kind: email, host: "a b", from: a@b.de, to: [c@d.de]}', /must be a host name/],
    ['mail: {kind: email, host: a.de, from: a@b.de, to: ["c@d.de\\r\\nBcc: x@y.de"]}', /to\.0"/],
    ['mail: {kind: email, host: a.de, from: a@b.de, to: [c@d.de], password: x}', /unknown key .*password/],
    ['My Mail: {kind: desktop}', /lowercase letters/],
  ])('refuse %s', async (text, expected) => {
    expect(await refusal(text)).toMatch(expected);
  });
});
