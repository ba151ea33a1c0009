import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../../net/secure-url.ts';

/** The address of a server that tokens are sent to. */
export const secureAddress = z.url().refine(isSecureUrl, INSECURE_URL);

/** Who says when a checkpoint of the record was there. */
export const anchorSchema = z.strictObject({
  /** Address of a time-stamp authority (RFC 3161). Plain HTTP will do: it learns a hash, and its answer is signed. */
  rfc3161: z.url({ protocol: /^https?$/, error: 'must be an address of http or https' }),
  /** Certificates (PEM) that the authority's must lead to: a path, or a name in the folder. Node's own where left out. */
  ca_file: z.string().min(1).optional(),
});
export type AnchorSettings = z.output<typeof anchorSchema>;

/** Where a gateway keeps what it keeps, if not in its own folder: a PostgreSQL database, which several gateways may have. */
export const databaseSchema = z
  .strictObject({
    /** Holds the database's address: a path, or a name in the folder. Its owner's alone, since it may hold a password. */
    url_file: z.string().min(1).optional(),
    /** Instead: the name of the environment variable that does. */
    url_env: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')
      .optional(),
    /** Whose part of it: gateways of one tenant have everything in common, and nothing with another's. */
    tenant: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -')
      .default('default'),
  })
  .refine(({ url_file, url_env }) => (url_file === undefined) !== (url_env === undefined), {
    error: 'must say where the address is: url_file or url_env, one of them',
  });
export type DatabaseSettings = z.output<typeof databaseSchema>;

/** How a gateway, or a server, is measured, by OpenTelemetry. */
export const telemetrySchema = z.strictObject({
  /** Port of this machine alone (loopback) at which `/metrics` is served, in Prometheus's text format. */
  metrics_port: z.number().int().min(0).max(65_535).optional(),
  /** Where spans go: OTLP over HTTP, `…/v1/traces`. What it wants beside is set as `OTEL_EXPORTER_OTLP_HEADERS`. */
  traces: secureAddress.optional(),
});
