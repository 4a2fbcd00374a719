// An avatar: somebody's picture, or the first letter of their name on a colour that stays with the name.
import './avatar.css';

const hues = [338, 12, 36, 152, 188, 214, 262, 292] as const;

function hueOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973;
  return hues[sum % hues.length] ?? 0;
}

type AvatarProps = { name: string; size?: number; url?: string | null };

export function Avatar({ name, size = 36, url = null }: AvatarProps) {
  return (
    <span
      class="avatar"
      aria-hidden="true"
      style={{ '--hue': String(hueOf(name)), '--size': `${size}px` }}
    >
      {[...name][0]?.toUpperCase()}
      {url && <img src={url} alt="" width={size} height={size} decoding="async" />}
    </span>
  );
}

/** The colour of a name in chat, readable on both themes. */
export function nameStyle(name: string): Record<string, string> {
  return { '--hue': String(hueOf(name)) };
}
