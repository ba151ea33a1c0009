import { appendFileSync, chmodSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { writePrivateFile } from '../../machine/private-file.ts';

export type InputHistory = ReturnType<typeof openInputHistory>;

const MAX_ENTRIES = 1000;
/** Maximum length of an entry. Longer input was pasted and is not worth recalling. */
const MAX_ENTRY_LENGTH = 4000;

export const noHistory: InputHistory = { entries: [], add: () => undefined };

/**
 * Opens the history in `history.jsonl` (mode 0600), which has one JSON string per line. If the file can't be read or
 * written, the chat works without a history.
 */
export function openInputHistory(folder: string) {
  const file = join(folder, 'history.jsonl');
  const read = readEntries(file);
  const entries = read.slice(-MAX_ENTRIES);
  if (read.length > 2 * MAX_ENTRIES) ignoreErrors(() => writePrivateFile(file, entries.map(toLine).join('')));
  let last = entries.at(-1);
  return {
    entries,
    add: (entry: string) => {
      if (entry === last || !isStorableEntry(entry)) return;
      last = entry;
      ignoreErrors(() => {
        ensurePrivateFolder(dirname(file));
        appendFileSync(file, toLine(entry), { mode: 0o600 });
      });
    },
  };
}

/** Returns whether to store the history. `history: false` in config.yaml or TRADE_AGENT_HISTORY=off disables it. */
export function isHistoryEnabled(config: { readonly history?: boolean | undefined }, env: NodeJS.ProcessEnv): boolean {
  const said = env.TRADE_AGENT_HISTORY?.toLowerCase();
  if (said !== undefined && said !== '') return !['off', '0', 'false', 'no'].includes(said);
  return config.history !== false;
}

/**
 * Returns false for input that looks like a secret (key, token, password), that starts with a space (a shell
 * convention), or that is a long paste.
 */
export function isStorableEntry(entry: string): boolean {
  if (entry.trim() === '' || entry.startsWith(' ') || entry.length > MAX_ENTRY_LENGTH) return false;
  if (/\b(pass(word|phrase|wd)?|secret|token|api[-_ ]?key|private[-_ ]?key|credential|bearer|otp|pin)\b/i.test(entry))
    return false;
  if (/-----BEGIN|\beyJ[\w-]{8,}|\b(sk|pk|rk|ghp|gho|xox[abp])[-_]\w{8,}/.test(entry)) return false;
  // A long run of letters and digits may be base64, hex, or a broker key such as PKTEST1234567890ABCD.
  return !entry
    .split(/[\s"'`,;=:()<>]+/)
    .some((word) => /^[\w+/.~-]{20,}$/.test(word) && /\d/.test(word) && /[A-Za-z]/.test(word));
}

function toLine(entry: string): string {
  return `${JSON.stringify(entry)}\n`;
}

function readEntries(file: string): string[] {
  let text: string;
  try {
    // Makes the file private again, because a file restored from a backup may be readable by others.
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      return typeof entry === 'string' ? [entry] : [];
    } catch {
      return [];
    }
  });
}

function ignoreErrors(work: () => void): void {
  try {
    work();
  } catch {
    // Losing the history is better than an error in the middle of a conversation.
  }
}
