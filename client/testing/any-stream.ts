// A stream as the edge tells it, for tests that care for little of it.
import type { Stream } from '#contract';

export function anyStream(told: Partial<Stream> = {}): Stream {
  return {
    id: '01900000-0000-7000-8000-000000000001',
    title: 'Piano',
    category: 'music',
    tags: [],
    language: null,
    contentClass: 'general',
    visibility: 'public',
    entryTokens: null,
    scheduledAt: null,
    version: 1,
    state: 'live',
    endReason: null,
    performer: { id: '01900000-0000-7000-8000-000000000002', username: 'meera' },
    viewers: 0,
    thumbnailUrl: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    endedAt: null,
    ...told,
  };
}
