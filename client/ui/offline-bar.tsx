// The offline bar: says that the network is gone, and that nothing needs to be done about it.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import './offline-bar.css';

export function OfflineBar() {
  const online = useOnline();
  if (online.value) return null;
  return (
    <p class="offline-bar" role="status">
      You are offline. Everything goes on by itself when the network is back.
    </p>
  );
}

const online = signal(true);

function useOnline() {
  useEffect(() => {
    const look = () => {
      online.value = navigator.onLine;
    };
    look();
    window.addEventListener('online', look);
    window.addEventListener('offline', look);
    return () => {
      window.removeEventListener('online', look);
      window.removeEventListener('offline', look);
    };
  }, []);
  return online;
}
