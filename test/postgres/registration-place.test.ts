import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createRegisteredClientIdSource } from '../../src/approval/ciba/client-registration.ts';
import { postgresRegistrationStorage } from '../../src/store/postgres/gateway-database.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import type { RegistrationStorage } from '../../src/store/registration-storage.ts';
import { clientKey } from '../integration/approval/asking-fixture.ts';
import { type LyingProvider, startLyingProvider } from '../integration/auth/lying-provider.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';

withPostgres('the client that gateways over one database registered', () => {
  const server = blockDatabase(gatewaySchema);
  let provider: LyingProvider;
  let places: RegistrationStorage[];
  beforeAll(async () => {
    provider = await startLyingProvider();
    let clients = 0;
    // Whoever comes is another client.
    const registered = () => Response.json({ client_id: `client-${++clients}` }, { status: 201 });
    provider.lies.instead = { '/register': registered };
  });
  afterAll(async () => {
    await provider.close();
  });
  beforeEach(async () => {
    const tenant = newTenant();
    places = await Promise.all([1, 2].map(async () => postgresRegistrationStorage(await server.open(tenant))));
  });
  const idsOf = (place: RegistrationStorage) =>
    createRegisteredClientIdSource({
      ...{ issuer: provider.issuer, resource: 'https://gateway.example', privateKey: clientKey, storage: place },
      ...{ details: 'rar', delivery: 'poll', access: {} },
    });

  it('is one, whichever of them asks first, and another one together once the provider forgot it', async () => {
    const gateways = places.map(idsOf);
    const together = async (forgotten?: string) =>
      new Set(await Promise.all(gateways.map((ids) => ids.current(forgotten))));
    const [first, ...more] = await together();
    expect(more).toEqual([]);
    const [second, ...others] = await together(first);
    expect(others).toEqual([]);
    expect(second).not.toBe(first);
    expect(await together()).toEqual(new Set([second]));
  });

  it('stays as another wrote it meanwhile', async () => {
    const [one, two] = places as [RegistrationStorage, RegistrationStorage];
    expect(await one.read()).toBeUndefined();
    expect(await one.write(undefined, 'a')).toBe(true);
    expect(await two.write(undefined, 'b')).toBe(false);
    expect(await two.write('a', 'b')).toBe(true);
    expect(await one.write('a', 'c')).toBe(false);
    expect(await one.read()).toBe('b');
  });
});
