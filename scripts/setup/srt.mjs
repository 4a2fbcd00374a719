// Packages for SRT: the library by which the bridge hears encoders, which Debian's ffmpeg brings and others do not.

import { spawnSync } from 'node:child_process';
import { isDebianLike } from './debian.mjs';

/** @returns {string[]} of Debian, to be installed */
export function packagesForSrt() {
  if (!isDebianLike()) return [];
  const { stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  return /\blibsrt(-openssl|-gnutls)?\.so\.1/.test(stdout ?? '') ? [] : ['libsrt1.5-openssl'];
}
