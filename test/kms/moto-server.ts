import { spawn, spawnSync } from 'node:child_process';
import type { AwsCredentials } from '../../src/secrets/kms/aws/credential-request.ts';
import { signAwsHeaders } from '../../src/secrets/kms/aws-kms.ts';
import { freePort } from '../free-port.ts';

export const REGION = 'eu-central-1';

/** The Python that has moto, which plays AWS: `pip install 'moto[server]'`. `MOTO_PYTHON` names another than `python3`. */
export function motoPython(): string | undefined {
  const python = process.env.MOTO_PYTHON ?? 'python3';
  return spawnSync(python, ['-c', 'import moto.server']).status === 0 ? python : undefined;
}

export type Moto = Awaited<ReturnType<typeof startMoto>>;

const administrator: AwsCredentials = { accessKeyId: 'AKIAADMINISTRATOR000', secretAccessKey: 'any' };

/** Starts it on loopback, keeping all in memory. */
export async function startMoto(python: string) {
  const port = await freePort();
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, INITIAL_NO_AUTH_ACTION_COUNT: '1000' },
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = `${log}${chunk}`.slice(-4000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`moto ended: ${log}`);
    const ready = await fetch(`${url}/moto-api/`).catch(() => undefined);
    if (ready?.status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const ask = async (service: 'iam' | 'kms', headers: Record<string, string>, body: string) => {
    const address = new URL(url);
    const request = { url: address, service, region: REGION, headers, body, now: Date.now() };
    const signed = await signAwsHeaders({ ...request, method: 'POST' }, administrator);
    const response = await fetch(address, { method: 'POST', headers: signed, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service}: ${text}`);
    return text;
  };
  const iam = (parameters: Record<string, string>) =>
    ask(
      'iam',
      { 'content-type': 'application/x-www-form-urlencoded' },
      `${new URLSearchParams({ Version: '2010-05-08', ...parameters })}`,
    );
  let users = 0;
  return {
    url,
    /** Asks KMS as an administrator. */
    async kms(operation: string, body: object): Promise<Record<string, unknown>> {
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
      };
      return JSON.parse((await ask('kms', headers, JSON.stringify(body))) || '{}');
    },
    /** A user who may do what the policy's statement says, and nothing else. */
    async user(statement: object): Promise<AwsCredentials> {
      const UserName = `user-${++users}`;
      await iam({ Action: 'CreateUser', UserName });
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      await iam({ Action: 'PutUserPolicy', UserName, PolicyName: 'its', PolicyDocument });
      const made = await iam({ Action: 'CreateAccessKey', UserName });
      const [, accessKeyId = ''] = /<AccessKeyId>(.+?)</.exec(made) ?? [];
      const [, secretAccessKey = ''] = /<SecretAccessKey>(.+?)</.exec(made) ?? [];
      return { accessKeyId, secretAccessKey };
    },
    /** From now on signatures and policies count, as at AWS. */
    async enforce(): Promise<void> {
      await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: '0' });
    },
    async close(): Promise<void> {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
