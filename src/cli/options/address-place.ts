import type { Command } from 'commander';
import { TradeAgentError } from '../../errors/errors.ts';

export interface AddressFlags {
  readonly urlFile?: string;
  readonly urlEnv?: string;
}

/** Where a database owner's login address is. @param folder what a file name is relative to, in words */
export function addAddressOptions<C extends Command>(command: C, folder: string): C {
  return command
    .option('--url-file <file>', `holds the owner's address: a path, or a name in ${folder}`)
    .option('--url-env <name>', 'the environment variable that holds it');
}

export function addressPlaceOf({ urlFile, urlEnv }: AddressFlags) {
  if (urlFile !== undefined && urlEnv === undefined) return { url_file: urlFile };
  if (urlEnv !== undefined && urlFile === undefined) return { url_env: urlEnv };
  throw new TradeAgentError('usage', 'say where the address is: --url-file or --url-env, one of them', {
    hint: 'It is no argument itself, since it may hold a password and everybody here can read those.',
  });
}
