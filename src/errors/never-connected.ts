/**
 * Whether `fetch` failed before it had a connection: nothing of the request can have arrived. Told by the call that
 * failed, not by the code alone, since EHOSTUNREACH and ENETUNREACH also end connections that a request went out by.
 */
export function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  // A name with several addresses: one error for each that was tried.
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.length > 0 && causes.every(isOfConnecting);
}

function isOfConnecting(cause: unknown): boolean {
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === 'UND_ERR_CONNECT_TIMEOUT' || syscall === 'connect' || syscall === 'getaddrinfo';
}
