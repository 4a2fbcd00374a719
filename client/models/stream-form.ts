// The form of a stream: what its performer says of it, before it is made and afterwards.
import { signal } from '@preact/signals';
import {
  CreateStreamBody,
  canBeAnnounced,
  type EditStreamBody,
  type Stream,
  type StreamCategory,
  type Visibility,
} from '#contract';
import { parseWhole } from './amounts.ts';
import { instantOf, localText } from './local-time.ts';

/** The same bound as the contract's; a test holds them together. */
export const titleCharsMax = 100;

const words = {
  title: 'Give your stream a title.',
  tags: 'Up to 10 words of letters and digits, with commas between them.',
  entryTokens: 'A whole number of tokens, up to 10,000.',
  scheduledAt: 'A day and time to come, within half a year, or nothing.',
} as const;
type Faults = Partial<Record<keyof typeof words, string>>;

export function tagsOf(text: string): string[] {
  return text
    .split(/[,\s]+/)
    .map((tag) => tag.replace(/^#/, ''))
    .filter((tag) => tag !== '');
}

export function createStreamForm(now: () => number) {
  const title = signal('');
  const category = signal<StreamCategory>('music');
  const tags = signal('');
  const language = signal('');
  const isMature = signal(false);
  const visibility = signal<Visibility>('public');
  const entryTokens = signal('');
  const scheduledAt = signal('');
  const faults = signal<Faults>({});

  /** What was typed; null when something does not fit, which is said beside it. */
  function read(): Required<CreateStreamBody> | null {
    const isTicketed = visibility.peek() === 'ticketed';
    const instant = instantOf(scheduledAt.peek());
    const parsed = CreateStreamBody.safeParse({
      title: title.peek(),
      category: category.peek(),
      tags: tagsOf(tags.peek()),
      language: language.peek() || null,
      contentClass: isMature.peek() ? 'mature' : 'general',
      visibility: visibility.peek(),
      entryTokens: isTicketed ? (parseWhole(entryTokens.peek()) ?? Number.NaN) : null,
      scheduledAt: instant,
    });
    const wrong = new Set<unknown>(parsed.error?.issues.map(({ path }) => path[0]));
    if (scheduledAt.peek() !== '' && instant === null) wrong.add('scheduledAt');
    faults.value = Object.fromEntries(
      Object.entries(words).filter(([name]) => wrong.has(name)),
    ) as Faults;
    return parsed.success && wrong.size === 0 ? parsed.data : null;
  }

  function blameTime(): void {
    faults.value = { ...faults.peek(), scheduledAt: words.scheduledAt };
  }

  return {
    title,
    category,
    tags,
    language,
    isMature,
    visibility,
    entryTokens,
    scheduledAt,
    faults,
    read,
    /** As `read`, of a stream that is announced for later. */
    readAnnounced(): Required<CreateStreamBody> | null {
      const body = read();
      if (body?.scheduledAt && canBeAnnounced(body.scheduledAt, new Date(now()))) return body;
      if (body) blameTime();
      return null;
    },
    /** What was changed of a stream; null when something does not fit, empty when nothing was changed. */
    changesTo(stream: Stream): EditStreamBody | null {
      const body = read();
      if (!body) return null;
      // The field knows no seconds: what it shows has not been changed.
      const isSameTime = scheduledAt.peek() === localText(stream.scheduledAt);
      const said = { ...body, scheduledAt: isSameTime ? stream.scheduledAt : body.scheduledAt };
      const names = Object.keys(said) as (keyof typeof said)[];
      const changed = names.filter(
        (name) => JSON.stringify(said[name]) !== JSON.stringify(stream[name]),
      );
      return Object.fromEntries(changed.map((name) => [name, said[name]]));
    },
    fill(stream: Stream): void {
      title.value = stream.title;
      category.value = stream.category;
      tags.value = stream.tags.join(', ');
      language.value = stream.language ?? '';
      isMature.value = stream.contentClass === 'mature';
      visibility.value = stream.visibility;
      entryTokens.value = stream.entryTokens === null ? '' : String(stream.entryTokens);
      scheduledAt.value = localText(stream.scheduledAt);
      faults.value = {};
    },
  };
}
export type StreamForm = ReturnType<typeof createStreamForm>;
