import { TradeAgentError } from '../../errors/errors.ts';
import { readDescriptor, readPrivateFile } from '../../machine/private-file.ts';
import type { PassphraseSource } from './passphrase-keys.ts';

const PASSPHRASE_FILE_VARIABLE = 'TRADE_AGENT_PASSPHRASE_FILE';
const VALUE_VARIABLE = 'TRADE_AGENT_PASSPHRASE';

const MAX_FILE_BYTES = 4096;

/**
 * Returns a source that reads the passphrase from a file or an open descriptor (`fd:3`) named in the environment, or
 * else asks the person.
 * @param ask asks the person without echoing their input; undefined if nobody can be asked
 * @param signal ends the wait for input from a descriptor
 */
export function createPassphraseSource(
  env: NodeJS.ProcessEnv,
  ask: ((question: string) => Promise<string>) | undefined,
  signal?: AbortSignal,
): PassphraseSource {
  const location = env[PASSPHRASE_FILE_VARIABLE];
  if (env[VALUE_VARIABLE] !== undefined) return refusingSource(valueInEnvironment);
  if (location) return fileSource(location, signal);
  if (ask === undefined) return refusingSource(nobodyToAsk);
  return {
    isPerson: true,
    async read(purpose, profile) {
      if (purpose === 'open') return await ask(`Passphrase for profile ${profile} (not shown): `);
      const first = await ask(`New passphrase for the credentials of profile ${profile} (not shown): `);
      if ((await ask('Enter the passphrase again: ')) === first) return first;
      throw new TradeAgentError('usage', 'the passphrases do not match', { hint: 'Nothing was written.' });
    },
  };
}

function fileSource(location: string, signal: AbortSignal | undefined): PassphraseSource {
  let line: Promise<string> | undefined;
  return {
    isPerson: false,
    read() {
      // Cached, because a descriptor can't be read again.
      line ??= firstLine(location, signal);
      return line;
    },
  };
}

async function firstLine(location: string, signal: AbortSignal | undefined): Promise<string> {
  const text = /^fd:\d+$/.test(location)
    ? await readDescriptor(
        Number(location.slice(3)),
        MAX_FILE_BYTES,
        (why) => unusableFile(`${location} can't be used: ${why}`),
        signal,
      )
    : readPrivateFile(location, MAX_FILE_BYTES, (why) => unusableFile(`${location} can't be used: ${why}`));
  if (text === undefined) throw unusableFile(`${location} does not exist`);
  const [line = '', ...more] = text.split(/\r?\n/);
  if (line === '' || more.some((rest) => rest !== ''))
    throw unusableFile(`${location} does not contain exactly one line`);
  return line;
}

const refusingSource = (refusal: () => TradeAgentError): PassphraseSource => ({
  isPerson: false,
  read: () => Promise.reject(refusal()),
});

function valueInEnvironment(): TradeAgentError {
  return new TradeAgentError(
    'usage',
    `${VALUE_VARIABLE} is not supported: a passphrase must not be in the environment`,
    {
      hint: `Unset the variable, save the passphrase to a file that only you can read, and set ${PASSPHRASE_FILE_VARIABLE} to that file.`,
    },
  );
}

function nobodyToAsk(): TradeAgentError {
  return new TradeAgentError(
    'credential_store_locked',
    'the credential file requires a passphrase, and there is no terminal to ask for it',
    {
      hint: `Set ${PASSPHRASE_FILE_VARIABLE} to a file that contains the passphrase (mode 0600), or to an open descriptor such as fd:3.`,
      details: { state: 'no_passphrase' },
    },
  );
}

function unusableFile(why: string): TradeAgentError {
  return new TradeAgentError('credential_store_locked', `the passphrase file ${why}`, {
    hint: `The file must contain the passphrase as its only line, and only you may read it; see ${PASSPHRASE_FILE_VARIABLE}.`,
    details: { state: 'no_passphrase' },
  });
}
