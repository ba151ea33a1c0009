import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Person } from '../../../store/home/people.ts';
import type { Session } from '../../../store/home/sessions.ts';

/** Description of the home that the home's pages show. */
export interface HomeDescription {
  /** Name that the home's owner chose, such as `Alice's home`. */
  readonly name: string;
  readonly environment: 'paper' | 'live';
  readonly simulated: boolean;
}

export interface BrowserEnv {
  Bindings: HttpBindings;
  Variables: {
    readonly about: HomeDescription;
    readonly canHalt: boolean;
    readonly canLook: boolean;
    readonly installable: boolean;
    /** The pages to which the heading links if there is no tab bar. */
    readonly places: readonly { readonly href: string; readonly text: string }[];
    user: Person | undefined;
    session: Session | undefined;
    /** The origin key that the browser's script sent. */
    key: string | undefined;
    /** Value of the hidden field `form_token` in every form. */
    formToken: string;
  };
}
export type BrowserContext = Context<BrowserEnv>;

/** Returns whether this session may do more than view, deny, and sign out browsers. */
export function hasFullAccess(context: BrowserContext): boolean {
  return context.var.session?.by === 'passkey';
}
