import { expect, it } from 'vitest';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import {
  migrateGatewayDatabase,
  openPostgresGatewayDatabase,
} from '../../../../src/store/postgres/gateway-database.ts';
import {
  isDatabaseUnavailableError,
  toDatabaseUnreachableError,
} from '../../../../src/store/postgres/store-unavailable.ts';

const coded = (code: string) => Object.assign(new Error('said by nobody'), { code });
const secrets = (away: boolean) => new TradeAgentError('credential_store_unavailable', 'away', { details: { away } });

it.each<[string, Error]>([
  ['nobody listens', coded('ECONNREFUSED')],
  ['its socket is gone', coded('ENOENT')],
  ['it is starting', coded('57P03')],
  ['it was shut down by an operator', coded('57P01')],
  ['its connection failed', coded('08006')],
  ['it has no connection left', coded('53300')],
  ['its disk is full', coded('53100')],
  ['the connection broke', new Error('Connection terminated unexpectedly')],
  ['no connection came free', new Error('timeout exceeded when trying to connect')],
  ['no answer came', new Error('Query read timeout')],
  ['each of its addresses was tried', new AggregateError([coded('ECONNREFUSED'), coded('ETIMEDOUT')])],
  ['what keeps people’s secrets says so', secrets(true)],
])('a database is away where %s', (_, error) => {
  expect(isDatabaseUnavailableError(error)).toBe(true);
});

it.each<[string, unknown]>([
  ['a statement that is wrong', coded('42601')],
  ['a row that is there already', coded('23505')],
  ['a policy that refuses it', coded('42501')],
  ['a deadlock', coded('40P01')],
  ['an error of the program’s own', new TypeError('x is undefined')],
  ['a request to somebody else', new TypeError('fetch failed', { cause: coded('ECONNREFUSED') })],
  ['some of many that failed otherwise', new AggregateError([coded('ECONNREFUSED'), new Error('no')])],
  ['none of none', new AggregateError([])],
  ['a certificate that does not hold', coded('CERT_HAS_EXPIRED')],
  ['secrets that don’t open', secrets(false)],
  ['no error', 'ECONNREFUSED'],
])('%s is no database that is away', (_, error) => {
  expect(isDatabaseUnavailableError(error)).toBe(false);
});

it('a program that can’t open its database says what to check, and never shows the address', async () => {
  const address = 'postgresql://app:pass-4711@127.0.0.1:9/trade';
  const openings = [
    () => openPostgresGatewayDatabase({ address, tenant: 'alice' }),
    () => migrateGatewayDatabase(address),
  ];
  for (const open of openings) {
    const error = await open().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ code: 'database_unreachable', hint: expect.stringContaining('PostgreSQL') });
    expect(String(error)).toContain('ECONNREFUSED');
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('4711');
  }
  const fault = new TypeError('not a database error');
  expect(toDatabaseUnreachableError(fault)).toBe(fault);
});
