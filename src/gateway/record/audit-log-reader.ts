import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { readAuditLines, verifyAuditFile } from '../../approval/audit-chain.ts';
import type { CheckpointReader } from '../../approval/checkpoints/checkpoint-reader.ts';
import type { AuditStore } from '../../store/audit.ts';
import { type RecordLine, type RecordVerdict, recordLineSchema } from '../../trading/record-line.ts';

/**
 * Maximum number of bytes read from the end of the file, enough for thousands of entries. Older entries can be read on
 * the gateway's machine.
 */
const MAX_TAIL_LENGTH = 4 * 1024 * 1024;

export type AuditLogReader = ReturnType<typeof createAuditLogReader>;

/** @param file need not exist yet @param reader called for each full verification, to create a new reader */
export function createAuditLogReader(
  file: string,
  store: Pick<AuditStore, 'snapshot'>,
  reader: () => Promise<CheckpointReader>,
) {
  let verified: { readonly upTo: string; readonly verdict: Promise<RecordVerdict> } | undefined;
  return {
    /** Returns the person's own entries, newest first, from the end of the file. */
    async lines(sub: string, limit: number): Promise<RecordLine[]> {
      const { pending, bytes } = await store.snapshot(file);
      const found = new Map<number, RecordLine>();
      for (const text of [...(await readLastLines(file, bytes)), ...pending]) {
        const line = parseEntry(text);
        if (line?.sub === sub) found.set(line.seq, line);
      }
      return [...found.values()].sort((a, b) => b.seq - a.seq).slice(0, limit);
    },
    /** Everyone's entries, oldest first. Reads the whole file. @param named only lines with one of these are parsed */
    async about(named: readonly string[], isAbout: (line: RecordLine) => boolean): Promise<string[]> {
      const { pending, bytes } = await store.snapshot(file);
      const found = new Map<number, string>();
      const look = (text: string) => {
        const line = parsed(text);
        if (line !== undefined && isAbout(line)) found.set(line.seq, text);
      };
      for await (const text of readAuditLines(file, bytes, named)) look(text);
      pending.filter((text) => named.some((name) => text.includes(name))).forEach(look);
      return [...found].sort(([a], [b]) => a - b).map(([, text]) => text);
    },
    /** Verifies the whole file if it has changed since the last time. */
    async verify(): Promise<RecordVerdict> {
      const { head, bytes } = await store.snapshot(file);
      // A changed file may have the same length, so its ctime, which no program can set, is compared as well.
      const changedAt = statSync(file, { throwIfNoEntry: false })?.ctimeMs;
      const upTo = `${head.seq} ${head.hash} ${bytes} ${changedAt}`;
      if (verified?.upTo !== upTo) {
        const verdict = reader().then((checkpoints) => verifyAuditFile(file, store, checkpoints));
        verified = { upTo, verdict };
        verdict.catch(() => {
          verified = undefined;
        });
      }
      return await verified.verdict;
    },
  };
}

/** Parses an entry and removes the provider's request IDs. */
function parseEntry(text: string): RecordLine | undefined {
  const line = parsed(text);
  if (line === undefined) return undefined;
  const { auth_req_id: _, auth_req_hash: __, ...shown } = line;
  return shown as RecordLine;
}

function parsed(text: string): RecordLine | undefined {
  try {
    return recordLineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Returns the lines in the last `bytes` of a file. The first line may be cut off. */
async function readLastLines(file: string, bytes: number): Promise<string[]> {
  if (bytes === 0) return [];
  const handle = await open(file, 'r');
  try {
    const length = Math.min(bytes, MAX_TAIL_LENGTH);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, bytes - length);
    return buffer.toString('utf8', 0, bytesRead).split('\n');
  } finally {
    await handle.close();
  }
}
