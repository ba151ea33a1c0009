import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { linesOf, verifyAuditFile } from '../../approval/audit-chain.ts';
import type { CheckpointReader } from '../../approval/checkpoints/checkpoint-reader.ts';
import type { AuditStore } from '../../store/audit.ts';
import { type RecordLine, type RecordVerdict, recordLineSchema } from '../../trading/record-line.ts';

/** Of the file's end, bytes: thousands of lines. What is older is read at the gateway's own machine. */
const LONGEST_TAIL = 4 * 1024 * 1024;

/** The record, as one person may see it. */
export type OwnRecord = ReturnType<typeof ownRecord>;

/**
 * @param file which may not be there yet
 * @param reader one for each time that the whole is read
 */
export function ownRecord(
  file: string,
  store: Pick<AuditStore, 'standing'>,
  reader: () => Promise<CheckpointReader>,
) {
  let verified: { readonly upTo: string; readonly verdict: Promise<RecordVerdict> } | undefined;
  return {
    /** Their own lines, newest first, of the file's last four mebibytes. */
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
     * Those of everybody's lines that are about something, as they stand there; oldest first. Reads the whole file.
     * @param named one of which stands in the text of each such line: no other is looked at
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
    /** Of the whole file, which is read where it has changed since: whose lines they are is not told. */
    async verify(): Promise<RecordVerdict> {
      const { head, bytes } = await store.standing(file);
      // By the time of its last change, which no program can set: what is as long as before may be another.
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

/** As it is told: how the provider is asked is between it and the gateway. */
function lineOf(text: string): RecordLine | undefined {
  const line = parsed(text);
  if (line === undefined) return undefined;
  const { auth_req_id: _, auth_req_hash: __, ...told } = line;
  return told as RecordLine;
}

/** Undefined for what is no line of the record. */
function parsed(text: string): RecordLine | undefined {
  try {
    return recordLineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The lines of the last part of a file's first so many bytes; the first of them may be cut. */
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
