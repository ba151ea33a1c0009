import { basename } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import type { ImportedFile, ImportStore } from '../../store/check-store.ts';
import { safeLine } from '../../text/shown-text.ts';
import { FIRST_ACTIVITY } from '../../trading/activity.ts';
import { beforeBroker, brokerBegan } from '../../trading/portfolio/imported.ts';
import type { App } from '../app.ts';
import { type StoreApp, withCheckStore } from '../check/with-check-store.ts';
import { type BadLine, type HistoryFile, readHistory } from './read-history.ts';

type ImportApp = StoreApp & Pick<App, 'clock' | 'gateway'>;

/** What became of a file, or would become of it. */
export interface ImportReport {
  readonly id: string;
  readonly file: string;
  readonly account: string;
  readonly dry_run: boolean;
  /** What is taken that was not there; the line it stands in. */
  readonly taken: readonly (Pick<
    HistoryFile['rows'][number]['activity'],
    'kind' | 'at' | 'symbol' | 'side' | 'qty' | 'price' | 'amount'
  > & { readonly line: number })[];
  /** Lines that an earlier import, or this one, has already. */
  readonly known: readonly number[];
  /** Lines that are kept and not counted: from this day on the broker tells of it itself. */
  readonly told_by_broker: readonly number[];
  readonly broker_since: string | null;
  readonly bad: readonly BadLine[];
  readonly ignored_columns: readonly string[];
  readonly simulated: boolean;
}

/**
 * Takes a CSV file of activities in, for the figures of this account alone: the gateway and the broker never see it. The
 * same file twice changes nothing.
 * @param options.skipBad take the other lines where some can't be read; otherwise nothing is taken
 * @throws {TradeAgentError} `usage` for a file that is none, or (with nothing changed) one with lines that can't be read
 */
export async function importHistory(
  app: ImportApp,
  file: string,
  { dryRun = false, skipBad = false }: { readonly dryRun?: boolean; readonly skipBad?: boolean } = {},
): Promise<ImportReport> {
  const history = readHistory(file, app.clock.now());
  const gateway = await app.gateway();
  const [account, broker] = await Promise.all([
    gateway.account(),
    gateway.activities({ after: FIRST_ACTIVITY }),
  ]);
  const look = (imports: Pick<ImportStore, 'activities'>) =>
    reportOf(imports, history, { file, account, broker, dryRun });
  if (dryRun) return withImports(app, account.account, look, await look(nothingKept));
  if (history.bad.length > 0 && !skipBad) {
    const [first] = history.bad;
    throw new TradeAgentError(
      'usage',
      `${history.bad.length === 1 ? '1 line' : `${history.bad.length} lines`} of ${safeLine(file)} can't be read; line ${first?.line}: ${first?.reason}`,
      {
        hint: 'Nothing was taken. --dry-run shows them all; --skip-bad takes the others.',
        details: { bad: history.bad },
      },
    );
  }
  return withImports(app, account.account, async (imports) => {
    const report = await look(imports);
    await imports.put(
      { id: history.id, file: report.file, at: app.clock.now() },
      history.rows.map(({ activity }) => activity),
    );
    return report;
  });
}

async function reportOf(
  imports: Pick<ImportStore, 'activities'>,
  { id, rows, bad, ignored }: HistoryFile,
  given: {
    readonly file: string;
    readonly account: { readonly account: string; readonly simulated: boolean };
    readonly broker: Parameters<typeof beforeBroker>[0];
    readonly dryRun: boolean;
  },
): Promise<ImportReport> {
  const { account, broker, dryRun } = given;
  const kept = new Set((await imports.activities()).map((activity) => activity.id));
  const fresh = rows.filter(({ activity }) => !kept.has(activity.id));
  const counted = new Set(
    beforeBroker(
      broker,
      fresh.map(({ activity }) => activity),
    ),
  );
  return {
    ...{ id, file: safeLine(basename(given.file), 200), account: account.account, dry_run: dryRun },
    taken: fresh.map(({ line, activity: { kind, at, symbol, side, qty, price, amount } }) => ({
      ...{ line, at, kind, symbol, side, qty, price, amount },
    })),
    known: rows.filter(({ activity }) => kept.has(activity.id)).map(({ line }) => line),
    told_by_broker: fresh
      .filter(({ activity }) => !counted.has(activity) && activity.basis === undefined)
      .map(({ line }) => line),
    broker_since: brokerBegan(broker) ?? null,
    bad,
    ignored_columns: ignored,
    simulated: account.simulated,
  };
}

/** The files taken in for this account, newest first. */
export async function listImports(app: ImportApp): Promise<ImportedFile[]> {
  const { account } = await (await app.gateway()).account();
  return withImports(app, account, (imports) => imports.files(), []);
}

/** Takes a file's rows out again. @throws {TradeAgentError} `not_found` */
export async function undoImport(app: ImportApp, id: string): Promise<{ id: string; removed: number }> {
  const { account } = await (await app.gateway()).account();
  const removed = await withImports(app, account, (imports) => imports.remove(id), undefined);
  if (removed !== undefined) return { id, removed };
  throw new TradeAgentError('not_found', `there is no import ${safeLine(id, 40)} of this account`, {
    hint: 'trade-agent import list shows them.',
  });
}

const nothingKept: Pick<ImportStore, 'activities'> = { activities: async () => [] };

/** @param otherwise where nothing is kept yet; without it a store is made */
function withImports<T>(
  app: StoreApp,
  account: string,
  use: (imports: ImportStore) => Promise<T>,
  ...otherwise: [T?]
): Promise<T> {
  return withCheckStore(app, (store, owner) => use(store.imports({ profile: owner, account })), {
    ...(otherwise.length === 0 ? {} : { otherwise: otherwise[0] as T }),
  });
}
