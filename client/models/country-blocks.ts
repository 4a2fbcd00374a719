// Countries in which a performer is not to be seen: picked one by one, saved as a whole.
import { signal } from '@preact/signals';
import { messageOf } from './api-error.ts';
import { createLoaded } from './load.ts';
import type { PeopleApi } from './people-api.ts';

export function createCountryBlocks({
  api,
}: {
  api: Pick<PeopleApi, 'countryBlocks' | 'setCountryBlocks'>;
}) {
  const loaded = createLoaded<{ countries: string[] }>(api.countryBlocks);
  const fault = signal<string | null>(null);
  const busy = signal(false);

  async function save(countries: string[]): Promise<void> {
    if (busy.peek()) return;
    busy.value = true;
    fault.value = null;
    try {
      loaded.value.value = await api.setCountryBlocks(countries);
    } catch (error) {
      fault.value = messageOf(error);
    } finally {
      busy.value = false;
    }
  }
  const now = () => loaded.value.peek()?.countries;

  return {
    value: loaded.value,
    loadFault: loaded.fault,
    fault,
    busy,
    load: loaded.load,
    async add(country: string): Promise<void> {
      const countries = now();
      if (countries && !countries.includes(country)) await save([...countries, country]);
    },
    async drop(country: string): Promise<void> {
      const countries = now();
      if (countries) await save(countries.filter((code) => code !== country));
    },
  };
}
export type CountryBlocksModel = ReturnType<typeof createCountryBlocks>;
