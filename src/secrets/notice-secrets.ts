import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type NoticeChannel, smtpPort } from '../config/notice-channels.ts';
import { isSecureUrl } from '../net/secure-url.ts';
import { TradeAgentError } from '../trading/errors.ts';
import type { CredentialStore } from './credential-store.ts';

/** Two processes that keep a secret at once each try again. */
const MOST_TRIES = 5;
const LONGEST_SECRET = 400;

/** What a secret goes to is part of it: with another server in config.yaml it must be given anew. */
const storedSchema = z.record(z.string(), z.object({ to: z.string(), secret: z.string() }));
type Stored = z.output<typeof storedSchema>;

/** Whether a channel works without a secret. */
export function noticeSecretNeed(channel: NoticeChannel): 'required' | 'optional' | 'none' {
  switch (channel.kind) {
    case 'desktop':
      return 'none';
    case 'email':
      return channel.user === undefined ? 'none' : 'required';
    case 'slack':
    case 'webhook':
      return 'required';
    case 'ntfy':
      return 'optional';
  }
}

/** What the secret is, for people: `the password of …`. */
export function noticeSecretWords(channel: NoticeChannel): string {
  switch (channel.kind) {
    case 'email':
      return `password of ${channel.user ?? 'nobody'} at ${channel.host}`;
    case 'slack':
      return 'address of the incoming webhook';
    case 'webhook':
      return 'signing secret (whsec_…)';
    case 'ntfy':
      return 'access token';
    case 'desktop':
      return 'secret';
  }
}

/**
 * Keeps a channel's secret.
 * @throws {TradeAgentError} `usage` for what can't be one; `credential_store_…`
 */
export async function storeNoticeSecret(
  store: CredentialStore,
  name: string,
  channel: NoticeChannel,
  secret: string,
): Promise<void> {
  requireUsable(channel, secret);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { notice_secrets: before } = await store.get(['notice_secrets'], { fresh: true });
    const all: Stored = { ...parse(before), [name]: { to: boundTo(channel), secret } };
    if (await store.set({ notice_secrets: JSON.stringify(all) }, { notice_secrets: before })) return;
  }
  throw new TradeAgentError('busy', 'another process keeps changing the secrets of the notices', {
    hint: 'Try again.',
  });
}

/** The secrets there are, each for the channel it was given for alone. One call to the store. */
export async function noticeSecrets(
  store: CredentialStore,
): Promise<(name: string, channel: NoticeChannel) => string | undefined> {
  const { notice_secrets: text } = await store.get(['notice_secrets']);
  const all = parse(text);
  return (name, channel) => {
    const found = Object.hasOwn(all, name) ? all[name] : undefined;
    return found?.to === boundTo(channel) ? found.secret : undefined;
  };
}

function parse(text: string | undefined): Stored {
  if (text === undefined) return {};
  try {
    return storedSchema.parse(JSON.parse(text));
  } catch {
    // A parser's message may quote what it read.
    throw new TradeAgentError('credential_store_unavailable', 'the secrets of the notices are damaged', {
      hint: 'Nothing was changed. Remove the entry "notice_secrets" and give them anew.',
    });
  }
}

/** Short, since all of a profile's share one entry of 1,200 characters. */
function boundTo(channel: NoticeChannel): string {
  const parts = (() => {
    switch (channel.kind) {
      case 'email':
        return [channel.host, smtpPort(channel), channel.user];
      case 'webhook':
        return [channel.url];
      case 'ntfy':
        return [channel.server];
      case 'slack':
      case 'desktop':
        return [];
    }
  })();
  return createHash('sha256')
    .update(JSON.stringify([channel.kind, ...parts]))
    .digest('base64url')
    .slice(0, 12);
}

/** The key of a signing secret, 24 to 64 bytes (Standard Webhooks, "Signature scheme"); undefined for anything else. */
export function signingKey(secret: string): Buffer | undefined {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const key = Buffer.from(encoded ?? '', 'base64');
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

function requireUsable(channel: NoticeChannel, secret: string): void {
  const refuse = (hint: string) => {
    throw new TradeAgentError('usage', `that is not the ${noticeSecretWords(channel)}`, {
      hint: `${hint} Nothing was changed.`,
    });
  };
  if (secret.length > LONGEST_SECRET || /[\p{Cc}]/u.test(secret))
    refuse(`One line of at most ${LONGEST_SECRET} characters.`);
  if (channel.kind === 'slack' && !isSecureUrl(secret)) refuse('An https address.');
  if (channel.kind === 'ntfy' && !/^[\x21-\x7e]+$/.test(secret)) refuse('Printable characters, no spaces.');
  if (channel.kind === 'webhook' && signingKey(secret) === undefined)
    refuse('whsec_ and 24 to 64 bytes in base64; make one: printf whsec_%s "$(openssl rand -base64 32)"');
}
