// The field for a search: its words, and the button that looks for them.
import { searchCharsMax } from '#contract';
import { SearchIcon } from './icons.tsx';
import './search-field.css';

type SearchFieldProps = {
  value: string;
  onType: (text: string) => void;
  onLook: () => void;
  name: string;
};

export function SearchField({ value, onType, onLook, name }: SearchFieldProps) {
  return (
    <search>
      <form
        class="search-field"
        onSubmit={(event) => {
          event.preventDefault();
          onLook();
        }}
      >
        <input
          type="search"
          class="input"
          aria-label="Search streams and performers"
          placeholder="Streams and performers"
          autocomplete="off"
          maxLength={searchCharsMax}
          value={value}
          onInput={(event) => onType(event.currentTarget.value)}
          data-testid={`${name}-input`}
        />
        <button type="submit" class="search-field-go" title="Search" data-testid={`${name}-go`}>
          <SearchIcon size={20} />
          <span class="sr-only">Search</span>
        </button>
      </form>
    </search>
  );
}
