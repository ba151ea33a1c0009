import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  findCredentialKind,
  listBrokerKeys,
  parseCredentialsText,
  setBrokerKeys,
} from '../../../src/app/home/brokers.ts';
import { runHomeDoctor } from '../../../src/app/home/doctor.ts';
import { startTradier } from '../gateway/support/tradier-stand-in.ts';
import { app, homeGround } from './home-folder.ts';

const [ground, tradier] = await Promise.all([homeGround(), startTradier()]);
await ground.make();
const file = join(ground.folder, 'gateway.yaml');
const settings = parse(readFileSync(file, 'utf8'));
const broker = { kind: 'tradier', credentials: 'access_token', url: tradier.url };
writeFileSync(file, stringify({ ...settings, broker }));
afterAll(async () => {
  await tradier.close();
  await ground.close();
});

const set = async (text: string) => {
  const kind = await findCredentialKind(ground.folder, undefined);
  const pair = parseCredentialsText(text, 'token.txt', kind);
  return await setBrokerKeys(app, { folder: ground.folder, username: undefined, pair }, async () => {});
};
const brokerFinding = async () => (await runHomeDoctor(app, ground.folder)).find(({ check }) => check === 'broker');

it('what was given for the broker before is not sent to another', async () => {
  expect(await brokerFinding()).toMatchObject({ status: 'warn', message: 'alice has no account here' });
  expect(tradier.mistakes).toEqual([]);
});

it('a home at another broker asks for what that has, tries it there, and keeps it sealed', async () => {
  expect(await findCredentialKind(ground.folder, undefined)).toBe('access_token');
  await expect(set(`key=PKTEST\nsecret=${tradier.token}`)).rejects.toMatchObject({
    code: 'usage',
    message: 'token.txt contains no access token',
    hint: expect.stringContaining('account number and access token, each on its own line'),
  });
  await expect(set(`${tradier.account}\nanother-token-0123`)).rejects.toMatchObject({
    code: 'broker_rejected',
    message: 'Tradier does not recognize this access token',
  });
  expect(await set(`token=${tradier.token}\naccount=${tradier.account}`)).toMatchObject({
    account: { accountNumber: 'VA000001', environment: 'paper', status: 'ACTIVE' },
  });
  expect(await listBrokerKeys(app, ground.folder)).toMatchObject([{ accountNumber: 'VA000001' }]);
  expect(await brokerFinding()).toMatchObject({
    status: 'ok',
    message: 'alice: account VA000001, paper, ACTIVE',
  });
  const everything = readdirSync(ground.folder).map((name) => readFileSync(join(ground.folder, name), 'latin1'));
  expect(everything.join('')).not.toContain(tradier.token);
});
