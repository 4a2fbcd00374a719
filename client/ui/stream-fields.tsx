// The fields of a stream: what it is called and about, who may watch, and when it begins.
import type { StreamCategory, Visibility } from '#contract';
import { type StreamForm, titleCharsMax } from '../models/stream-form.ts';
import { categories, categoryFaces } from './category.ts';
import { Check, SelectField, TextField } from './field.tsx';
import { languageOptions } from './languages.ts';
import './stream-fields.css';

const visibilityWords: Record<Visibility, { label: string; hint: string }> = {
  public: { label: 'Everybody', hint: 'Everybody can find and watch it.' },
  unlisted: {
    label: 'Who has the link',
    hint: 'It is in no list; whoever has its address can watch.',
  },
  followers: { label: 'My followers', hint: 'Only who follows you can watch.' },
  ticketed: {
    label: 'Who buys an entry',
    hint: 'Entries are paid when you go live, and given back if you never do.',
  },
};
const visibilities = Object.keys(visibilityWords) as Visibility[];

export function TitleFields({ form }: { form: StreamForm }) {
  return (
    <>
      <TextField
        label="Title"
        value={form.title}
        maxLength={titleCharsMax}
        autocomplete="off"
        placeholder="What is happening?"
        fault={form.faults.value.title}
        data-testid="stream-title-input"
      />
      <SelectField
        label="Category"
        value={form.category.value}
        options={categories.map((value) => ({ value, label: categoryFaces[value].label }))}
        onPick={(picked) => {
          form.category.value = picked as StreamCategory;
        }}
        data-testid="stream-category"
      />
    </>
  );
}

/** Who may watch, and for what. */
export function AudienceFields({ form }: { form: StreamForm }) {
  const picked = form.visibility.value;
  return (
    <>
      <SelectField
        label="Who may watch"
        hint={visibilityWords[picked].hint}
        value={picked}
        options={visibilities.map((value) => ({ value, label: visibilityWords[value].label }))}
        onPick={(value) => {
          form.visibility.value = value as Visibility;
        }}
        data-testid="stream-visibility"
      />
      {picked === 'ticketed' && (
        <TextField
          label="Entry, in tokens"
          inputMode="numeric"
          value={form.entryTokens}
          maxLength={6}
          autocomplete="off"
          fault={form.faults.value.entryTokens}
          data-testid="stream-entry-tokens"
        />
      )}
    </>
  );
}

/** What one may say and need not. */
export function MoreFields({ form }: { form: StreamForm }) {
  return (
    <details class="stream-more" data-testid="stream-more">
      <summary>Tags, language, start</summary>
      <div class="stack">
        <TextField
          label="Tags"
          hint="With commas between them, such as: piano, jazz, late-night"
          value={form.tags}
          maxLength={300}
          autocomplete="off"
          autocapitalize="none"
          fault={form.faults.value.tags}
          data-testid="stream-tags-input"
        />
        <SelectField
          label="Language"
          value={form.language.value}
          options={[{ value: '', label: 'Not said' }, ...languageOptions()]}
          onPick={(code) => {
            form.language.value = code;
          }}
          data-testid="stream-language"
        />
        <TextField
          label="Begins"
          type="datetime-local"
          hint="For a stream that you announce now and start later."
          value={form.scheduledAt}
          fault={form.faults.value.scheduledAt}
          data-testid="stream-scheduled"
        />
        <Check
          label="For a mature audience"
          checked={form.isMature.value}
          onPick={(isMature) => {
            form.isMature.value = isMature;
          }}
          data-testid="stream-mature"
        />
      </div>
    </details>
  );
}
