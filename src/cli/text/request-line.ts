import type { HomeRequest } from '../../app/home/serve-home.ts';
import { safeLine } from '../../text/sanitize.ts';

/** Formats a request as a line of a server's log. Leaves out query, headers and body. */
export function requestLine(entry: HomeRequest): string {
  const { at, method, path, status, code, sub, duration_ms, error } = entry;
  const who = sub === undefined ? '' : ` sub=${JSON.stringify(sub)}`;
  const why = [code, error].filter((word) => word !== undefined).join(' ');
  return safeLine(`${at} ${method} ${path} ${status}${why === '' ? '' : ` ${why}`}${who} ${duration_ms} ms`);
}
