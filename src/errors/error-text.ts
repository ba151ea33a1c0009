/**
 * Describes an error to the person who runs a server. Hides values that are not errors, because they may be secrets.
 */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';
}
