import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ReceiptJwk } from '../../src/approval/receipts/receipt-key.ts';
import { consistencyRanges, inclusionRanges, rangeHasher, type Tile } from '../../src/store/merkle-tree.ts';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('tlog-check', import.meta.url));

/** Go's verifier of a record, built once from its sources. @returns where it is, or why there is none on this machine */
export async function tlogCheck(): Promise<{ binary: string } | { missing: string }> {
  const digest = createHash('sha256');
  for (const name of readdirSync(sources).sort()) digest.update(readFileSync(join(sources, name)));
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const binary = join(cache, 'trade-agent-tests', `tlog-check-${digest.digest('hex').slice(0, 16)}`);
  if (existsSync(binary)) return { binary };
  if (!(await run('go', ['version']).catch(() => undefined))) return { missing: 'Go is not installed' };
  mkdirSync(dirname(binary), { recursive: true });
  try {
    await run('go', ['build', '-o', binary, '.'], { cwd: sources, timeout: 120_000 });
  } catch {
    return { missing: 'Go could not build it: golang.org/x/mod is out of reach' };
  }
  return { binary };
}

export interface WrittenRecord {
  readonly checkpoint: string;
  readonly size: number;
  readonly older: { readonly note: string; readonly size: number };
  readonly lines: readonly string[];
  readonly tiles: readonly Tile[];
  readonly key: string;
  /** The leaves whose inclusion is proven. */
  readonly leaves: readonly number[];
}

/** Writes a record as `tlog-check` reads it: its tiles as in C2SP tlog-tiles. */
export function writeRecord(folder: string, record: WrittenRecord): void {
  const { size, older, tiles } = record;
  const hashOf = rangeHasher(tiles);
  const base64 = (ranges: ReturnType<typeof inclusionRanges>) => ranges.map((one) => hashOf(one).toString('base64'));
  const write = (name: string, content: string | Buffer) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  write('key', record.key);
  write('checkpoint', record.checkpoint);
  write('older', older.note);
  write('lines', record.lines.map((line) => `${line}\n`).join(''));
  write(
    'proofs.json',
    JSON.stringify({
      inclusion: record.leaves.map((leaf) => ({ leaf, proof: base64(inclusionRanges(leaf, size)) })),
      consistency: base64(consistencyRanges(older.size, size)),
    }),
  );
  for (const { level, index, hashes } of tiles) {
    const groups =
      String(index)
        .padStart(Math.ceil(String(index).length / 3) * 3, '0')
        .match(/\d{3}/g) ?? [];
    const place = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
    const width = hashes.length / 32;
    write(`tile/${level}/${place}${width < 256 ? `.p/${width}` : ''}`, hashes);
  }
}

/** What Go says to a written record: `holds`, or what does not. */
export async function checkedByGo(binary: string, folder: string): Promise<string> {
  const { stdout } = await run(binary, [folder], { timeout: 60_000 }).catch((error: { stdout: string }) => error);
  return stdout.trim();
}

/** The verifier key of a log (C2SP signed-note). */
export function verifierKey(name: string, { x }: ReceiptJwk): string {
  const key = Buffer.concat([Buffer.of(1), Buffer.from(x, 'base64url')]);
  const id = createHash('sha256')
    .update(Buffer.concat([Buffer.from(`${name}\n`), key]))
    .digest('hex')
    .slice(0, 8);
  return `${name}+${id}+${key.toString('base64')}`;
}
