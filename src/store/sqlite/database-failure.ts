import { TradeAgentError } from '../../errors/errors.ts';

export function sqliteErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function damagedDatabaseError(file: string): TradeAgentError {
  return new TradeAgentError(
    'state_corrupt',
    `${file} can't be read: it is damaged, or was encrypted with a different key`,
    {
      hint: 'Nothing was changed. Restore the file or its key. Or check your orders at the broker, then move the file away to start over.',
    },
  );
}

/** Converts an SQLite error, without `cause`, which might contain the key. Returns other errors unchanged. */
export function toDatabaseError(error: unknown, file = 'the state database'): unknown {
  const code = sqliteErrorCode(error);
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return damagedDatabaseError(file);
  if (code.startsWith('SQLITE_BUSY')) {
    return new TradeAgentError('busy', `${file} is locked by another process`, {
      hint: 'Try again in a moment.',
    });
  }
  return error;
}
