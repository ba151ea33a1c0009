import type { IncomingMessage } from 'node:http';

/** Whether it went wrong since the request broke off, or was none: nothing that is to be looked into here. */
export function isRequestFault(error: unknown, request: IncomingMessage | undefined): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return request?.destroyed === true || code.startsWith('HPE_') || code === 'ECONNRESET';
}
