import { TradeAgentError } from '../../trading/errors.ts';

/** As brokers and their tools call them, in small letters. */
const idNames = ['key', 'key_id', 'keyid', 'id', 'apca_api_key_id', 'alpaca_api_key', 'api_key'];
const secretNames = ['secret', 'secret_key', 'apca_api_secret_key', 'alpaca_secret_key', 'api_secret'];

/**
 * A key pair as a file has it: two lines, id and secret; or lines `key=…` and `secret=…`, also by the names that Alpaca's
 * tools use. Nothing of the text is in an error.
 * @throws {TradeAgentError} `usage`
 */
export function readKeyPairText(text: string, from: string): { keyId: string; secret: string } {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const named = new Map<'keyId' | 'secret', string>();
  const bare: string[] = [];
  for (const line of lines) {
    const [, word = '', value = ''] = /^(?:export\s+)?([A-Za-z_-]+)\s*[=:]\s*(.+)$/.exec(line) ?? [];
    const name = word.toLowerCase().replaceAll('-', '_');
    const unquoted = value.replace(/^(["'])(.*)\1$/, '$2');
    if (idNames.includes(name)) named.set('keyId', unquoted);
    else if (secretNames.includes(name)) named.set('secret', unquoted);
    else bare.push(line);
  }
  const [keyId, secret] =
    named.size > 0 ? [named.get('keyId'), named.get('secret')] : bare.length === 2 ? bare : [];
  if (keyId !== undefined && secret !== undefined) return { keyId, secret };
  throw new TradeAgentError('usage', `${from} holds no key pair`, {
    hint: 'Write the key id on its first line and the secret on its second, or "key=…" and "secret=…".',
  });
}
