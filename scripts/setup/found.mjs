// What looking for a program gives: where it is, or what it takes to have it.

import { installPackages } from './debian.mjs';

/**
 * @typedef {{ path: string }} Here
 * @typedef {{ packages: string[], make: () => Promise<string> }} Missing
 *   `packages` of Debian to install first; `make` then gives the path
 * @typedef {Here | Missing} Found
 */

/**
 * Installs all that is missing with one call, then makes the rest one after the other.
 * @template {Record<string, Found>} T
 * @param {T} found
 * @returns {Promise<{ [K in keyof T]: string }>} the path of each
 */
export async function obtain(found) {
  const missing = Object.values(found).filter((one) => 'packages' in one);
  await installPackages(missing.flatMap((one) => one.packages));
  /** @type {Record<string, string>} */
  const paths = {};
  for (const [name, one] of Object.entries(found)) {
    paths[name] = 'path' in one ? one.path : await one.make();
  }
  return /** @type {{ [K in keyof T]: string }} */ (paths);
}
