/**
 * Returns whether `fetch` failed before connecting. If so, no part of the request can have arrived. Checks which
 * system call failed, because EHOSTUNREACH and ENETUNREACH can also end established connections.
 */
export function failedBeforeConnecting(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  // A host with several addresses has one error for each address that was tried.
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.length > 0 && causes.every(isConnectError);
}

function isConnectError(cause: unknown): boolean {
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === 'UND_ERR_CONNECT_TIMEOUT' || syscall === 'connect' || syscall === 'getaddrinfo';
}
