import type { Pool, PoolConfig } from 'pg';
import { TradeAgentError } from '../../errors/errors.ts';
import { isLoopbackUrl } from '../../net/secure-url.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Default timeout of a statement, in milliseconds. Normal statements take a few milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** Timeout for a lock, in milliseconds. Shorter than the statement timeout, so that the error names the lock. */
const LOCK_TIMEOUT_MS = 5_000;
/** How long a process that was suspended during a transaction can keep its locks, in milliseconds. */
const IDLE_TRANSACTION_TIMEOUT_MS = 15_000;

/** OID of PostgreSQL's type `bigint`. @see https://www.postgresql.org/docs/current/datatype-oid.html */
const BIGINT_OID = 20;

export interface PoolOptions {
  /** See {@link parsePostgresUrl}. */
  readonly address: string;
  readonly schema: string;
  readonly max?: number;
  /** The tenant whose rows all queries are limited to (see `validateTenantName`). Undefined for the tables' owner. */
  readonly tenant?: string;
  /** False if commits need not wait for the disk, because the program makes lost changes again. */
  readonly synced?: boolean;
  /** Timeout of a statement, in milliseconds. 0 for migrations, whose statements may run for a long time. */
  readonly statementTimeoutMs?: number;
  /**
   * Whether the address is a pooler's (such as PgBouncer's in transaction mode), which may use another connection for
   * each transaction. Settings then last for one transaction, so each begins with the {@link transactionSettings}.
   */
  readonly isPooler?: boolean;
}

/** Returns the SQL that sets a pool's settings for one transaction. */
export function transactionSettings(options: PoolOptions): string {
  return Object.entries({ ...connectionSettings(options), ...timeoutSettings(options) })
    .map(([name, value]) => `SET LOCAL ${name} = '${value}'`)
    .join('; ');
}

function connectionSettings({ schema, tenant, synced = true }: PoolOptions) {
  return {
    search_path: schema,
    lock_timeout: LOCK_TIMEOUT_MS,
    ...(tenant && { 'ta.tenant': tenant }),
    ...(synced ? {} : { synchronous_commit: 'off' }),
  };
}

const timeoutSettings = ({ statementTimeoutMs = STATEMENT_TIMEOUT_MS }: PoolOptions) => ({
  statement_timeout: statementTimeoutMs,
  idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
});

/**
 * Opens a connection pool. The driver is loaded here, so that programs that use SQLite never load it.
 * @throws {TradeAgentError} `invalid_config` if the address is invalid, or is on another machine and does not require
 * TLS
 */
export async function openPool(options: PoolOptions): Promise<Pool> {
  const { address, max = 10, statementTimeoutMs = STATEMENT_TIMEOUT_MS, isPooler = false } = options;
  const url = parsePostgresUrl(address);
  const settings = Object.entries(connectionSettings(options)).map(([name, value]) => `-c ${name}=${value}`);
  // The settings are in the address, because the driver lets the address override its configuration.
  if (isPooler) url.searchParams.delete('options');
  else url.searchParams.set('options', settings.join(' '));
  const { default: pg } = await import('pg');
  const config: PoolConfig & { readonly pipeline: true } = {
    connectionString: url.href,
    // Sends queries without waiting for the responses to earlier queries. The server responds in order.
    pipeline: true,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(isPooler ? {} : timeoutSettings(options)),
    // Timeout for a server that does not respond. Longer than the server's own timeouts.
    query_timeout: 2 * statementTimeoutMs,
    keepAlive: true,
    application_name: 'trade-agent',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === BIGINT_OID ? safeInteger : pg.types.getTypeParser(oid, format as 'text'),
    },
  };
  const pool = new pg.Pool(config);
  // If a connection breaks, its queries reject. Its `error` event also needs a listener, or the event would end the
  // process.
  const heard = () => undefined;
  pool.on('error', heard);
  pool.on('connect', (client) => client.on('error', heard));
  return pool;
}

/** Parses a bigint. Throws if the number exceeds 2^53: no time, counter or version is anywhere near that large. */
function safeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`the number exceeds 2^53: ${text}`);
  return number;
}

/**
 * Parses the address of a PostgreSQL database in libpq's form (PostgreSQL manual §34.1.1.2):
 * `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`, or
 * `postgresql:///DATABASE?host=/run/postgresql&user=USER` for a Unix socket. Connections transmit approvals and
 * personal data, so connections to another machine must use TLS with a verified host name.
 * @throws {TradeAgentError} `invalid_config`; the message never contains the address, which may include a password
 */
export function parsePostgresUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgresql:', 'postgres:'].includes(url.protocol)) {
    throw new TradeAgentError('invalid_config', 'the database’s address is not a PostgreSQL URL', {
      hint: 'Use the form postgresql://USER@HOST/DATABASE?sslmode=verify-full, or postgresql:///DATABASE?host=/run/postgresql&user=USER.',
    });
  }
  if (!isOnThisMachine(url) && url.searchParams.get('sslmode') !== 'verify-full') {
    throw new TradeAgentError(
      'invalid_config',
      'the database is on another machine, but its address does not require TLS',
      { hint: 'Add "sslmode=verify-full" to the address, and "sslrootcert=FILE" if you use your own CA.' },
    );
  }
  // If the address had no host, the driver would use PGHOST.
  if (serverHost(url) === '') url.searchParams.set('host', 'localhost');
  return url;
}

const serverHost = (url: URL): string => url.searchParams.get('host') ?? url.host;

function isOnThisMachine(url: URL): boolean {
  const host = serverHost(url);
  if (host === '' || host.startsWith('/')) return true;
  return URL.canParse(`http://${host}`) && isLoopbackUrl(new URL(`http://${host}`));
}
