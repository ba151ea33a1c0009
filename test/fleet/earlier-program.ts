import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, THIS_PROGRAM } from './fleet.ts';

/** What a gateway does and how it keeps it. */
const GATEWAY_PARTS = ['src/approval', 'src/gateway', 'src/store'];

export interface EarlierProgram {
  readonly folder: Program;
  readonly commit: string;
  /** Brings a database up to this version. @param owner the address of the login that owns the tables */
  migrate(owner: string): void;
  remove(): void;
}

/**
 * The sources of before the last change to what a gateway is, or to other parts, from the repository's history, or those of
 * `UPGRADE_FROM`.
 * Undefined where that is not at hand: a copy without its history, or with the last commit alone.
 */
export function earlierProgram(parts: readonly string[] = GATEWAY_PARTS): EarlierProgram | undefined {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: THIS_PROGRAM,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  let commit: string;
  try {
    const changed = git('rev-list', '-1', 'HEAD', '--', ...parts);
    commit = git('rev-parse', '--verify', `${process.env.UPGRADE_FROM ?? `${changed}^`}^{commit}`);
  } catch {
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-earlier-'));
  mkdirSync(folder, { recursive: true });
  const archive = execFileSync('git', ['archive', commit], { cwd: THIS_PROGRAM, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(join(THIS_PROGRAM, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    commit,
    migrate: (owner) => migrateBy(folder, owner),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Brings a gateway's database up to a program's version, by that program. */
export function migrateBy(program: Program, owner: string): void {
  const script = `
    import { migrate } from '${program}/src/store/postgres/migrate.ts';
    import { gatewaySchema } from '${program}/src/store/postgres/migrations/gateway.ts';
    await migrate(process.argv[1], gatewaySchema);`;
  execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, owner]);
}

/** The same of a server's database, with its jobs. */
export function migrateServerBy(program: Program, owner: string): void {
  const script = `
    import { migrateServerDatabase } from '${program}/src/store/postgres/server-database.ts';
    import { migrateJobs } from '${program}/src/jobs/pg-boss/migrate-jobs.ts';
    await migrateServerDatabase(process.argv[1]);
    await migrateJobs(process.argv[1]);`;
  execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, owner]);
}
