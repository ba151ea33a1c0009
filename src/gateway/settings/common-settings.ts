import { z } from 'zod';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../../net/secure-url.ts';

/** A URL to which tokens may be sent: https, or http on loopback. */
export const secureUrlSchema = z.url().refine(isSecureUrl, INSECURE_URL_MESSAGE);

export const anchorSchema = z.strictObject({
  /**
   * URL of a time-stamp authority (RFC 3161). Plain HTTP is safe: the authority receives only a hash, and its response
   * is signed.
   */
  rfc3161: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
  /** CA certificates (PEM) that verify the authority: a path, or a name in the folder. Default: Node's own. */
  ca_file: z.string().min(1).optional(),
});
export type AnchorSettings = z.output<typeof anchorSchema>;

const environmentName = z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable');

/** A PostgreSQL database that is used instead of the gateway's folder. Several gateways may share it. */
export const databaseSchema = z
  .strictObject({
    /**
     * File that contains the database's URL: a path, or a name in the folder. Must be private, because the URL
     * may contain a password.
     */
    url_file: z.string().min(1).optional(),
    url_env: environmentName.optional(),
    /**
     * File that contains the URL of the database itself, if `url_file` has the address of a pooler in transaction mode,
     * such as PgBouncer. This URL is used for notifications and the job queue.
     */
    direct_url_file: z.string().min(1).optional(),
    direct_url_env: environmentName.optional(),
    /** Gateways of the same tenant share all their data. Gateways of different tenants share none. */
    tenant: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 . _ -')
      .default('default'),
  })
  .refine(({ url_file, url_env }) => (url_file === undefined) !== (url_env === undefined), {
    error: 'must set either url_file or url_env',
  })
  .refine(({ direct_url_file: file, direct_url_env: name }) => file === undefined || name === undefined, {
    error: 'must not set both direct_url_file and direct_url_env',
  });
export type DatabaseSettings = z.output<typeof databaseSchema>;

export const telemetrySchema = z.strictObject({
  /** Loopback port for `/metrics`, in Prometheus's text format. */
  metrics_port: z.number().int().min(0).max(65_535).optional(),
  /** URL for traces (OTLP over HTTP): `…/v1/traces`. `OTEL_EXPORTER_OTLP_HEADERS` can set request headers. */
  traces: secureUrlSchema.optional(),
});
