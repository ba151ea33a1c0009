import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type CorporateAction, corporateActionsSchema } from '../corporate-action.ts';
import { type Day, daysOf, wrong } from './day-rows.ts';
import { csvRows, jsonRows } from './read-rows.ts';

/** What a folder of real days holds. */
export interface ReplayData {
  /** By symbol; each the oldest day first. */
  readonly days: ReadonlyMap<string, readonly Day[]>;
  readonly actions: readonly CorporateAction[];
}

const ACTIONS = 'corporate-actions.json';

/**
 * Reads a folder of days, one file a symbol (`AAPL.csv`, `BRK.B.json`), and `corporate-actions.json` where there is one.
 * Files of other kinds are passed over.
 * @throws {TradeAgentError} `invalid_config`, with file and line
 */
export function readMarketFolder(folder: string): ReplayData {
  const days = new Map<string, readonly Day[]>();
  let actions: readonly CorporateAction[] = [];
  for (const name of namesIn(folder)) {
    const file = join(folder, name);
    const [, symbol = '', kind = ''] = /^(.+)\.(csv|json)$/i.exec(name) ?? [];
    if (name === ACTIONS) {
      actions = readActions(file);
    } else if (kind !== '') {
      if (!/^[A-Z]{1,5}(\.[A-Z]{1,2})?$/.test(symbol)) {
        throw wrong(file, undefined, 'a file is named by its symbol, such as AAPL.csv or BRK.B.json');
      }
      if (days.has(symbol)) throw wrong(file, undefined, `${symbol} has another file already`);
      const text = readFileSync(file, 'utf8');
      days.set(
        symbol,
        daysOf(file, kind.toLowerCase() === 'csv' ? csvRows(file, text) : jsonRows(file, text)),
      );
    }
  }
  if (days.size === 0) throw wrong(folder, undefined, 'no file of days in it, such as AAPL.csv');
  return { days, actions };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw wrong(folder, undefined, `can’t be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
}

/** Alpaca's answer (`/v1/corporate-actions`), or its lists alone. */
function readActions(file: string): CorporateAction[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong(file, undefined, `no JSON: ${(error as Error).message}`);
  }
  const answer = z.object({ corporate_actions: z.unknown() }).safeParse(content);
  const read = corporateActionsSchema.safeParse(answer.success ? answer.data.corporate_actions : content);
  if (!read.success) throw wrong(file, undefined, z.prettifyError(read.error));
  return read.data;
}
