import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { Clock } from '../../../machine/clock.ts';
import { createBoundedFetch } from '../../../net/bounded-fetch.ts';
import { parseJson } from '../../../values/parse-json.ts';

/** Timeout in milliseconds. Short, because credentials come from this machine or its region. */
const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 64 * 1024;

interface CredentialRequest {
  readonly url: URL | string;
  readonly method?: 'GET' | 'PUT' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams;
  readonly timeoutMs?: number;
}

/**
 * Sends a request for credentials and returns the body of the response.
 * @param whom names the source in error messages, such as "the container's role"
 * @throws {TradeAgentError} `credential_store_unavailable` unless the status is 200; the error contains only the status
 */
export async function fetchCredentialText(
  send: typeof fetch,
  whom: string,
  { url, timeoutMs = TIMEOUT_MS, ...init }: CredentialRequest,
): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  let status: number;
  try {
    const response = await createBoundedFetch(send, MAX_ANSWER_BYTES)(url, { ...init, redirect: 'error', signal });
    ({ status } = response);
    if (status === 200) return await response.text();
    await response.body?.cancel();
  } catch {
    throw noCredentialsError(whom, signal.aborted ? `no response within ${timeoutMs} ms` : 'invalid response');
  }
  throw noCredentialsError(whom, `HTTP status ${status}`);
}

/** Schema of a role's credentials. They are temporary, so `Token` and `Expiration` are required. */
const roleSchema = z.object({
  Code: z.literal('Success').optional(),
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  Token: z.string().min(1),
  Expiration: z.iso.datetime({ offset: true }),
});

/** Parses a role's credentials. @throws {TradeAgentError} `credential_store_unavailable` if they are invalid */
export function parseRoleCredentials(whom: string, text: string): AwsCredentials {
  const { data } = roleSchema.safeParse(parseJson(text));
  if (data === undefined) throw noCredentialsError(whom, 'invalid response');
  return {
    accessKeyId: data.AccessKeyId,
    secretAccessKey: data.SecretAccessKey,
    sessionToken: data.Token,
    expiresAt: Date.parse(data.Expiration),
  };
}

export function noCredentialsError(whom: string, why: string): TradeAgentError {
  return new TradeAgentError('credential_store_unavailable', `no AWS credentials from ${whom}: ${why}`, {
    hint: 'Nothing was changed. Check this process’s role in AWS, then try again.',
  });
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Milliseconds since the epoch; undefined for credentials that never expire. */
  readonly expiresAt?: number;
}

export interface AwsCredentialOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly region: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly fetch: typeof fetch;
}

/** Obtains credentials. @returns undefined if this machine is not set up for this source of credentials */
export type AwsCredentialSource = (options: AwsCredentialOptions) => Promise<AwsCredentials | undefined>;

export const awsDomain = (region: string) => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');
