// Order in the chat of the stream that is shown: made with the page, and loaded behind it.
import { useEffect, useMemo } from 'preact/hooks';
import { type ChatOrder, createChatOrder } from '../models/chat-order.ts';
import { createPeopleApi } from '../models/people-api.ts';
import { useApp } from './app-context.ts';

/** `streamId` is null until there is a stream. */
export function useChatOrder(streamId: string | null): ChatOrder {
  const { api, session, toasts } = useApp();
  const user = session.user.value;
  const order = useMemo(
    () =>
      createChatOrder({
        streamId: streamId ?? '',
        self: user,
        api: createPeopleApi(api.request),
        toasts,
      }),
    [streamId, user?.id],
  );
  useEffect(() => {
    if (streamId !== null) order.load();
  }, [order, streamId]);
  return order;
}
