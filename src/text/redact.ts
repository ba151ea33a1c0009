/**
 * Replaces everything that could be a credential: JWTs, API keys, and any 40 or more consecutive characters. Keeps
 * words and IDs (at most 36 characters).
 */
export function redactSecrets(text: string): string {
  return text
    .replace(/\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*/g, '[redacted]')
    .replace(/\bsk-[A-Za-z0-9_-]{8,}/g, '[redacted]')
    .replace(/[A-Za-z0-9_~+=-]{40,}/g, '[redacted]');
}

/** Masks account numbers, except for their last four characters, in our messages and in brokers' URL paths. */
export function maskAccounts(text: string): string {
  return text.replace(/\b(accounts?[ /]|an entry for )(?=[\w-]*\d)[\w-]+([\w-]{4})(?![\w-])/g, '$1…$2');
}
