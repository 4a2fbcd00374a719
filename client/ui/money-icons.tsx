// Icons of the wallet and of payouts: apart, so that no other page carries them.
import { stroke } from './icons.tsx';

export const CardIcon = stroke(
  <>
    <rect x="3" y="5.5" width="18" height="13" rx="2.5" />
    <path d="M3 10h18M7 14.8h3.5" />
  </>,
);
export const PhoneIcon = stroke(
  <>
    <rect x="7" y="2.8" width="10" height="18.4" rx="2.5" />
    <path d="M11 18h2" />
  </>,
);
export const CodeIcon = stroke(
  <path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5H14zM20 14v2M14 20h2.5M19.5 19.5h.5" />,
);
export const ListIcon = stroke(
  <path d="M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4 6.5h.1M4 12h.1M4 17.5h.1" />,
);
export const BillIcon = stroke(
  <path d="M6 3.5h12v17l-2.4-1.6L13.2 20.5 12 19.3l-1.2 1.2-2.4-1.6L6 20.5zM9.5 8.5h5M9.5 12.5h5" />,
);
export const GivenBackIcon = stroke(
  <path d="M9 5 4.5 9.5 9 14M4.5 9.5H15a4.7 4.7 0 0 1 0 9.5h-4" />,
);
export const CopyIcon = stroke(
  <>
    <rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2" />
    <path d="M15.5 5.5v-.2A1.8 1.8 0 0 0 13.7 3.5H5.8A1.8 1.8 0 0 0 4 5.3v8.4a1.8 1.8 0 0 0 1.8 1.8h.2" />
  </>,
);
export const DownloadIcon = stroke(<path d="M12 4v10.5M7.5 10.5 12 15l4.5-4.5M4.5 19.5h15" />);
export const ClockIcon = stroke(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7v5.3l3.4 2" />
  </>,
);
export const LockIcon = stroke(
  <>
    <rect x="5" y="10.5" width="14" height="10" rx="2.5" />
    <path d="M8.5 10.5V7.8a3.5 3.5 0 0 1 7 0v2.7" />
  </>,
);
export const BankIcon = stroke(
  <path d="M3.5 9.5 12 4.5l8.5 5zM5.5 9.5v8M10 9.5v8M14 9.5v8M18.5 9.5v8M3.5 20h17" />,
);
export const RupeeIcon = stroke(
  <path d="M7 4.5h10M7 8.7h10M7 4.5h3.2a4.1 4.1 0 0 1 0 8.2H7l7.4 7" />,
);
export const GiftIcon = stroke(
  <path d="M4.5 11.5h15V20h-15zM3.5 7.8h17v3.7h-17zM12 7.8V20M12 7.8C9 7.8 7.6 6.6 8 5.2 8.6 3.4 11.4 4.4 12 7.8c.6-3.4 3.4-4.4 4-2.6.4 1.4-1 2.6-4 2.6Z" />,
);
export const HeartIcon = stroke(
  <path d="M12 19.5S4 15 4 9.3A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.3c0 5.7-8 10.2-8 10.2Z" />,
);
