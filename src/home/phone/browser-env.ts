import type { Context } from 'hono';
import type { SandboxUser } from '../identity-provider/users.ts';

/** What every page knows about the browser that asks for it. */
export interface BrowserEnv {
  Variables: {
    /** Who is signed in. */
    user: SandboxUser | undefined;
    session: string | undefined;
    /** For the hidden field `form_token` of every form. */
    formToken: string;
    /** For the page's own style and script (Content Security Policy). */
    nonce: string;
  };
}
export type BrowserContext = Context<BrowserEnv>;
