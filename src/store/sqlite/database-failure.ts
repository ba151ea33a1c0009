import { TradeAgentError } from '../../errors/errors.ts';

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function damaged(file: string): TradeAgentError {
  return new TradeAgentError(
    'state_corrupt',
    `${file} cannot be read: it is damaged, or its key is another`,
    {
      hint: 'Nothing was changed. Restore the file or its key; or move the file away to start afresh, after checking your orders at the broker.',
    },
  );
}

/**
 * SQLite's errors as the program's own, without a cause: nothing of the key can be in it. Anything else comes back as
 * it is.
 */
export function databaseFailure(error: unknown, file = 'the state database'): unknown {
  const code = errorCode(error);
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return damaged(file);
  if (code.startsWith('SQLITE_BUSY')) {
    return new TradeAgentError('busy', `${file} is held by another process`, {
      hint: 'Try again in a moment.',
    });
  }
  return error;
}
