import { z } from 'zod';
import { askingAt, type Elsewhere } from './asked-elsewhere.ts';
import { type Relations, RelationsUnavailable } from './relations.ts';

interface OpenFgaOptions extends Elsewhere {
  readonly store: string;
  /** Of docs/operate/access/model.fga; a newer one has to be set here. */
  readonly model: string;
}

const checked = z.object({ allowed: z.boolean() });
const listed = z.object({
  users: z.array(z.object({ object: z.object({ type: z.string(), id: z.string() }) })),
});

/**
 * OpenFGA and Auth0 FGA: `POST /stores/{id}/check` and `/list-users`. Contextual tuples, which could grant anything, are
 * never sent.
 * @see https://openfga.dev/api/service
 */
export function openFgaRelations({ store, model, ...elsewhere }: OpenFgaOptions): Relations {
  const ask = askingAt(elsewhere);
  const base = `/stores/${encodeURIComponent(store)}`;
  const common = (at: number) => ({
    authorization_model_id: model,
    context: { now: new Date(at).toISOString() },
    // An ended grant must not be answered from a cache.
    consistency: 'HIGHER_CONSISTENCY',
  });
  return {
    async check({ user, relation, account, at }) {
      const tuple_key = { user: objectOf('user', user), relation, object: objectOf('account', account) };
      return (await ask(`${base}/check`, { tuple_key, ...common(at) }, checked)).allowed;
    },
    async seconds(account, at) {
      const { users } = await ask(
        `${base}/list-users`,
        {
          object: { type: 'account', id: idOf(account) },
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
  return `${type}:${idOf(sub)}`;
}

/** Escapes what OpenFGA does not take in an id, or reads as something else (`*`: everybody). */
export function idOf(sub: string): string {
  return sub.replace(/[^A-Za-z0-9._|@+=/-]/gu, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

function subOf({ type, id }: { readonly type: string; readonly id: string }): string {
  try {
    if (type === 'user') return decodeURIComponent(id);
  } catch {
    // Reported below.
  }
  throw new RelationsUnavailable('it named somebody who is no user');
}
