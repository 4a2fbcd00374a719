// The logo: the mark alone, or with the name beside it.
import { useId } from 'preact/hooks';
import './logo.css';

export function Mark({ size = 32 }: { size?: number }) {
  const spark = useId();
  return (
    <svg class="mark" aria-hidden="true" width={size} height={size} viewBox="0 0 32 32">
      <defs>
        <linearGradient id={spark} x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stop-color="#ff3d6e" />
          <stop offset="0.55" stop-color="#f2553d" />
          <stop offset="1" stop-color="#ffb02e" />
        </linearGradient>
      </defs>
      <rect width="32" height="32" rx="9" fill={`url(#${spark})`} />
      <path d="M8 7.5h4v13h12v4H8z" fill="#fff" />
      <path d="M14.6 6.5 23.4 11.6a1 1 0 0 1 0 1.7l-8.8 5.1z" fill="#fff" />
    </svg>
  );
}

export function Logo() {
  return (
    <span class="logo">
      <Mark size={30} />
      <span class="logo-name">
        Live<b>Panty</b>
      </span>
    </span>
  );
}
