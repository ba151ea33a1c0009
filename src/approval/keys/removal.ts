import { failpoint } from '../../machine/failpoint.ts';
import type { AuditNote } from '../../store/audit.ts';
import type { SigningKey } from '../../store/signing-key-store.ts';
import { counterBack, refused } from '../signature/verify-assertion.ts';
import { assertedBy, type KeyParts, keyAction, keyNotFound } from './key-parts.ts';
import type { Keys } from './keys-port.ts';

/** How keys end. */
export function removal(parts: KeyParts) {
  const { store, clock } = parts;
  return {
    async remove(by, credentialId) {
      const key = await store.byId(credentialId);
      if (key === undefined || key.removedAt !== undefined) throw keyNotFound();
      const { sub } = key;
      if (by !== 'machine' && by.sub !== sub) throw keyNotFound();
      if (by !== 'machine' && by.assertion.id === credentialId) {
        throw refused('signature_key_unknown', 'a key is not removed by itself', {
          hint: 'Sign with another of your keys; the last one is removed on the home’s own machine.',
        });
      }
      const proof =
        by === 'machine' ? by : { use: await assertedBy(parts, by, keyAction('remove', sub, credentialId)) };
      const note = removed(key, by === 'machine' ? by : 'key');
      if ((await store.remove({ sub, credentialId }, proof, note, clock.now())) === 'stale')
        throw counterBack();
      failpoint('key.removed');
    },

    async endPerson(sub) {
      await store.unpair(sub);
      for (const key of await store.of(sub)) {
        await store.remove(key, 'machine', removed(key, 'machine'), clock.now());
      }
    },
  } satisfies Partial<Keys>;
}

export function removed({ sub, credentialId }: SigningKey, by: 'machine' | 'key'): AuditNote {
  return { event: 'key_removed', facts: { sub, credential_id: credentialId, by } };
}
