import { appendFileSync, chmodSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { writePrivateFile } from '../../machine/private-file.ts';

export type InputHistory = ReturnType<typeof openInputHistory>;

const MOST_ENTRIES = 1000;
/** Longer entries were pasted, and nobody looks for them with the Up key. */
const LONGEST_ENTRY = 4000;

export const noHistory: InputHistory = { entries: [], add: () => undefined };

/**
 * The history in `history.jsonl` (0600), one JSON string a line. Where the file can't be read or written the chat works
 * without it.
 */
export function openInputHistory(folder: string) {
  const file = join(folder, 'history.jsonl');
  const read = readEntries(file);
  const entries = read.slice(-MOST_ENTRIES);
  if (read.length > 2 * MOST_ENTRIES) quietly(() => writePrivateFile(file, entries.map(asLine).join('')));
  let last = entries.at(-1);
  return {
    entries,
    add: (entry: string) => {
      if (entry === last || !mayBeKept(entry)) return;
      last = entry;
      quietly(() => {
        ensurePrivateFolder(dirname(file));
        appendFileSync(file, asLine(entry), { mode: 0o600 });
      });
    },
  };
}

/** `history: false` in config.yaml and TRADE_AGENT_HISTORY=off turn it off. */
export function wantsHistory(
  config: { readonly history?: boolean | undefined },
  env: NodeJS.ProcessEnv,
): boolean {
  const said = env.TRADE_AGENT_HISTORY?.toLowerCase();
  if (said !== undefined && said !== '') return !['off', '0', 'false', 'no'].includes(said);
  return config.history !== false;
}

/**
 * False for what looks like a pasted secret (key, token, password), for a line that begins with a blank (as in shells),
 * and for long pastes.
 */
export function mayBeKept(entry: string): boolean {
  if (entry.trim() === '' || entry.startsWith(' ') || entry.length > LONGEST_ENTRY) return false;
  if (
    /\b(pass(word|phrase|wd)?|secret|token|api[-_ ]?key|private[-_ ]?key|credential|bearer|otp|pin)\b/i.test(
      entry,
    )
  )
    return false;
  if (/-----BEGIN|\beyJ[\w-]{8,}|\b(sk|pk|rk|ghp|gho|xox[abp])[-_]\w{8,}/.test(entry)) return false;
  // Long runs that aren't words: base64, hex, and broker keys such as PKTEST1234567890ABCD.
  return !entry
    .split(/[\s"'`,;=:()<>]+/)
    .some((word) => /^[\w+/.~-]{20,}$/.test(word) && /\d/.test(word) && /[A-Za-z]/.test(word));
}

function asLine(entry: string): string {
  return `${JSON.stringify(entry)}\n`;
}

function readEntries(file: string): string[] {
  let text: string;
  try {
    // A file from a backup or another program may be readable by others.
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

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Not worth an error in the middle of a conversation.
  }
}
