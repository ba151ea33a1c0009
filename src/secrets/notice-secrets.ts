import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { getChannelKind, type NoticeChannel } from '../config/notice-channels.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { CredentialStore } from './credential-store.ts';

/** Maximum number of attempts to store a secret. An attempt fails if another process stores a secret meanwhile. */
const MAX_STORE_ATTEMPTS = 5;
const MAX_SECRET_LENGTH = 400;

/**
 * Secrets by channel name. `to` is a hash of the recipient: if config.yaml changes the recipient, the secret must be
 * entered again.
 */
const storedNoticeSecretsSchema = z.record(z.string(), z.object({ to: z.string(), secret: z.string() }));
type Stored = z.output<typeof storedNoticeSecretsSchema>;

export function noticeSecretRequirement(channel: NoticeChannel): 'required' | 'optional' | 'none' {
  return getChannelKind(channel).secret?.need(channel) ?? 'none';
}

export function noticeSecretLabel(channel: NoticeChannel): string {
  return getChannelKind(channel).secret?.words(channel) ?? 'secret';
}

/**
 * Stores a channel's secret.
 * @throws {TradeAgentError} `usage` for a string that can't be a secret; `credential_store_…`
 */
export async function storeNoticeSecret(
  store: CredentialStore,
  name: string,
  channel: NoticeChannel,
  secret: string,
): Promise<void> {
  requireValidSecret(channel, secret);
  await changeSecrets(store, (all) => ({ ...all, [name]: { to: recipientHash(channel), secret } }));
}

async function changeSecrets(store: CredentialStore, change: (all: Stored) => Stored): Promise<void> {
  for (let tries = 0; tries < MAX_STORE_ATTEMPTS; tries++) {
    const { notice_secrets: before } = await store.get(['notice_secrets'], { fresh: true });
    const kept = parseSecrets(before);
    const all = change(kept);
    if (isDeepStrictEqual(all, kept)) return;
    if (await store.set({ notice_secrets: JSON.stringify(all) }, { notice_secrets: before })) return;
  }
  throw new TradeAgentError('busy', 'another process keeps changing the notice secrets', {
    hint: 'Try again.',
  });
}

/** Deletes a channel's secret if there is one. @throws {TradeAgentError} `credential_store_…` */
export async function deleteNoticeSecret(store: CredentialStore, name: string): Promise<void> {
  await changeSecrets(store, ({ [name]: _, ...others }) => others);
}

/**
 * Reads all notice secrets with one call to the store.
 * @returns a function that returns a channel's secret if it was stored for the channel's current recipient
 */
export async function loadNoticeSecrets(
  store: CredentialStore,
): Promise<(name: string, channel: NoticeChannel) => string | undefined> {
  const { notice_secrets: text } = await store.get(['notice_secrets']);
  const all = parseSecrets(text);
  return (name, channel) => {
    const found = Object.hasOwn(all, name) ? all[name] : undefined;
    return found?.to === recipientHash(channel) ? found.secret : undefined;
  };
}

function parseSecrets(text: string | undefined): Stored {
  if (text === undefined) return {};
  try {
    return storedNoticeSecretsSchema.parse(JSON.parse(text));
  } catch {
    // The parser's message is left out, because it may quote a secret.
    throw new TradeAgentError('credential_store_unavailable', 'the stored notice secrets are damaged', {
      hint: 'Nothing was changed. Remove the entry "notice_secrets" and enter the secrets again.',
    });
  }
}

/** Returns a short hash, because all channels' secrets and hashes together must fit into 1,200 characters. */
function recipientHash(channel: NoticeChannel): string {
  const parts = getChannelKind(channel).secret?.boundTo(channel) ?? [];
  return createHash('sha256')
    .update(JSON.stringify([channel.kind, ...parts]))
    .digest('base64url')
    .slice(0, 12);
}

function requireValidSecret(channel: NoticeChannel, secret: string): void {
  const refuse = (hint: string) => {
    throw new TradeAgentError('usage', `that is not the ${noticeSecretLabel(channel)}`, {
      hint: `${hint} Nothing was changed.`,
    });
  };
  if (secret.length > MAX_SECRET_LENGTH || /[\p{Cc}]/u.test(secret))
    refuse(`The secret must be one line of at most ${MAX_SECRET_LENGTH} characters.`);
  const mustBe = getChannelKind(channel).secret?.mustBe?.(secret);
  if (mustBe !== undefined) refuse(mustBe);
}
