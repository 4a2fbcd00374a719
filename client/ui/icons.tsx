// Icons: one small drawing each, in the colour of the text around them.
import type { ComponentChildren } from 'preact';

type DrawingProps = {
  /** Width and height in pixels; without it the style sheet decides. */
  size?: number;
  lineWidth?: number;
  class?: string;
  children: ComponentChildren;
};

/** Lines on a square of 24 by 24. */
export function Drawing({ size, lineWidth = 2, class: name, children }: DrawingProps) {
  return (
    <svg
      class={name}
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={lineWidth}
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      {children}
    </svg>
  );
}

type IconProps = { size?: number };

export function stroke(children: ComponentChildren) {
  return function Icon({ size = 20 }: IconProps) {
    return <Drawing size={size}>{children}</Drawing>;
  };
}

const speaker = 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z';
const display = (
  <>
    <rect x="3" y="4.5" width="18" height="12" rx="2" />
    <path d="M8.5 20.5h7" />
  </>
);

export const HomeIcon = stroke(<path d="M4 11.5 12 4l8 7.5V20h-5.5v-5.5h-5V20H4z" />);
export const SearchIcon = stroke(
  <>
    <circle cx="10.5" cy="10.5" r="6.5" />
    <path d="m15.5 15.5 5 5" />
  </>,
);
export const StudioIcon = stroke(
  <>
    <circle cx="12" cy="12" r="2.5" />
    <path d="M7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4M5 19a10 10 0 0 1 0-14M19 5a10 10 0 0 1 0 14" />
  </>,
);
export const WalletIcon = stroke(
  <path d="M4 7.5A2.5 2.5 0 0 1 6.5 5H18v4M4 7.5V17a2.5 2.5 0 0 0 2.5 2.5H20V9H6.5A2.5 2.5 0 0 1 4 7.5ZM16 14h.01" />,
);
export const PersonIcon = stroke(
  <>
    <circle cx="12" cy="8" r="4" />
    <path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6" />
  </>,
);
export const PeopleIcon = stroke(
  <path d="M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.2M18 14.2a6.5 6.5 0 0 1 3.5 5.8" />,
);
export const EyeIcon = stroke(
  <>
    <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z" />
    <circle cx="12" cy="12" r="2.8" />
  </>,
);
export const EyeOffIcon = stroke(
  <path d="M4 4l16 16M9.6 5.8A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-2.6 3.4M6.3 7.3A15.5 15.5 0 0 0 2.5 12S6 18.5 12 18.5a9 9 0 0 0 4.2-1M10 10.2a2.8 2.8 0 0 0 3.8 3.9" />,
);
export const SoundIcon = stroke(
  <path d={`${speaker}M15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11`} />,
);
export const SoundOffIcon = stroke(<path d={`${speaker}M16 9.5l5 5M21 9.5l-5 5`} />);
export const ExpandIcon = stroke(<path d="M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5" />);
export const ShrinkIcon = stroke(<path d="M4 9h5V4M20 9h-5V4M4 15h5v5M20 15h-5v5" />);
export const PictureIcon = stroke(
  <>
    <rect x="3" y="5" width="18" height="14" rx="2" />
    <path d="M12.5 12.5h5.5v3.5h-5.5z" fill="currentColor" />
  </>,
);
export const SlidersIcon = stroke(
  <>
    <path d="M4 7h9M19 7h1M4 17h1M11 17h9" />
    <circle cx="16" cy="7" r="2.6" />
    <circle cx="8" cy="17" r="2.6" />
  </>,
);
export const SendIcon = stroke(<path d="M4.5 12 20 4.5 15.5 20l-3.7-6.3zM11.8 13.7 20 4.5" />);
export const CloseIcon = stroke(<path d="M6 6l12 12M18 6 6 18" />);
export const CheckIcon = stroke(<path d="m5 12.5 4.5 4.5L19 7.5" />);
export const AlertIcon = stroke(<path d="M12 4 2.5 20h19zM12 10v4.5M12 17.2v.1" />);
export const InfoIcon = stroke(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5.5M12 7.5v.1" />
  </>,
);
export const MicIcon = stroke(
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21" />
  </>,
);
export const MicOffIcon = stroke(
  <path d="M4 4l16 16M9 9v2a3 3 0 0 0 4.6 2.5M15 11V6a3 3 0 0 0-5.7-1.3M5.5 11a6.5 6.5 0 0 0 10.3 5.3M18.5 11a6.4 6.4 0 0 1-.5 2.5M12 17.5V21" />,
);
export const CameraIcon = stroke(
  <>
    <rect x="3" y="6.5" width="12.5" height="11" rx="2.5" />
    <path d="m15.5 11 5.5-3v8l-5.5-3" />
  </>,
);
export const CameraOffIcon = stroke(
  <path d="M4 4l16 16M9.5 6.5H13A2.5 2.5 0 0 1 15.5 9v2l5.5-3v8l-2-1.1M15.5 15.5a2 2 0 0 1-2.5 2H5.5A2.5 2.5 0 0 1 3 15V9c0-1 .6-1.9 1.5-2.3" />,
);
export const ScreenIcon = stroke(
  <>
    {display}
    <path d="M12 13.5v-5M9.5 10.5 12 8l2.5 2.5" />
  </>,
);
export const StopIcon = stroke(
  <rect x="6.5" y="6.5" width="11" height="11" rx="2" fill="currentColor" />,
);
export const RaidIcon = stroke(
  <path d="M3.5 6.5 9 12l-5.5 5.5M10 6.5l5.5 5.5-5.5 5.5M16.5 6.5 22 12l-5.5 5.5" />,
);
export const RefreshIcon = stroke(
  <path d="M20 11a8 8 0 0 0-14.3-4L3.5 9.5M3.5 4.5v5h5M4 13a8 8 0 0 0 14.3 4l2.2-2.5M20.5 19.5v-5h-5" />,
);
export const SunIcon = stroke(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
  </>,
);
export const MoonIcon = stroke(<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z" />);
export const SystemIcon = stroke(display);
export const LeaveIcon = stroke(<path d="M10 4.5H5v15h5M14.5 8l4 4-4 4M18.5 12H9.5" />);
export const GaugeIcon = stroke(<path d="M4 17.5a9 9 0 1 1 16 0M12 14l4-5" />);
export const BoltIcon = stroke(<path d="M13 3 5 13.5h6L10.5 21 19 10.5h-6z" />);
export const ShieldIcon = stroke(
  <path d="M12 3.5 5 6v6c0 4.5 3 7.3 7 8.5 4-1.2 7-4 7-8.5V6zM9 12l2.2 2.2L15.2 10" />,
);
