import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile } from '../../machine/private-file.ts';
import { createBoundedFetch } from '../../net/bounded-fetch.ts';
import { requireSecureUrl } from '../../net/secure-url.ts';
import type { Kms } from './kms.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_TOKEN_BYTES = 4096;

interface VaultKmsOptions {
  readonly url: string;
  readonly key: string;
  /** File that contains only the token. It is read for each request, because Vault Agent renews the token. */
  readonly tokenFile: string;
  /** Mount path of the transit engine; `transit` by default. */
  readonly mount?: string;
  readonly namespace?: string;
  readonly fetch?: typeof fetch;
  readonly timeoutMs?: number;
}

/**
 * Returns a {@link Kms} that uses the transit engine of HashiCorp Vault (1.13 or later, for associated data) or
 * OpenBao. A ciphertext names its key version, so the key can be rotated with just `vault write -f
 * transit/keys/NAME/rotate`.
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit "Encrypt data", "Decrypt data"
 * @throws {TradeAgentError} `invalid_config` if the server's URL is not secure
 */
export function openVaultKms(options: VaultKmsOptions): Kms {
  const { key, mount = 'transit' } = options;
  const base = requireSecureUrl(options.url);
  const ask = createSendToVault(base, options);
  const path = (operation: string) =>
    `/v1/${mount.split('/').map(encodeURIComponent).join('/')}/${operation}/${encodeURIComponent(key)}`;
  const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
  return {
    async wrap(plain, context) {
      const body = { plaintext: base64(plain), associated_data: base64(context) };
      return (await ask(path('encrypt'), body, wrappedSchema)).ciphertext;
    },
    async unwrap(wrapped, context) {
      const { success } = wrappedSchema.safeParse({ ciphertext: wrapped });
      if (!success) throw unavailable(base, 'did not wrap this key', CANNOT_UNWRAP);
      const body = { ciphertext: wrapped, associated_data: base64(context) };
      return Buffer.from((await ask(path('decrypt'), body, unwrappedSchema)).plaintext, 'base64');
    },
  };
}

const wrappedSchema = z.object({ ciphertext: z.string().regex(/^vault:v\d+:[\w+/=]+$/) });
const unwrappedSchema = z.object({ plaintext: z.base64() });

const CANNOT_UNWRAP =
  'The wrapped key is damaged or was wrapped for another purpose, or its wrapping key no longer exists. Nothing was changed.';

type SendToVault = <Schema extends z.ZodType>(path: string, body: object, data: Schema) => Promise<z.output<Schema>>;

/**
 * Returns a function that sends requests to Vault. Its errors quote neither the request nor the response, because both
 * can contain a key.
 */
function createSendToVault(base: URL, options: VaultKmsOptions): SendToVault {
  const { tokenFile, namespace, fetch: send = fetch, timeoutMs = TIMEOUT_MS } = options;
  const bounded = createBoundedFetch(send, MAX_ANSWER_BYTES);
  return async (path, body, data) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = {
      'content-type': 'application/json',
      'x-vault-token': readToken(tokenFile),
      'x-vault-request': 'true',
      ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    };
    let status: number;
    let answer: unknown;
    try {
      const response = await bounded(new URL(path, base), {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        // Following a redirect would send the token to an address that the settings don't name.
        redirect: 'error',
        signal,
      });
      ({ status } = response);
      if (status === 200) answer = await response.json();
      else await response.body?.cancel();
    } catch {
      const why = signal.aborted ? `took longer than ${timeoutMs} ms` : 'returned an invalid response';
      throw unavailable(base, why, 'Check the network, then try again.');
    }
    if (status !== 200) throw statusError(base, status);
    const parsed = data.safeParse(z.object({ data: z.unknown() }).safeParse(answer).data?.data);
    if (parsed.success) return parsed.data;
    throw unavailable(base, 'returned an invalid response', 'Check that the address belongs to a Vault server.');
  };
}

/** @see https://developer.hashicorp.com/vault/api-docs "HTTP status codes" */
function statusError(base: URL, status: number): TradeAgentError {
  if (status === 503) {
    return new TradeAgentError('credential_store_locked', `Vault at ${base.origin} is sealed or in maintenance`, {
      hint: 'Unseal Vault, then try again.',
    });
  }
  const hints: Readonly<Record<number, string>> = {
    400: CANNOT_UNWRAP,
    403: 'The token has expired, or its policy lacks the capability "update" on encrypt/ and decrypt/ of this key.',
    404: 'Check that the transit engine is mounted there.',
  };
  return unavailable(base, `responded with HTTP status ${status}`, hints[status] ?? 'Try again in a moment.');
}

function readToken(file: string): string {
  const unusable = (why: string) =>
    new TradeAgentError('credential_store_unavailable', `the Vault token in ${file} can't be used: ${why}`, {
      hint: 'The file must contain only the token, and only its owner may read it (mode 0600).',
    });
  const token = readPrivateFile(file, MAX_TOKEN_BYTES, unusable)?.trim();
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  throw unusable(token === undefined ? 'there is no such file' : 'the file does not contain a token');
}

function unavailable(base: URL, why: string, hint: string): TradeAgentError {
  return new TradeAgentError('credential_store_unavailable', `Vault at ${base.origin} ${why}`, { hint });
}
