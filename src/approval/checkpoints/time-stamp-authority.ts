import { randomBytes } from 'node:crypto';
import { Boolean as AsnBoolean, Integer, Null, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import { createBoundedFetch } from '../../net/bounded-fetch.ts';
import type { Anchor } from './anchor.ts';
import { derBytes, parseDer, sequenceMembers, TimeStampError, verifyTimeStampToken } from './time-stamp-token.ts';

const SHA_256 = '2.16.840.1.101.3.4.2.1';
/** PKIStatus (RFC 3161 §2.4.2): granted, and granted with modifications. */
const GRANTED_STATUSES = [0, 1];
/**
 * Maximum length of a response, in bytes. A token with its certificates takes up three to eight kilobytes, and is
 * stored as a line of the audit log.
 */
const MAX_ANSWER_BYTES = 24 * 1024;
const NONCE_BYTES = 8;

/**
 * Returns a time-stamp authority that is called over HTTP (RFC 3161 §3.4). The authority receives only a hash.
 * @param options.trusted PEM certificates in which the authority's chain must end; otherwise its token is rejected
 */
export function createTimeStampAuthority({
  url,
  fetch,
  trusted,
}: {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly trusted?: readonly string[] | undefined;
}): Anchor {
  return {
    kind: 'rfc3161',
    authority: url,
    async attest(digest, signal) {
      const nonce = drawRequestNonce();
      const answer = await createBoundedFetch(fetch, MAX_ANSWER_BYTES)(url, {
        method: 'POST',
        headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
        body: new Uint8Array(timeStampRequest(digest, nonce)),
        redirect: 'error',
        signal,
      });
      if (!answer.ok) throw new TimeStampError(`the authority responded with HTTP status ${answer.status}`);
      const token = responseToken(Buffer.from(await answer.arrayBuffer()));
      const vouched = await verifyTimeStampToken(token, digest, trusted, { nonce });
      if (trusted !== undefined && !vouched.isTrusted)
        throw new TimeStampError('the authority’s certificate was not issued by any certificate in "ca_file"');
      return { ...vouched, token };
    },
  };
}

/** Returns a TimeStampReq (RFC 3161 §2.4.1) with `certReq`, so that the token includes its certificates. */
function timeStampRequest(digest: Buffer, nonce: Buffer): ArrayBuffer {
  const algorithm = new Sequence({ value: [new ObjectIdentifier({ value: SHA_256 }), new Null()] });
  return new Sequence({
    value: [
      new Integer({ value: 1 }),
      new Sequence({ value: [algorithm, new OctetString({ valueHex: digest })] }),
      new Integer({ valueHex: nonce }),
      new AsnBoolean({ value: true }),
    ],
  }).toBER();
}

/** Returns the token of a TimeStampResp (RFC 3161 §2.4.2). */
function responseToken(answer: Buffer): Buffer {
  const [info, token] = sequenceMembers(parseDer(answer));
  const [status] = sequenceMembers(info);
  const granted = status instanceof Integer && GRANTED_STATUSES.includes(status.valueBlock.valueDec);
  if (!granted || token === undefined) throw new TimeStampError('the authority returned no token');
  return Buffer.from(derBytes(token));
}

/** Returns a random positive number without leading zeros, because DER allows only one encoding of an integer. */
function drawRequestNonce(): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  nonce[0] = ((nonce[0] ?? 0) & 0x3f) | 0x40;
  return nonce;
}
