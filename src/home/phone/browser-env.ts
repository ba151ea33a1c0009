import type { Context } from 'hono';
import type { Person } from '../identity-provider/people.ts';

/** What every page knows about the browser that asks for it. */
export interface BrowserEnv {
  Variables: {
    /** Who is signed in. */
    user: Person | undefined;
    session: string | undefined;
    /** For the hidden field `form_token` of every form. */
    formToken: string;
  };
}
export type BrowserContext = Context<BrowserEnv>;
