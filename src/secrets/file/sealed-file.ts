import { createHash } from 'node:crypto';
import { z } from 'zod';
import { openBytes, sealBytes } from '../aes-gcm.ts';

/**
 * Schema of the header that says where a credential file's key comes from:
 * - `file`: a key file in the credential file's folder (the first version of the format, without a checksum);
 * - `key-file`: a key file that the profile names;
 * - `passphrase`: scrypt (RFC 7914) of a passphrase, with salt and cost stored in this header.
 *
 * `check` is 16 bytes derived from the same secret as the key. It distinguishes a wrong key from a damaged file.
 */
const keyHeaderSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file') }),
  z.strictObject({ kind: z.literal('key-file'), check: z.base64() }),
  z.strictObject({
    kind: z.literal('passphrase'),
    scrypt: z.strictObject({ N: z.int(), r: z.int(), p: z.int(), salt: z.base64() }),
    check: z.base64(),
  }),
]);
export type KeyHeader = z.output<typeof keyHeaderSchema>;
export type KeyKind = KeyHeader['kind'];

/** Schema of a credential file. `data` is the JSON of all values, encrypted with AES-256-GCM. */
const sealedFileSchema = z.strictObject({
  format: z.literal('trade-agent-credentials'),
  version: z.literal(1),
  key: keyHeaderSchema,
  iv: z.base64(),
  tag: z.base64(),
  data: z.base64(),
  /** SHA-256 of all fields above, so that accidental damage is noticed before anyone is asked for a passphrase. */
  sum: z.base64().optional(),
});
export type SealedFile = z.output<typeof sealedFileSchema>;

/**
 * Encrypts the values of a credential file.
 * @param context text that is authenticated with the key's header, so that one profile's file can't replace another's
 */
export function sealCredentials(
  values: Record<string, string>,
  header: KeyHeader,
  key: Buffer,
  context: string,
): string {
  const sealed = sealBytes(key, Buffer.from(JSON.stringify(values)), associatedData(header, context));
  const part = (from: number, to?: number) => sealed.subarray(from, to).toString('base64');
  const file: SealedFile = {
    format: 'trade-agent-credentials',
    version: 1,
    key: header,
    iv: part(0, 12),
    tag: part(12, 28),
    data: part(28),
  };
  return `${JSON.stringify(header.kind === 'file' ? file : { ...file, sum: checksum(file) })}\n`;
}

/** Parses a credential file. @throws an error of any type if the text is not a credential file or was changed */
export function parseSealedFile(text: string): SealedFile {
  const { sum, ...file } = sealedFileSchema.parse(JSON.parse(text));
  if (file.key.kind !== 'file' && sum !== checksum(file)) throw new Error('the checksum is wrong');
  return file;
}

/** Decrypts the values. @throws {Error} if the file was not sealed with this key and context */
export function unsealCredentials(file: SealedFile, key: Buffer, context: string): Record<string, string> {
  const sealed = Buffer.concat([file.iv, file.tag, file.data].map((part) => Buffer.from(part, 'base64')));
  const plain = openBytes(key, sealed, associatedData(file.key, context));
  return z.record(z.string(), z.string()).parse(JSON.parse(plain.toString('utf8')));
}

function associatedData(header: KeyHeader, context: string): string {
  return header.kind === 'file' ? context : `${context}\n${JSON.stringify(header)}`;
}

function checksum({ key, iv, tag, data }: SealedFile): string {
  return createHash('sha256')
    .update(JSON.stringify([key, iv, tag, data]))
    .digest('base64');
}
