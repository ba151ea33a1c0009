import { isTradeAgentError } from '../../errors/errors.ts';

/** PostgreSQL's classes of what passes by itself: connections, resources, an operator at work, the system below it. */
const PASSING_CLASSES = ['08', '53', '57', '58'];
/** What a socket says of a server that is not there, or is no more. */
const SOCKET_CODES = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
];
/** What the driver says, which gives these no code. */
const DRIVER =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

/**
 * Whether an error says that the database is away, or can't just now: that it may answer in a moment, and that nothing is wrong
 * with what it was asked. Of errors thrown by what is asked of a database; a request of another kind fails by an error of its own
 * with such a code as its cause.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isStoreAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // What keeps people's secrets says it in words of its own.
  if (isTradeAgentError(error)) return error.details.away === true;
  // Of a name that leads to several addresses, each of which was tried.
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isStoreAway);
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return DRIVER.test(error.message);
  return (
    SOCKET_CODES.includes(code) || (/^[0-9A-Z]{5}$/.test(code) && PASSING_CLASSES.includes(code.slice(0, 2)))
  );
}
