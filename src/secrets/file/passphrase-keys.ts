import { createHash, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { TradeAgentError } from '../../errors/errors.ts';
import { isSameSecret } from '../constant-time.ts';
import type { KeyHeader } from './sealed-file.ts';

export interface PassphraseSource {
  /** Whether the source is a person, who can be asked again after a mistake. */
  readonly isPerson: boolean;
  /**
   * Reads a passphrase.
   * @param purpose `new` to create a file, for which a person types the passphrase twice
   * @throws {TradeAgentError} `credential_store_locked` if nobody can be asked
   */
  read(purpose: 'open' | 'new', profile: string): Promise<string>;
}

type PassphraseHeader = Extract<KeyHeader, { kind: 'passphrase' }>;
interface CredentialFile {
  readonly file: string;
  readonly profile: string;
}

/**
 * Keys derived from passphrases. Each is derived only once in this process, because a derivation takes 0.4 s and 128
 * MiB.
 */
export type PassphraseKeys = ReturnType<typeof createPassphraseKeys>;

/** Cost of scrypt (RFC 7914 §2), as OWASP recommends for passwords: 128 MiB and about 0.4 s on an ordinary machine. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;

/**
 * Returns whether a file's scrypt cost is acceptable. A lower cost than {@link COST} is too weak, and a file from
 * someone else with a much higher cost could exhaust the memory.
 */
const isAcceptedCost = ({ N, r, p }: { N: number; r: number; p: number }) =>
  (N === COST.N || N === 2 * COST.N) && r === COST.r && (p === 1 || p === 2);

const SALT_BYTES = 16;
const MAX_PASSPHRASE_ATTEMPTS = 3;
const MIN_PASSPHRASE_LENGTH = 12;
const MAX_PASSPHRASE_LENGTH = 1024;

/** Derives 48 bytes from a passphrase: the key and the check value. */
export type KeyDerivation = (passphrase: string, parameters: PassphraseHeader['scrypt']) => Promise<Buffer>;

/**
 * Creates an empty cache of keys.
 * @param source asked for each file's passphrase once per process, when the passphrase is first needed
 * @param derive scrypt, except in tests that count derivations
 */
export function createPassphraseKeys(source: PassphraseSource, derive: KeyDerivation = scryptKey) {
  const keys = new Map<string, { readonly key: Buffer; readonly check: Buffer }>();
  const passphrases = new Map<string, string>();
  /** Keys of new files, by path. Cached so that unlocking and then writing a file derives its key only once. */
  const begun = new Map<string, { readonly header: PassphraseHeader; readonly key: Buffer }>();
  let queue: Promise<unknown> = Promise.resolve();
  /** Runs `work` after all earlier work, because two simultaneous prompts would look like one. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };
  const derived = async (passphrase: string, header: Pick<PassphraseHeader, 'scrypt'>) => {
    const id = JSON.stringify([header.scrypt, createHash('sha256').update(passphrase).digest('hex')]);
    const known = keys.get(id);
    if (known !== undefined) return known;
    const bytes = await derive(passphrase, header.scrypt);
    // The check is not part of the key: storing it reveals nothing about the key.
    const found = { key: bytes.subarray(0, 32), check: bytes.subarray(32) };
    keys.set(id, found);
    return found;
  };

  return {
    open: (header: PassphraseHeader, where: CredentialFile): Promise<Buffer> =>
      inTurn(async () => {
        requireAcceptedCost(header, where);
        const check = Buffer.from(header.check, 'base64');
        for (let attempt = 1; ; attempt++) {
          const known = passphrases.get(where.file);
          const passphrase = known ?? normalized(await source.read('open', where.profile));
          const found = await derived(passphrase, header);
          if (isSameSecret(found.check, check)) {
            passphrases.set(where.file, passphrase);
            return found.key;
          }
          passphrases.delete(where.file);
          if (known === undefined && (!source.isPerson || attempt === MAX_PASSPHRASE_ATTEMPTS))
            throw wrongPassphrase(where);
        }
      }),

    create: (where: CredentialFile): Promise<{ readonly header: PassphraseHeader; readonly key: Buffer }> =>
      inTurn(async () => {
        const before = begun.get(where.file);
        if (before !== undefined) return before;
        const passphrase = passphrases.get(where.file) ?? normalized(await source.read('new', where.profile));
        requireValidLength(passphrase);
        const header = { scrypt: { ...COST, salt: randomBytes(SALT_BYTES).toString('base64') } };
        const { key, check } = await derived(passphrase, header);
        passphrases.set(where.file, passphrase);
        const made = {
          header: { kind: 'passphrase' as const, ...header, check: check.toString('base64') },
          key,
        };
        begun.set(where.file, made);
        return made;
      }),
  };
}

/** Rejects a file with an unacceptable cost or salt length. @throws {TradeAgentError} `credential_store_unavailable` */
function requireAcceptedCost({ scrypt }: PassphraseHeader, { file }: CredentialFile): void {
  if (isAcceptedCost(scrypt) && Buffer.from(scrypt.salt, 'base64').length === SALT_BYTES) return;
  throw new TradeAgentError(
    'credential_store_unavailable',
    `the credential file ${file} has key derivation parameters that this program never uses`,
    {
      hint: 'Someone else may have written the file. Move the file elsewhere and run "trade-agent login".',
      details: { state: 'hostile_parameters' },
    },
  );
}

/** Normalizes the passphrase, because keyboards encode a letter in different ways (Unicode NFC, NFD). */
function normalized(passphrase: string): string {
  return passphrase.normalize('NFKC');
}

/** Rejects a passphrase that is too short or too long. @throws {TradeAgentError} `usage` */
function requireValidLength(passphrase: string): void {
  if (passphrase.length >= MIN_PASSPHRASE_LENGTH && passphrase.length <= MAX_PASSPHRASE_LENGTH) return;
  throw new TradeAgentError(
    'usage',
    `a passphrase must have ${MIN_PASSPHRASE_LENGTH} to ${MAX_PASSPHRASE_LENGTH} characters`,
    {
      hint: 'Nothing was written. Several words make a passphrase that is long but easy to remember.',
    },
  );
}

const scryptKey: KeyDerivation = (passphrase, { N, r, p, salt }) => {
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.from(salt, 'base64'), 48, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
};

function wrongPassphrase({ file, profile }: CredentialFile): TradeAgentError {
  return new TradeAgentError('credential_store_locked', `wrong passphrase for ${file}`, {
    hint: `Nothing was changed. Try again. If you forgot the passphrase, the contents of the file are lost: move the file elsewhere and run "trade-agent login --profile ${profile}".`,
    details: { state: 'wrong_passphrase' },
  });
}
