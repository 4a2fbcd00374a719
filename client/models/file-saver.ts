// The file saver: hands a file that was fetched with one's access token to the browser, to keep.

/** The browser has begun to save long before this. */
const releaseAfterMs = 60_000;

export type SaveFile = (content: Blob, name: string) => void;

/**
 * Files are saved and not opened: a page of the browser that is made of a file has our content policy,
 * which lets no invoice have a style of its own.
 */
export function createFileSaver(browser: Window & typeof globalThis): SaveFile {
  const { document, URL } = browser;
  return (content, name) => {
    const address = URL.createObjectURL(content);
    const link = document.createElement('a');
    link.href = address;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    browser.setTimeout(() => URL.revokeObjectURL(address), releaseAfterMs);
  };
}
