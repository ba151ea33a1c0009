import type { Pool, PoolConfig } from 'pg';
import { TradeAgentError } from '../../errors/errors.ts';
import { isLoopback } from '../../net/secure-url.ts';

/** For a connection, be it a new one or one of the pool's, milliseconds. */
const CONNECT_MS = 10_000;
/** A statement of ours takes milliseconds: what takes longer waits for something that does not come. */
const STATEMENT_MS = 10_000;
/** For what another unit of work holds: shorter, so that it is this that is told. */
const LOCK_MS = 5_000;
/** A process that stopped within a unit of work holds what it locked no longer than this. */
const IDLE_IN_TRANSACTION_MS = 15_000;
/** Longer than the server's own limits: for a server that says nothing at all any more. */
const ANSWER_MS = 20_000;

/** @see https://www.postgresql.org/docs/current/datatype-oid.html; the number of `bigint` is PostgreSQL's own */
const BIGINT_OID = 20;

export interface PoolOptions {
  /** See {@link readServerAddress}. */
  readonly address: string;
  /** Where its tables are. */
  readonly schema: string;
  /** How many connections at most. */
  readonly max?: number;
  /** Whose rows all that is asked is about; none for who owns the tables. See `requireTenant`. */
  readonly tenant?: string;
  /** False where a commit need not wait for the disk: what is lost with the server is done again. */
  readonly synced?: boolean;
}

/**
 * Connections to one database. The driver is loaded here, so that who keeps all in SQLite never loads it.
 * @throws {TradeAgentError} `invalid_config` for an address that is none, or without TLS beyond this machine
 */
export async function openPool({
  address,
  schema,
  max = 10,
  tenant,
  synced = true,
}: PoolOptions): Promise<Pool> {
  const url = readServerAddress(address);
  const settings = {
    search_path: schema,
    lock_timeout: LOCK_MS,
    ...(tenant && { 'ta.tenant': tenant }),
    ...(synced ? {} : { synchronous_commit: 'off' }),
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  // Of what an address can say the driver lets it have the last word: this is not for it to say.
  url.searchParams.set('options', options.join(' '));
  const { default: pg } = await import('pg');
  const config: PoolConfig & { readonly pipeline: true } = {
    connectionString: url.href,
    // What is asked next doesn't wait for the answer before; the server answers in the order of asking.
    pipeline: true,
    max,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    application_name: 'trade-agent',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === BIGINT_OID ? safeInteger : pg.types.getTypeParser(oid, format as 'text'),
    },
  };
  const pool = new pg.Pool(config);
  // A connection that breaks tells whoever uses it by their query; without somebody to hear it as well, it ends the process.
  const heard = () => undefined;
  pool.on('error', heard);
  pool.on('connect', (client) => client.on('error', heard));
  return pool;
}

/** Times in milliseconds, counters and versions: all far below 2^53, or something is wrong. */
function safeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`not a number that can be told exactly: ${text}`);
  return number;
}

/**
 * The address of a PostgreSQL database, as libpq writes it (PostgreSQL manual §34.1.1.2):
 * `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`, or `postgresql:///DATABASE?host=/run/postgresql&user=USER`
 * for a Unix socket. What people approve and own goes there, so beyond this machine it is TLS with the server's name verified.
 * @throws {TradeAgentError} `invalid_config`; never shows the address, which may hold a password
 */
export function readServerAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgresql:', 'postgres:'].includes(url.protocol)) {
    throw new TradeAgentError('invalid_config', 'the database’s address is not one of PostgreSQL', {
      hint: 'It looks like postgresql://USER@HOST/DATABASE?sslmode=verify-full, or postgresql:///DATABASE?host=/run/postgresql&user=USER.',
    });
  }
  if (!isOnThisMachine(url) && url.searchParams.get('sslmode') !== 'verify-full') {
    throw new TradeAgentError(
      'invalid_config',
      'the database is on another machine, and its address does not ask for TLS',
      { hint: 'Add "sslmode=verify-full" to the address, and "sslrootcert=FILE" where its CA is your own.' },
    );
  }
  // Left out it would be whatever PGHOST says.
  if (hostOf(url) === '') url.searchParams.set('host', 'localhost');
  return url;
}

const hostOf = (url: URL): string => url.searchParams.get('host') ?? url.host;

function isOnThisMachine(url: URL): boolean {
  const host = hostOf(url);
  if (host === '' || host.startsWith('/')) return true;
  return URL.canParse(`http://${host}`) && isLoopback(new URL(`http://${host}`));
}
