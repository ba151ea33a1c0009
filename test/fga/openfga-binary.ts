import { goBinary } from '../go-binary.ts';

/** The version these tests were written against; OPENFGA_VERSION tries another. */
export const OPENFGA_VERSION = process.env.OPENFGA_VERSION ?? 'v1.22.1';

/** OpenFGA's own server. */
export const openFgaBinary = () =>
  goBinary({
    name: `openfga-${OPENFGA_VERSION}`,
    module: `github.com/openfga/openfga/cmd/openfga@${OPENFGA_VERSION}`,
    file: 'openfga',
    takes: 'four to five minutes',
    limitMs: 1_500_000,
  });
