import { AwsV4Signer } from 'aws4fetch';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { createBoundedFetch } from '../../net/bounded-fetch.ts';
import { requireSecureUrl } from '../../net/secure-url.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import { type AwsCredentials, awsDomain } from './aws/credential-request.ts';
import { createAwsCredentialProvider } from './aws/credentials.ts';
import type { Kms } from './kms.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

interface AwsKmsOptions {
  /** A symmetric key's ID, ARN or alias. */
  readonly key: string;
  readonly region: string;
  /** Variables for {@link createAwsCredentialProvider}; `AWS_ENDPOINT_URL_KMS` sets a KMS endpoint (VPC, FIPS). */
  readonly env: NodeJS.ProcessEnv;
  readonly fetch?: typeof fetch;
  readonly clock?: Pick<Clock, 'now'>;
  readonly timeoutMs?: number;
}

/** Key of our entry in KMS's `EncryptionContext`. CloudTrail logs the entry in plain text. */
const CONTEXT_NAME = 'trade-agent';

/**
 * Returns a {@link Kms} that wraps data keys with an AWS KMS key. A ciphertext identifies its key, so if an alias is
 * moved to another key, the earlier key still unwraps the data keys that it wrapped. AWS rotates keys automatically.
 * The operator's IAM policy should list the keys that may unwrap, so that nobody can substitute a different key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html, API_Decrypt.html
 * @throws {TradeAgentError} `invalid_config` if the endpoint's URL is not secure
 */
export function openAwsKms(options: AwsKmsOptions): Kms {
  const { key, region, env } = options;
  const base = requireSecureUrl(env.AWS_ENDPOINT_URL_KMS ?? `https://kms.${region}.${awsDomain(region)}`);
  const ask = createSendToKms(base, options);
  const pairs = (context: string) => ({ EncryptionContext: { [CONTEXT_NAME]: context } });
  return {
    async wrap(plain, context) {
      const body = { KeyId: key, Plaintext: Buffer.from(plain).toString('base64'), ...pairs(context) };
      const { CiphertextBlob, KeyId } = await ask('Encrypt', body, wrappedSchema);
      return `aws:${KeyId}:${Buffer.from(CiphertextBlob, 'base64').toString('base64url')}`;
    },
    async unwrap(wrapped, context) {
      const [, KeyId, sealed] = /^aws:(arn:[\w/:-]+):([\w-]+)$/.exec(wrapped) ?? [];
      if (sealed === undefined) throw unavailable(base, 'did not wrap this key', CANNOT_UNWRAP);
      const CiphertextBlob = Buffer.from(sealed, 'base64url').toString('base64');
      const answer = await ask('Decrypt', { CiphertextBlob, KeyId, ...pairs(context) }, unwrappedSchema);
      return Buffer.from(answer.Plaintext, 'base64');
    },
  };
}

const wrappedSchema = z.object({
  CiphertextBlob: z.base64().min(1),
  KeyId: z.string().regex(/^arn:[\w/:-]{1,2048}$/),
});
const unwrappedSchema = z.object({ Plaintext: z.base64().min(1) });

const CANNOT_UNWRAP =
  'The wrapped key is damaged or was wrapped for another purpose, or its wrapping key no longer exists. Nothing was changed.';

interface SignedRequest {
  readonly url: URL;
  readonly service: string;
  readonly region: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds since the epoch. AWS rejects requests whose time is off by more than five minutes. */
  readonly now: number;
}

/** Returns the headers of a request with its signature (AWS Signature Version 4). */
export async function signAwsHeaders(request: SignedRequest, credentials: AwsCredentials): Promise<Headers> {
  const { url, service, region, method, headers, body, now } = request;
  const signer = new AwsV4Signer({
    url: url.href,
    service,
    region,
    method,
    headers,
    body,
    datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    ...defined({ sessionToken: credentials.sessionToken }),
  });
  return (await signer.sign()).headers;
}

type SendToKms = <Schema extends z.ZodType>(
  operation: string,
  body: object,
  schema: Schema,
) => Promise<z.output<Schema>>;

/**
 * Returns a function that sends requests to KMS. Its errors quote neither the request nor the response, because both
 * can contain a key.
 */
function createSendToKms(base: URL, options: AwsKmsOptions): SendToKms {
  const { region, env, fetch: send = fetch, clock = systemClock, timeoutMs = TIMEOUT_MS } = options;
  const bounded = createBoundedFetch(send, MAX_ANSWER_BYTES);
  const credentials = createAwsCredentialProvider({ env, region, clock, fetch: send });
  return async (operation, content, schema) => {
    const body = JSON.stringify(content);
    const request = {
      method: 'POST' as const,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` },
      body,
    };
    const now = clock.now();
    const headers = await signAwsHeaders({ ...request, url: base, service: 'kms', region, now }, await credentials());
    const signal = AbortSignal.timeout(timeoutMs);
    let status: number;
    let answer: unknown;
    try {
      const response = await bounded(base, { method: 'POST', headers, body, redirect: 'error', signal });
      ({ status } = response);
      const text = await response.text();
      // An intermediary such as a proxy or a firewall answers in its own format.
      answer = status === 200 ? JSON.parse(text) : parseJson(text);
    } catch {
      const why = signal.aborted ? `took longer than ${timeoutMs} ms` : 'returned an invalid response';
      throw unavailable(base, why, 'Check the network, then try again.');
    }
    if (status !== 200) throw statusError(base, status, answer);
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw unavailable(base, 'returned an invalid response', 'Check that the address belongs to AWS KMS.');
  };
}

const failureSchema = z.object({ __type: z.string() });

const MISSING_PERMISSION = 'The IAM policy of these credentials must allow kms:Encrypt and kms:Decrypt on this key.';
const WRONG_CREDENTIALS = 'The AWS credentials are wrong or have expired, or this machine’s clock is off.';

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html, and each operation's "Errors" section */
const hintsByErrorCode: Readonly<Record<string, string>> = {
  AccessDeniedException: MISSING_PERMISSION,
  NotFoundException: 'There is no such key in this region and account.',
  InvalidCiphertextException: CANNOT_UNWRAP,
  IncorrectKeyException: CANNOT_UNWRAP,
  InvalidKeyUsageException: 'The key must be a symmetric key for encryption (SYMMETRIC_DEFAULT).',
  ExpiredTokenException: WRONG_CREDENTIALS,
  InvalidSignatureException: WRONG_CREDENTIALS,
  SignatureDoesNotMatch: WRONG_CREDENTIALS,
  UnrecognizedClientException: WRONG_CREDENTIALS,
  InvalidClientTokenId: WRONG_CREDENTIALS,
  MissingAuthenticationTokenException: WRONG_CREDENTIALS,
};

/** Errors that persist until someone enables the key in AWS. */
const LOCKED_ERRORS = ['DisabledException', 'KMSInvalidStateException'];

function statusError(base: URL, status: number, answer: unknown): TradeAgentError {
  // Only known names are shown: anything else in the answer may quote the request.
  const type = /(\w+)$/.exec(failureSchema.safeParse(answer).data?.__type ?? '')?.[1] ?? '';
  if (LOCKED_ERRORS.includes(type)) {
    return new TradeAgentError('credential_store_locked', `the key at ${base.origin} is disabled (${type})`, {
      hint: 'Enable the key, or cancel its deletion, then try again.',
    });
  }
  const hint = hintsByErrorCode[type];
  const shown = hint === undefined ? '' : ` (${type})`;
  const otherwise = status === 403 ? `${WRONG_CREDENTIALS} ${MISSING_PERMISSION}` : 'Try again in a moment.';
  return unavailable(base, `responded with HTTP status ${status}${shown}`, hint ?? otherwise);
}

function unavailable(base: URL, why: string, hint: string): TradeAgentError {
  return new TradeAgentError('credential_store_unavailable', `AWS KMS at ${base.origin} ${why}`, { hint });
}
