import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';

/*
 * A backup as one file: a line of JSON that says how it is sealed, then the sealed part, then its tag.
 *
 *     {"format":"trade-agent.home-backup/1","kdf":"scrypt","n":131072,…,"cipher":"aes-256-gcm","nonce":"…"}\n
 *     AES-256-GCM(gzip(JSON {created_at, address, files: [{name, data}]}))  16 bytes of tag
 *
 * The first line is authenticated with the rest: one that was changed opens nothing. The key is scrypt's (RFC 7914) of
 * the passphrase, so that guessing costs 128 MiB and a third of a second each time.
 */

const FORMAT = 'trade-agent.home-backup/1';
const COST = { n: 2 ** 17, r: 8, p: 1 };
/** Of what is read: a file that asks for more would take the machine's memory. */
const MOST = { n: 2 ** 18, r: 8, p: 2 };
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const LONGEST_HEADER = 1024;
/** A home's databases grow by about 2 KiB an order. */
const LONGEST_CONTENT = 1024 ** 3;

/** Shorter ones can be guessed off line, however slowly. */
export const SHORTEST_PASSPHRASE = 12;

const base64url = (bytes: number) =>
  z
    .string()
    .refine((text) => Buffer.from(text, 'base64url').length === bytes, `must be ${bytes} bytes in base64url`);

const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  kdf: z.literal('scrypt'),
  n: z
    .int()
    .min(COST.n)
    .max(MOST.n)
    .refine((n) => Number.isInteger(Math.log2(n))),
  r: z.int().min(1).max(MOST.r),
  p: z.int().min(1).max(MOST.p),
  salt: base64url(16),
  cipher: z.literal('aes-256-gcm'),
  nonce: base64url(NONCE_BYTES),
});
type Header = z.output<typeof headerSchema>;

const archiveSchema = z.strictObject({
  created_at: z.iso.datetime(),
  /** Of the home: a passkey is good at that address alone. */
  address: z.string(),
  files: z.array(
    z.strictObject({
      /** In the home's folder itself, or a file of rules; no other path. */
      name: z.string().regex(/^(?:(?:policies|firm)\/)?[A-Za-z0-9][\w.-]{0,99}$/),
      data: z.base64(),
    }),
  ),
});

/** What a backup holds. */
export interface Archive {
  readonly createdAt: string;
  readonly address: string;
  /** By name. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** The archive sealed under a passphrase. */
export async function sealArchive(archive: Archive, passphrase: string): Promise<Buffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const salt = randomBytes(16);
  const header: Header = {
    ...{ format: FORMAT, kdf: 'scrypt', ...COST, salt: salt.toString('base64url') },
    ...{ cipher: 'aes-256-gcm', nonce: nonce.toString('base64url') },
  };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const files = [...archive.files].map(([name, data]) => ({ name, data: data.toString('base64') }));
  const plain = await promisify(gzip)(
    JSON.stringify({ created_at: archive.createdAt, address: archive.address, files }),
  );
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, header), nonce);
  cipher.setAAD(line);
  return Buffer.concat([line, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what {@link sealArchive} sealed.
 * @param file its name, for messages
 * @throws {TradeAgentError} `usage` for another passphrase or a damaged file, which can't be told apart; `invalid_config`
 *   for a file that is no backup
 */
export async function openArchive(sealed: Buffer, passphrase: string, file: string): Promise<Archive> {
  const end = sealed.subarray(0, LONGEST_HEADER).indexOf(0x0a);
  const header = end < 0 ? undefined : readHeader(sealed.subarray(0, end).toString('utf8'));
  if (header === undefined || sealed.length < end + 1 + TAG_BYTES) throw notABackup(file);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    await keyOf(passphrase, header),
    Buffer.from(header.nonce, 'base64url'),
    { authTagLength: TAG_BYTES },
  );
  decipher.setAAD(sealed.subarray(0, end + 1));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(sealed.subarray(end + 1, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new TradeAgentError('usage', `${file} does not open: another passphrase, or the file is damaged`, {
      hint: 'Type the passphrase it was made with. Nothing was written.',
      cause,
    });
  }
  const parsed = archiveSchema.safeParse(
    JSON.parse((await promisify(gunzip)(plain, { maxOutputLength: LONGEST_CONTENT })).toString('utf8')),
  );
  if (!parsed.success) throw notABackup(file);
  const { created_at, address, files } = parsed.data;
  return {
    createdAt: created_at,
    address,
    files: new Map(files.map(({ name, data }) => [name, Buffer.from(data, 'base64')])),
  };
}

function readHeader(text: string): Header | undefined {
  try {
    return headerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function notABackup(file: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file} is no backup of a home that this version knows`, {
    hint: 'Name a file that "trade-agent home backup" wrote. Nothing was written.',
    details: { file },
  });
}

async function keyOf(
  passphrase: string,
  { n, r, p, salt }: Pick<Header, 'n' | 'r' | 'p' | 'salt'>,
): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    scrypt(
      passphrase.normalize('NFC'),
      Buffer.from(salt, 'base64url'),
      32,
      { N: n, r, p, maxmem: 256 * n * r },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}
