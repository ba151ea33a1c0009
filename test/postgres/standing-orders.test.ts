import { afterAll, beforeAll, expect, it } from 'vitest';
import { createStandingOrderWatcher } from '../../src/gateway/mandates/standing-order-watcher.ts';
import { systemClock } from '../../src/machine/clock.ts';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { MAX_CHECK_DELAY_MS, STANDING_CLAIM_MS } from '../../src/store/standing-order-store.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';
import { granted } from './support/filled-stores.ts';

const ORDERS = 10_000;
const SYMBOLS = 100;
/** One order in so many is for a price that has been crossed. */
const CROSSED = 20;

withPostgres('two gateways that share ten thousand standing orders', () => {
  const server = blockDatabase(gatewaySchema);
  const sql = (text: string) => runSql(server.superuser, `SET search_path = ${gatewaySchema.name}`, text);
  let tenant: string;
  let both: [Gateway, Gateway];

  /** What a watcher asks of its broker and its kernel is noted. */
  type Gateway = ReturnType<typeof gateway>;
  function gateway(stores: GatewayStores) {
    const asked: (readonly string[])[] = [];
    const keys: string[] = [];
    const checked: string[] = [];
    let clocks = 0;
    const market = () => ({
      timestamp: new Date().toISOString(),
      is_open: true,
      next_open: new Date(Date.now() + 3_600_000).toISOString(),
      next_close: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const broker = {
      at: { name: 'broker', label: 'Broker', isUnattended: true },
      clock: async () => {
        clocks += 1;
        return market();
      },
      quotes: async (symbols: readonly string[]) => {
        asked.push(symbols);
        const at = new Date().toISOString();
        return symbols.map((symbol) => ({ symbol, bid: '100', ask: '100', last: '100', at }));
      },
    };
    const standing: GatewayStores['standing'] = {
      ...stores.standing,
      async claimDue(...query) {
        const claim = await stores.standing.claimDue(...query);
        checked.push(...claim.orders.map(({ mandate }) => mandate));
        return claim;
      },
    };
    const errors: string[] = [];
    const watcher = createStandingOrderWatcher({
      standing,
      mandates: stores.mandates,
      kernel: {
        propose: async (_caller: unknown, _request: unknown, key: string) => {
          keys.push(key);
          return { proposal: { id: `pr_${key}`, state: 'executed' } };
        },
        noted: () => undefined,
      } as never,
      brokerFor: (async () => broker) as never,
      clock: systemClock,
      onError: (message) => errors.push(message),
    });
    return { stores, watcher, asked, keys, checked, clocks: () => clocks, errors };
  }

  const round = async () => {
    for (const { asked, keys, checked } of both) for (const list of [asked, keys, checked]) list.length = 0;
    const began = performance.now();
    await Promise.all(both.map(({ watcher }) => watcher.look()));
    const ms = Math.round(performance.now() - began);
    const [checked, keys, asked] = [
      both.flatMap((one) => one.checked),
      both.flatMap((one) => one.keys),
      both.flatMap((one) => one.asked),
    ];
    expect(both.flatMap(({ errors }) => errors)).toEqual([]);
    process.stdout.write(
      `standing orders: ${checked.length} checked in ${ms} ms by two gateways (${both.map((one) => one.checked.length).join(' and ')}), ${keys.length} proposed; ${asked.length} quote requests with ${asked.flat().length} symbols\n`,
    );
    return { checked, keys, asked };
  };
  const allDue = () => sql(`UPDATE standing_orders SET check_at = 0 WHERE tenant = '${tenant}' AND state = 'watching'`);

  beforeAll(async () => {
    tenant = newTenant();
    both = (await Promise.all(
      [1, 2].map(async () => gateway(await postgresGatewayStores(await server.open(tenant)))),
    )) as typeof both;
    await granted(both[0].stores);
    const at = `CASE WHEN n % ${CROSSED} = 0 THEN '150' ELSE '50' END`;
    const symbol = `'S' || n % ${SYMBOLS}`;
    await sql(
      `INSERT INTO mandates SELECT (jsonb_populate_record(m, jsonb_build_object('id', 'M-' || n, 'sub', 'person-' || n,
         'terms', (m.terms::jsonb || jsonb_build_object('mandate_id', 'M-' || n, 'max_orders', 1, 'cadence', 'on_demand',
           'symbols', jsonb_build_array(${symbol}), 'standing', jsonb_build_object(
             'order', jsonb_build_object('symbol', ${symbol}, 'side', 'buy', 'notional', '200', 'type', 'market', 'time_in_force', 'day'),
             'when', jsonb_build_object('price', 'below', 'at', ${at}))))::text))).*
       FROM mandates m, generate_series(1, ${ORDERS}) n WHERE tenant = '${tenant}'`,
    );
    await sql(
      `INSERT INTO standing_orders (tenant, sub, mandate, client, symbol, state)
       SELECT tenant, sub, id, 'trade-agent', terms::jsonb->'symbols'->>0, 'watching' FROM mandates
       WHERE tenant = '${tenant}' AND sub <> 'alice'`,
    );
    // The one that the others were copied from.
    await sql(`UPDATE standing_orders SET state = 'done', check_at = NULL WHERE sub = 'alice'`);
    await sql('ANALYZE');
  });
  afterAll(() => Promise.all(both.map(({ watcher }) => watcher.close())));

  it('check each once in a round, propose each that is due once, and ask for few quotes', async () => {
    const { checked, keys, asked } = await round();
    expect(checked).toHaveLength(ORDERS);
    expect(new Set(checked).size).toBe(ORDERS);
    expect(keys).toHaveLength(ORDERS / CROSSED);
    expect(new Set(keys).size).toBe(ORDERS / CROSSED);
    expect(asked.length).toBeLessThanOrEqual(SYMBOLS);
    for (const one of both) expect(one.clocks()).toBeLessThanOrEqual(SYMBOLS);
  }, 120_000);

  it('check nothing before the next check is due, and then all that is left', async () => {
    expect((await round()).checked).toEqual([]);
    await allDue();
    const { checked, keys, asked } = await round();
    expect(new Set(checked).size).toBe(ORDERS - ORDERS / CROSSED);
    expect(checked).toHaveLength(ORDERS - ORDERS / CROSSED);
    expect(keys).toEqual([]);
    expect(asked.length).toBeLessThanOrEqual(SYMBOLS);
  }, 120_000);

  it('take over what a gateway claimed that died, when its claim ends', async () => {
    await allDue();
    const [{ stores }] = both;
    const left = (await stores.standing.claimDue(100, 0)).orders.map(({ mandate }) => mandate);
    expect(left).toHaveLength(100);
    const first = await round();
    expect(first.checked.some((one) => left.includes(one))).toBe(false);
    await sql(
      `UPDATE standing_orders SET check_at = check_at - ${STANDING_CLAIM_MS} WHERE tenant = '${tenant}'
       AND mandate IN (${left.map((one) => `'${one}'`).join(', ')})`,
    );
    const { checked } = await round();
    expect(checked.filter((one) => left.includes(one)).toSorted()).toEqual(left.toSorted());
  }, 120_000);

  it('check a recurring one next when it is due, and at least once a day', async () => {
    const [{ stores }] = both;
    await sql(`UPDATE standing_orders SET state = 'watching', check_at = 0 WHERE sub = 'alice'`);
    const { checked, keys } = await round();
    expect(keys).toEqual([]);
    expect(checked).toHaveLength(1);
    const [mandate = ''] = checked;
    const dueAt = (await stores.standing.find('alice', mandate))?.dueAt ?? 0;
    const [, read] = await sql(`SELECT check_at FROM standing_orders WHERE sub = 'alice'`);
    const early = Math.min(dueAt, Date.now() + MAX_CHECK_DELAY_MS) - Number(read?.rows[0].check_at);
    expect(Math.abs(early)).toBeLessThan(10_000);
  });
});
