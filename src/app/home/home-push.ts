import type { NoticesConfig } from '../../config/notice-channels.ts';
import type { PushOptions } from '../../home/phone/push/phone-push.ts';
import type { PushSettings } from '../../home/phone/push/push-settings.ts';
import type { App } from '../app.ts';
import { HOME_NOTICES } from './home-notices.ts';
import { homeSecrets, phoneNotices } from './phone-notices.ts';

/**
 * How a home rings, by its home.yaml.
 * @param owner gives the user name of whose channels the notices are
 */
export function homePush(
  app: Pick<App, 'clock' | 'discreetFetch' | 'env' | 'tell'>,
  folder: string,
  {
    push = {},
    notices,
  }: { readonly push?: PushSettings | undefined; readonly notices?: NoticesConfig | undefined },
  owner: () => string | undefined,
): PushOptions {
  const { content, contact, fills, notices: noticesWhen } = push;
  return {
    ...(content === undefined ? {} : { content }),
    ...(contact === undefined ? {} : { contact }),
    ...(fills === undefined ? {} : { fills }),
    ...(noticesWhen === undefined ? {} : { noticesWhen }),
    ...(notices === undefined
      ? {}
      : {
          notices: phoneNotices({
            channels: notices,
            owner,
            secrets: homeSecrets(folder),
            surroundings: {
              fetch: app.discreetFetch,
              env: app.env,
              platform: process.platform,
              command: HOME_NOTICES,
            },
            clock: app.clock,
            onError: (message) => app.tell(`home: ${message}`),
          }),
        }),
  };
}
