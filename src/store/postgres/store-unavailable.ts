import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';

/**
 * PostgreSQL's classes of errors that may be temporary: connection exceptions, insufficient resources, operator
 * intervention, and system errors.
 */
const TRANSIENT_CLASSES = ['08', '53', '57', '58'];
const SOCKET_CODES = ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND'];
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

/**
 * Returns whether an error means that the database is temporarily unavailable, so that the same request may succeed
 * later. Pass only errors of database queries, because errors of other requests may have the same codes.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isDatabaseUnavailableError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // The credential store has its own error for an unavailable database.
  if (isTradeAgentError(error)) return error.details.away === true;
  // The host name has several addresses, and connecting to each of them failed.
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isDatabaseUnavailableError);
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return DRIVER_MESSAGES.test(error.message);
  return SOCKET_CODES.includes(code) || (/^[0-9A-Z]{5}$/.test(code) && TRANSIENT_CLASSES.includes(code.slice(0, 2)));
}

/** Converts errors that mean that the database is unavailable. Returns other errors unchanged. */
export function toDatabaseUnreachableError(error: unknown): unknown {
  if (isTradeAgentError(error) || !isDatabaseUnavailableError(error)) return error;
  const { code, message } = error as Error & { readonly code?: string };
  return new TradeAgentError('database_unreachable', `the database can't be reached (${code ?? message})`, {
    hint: 'Check that PostgreSQL is running and that the connection string is right, then try again.',
    cause: error,
  });
}
