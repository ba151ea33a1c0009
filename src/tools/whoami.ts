import { z } from 'zod';
import { loginRequiredError } from '../errors/login-required.ts';
import { safeLine } from '../text/sanitize.ts';
import { defineTool } from './tool.ts';

/** Reads the ID token's claims. Sends no request. */
export const whoami = defineTool({
  name: 'whoami',
  title: 'Check who is signed in',
  description: 'Returns who is signed in: name, e-mail address, and which account environment (paper or live).',
  schema: z.strictObject({}),
  scopes: [],
  risk: 'read',
  async execute({ session }) {
    if (session === undefined) throw loginRequiredError();
    const { user, profile } = session;
    const name = safeLine(user.name ?? user.sub, 100);
    return {
      summary: `signed in as ${name}`,
      content: JSON.stringify({
        name: user.name === undefined ? null : name,
        email: user.email === undefined ? null : safeLine(user.email, 100),
        subject: safeLine(user.sub, 100),
        profile: profile.name,
        environment: profile.environment,
      }),
    };
  },
});
