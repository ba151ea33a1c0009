import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { bundledFolders, manifestOf } from './packages.mjs';

/**
 * Returns a CycloneDX 1.6 bill of materials: installed dependencies, and those with code in the bundle, which npm's list
 * would lack. It is reproducible, without a timestamp or serial number.
 */
export function billOfMaterials(root, metafile) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { name, version, license, dependencies } = manifestOf(root, '.');
  const bom = new Models.Bom();
  bom.metadata.component = component(Enums.ComponentType.Application, { name, version, license });
  const seen = new Set();
  const installed = Object.keys(dependencies).map((one) => `node_modules/${one}`);
  for (const folder of [...new Set([...installed, ...bundledFolders(metafile)])].sort()) {
    const manifest = manifestOf(root, folder);
    const { integrity = '' } = packages[folder] ?? {};
    const found = component(Enums.ComponentType.Library, manifest);
    // The same package may be installed in several places.
    if (seen.has(found.purl)) continue;
    seen.add(found.purl);
    const [, sha512] = /^sha512-(.+)$/.exec(integrity) ?? [];
    if (sha512 !== undefined) {
      found.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(sha512, 'base64').toString('hex'));
    }
    found.properties.add(new Models.Property('trade-agent:how', installed.includes(folder) ? 'installed' : 'bundled'));
    bom.components.add(found);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true })}\n`;
}

function component(type, { name, version, license }) {
  const [group, own] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = `pkg:npm/${group === undefined ? '' : `${encodeURIComponent(group)}/`}${own}@${version}`;
  const found = new Models.Component(type, own, { group, version, purl, bomRef: purl });
  if (license !== undefined) found.licenses.add(licenseText(license));
  return found;
}

/** Returns the license as the package states it: an SPDX ID, an expression, or a name. */
function licenseText(license) {
  if (/ (OR|AND|WITH) /.test(license)) return new Models.LicenseExpression(license);
  return /^[\w.+-]+$/.test(license) && license !== 'UNLICENSED'
    ? new Models.SpdxLicense(license)
    : new Models.NamedLicense(license);
}
