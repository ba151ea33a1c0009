import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Person } from '../../../store/home/people.ts';
import type { Session } from '../../../store/home/sessions.ts';

/** What the pages say of the home they belong to. */
export interface HomeAbout {
  /** As its owner calls it: `Alice's home`. */
  readonly name: string;
  readonly environment: 'paper' | 'live';
  readonly simulated: boolean;
}

export interface BrowserEnv {
  Bindings: HttpBindings;
  Variables: {
    readonly about: HomeAbout;
    readonly canHalt: boolean;
    readonly canLook: boolean;
    readonly installable: boolean;
    user: Person | undefined;
    session: Session | undefined;
    /** The origin key that the browser's script has sent along. */
    key: string | undefined;
    /** For the hidden field `form_token` of every form. */
    formToken: string;
  };
}
export type BrowserContext = Context<BrowserEnv>;

/** Whether more is open to this session than to read, to deny, and to sign browsers out. */
export function isFull(context: BrowserContext): boolean {
  return context.var.session?.by === 'passkey';
}
