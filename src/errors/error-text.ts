/**
 * Returns an error's name and message, for the person who runs a server. Values that are not errors are hidden, because
 * they may be secrets.
 */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';
}
