import { beforeEach, expect, it } from 'vitest';
import type { GatewayKeyRows, WrappedGatewayKey } from '../../src/store/gateway-key-rows.ts';
import { postgresGatewayKeyRows } from '../../src/store/postgres/gateway-database.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';

withPostgres('the wrapped keys of gateways', () => {
  const server = blockDatabase(gatewaySchema);
  let rows: GatewayKeyRows;
  let others: GatewayKeyRows;
  beforeEach(async () => {
    const tenant = newTenant();
    rows = postgresGatewayKeyRows(await server.open(tenant));
    others = postgresGatewayKeyRows(await server.open(tenant));
  });
  const key = (name: WrappedGatewayKey['name'], version: number, wrapped = `${name} ${version}`) => ({
    ...{ name, version, wrapped },
  });

  it('are told newest first', async () => {
    await rows.replace([], [key('client', 1), key('client', 2), key('seal', 1)]);
    expect(await others.all()).toEqual([key('client', 2), key('client', 1), key('seal', 1)]);
  });

  it('are replaced all together or not at all', async () => {
    await rows.replace([], [key('client', 1), key('next_client', 1)]);
    const before = await rows.all();
    for (const [removed, added] of [
      [[key('next_client', 1), key('client', 1, 'read before')], [key('client', 2)]],
      [[key('next_client', 1)], [key('client', 1, 'another')]],
      [[key('next_client', 1), key('seal', 1)], []],
    ])
      expect(await rows.replace(removed ?? [], added ?? [])).toBe(false);
    expect(await rows.all()).toEqual(before);
    expect(await rows.replace(before, [key('client', 1, 'again'), key('client', 2)])).toBe(true);
    expect(await rows.all()).toEqual([key('client', 2), key('client', 1, 'again')]);
  });

  it('have one first that is sealed by, whoever comes at once', async () => {
    const done = await Promise.all(
      [rows, others, rows, others].map((one, at) => one.addFirstSeal(key('seal', 1, `of ${at}`), `check ${at}`)),
    );
    expect(done.filter((added) => added)).toHaveLength(1);
    expect(await rows.all()).toEqual([key('seal', 1, `of ${done.indexOf(true)}`)]);
    expect(await rows.addFirstSeal(key('seal', 2), 'check 9')).toBe(false);
  });
});
