import { z } from 'zod';
import { type Relations, RelationsUnavailableError } from './relations.ts';
import { createRelationsClient, type RelationsServer } from './relations-client.ts';

interface OpenFgaOptions extends RelationsServer {
  readonly store: string;
  /** ID of the uploaded model docs/operate/access/model.fga. After uploading a newer model, set this to its ID. */
  readonly model: string;
}

const checked = z.object({ allowed: z.boolean() });
const listed = z.object({
  users: z.array(z.object({ object: z.object({ type: z.string(), id: z.string() }) })),
});

/**
 * Creates relations that query OpenFGA or Auth0 FGA: `POST /stores/{id}/check` and `/list-users`. Never sends
 * contextual tuples, because they could grant anything.
 * @see https://openfga.dev/api/service
 */
export function createOpenFgaRelations({ store, model, ...elsewhere }: OpenFgaOptions): Relations {
  const ask = createRelationsClient(elsewhere);
  const base = `/stores/${encodeURIComponent(store)}`;
  const common = (at: number) => ({
    authorization_model_id: model,
    context: { now: new Date(at).toISOString() },
    // Bypasses caches, because a grant that has ended must not be found in one.
    consistency: 'HIGHER_CONSISTENCY',
  });
  return {
    async check({ user, relation, account, at }) {
      const tuple_key = { user: objectOf('user', user), relation, object: objectOf('account', account) };
      return (await ask(`${base}/check`, { tuple_key, ...common(at) }, checked)).allowed;
    },
    async secondApprovers(account, at) {
      const { users } = await ask(
        `${base}/list-users`,
        {
          object: { type: 'account', id: escapeOpenFgaId(account) },
          relation: 'can_approve_second',
          user_filters: [{ type: 'user' }],
          ...common(at),
        },
        listed,
      );
      return users.map(({ object }) => subOf(object)).sort();
    },
  };
}

function objectOf(type: 'user' | 'account', sub: string): string {
  return `${type}:${escapeOpenFgaId(sub)}`;
}

/** Escapes characters that OpenFGA rejects in an id, or to which it gives a special meaning (`*` means everybody). */
export function escapeOpenFgaId(sub: string): string {
  return sub.replace(/[^A-Za-z0-9._|@+=/-]/gu, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

function subOf({ type, id }: { readonly type: string; readonly id: string }): string {
  try {
    if (type === 'user') return decodeURIComponent(id);
  } catch {
    // An id that can't be decoded is reported by the error below.
  }
  throw new RelationsUnavailableError('the relations server named an invalid user');
}
