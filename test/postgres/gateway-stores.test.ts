import { beforeAll, describe, expect, it } from 'vitest';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { postgresTransactions } from '../../src/store/postgres/sql-database.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { gatewayStoresContract } from '../contract/stores/gateway-stores.ts';
import { receiptCostContract } from '../contract/stores/receipt-cost.ts';
import { ruleStoreContract } from '../contract/stores/rule-store.ts';
import { sequencedLines } from '../fixtures/record-lines.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';

withPostgres('the gateway’s stores on PostgreSQL', () => {
  const server = blockDatabase(gatewaySchema);
  let ours: (tenant: string) => TenantDatabase;
  let anothers: (tenant: string) => TenantDatabase;
  beforeAll(async () => {
    [ours, anothers] = [await server.lend(), await server.lend()];
  });

  // Each test is a tenant of its own, and what is another process in it has connections of its own.
  gatewayStoresContract(async () => {
    const tenant = newTenant();
    const seal = createAuthReqIdSeal('of the test');
    const stores = await postgresGatewayStores(ours(tenant), seal);
    const other = await postgresGatewayStores(anothers(tenant), seal);
    return { stores, another: () => other, close: async () => undefined };
  });

  receiptCostContract(async () => postgresTransactions(ours(newTenant()), 'place'));

  describe('the rules', () => {
    const both = async () => {
      const tenant = newTenant();
      return [await postgresGatewayStores(ours(tenant)), await postgresGatewayStores(anothers(tenant))] as const;
    };
    ruleStoreContract(async () => {
      const [stores, other] = await both();
      if (stores.rules === undefined || other.rules === undefined) throw new Error('no rules on PostgreSQL');
      const noted = async () => (await sequencedLines(stores.audit)).map(({ event }) => String(event));
      return { store: stores.rules, another: other.rules, noted };
    });

    it('say whether there are limits in the transaction that changes them', async () => {
      const [{ rules, limits }, other] = await both();
      for (const isLimited of [true, false, true]) {
        const texts = { 'limits.yaml': `# ${isLimited}\n` };
        const record = async () => undefined;
        await rules?.replace((await rules.version()) ?? '', { texts, isLimited }, 1000, record);
        expect([await limits.hadLimits(), await other.limits.hadLimits()]).toEqual([isLimited, isLimited]);
      }
    });

    it('have no name that is no rule’s, and no text of another digest', async () => {
      const tenant = newTenant();
      const { rules } = await postgresGatewayStores(ours(tenant));
      for (const name of ['limits.yml', 'policies/../limits.yaml', 'others/a.cedar', 'policies/a/b.cedar']) {
        const change = { texts: { [name]: '' }, isLimited: true };
        await expect(
          rules?.replace('', change, 1000, async () => undefined),
          name,
        ).rejects.toThrow('rules_name_check');
      }
      const changed = ours(tenant).write((unit) =>
        unit.run("INSERT INTO rules (name, text, digest) VALUES ('limits.yaml', 'version: 1', 'another')"),
      );
      await expect(changed).rejects.toThrow('rules_check');
    });
  });
});
