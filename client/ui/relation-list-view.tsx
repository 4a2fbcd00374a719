// A list of people whom one follows, mutes or blocks, each with the way to let them go.
import { useEffect } from 'preact/hooks';
import type { RelationKind, RelationList } from '#contract';
import type { RelationListModel } from '../models/relation-list.ts';
import { profileHref } from '../models/router.ts';
import { Avatar } from './avatar.tsx';
import { Button } from './button.tsx';
import { Fault } from './notice.tsx';
import { ShowEarlier } from './show-earlier.tsx';
import { Skeleton } from './skeleton.tsx';
import './relation-list-view.css';

const words: Record<RelationKind, { title: string; lead: string; none: string; letGo: string }> = {
  block: {
    title: 'Blocked',
    lead: 'They cannot follow you, nor watch, tip or chat with you, and do not find your profile.',
    none: 'You have blocked nobody.',
    letGo: 'Unblock',
  },
  mute: {
    title: 'Muted',
    lead: 'You do not see what they say in chats. They do not know.',
    none: 'You have muted nobody.',
    letGo: 'Unmute',
  },
  follow: {
    title: 'Following',
    lead: 'What they stream for followers is open to you.',
    none: 'You follow nobody yet.',
    letGo: 'Unfollow',
  },
};

type Person = RelationList['people'][number];

function PersonRow({ person, model }: { person: Person; model: RelationListModel }) {
  const { letGo } = words[model.kind];
  return (
    <li class="relation-person" data-testid={`${model.kind}-person`}>
      <Avatar name={person.displayName} size={40} url={person.avatarUrl} />
      <span class="relation-name">
        <a href={profileHref(person.username)}>
          <bdi>{person.displayName}</bdi>
        </a>
        <span class="faint">@{person.username}</span>
      </span>
      <Button
        size="small"
        busy={model.busyId.value === person.id}
        onClick={() => model.letGo(person.id)}
        data-testid={`${model.kind}-let-go`}
      >
        {letGo}
        <span class="sr-only"> {person.displayName}</span>
      </Button>
    </li>
  );
}

export function RelationListView({ model }: { model: RelationListModel }) {
  const { list, kind } = model;
  useEffect(() => void list.reload(), [list]);
  const { title, lead, none } = words[kind];
  const people = list.items.value;
  return (
    <section class="card relation-list" aria-labelledby={`relation-${kind}`}>
      <h2 id={`relation-${kind}`}>{title}</h2>
      <p class="soft">{lead}</p>
      {list.fault.value && <Fault text={list.fault.value} onRetry={list.reload} />}
      {!list.ready.value && !list.fault.value && <Skeleton width="100%" height="48px" />}
      {list.ready.value && people.length === 0 && <p class="faint">{none}</p>}
      {people.length > 0 && (
        <ul>
          {people.map((person) => (
            <PersonRow key={person.id} person={person} model={model} />
          ))}
        </ul>
      )}
      <ShowEarlier list={list} testId={`${kind}-more`} />
    </section>
  );
}
