import { Hono } from 'hono';
import { z } from 'zod';

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Of a role, until a moment. */
export const role = (name: string, until: number) => ({
  AccessKeyId: `ASIA${name.toUpperCase()}`,
  SecretAccessKey: `secret-of-${name}`,
  Token: `token-of-${name}`,
  Expiration: new Date(until).toISOString().replace(/\.\d{3}/, ''),
});

const encryptRequest = z.strictObject({
  KeyId: z.string(),
  Plaintext: z.base64(),
  EncryptionContext: z.record(z.string(), z.string()),
});

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

/**
 * What gives credentials at AWS, as its documentation says, and KMS as far as it can be seen by whom a request was signed: the
 * rest of KMS is moto's (test/kms). Given as `fetch`, since none of their addresses is on this machine.
 */
export function awsStandIn(now: () => number) {
  const requests: Seen[] = [];
  const state = {
    roles: 0,
    lifeMs: 3_600_000,
    answers: true,
    kms: undefined as (() => Response | Promise<Response>) | undefined,
  };
  const nextRole = (name: string) => role(`${name}${++state.roles}`, now() + state.lifeMs);

  const container = new Hono();
  container.get('/v2/credentials/*', (c) => c.json({ RoleArn: 'arn:aws:iam::1:role/r', ...nextRole('task') }));
  container.get('/v1/credentials', (c) =>
    c.req.header('authorization') === 'pod-token' ? c.json(nextRole('pod')) : c.text('no', 401),
  );

  const instance = new Hono();
  instance.put('/latest/api/token', (c) =>
    Number(c.req.header('x-aws-ec2-metadata-token-ttl-seconds')) > 0 ? c.text('imds-token') : c.text('', 400),
  );
  instance.use('/latest/meta-data/*', async (c, next) =>
    c.req.header('x-aws-ec2-metadata-token') === 'imds-token' ? await next() : c.text('', 401),
  );
  instance.get('/latest/meta-data/iam/security-credentials/', (c) => c.text('gateway-role'));
  instance.get('/latest/meta-data/iam/security-credentials/gateway-role', (c) =>
    c.json({
      Code: 'Success',
      Type: 'AWS-HMAC',
      LastUpdated: '2026-11-26T00:00:00Z',
      ...nextRole('machine'),
    }),
  );

  const sts = new Hono();
  sts.post('/', async (c) => {
    const given = await c.req.parseBody();
    const isSound =
      given.Action === 'AssumeRoleWithWebIdentity' &&
      given.Version === '2011-06-15' &&
      given.WebIdentityToken === 'jwt';
    if (!isSound) return c.text('<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>', 400);
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = nextRole('web');
    return c.text(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult>
        <SubjectFromWebIdentityToken>system:serviceaccount:a:b</SubjectFromWebIdentityToken>
        <AssumedRoleUser><Arn>${given.RoleArn}/${given.RoleSessionName}</Arn></AssumedRoleUser>
        <Credentials>
          <SessionToken>${Token}</SessionToken>
          <SecretAccessKey>${SecretAccessKey}</SecretAccessKey>
          <Expiration>${Expiration}</Expiration>
          <AccessKeyId>${AccessKeyId}</AccessKeyId>
        </Credentials>
      </AssumeRoleWithWebIdentityResult>
    </AssumeRoleWithWebIdentityResponse>`);
  });

  const kms = new Hono();
  kms.post('/', async (c) => {
    if (state.kms !== undefined) return await state.kms();
    const { KeyId, ...rest } = encryptRequest.parse(await c.req.json());
    const CiphertextBlob = Buffer.from(JSON.stringify(rest.EncryptionContext)).toString('base64');
    return c.json({
      CiphertextBlob,
      KeyId: KeyId === '' ? '' : KEY,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    });
  });

  const hosts: Readonly<Record<string, Hono>> = {
    'http://169.254.170.2': container,
    'http://169.254.170.23': container,
    'http://169.254.169.254': instance,
    'https://sts.eu-central-1.amazonaws.com': sts,
    'https://kms.eu-central-1.amazonaws.com': kms,
  };
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body: await request.clone().text() });
    const host = hosts[new URL(url).origin];
    if (host === undefined || (!state.answers && host !== kms)) throw new TypeError('fetch failed');
    const given = new Promise<never>((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
    return await Promise.race([host.fetch(request), given]);
  };
  return { fetch: send, requests, state };
}
