import type { Hono } from 'hono';
import type { BrowserEnv } from '../browser-env.ts';
import { phoneState } from '../decision/phone-state.ts';
import { isOpenSession } from '../open-session.ts';
import { toSignIn } from '../page.ts';
import { phoneBody, viewerOf } from '../phone-pages.ts';
import type { PhoneServices } from '../phone-services.ts';
import { createDashboardRoutes } from './dashboard-routes.ts';
import { type KeptReads, keptReads } from './kept-reads.ts';

const PATH = '/phone/dashboard';

/** The dashboard of whoever is signed in, with the cards that they decide by. */
export function createDashboardPages(
  dashboards: NonNullable<PhoneServices['dashboards']>,
  services: PhoneServices,
): Hono<BrowserEnv> {
  const { clock } = services;
  /** By person: what several of their pages look at is read once. */
  const kept = new Map<string, KeptReads>();
  const readsOf = (sub: string): KeptReads => {
    const known = kept.get(sub) ?? keptReads(dashboards(sub), () => clock.now());
    kept.set(sub, known);
    return known;
  };
  return createDashboardRoutes({
    path: PATH,
    dataOf: ({ var: { user } }) => (user === undefined ? undefined : readsOf(user.username)),
    toGetIn: (context) => toSignIn(context, PATH),
    isOpen: async ({ var: { session } }) => session !== undefined && (await isOpenSession(session, services)),
    async decide(context) {
      const viewer = viewerOf(context);
      if (viewer === undefined) throw new TypeError('nobody is signed in');
      return phoneBody(await phoneState(services, viewer), context.req.query('request'), true);
    },
    clock,
    closing: services.closing,
    onError: services.onError,
  });
}
