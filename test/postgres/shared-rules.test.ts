import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { importGatewayRules, showGatewayRules } from '../../src/app/gateway/gateway-record.ts';
import { openRules } from '../../src/gateway/policy/files/rules-source.ts';
import { systemClock } from '../../src/machine/clock.ts';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import type { RuleStore } from '../../src/store/rule-store.ts';
import { checkJson } from '../e2e/output-schemas.ts';
import { sequencedLines } from '../fixtures/record-lines.ts';
import { type ForeignWorld, startForeignWorld } from '../integration/approval/foreign-world.ts';
import { startHere } from '../integration/cli/cli-world.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';

withPostgres('the rules of gateways that share a database', () => {
  const server = blockDatabase(gatewaySchema);
  let tenant: string;
  let folder: string;
  let told: string[];
  beforeEach(() => {
    tenant = newTenant();
    told = [];
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-shared-rules-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  type SharedStores = GatewayStores & { readonly rules: RuleStore };
  const machineStores = async () =>
    (await postgresGatewayStores(await server.open(tenant), createAuthReqIdSeal('of the gateway'))) as SharedStores;
  const write = (machine: string, name: string, text: string) => {
    const file = join(folder, machine, name);
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  };
  const limits = (amount: string) => `version: 1\naccounts: {"*": {max_order_notional: "${amount}"}}\n`;
  const noGme =
    '@id("no-gme") forbid (principal, action in Action::"trade", resource) when { context.order.symbol == "GME" };\n';
  const start = async (machine: string, stores: SharedStores) => {
    const open = await openRules(join(folder, machine), true, { onError: (message) => void told.push(message) });
    return await open(stores, systemClock);
  };

  /** As "gateway rules" does on an operator's machine that has the gateways' settings. */
  const operator = (settings: object = {}) => {
    const home = join(folder, 'operator');
    const places = { home, config: join(home, 'gateway.yaml') };
    write('operator', 'gateway.yaml', JSON.stringify({ ...settings, database: { url_env: 'GATEWAY_URL', tenant } }));
    const app = { env: { GATEWAY_URL: server.app }, clock: systemClock };
    const asked: (readonly string[])[] = [];
    return {
      asked,
      show: async (name?: string) => {
        const exportTo = name === undefined ? undefined : join(folder, name);
        const shown = { ...(await showGatewayRules(app, places, exportTo)), exported_to: exportTo ?? null };
        checkJson(JSON.stringify({ schema: 'trade-agent.gateway-rules/1', ...shown }));
        return shown;
      },
      import: async (name: string, { base, agree = true }: { base?: string; agree?: boolean } = {}) => {
        const confirm = async (changes: readonly string[]) => {
          asked.push(changes);
          return agree;
        };
        const done = await importGatewayRules(app, places, { folder: join(folder, name), base, confirm });
        checkJson(JSON.stringify({ schema: 'trade-agent.gateway-rules-import/1', ...done }));
        return done;
      },
    };
  };

  describe('while both are at work,', () => {
    let world: ForeignWorld;
    let another: Awaited<ReturnType<ForeignWorld['another']>>;
    let ours: SharedStores;
    let isAway: boolean;
    let key = 0;
    beforeEach(async () => {
      isAway = false;
      write('one', 'limits.yaml', limits('1000'));
      ours = await machineStores();
      const others = await machineStores();
      const version = async () => {
        if (isAway) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
        return await others.rules.version();
      };
      world = await startForeignWorld({ stores: ours, rules: await start('one', ours) });
      const rules = await start('two', { ...others, rules: { ...others.rules, version } });
      another = await world.another(others, { rules });
    });
    afterEach(async () => {
      await another.close();
      await world.close();
    });
    const alice = () => world.agent('alice', 'trade-agent');
    const propose = (url: string, body: object) =>
      alice().send('POST', '/v1/proposals', body, { 'idempotency-key': `k-${++key}` }, url);
    const order = (limitPrice: string) => ({
      kind: 'order',
      order: { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', limit_price: limitPrice, time_in_force: 'day' },
    });
    const policy = async (url: string) => (await alice().send('GET', '/v1/policy', undefined, {}, url)).body;
    const tighten = (url: string, base: unknown, amount: string) =>
      alice().send('PUT', '/v1/policy', { base, limits: { max_order_notional: amount } }, {}, url);
    const decided = async (id: string, url: string) => {
      await vi.waitFor(() => expect(world.issuer.questions.map(({ details }) => details.proposal)).toContain(id));
      await world.decide(id, 'approve', {}, url);
      return await alice().ended(id);
    };
    const exceeds = { status: 403, body: { reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER' } };

    it('a limit that one tightens bounds the other’s very next order, and one approved before', async () => {
      const before = await propose(another.url, order('150'));
      expect(before.status).toBe(201);
      expect(await tighten(world.url, (await policy(world.url)).digest, '100')).toMatchObject({ status: 200 });
      expect(await propose(another.url, order('150'))).toMatchObject(exceeds);
      expect(await policy(another.url)).toMatchObject({ limits: { max_order_notional: '100' } });
      const ended = await decided(String(before.body.id), another.url);
      expect(ended).toMatchObject({ state: 'blocked' });
      expect(JSON.stringify(ended)).toContain('NOTIONAL_EXCEEDS_MAX_PER_ORDER');
      expect(world.broker.submissions).toEqual([]);
    });

    it('rules that their operator imports bound the very next order of each, and one approved before', async () => {
      const before = await propose(another.url, order('150'));
      const { show, import: importRules } = operator();
      await show('out');
      write('out', 'limits.yaml', limits('100'));
      write('out', 'firm/house.cedar', noGme.replace('GME', 'AAPL'));
      expect(await importRules('out')).toMatchObject({ outcome: 'imported' });
      for (const { url } of [world, another]) {
        expect(await propose(url, order('150'))).toMatchObject(exceeds);
        expect(await propose(url, order('50'))).toMatchObject({ status: 403, body: { reason: 'POLICY_FORBIDS' } });
      }
      expect(await decided(String(before.body.id), another.url)).toMatchObject({ state: 'blocked' });
      expect(world.broker.submissions).toEqual([]);
    });

    it('a limit that a tap loosens at one lets the other’s very next order through', async () => {
      await tighten(world.url, (await policy(world.url)).digest, '100');
      expect(await propose(another.url, order('150'))).toMatchObject(exceeds);
      const change = { base: (await policy(world.url)).digest, limits: { max_order_notional: '200' } };
      const { body, status } = await propose(world.url, { kind: 'policy_change', policy_change: change });
      expect(status).toBe(201);
      expect(await propose(another.url, order('150'))).toMatchObject(exceeds);
      expect(await decided(String(body.id), world.url)).toMatchObject({ state: 'executed' });
      const next = await propose(another.url, order('150'));
      expect(next.status).toBe(201);
      expect(await decided(String(next.body.id), another.url)).toMatchObject({ state: 'executed' });
      expect(world.broker.submissions).toHaveLength(1);
      expect(await propose(another.url, order('250'))).toMatchObject(exceeds);
    });

    it('the last limit that a tap removes is missed by neither', async () => {
      const none = { texts: { 'limits.yaml': 'version: 1\n' }, isLimited: false };
      await ours.rules.replace(await ours.rules.version(), none, 1000, async () => undefined);
      await tighten(world.url, (await policy(world.url)).digest, '100');
      expect(await propose(another.url, order('150'))).toMatchObject(exceeds);
      const change = { base: (await policy(another.url)).digest, limits: {} };
      const { body } = await propose(another.url, { kind: 'policy_change', policy_change: change });
      expect(await decided(String(body.id), another.url)).toMatchObject({ state: 'executed' });
      expect((await propose(world.url, order('150'))).status).toBe(201);
      expect((await propose(another.url, order('160'))).status).toBe(201);
      expect(told).toEqual([]);
    });

    it('of two changes at once, one at each, the second is told that the rules have changed', async () => {
      for (const amount of [900, 800, 700]) {
        const { digest } = await policy(world.url);
        const answers = await Promise.all([
          tighten(world.url, digest, String(amount)),
          tighten(another.url, digest, String(amount - 1)),
        ]);
        expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
        expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'rules_stale' });
        const winner = answers.findIndex(({ status }) => status === 200);
        for (const { url } of [world, another]) {
          expect(await policy(url)).toMatchObject({ limits: { max_order_notional: String(amount - winner) } });
        }
      }
    });

    it('nothing is decided where they can’t be read, and all goes on once they can', async () => {
      const approved = await propose(another.url, order('150'));
      isAway = true;
      expect(await propose(another.url, order('150'))).toMatchObject({
        status: 503,
        body: { code: 'store_unavailable' },
      });
      expect((await propose(world.url, order('160'))).status).toBe(201);
      const id = String(approved.body.id);
      await vi.waitFor(() => expect(world.issuer.questions.map(({ details }) => details.proposal)).toContain(id));
      await world.decide(id, 'approve', {}, another.url);
      const state = async () => (await alice().send('GET', `/v1/proposals/${id}`)).body.state;
      await vi.waitFor(async () => expect(await state()).not.toBe('requested'), 10_000);
      expect(world.broker.submissions).toEqual([]);
      isAway = false;
      expect((await propose(another.url, order('170'))).status).toBe(201);
    });
  });

  describe('for their operator', () => {
    let stores: SharedStores;
    beforeEach(async () => {
      stores = await machineStores();
      write('one', 'limits.yaml', limits('1000'));
      write('one', 'policies/own.cedar', noGme);
      await start('one', stores);
    });

    it('are shown and exported as they are, and import as nothing new', async () => {
      const { asked, show, import: importRules } = operator();
      const shown = await show('out');
      expect(shown).toMatchObject({ folder: null, problem: null });
      expect(shown.digest).toBe((await (await start('one', stores)).current()).digest);
      expect(shown.files.map(({ name }) => name)).toEqual(['limits.yaml', 'policies/own.cedar']);
      expect(readFileSync(join(folder, 'out', 'policies', 'own.cedar'), 'utf8')).toBe(noGme);
      await expect(show('out')).rejects.toMatchObject({ code: 'usage', hint: expect.stringContaining('new folder') });
      const { version } = await stores.rules.read();
      expect(await importRules('out')).toMatchObject({ outcome: 'unchanged', version: shown.version });
      expect((await stores.rules.read()).version).toBe(version);
      expect(asked).toEqual([]);
    });

    it('are replaced as a whole, with what becomes looser in the question and on the record', async () => {
      const { asked, show, import: importRules } = operator();
      await show('out');
      write('out', 'limits.yaml', limits('2000'));
      rmSync(join(folder, 'out', 'policies', 'own.cedar'));
      write('out', 'firm/house.cedar', noGme.replace('GME', 'AMC'));
      const changes = [
        'looser: Maximum per order $1,000.00 → $2,000.00',
        'looser: rule policies/no-gme removed',
        'tighter: rule firm/no-gme added',
      ];
      expect(await importRules('out', { agree: false })).toMatchObject({ outcome: 'not_imported', changes });
      expect((await stores.rules.read()).texts).toMatchObject({ 'policies/own.cedar': noGme });
      const done = await importRules('out');
      expect(done).toMatchObject({ outcome: 'imported', changes });
      expect(asked).toEqual([changes, changes]);
      const { texts } = await stores.rules.read();
      expect(Object.keys(texts)).toEqual(['firm/house.cedar', 'limits.yaml']);
      expect(await show()).toMatchObject({ version: done.version, digest: done.digest });
      expect(await importRules('out')).toMatchObject({ outcome: 'unchanged' });
      const last = (await sequencedLines(stores.audit)).at(-1);
      expect(last).toMatchObject({ event: 'rules_imported', digest: done.digest, changes });
    });

    it('are not replaced if they changed since the export', async () => {
      const { asked, show, import: importRules } = operator();
      const { version: base } = await show('out');
      write('out', 'limits.yaml', limits('500'));
      const edit = { texts: { 'limits.yaml': limits('900') }, isLimited: true };
      await stores.rules.replace(await stores.rules.version(), edit, 1000, async () => undefined);
      const stale = { code: 'gateway_refused', details: { problem: 'rules_stale' } };
      await expect(importRules('out')).rejects.toMatchObject(stale);
      await expect(importRules('out', { base })).rejects.toMatchObject(stale);
      expect(asked).toEqual([]);
      expect(await importRules('out', { base: (await show()).version })).toMatchObject({ outcome: 'imported' });
    });

    it('are not replaced by limits for an account number that no account has', async () => {
      const { asked, show, import: importRules } = operator({ broker: { credentials: 'key_pair' } });
      const key = { sub: 'ada', connection: 'broker', kind: 'key_pair', sealed: Buffer.from('sealed') };
      await stores.brokerKeys.keep({ ...key, accountNumber: 'PA1000000001', environment: 'paper', keptAt: 1000 });
      await show('out');
      write('out', 'limits.yaml', limits('500').replace('"*"', 'PA1000000010'));
      await expect(importRules('out')).rejects.toMatchObject({
        code: 'invalid_config',
        message: 'limits.yaml has an entry for PA1000000010, but no account here has that number',
      });
      expect(asked).toEqual([]);
      write('out', 'limits.yaml', limits('500').replace('"*"', 'PA1000000001'));
      expect(await importRules('out')).toMatchObject({ outcome: 'imported' });
    });

    it('are not replaced if they change while the operator is asked', async () => {
      const { show } = operator();
      await show('out');
      write('out', 'limits.yaml', limits('500'));
      const edit = { texts: { 'limits.yaml': limits('900') }, isLimited: true };
      const confirm = () => stores.rules.version().then((now) => stores.rules.replace(now, edit, 1000, async () => {}));
      const app = { env: { GATEWAY_URL: server.app }, clock: systemClock };
      const home = join(folder, 'operator');
      const places = { home, config: join(home, 'gateway.yaml') };
      await expect(importGatewayRules(app, places, { folder: join(folder, 'out'), confirm })).rejects.toMatchObject({
        details: { problem: 'rules_stale' },
      });
      expect((await stores.rules.read()).texts['limits.yaml']).toBe(limits('900'));
    });

    it('are not replaced by rules that are invalid, or that leave no limit', async () => {
      const { asked, show, import: importRules } = operator();
      await show('out');
      const kept = await stores.rules.read();
      write('out', 'limits.yaml', 'version: 1\n');
      await expect(importRules('out')).rejects.toMatchObject({
        code: 'usage',
        hint: expect.stringContaining('remove the last limit with a change that you approve on your phone'),
      });
      write('out', 'limits.yaml', 'version: 1\naccounts: {"*": {max_order: 1}}\n');
      await expect(importRules('out')).rejects.toMatchObject({
        code: 'invalid_config',
        message: expect.stringContaining(join(folder, 'out', 'limits.yaml')),
      });
      write('out', 'limits.yaml', limits('500'));
      write('out', 'firm/house.cedar', 'permit (principal, action, resource);\n');
      await expect(importRules('out')).rejects.toMatchObject({ code: 'invalid_config' });
      rmSync(join(folder, 'out'), { recursive: true });
      mkdirSync(join(folder, 'out'));
      await expect(importRules('out')).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('contains no rules'),
      });
      write('out', 'limits.yaml', limits('500'));
      await expect(importRules('out')).rejects.toMatchObject({
        code: 'usage',
        hint: expect.stringContaining('--base'),
      });
      expect(await stores.rules.read()).toEqual(kept);
      expect(asked).toEqual([]);
    });

    it('become looser only with the operator’s yes, tighter at once', async () => {
      operator();
      const env = { TRADE_AGENT_HOME: join(folder, 'agent'), GATEWAY_URL: server.app };
      const command = (...args: string[]) => ['gateway', 'rules', '--home', join(folder, 'operator'), ...args];
      const run = (...args: string[]) => startHere(command(...args), env).done;
      const out = join(folder, 'out');
      expect(await run('--export', out)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('limits.yaml') });
      const from = ['--import', out];
      write('out', 'limits.yaml', limits('2000'));
      const refused = await run(...from);
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
      const shown = await run(...from, '--dry-run');
      expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('looser: Maximum per order') });
      const asked = startHere(command(...from), env, { tty: true, open: true });
      await asked.says(/looser: Maximum per order[\s\S]*\[y\/N\]/);
      asked.type('n\n');
      expect((await asked.done).stdout).toContain('Nothing was imported.');
      expect((await stores.rules.read()).texts['limits.yaml']).toBe(limits('1000'));
      expect(await run(...from, '--yes')).toMatchObject({ exitCode: 0 });
      expect((await stores.rules.read()).texts['limits.yaml']).toBe(limits('2000'));
      const again = await run(...from, '--output', 'json');
      expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'unchanged' });
      write('out', 'limits.yaml', limits('900'));
      const late = await run(...from, '--output', 'json');
      expect([late.exitCode, late.stdout + late.stderr]).toMatchObject([1, expect.stringContaining('rules_stale')]);
      const { stdout } = await run('--output', 'json');
      const { version } = JSON.parse(stdout) as { version: string };
      expect(await run(...from, '--base', version)).toMatchObject({ exitCode: 0 });
      expect((await stores.rules.read()).texts['limits.yaml']).toBe(limits('900'));
    });

    it('are restored where the table has lost its rows', async () => {
      const { asked, show, import: importRules } = operator();
      await show('out');
      await runSql(server.superuser, `DELETE FROM ${gatewaySchema.name}.rules WHERE tenant = '${tenant}'`);
      const rules = await start('one', stores);
      rules.rememberIn(stores.limits, systemClock);
      const { problem, version: base } = await show();
      expect(problem).toContain('gateway rules --import');
      expect((await rules.current()).problem).toBe(problem);
      expect(await importRules('out', { base })).toMatchObject({ outcome: 'imported' });
      expect(asked[0]?.[0]).toBe(
        'looser: the current rules can’t be used, so nothing can be traded until they are replaced',
      );
      const restored = await rules.current();
      expect(restored.problem).toBeUndefined();
      expect(restored.limitsOf('PA1')).toMatchObject({ max_order_notional: '1000' });
    });
  });

  describe('at their start', () => {
    it('are the files of the first, with an entry in the audit log, and later files change nothing', async () => {
      const stores = await machineStores();
      write('one', 'limits.yaml', limits('1000'));
      write('one', 'policies/own.cedar', noGme);
      write('one', 'firm/house.cedar', noGme.replace('GME', 'AMC'));
      const first = await (await start('one', stores)).current();
      expect(first.limitsOf('PA1')).toMatchObject({ max_order_notional: '1000' });
      expect(first.cedarRules?.map(({ id }) => id)).toEqual(['policies/no-gme', 'firm/no-gme']);
      expect(await sequencedLines(stores.audit)).toMatchObject([
        {
          event: 'rules_imported',
          digest: first.digest,
          files: ['limits.yaml', 'policies/own.cedar', 'firm/house.cedar'],
        },
      ]);
      expect(told).toEqual([]);
      write('two', 'limits.yaml', limits('9000'));
      write('two', 'policies/own.cedar', noGme);
      const second = await (await start('two', await machineStores())).current();
      expect(second.digest).toBe(first.digest);
      expect(told).toEqual([
        expect.stringMatching(/two are ignored: these differ: firm\/house\.cedar, limits\.yaml\. Compare/),
      ]);
      await start('one', await machineStores());
      await start('three', await machineStores());
      expect(told).toHaveLength(1);
    });

    it('are those of one where several start at once', async () => {
      const machines = ['one', 'two', 'three'];
      for (const [n, machine] of machines.entries()) write(machine, 'limits.yaml', limits(String(100 + n)));
      const stores = await Promise.all(machines.map(() => machineStores()));
      const rules = await Promise.all(machines.map((machine, n) => start(machine, stores[n] as SharedStores)));
      const digests = await Promise.all(rules.map(async (one) => (await one.current()).digest));
      expect(new Set(digests).size).toBe(1);
      expect(told).toHaveLength(2);
    });

    it('are not files that are invalid', async () => {
      const stores = await machineStores();
      write('one', 'policies/own.cedar', 'permit (principal, action, resource);\n');
      await expect(start('one', stores)).rejects.toMatchObject({ code: 'invalid_config' });
      expect((await stores.rules.read()).texts).toEqual({});
    });

    it('are not older files where the table has lost its rows: nothing is traded', async () => {
      const stores = await machineStores();
      write('one', 'limits.yaml', limits('1000'));
      await start('one', stores);
      await runSql(server.superuser, `DELETE FROM ${gatewaySchema.name}.rules WHERE tenant = '${tenant}'`);
      const rules = await start('one', stores);
      rules.rememberIn(stores.limits, systemClock);
      expect((await rules.current()).problem).toContain('limits.yaml no longer contains any limits');
      expect((await stores.rules.read()).texts).toEqual({});
    });
  });
});
