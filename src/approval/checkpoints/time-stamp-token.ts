import { createHash, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import {
  Set as AsnSet,
  type AsnType,
  Constructed,
  fromBER,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Sequence,
} from 'asn1js';
import type { Attestation } from './anchor.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
/** The signing certificate's attributes: RFC 2634 §5.4 (SHA-1), and RFC 5035 §3 (SHA-256 by default). */
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
/** The only purpose that an authority's certificate may have (RFC 3161 §2.3). */
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** Maximum number of certificates in a chain, not counting the trusted one at its end. */
const MAX_CHAIN_LENGTH = 6;

/**
 * Verifies that a token is an authority's attestation of a digest (RFC 3161 §2.4.2, CMS of RFC 5652 §5.4). Verification
 * needs only the token and the certificates that the reader trusts. Signatures are RSA (PKCS #1) or ECDSA.
 * @param digest SHA-256
 * @param options.nonce the request's nonce, if the token comes from the response to a request
 * @throws {TimeStampError} if the token is invalid
 */
export async function verifyTimeStampToken(
  token: Buffer,
  digest: Buffer,
  trusted: readonly string[] = rootCertificates,
  { nonce }: { readonly nonce?: Buffer } = {},
): Promise<Attestation> {
  const { content, certificates, signer } = readSignedData(token);
  const info = readTstInfo(content);
  if (info.algorithm !== 'sha256' || !equalBytes(info.imprint, digest))
    throw new TimeStampError('the token is for a different digest');
  if (nonce !== undefined && !(info.nonce && equalBytes(info.nonce, nonce)))
    throw new TimeStampError('the token belongs to a different request');
  const certificate = signingCertificate(signer, content, certificates);
  const { at } = info;
  if (!isValidAt(certificate, at)) throw new TimeStampError('the token’s certificate was not valid at that time');
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  if (purposes?.length !== 1 || purposes[0] !== TIME_STAMPING)
    throw new TimeStampError('the token’s certificate is not for time stamps');
  const anchors = trusted.map((pem) => new X509Certificate(pem));
  return {
    at: at.getTime(),
    by: /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? certificate.subject.replaceAll('\n', ', '),
    isTrusted: chainsToTrusted(anchors, certificate, certificates, at),
  };
}

interface Signer {
  readonly digestAlgorithm: string;
  /** The attributes as signed: encoded as a SET, although they have another tag in the token (RFC 5652 §5.4). */
  readonly attributesDer: Buffer;
  readonly attributes: ReadonlyMap<string, AsnType>;
  readonly signature: Buffer;
}

function readSignedData(token: Buffer) {
  const [type, wrapped] = sequenceMembers(parseDer(token));
  if (oidText(type) !== SIGNED_DATA) throw new TimeStampError('the token is not signed');
  const members = sequenceMembers(containedValues(wrapped)[0]);
  const [, , encapsulated] = members;
  const [contentType, explicit] = sequenceMembers(encapsulated);
  if (oidText(contentType) !== TST_INFO) throw new TimeStampError('the token is not a time stamp');
  const content = octetBytes(containedValues(explicit)[0]);
  const certificates = containedValues(members.find((member) => hasContextTag(member, 0))).map(
    (one) => new X509Certificate(derBytes(one)),
  );
  const signers = containedValues(members.at(-1));
  // RFC 3161 §2.4.2: only the authority may have signed.
  if (signers.length !== 1) throw new TimeStampError('the token has more than one signature');
  return { content, certificates, signer: readSigner(sequenceMembers(signers[0])) };
}

function readSigner(members: AsnType[]): Signer {
  const [, , digestAlgorithm, attributes] = members;
  if (!hasContextTag(attributes, 0)) throw new TimeStampError('the token has no signed attributes');
  const attributesDer = Buffer.from(derBytes(attributes));
  attributesDer[0] = 0x31;
  const pairs = containedValues(attributes).map((attribute): [string, AsnType] => {
    const [type, values] = sequenceMembers(attribute);
    const [value] = containedValues(values);
    if (value === undefined) throw new TimeStampError('the token is malformed');
    return [oidText(type), value];
  });
  // Rejects duplicate attributes, because parsers differ in how they read them.
  if (new Set(pairs.map(([type]) => type)).size !== pairs.length) throw new TimeStampError('the token is malformed');
  return {
    digestAlgorithm: digestAlgorithmName(digestAlgorithm),
    attributesDer,
    attributes: new Map(pairs),
    signature: octetBytes(members[5]),
  };
}

function signingCertificate(
  signer: Signer,
  content: Buffer,
  certificates: readonly X509Certificate[],
): X509Certificate {
  const { attributes, digestAlgorithm } = signer;
  const digest = createHash(digestAlgorithm).update(content).digest();
  if (
    oidText(attributes.get(CONTENT_TYPE)) !== TST_INFO ||
    !equalBytes(octetBytes(attributes.get(MESSAGE_DIGEST)), digest)
  )
    throw new TimeStampError('the token’s content differs from what was signed');
  const named = namedCertificate(attributes);
  const certificate = certificates.find((one) =>
    equalBytes(createHash(named.algorithm).update(one.raw).digest(), named.hash),
  );
  if (certificate === undefined) throw new TimeStampError('the token lacks the certificate that signed it');
  if (!verify(digestAlgorithm, signer.attributesDer, certificate.publicKey, signer.signature))
    throw new TimeStampError('the token’s signature is invalid');
  return certificate;
}

function namedCertificate(attributes: Signer['attributes']): { algorithm: string; hash: Buffer } {
  const v2 = attributes.get(SIGNING_CERTIFICATE_V2);
  const [certificates] = sequenceMembers(v2 ?? attributes.get(SIGNING_CERTIFICATE));
  const [first] = sequenceMembers(certificates);
  const [algorithmOrHash, hash] = sequenceMembers(first);
  if (v2 === undefined) return { algorithm: 'sha1', hash: octetBytes(algorithmOrHash) };
  if (algorithmOrHash instanceof OctetString) return { algorithm: 'sha256', hash: octetBytes(algorithmOrHash) };
  return { algorithm: digestAlgorithmName(algorithmOrHash), hash: octetBytes(hash) };
}

function readTstInfo(content: Buffer) {
  const [, , imprint, , time, ...rest] = sequenceMembers(parseDer(content));
  const [algorithm, hash] = sequenceMembers(imprint);
  if (!(time instanceof GeneralizedTime)) throw new TimeStampError('the token has no time');
  const nonce = rest.find((member) => member instanceof Integer);
  return {
    algorithm: digestAlgorithmName(algorithm),
    imprint: octetBytes(hash),
    at: time.toDate(),
    nonce: nonce && Buffer.from(nonce.valueBlock.valueHexView),
  };
}

/**
 * Returns whether a chain of issuers leads from a certificate to a trusted one. Each issuer must be a CA certificate
 * that was valid at the time `at`.
 */
function chainsToTrusted(
  trusted: readonly X509Certificate[],
  from: X509Certificate,
  among: readonly X509Certificate[],
  at: Date,
): boolean {
  for (let certificate = from, step = 0; step < MAX_CHAIN_LENGTH; step++) {
    const isIssuer = (one: X509Certificate) =>
      one.ca && isValidAt(one, at) && certificate.checkIssued(one) && certificate.verify(one.publicKey);
    if (trusted.some((one) => one.raw.equals(certificate.raw) || isIssuer(one))) return true;
    const issuer = among.find((one) => one !== certificate && isIssuer(one));
    if (issuer === undefined) return false;
    certificate = issuer;
  }
  return false;
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, at: Date): boolean {
  return validFromDate <= at && at <= validToDate;
}

function oidText(value: AsnType | undefined): string {
  return value instanceof ObjectIdentifier ? value.valueBlock.toString() : '';
}

/** Returns the name of the hash algorithm of an AlgorithmIdentifier. */
function digestAlgorithmName(value: AsnType | undefined): string {
  const digest = DIGESTS[oidText(sequenceMembers(value)[0])];
  if (digest === undefined) throw new TimeStampError('the token’s digest algorithm is not accepted');
  return digest;
}

function octetBytes(value: AsnType | undefined): Buffer {
  if (value instanceof OctetString) return Buffer.from(value.getValue());
  throw new TimeStampError('the token is malformed');
}

function equalBytes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Thrown if a token is not a valid time stamp, or if an authority returned no token. */
export class TimeStampError extends Error {
  override readonly name = 'TimeStampError';
}

/** Parses a single DER value. @throws {TimeStampError} if bytes follow the value, or it is malformed */
export function parseDer(der: Buffer): AsnType {
  const { offset, result } = fromBER(der);
  if (offset !== der.length) throw new TimeStampError('the token is malformed');
  return result;
}

/** Returns the members of a SEQUENCE. @throws {TimeStampError} */
export function sequenceMembers(value: AsnType | undefined): AsnType[] {
  if (value instanceof Sequence) return value.valueBlock.value;
  throw new TimeStampError('the token is malformed');
}

/** Returns the members of a SET or of a context-tagged value. @throws {TimeStampError} */
function containedValues(value: AsnType | undefined): AsnType[] {
  if (value instanceof AsnSet || value instanceof Constructed) return value.valueBlock.value;
  throw new TimeStampError('the token is malformed');
}

function hasContextTag(value: AsnType | undefined, tag: number): value is AsnType {
  return value?.idBlock.tagClass === 3 && value.idBlock.tagNumber === tag;
}

/** Returns the bytes of a value as they were received. */
export function derBytes(value: AsnType): Uint8Array {
  return value.valueBeforeDecodeView;
}
