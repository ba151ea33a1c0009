import { createReadStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { verifyAuditLines } from '../../approval/audit-verification.ts';
import type { CheckpointReader } from '../../approval/checkpoints/checkpoint-reader.ts';
import { parseCheckpoint } from '../../approval/receipts/checkpoint.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import {
  combineHashes,
  consistencyRanges,
  GrowingTree,
  rangeHasher,
  rootsFromConsistency,
  subtreesOf,
  tilesOfNodes,
} from '../../store/merkle-tree.ts';
import type { RecordVerdict } from '../../trading/record-line.ts';

/** Number of lines that are read or verified at once. */
const PAGE_LINES = 1_024;

/** The first line of an exported audit log. The audit log's lines follow, unchanged. */
const headerSchema = z.strictObject({
  type: z.literal('trade-agent.audit'),
  v: z.literal(1),
  /** The gateway's public keys (JWK), so that a reader needs only their thumbprints. */
  keys: z.array(z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })),
  /** Number of lines in the audit log before the first exported line. */
  after: z.int().min(0),
  /**
   * The checkpoints of at least `after` lines, smallest first. If `after` is not 0, the first checkpoint covers exactly
   * `after` lines. The last checkpoint covers the file's last line.
   */
  checkpoints: z.array(z.string()).min(1),
  /** Proof that the last checkpoint extends the first checkpoint (RFC 6962 §2.1.2). Empty if `after` is 0. */
  consistency: z.array(z.base64()),
});
export type AuditExportHeader = z.output<typeof headerSchema>;

type ExportedStores = Pick<GatewayStores, 'audit' | 'checkpoints'>;

/**
 * Writes lines of the audit log to a new file (mode 0600), with what is needed to verify them.
 * @param day the UTC day whose lines to write; if undefined, all lines up to the latest checkpoint
 * @throws {TradeAgentError} `usage` if the day is not closed yet, or the file exists
 */
export async function writeAuditExport(
  { audit, checkpoints }: ExportedStores,
  {
    file,
    day,
    keys,
  }: { readonly file: string; readonly day: string | undefined; readonly keys: AuditExportHeader['keys'] },
): Promise<{ readonly lines: number; readonly size: number }> {
  const days = await checkpoints.list();
  const at = day === undefined ? -1 : days.findLastIndex((one) => one.day === day);
  const tree = await audit.tree();
  const last = day === undefined ? tree : days[at];
  if (last?.checkpoint === undefined) {
    throw new TradeAgentError('usage', day === undefined ? 'the audit log is empty' : `no checkpoint closes ${day}`, {
      hint: 'A day is closed when the next day begins. A day on which nothing was recorded has no checkpoint.',
    });
  }
  const { size, checkpoint } = last;
  const previous = day === undefined ? undefined : days[at - 1];
  const after = previous?.size ?? 0;
  const between = day === undefined ? days.filter((one) => one.size < size) : previous === undefined ? [] : [previous];
  const header: AuditExportHeader = {
    type: 'trade-agent.audit',
    v: 1,
    keys,
    after,
    checkpoints: [...between.map((one) => one.checkpoint), checkpoint],
    consistency: after === 0 ? [] : await consistencyProof(audit, after, size),
  };
  const handle = await open(file, 'wx', 0o600).catch((cause: unknown) => {
    throw new TradeAgentError('usage', `${file} can't be written, or already exists`, {
      hint: 'Choose a new file.',
      cause,
    });
  });
  try {
    await handle.write(`${JSON.stringify(header)}\n`);
    for (let from = after; from < size; from += PAGE_LINES) {
      const page = await audit.leaves(from, Math.min(PAGE_LINES, size - from));
      await handle.write(page.map(({ line }) => `${line}\n`).join(''));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { lines: size - after, size };
}

async function consistencyProof(audit: ExportedStores['audit'], older: number, size: number): Promise<string[]> {
  const ranges = consistencyRanges(older, size);
  const nodes = ranges.flatMap(([start, end]) => subtreesOf(start, end));
  const hashOf = rangeHasher(await audit.tiles(tilesOfNodes(nodes)));
  return ranges.map((range) => hashOf(range).toString('base64'));
}

/** Reads the first line of an exported audit log. @throws {TradeAgentError} `usage` for any other file */
export async function readAuditExportHeader(file: string): Promise<AuditExportHeader> {
  try {
    for await (const line of linesOf(file)) return headerSchema.parse(JSON.parse(line));
  } catch {
    // The error below reports it.
  }
  const isMissing = !existsSync(file);
  throw new TradeAgentError('usage', isMissing ? `there is no file ${file}` : `${file} is not an exported audit log`, {
    hint: 'Pass a file written by "trade-agent gateway audit export".',
    details: { file },
  });
}

/** Verifies that an exported audit log contains exactly the lines that its checkpoints sign. */
export async function verifyAuditExport(
  file: string,
  { after, checkpoints, consistency }: AuditExportHeader,
  reader: CheckpointReader,
): Promise<RecordVerdict> {
  const fault = reader.open(checkpoints);
  if (fault !== undefined) return { ok: false, line: fault.size, what: fault.what };
  const first = parseCheckpoint(checkpoints[0] ?? '');
  const last = parseCheckpoint(checkpoints.at(-1) ?? '');
  if (first === undefined || last === undefined) return { ok: false, line: after, what: 'checkpoint' };
  let tree = new GrowingTree();
  if (after > 0) {
    const proof = consistency.map((text) => Buffer.from(text, 'base64'));
    const proven = rootsFromConsistency({ size: first.size, root: first.root }, last.size, proof);
    const isProven =
      first.size === after &&
      proven?.older.equals(first.root) === true &&
      proven.newer.equals(last.root) &&
      combineHashes(proven.subtrees).equals(first.root);
    if (!isProven) return { ok: false, line: after, what: 'checkpoint' };
    tree = new GrowingTree(after, proven.subtrees);
  }
  const verdict = await verifyAuditLines(exportedPages(file, after), { tree, size: last.size }, reader);
  if (verdict.ok && tree.size > last.size) return { ok: false, line: last.size + 1, what: 'added' };
  return verdict;
}

async function* exportedPages(file: string, after: number) {
  let page: { leaf: number; line: string }[] = [];
  // The first line is the header.
  let leaf = after - 1;
  for await (const line of linesOf(file)) {
    if (leaf >= after) page.push({ leaf, line });
    leaf += 1;
    if (page.length < PAGE_LINES) continue;
    yield page;
    page = [];
  }
  yield page;
}

/** Yields the lines. Splits at line feeds only: Node's line reader would also split at U+2028, which JSON allows. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const text of createReadStream(file, 'utf8')) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
