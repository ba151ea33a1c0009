import type { Grant } from 'oidc-provider';
import type { ApprovalKeys, ApprovalSigningOptions } from '../../approval/keys/approval-keys.ts';
import { type GrantDetails, type GrantTerms, grantDetails } from '../../approval/signature/grant.ts';
import { generateNonce } from '../../approval/signature/statement.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { type Authentication, passkeyAuthentication, TERMINAL_PHONE_AUTHENTICATION } from './protocol/protocol.ts';

/** The lifetimes in days that a person can choose for a grant. */
export const GRANT_LIFETIMES_DAYS = [1, 7, 30, 90] as const;
export const DEFAULT_GRANT_DAYS = 90;
export type GrantLifetimeDays = (typeof GRANT_LIFETIMES_DAYS)[number];
const DAY_MS = 24 * 3_600_000;

type CodeKind = 'registration' | 'recovery_code';

/** The ID of a code's grant: a random value, and the time in seconds (base 36) at which the grant's lifetime starts. */
const CODE_GRANT_ID = /^gr_[A-Za-z0-9_-]{22}([0-9a-z]{6,8})$/;

/** A person's consent to a grant. */
export interface GrantConsent {
  /** The evidence that the person's key signed the grant. Ignored if this home requires no signatures. */
  readonly evidence: unknown;
  readonly days: GrantLifetimeDays;
  /** How the person signed in. Used only if this home requires no signatures. */
  readonly session: Authentication;
}

/**
 * The signatures with which people grant access to devices, agents and apps. A grant is issued only after
 * `requireSignature`, which verifies the signature with the gateway's own verifier and records the signature.
 */
export type SignedGrants = ReturnType<typeof createSignedGrants>;

export function createSignedGrants(options: {
  readonly keys: Pick<ApprovalKeys, 'approvalOptions' | 'check'>;
  readonly signatures: 'required' | 'off';
  /** The gateway's resource identifier. */
  readonly gateway: string;
  readonly now: () => number;
}) {
  const { keys, signatures, gateway, now } = options;
  return {
    isRequired: signatures === 'required',
    details: (identifier: string, terms: GrantTerms): GrantDetails => grantDetails(gateway, identifier, terms),
    /** Returns a new, unique ID for a code's grant. It contains the current time. */
    createCodeId: (): string => `gr_${generateNonce()}${Math.floor(now() / 1000).toString(36)}`,
    /**
     * Returns the details of a grant for a code that anyone may present, such as a registration token. The access of an
     * app that registers with the token ends when the grant ends.
     * @param identifier from `createCodeId`, at most a day old; a signature with it is accepted only one time
     * @returns undefined for any other identifier
     */
    codeDetails(
      kind: CodeKind,
      identifier: unknown,
      { sub, days }: { readonly sub: string; readonly days: GrantLifetimeDays },
    ): GrantDetails | undefined {
      const time = typeof identifier === 'string' ? CODE_GRANT_ID.exec(identifier) : null;
      const from = Number.parseInt(time?.[1] ?? '', 36) * 1000;
      if (time === null || !(Math.abs(now() - from) <= DAY_MS)) return undefined;
      const nobody = { client: null, client_name: null, scopes: [], resources: [], from: null };
      const ends_at = kind === 'registration' ? grantEnd(from, days) : null;
      return grantDetails(gateway, time[0], { kind, sub, accounts: 'all', ...nobody, ends_at });
    },
    /** Returns the options for signing a grant with a passkey. @throws `signature_key_unknown` */
    signingOptions: (details: GrantDetails): Promise<ApprovalSigningOptions> =>
      keys.approvalOptions({ ...details }, details.grant.sub),
    /**
     * Checks the person's signature, and records it in the audit log.
     * @param once whether to reject a signature that was used before; for grants that are not already single-use
     * @returns how and when the person authenticated
     * @throws `signature_…`
     */
    async requireSignature(
      details: GrantDetails,
      { evidence, session }: Omit<GrantConsent, 'days'>,
      { once = false }: { readonly once?: boolean } = {},
    ): Promise<Authentication> {
      if (signatures === 'off') return session;
      const signed = await keys.check({ ...details }, evidence, details.grant.sub, { isFirst: true, once });
      if (signed.method === 'software') return TERMINAL_PHONE_AUTHENTICATION;
      return passkeyAuthentication({ synced: signed.deviceType === 'multiDevice', at: now() });
    },
  };
}

/** Returns when a grant ends. @param from start of its lifetime (epoch milliseconds), set before the person decides */
export function grantEnd(from: number, days: GrantLifetimeDays): string {
  return formatUtcSeconds(from + days * DAY_MS);
}

/** Makes a new grant of the provider end at the signed time instead of after the provider's default lifetime. */
export function setGrantEnd(grant: Grant, endsAt: string | null, now: number): void {
  const expiresIn = Math.max(1, Math.floor((Date.parse(endsAt ?? '') - now) / 1000));
  Object.assign(grant, { expiresIn });
}

/** Parses a form's lifetime field. Returns the default if the field is missing, and undefined for an unknown value. */
export function parseGrantDays(given: unknown): GrantLifetimeDays | undefined {
  if (given === undefined) return DEFAULT_GRANT_DAYS;
  return GRANT_LIFETIMES_DAYS.find((days) => String(days) === given);
}
