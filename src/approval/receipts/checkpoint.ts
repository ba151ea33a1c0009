import { createPublicKey, hash, verify } from 'node:crypto';
import type { TreeSigner } from '../../store/audit.ts';
import type { ReceiptJwk, ReceiptKey } from './receipt-key.ts';

/*
 * A checkpoint is a C2SP tlog-checkpoint: a signed note (C2SP signed-note) with the size and the root of the audit
 * log's tree. Witnesses may have added their signatures (C2SP tlog-cosignature).
 */

const MAX_NOTE_LENGTH = 16_384;
const SIGNATURE_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const;
const [KEY_ID_BYTES, TIME_BYTES] = [4, 8];

export interface TreeHead {
  /** The log's name, which is also the name of its key ({@link logOrigin}). */
  readonly origin: string;
  /** Number of lines. */
  readonly size: number;
  readonly root: Buffer;
  /** The UTC day that the checkpoint closes, as YYYY-MM-DD, if it closes one. */
  readonly day?: string | undefined;
}

export interface Checkpoint extends TreeHead {
  /** The signed text, including its last line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

interface NoteSignature {
  readonly name: string;
  readonly keyId: Buffer;
  readonly signature: Buffer;
}

/** Returns the name of a gateway's log. Escapes plus signs, which a key's name must not contain (C2SP signed-note). */
export function logOrigin(gateway: string): string {
  return gateway.replaceAll('+', '%2B');
}

/** Returns the text of a checkpoint with the log's own signature. */
export function signCheckpoint(key: ReceiptKey, { origin, size, root, day }: TreeHead): string {
  const text = [origin, size, root.toString('base64'), ...(day === undefined ? [] : [`day ${day}`]), ''].join('\n');
  const signed = Buffer.concat([noteKeyId(origin, SIGNATURE_TYPE.ed25519, publicBytes(key.jwk)), key.signBytes(text)]);
  return `${text}\n— ${origin} ${signed.toString('base64')}\n`;
}

/** Parses a checkpoint without verifying its signatures. Returns undefined if the text is not a checkpoint. */
export function parseCheckpoint(note: string): Checkpoint | undefined {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || note.length > MAX_NOTE_LENGTH || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, split + 1);
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  const hashBytes = decodeBase64(root);
  if (origin === '' || !/^(?:0|[1-9]\d{0,14})$/.test(size) || hashBytes?.length !== 32) return undefined;
  const signatures = note
    .slice(split + 2, -1)
    .split('\n')
    .map(parseSignature);
  if (!signatures.every((one) => one !== undefined)) return undefined;
  const [extension, more] = extensions;
  const day = extension === undefined ? undefined : parseDay(extension);
  if (more !== undefined || (extension !== undefined && day === undefined)) return undefined;
  return { origin, size: Number(size), root: hashBytes, day, text, signatures };
}

/** Returns the date in a `day` line, the only extension line of our checkpoints; undefined for any other line. */
function parseDay(line: string): string | undefined {
  const [, day = ''] = /^day (\d{4}-\d\d-\d\d)$/.exec(line) ?? [];
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day) ? day : undefined;
}

function parseSignature(line: string): NoteSignature | undefined {
  const [, name, encoded] = /^— ([!-*,-~]+) ([!-~]+)$/u.exec(line) ?? [];
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name === undefined || bytes === undefined || bytes.length <= KEY_ID_BYTES) return undefined;
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** Decodes standard base64. Returns undefined unless the text is the canonical encoding of its value. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Returns the first key that signed a checkpoint under the log's own name; undefined if none did. */
export function findCheckpointSigner(checkpoint: Checkpoint, keys: readonly ReceiptJwk[]): ReceiptJwk | undefined {
  const { origin, text } = checkpoint;
  return keys.find((jwk) => {
    const publicKey = publicBytes(jwk);
    const made = signatureOf(checkpoint, origin, noteKeyId(origin, SIGNATURE_TYPE.ed25519, publicKey));
    return made !== undefined && isSignedBy(publicKey, text, made);
  });
}

/**
 * Returns when a witness signed a checkpoint, in milliseconds since the epoch; undefined if no signature is valid.
 * @param verifierKey the witness's key, as in C2SP signed-note: `NAME+ID+KEY`
 */
export function cosignedAt(checkpoint: Checkpoint, verifierKey: string): number | undefined {
  const { name, publicKey } = parseWitnessKey(verifierKey) ?? {};
  if (name === undefined || publicKey === undefined) return undefined;
  const made = signatureOf(checkpoint, name, noteKeyId(name, SIGNATURE_TYPE.cosignature, publicKey));
  if (made === undefined || made.length < TIME_BYTES) return undefined;
  const seconds = made.readBigUInt64BE();
  const text = `cosignature/v1\ntime ${seconds}\n${checkpoint.text}`;
  return isSignedBy(publicKey, text, made.subarray(TIME_BYTES)) ? Number(seconds) * 1000 : undefined;
}

/** Parses a witness's verifier key (C2SP signed-note). Returns undefined for any other text. */
export function parseWitnessKey(text: string): { readonly name: string; readonly publicKey: Buffer } | undefined {
  const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const bytes = decodeBase64(encoded);
  if (bytes?.length !== 33 || bytes[0] !== SIGNATURE_TYPE.cosignature) return undefined;
  const publicKey = bytes.subarray(1);
  const isOfKey = noteKeyId(name, SIGNATURE_TYPE.cosignature, publicKey).toString('hex') === id;
  return isOfKey ? { name, publicKey } : undefined;
}

function signatureOf({ signatures }: Checkpoint, name: string, keyId: Buffer): Buffer | undefined {
  return signatures.find((one) => one.name === name && one.keyId.equals(keyId))?.signature;
}

function noteKeyId(name: string, type: number, publicKey: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey]);
  return hash('sha256', named, 'buffer').subarray(0, KEY_ID_BYTES);
}

const publicBytes = ({ x }: ReceiptJwk): Buffer => Buffer.from(x, 'base64url');

function isSignedBy(publicKey: Buffer, text: string, signature: Buffer): boolean {
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') };
    return verify(null, Buffer.from(text), createPublicKey({ key: jwk, format: 'jwk' }), signature);
  } catch {
    return false;
  }
}

/** Returns a signer that signs trees as checkpoints. @param day the UTC day that the checkpoint closes, if any */
export function createTreeSigner(key: ReceiptKey, gateway: string, day?: string): TreeSigner {
  const origin = logOrigin(gateway);
  return {
    sign: ({ size, root }) => signCheckpoint(key, { origin, size, root, day }),
    hasSigned(note) {
      const checkpoint = parseCheckpoint(note);
      return checkpoint?.origin === origin && findCheckpointSigner(checkpoint, [key.jwk]) !== undefined;
    },
  };
}
