/**
 * Whether `fetch` failed before it was connected, so that nothing of the request can have arrived. Decided by the system call
 * that failed, not by the code alone, since EHOSTUNREACH and ENETUNREACH also end established connections.
 */
export function failedBeforeConnecting(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  // A host with several addresses has one error for each that was tried.
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.length > 0 && causes.every(isConnectError);
}

function isConnectError(cause: unknown): boolean {
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === 'UND_ERR_CONNECT_TIMEOUT' || syscall === 'connect' || syscall === 'getaddrinfo';
}
