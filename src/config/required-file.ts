import { readFileSync } from 'node:fs';
import { TradeAgentError } from '../errors/errors.ts';

/**
 * Reads a file that the settings name.
 * @param called such as `rules file`, for error messages
 * @throws {TradeAgentError} `invalid_config`
 */
export function readRequiredFile(file: string, called: string, hint: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new TradeAgentError(
      'invalid_config',
      code === 'ENOENT' ? `there is no ${called} ${file}` : `${file} can't be read (${code})`,
      { hint, details: { file } },
    );
  }
}
