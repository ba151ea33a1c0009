import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { TradeAgentError } from '../../errors/errors.ts';
import { boundedFetch } from '../../net/bounded-fetch.ts';
import { timeLimit } from '../../net/time-limit.ts';
import { RECEIPT_KEYS_PATH } from '../../trading/receipt.ts';
import type { App } from '../app.ts';

const LONGEST_ANSWER = 64 * 1024;
const TIMEOUT_MS = 10_000;
/** RFC 7638, SHA-256: 43 characters of base64url. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/** Whose receipts are believed: thumbprints (RFC 7638), and where they come from. */
export interface PinnedKeys {
  readonly thumbprints: readonly string[];
  /** `pinned`: whoever asks named them; else the address that they were fetched from, just now. */
  readonly from: string;
}

/**
 * @param key a thumbprint, or a file with a key or several (JWK, JWK Set); the profile's own gateway is asked where it is
 *   left out
 * @throws {TradeAgentError} `usage` for a file that holds no key, `gateway_unreachable`
 */
export async function pinnedKeys(
  app: Pick<App, 'profile' | 'fetch' | 'signal'>,
  key: string | undefined,
): Promise<PinnedKeys> {
  if (key !== undefined) {
    if (THUMBPRINT.test(key)) return { thumbprints: [key], from: 'pinned' };
    return { thumbprints: await ofKeys(await read(key)), from: 'pinned' };
  }
  const { gateway } = await app.profile();
  const url = `${gateway.replace(/\/+$/, '')}${RECEIPT_KEYS_PATH}`;
  const limit = timeLimit(TIMEOUT_MS, app.signal);
  try {
    const answer = await boundedFetch(app.fetch, LONGEST_ANSWER)(url, {
      signal: limit.signal,
      redirect: 'error',
    });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    return { thumbprints: await ofKeys(await answer.json()), from: url };
  } catch (cause) {
    if (cause instanceof TradeAgentError) throw cause;
    throw new TradeAgentError('gateway_unreachable', `the gateway’s key can’t be had from ${url}`, {
      hint: 'Name the key that you know it by: --key FILE, or its thumbprint.',
      cause,
    });
  } finally {
    limit.end();
  }
}

export function trusted({ thumbprints }: PinnedKeys): (thumbprint: string) => boolean {
  return (thumbprint) => thumbprints.includes(thumbprint);
}

async function read(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new TradeAgentError('usage', `${file} holds no key (JWK or JWK Set)`, {
      hint: `--key takes a thumbprint of 43 characters, or a file such as what the gateway has at ${RECEIPT_KEYS_PATH}.`,
      cause,
    });
  }
}

async function ofKeys(value: unknown): Promise<string[]> {
  const keys = (value as { keys?: unknown } | null)?.keys ?? [value];
  try {
    const thumbprints = await Promise.all((keys as JWK[]).map((jwk) => calculateJwkThumbprint(jwk)));
    if (thumbprints.length > 0) return thumbprints;
  } catch {
    // As below.
  }
  throw new TradeAgentError('usage', 'it holds no key (JWK or JWK Set)', {
    hint: '--key takes a thumbprint of 43 characters, or a file with public keys.',
  });
}
