import { failpoint } from '../../machine/failpoint.ts';
import type { SigningKey } from '../../store/signing-key-store.ts';
import { evidenceDigest, evidenceSchema } from '../signature/evidence.ts';
import { approvalStatement, statementChallenge } from '../signature/statement.ts';
import { counterBack, refused } from '../signature/verify-assertion.ts';
import { verifyEvidence } from '../signature/verify-evidence.ts';
import { assertedBy, type KeyParts, requestOptions } from './key-parts.ts';
import type { Keys } from './keys-port.ts';

const SIGN_IN = ['sign in'] as const;

/** What enrolled keys are for. */
export function signing(parts: KeyParts) {
  const { store, clock, origin, rpId, softwareKeys, challenges } = parts;
  return {
    signInOptions: async () => requestOptions(parts, challenges.draw(SIGN_IN), []),

    async signIn(assertion) {
      const use = await assertedBy(parts, { assertion }, SIGN_IN);
      const { decodeClientDataJSON } = await import('@simplewebauthn/server/helpers');
      const { challenge } = decodeClientDataJSON(assertion.response.clientDataJSON);
      if (!challenges.take(challenge)) {
        throw refused('signature_challenge', 'this answer was used to sign in before', {
          hint: 'Sign in again.',
        });
      }
      if (!(await store.use(use, clock.now()))) throw counterBack();
      const key = await store.byId(use.credentialId);
      if (key === undefined) throw new Error('the store has lost a key');
      return key;
    },

    async approvalOptions(details, sub) {
      const statement = approvalStatement(details);
      const passkeys = (await store.of(sub)).filter(({ method }) => method === 'webauthn');
      if (passkeys.length === 0) {
        throw refused('signature_key_unknown', 'no passkey of yours is enrolled here', {
          hint: 'Pair your phone: "trade-agent home pair" shows how.',
        });
      }
      return { ...requestOptions(parts, statementChallenge(statement), passkeys), statement };
    },

    async check(details, evidence, sub, { isFirst } = { isFirst: true }) {
      const statement = approvalStatement(details);
      if (statement.gateway !== parts.gateway) {
        throw refused('signature_gateway', 'it is for another gateway', { fields: ['gateway'] });
      }
      const { proposal: approval } = statement;
      const parsed = evidenceSchema.safeParse(evidence);
      const isKept =
        parsed.success && (await store.signed({ sub, approval, digest: evidenceDigest(parsed.data) }));
      const byId = async (id: string) => {
        const key = await store.byId(id);
        return key !== undefined && isKept ? asItWas(key, isFirst) : key;
      };
      const expected = { statement, origin, rpId, sub, softwareKeys };
      const verified = await verifyEvidence(evidence, expected, { byId });
      if (isKept) return verified;
      const { digest, credentialId, counter, backedUp, method, deviceType } = verified;
      failpoint('signature.verified');
      const facts = { approval, sub, credential_id: credentialId, method };
      const kept = await store.sign(
        { approval, sub, digest, evidence: verified.evidence, use: { credentialId, counter, backedUp } },
        {
          event: 'signed',
          facts: { ...facts, device_type: deviceType, backed_up: backedUp, digest: statement.digest },
        },
        clock.now(),
      );
      // Since it was looked at, the key was removed, or signed something else with a higher count.
      if (kept === 'stale') throw counterBack();
      failpoint('signature.kept');
      return verified;
    },
  } satisfies Partial<Keys>;
}

/** As a key was when a signature that is kept was looked at first. */
function asItWas(key: SigningKey, isFirst: boolean): SigningKey {
  return { ...key, counter: 0, removedAt: isFirst ? key.removedAt : undefined };
}
