// Countries in which a performer is not to be seen.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { CountryBlocksModel } from '../models/country-blocks.ts';
import { Button, IconButton } from './button.tsx';
import { countryOptions } from './countries.ts';
import { SelectField } from './field.tsx';
import { CloseIcon } from './icons.tsx';
import { Fault, Notice } from './notice.tsx';
import './country-blocks-card.css';

export function CountryBlocksCard({ model }: { model: CountryBlocksModel }) {
  const picked = useSignal('');
  const options = useMemo(() => countryOptions(navigator.language), []);
  useEffect(() => void model.load(), [model]);
  const countries = model.value.value?.countries;
  const nameOf = (code: string) => options.find(({ value }) => value === code)?.label ?? code;
  return (
    <section class="card country-blocks" aria-labelledby="countries-title">
      <h2 id="countries-title">Countries that do not see you</h2>
      <p class="soft">
        Whoever lives there, or is there now, finds neither your profile nor your streams. Who
        watches when you add one is let in again only elsewhere.
      </p>
      {model.loadFault.value && !countries && (
        <Fault text={model.loadFault.value} onRetry={model.load} />
      )}
      {countries && (
        <>
          {countries.length > 0 && (
            <ul class="row wrap" data-testid="blocked-countries">
              {countries.map((code) => (
                <li key={code} class="country-blocked">
                  {nameOf(code)}
                  <IconButton
                    label={`Be seen in ${nameOf(code)} again`}
                    onClick={() => model.drop(code)}
                  >
                    <CloseIcon size={16} />
                  </IconButton>
                </li>
              ))}
            </ul>
          )}
          <div class="country-add">
            <SelectField
              label="Country"
              value={picked.value}
              options={[
                { value: '', label: 'Pick one' },
                ...options.filter(({ value }) => !countries.includes(value)),
              ]}
              onPick={(code) => {
                picked.value = code;
              }}
              data-testid="block-country"
            />
            <Button
              busy={model.busy.value}
              disabled={picked.value === ''}
              onClick={() => {
                model.add(picked.peek());
                picked.value = '';
              }}
              data-testid="block-country-add"
            >
              Add it
            </Button>
          </div>
        </>
      )}
      {model.fault.value && <Notice tone="bad">{model.fault.value}</Notice>}
    </section>
  );
}
