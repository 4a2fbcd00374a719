// The API of accounts: what the settings ask for, and what the pages that mailed links lead to send.
import type { CloseAccountBody, Closing, LinkPurpose } from '#contract';
import type { SendRequest } from './api.ts';

/** Links that change something and log nobody in. */
export type ActLink = Exclude<LinkPurpose, 'reset' | 'login'>;

/** Much is gathered for it. */
const exportTimeoutMs = 60_000;

const linkPaths: Record<ActLink, string> = {
  verify: '/email/verification',
  change: '/email/change',
  undo: '/email/undo',
  keep: '/keep-account',
};

export function createAccountApi(request: SendRequest) {
  async function post(path: string, body?: object): Promise<void> {
    await request(`/v1/auth${path}`, {
      method: 'POST',
      ...(body && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  }
  async function read<T>(path: string, body?: object): Promise<T> {
    const init = body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    return (await request(`/v1/users/me${path}`, init ?? {})).json();
  }
  return {
    readClosing: () => read<Closing>('/closing'),
    closeAccount: (body: CloseAccountBody) => read<{ eraseAt: string }>('/closing', body),
    /** Everything that is kept of somebody, as a file. */
    async exportData(): Promise<Blob> {
      const answer = await request('/v1/users/me/export', { method: 'POST' }, exportTimeoutMs);
      return answer.blob();
    },
    /** Mails the link anew that shows whose mailbox it is. */
    resendVerification: () => post('/email/verification-mail'),
    useLink: (purpose: ActLink, token: string) => post(linkPaths[purpose], { token }),
    askReset: (body: { email: string }) => post('/password/reset', body),
    resetPassword: (body: { token: string; password: string }) =>
      post('/password/reset/confirmation', body),
    changePassword: (body: { currentPassword: string; newPassword: string }) =>
      post('/password', body),
    changeEmail: (body: { email: string; password: string }) => post('/email', body),
  };
}
export type AccountApi = ReturnType<typeof createAccountApi>;
