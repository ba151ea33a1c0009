import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFolderRulesSource } from '../../../src/gateway/policy/files/rules-source.ts';
import { startWorld, type World } from './support/world.ts';

let folder: string;
let world: World;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-rules-'));
  mkdirSync(join(folder, 'policies'), { mode: 0o700 });
  world = await startWorld({ rules: await createFolderRulesSource(folder) });
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = () => join(folder, 'policies/own.cedar');
/** The owner's one rule, about AAPL. */
const write = (annotations: string, condition = 'context.order.symbol == "AAPL"') =>
  writeFileSync(
    file(),
    `${annotations} forbid (principal, action in Action::"trade", resource) when { ${condition} };\n`,
    { mode: 0o600 },
  );

it('a rule that comes after the tap refuses, and the approval is still of use once it is gone', async () => {
  const { place } = await world.approved();
  write('@id("no-aapl") @message("no AAPL before its figures")');
  await world.refuses(place(), 403, 'policy_denied', {
    reason: 'POLICY_FORBIDS',
    reasons: ['POLICY_FORBIDS'],
    detail: 'no AAPL before its figures',
  });
  rmSync(file());
  expect((await place()).status).toBe(201);
});

it('limits for a misspelled account refuse its orders, and name what is wrong', async () => {
  const limits = (accounts: string) =>
    writeFileSync(join(folder, 'limits.yaml'), `version: 1\naccounts: {${accounts}}\n`, { mode: 0o600 });
  limits('PA3ALICE0I: {max_order_notional: "100000"}');
  await world.refuses(world.order(), 403, 'policy_denied', {
    reason: 'POLICY_INVALID',
    detail: expect.stringContaining('it is uncertain which limits apply to the account PA3ALICE01'),
    hint: expect.stringContaining('limits.yaml has no entry for the account PA3ALICE01'),
  });
  limits('PA3ALICE01: {max_order_notional: "100000"}');
  expect((await world.order()).status).toBe(201);
});

it('a rule that can’t be evaluated refuses, and no value is quoted of what is known', async () => {
  write('@id("sum")', 'context.counted.day_orders - 9223372036854775807 - 9 < 0');
  const refused = await world.order();
  const said = await refused.clone().text();
  await world.refuses(refused, 403, 'policy_denied', { reason: 'POLICY_UNEVALUABLE' });
  expect(said).toContain('policies/sum');
  expect(said).not.toMatch(/overflow|9223372036854775807/);
});

it('a rule that asks for more approval than a tap refuses an order that has no more', async () => {
  write('@id("second") @code("APPROVAL_NEEDS_SECOND")');
  await world.refuses(world.order(), 403, 'policy_denied', {
    reason: 'APPROVAL_NEEDS_SECOND',
  });
});

it('a file that went wrong stops orders; what is open is cancelled, and the account read', async () => {
  const resting = {
    id: crypto.randomUUID(),
    owner: 'alice',
    request: { ...world.draft({ limit_price: '1', time_in_force: 'gtc' }) },
    status: 'new',
  };
  write('@id("typo")', 'context.order.symbl == "AAPL"');
  await world.refuses(world.order(), 403, 'policy_denied', {
    reason: 'POLICY_INVALID',
    hint: expect.stringMatching(/ policies\/own\.cedar:1:\d+: .*symbl[\s\S]*Did you mean/),
  });
  world.broker.book.push(resting);
  expect((await world.cancel(resting.id)).status).toBe(204);
  expect((await world.get('/v1/account', await world.reader('portfolio:read'))).status).toBe(200);
});
