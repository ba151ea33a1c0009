import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { signCheckpoint } from '../../../src/approval/receipts/checkpoint.ts';
import { deriveReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { appendToTiles, leafHash, rangeHasher } from '../../../src/store/merkle-tree.ts';
import { checkedByGo, tlogCheck, verifierKey, type WrittenRecord, writeRecord } from '../../receipts/tlog-check.ts';

const go = await tlogCheck();
const origin = 'https://gateway.example';

async function recordOf(count: number, olderSize: number): Promise<WrittenRecord> {
  const key = await deriveReceiptKey('a secret');
  const lines = Array.from({ length: count }, (_, at) => JSON.stringify({ event: 'proposed', proposal: `pr_ß${at}` }));
  const tiles = appendToTiles(0, [], lines.map(leafHash));
  const hashOf = rangeHasher(tiles);
  const note = (size: number) => signCheckpoint(key, { origin, size, root: hashOf([0, size]), day: '2026-12-01' });
  const leaves = [0, 1, Math.floor(count / 2), count - 1];
  const older = { note: note(olderSize), size: olderSize };
  return { checkpoint: note(count), size: count, older, lines, tiles, leaves, key: verifierKey(origin, key.jwk) };
}

it.skipIf('missing' in go).each([
  [2, 1],
  [256, 255],
  [300, 256],
  [70_000, 65_537],
])('Go verifies the record of %i lines, and that it began with %i', async (count, older) => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-tlog-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const record = await recordOf(count, older);
  writeRecord(folder, record);
  const { binary } = go as { binary: string };
  expect(await checkedByGo(binary, folder)).toBe('holds');
  const lines = record.lines.map((line, at) => `${at === 1 ? line.replace('pr_', 'px_') : line}\n`).join('');
  writeFileSync(join(folder, 'lines'), lines);
  expect(await checkedByGo(binary, folder)).toBe('line 1');
});
