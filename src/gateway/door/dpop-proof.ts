import { createHash } from 'node:crypto';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  EmbeddedJWK,
  errors,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { ProofStore } from '../../store/proof-store.ts';
import { Refusal } from '../../trading/refusal.ts';
import { CLOCK_SKEW_SECONDS, SIGNING_ALGORITHMS } from './token-rules.ts';

/** How old a proof may be; its `jti` is remembered as long (RFC 9449 §11.1). */
const PROOF_AGE_SECONDS = 60;
/** How far a client's clock may be ahead (RFC 9449 §11.1). */
const PROOF_AHEAD_SECONDS = 60;

/** A session uses one key for weeks, with a proof for each request. */
const MOST_KEYS = 1_000;

interface ProofKey {
  readonly key: CryptoKey;
  /** RFC 7638. */
  readonly thumbprint: string;
}

/** Verified keys by algorithm and key exactly as written in a proof. */
const keys = new Map<string, ProofKey>();

/** RFC 9449 §4.3. */
export interface ProofTarget {
  readonly method: string;
  /** Without query and fragment, from the configured resource, never from the Host header. */
  readonly url: string;
  readonly accessToken: string;
  /** The token's `cnf.jkt`. */
  readonly thumbprint: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Checks a DPoP proof (all of RFC 9449 §4.3, with replay). Its `jti` is stored only if everything else is right, so that a
 * forged proof can't use up a real one's.
 * @throws {Refusal} 401, one code for each point
 */
export async function verifyDpopProof(
  proof: string | undefined,
  target: ProofTarget,
  seen: ProofStore,
): Promise<void> {
  if (proof === undefined || proof === '') {
    throw proofRefusal(
      'dpop_proof_missing',
      'the access token is bound to a key, and there is no DPoP proof',
    );
  }
  // Two DPoP headers arrive joined by a comma, which no JWT contains.
  if (proof.includes(',')) throw proofRefusal('dpop_proof_malformed', 'there is more than one DPoP proof');

  const { payload, name, key, thumbprint } = await verifiedProof(proof, target.now);
  const { jti, iat, htm, htu, ath } = payload;
  if (thumbprint !== target.thumbprint) {
    throw proofRefusal('dpop_key_mismatch', 'the DPoP proof is by another key than the token is bound to');
  }
  if (htm !== target.method) {
    throw proofRefusal('dpop_proof_method', 'the DPoP proof is for another HTTP method');
  }
  if (typeof htu !== 'string' || !sameTarget(htu, target.url)) {
    throw proofRefusal('dpop_proof_url', 'the DPoP proof is for another URL');
  }
  if (ath !== createHash('sha256').update(target.accessToken).digest('base64url')) {
    throw proofRefusal('dpop_proof_token', 'the DPoP proof is not for this access token');
  }
  const now = target.now / 1000;
  if (typeof iat !== 'number' || iat > now + PROOF_AHEAD_SECONDS || iat < now - PROOF_AGE_SECONDS) {
    throw proofRefusal('dpop_proof_stale', 'the DPoP proof is too old, or from the future', {
      hint: 'Make a new proof for each request, and check the clock of this machine.',
    });
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) {
    throw proofRefusal('dpop_proof_malformed', 'the DPoP proof has no usable jti');
  }
  const isNew = await seen.remember(`${thumbprint}.${jti}`, (iat + PROOF_AGE_SECONDS + 1) * 1000, target.now);
  if (!isNew) {
    throw proofRefusal('dpop_proof_replayed', 'the DPoP proof was used before');
  }
  if (keys.size >= MOST_KEYS && !keys.has(name)) keys.clear();
  keys.set(name, { key, thumbprint });
}

async function verifiedProof(
  proof: string,
  now: number,
): Promise<ProofKey & { readonly payload: JWTPayload; readonly name: string }> {
  let name = '';
  try {
    const verified = await jwtVerify(
      proof,
      (header, token) => {
        name = JSON.stringify([header.alg, header.jwk]);
        return keys.get(name)?.key ?? EmbeddedJWK(header, token);
      },
      {
        algorithms: [...SIGNING_ALGORITHMS],
        typ: 'dpop+jwt',
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(now),
      },
    );
    const { payload, key, protectedHeader } = verified;
    const thumbprint =
      keys.get(name)?.thumbprint ?? (await calculateJwkThumbprint(protectedHeader.jwk ?? {}));
    return { payload, name, key, thumbprint };
  } catch (cause) {
    if (cause instanceof errors.JOSEAlgNotAllowed) {
      throw proofRefusal(
        'dpop_proof_algorithm',
        'the DPoP proof is signed by an algorithm not accepted here',
      );
    }
    if (cause instanceof errors.JWSSignatureVerificationFailed) {
      throw proofRefusal('dpop_proof_signature', 'the signature of the DPoP proof is wrong');
    }
    throw proofRefusal('dpop_proof_malformed', 'the DPoP proof is not a well-formed DPoP proof JWT');
  }
}

/** RFC 9449 §4.3 point 9: compared after normalization, without query and fragment. */
function sameTarget(htu: string, expected: string): boolean {
  if (!URL.canParse(htu)) return false;
  const claimed = new URL(htu);
  const wanted = new URL(expected);
  return claimed.origin === wanted.origin && claimed.pathname === wanted.pathname;
}

function proofRefusal(code: ProblemCode, detail: string, options: { hint?: string } = {}): Refusal {
  return new Refusal(401, code, detail, { ...options, challenge: { error: 'invalid_dpop_proof' } });
}
