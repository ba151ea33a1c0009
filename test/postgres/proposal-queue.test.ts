import { beforeEach, expect, it } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { CLAIM_MS, MAX_STEP_DELAY_MS } from '../../src/store/proposal-queue.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';
import { drafted } from './support/filled-stores.ts';

/** The database's clock decides, so what a process says of the time is of no account. */
const NEVER = 0;

withPostgres('gateways that share a queue of proposals', () => {
  const server = blockDatabase(gatewaySchema);
  let tenant: string;
  let one: GatewayStores;
  let two: GatewayStores;
  const sql = (text: string) => runSql(server.superuser, `SET search_path = ${gatewaySchema.name}`, text);
  /** As if its process had died a while ago. */
  const claimsEnd = () => sql(`UPDATE proposals SET due_at = now() - interval '1 second' WHERE tenant = '${tenant}'`);
  const due = async ({ queue }: GatewayStores, limit = 10) => (await queue.claimDue(limit, NEVER)).ids;

  beforeEach(async () => {
    tenant = newTenant();
    [one, two] = (await Promise.all(
      [1, 2].map(async () => await postgresGatewayStores(await server.open(tenant))),
    )) as [GatewayStores, GatewayStores];
    await drafted(one, 'pr_1', 1000);
  });

  it('have each claimed by one of them, however often both ask', async () => {
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? one : two).queue.claim('pr_1', false)),
    );
    const whose = claims[0] === true ? 0 : 1;
    expect(claims).toEqual(claims.map((_, n) => n % 2 === whose));
  });

  it('leave a draft to the process that made it, and take it over if nobody claims it', async () => {
    expect(await due(two)).toEqual([]);
    await claimsEnd();
    expect(await due(two)).toEqual(['pr_1']);
  });

  it('leave what is claimed to its process as long as that renews its claim', async () => {
    await one.queue.claim('pr_1', false);
    const { nextMs = 0 } = await two.queue.claimDue(10, NEVER);
    expect(nextMs).toBeGreaterThan(CLAIM_MS / 2);
    expect(await two.queue.claim('pr_1', false)).toBe(false);
    await claimsEnd();
    expect(await one.queue.renew(['pr_1'])).toEqual([]);
    expect(await due(two)).toEqual([]);
  });

  it('take over what a dead process had claimed, once, and the process learns of it if it only stood still', async () => {
    await one.queue.claim('pr_1', false);
    await claimsEnd();
    expect(await two.queue.claim('pr_1', false)).toBe(true);
    expect(await one.queue.renew(['pr_1'])).toEqual(['pr_1']);
    // Its release changes nothing.
    expect(await one.queue.release('pr_1', 0, NEVER)).toBe(false);
    expect(await due(one)).toEqual([]);
  });

  it('share what is due, however much it is, without taking anything twice', async () => {
    const copy = `jsonb_populate_record(p, jsonb_build_object(
      'id', 'pr_x' || n, 'subject_id', 'ta-' || n, 'version', p.version + n, 'due_at', now() - n * interval '1 ms'))`;
    await sql(
      `INSERT INTO proposals SELECT (${copy}).* FROM proposals p, generate_series(1, 400) n WHERE tenant = '${tenant}'`,
    );
    const taken: string[] = [];
    const takeAll = async (stores: GatewayStores) => {
      for (;;) {
        const ids = await due(stores, 7);
        expect(ids.length).toBeLessThanOrEqual(7);
        if (ids.length === 0) return;
        taken.push(...ids);
      }
    };
    await Promise.all([takeAll(one), takeAll(two), takeAll(one)]);
    expect(taken).toHaveLength(400);
    expect(new Set(taken).size).toBe(400);
  });

  it('have a ping that comes while another works on it answered as soon as that one is through', async () => {
    await one.queue.claim('pr_1', false);
    expect(await two.queue.claim('pr_1', true)).toBe(false);
    expect(await one.queue.release('pr_1', MAX_STEP_DELAY_MS, NEVER)).toBe(true);
    expect(await due(two)).toEqual(['pr_1']);
    // Once only.
    expect(await two.queue.release('pr_1', MAX_STEP_DELAY_MS, NEVER)).toBe(false);
  });

  it('take what waits for a ping when the ping comes', async () => {
    await one.queue.claim('pr_1', false);
    await one.queue.release('pr_1', MAX_STEP_DELAY_MS, NEVER);
    expect(await two.queue.claim('pr_1', true)).toBe(true);
    expect(await one.queue.claim('pr_1', false)).toBe(false);
  });
});
