import { goBinary } from '../go-binary.ts';

/** The version these tests were written against; TEMPORAL_VERSION tries another. */
export const TEMPORAL_VERSION = process.env.TEMPORAL_VERSION ?? 'v1.32.1';

/** Temporal's own server. */
export const temporalBinary = () =>
  goBinary({
    name: `temporal-${TEMPORAL_VERSION}`,
    module: `go.temporal.io/server/cmd/server@${TEMPORAL_VERSION}`,
    file: 'server',
    takes: 'ten to twenty minutes',
    limitMs: 2_700_000,
  });
