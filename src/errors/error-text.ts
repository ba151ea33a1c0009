/** Returns an error's name and message, for whoever runs a server. Other values are hidden: they may be secrets. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';
}
