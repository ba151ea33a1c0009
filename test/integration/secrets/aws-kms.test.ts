import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAwsKms } from '../../../src/secrets/kms/aws-kms.ts';
import { awsStandIn } from './aws-stand-in.ts';

const START = Date.parse('2026-11-26T15:00:00Z');
const MINUTE = 60_000;
const NO_MACHINE = { AWS_EC2_METADATA_DISABLED: 'true' };
const BY_HAND = { AWS_ACCESS_KEY_ID: 'AKIABYHAND', AWS_SECRET_ACCESS_KEY: 'by-hand' };

let folder: string;
let now: number;
let aws: ReturnType<typeof awsStandIn>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-aws-'));
  now = START;
  aws = awsStandIn(() => now);
});
afterEach(() => rmSync(folder, { recursive: true }));

const key = Buffer.alloc(32, 7);
const open = (env: NodeJS.ProcessEnv, more: { timeoutMs?: number } = {}) =>
  openAwsKms({
    ...{ key: 'alias/gateway', region: 'eu-central-1', env, fetch: aws.fetch, ...more },
    clock: { now: () => now },
  });
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
/** The access key id by which the last question to KMS was signed, and the token it came with. */
const signedBy = () => {
  const headers = aws.requests.findLast(({ url }) => url.startsWith('https://kms.'))?.headers;
  const [, id] = /Credential=(\w+)\/20261126\/eu-central-1\/kms\//.exec(headers?.get('authorization') ?? '') ?? [];
  return [id, headers?.get('x-amz-security-token') ?? undefined];
};
const failed = async (use: Promise<unknown>) => {
  const error = await use.catch((thrown: Error) => thrown);
  const text = JSON.stringify(error, Object.getOwnPropertyNames(error ?? {}));
  for (const secret of [key.toString('base64'), 'by-hand', 'secret-of', 'token-of', 'pod-token'])
    expect(text).not.toContain(secret);
  return error;
};

describe('credentials of AWS come from', () => {
  it.each<[string, () => NodeJS.ProcessEnv, string, string | undefined]>([
    ['the environment', () => ({ ...BY_HAND }), 'AKIABYHAND', undefined],
    ['the environment, for a time', () => ({ ...BY_HAND, AWS_SESSION_TOKEN: 'session' }), 'AKIABYHAND', 'session'],
    [
      'a web identity',
      () => ({ AWS_WEB_IDENTITY_TOKEN_FILE: file('jwt', 'jwt\n'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/r' }),
      'ASIAWEB1',
      'token-of-web1',
    ],
    [
      'the role of a container on ECS',
      () => ({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/4711' }),
      'ASIATASK1',
      'token-of-task1',
    ],
    [
      'the identity of a pod on EKS',
      () => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file('pod', 'pod-token'),
      }),
      'ASIAPOD1',
      'token-of-pod1',
    ],
    ['the role of the machine', () => ({}), 'ASIAMACHINE1', 'token-of-machine1'],
  ])('%s', async (_, env, id, token) => {
    await open(env()).wrap(key, 'here');
    expect(signedBy()).toEqual([id, token]);
  });

  it('nowhere where this machine has none: that is said, with what to do', async () => {
    expect(await failed(open(NO_MACHINE).wrap(key, 'here'))).toMatchObject({
      code: 'credential_store_unavailable',
      hint: expect.stringContaining('a role'),
    });
    expect(aws.requests).toHaveLength(0);
  });

  it('no address but AWS’s own, this machine, or one with TLS: the token would go there', async () => {
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://10.0.0.7/v1/credentials',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod-token',
    };
    expect(await failed(open(env).wrap(key, 'here'))).toMatchObject({
      message: expect.stringContaining('neither https'),
    });
    expect(aws.requests).toHaveLength(0);
  });
});

describe('credentials for a time', () => {
  const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/4711' };

  it('are asked for once by many, and again five minutes before they end', async () => {
    const kms = open(env);
    await Promise.all([kms.wrap(key, 'a'), kms.wrap(key, 'b')]);
    now += 54 * MINUTE;
    await kms.wrap(key, 'c');
    expect(signedBy()[0]).toBe('ASIATASK1');
    now += 2 * MINUTE;
    await kms.wrap(key, 'd');
    expect(signedBy()[0]).toBe('ASIATASK2');
  });

  it('serve to their end where there are no new ones, and no longer', async () => {
    const kms = open(env);
    await kms.wrap(key, 'a');
    aws.state.answers = false;
    now += 58 * MINUTE;
    await kms.wrap(key, 'b');
    now += 3 * MINUTE;
    expect(await failed(kms.wrap(key, 'c'))).toMatchObject({
      code: 'credential_store_unavailable',
      message: 'no AWS credentials from the container’s role: invalid response',
    });
    aws.state.answers = true;
    await kms.wrap(key, 'd');
    expect(signedBy()[0]).toBe('ASIATASK2');
  });
});

describe('AWS KMS', () => {
  it('is asked as its documentation says, with the context in clear and the key in the body alone', async () => {
    const wrapped = await open(BY_HAND).wrap(key, '["a","ü"]');
    const [request] = aws.requests;
    expect(request).toMatchObject({ method: 'POST', url: 'https://kms.eu-central-1.amazonaws.com/' });
    expect(Object.fromEntries(request?.headers ?? [])).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'TrentService.Encrypt',
      'x-amz-date': '20261126T150000Z',
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      KeyId: 'alias/gateway',
      Plaintext: key.toString('base64'),
      EncryptionContext: { 'trade-agent': '["a","ü"]' },
    });
    expect(wrapped).toMatch(/^aws:arn:aws:kms:eu-central-1:111122223333:key\/[\w-]+:[\w-]+$/);
  });

  it.each([
    ['DisabledException', 400, { code: 'credential_store_locked' }],
    ['com.amazonaws.kms#KMSInvalidStateException', 400, { code: 'credential_store_locked' }],
    ['AccessDeniedException', 400, { hint: expect.stringContaining('kms:Encrypt and kms:Decrypt') }],
    ['InvalidKeyUsageException', 400, { hint: expect.stringContaining('symmetric key') }],
    ['ExpiredTokenException', 400, { hint: expect.stringContaining('have expired') }],
    ['KMSInternalException', 500, { hint: 'Try again in a moment.' }],
  ])('that answers %s says what to do, and none of its words', async (type, status, refusal) => {
    const message = `the plaintext ${key.toString('base64')} is not well`;
    aws.state.kms = () => Response.json({ __type: type, message }, { status });
    expect(await failed(open(BY_HAND).wrap(key, 'here'))).toMatchObject(refusal);
    expect(aws.requests).toHaveLength(1);
  });

  it.each([
    ['no JSON', () => new Response('<html>')],
    ['no ciphertext', () => Response.json({ KeyId: 'arn:aws:kms:a:1:key/b' })],
    ['what names no key', () => Response.json({ CiphertextBlob: 'AAAA', KeyId: 'x' })],
    ['more than any answer has', () => new Response('x'.repeat(65 * 1024))],
  ])('that answers %s is told, once', async (_, answer) => {
    aws.state.kms = answer;
    expect(await failed(open(BY_HAND).wrap(key, 'here'))).toMatchObject({
      code: 'credential_store_unavailable',
      message: expect.stringMatching(/returned an invalid response$/),
    });
    expect(aws.requests).toHaveLength(1);
  });

  it('that does not answer in time is told', async () => {
    aws.state.kms = () => new Promise(() => undefined);
    expect(await failed(open(BY_HAND, { timeoutMs: 50 }).wrap(key, 'here'))).toMatchObject({
      message: expect.stringMatching(/took longer than 50 ms$/),
    });
  });

  it('is asked nowhere without TLS', () => {
    expect(() => open({ ...BY_HAND, AWS_ENDPOINT_URL_KMS: 'http://kms.example.com' })).toThrow('https');
  });
});
