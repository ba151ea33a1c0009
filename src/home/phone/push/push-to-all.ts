import type { Keys } from '../../../approval/keys/keys.ts';
import type { Push, SendPush } from './push-sender.ts';
import type { PushSubscription, PushSubscriptions } from './push-subscriptions.ts';

/** What a person's browsers are rung by. */
export interface Ringing {
  readonly subscriptions: PushSubscriptions;
  /** The passkeys that people have now. */
  readonly keys: Pick<Keys, 'list'>;
  readonly send: SendPush;
  readonly closing: AbortSignal;
}

/** @returns whether one of the person's browsers was reached */
export async function pushToAll(
  options: Ringing,
  user: string,
  push: Push,
  concerns: (subscription: PushSubscription) => boolean = () => true,
): Promise<boolean> {
  const { subscriptions, send, closing } = options;
  const ringing = (await subscriptionsOf(user, options)).filter(concerns);
  const reached = await Promise.all(
    ringing.map(async (subscription) => {
      const result = await send(subscription, push);
      if (closing.aborted) return false;
      if (result.outcome === 'sent') subscriptions.rang(subscription.endpoint);
      if (result.outcome === 'gone') subscriptions.remove(subscription.endpoint);
      if (result.outcome === 'failed') subscriptions.failed(subscription.endpoint, result.restsUntil);
      return result.outcome === 'sent';
    }),
  );
  return reached.includes(true);
}

/** A passkey may have been removed at the home's own machine, by another process: what it let in rings no more. */
async function subscriptionsOf(
  user: string,
  { subscriptions, keys, closing }: Ringing,
): Promise<PushSubscription[]> {
  const all = subscriptions.of(user);
  if (all.length === 0) return [];
  const enrolled = new Set((await keys.list(user)).map(({ credentialId }) => credentialId));
  closing.throwIfAborted();
  const ended = all.filter(({ credential }) => !enrolled.has(credential));
  for (const { credential } of ended) subscriptions.endKey(user, credential);
  return all.filter((one) => !ended.includes(one));
}
