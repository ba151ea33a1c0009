import { TradeAgentError } from '../../errors/errors.ts';
import { readDescriptor, readPrivateFile } from '../../machine/private-file.ts';
import type { PassphraseSource } from './passphrase-keys.ts';

const PASSPHRASE_FILE_VARIABLE = 'TRADE_AGENT_PASSPHRASE_FILE';
const VALUE_VARIABLE = 'TRADE_AGENT_PASSPHRASE';

const LONGEST_FILE = 4096;

/**
 * The passphrase from a file or an open descriptor (`fd:3`) that the environment names, or from the person.
 * @param ask asks without showing what is typed; undefined where nobody can be asked
 * @param signal ends the wait for a descriptor
 */
export function passphraseSource(
  env: NodeJS.ProcessEnv,
  ask: ((question: string) => Promise<string>) | undefined,
  signal?: AbortSignal,
): PassphraseSource {
  const location = env[PASSPHRASE_FILE_VARIABLE];
  if (env[VALUE_VARIABLE] !== undefined) return refusing(valueInEnvironment);
  if (location) return fileSource(location, signal);
  if (ask === undefined) return refusing(nobodyToAsk);
  return {
    isPerson: true,
    async read(purpose, profile) {
      if (purpose === 'open') return await ask(`Passphrase of profile ${profile} (not shown): `);
      const first = await ask(`New passphrase for the credentials of profile ${profile} (not shown): `);
      if ((await ask('The same once more: ')) === first) return first;
      throw new TradeAgentError('usage', 'the two passphrases differ', { hint: 'Nothing was written.' });
    },
  };
}

function fileSource(location: string, signal: AbortSignal | undefined): PassphraseSource {
  let line: Promise<string> | undefined;
  return {
    isPerson: false,
    read() {
      // Once: a descriptor can't be read again.
      line ??= firstLine(location, signal);
      return line;
    },
  };
}

async function firstLine(location: string, signal: AbortSignal | undefined): Promise<string> {
  const text = /^fd:\d+$/.test(location)
    ? await readDescriptor(
        Number(location.slice(3)),
        LONGEST_FILE,
        (why) => unusable(`${location} can't be used: ${why}`),
        signal,
      )
    : readPrivateFile(location, LONGEST_FILE, (why) => unusable(`${location} can't be used: ${why}`));
  if (text === undefined) throw unusable(`${location} does not exist`);
  const [line = '', ...more] = text.split(/\r?\n/);
  if (line === '' || more.some((rest) => rest !== '')) throw unusable(`${location} does not hold one line`);
  return line;
}

const refusing = (refusal: () => TradeAgentError): PassphraseSource => ({
  isPerson: false,
  read: () => Promise.reject(refusal()),
});

function valueInEnvironment(): TradeAgentError {
  return new TradeAgentError(
    'usage',
    `${VALUE_VARIABLE} is not read: an environment is no place for a passphrase`,
    { hint: `Unset it, put it into a file only you can read, and name that in ${PASSPHRASE_FILE_VARIABLE}.` },
  );
}

function nobodyToAsk(): TradeAgentError {
  return new TradeAgentError(
    'credential_store_locked',
    'the credential file needs its passphrase, and there is no terminal to ask on',
    {
      hint: `Name a file that holds it (0600), or an open descriptor as fd:3, in ${PASSPHRASE_FILE_VARIABLE}.`,
      details: { state: 'no_passphrase' },
    },
  );
}

function unusable(why: string): TradeAgentError {
  return new TradeAgentError('credential_store_locked', `the passphrase's file ${why}`, {
    hint: `It holds the passphrase as its one line, and only you can read it; see ${PASSPHRASE_FILE_VARIABLE}.`,
    details: { state: 'no_passphrase' },
  });
}
