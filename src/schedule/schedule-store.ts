import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import { ensurePrivateFolder } from '../machine/directories.ts';
import { readIfThere, writePrivateFile } from '../machine/private-file.ts';
import { withProcessLock } from '../machine/process-lock.ts';
import type { Progress } from './due.ts';
import { type RunRecord, runRecordSchema } from './run-record.ts';
import { type Schedule, schedulePattern, scheduleSchema } from './schedule.ts';

/** Stored runs per schedule: a quarter of trading days, twice a day. */
const KEPT_RUNS = 128;

const journalSchema = z.strictObject({
  handled: z.int(),
  pending: z.strictObject({ due: z.int(), attempts: z.int() }).nullable(),
  /** Oldest first. */
  runs: z.array(runRecordSchema),
});

/** A schedule's progress and runs. */
export interface Journal extends Progress {
  readonly runs: readonly RunRecord[];
}

/** Schedules and their runs, in private files that are written atomically. */
export interface ScheduleStore {
  readonly folder: string;
  /** By creation time. */
  list(): Schedule[];
  /** @throws {TradeAgentError} `not_found` */
  find(idOrName: string): Schedule;
  put(schedule: Schedule): void;
  /** With its runs. */
  remove(id: string): void;
  journal(schedule: Pick<Schedule, 'id' | 'created_at'>): Journal;
  write(id: string, journal: Journal): void;
  /** @throws {TradeAgentError} `busy` while a run of it is under way */
  alone<T>(id: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

/** @param folder `schedules/` in the agent's data folder */
export function openScheduleStore(folder: string): ScheduleStore {
  const definition = (id: string) => join(folder, `${id}.json`);
  const journalFile = (id: string) => join(folder, `${id}.runs.json`);
  const store: ScheduleStore = {
    folder,
    list: () =>
      names(folder)
        .filter((name) => /^[^.]+\.json$/.test(name) && !name.startsWith('calendar-'))
        .map((name) => parse(join(folder, name), scheduleSchema))
        .filter((schedule) => schedule !== undefined)
        .sort((a, b) => (a.created_at < b.created_at ? -1 : 1)),
    find(idOrName) {
      // The pattern makes it safe as part of a path.
      const found = schedulePattern.test(idOrName)
        ? (parse(definition(idOrName), scheduleSchema) ?? store.list().find(({ name }) => name === idOrName))
        : undefined;
      if (found !== undefined) return found;
      throw new TradeAgentError('not_found', `there is no schedule "${idOrName}"`, {
        hint: 'See "trade-agent schedule list".',
      });
    },
    put: (schedule) => writePrivateFile(definition(schedule.id), text(schedule)),
    remove(id) {
      rmSync(definition(id), { force: true });
      rmSync(journalFile(id), { force: true });
    },
    journal: ({ id, created_at }) =>
      parse(journalFile(id), journalSchema) ?? { handled: Date.parse(created_at), pending: null, runs: [] },
    write: (id, journal) =>
      writePrivateFile(journalFile(id), text({ ...journal, runs: journal.runs.slice(-KEPT_RUNS) })),
    async alone(id, signal, work) {
      let held = false;
      try {
        return await withProcessLock(
          join(ensurePrivateFolder(folder), `${id}.lock`),
          { waitMs: 0, signal },
          () => {
            held = true;
            return work();
          },
        );
      } catch (error) {
        if (held || !isTradeAgentError(error) || error.code !== 'busy') throw error;
        throw new TradeAgentError('busy', `a run of schedule ${id} is under way`, {
          hint: 'Wait for it to end.',
        });
      }
    },
  };
  return store;
}

const text = (value: unknown) => `${JSON.stringify(value)}\n`;

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A file's content, undefined where there is none. @throws {TradeAgentError} `state_corrupt` */
function parse<T>(file: string, schema: z.ZodType<T>): T | undefined {
  const content = readIfThere(file);
  if (content === undefined) return undefined;
  const parsed = schema.safeParse(json(content));
  if (parsed.success) return parsed.data;
  throw new TradeAgentError('state_corrupt', `${file} is not what this program wrote`, {
    hint: 'Move it away, and add the schedule again.',
  });
}

function json(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
