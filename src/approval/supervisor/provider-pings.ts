import { createHash } from 'node:crypto';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { KernelDeps } from '../kernel-deps.ts';

/** Finds the proposals that the identity provider's pings (CIBA Core §10.2) are about. */
export class ProviderPings {
  readonly #parts: KernelDeps;

  constructor(parts: KernelDeps) {
    this.#parts = parts;
  }

  /** Returns the open proposal that a ping is about; undefined if its `authReqId` or the token is unknown. */
  async findProposal(authReqId: string, notificationToken: string): Promise<StoredProposal | undefined> {
    const { store, notificationTokens, earlyPings, clock } = this.#parts;
    let proposal = await store.byAuthReqId(authReqId);
    if (proposal === undefined) {
      // Only tokens that a gateway made are stored. Otherwise anybody could fill the database.
      if (!notificationTokens.isOwn(notificationToken)) return undefined;
      await earlyPings.add(pingDigest(authReqId, notificationToken), clock.now());
      // The question may have been stored since the first read. If it is stored later, that gateway finds this ping.
      proposal = await store.byAuthReqId(authReqId);
    }
    if (proposal === undefined || isSettledState(proposal.state)) return undefined;
    return notificationTokens.isTokenFor(notificationToken, proposal) ? proposal : undefined;
  }

  /** Returns whether a ping arrived before the proposal's `auth_req_id` was stored; true only once per ping. */
  async takeEarlyPing(proposal: StoredProposal): Promise<boolean> {
    const { notificationTokens, earlyPings } = this.#parts;
    const { authReqId = '' } = proposal;
    return await earlyPings.take(notificationTokens.all(proposal).map((token) => pingDigest(authReqId, token)));
  }
}

/** Returns the hash that is stored for an early ping, so that the store never contains the ping's token. */
function pingDigest(authReqId: string, notificationToken: string): string {
  return createHash('sha256').update(`${authReqId} ${notificationToken}`).digest('base64url');
}
