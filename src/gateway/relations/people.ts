import type { Access } from '../../approval/access.ts';
import type { AccessStore } from '../../store/access-store.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import type { Relations } from './relations.ts';
import { relationsAccess } from './relations-access.ts';
import { createRelations } from './relations-settings.ts';

/** Who may do what about whose account, for all parts of a gateway. */
export interface People {
  readonly relations: Relations;
  readonly access: Access;
  /** Where the gateway keeps that itself. */
  readonly grants: AccessStore | undefined;
}

export function peopleOf(
  { relations: settings = { kind: 'embedded' }, stores }: Pick<GatewayOptions, 'relations' | 'stores'>,
  { fetch, now }: { readonly fetch: typeof globalThis.fetch; readonly now: () => number },
): People {
  const { access: store } = stores;
  const relations = createRelations(settings, { store, fetch, now });
  return {
    relations,
    access: relationsAccess(relations, now),
    grants: settings.kind === 'embedded' ? store : undefined,
  };
}
