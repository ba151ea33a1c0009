import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Approval } from '../../../../../src/approval/kind.ts';
import { createPolicyService, type PolicyService } from '../../../../../src/gateway/policy/files/policy-service.ts';
import {
  createFolderRulesSource,
  type StoredRulesSource,
} from '../../../../../src/gateway/policy/files/rules-source.ts';
import { systemClock } from '../../../../../src/machine/clock.ts';
import type { AuditNote } from '../../../../../src/store/audit.ts';
import { createSqliteGatewayStores } from '../../../../../src/store/sqlite/gateway-stores.ts';
import type { PolicyChangeRequest } from '../../../../../src/trading/kinds/policy-change.ts';

const alice = { sub: 'alice', clientId: 'trade-agent', accessToken: 'token' };
const yes: Approval = { ...alice, jti: 'j1', authorizationDetails: undefined, expiresAt: 0 };
const own =
  '@id("no-gme") forbid (principal, action in Action::"trade", resource == Account::"PA1") when { context.order.symbol == "GME" };\n';
const everybodys = own.replace('resource == Account::"PA1"', 'resource');

let folder: string;
let rules: StoredRulesSource;
let desk: PolicyService;
let notes: AuditNote[];
let noteFails: boolean;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-policy-'));
  notes = [];
  noteFails = false;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o600 });
}

async function open(): Promise<void> {
  rules = await createFolderRulesSource(folder);
  desk = createPolicyService({
    rules,
    accountOf: async ({ sub }) => ({ account: sub === 'alice' ? 'PA1' : 'PA2', environment: 'paper' }),
    note: async (note) => {
      if (noteFails) throw new Error('the disk is full');
      notes.push(note);
    },
    clock: systemClock,
  });
}

const limits = (text = '"*": {max_order_notional: "1000", max_day_orders: 20}') =>
  write('limits.yaml', `version: 1\naccounts: {${text}}\n`);
const tighter = { limits: { max_order_notional: '500', max_day_orders: 20 } };
const written = () => parse(readFileSync(join(folder, 'limits.yaml'), 'utf8')) as Record<string, unknown>;
const base = async () => (await rules.current()).digest;
const asking = async (change: Omit<PolicyChangeRequest, 'base'>): Promise<PolicyChangeRequest> => ({
  base: await base(),
  ...change,
});
const everything = () =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => !name.endsWith('policy.lock') && statSync(join(folder, name)).isFile())
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);

describe('rules that become tighter', () => {
  beforeEach(async () => {
    limits();
    await open();
  });

  it('hold at once, without a tap, for this account alone, and are on the record', async () => {
    const before = await base();
    const change = await asking(tighter);
    const changed = await desk.tighten(alice, change);
    expect(changed).toEqual({
      previous: before,
      digest: await base(),
      changes: ['tighter: Maximum per order $1,000.00 → $500.00'],
    });
    expect(written().accounts).toEqual({
      '*': { max_order_notional: '1000', max_day_orders: 20 },
      PA1: { max_order_notional: '500', max_day_orders: 20 },
    });
    expect((await rules.current()).limitsOf('PA1')).toMatchObject({ max_order_notional: '500' });
    expect((await rules.current()).limitsOf('PA2')).toMatchObject({ max_order_notional: '1000' });
    expect(statSync(join(folder, 'limits.yaml')).mode & 0o777).toBe(0o600);
    const facts = { sub: 'alice', client: 'trade-agent', account: 'PA1', ...changed };
    expect(notes).toEqual([{ event: 'rules_tightened', facts }]);
  });

  it('may be a file of rules about this account', async () => {
    await desk.tighten(alice, await asking({ policies: { 'no-gme.cedar': own } }));
    expect(readFileSync(join(folder, 'policies/no-gme.cedar'), 'utf8')).toBe(own);
    expect(statSync(join(folder, 'policies/no-gme.cedar')).mode & 0o777).toBe(0o600);
  });

  it.each<[string, Omit<PolicyChangeRequest, 'base'>]>([
    ['a larger number', { limits: { max_order_notional: '1000.01', max_day_orders: 20 } }],
    ['a limit that goes', { limits: { max_order_notional: '1000' } }],
    ['no limits at all', { limits: {} }],
    ['one looser beside one tighter', { limits: { max_order_notional: '500', max_day_orders: 21 } }],
  ])('are not those with %s: that takes an approval', async (_, change) => {
    const before = everything();
    await expect(desk.tighten(alice, await asking(change))).rejects.toMatchObject({
      status: 403,
      code: 'policy_denied',
      options: { members: { reason: 'APPROVAL_MISSING', kind: 'policy_change' } },
    });
    expect(everything()).toEqual(before);
    expect(notes).toEqual([]);
  });

  it('are not those of which a rule goes, or says less', async () => {
    write('policies/no-gme.cedar', own);
    const onPurchases = own.replace('"GME"', '"GME" && context.order.side == "buy"');
    for (const text of [null, own.replace('GME', 'AMC'), onPurchases]) {
      const change = await asking({ policies: { 'no-gme.cedar': text } });
      await expect(desk.tighten(alice, change)).rejects.toMatchObject({ code: 'policy_denied' });
    }
    expect(readFileSync(join(folder, 'policies/no-gme.cedar'), 'utf8')).toBe(own);
  });

  it('are nobody’s to change for others: a rule names the account in its head', async () => {
    write('policies/all.cedar', everybodys);
    for (const policies of [
      { 'mine.cedar': everybodys },
      { 'mine.cedar': own.replace('PA1', 'PA2') },
      { 'all.cedar': own },
      { 'all.cedar': null },
    ]) {
      await expect(desk.tighten(alice, await asking({ policies }))).rejects.toMatchObject({
        status: 422,
        code: 'invalid_policy',
        options: { hint: expect.stringContaining('resource == Account::"PA1"') },
      });
    }
    expect(readFileSync(join(folder, 'policies/all.cedar'), 'utf8')).toBe(everybodys);
  });

  it.each<[string, Omit<PolicyChangeRequest, 'base'>, string]>([
    ['a key that there is none of', { limits: { max_ordr_notional: '5' } }, 'max_ordr_notional'],
    ['a number for an amount', { limits: { max_order_notional: 5 } }, 'max_order_notional'],
    ['a rule with a typo', { policies: { 'a.cedar': own.replace('symbol', 'symbl') } }, 'a.cedar:1'],
    ['a permit', { policies: { 'a.cedar': own.replace('forbid', 'permit') } }, 'a.cedar:1'],
    ['what is no Cedar', { policies: { 'a.cedar': 'forbid everything;' } }, 'a.cedar:1'],
  ])('are refused with %s, with the place and without a path', async (_, change, said) => {
    const failed = desk.tighten(alice, await asking(change));
    await expect(failed).rejects.toMatchObject({ status: 422, code: 'invalid_policy' });
    const { message, options } = (await failed.catch((error: unknown) => error)) as {
      message: string;
      options: object;
    };
    expect(message).toContain(said);
    expect(JSON.stringify([message, options])).not.toContain(folder);
  });

  it('are refused where they are others than were looked at, or so already', async () => {
    const change = await asking(tighter);
    limits('"*": {max_order_notional: "900", max_day_orders: 20}');
    await expect(desk.tighten(alice, change)).rejects.toMatchObject({ status: 409, code: 'rules_stale' });
    const same = await asking({ limits: { max_order_notional: '900', max_day_orders: 20 } });
    await expect(desk.tighten(alice, same)).rejects.toMatchObject({ status: 409, code: 'rules_unchanged' });
  });

  it('are not changed where the record can’t be written', async () => {
    noteFails = true;
    const before = everything();
    const change = await asking(tighter);
    await expect(desk.tighten(alice, change)).rejects.toThrow('the disk is full');
    expect(everything()).toEqual(before);
  });

  it('of two that come at once the second is told that the first was there', async () => {
    const changes = await Promise.all(
      ['500', '400'].map((amount) => asking({ limits: { max_order_notional: amount, max_day_orders: 20 } })),
    );
    const done = await Promise.allSettled(changes.map((change) => desk.tighten(alice, change)));
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const second = done.find(({ status }) => status === 'rejected');
    expect(second).toMatchObject({ reason: { code: 'rules_stale' } });
  });

  it('can’t be changed from afar while they are wrong', async () => {
    const change = await asking(tighter);
    write('policies/wrong.cedar', 'forbid');
    const { digest } = await rules.current();
    await expect(desk.tighten(alice, { ...change, base: digest })).rejects.toMatchObject({
      status: 409,
      code: 'invalid_policy',
      options: { members: { reason: 'POLICY_INVALID' } },
    });
  });
});

describe('an approved change of the rules', () => {
  beforeEach(async () => {
    limits();
    await open();
  });
  const limited = { max_order_notional: '5000', max_day_orders: 10 };
  const policies = { 'no-gme.cedar': own };
  const looser = async () => desk.plan(alice, await asking({ limits: limited, policies }));

  it('says what becomes possible first, and changes nothing before it is approved', async () => {
    const before = everything();
    const planned = await looser();
    expect(planned).toMatchObject({
      ...{ account: 'PA1', environment: 'paper', previous: await base() },
      changes: [
        'looser: Maximum per order $1,000.00 → $5,000.00',
        'tighter: Orders per day 20 → 10',
        'tighter: rule policies/no-gme added',
      ],
      limits: limited,
      policies,
    });
    expect(everything()).toEqual(before);
  });

  it('comes to just the digest that was approved, once', async () => {
    const planned = await looser();
    await desk.apply(planned, yes);
    expect(await base()).toBe(planned.digest);
    expect(await desk.digest()).toBe(planned.digest);
    const after = everything();
    expect(after.map(([name]) => name)).toEqual(['limits.yaml', 'policies/no-gme.cedar']);
    // Carried out again, after a crash: nothing more happens.
    await desk.apply(planned, yes);
    expect(everything()).toEqual(after);
  });

  it('may take the last limit away, also where it is carried out again after a crash', async () => {
    limits('PA1: {max_order_notional: "1000"}');
    await open();
    const { limits: store } = createSqliteGatewayStores(new Database(':memory:'));
    rules.rememberIn(store, systemClock);
    const planned = await desk.plan(alice, await asking({ limits: {} }));
    expect(planned.changes).toEqual(['looser: Maximum per order $1,000.00 → not limited']);
    await desk.apply(planned, yes);
    expect((await rules.current()).problem).toBeUndefined();
    expect(await store.hadLimits()).toBe(false);
    // A process that died before it could write this down.
    await store.remember(0);
    await desk.apply(planned, yes);
    expect(await store.hadLimits()).toBe(false);
    expect((await rules.current()).problem).toBeUndefined();
  });

  it('is of no use to have none where the file was emptied by hand', async () => {
    const { limits: store } = createSqliteGatewayStores(new Database(':memory:'));
    rules.rememberIn(store, systemClock);
    const planned = await looser();
    write('limits.yaml', '');
    const again = desk.plan(alice, await asking({ policies }));
    await expect(again).rejects.toMatchObject({ code: 'invalid_policy' });
    await expect(desk.apply(planned, yes)).rejects.toMatchObject({ code: 'invalid_policy' });
    expect(await store.hadLimits()).toBe(true);
  });

  it('changes nothing where the rules have become others since', async () => {
    const planned = await looser();
    limits('"*": {max_order_notional: "900", max_day_orders: 20}');
    const before = everything();
    await expect(desk.apply(planned, yes)).rejects.toMatchObject({ status: 409, code: 'rules_stale' });
    expect(everything()).toEqual(before);
  });

  it.each([
    ['of another digest', { digest: 'B'.repeat(43) }],
    ['of other limits', { limits: { max_order_notional: '50000', max_day_orders: 10 } }],
    ['of another rule', { policies: { 'no-gme.cedar': own.replace('GME', 'AMC') } }],
    ['of another account', { account: 'PA2', policies: {} }],
  ])('is refused where what is written would be %s', async (_, other) => {
    const planned = { ...(await looser()), ...other };
    const before = everything();
    await expect(desk.apply(planned, yes)).rejects.toMatchObject({ status: 409, code: 'details_mismatch' });
    expect(everything()).toEqual(before);
  });

  it('is not made where a firm’s rule forbids it, whoever approves', async () => {
    const planned = await looser();
    write(
      'firm/fixed.cedar',
      '@id("ours") @message("our rules stay") forbid (principal, action == Action::"change_policy", resource);\n',
    );
    const now = await desk.digest();
    await expect(desk.apply({ ...planned, previous: now }, yes)).rejects.toMatchObject({
      status: 403,
      code: 'policy_denied',
      message: 'our rules stay',
    });
    await expect(looser()).rejects.toMatchObject({ code: 'policy_denied', message: 'our rules stay' });
  });

  it('needs nobody where nothing becomes possible, not even by a comment', async () => {
    write('policies/no-gme.cedar', own);
    const change = await asking({ policies: { 'no-gme.cedar': `// as ever\n${own}` } });
    await expect(desk.plan(alice, change)).rejects.toMatchObject({ status: 409, code: 'rules_unchanged' });
    expect(await desk.tighten(alice, change)).toMatchObject({ changes: [] });
  });

  it('that could be written in part is made whole when it is carried out again', async () => {
    const planned = await looser();
    // As a full disk leaves it: one file is written, the note says what is missing.
    const text =
      'version: 1\naccounts: {"*": {max_order_notional: "1000", max_day_orders: 20}, PA1: {max_order_notional: "5000", max_day_orders: 10}}\n';
    write('limits.yaml', text);
    write('policy-change.json', JSON.stringify({ 'limits.yaml': text, 'policies/no-gme.cedar': own }));
    await desk.apply(planned, yes);
    expect(await base()).toBe(planned.digest);
    expect(everything().map(([name]) => name)).toEqual(['limits.yaml', 'policies/no-gme.cedar']);
  });

  it('that was cut off is made whole at the next start', async () => {
    const texts = {
      'limits.yaml': 'version: 1\naccounts: {PA1: {max_day_orders: 3}}\n',
      'policies/no-gme.cedar': own,
    };
    write('policies/gone.cedar', own.replace('GME', 'AMC'));
    write('policy-change.json', JSON.stringify({ ...texts, 'policies/gone.cedar': null }));
    await open();
    expect(everything()).toEqual([
      ['limits.yaml', texts['limits.yaml']],
      ['policies/no-gme.cedar', own],
    ]);
    expect((await rules.current()).limitsOf('PA1')).toEqual({ max_day_orders: 3 });
  });

  it.each(['{', '{"../key.json": "x"}', '{"firm/a.cedar": "x"}', '[]'])(
    'does not let a gateway start with the note %j',
    async (text) => {
      write('policy-change.json', text);
      await expect(open()).rejects.toMatchObject({ code: 'invalid_config' });
    },
  );
});
