// A copy of everything that is kept of oneself, as a file.
import { useSignal } from '@preact/signals';
import type { AccountApi } from '../models/account-api.ts';
import { messageOf } from '../models/api-error.ts';
import { useApp } from './app-context.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';

export function ExportCard({ api }: { api: AccountApi }) {
  const { saveFile, clock } = useApp();
  const busy = useSignal(false);
  const fault = useSignal<string | null>(null);
  async function fetchCopy(): Promise<void> {
    busy.value = true;
    fault.value = null;
    try {
      const day = new Date(clock.now()).toISOString().slice(0, 10);
      saveFile(await api.exportData(), `livepanty-${day}.json`);
    } catch (error) {
      fault.value = messageOf(error);
    } finally {
      busy.value = false;
    }
  }
  return (
    <section class="card" aria-labelledby="export-title">
      <h2 id="export-title">A copy of your data</h2>
      <p class="soft">
        Everything that we keep of you, in one file that programs can read (JSON): your account and
        profile, log-ins, what you have said and tipped, orders, invoices, streams and payouts.
      </p>
      {fault.value && <Notice tone="bad">{fault.value}</Notice>}
      <Button busy={busy.value} onClick={fetchCopy} data-testid="export-data">
        Download my data
      </Button>
    </section>
  );
}
