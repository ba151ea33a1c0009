import { createHash } from 'node:crypto';
import { safeLine } from '../../../net/shown-text.ts';
import type { Company } from '../../identity-provider/companies/company.ts';
import type { Signalled } from '../../identity-provider/signals/company-standing.ts';
import type { SignalEffect } from '../../identity-provider/signals/security-events.ts';
import { LONGEST_TITLE, topicOf } from './push-message.ts';
import { createTeller, type TellerOptions } from './teller.ts';

const bodies: Readonly<Record<SignalEffect, string>> = {
  ended: 'What came by it was withdrawn, and your mandates are suspended. You can sign in by it again.',
  disabled:
    'What came by it was withdrawn, your mandates are suspended, and your accounts are disconnected. Nobody gets in by it any more.',
  enabled: 'You can sign in by it again. What was withdrawn stays so.',
};

/** Tells a person what their company's signal took back, as {@link createTeller} does: by every channel that is on. */
export function createSignalTeller(
  options: TellerOptions,
): (signalled: Signalled, company: Pick<Company, 'name'> | undefined) => Promise<void> {
  const tell = createTeller(options);
  return (signalled, company) => {
    const { user, issuer, effect, event, jti, at } = signalled;
    const key = JSON.stringify(['signal', issuer, jti]);
    const name = company?.name ?? new URL(issuer).host;
    const said = effect === 'enabled' ? `${name} let you in again` : `${name} ended your sign-in`;
    const words = { title: safeLine(said, LONGEST_TITLE), body: bodies[effect] };
    const id = createHash('sha256').update(`trade-agent.signal\0${key}`).digest('base64url').slice(0, 24);
    return tell({
      user,
      key,
      message: (short, expires) => {
        const shown = short ? { title: 'A sign-in of yours has changed', body: '' } : words;
        return { kind: 'access', id: '', ...shown, expires, tag: topicOf(key) };
      },
      notice: {
        ...{ id: `nt_${id}`, user, ...words, at: new Date(at).toISOString() },
        access: { company: name, signal: event },
      },
    });
  };
}
