import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AwsCredentials } from '../../src/secrets/kms/aws/credential-request.ts';
import { openAwsKms } from '../../src/secrets/kms/aws-kms.ts';
import { kmsContract } from '../contract/secrets/kms.ts';
import { type Moto, motoPython, REGION, startMoto } from './moto-server.ts';

const python = motoPython();
if (python === undefined)
  process.stderr.write(`Skipped: there is no Python with moto here (pip install 'moto[server]').\n`);

/** moto's server is AWS as many know it from their own tests: none of it was written here. */
describe.skipIf(python === undefined)('AWS KMS, as moto has it', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto(python ?? '');
  });
  afterAll(() => moto?.close());

  const environment = ({ accessKeyId, secretAccessKey }: AwsCredentials) => ({
    AWS_ENDPOINT_URL_KMS: moto.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
  const newKey = async () => {
    const { KeyMetadata } = await moto.kms('CreateKey', {});
    return (KeyMetadata as { Arn: string }).Arn;
  };
  const anything = { Effect: 'Allow', Action: 'kms:*', Resource: '*' };
  let aliases = 0;

  kmsContract(async () => {
    const alias = `alias/gateway-${++aliases}`;
    await moto.kms('CreateAlias', { AliasName: alias, TargetKeyId: await newKey() });
    const env = environment(await moto.user(anything));
    return {
      kms: openAwsKms({ key: alias, region: REGION, env }),
      rotate: async () => void (await moto.kms('UpdateAlias', { AliasName: alias, TargetKeyId: await newKey() })),
      close: async () => undefined,
    };
  });

  const dataKey = Buffer.alloc(32, 7);

  it('takes a key by its ARN and by its id', async () => {
    const arn = await newKey();
    const env = environment(await moto.user(anything));
    for (const key of [arn, arn.split('/').at(-1) ?? '']) {
      const kms = openAwsKms({ key, region: REGION, env });
      const wrapped = await kms.wrap(dataKey, 'here');
      expect(wrapped.startsWith(`aws:${arn}:`)).toBe(true);
      expect(await kms.unwrap(wrapped, 'here')).toEqual(dataKey);
    }
  });

  it('says that there is no such key', async () => {
    const env = environment(await moto.user(anything));
    const kms = openAwsKms({ key: 'alias/none', region: REGION, env });
    await expect(kms.wrap(dataKey, 'here')).rejects.toMatchObject({
      message: expect.stringContaining('NotFoundException'),
      hint: 'There is no such key in this region and account.',
    });
  });

  it('is asked by a role that STS gave for a web identity', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trade-agent-sts-'));
    const file = join(folder, 'token');
    writeFileSync(file, 'a-token-of-the-cluster');
    const env = {
      AWS_ENDPOINT_URL_KMS: moto.url,
      AWS_ENDPOINT_URL_STS: moto.url,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/gateway',
    };
    const kms = openAwsKms({ key: await newKey(), region: REGION, env });
    expect(await kms.unwrap(await kms.wrap(dataKey, 'here'), 'here')).toEqual(dataKey);
    rmSync(folder, { recursive: true });
  });

  // Last: from here on an administrator is asked for a signature too.
  it('signs as AWS wants it, and says where the credentials or their policy will not do', async () => {
    const key = await newKey();
    const use = ['kms:Encrypt', 'kms:Decrypt'];
    const its = await moto.user({ Effect: 'Allow', Action: use, Resource: '*' });
    const barred = await moto.user({ Effect: 'Allow', Action: 'kms:ListKeys', Resource: '*' });
    await moto.enforce();
    const kms = openAwsKms({ key, region: REGION, env: environment(its) });
    expect(await kms.unwrap(await kms.wrap(dataKey, 'here'), 'here')).toEqual(dataKey);
    for (const [credentials, refusal] of [
      [{ ...its, secretAccessKey: 'another' }, 'credentials are wrong'],
      [{ ...its, accessKeyId: 'AKIANOBODY0000000000' }, 'credentials are wrong'],
      [barred, 'IAM policy must allow'],
    ] as const) {
      const wrong = openAwsKms({ key, region: REGION, env: environment(credentials) });
      await expect(wrong.wrap(dataKey, 'here')).rejects.toMatchObject({
        code: 'credential_store_unavailable',
        hint: expect.stringContaining(refusal),
      });
    }
  });
});
