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
import type { Vouched } from './anchor.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
/** RFC 2634 §5.4 (SHA-1) and RFC 5035 §3 (SHA-256 unless it says otherwise): which certificate signed. */
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
/** RFC 3161 §2.3: the only purpose that an authority's certificate may have. */
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** Maximum number of certificates from an authority's to a trusted one. */
const MAX_CHAIN_LENGTH = 6;

/**
 * Verifies that a token is an authority's attestation of a digest (RFC 3161 §2.4.2, CMS of RFC 5652 §5.4), with nothing but
 * the token and the certificates that the reader trusts. Signatures are RSA (PKCS #1) or ECDSA.
 * @param digest SHA-256
 * @param options.nonce the request's nonce, if the token is the answer to a request
 * @throws {NoTimeStamp} with what is wrong
 */
export async function verifyTimeStampToken(
  token: Buffer,
  digest: Buffer,
  trusted: readonly string[] = rootCertificates,
  { nonce }: { readonly nonce?: Buffer } = {},
): Promise<Vouched> {
  const { content, certificates, signer } = readSignedData(token);
  const info = readInfo(content);
  if (info.algorithm !== 'sha256' || !same(info.imprint, digest))
    throw new NoTimeStamp('it is for a different digest');
  if (nonce !== undefined && !(info.nonce && same(info.nonce, nonce)))
    throw new NoTimeStamp('it answers a different request');
  const certificate = signedBy(signer, content, certificates);
  const { at } = info;
  if (!isValid(certificate, at)) throw new NoTimeStamp('its certificate was not valid then');
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  if (purposes?.length !== 1 || purposes[0] !== TIME_STAMPING)
    throw new NoTimeStamp('its certificate is not for time stamps');
  const anchors = trusted.map((pem) => new X509Certificate(pem));
  return {
    at: at.getTime(),
    by: /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? certificate.subject.replaceAll('\n', ', '),
    isTrusted: leadsTo(anchors, certificate, certificates, at),
  };
}

interface Signer {
  readonly digestAlgorithm: string;
  /** The attributes as they are signed: as a SET, although they are encoded with another tag (RFC 5652 §5.4). */
  readonly attributesDer: Buffer;
  readonly attributes: ReadonlyMap<string, AsnType>;
  readonly signature: Buffer;
}

function readSignedData(token: Buffer) {
  const [type, wrapped] = sequenceMembers(parse(token));
  if (oid(type) !== SIGNED_DATA) throw new NoTimeStamp('it is not signed');
  const members = sequenceMembers(inner(wrapped)[0]);
  const [, , encapsulated] = members;
  const [contentType, explicit] = sequenceMembers(encapsulated);
  if (oid(contentType) !== TST_INFO) throw new NoTimeStamp('it is not a time stamp');
  const content = octets(inner(explicit)[0]);
  const certificates = inner(members.find((member) => contextual(member, 0))).map(
    (one) => new X509Certificate(derBytes(one)),
  );
  const signers = inner(members.at(-1));
  // RFC 3161 §2.4.2: only the authority may have signed.
  if (signers.length !== 1) throw new NoTimeStamp('it has more than one signature');
  return { content, certificates, signer: readSigner(sequenceMembers(signers[0])) };
}

function readSigner(members: AsnType[]): Signer {
  const [, , digestAlgorithm, attributes] = members;
  if (!contextual(attributes, 0)) throw new NoTimeStamp('it has no signed attributes');
  const attributesDer = Buffer.from(derBytes(attributes));
  attributesDer[0] = 0x31;
  const pairs = inner(attributes).map((attribute): [string, AsnType] => {
    const [type, values] = sequenceMembers(attribute);
    const [value] = inner(values);
    if (value === undefined) throw new NoTimeStamp('it is malformed');
    return [oid(type), value];
  });
  // Parsers differ in how they read a duplicate.
  if (new Set(pairs.map(([type]) => type)).size !== pairs.length) throw new NoTimeStamp('it is malformed');
  return {
    digestAlgorithm: digestAlgorithmName(digestAlgorithm),
    attributesDer,
    attributes: new Map(pairs),
    signature: octets(members[5]),
  };
}

/** Returns the certificate whose key signed this content. */
function signedBy(
  signer: Signer,
  content: Buffer,
  certificates: readonly X509Certificate[],
): X509Certificate {
  const { attributes, digestAlgorithm } = signer;
  const digest = createHash(digestAlgorithm).update(content).digest();
  if (oid(attributes.get(CONTENT_TYPE)) !== TST_INFO || !same(octets(attributes.get(MESSAGE_DIGEST)), digest))
    throw new NoTimeStamp('its content is not what was signed');
  const named = namedCertificate(attributes);
  const certificate = certificates.find((one) =>
    same(createHash(named.algorithm).update(one.raw).digest(), named.hash),
  );
  if (certificate === undefined) throw new NoTimeStamp('it lacks the certificate that signed it');
  if (!verify(digestAlgorithm, signer.attributesDer, certificate.publicKey, signer.signature))
    throw new NoTimeStamp('its signature is invalid');
  return certificate;
}

function namedCertificate(attributes: Signer['attributes']): { algorithm: string; hash: Buffer } {
  const v2 = attributes.get(SIGNING_CERTIFICATE_V2);
  const [certificates] = sequenceMembers(v2 ?? attributes.get(SIGNING_CERTIFICATE));
  const [first] = sequenceMembers(certificates);
  const [algorithmOrHash, hash] = sequenceMembers(first);
  if (v2 === undefined) return { algorithm: 'sha1', hash: octets(algorithmOrHash) };
  if (algorithmOrHash instanceof OctetString) return { algorithm: 'sha256', hash: octets(algorithmOrHash) };
  return { algorithm: digestAlgorithmName(algorithmOrHash), hash: octets(hash) };
}

function readInfo(content: Buffer) {
  const [, , imprint, , time, ...rest] = sequenceMembers(parse(content));
  const [algorithm, hash] = sequenceMembers(imprint);
  if (!(time instanceof GeneralizedTime)) throw new NoTimeStamp('it has no time');
  const nonce = rest.find((member) => member instanceof Integer);
  return {
    algorithm: digestAlgorithmName(algorithm),
    imprint: octets(hash),
    at: time.toDate(),
    nonce: nonce && Buffer.from(nonce.valueBlock.valueHexView),
  };
}

/** Whether each certificate up to a trusted one was issued by the next, which may issue, and was valid at that time. */
function leadsTo(
  trusted: readonly X509Certificate[],
  from: X509Certificate,
  among: readonly X509Certificate[],
  at: Date,
): boolean {
  for (let certificate = from, step = 0; step < MAX_CHAIN_LENGTH; step++) {
    const isIssuer = (one: X509Certificate) =>
      one.ca && isValid(one, at) && certificate.checkIssued(one) && certificate.verify(one.publicKey);
    if (trusted.some((one) => one.raw.equals(certificate.raw) || isIssuer(one))) return true;
    const issuer = among.find((one) => one !== certificate && isIssuer(one));
    if (issuer === undefined) return false;
    certificate = issuer;
  }
  return false;
}

function isValid({ validFromDate, validToDate }: X509Certificate, at: Date): boolean {
  return validFromDate <= at && at <= validToDate;
}

function oid(value: AsnType | undefined): string {
  return value instanceof ObjectIdentifier ? value.valueBlock.toString() : '';
}

/** Returns the digest of an AlgorithmIdentifier. */
function digestAlgorithmName(value: AsnType | undefined): string {
  const digest = DIGESTS[oid(sequenceMembers(value)[0])];
  if (digest === undefined) throw new NoTimeStamp('its digest algorithm is not accepted');
  return digest;
}

function octets(value: AsnType | undefined): Buffer {
  if (value instanceof OctetString) return Buffer.from(value.getValue());
  throw new NoTimeStamp('it is malformed');
}

function same(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The reason why something is no valid time stamp, or why an authority gave none. */
export class NoTimeStamp extends Error {
  override readonly name = 'NoTimeStamp';
}

/** Parses exactly one value. @throws {NoTimeStamp} */
export function parse(der: Buffer): AsnType {
  const { offset, result } = fromBER(der);
  if (offset !== der.length) throw new NoTimeStamp('it is malformed');
  return result;
}

/** Returns the members of a SEQUENCE. @throws {NoTimeStamp} */
export function sequenceMembers(value: AsnType | undefined): AsnType[] {
  if (value instanceof Sequence) return value.valueBlock.value;
  throw new NoTimeStamp('it is malformed');
}

/** Returns the members of a SET or of a context-tagged value. @throws {NoTimeStamp} */
function inner(value: AsnType | undefined): AsnType[] {
  if (value instanceof AsnSet || value instanceof Constructed) return value.valueBlock.value;
  throw new NoTimeStamp('it is malformed');
}

/** Whether a value has this context tag. */
function contextual(value: AsnType | undefined, tag: number): value is AsnType {
  return value?.idBlock.tagClass === 3 && value.idBlock.tagNumber === tag;
}

/** Returns the bytes as they were received. */
export function derBytes(value: AsnType): Uint8Array {
  return value.valueBeforeDecodeView;
}
