// The API of the stage: whom a performer has invited, and what invited people answer.
import type { MediaHold } from '#contract';
import { bodyOf, createRoutes, type SendRequest } from './api.ts';

export function createStageApi(request: SendRequest) {
  const { stage } = createRoutes(request).streams[':id'];
  const one = stage[':userId'];
  return {
    list: (id: string) => bodyOf(stage.$get({ param: { id } })),
    invite: (id: string, username: string) =>
      bodyOf(stage.$post({ param: { id }, json: { username } })),
    answer: async (id: string, accept: boolean): Promise<void> =>
      void (await stage.answer.$post({ param: { id }, json: { accept } })),
    putOff: async (id: string, userId: string): Promise<void> =>
      void (await one.$delete({ param: { id, userId } })),
    hold: async (id: string, userId: string, json: MediaHold): Promise<void> =>
      void (await one.hold.$put({ param: { id, userId }, json })),
  };
}
export type StageApi = ReturnType<typeof createStageApi>;
