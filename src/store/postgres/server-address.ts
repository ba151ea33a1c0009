import { TradeAgentError } from '../../errors/errors.ts';
import { isLoopback } from '../../net/secure-url.ts';

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
