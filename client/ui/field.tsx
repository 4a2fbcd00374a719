// Form fields: a label, a control, a hint, and what is wrong with it.
import type { Signal } from '@preact/signals';
import type { ComponentChildren, InputHTMLAttributes, SelectHTMLAttributes } from 'preact';
import { useId } from 'preact/hooks';
import { AlertIcon } from './icons.tsx';
import './field.css';

type FrameProps = {
  id: string;
  label: string;
  hint?: ComponentChildren;
  fault?: string | undefined;
  children: ComponentChildren;
};

function Frame({ id, label, hint, fault, children }: FrameProps) {
  return (
    <div class={fault ? 'field wrong' : 'field'}>
      <label for={id}>{label}</label>
      {children}
      {fault ? (
        <p class="field-fault" id={`${id}-note`}>
          <AlertIcon size={16} /> {fault}
        </p>
      ) : (
        hint && (
          <p class="field-hint" id={`${id}-note`}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

/** Ties a control to its hint or fault, so that both are read out together. */
function noteProps(id: string, hint: ComponentChildren, fault: string | undefined) {
  return {
    ...(fault ? { 'aria-invalid': 'true' as const } : {}),
    ...(fault || hint ? { 'aria-describedby': `${id}-note` } : {}),
  };
}

type Common = { label: string; hint?: ComponentChildren; fault?: string | undefined };

type TextAttribute =
  | 'name'
  | 'autocomplete'
  | 'autocapitalize'
  | 'inputMode'
  | 'spellcheck'
  | 'placeholder'
  | 'required'
  | 'maxLength'
  | 'min'
  | 'max'
  | 'disabled';

type TextFieldProps = Common &
  Pick<InputHTMLAttributes<HTMLInputElement>, TextAttribute> & {
    type?: 'text' | 'email' | 'password' | 'date' | 'datetime-local' | 'url';
    'data-testid'?: string;
    value: Signal<string>;
    /** A control inside the field, at its end. */
    end?: ComponentChildren;
  };

export function TextField({ label, hint, fault, value, end, type, ...rest }: TextFieldProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} fault={fault}>
      <div class="field-box">
        <input
          {...rest}
          // The types of the attributes know one kind of input at a time; this field is any of them.
          type={(type ?? 'text') as 'text'}
          id={id}
          class="input"
          value={value.value}
          onInput={(event) => {
            value.value = event.currentTarget.value;
          }}
          {...noteProps(id, hint, fault)}
        />
        {end}
      </div>
    </Frame>
  );
}

type DayFieldProps = Common &
  Pick<InputHTMLAttributes<HTMLInputElement>, 'name' | 'min' | 'max'> & {
    'data-testid'?: string;
    /** YYYY-MM-DD, or empty. */
    value: string;
    onPick: (value: string) => void;
  };

/** A day, picked whole: half a date is none. */
export function DayField({ label, hint, fault, value, onPick, ...rest }: DayFieldProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} fault={fault}>
      <input
        {...rest}
        type="date"
        id={id}
        class="input"
        value={value}
        onChange={(event) => onPick(event.currentTarget.value)}
        {...noteProps(id, hint, fault)}
      />
    </Frame>
  );
}

type TextAreaProps = Common & {
  value: Signal<string>;
  rows?: number;
  maxLength?: number;
  placeholder?: string;
  'data-testid'?: string;
};

export function TextArea({ label, hint, fault, value, rows = 3, ...rest }: TextAreaProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} fault={fault}>
      <textarea
        {...rest}
        id={id}
        rows={rows}
        class="input text-area"
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
        {...noteProps(id, hint, fault)}
      />
    </Frame>
  );
}

export type Option = { value: string; label: string };

type SelectFieldProps = Common &
  Pick<SelectHTMLAttributes<HTMLSelectElement>, 'name' | 'disabled' | 'autocomplete'> & {
    'data-testid'?: string;
    value: string;
    options: readonly Option[];
    onPick: (value: string) => void;
  };

export function SelectField(props: SelectFieldProps) {
  const { label, hint, fault, value, options, onPick, ...rest } = props;
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} fault={fault}>
      <select
        {...rest}
        id={id}
        class="input select"
        value={value}
        onChange={(event) => onPick(event.currentTarget.value)}
        {...noteProps(id, hint, fault)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

type CheckProps = {
  label: ComponentChildren;
  checked: boolean;
  onPick: (checked: boolean) => void;
  disabled?: boolean;
  'data-testid'?: string;
};

/** Something that is so or not. */
export function Check({ label, checked, onPick, ...rest }: CheckProps) {
  return (
    <label class="check">
      <input
        {...rest}
        type="checkbox"
        checked={checked}
        onChange={(event) => onPick(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

type SegmentProps<T extends string> = {
  label: string;
  value: T;
  options: readonly { value: T; label: ComponentChildren; title?: string; testId?: string }[];
  onPick: (value: T) => void;
};

/** A few choices side by side, of which one holds. */
export function Segment<T extends string>({ label, value, options, onPick }: SegmentProps<T>) {
  const name = useId();
  return (
    <fieldset class="segment">
      <legend class="sr-only">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class="segment-choice" title={option.title}>
          <input
            type="radio"
            class="sr-only"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onPick(option.value)}
            data-testid={option.testId}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
