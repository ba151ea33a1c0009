import { routes } from '../protocol.ts';

/** Transmitter Configuration Metadata (SSF 1.0 §7.1): whom it tells, and of whom, is set in `home.yaml` alone. */
export function transmitterMetadata(issuer: string): Readonly<Record<string, unknown>> {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}${routes.jwks}`,
    delivery_methods_supported: ['urn:ietf:rfc:8935'],
    default_subjects: 'ALL',
  };
}
