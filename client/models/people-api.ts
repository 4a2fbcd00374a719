// The API of people: profiles, whom one follows or shuns, order in rooms, schedules and preferences.
import type {
  AddScheduleBody,
  EditPreferencesBody,
  EditProfileBody,
  EditScheduleBody,
  OwnProfile,
  RelationKind,
} from '#contract';
import { bodyOf, createRoutes, keyed, type SendRequest, versioned } from './api.ts';

export type RoomBan = { kind: 'silenced' | 'banned'; minutes: number | null };

export function createPeopleApi(request: SendRequest) {
  const v1 = createRoutes(request);
  const { me } = v1.users;
  const stream = v1.streams[':id'];
  const lists = { follow: me.following, block: me.blocks, mute: me.mutes };
  return {
    profile: (who: string) => bodyOf(v1.users[':who'].$get({ param: { who } })),
    relations: (kind: RelationKind, cursor?: string) =>
      bodyOf(lists[kind].$get({ query: { limit: '100', ...(cursor ? { cursor } : {}) } })),
    async relate(kind: RelationKind, userId: string, is: boolean): Promise<void> {
      const one = lists[kind][':userId'];
      await (is ? one.$put({ param: { userId } }) : one.$delete({ param: { userId } }));
    },

    ownProfile: () => bodyOf(me.profile.$get()),
    editProfile: (version: number, json: EditProfileBody) =>
      bodyOf(me.profile.$patch({ json }, versioned(version))),
    setAvatar: (picture: Blob) =>
      bodyOf<OwnProfile>(
        request('/v1/users/me/avatar', {
          method: 'PUT',
          body: picture,
          headers: { 'content-type': picture.type },
        }),
      ),
    removeAvatar: () => bodyOf(me.avatar.$delete()),

    preferences: () => bodyOf(me.preferences.$get()),
    editPreferences: (version: number, json: EditPreferencesBody) =>
      bodyOf(me.preferences.$patch({ json }, versioned(version))),

    schedule: () => bodyOf(me.schedule.$get()),
    announce: (json: AddScheduleBody, key: string) =>
      bodyOf(me.schedule.$post({ json }, keyed(key))),
    editAnnouncement: (id: string, json: EditScheduleBody) =>
      bodyOf(me.schedule[':id'].$patch({ param: { id }, json })),
    unannounce: async (id: string): Promise<void> =>
      void (await me.schedule[':id'].$delete({ param: { id } })),

    countryBlocks: () => bodyOf(me['country-blocks'].$get()),
    setCountryBlocks: (countries: string[]) =>
      bodyOf(me['country-blocks'].$put({ json: { countries } })),

    moderators: (id: string) => bodyOf(stream.moderators.$get({ param: { id } })),
    setModerator: async (id: string, userId: string, is: boolean): Promise<void> => {
      const one = stream.moderators[':userId'];
      await (is ? one.$put({ param: { id, userId } }) : one.$delete({ param: { id, userId } }));
    },
    ban: async (id: string, userId: string, json: RoomBan): Promise<void> =>
      void (await stream.bans[':userId'].$put({ param: { id, userId }, json })),
    liftBan: async (id: string, userId: string): Promise<void> =>
      void (await stream.bans[':userId'].$delete({ param: { id, userId } })),
    deleteLine: async (id: string, messageId: string): Promise<void> =>
      void (await stream.messages[':messageId'].$delete({ param: { id, messageId } })),
  };
}
export type PeopleApi = ReturnType<typeof createPeopleApi>;
