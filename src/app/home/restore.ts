import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Moves } from '../../approval/moves.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { createPrivateFile } from '../../machine/private-file.ts';
import { createTokenSeal } from '../../secrets/token-seal.ts';
import { forgetSignIns } from '../../store/home/oidc-store.ts';
import { prepareHomeDatabase } from '../../store/home/schema.ts';
import type { Reason } from '../../store/proposal-store.ts';
import { questionSeal } from '../../store/rows/question-id.ts';
import { sqliteGatewayStores } from '../../store/sqlite/gateway-stores.ts';
import type { App } from '../app.ts';
import { readKey, sealSecret } from '../gateway/key-file.ts';
import { homeFiles, readGatewaySettings, readHomeSettings } from './home-files.ts';
import { makeNewFolder } from './new-folder.ts';
import { openArchive } from './sealed-archive.ts';

export interface Restored {
  readonly folder: string;
  /** When the backup was made. */
  readonly createdAt: string;
  readonly address: string;
  /** Proposals that were open then. */
  readonly withdrawn: number;
  /** Proposals that were being carried out then: the broker is asked what became of them when the home is served. */
  readonly lookedUp: number;
}

const restoredReason: Reason = {
  code: 'approval_cancelled',
  text: 'the home was restored from a backup: what it came to since is at the broker',
};

/**
 * Makes a home of a backup, in a folder that is not there yet; whole or not at all. What was open then is withdrawn, for it
 * may have been decided and carried out since: nobody is asked for it again. What was being carried out is looked up by
 * its id at the broker, which takes each id once. Every sign-in is ended; keys of phones stay.
 * @throws {TradeAgentError} `usage` for a wrong passphrase, a damaged file, or a folder that is taken; `invalid_config`;
 *   nothing was written
 */
export async function restoreHome(
  { clock }: Pick<App, 'clock'>,
  {
    folder,
    file,
    passphrase,
  }: { readonly folder: string; readonly file: string; readonly passphrase: string },
): Promise<Restored> {
  const archive = await openArchive(readBackup(file), passphrase, file);
  const { createdAt, address } = archive;
  return await makeNewFolder(folder, async (part) => {
    const lock = basename(homeFiles(part).lock);
    for (const [name, data] of archive.files) if (name !== lock) createPrivateFile(join(part, name), data);
    // What is missing, or of a newer version, is found before the folder has its name.
    await readHomeSettings(part);
    await readGatewaySettings(part);
    readKey(part);
    return { folder, createdAt, address, ...(await settle(part, clock)) };
  });
}

async function settle(part: string, clock: App['clock']): Promise<Pick<Restored, 'withdrawn' | 'lookedUp'>> {
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const { gatewayDatabase, providerDatabase, record } = homeFiles(part);
  const provider = new Database(providerDatabase, { fileMustExist: true });
  try {
    forgetSignIns(prepareHomeDatabase(provider));
  } finally {
    provider.close();
  }
  const seal = sealSecret(part);
  const database = new Database(gatewayDatabase, { fileMustExist: true });
  try {
    const { proposals, audit } = sqliteGatewayStores(database, questionSeal(seal));
    const moves = new Moves(proposals, createTokenSeal(seal), clock);
    let withdrawn = 0;
    let lookedUp = 0;
    for (const proposal of await proposals.list({ state: 'open' })) {
      if (proposal.state === 'executing' || proposal.state === 'unknown') lookedUp += 1;
      else {
        await moves.move(proposal, 'cancelled', { reason: restoredReason });
        withdrawn += 1;
      }
    }
    await audit.moveToFile(record);
    return { withdrawn, lookedUp };
  } finally {
    database.close();
  }
}

function readBackup(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new TradeAgentError(
      'usage',
      code === 'ENOENT' ? `there is no backup ${file}` : `${file} can't be read (${code})`,
      { hint: 'Name the file that "trade-agent home backup" wrote.', details: { file } },
    );
  }
}
