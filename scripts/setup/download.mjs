// Run as a program, `download.mjs <url> <file>`: saves what the address answers.
//
// A program of its own so that the brought Node runs it: with NODE_USE_ENV_PROXY=1 it honours
// HTTPS_PROXY, which the host's Node may be too old for.

import { writeFile } from 'node:fs/promises';

const [url = '', file = ''] = process.argv.slice(2);
const answer = await fetch(url);
if (!answer.ok || !answer.body) {
  console.error(`${answer.status} ${answer.statusText} for ${url}`);
  process.exit(1);
}
await writeFile(file, answer.body);
