import type { AnchorKind, VerifyAnchor } from './anchor.ts';

/** How each kind's tokens are verified: loaded where a record has one. */
export const anchors: Readonly<Record<AnchorKind, () => Promise<VerifyAnchor>>> = {
  rfc3161: async () => (await import('./rfc3161/time-stamp-token.ts')).verifyTimeStampToken,
};
