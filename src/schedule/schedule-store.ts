import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { ensurePrivateFolder } from '../machine/directories.ts';
import { readFileIfExists, writePrivateFile } from '../machine/private-file.ts';
import { withProcessLock } from '../machine/process-lock.ts';
import type { ScheduleProgress } from './decide-run.ts';
import { type RunRecord, runRecordSchema } from './run-record.ts';
import { type Schedule, scheduleNamePattern, scheduleSchema } from './schedule.ts';

/** Maximum number of stored runs per schedule: enough for two runs on each trading day of a quarter. */
const MAX_STORED_RUNS = 128;

const journalSchema = z.strictObject({
  handled: z.int(),
  pending: z.strictObject({ due: z.int(), attempts: z.int() }).nullable(),
  /** Oldest first. */
  runs: z.array(runRecordSchema),
});

export interface ScheduleJournal extends ScheduleProgress {
  readonly runs: readonly RunRecord[];
}

export type ScheduleStore = ReturnType<typeof openScheduleStore>;

/**
 * Opens the store of schedules and their runs. It consists of files that only the user can read, written atomically.
 * @param folder `schedules/` in the agent's data folder
 */
export function openScheduleStore(folder: string) {
  const definition = (id: string) => join(folder, `${id}.json`);
  const journalFile = (id: string) => join(folder, `${id}.runs.json`);
  const list = (): Schedule[] =>
    fileNames(folder)
      .filter((name) => /^[^.]+\.json$/.test(name) && !name.startsWith('calendar-'))
      .map((name) => parseFile(join(folder, name), scheduleSchema))
      .filter((schedule) => schedule !== undefined)
      .sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  return {
    folder,
    list,
    /** @throws {TradeAgentError} `not_found` */
    find(idOrName: string): Schedule {
      // A string that matches the pattern is safe as part of a path.
      const found = scheduleNamePattern.test(idOrName)
        ? (parseFile(definition(idOrName), scheduleSchema) ?? list().find(({ name }) => name === idOrName))
        : undefined;
      if (found !== undefined) return found;
      throw new TradeAgentError('not_found', `there is no schedule "${idOrName}"`, {
        hint: 'See "trade-agent schedule list".',
      });
    },
    put: (schedule: Schedule) => writePrivateFile(definition(schedule.id), jsonLine(schedule)),
    remove(id: string): void {
      rmSync(definition(id), { force: true });
      rmSync(journalFile(id), { force: true });
    },
    journal: ({ id, created_at }: Pick<Schedule, 'id' | 'created_at'>): ScheduleJournal =>
      parseFile(journalFile(id), journalSchema) ?? {
        handled: Date.parse(created_at),
        pending: null,
        runs: [],
      },
    write: (id: string, journal: ScheduleJournal) =>
      writePrivateFile(journalFile(id), jsonLine({ ...journal, runs: journal.runs.slice(-MAX_STORED_RUNS) })),
    /**
     * Runs `work` while no other run of the schedule is in progress.
     * @throws {TradeAgentError} `busy` if another run is in progress
     */
    async alone<T>(id: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
      const busy = { message: `a run of schedule ${id} is in progress`, hint: 'Wait for it to finish.' };
      const lock = join(ensurePrivateFolder(folder), `${id}.lock`);
      return await withProcessLock(lock, { waitMs: 0, signal, busy }, work);
    },
  };
}

const jsonLine = (value: unknown) => `${JSON.stringify(value)}\n`;

function fileNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Returns a file's content; undefined if it does not exist. @throws {TradeAgentError} `state_corrupt` */
function parseFile<T>(file: string, schema: z.ZodType<T>): T | undefined {
  const content = readFileIfExists(file);
  if (content === undefined) return undefined;
  const parsed = schema.safeParse(json(content));
  if (parsed.success) return parsed.data;
  throw new TradeAgentError('state_corrupt', `${file} is damaged`, {
    hint: 'Move the file elsewhere, then add the schedule again.',
  });
}

function json(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
