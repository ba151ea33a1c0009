import { withHome } from '../../src/app/home/open-home.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { type Authenticator, createAuthenticator } from '../unit/approval/signature/authenticator.ts';

/** Pairs an authenticator of software with somebody of a home, at its folder. */
export async function enrolPasskey(folder: string, user: string): Promise<Authenticator> {
  return await withHome({ clock: systemClock, env: process.env }, folder, async ({ settings, keys }) => {
    const authenticator = createAuthenticator('ES256', {
      origin: settings.address,
      rpId: new URL(settings.address).hostname,
    });
    const { secret } = await keys.pair(user);
    const { challenge } = await keys.creationOptions({ secret });
    await keys.enroll({ secret }, authenticator.register(challenge), 'Phone of the test');
    return authenticator;
  });
}
