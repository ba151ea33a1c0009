import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';

/**
 * The credential file: AES-256-GCM over the JSON of all values. `key.kind` says where the key comes from, so that a
 * passphrase (scrypt, with its salt and cost beside `kind`) can follow without another format.
 */
const sealedFileSchema = z.strictObject({
  format: z.literal('trade-agent-credentials'),
  version: z.literal(1),
  key: z.strictObject({ kind: z.literal('file') }),
  iv: z.base64(),
  tag: z.base64(),
  data: z.base64(),
});

/** @param context is authenticated too, so that one profile's file can't stand in for another's */
export function seal(values: Record<string, string>, key: Buffer, context: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  const data = Buffer.concat([cipher.update(JSON.stringify(values), 'utf8'), cipher.final()]);
  const file: z.output<typeof sealedFileSchema> = {
    format: 'trade-agent-credentials',
    version: 1,
    key: { kind: 'file' },
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64'),
  };
  return `${JSON.stringify(file)}\n`;
}

/** @throws anything when the text isn't a credential file, or not one of this key and context */
export function unseal(text: string, key: Buffer, context: string): Record<string, string> {
  const file = sealedFileSchema.parse(JSON.parse(text));
  const tag = Buffer.from(file.tag, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(file.iv, 'base64'), { authTagLength: 16 })
    .setAAD(Buffer.from(context))
    .setAuthTag(tag);
  const plain = Buffer.concat([decipher.update(Buffer.from(file.data, 'base64')), decipher.final()]);
  return z.record(z.string(), z.string()).parse(JSON.parse(plain.toString('utf8')));
}
