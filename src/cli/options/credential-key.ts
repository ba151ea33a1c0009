import { resolve } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';

/**
 * What opens a credential file, as `config.yaml` has it: `passphrase`, or the whole path of a key file.
 * @param option as it was typed, for the message
 * @throws {TradeAgentError} `usage` where secrets are kept elsewhere, or for an empty value
 */
export function credentialKeySetting(text: string, store: 'keychain' | 'file', option: string): string {
  if (store !== 'file') {
    throw new TradeAgentError('usage', `${option} is for credentials in a file`, {
      hint: 'The keychain has a key of its own. For a file say so, too.',
    });
  }
  if (text === '')
    throw new TradeAgentError('usage', `${option} is empty`, {
      hint: 'Say "passphrase", or the path of a key file.',
    });
  return text === 'passphrase' ? text : resolve(text);
}
