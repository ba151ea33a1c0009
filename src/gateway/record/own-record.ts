import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { linesOf, verifyAuditFile } from '../../approval/audit-chain.ts';
import type { CheckpointReader } from '../../approval/checkpoints/checkpoint-reader.ts';
import type { AuditStore } from '../../store/audit.ts';
import { type RecordLine, type RecordVerdict, recordLineSchema } from '../../trading/record-line.ts';

/** Bytes from the file's end: thousands of lines. Older ones are read on the gateway's machine. */
const LONGEST_TAIL = 4 * 1024 * 1024;

/** The record as one person may see it. */
export type OwnRecord = ReturnType<typeof ownRecord>;

/** @param file which may not exist yet @param reader made for each full read */
export function ownRecord(
  file: string,
  store: Pick<AuditStore, 'standing'>,
  reader: () => Promise<CheckpointReader>,
) {
  let verified: { readonly upTo: string; readonly verdict: Promise<RecordVerdict> } | undefined;
  return {
    /** Their own lines, newest first, from the end of the file. */
    async lines(sub: string, limit: number): Promise<RecordLine[]> {
      const { pending, bytes } = await store.standing(file);
      const found = new Map<number, RecordLine>();
      for (const text of [...(await lastLines(file, bytes)), ...pending]) {
        const line = lineOf(text);
        if (line?.sub === sub) found.set(line.seq, line);
      }
      return [...found.values()].sort((a, b) => b.seq - a.seq).slice(0, limit);
    },
    /**
     * Everybody's lines that match, oldest first. Reads the whole file.
     * @param named only lines that contain one of these are parsed
     */
    async about(named: readonly string[], isAbout: (line: RecordLine) => boolean): Promise<string[]> {
      const { pending, bytes } = await store.standing(file);
      const found = new Map<number, string>();
      const look = (text: string) => {
        const line = parsed(text);
        if (line !== undefined && isAbout(line)) found.set(line.seq, text);
      };
      for await (const text of linesOf(file, bytes, named)) look(text);
      pending.filter((text) => named.some((name) => text.includes(name))).forEach(look);
      return [...found].sort(([a], [b]) => a - b).map(([, text]) => text);
    },
    /** Verifies the whole file if it has changed since. */
    async verify(): Promise<RecordVerdict> {
      const { head, bytes } = await store.standing(file);
      // ctime, which no program can set: a file of the same length may be another.
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

/** Without the provider's request ids. */
function lineOf(text: string): RecordLine | undefined {
  const line = parsed(text);
  if (line === undefined) return undefined;
  const { auth_req_id: _, auth_req_hash: __, ...told } = line;
  return told as RecordLine;
}

function parsed(text: string): RecordLine | undefined {
  try {
    return recordLineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The lines at the end of a file's first `bytes`; the first of them may be cut. */
async function lastLines(file: string, bytes: number): Promise<string[]> {
  if (bytes === 0) return [];
  const handle = await open(file, 'r');
  try {
    const length = Math.min(bytes, LONGEST_TAIL);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, bytes - length);
    return buffer.toString('utf8', 0, bytesRead).split('\n');
  } finally {
    await handle.close();
  }
}
