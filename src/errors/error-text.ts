/** An error's name and message, for whoever runs a server. Shows nothing of values that are no errors: they may be secrets. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown';
}
