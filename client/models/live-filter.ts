// The live filter: what of the live list somebody wants to see and in which order, as the address of the home page says.
import {
  type StreamCategory as Category,
  ContentClass,
  Language,
  type LiveSort,
  liveSorts,
  StreamCategory,
  Tag,
} from '#contract';

/** What holds where the address says nothing. */
const usualSort: LiveSort = 'viewers';

export type LiveFilter = {
  category: Category | null;
  tag: string | null;
  language: string | null;
  sort: LiveSort;
  mature: boolean;
};

/** What the address asks for; what makes no sense in it is left out. */
export function liveFilterOf(search: URLSearchParams): LiveFilter {
  return {
    category: StreamCategory.safeParse(search.get('category')).data ?? null,
    tag: Tag.safeParse(search.get('tag')).data ?? null,
    language: Language.safeParse(search.get('language')).data ?? null,
    sort: liveSorts.find((sort) => sort === search.get('sort')) ?? usualSort,
    mature: search.get('class') === ContentClass.enum.mature,
  };
}

/** Where the home page shows this. */
export function homePath({ category, tag, language, sort, mature }: LiveFilter): string {
  const search = new URLSearchParams({
    ...(category ? { category } : {}),
    ...(tag ? { tag } : {}),
    ...(language ? { language } : {}),
    ...(sort === usualSort ? {} : { sort }),
    ...(mature ? { class: ContentClass.enum.mature } : {}),
  });
  return search.size > 0 ? `/?${search}` : '/';
}

/** Whether it leaves out streams that others show. */
export const isNarrowed = ({ category, tag, language }: LiveFilter): boolean =>
  category !== null || tag !== null || language !== null;

/** The same with every stream. */
export const widened = (filter: LiveFilter): LiveFilter => ({
  ...filter,
  category: null,
  tag: null,
  language: null,
});
