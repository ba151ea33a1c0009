import { z } from 'zod';
import { secureAddress } from './secure-address.ts';

/** How a gateway, or a server, is measured, by OpenTelemetry. */
export const telemetrySchema = z.strictObject({
  /** Port of this machine alone (loopback) at which `/metrics` is served, in Prometheus's text format. */
  metrics_port: z.number().int().min(0).max(65_535).optional(),
  /** Where spans go: OTLP over HTTP, `…/v1/traces`. What it wants beside is set as `OTEL_EXPORTER_OTLP_HEADERS`. */
  traces: secureAddress.optional(),
});
export type TelemetrySettings = z.output<typeof telemetrySchema>;
