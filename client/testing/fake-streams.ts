// The stream routes for tests: those that a test uses, and no others.
import type { Api } from '../models/api.ts';

type Streams = Api['streams'];

const unexpected = () => Promise.reject(new Error('the test does not expect this call'));

/** Calls that the test does not answer fail. */
export function createFakeStreams(answered: Partial<Streams>): Streams {
  return {
    listLive: unexpected,
    listEvery: unexpected,
    listMine: unexpected,
    create: unexpected,
    read: unexpected,
    edit: unexpected,
    start: unexpected,
    end: unexpected,
    raid: unexpected,
    ticket: unexpected,
    events: unexpected,
    enter: unexpected,
    say: unexpected,
    ...answered,
  };
}
